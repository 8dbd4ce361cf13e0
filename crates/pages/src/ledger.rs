//! The ledger of a payment page: what it holds, who authorised it, every version and every change (PCI DSS 4.0.1, 6.4.3 and
//! 11.6.1). It must *not* know clocks, stores or alerts: a look goes in, changes come out.
//!
//! The first look is the baseline. After that, a change is *told* when a person must look: a new script, host, frame or
//! form target, other content, another security header, lost integrity. What pages do all the time is *noted* and not
//! told: new builds under names with hashes, nonces and data in inline code, arms of experiments seen before, cache-busters.
//! A version that looks like a skimmer is told each time it comes back.

mod judge;
mod known;

use std::collections::{BTreeMap, BTreeSet};

use riskgraph_domain::observation::PageStanding;
use riskgraph_domain::time::DAY_MS;
use riskgraph_domain::{Severity, Timestamp};
use serde::{Deserialize, Serialize};

use crate::headers::{self, Direction};
use crate::snapshot::{SeenScript, SeenTarget, Snapshot};
pub use judge::is_provider;
pub use known::{Authorisation, KnownScript, Version};

/// Changes kept of one page; older ones are in the exports made of them.
const CHANGES_MAX: usize = 2_000;
/// Scripts, targets and hosts known of one page.
const KNOWN_MAX: usize = 2_000;
/// Entries of one list in a standing.
const STANDING_MAX: usize = 50;
/// Days between two looks that the standard allows at most (11.6.1).
pub const DAYS_MAX: i64 = 7;

/// What a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    ScriptAdded,
    ScriptChanged,
    ScriptRemoved,
    IntegrityLost,
    Skimmer,
    HostAdded,
    FrameAdded,
    FrameRemoved,
    FormAdded,
    FormRemoved,
    HeaderChanged,
    /// `<base>` or a refresh that sends people or addresses elsewhere.
    MoveAdded,
    Unseen,
}

impl ChangeKind {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ScriptAdded => "script-added",
            Self::ScriptChanged => "script-changed",
            Self::ScriptRemoved => "script-removed",
            Self::IntegrityLost => "integrity-lost",
            Self::Skimmer => "skimmer",
            Self::HostAdded => "host-added",
            Self::FrameAdded => "frame-added",
            Self::FrameRemoved => "frame-removed",
            Self::FormAdded => "form-added",
            Self::FormRemoved => "form-removed",
            Self::HeaderChanged => "header-changed",
            Self::MoveAdded => "move-added",
            Self::Unseen => "unseen",
        }
    }

    /// The check of the catalogue it belongs to.
    #[must_use]
    pub const fn check(self) -> &'static str {
        match self {
            Self::ScriptAdded => "PAY-01",
            Self::ScriptChanged | Self::ScriptRemoved => "PAY-04",
            Self::IntegrityLost => "PAY-03",
            Self::Skimmer => "PAY-10",
            Self::HostAdded | Self::MoveAdded => "PAY-07",
            Self::FrameAdded | Self::FrameRemoved => "PAY-09",
            Self::FormAdded | Self::FormRemoved => "PAY-08",
            Self::HeaderChanged => "PAY-05",
            Self::Unseen => "PAY-06",
        }
    }
}

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    pub at: Timestamp,
    pub kind: ChangeKind,
    /// Which script, host, frame, form or header.
    pub subject: String,
    /// The host it came from, or that it speaks to: the way to the vendor.
    pub host: Option<String>,
    pub before: Option<String>,
    pub after: Option<String>,
    /// `Info` when it is only noted.
    pub severity: Severity,
    /// Whether a person must look.
    pub told: bool,
    pub why: String,
}

/// Everything known of one payment page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// Format of this record, for those that were kept.
    pub format: u32,
    pub page: String,
    pub first_at: Option<Timestamp>,
    /// The last look that saw the page.
    pub last_at: Option<Timestamp>,
    pub n_looks: u64,
    pub scripts: Vec<KnownScript>,
    /// Frames and form targets by identity, with whether they hold secrets.
    pub frames: BTreeMap<String, Sighting>,
    pub forms: BTreeMap<String, Sighting>,
    pub hosts: BTreeMap<String, Sighting>,
    pub moves: BTreeMap<String, Sighting>,
    /// Current value of each header.
    pub headers: BTreeMap<String, String>,
    /// Values that were in force without being told of as weaker, by header.
    pub past_headers: BTreeMap<String, BTreeSet<String>>,
    /// Oldest first.
    pub changes: Vec<Change>,
}

/// When something was there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    pub url: String,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    pub present: bool,
}

impl Ledger {
    #[must_use]
    pub fn new(page: impl Into<String>) -> Self {
        Self {
            format: 1,
            page: page.into(),
            first_at: None,
            last_at: None,
            n_looks: 0,
            scripts: Vec::new(),
            frames: BTreeMap::new(),
            forms: BTreeMap::new(),
            hosts: BTreeMap::new(),
            moves: BTreeMap::new(),
            headers: BTreeMap::new(),
            past_headers: BTreeMap::new(),
            changes: Vec::new(),
        }
    }

    /// Takes one look; gives the changes it brought. An older look than the last, or one of a page that could not be read,
    /// changes nothing that is known.
    pub fn observe(&mut self, look: &Snapshot) -> Vec<Change> {
        if let Some(why) = &look.unseen {
            let change = Change {
                severity: Severity::Info,
                told: false,
                why: why.clone(),
                ..self.change(look.at, ChangeKind::Unseen, &look.page)
            };
            return self.keep(vec![change]);
        }
        if self.last_at.is_some_and(|last| look.at < last) {
            return Vec::new();
        }
        let first = self.first_at.is_none();
        let mut changes = Vec::new();
        let mut news =
            News { own: crate::snapshot::host(&look.url).unwrap_or_default(), hosts: self.known_hosts(look) };
        self.take_scripts(look, &mut news, &mut changes);
        self.take_targets(look, &mut news, &mut changes);
        self.take_hosts(look, &news, &mut changes);
        self.take_headers(look, &mut changes);
        self.first_at.get_or_insert(look.at);
        self.last_at = Some(look.at);
        self.n_looks += 1;
        if first {
            // A baseline has no changes; what steals cards is told from the first look on.
            changes.retain(|change| change.kind == ChangeKind::Skimmer);
        }
        self.keep(changes)
    }

    /// Days since the last look that saw the page, when more than the standard allows.
    #[must_use]
    pub fn overdue_days(&self, now: Timestamp) -> Option<i64> {
        let since = (now - self.last_at.or(self.first_at)?) / DAY_MS;
        (now - self.last_at.or(self.first_at)? > DAYS_MAX * DAY_MS).then_some(since)
    }

    /// Records that a script is needed and approved. `script` is its identity, address, or the host all of whose scripts are
    /// meant; says how many scripts of the inventory that are.
    pub fn authorise(&mut self, script: &str, authorisation: &Authorisation) -> usize {
        let identity = crate::churn::identity(script);
        let meant = |known: &&mut KnownScript| {
            known.identity == script || known.identity == identity || known.host.as_deref() == Some(script)
        };
        let mut n = 0;
        for known in self.scripts.iter_mut().filter(meant) {
            known.authorise(authorisation.clone());
            n += 1;
        }
        n
    }

    /// Scripts on the page now without authorisation.
    pub fn unauthorised(&self) -> impl Iterator<Item = &KnownScript> {
        self.scripts.iter().filter(|script| script.present && script.authorisation.is_none())
    }

    /// Keeps only the newest changes and versions, for stores with a limit.
    pub fn trim(&mut self, changes_max: usize, versions_max: usize) {
        let extra = self.changes.len().saturating_sub(changes_max);
        self.changes.drain(..extra);
        for script in &mut self.scripts {
            let extra = script.versions.len().saturating_sub(versions_max);
            script.versions.drain(..extra);
        }
    }

    /// How the page stands now, for the checks.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> PageStanding {
        let name = |script: &KnownScript| script.url.clone().unwrap_or_else(|| script.identity.clone());
        let late = |script: &&KnownScript| Some(script.first_at) > self.first_at;
        let recent = |change: &&Change| change.told && now - change.at <= DAYS_MAX * DAY_MS;
        let told = self.changes.iter().rev().filter(recent).take(STANDING_MAX);
        PageStanding {
            n_scripts: self.scripts.iter().filter(|script| script.present).count() as u64,
            unlisted: self.unauthorised().filter(late).take(STANDING_MAX).map(name).collect(),
            unauthorised: self.unauthorised().take(STANDING_MAX).map(name).collect(),
            changes: told
                .map(|change| (change.kind.check().into(), change.subject.clone(), change.why.clone()))
                .collect(),
            overdue_days: self.overdue_days(now),
        }
    }

    fn change(&self, at: Timestamp, kind: ChangeKind, subject: &str) -> Change {
        Change {
            at,
            kind,
            subject: subject.to_owned(),
            host: None,
            before: None,
            after: None,
            severity: Severity::Medium,
            told: true,
            why: String::new(),
        }
    }

    fn keep(&mut self, changes: Vec<Change>) -> Vec<Change> {
        self.changes.extend(changes.iter().cloned());
        let extra = self.changes.len().saturating_sub(CHANGES_MAX);
        self.changes.drain(..extra);
        changes
    }

    /// Hosts that were there before this look.
    fn known_hosts(&self, look: &Snapshot) -> BTreeSet<String> {
        let mut all: BTreeSet<String> = self.hosts.keys().cloned().collect();
        all.extend(self.scripts.iter().filter_map(|script| script.host.clone()));
        all.extend(self.scripts.iter().flat_map(KnownScript::hosts));
        let targets = self.frames.values().chain(self.forms.values());
        all.extend(targets.filter_map(|sighting| crate::snapshot::host(&sighting.url)));
        all.extend(crate::snapshot::host(&look.url));
        all
    }

    fn take_targets(&mut self, look: &Snapshot, news: &mut News, changes: &mut Vec<Change>) {
        let frames = sight(&mut self.frames, &look.frames, look.at);
        let forms = sight(&mut self.forms, &look.forms, look.at);
        for (found, kind) in [(frames, ChangeKind::FrameAdded), (forms, ChangeKind::FormAdded)] {
            for target in found.added {
                changes.push(judge::target(self.change(look.at, kind, &target.identity), &target, news));
                news.hosts.extend(target.host);
            }
            let gone = if kind == ChangeKind::FrameAdded { ChangeKind::FrameRemoved } else { ChangeKind::FormRemoved };
            for (identity, url) in found.removed {
                let change = self.change(look.at, gone, &identity);
                changes.push(Change {
                    host: crate::snapshot::host(&url),
                    before: Some(url),
                    severity: Severity::Info,
                    told: false,
                    why: "is no longer on the page".to_owned(),
                    ..change
                });
            }
        }
        for what in &look.moves {
            let seen = Sighting { url: what.clone(), first_at: look.at, last_at: look.at, present: true };
            if self.moves.len() < KNOWN_MAX && self.moves.insert(what.clone(), seen).is_none() {
                let change = self.change(look.at, ChangeKind::MoveAdded, what);
                changes.push(Change {
                    severity: Severity::High,
                    why: "addresses or visitors of the page are sent elsewhere".to_owned(),
                    ..change
                });
            }
        }
    }

    fn take_hosts(&mut self, look: &Snapshot, news: &News, changes: &mut Vec<Change>) {
        for host in &look.hosts {
            let seen = self.hosts.entry(host.clone()).or_insert_with(|| Sighting {
                url: host.clone(),
                first_at: look.at,
                last_at: look.at,
                present: true,
            });
            seen.last_at = look.at;
            if seen.first_at == look.at && !news.knows(host) {
                let change = self.change(look.at, ChangeKind::HostAdded, host);
                changes.push(judge::host(change, host));
            }
        }
    }

    fn take_headers(&mut self, look: &Snapshot, changes: &mut Vec<Change>) {
        let names: BTreeSet<&String> = self.headers.keys().chain(look.headers.keys()).collect();
        let mut found = Vec::new();
        for name in names {
            let (before, after) = (self.headers.get(name), look.headers.get(name));
            if before == after {
                continue;
            }
            let rule = name.strip_prefix("meta ").unwrap_or(name);
            let way = headers::direction(rule, before.map(String::as_str), after.map(String::as_str));
            let past = self.past_headers.get(name);
            let known = after.is_some_and(|value| past.is_some_and(|past| past.contains(value)));
            let (severity, why) = match way {
                _ if known => (Severity::Info, "back to a value that was in force before"),
                Direction::Weaker if before.is_some() && after.is_none() => (Severity::High, "the header is gone"),
                Direction::Weaker => (Severity::High, "it allows more than before"),
                Direction::Stronger => (Severity::Low, "it allows less than before"),
                Direction::Other => (Severity::Medium, "its value is another"),
            };
            found.push(Change {
                before: before.cloned(),
                after: after.cloned(),
                severity,
                told: severity > Severity::Info,
                why: why.to_owned(),
                ..self.change(look.at, ChangeKind::HeaderChanged, name)
            });
            if way != Direction::Weaker || before.is_none() {
                self.past_headers.entry(name.clone()).or_default().extend(after.cloned());
            }
            self.past_headers.entry(name.clone()).or_default().extend(before.cloned());
        }
        changes.extend(found);
        self.headers.clone_from(&look.headers);
    }
}

/// What this look has shown so far.
struct News {
    /// The page's own host.
    own: String,
    hosts: BTreeSet<String>,
}

impl News {
    /// Whether a host is known, or of the shop itself.
    fn knows(&self, host: &str) -> bool {
        self.hosts.contains(host) || same_site(host, &self.own)
    }
}

fn same_site(a: &str, b: &str) -> bool {
    a == b || psl::domain_str(a).is_some_and(|domain| psl::domain_str(b) == Some(domain))
}

struct Found {
    added: Vec<SeenTarget>,
    removed: Vec<(String, String)>,
}

/// Compares targets with those that are known, and notes this look.
fn sight(known: &mut BTreeMap<String, Sighting>, seen: &[SeenTarget], at: Timestamp) -> Found {
    let mut found = Found { added: Vec::new(), removed: Vec::new() };
    let now: BTreeSet<&String> = seen.iter().map(|target| &target.identity).collect();
    for (identity, sighting) in
        known.iter_mut().filter(|(identity, sighting)| sighting.present && !now.contains(identity))
    {
        sighting.present = false;
        found.removed.push((identity.clone(), sighting.url.clone()));
    }
    for target in seen {
        let full = known.len() >= KNOWN_MAX;
        match known.get_mut(&target.identity) {
            Some(sighting) => {
                sighting.last_at = at;
                sighting.present = true;
            }
            None if !full => {
                let sighting = Sighting { url: target.url.clone(), first_at: at, last_at: at, present: true };
                known.insert(target.identity.clone(), sighting);
                found.added.push(target.clone());
            }
            None => {}
        }
    }
    found
}

/// How a script is shown to people.
fn name_of(script: &SeenScript) -> String {
    script.url.clone().unwrap_or_else(|| script.identity.clone())
}

#[cfg(test)]
mod tests;
