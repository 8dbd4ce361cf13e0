//! What the shop holds: frozen accounts, void passwords, suspended keys, held orders and cards, systems cut off. Each hold
//! names who holds it, so that one holder lets go without the others. It must *not* know why.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// Things that can be held, and sessions that are remembered.
const ENTRIES_MAX: usize = 200_000;

/// What can be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lever {
    /// An account cannot log in.
    Freeze,
    /// An account must set a new password first.
    Reset,
    /// A key is refused.
    Suspend,
    /// A key was replaced.
    Rotate,
    HoldOrder,
    HoldCard,
    /// A system is cut off.
    Isolate,
}

impl Lever {
    /// Names of state and holders in the admin API's answers.
    const fn fields(self) -> (&'static str, &'static str) {
        match self {
            Self::Freeze => ("frozen", "frozen_by"),
            Self::Reset => ("reset_required", "reset_by"),
            Self::Suspend => ("suspended", "suspended_by"),
            Self::Rotate => ("rotated", "rotated_by"),
            Self::HoldOrder | Self::HoldCard => ("held", "held_by"),
            Self::Isolate => ("isolated", "isolated_by"),
        }
    }
}

/// One login.
#[derive(Debug, Clone)]
struct Session {
    user: String,
    open: bool,
}

/// The shop's holds and sessions.
#[derive(Debug, Default)]
pub struct Locks {
    holds: BTreeMap<(Lever, String), BTreeSet<String>>,
    sessions: BTreeMap<String, Session>,
    /// Customers whose sessions were ended and who have not logged in since.
    logged_out: BTreeSet<String>,
    /// Answers given to idempotency keys.
    answered: BTreeMap<String, Value>,
    n_changes: u64,
}

impl Locks {
    /// Whether anybody holds it.
    #[must_use]
    pub fn held(&self, lever: Lever, id: &str) -> bool {
        self.holds.contains_key(&(lever, id.to_owned()))
    }

    /// Holds it; by whom it is held already changes nothing.
    pub fn hold(&mut self, lever: Lever, id: &str, by: &str) {
        if self.holds.len() < ENTRIES_MAX {
            let added = self.holds.entry((lever, id.to_owned())).or_default().insert(by.to_owned());
            self.n_changes += u64::from(added);
        }
    }

    /// Lets go for one holder; says whether that one held it.
    pub fn release(&mut self, lever: Lever, id: &str, by: &str) -> bool {
        let key = (lever, id.to_owned());
        let Some(holders) = self.holds.get_mut(&key) else { return false };
        let was = holders.remove(by);
        if holders.is_empty() {
            self.holds.remove(&key);
        }
        self.n_changes += u64::from(was);
        was
    }

    /// Lets go for everybody.
    pub(crate) fn release_all(&mut self, lever: Lever, id: &str) {
        self.holds.remove(&(lever, id.to_owned()));
    }

    /// Effective changes so far: a repeated request makes none.
    #[must_use]
    pub fn n_changes(&self) -> u64 {
        self.n_changes
    }

    /// State and holders, as the admin API shows them.
    pub(crate) fn show(&self, id: &str, levers: &[Lever]) -> Value {
        let mut shown = json!({ "id": id });
        for lever in levers {
            let (state, holders) = lever.fields();
            let by = self.holds.get(&(*lever, id.to_owned()));
            shown[state] = by.is_some().into();
            shown[holders] = by.into_iter().flatten().cloned().collect::<Vec<_>>().into();
        }
        shown
    }

    /// The answer given to this idempotency key before.
    pub(crate) fn answered(&self, key: &str) -> Option<Value> {
        self.answered.get(key).cloned()
    }

    pub(crate) fn answer(&mut self, key: &str, answer: &Value) {
        if self.answered.len() < ENTRIES_MAX {
            self.answered.insert(key.to_owned(), answer.clone());
        }
    }

    /// Logs a customer in.
    pub(crate) fn open_session(&mut self, user: &str) -> String {
        let token = format!("s{:08}", self.sessions.len());
        self.logged_out.remove(user);
        if self.sessions.len() < ENTRIES_MAX {
            self.sessions.insert(token.clone(), Session { user: user.to_owned(), open: true });
        }
        token
    }

    /// The customer of an open session.
    pub(crate) fn session(&self, token: &str) -> Option<&str> {
        self.sessions.get(token).filter(|session| session.open).map(|session| session.user.as_str())
    }

    /// Open sessions of a customer, or of the session named.
    pub(crate) fn n_open(&self, kind: &str, id: &str) -> usize {
        self.sessions.iter().filter(|(token, session)| session.open && belongs(kind, id, token, session)).count()
    }

    /// Ends them, and says how many there were.
    pub(crate) fn end_sessions(&mut self, kind: &str, id: &str) -> usize {
        let mut n = 0;
        for (token, session) in &mut self.sessions {
            if session.open && belongs(kind, id, token, session) {
                session.open = false;
                n += 1;
            }
        }
        if kind != "SESSION" && self.logged_out.len() < ENTRIES_MAX {
            self.logged_out.insert(id.to_owned());
        }
        self.n_changes += 1;
        n
    }

    /// Whether the customer was logged out and has not logged in since.
    pub(crate) fn is_logged_out(&self, user: &str) -> bool {
        self.logged_out.contains(user)
    }

    /// The customer logged in again.
    pub(crate) fn logged_in(&mut self, user: &str) {
        self.logged_out.remove(user);
    }

    /// Whether nothing is held and nobody was logged out.
    pub(crate) fn is_idle(&self) -> bool {
        self.holds.is_empty() && self.logged_out.is_empty()
    }
}

fn belongs(kind: &str, id: &str, token: &str, session: &Session) -> bool {
    if kind == "SESSION" { token == id } else { session.user == id }
}
