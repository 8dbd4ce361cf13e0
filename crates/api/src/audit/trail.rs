//! What personal data a request has been given. Must not know what becomes of it.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use riskgraph_domain::alert::Alert;
use riskgraph_domain::graph::{Entity, EntityKey, EntityKind};
use riskgraph_domain::id::{AlertId, EntityId, SignalId};
use riskgraph_domain::signal::Signal;

/// Ids an entry of the log tells; the rest is counted.
const IDS_TOLD_MAX: usize = 200;
/// Ids told apart: more than a request may load. Of a stream, what comes beyond before the next entry is counted only.
const IDS_KNOWN_MAX: usize = 25_000;
/// Ids of things made in one request.
const MADE_MAX: usize = 64;

/// Collects what a request reads.
#[derive(Debug, Default)]
pub(crate) struct Trail(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    alerts: BTreeSet<AlertId>,
    signals: BTreeSet<SignalId>,
    entities: BTreeSet<EntityId>,
    n_more: u64,
    made: Vec<String>,
}

/// What was collected.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    /// At most [`IDS_TOLD_MAX`]: alerts first, then signals, then entities.
    pub(crate) ids: Vec<String>,
    pub(crate) total: u64,
    /// Ids of what was made, in order.
    pub(crate) made: Vec<String>,
}

/// Whether things of this kind are, or belong to, a person.
pub(crate) const fn is_personal(kind: EntityKind) -> bool {
    use EntityKind as K;
    matches!(kind, K::User | K::Staff | K::Session | K::Device | K::Card | K::Order | K::GiftCard | K::Address)
}

impl Trail {
    pub(crate) fn entity(&self, entity: &Entity) {
        if is_personal(entity.kind) {
            self.note(|seen| seen.entities.insert(entity.id));
        }
    }

    /// A signal is personal when what it touches is.
    pub(crate) fn signal(&self, signal: &Signal) {
        if signal.entities.iter().any(|touched| is_personal(touched.entity.kind)) {
            self.note(|seen| seen.signals.insert(signal.id));
        }
    }

    /// An alert is personal when somebody takes part, or may among those it does not list.
    pub(crate) fn alert(&self, alert: &Alert) {
        let all_listed = u64::from(alert.entities_total) <= alert.entities.len() as u64;
        if !all_listed || alert.entities.iter().any(|key| is_personal(key.kind)) {
            self.note(|seen| seen.alerts.insert(alert.id));
        }
    }

    /// Something names an entity by its key.
    pub(crate) fn key(&self, key: &EntityKey) {
        if is_personal(key.kind) {
            self.note(|seen| seen.entities.insert(key.id()));
        }
    }

    /// Something tells what an alert is about, without the alert: its title may name a person.
    pub(crate) fn about(&self, alert: AlertId) {
        self.note(|seen| seen.alerts.insert(alert));
    }

    /// Something was made; what it is called is not in the request.
    pub(crate) fn made(&self, id: impl ToString) {
        let mut seen = self.lock();
        if seen.made.len() < MADE_MAX {
            seen.made.push(id.to_string());
        }
    }

    /// Whether anything was collected.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().total() == 0
    }

    /// Hands over what was collected and begins anew.
    pub(crate) fn take(&self) -> Taken {
        let seen = std::mem::take(&mut *self.lock());
        let total = seen.total();
        let alerts = seen.alerts.iter().map(ToString::to_string);
        let signals = seen.signals.iter().map(ToString::to_string);
        let ids = alerts.chain(signals).chain(seen.entities.iter().map(ToString::to_string)).take(IDS_TOLD_MAX);
        Taken { ids: ids.collect(), total, made: seen.made }
    }

    fn note(&self, insert: impl FnOnce(&mut Seen) -> bool) {
        let mut seen = self.lock();
        if seen.known() < IDS_KNOWN_MAX {
            insert(&mut seen);
        } else {
            seen.n_more += 1;
        }
    }

    /// A panic elsewhere leaves the sets whole.
    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn known(&self) -> usize {
        self.alerts.len() + self.signals.len() + self.entities.len()
    }

    fn total(&self) -> u64 {
        self.known() as u64 + self.n_more
    }
}
