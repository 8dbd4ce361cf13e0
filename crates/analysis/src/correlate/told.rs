//! Telling changes: each is an entry of the sequence, judged by the alert policy, and may change the mute of others.

use std::collections::BTreeSet;

use riskgraph_domain::alert::{Alert, AlertCause, AlertChange, AlertEvent, TimelineEntry};
use riskgraph_domain::ports::Delta;
use riskgraph_domain::{AlertId, EntityKind, RelationKind, Text, Timestamp, VendorId};

use super::live::tell_time;
use super::{Correlator, Live};
use crate::graph::{Direction, NodeIx, Observed, RiskGraph};
use crate::policy::{DueTold, MuteChange, Policy, PolicyStir};

/// Alerts looked at, and changes told, when all are judged anew; the others follow with the next review, a second later.
const REJUDGED_MAX: usize = 4_000;
const RETOLD_MAX: usize = 1_000;
/// Vendors named on one alert.
const VENDORS_MAX: usize = 16;
/// Relations that lead to a vendor are looked for at nodes with fewer than this: others are hubs.
const OWNERS_MAX: usize = 64;

/// What kind of change an entry of the sequence is, and who made it.
#[derive(Debug, Clone)]
pub(super) struct Telling {
    pub change: AlertChange,
    pub cause: AlertCause,
    pub actor: Option<Text>,
}

impl Telling {
    pub(super) const fn of(change: AlertChange, cause: AlertCause) -> Self {
        Self { change, cause, actor: None }
    }

    pub(super) fn by(change: AlertChange, cause: AlertCause, actor: &Text) -> Self {
        Self { change, cause, actor: Some(actor.clone()) }
    }
}

impl Correlator {
    /// Sets the wall time of the record that is judged next.
    pub const fn clock(&mut self, accepted_at: Timestamp) {
        self.now = accepted_at;
    }

    /// Tells of an open alert as it is now.
    pub(super) fn emit(&mut self, id: AlertId, telling: Telling, delta: &mut Delta) {
        self.push(id, telling, delta);
        self.settle(delta);
    }

    /// Tells of an alert that is over.
    pub(super) fn emit_over(&mut self, mut alert: Alert, telling: Telling, delta: &mut Delta) {
        let id = alert.id;
        let dependents = self.policy.dependents(id);
        if self.policy.unindex(id) == PolicyStir::Others {
            self.waiting.extend(dependents);
        }
        self.sequence += 1;
        alert.revision = self.sequence;
        self.policy.note_over(id, self.sequence);
        self.cases.note_severity(&alert.cases, id, alert.severity);
        delta.alert_events.push(self.event(telling, alert));
        self.settle(delta);
    }

    fn event(&self, telling: Telling, alert: Alert) -> AlertEvent {
        let Telling { change, cause, actor } = telling;
        AlertEvent { sequence: self.sequence, change, cause, actor, at: self.now, alert }
    }

    fn push(&mut self, id: AlertId, telling: Telling, delta: &mut Delta) {
        let Some(live) = self.live.get_mut(&id) else { return };
        self.policy.prepare(&mut live.alert, telling.change, self.now);
        self.policy.mute(&mut live.alert, live.storm.as_ref());
        self.sequence += 1;
        live.alert.revision = self.sequence;
        let alert = live.alert.clone();
        self.dirty.insert(id);
        self.cases.note_severity(&alert.cases, id, alert.severity);
        if self.policy.index(&alert) == PolicyStir::Others {
            self.waiting.extend(self.policy.dependents(id));
        }
        delta.alert_events.push(self.event(telling, alert));
    }

    /// Judges the mutes of alerts that may depend on what was just told.
    fn settle(&mut self, delta: &mut Delta) {
        let mut n_told = 0;
        while n_told < RETOLD_MAX {
            let Some(id) = self.waiting.pop_first() else { return };
            n_told += usize::from(self.rejudge(id, delta) != MuteChange::Same);
        }
        let left = std::mem::take(&mut self.waiting);
        self.rejudge_later(left.first().copied());
    }

    fn rejudge_later(&mut self, from: Option<AlertId>) {
        let known = self.policy.rejudge_from();
        self.policy.rejudged_until(known.into_iter().chain(from).min());
    }

    /// Judges the mute of one alert anew and tells when it changed.
    fn rejudge(&mut self, id: AlertId, delta: &mut Delta) -> MuteChange {
        let Some(live) = self.live.get_mut(&id) else { return MuteChange::Same };
        let change = self.policy.mute(&mut live.alert, live.storm.as_ref());
        let (cause, text) = match (change, &live.alert.muted) {
            (MuteChange::Same, _) => return change,
            (_, Some(mute)) => (AlertCause::Muted, format!("Muted: {}", mute.reason)),
            (_, None) => (AlertCause::Unmuted, "No longer muted".to_owned()),
        };
        live.tell_time(TimelineEntry { time: self.now, text, signal: None, actor: None });
        self.push(id, Telling::of(AlertChange::Updated, cause), delta);
        change
    }

    /// Goes on judging all alerts anew, when that was begun.
    pub(super) fn rejudge_some(&mut self, delta: &mut Delta) {
        let Some(from) = self.policy.rejudge_from() else { return };
        let mut ids: Vec<AlertId> = self.live.range(from..).map(|(id, _)| *id).take(REJUDGED_MAX + 1).collect();
        let mut next = if ids.len() > REJUDGED_MAX { ids.pop() } else { None };
        self.policy.rejudged_until(None);
        let mut n_told = 0;
        for id in ids {
            if n_told >= RETOLD_MAX {
                next = Some(id);
                break;
            }
            n_told += usize::from(self.rejudge(id, delta) != MuteChange::Same);
        }
        self.rejudge_later(next);
        self.settle(delta);
    }

    /// Does what is due: begins and ends silences, tells of overdue alerts, ends storms, goes on judging anew.
    pub fn review(&mut self, delta: &mut Delta) {
        self.policy.turn_silences(self.now);
        self.end_storms(delta);
        let mut n_told = 0;
        let ids: Vec<AlertId> = self.live.keys().copied().collect();
        for id in ids {
            if n_told >= RETOLD_MAX {
                break;
            }
            n_told += usize::from(self.escalate(id, delta));
        }
        self.rejudge_some(delta);
        self.settle(delta);
    }

    fn escalate(&mut self, id: AlertId, delta: &mut Delta) -> bool {
        let Some(live) = self.live.get_mut(&id) else { return false };
        let Some(told) = self.policy.escalate(&mut live.alert, self.now) else { return false };
        let due = live.alert.due_at.map_or_else(String::new, Timestamp::to_rfc3339);
        let (cause, text) = match told {
            DueTold::Level { level, of } => {
                (AlertCause::Overdue, format!("Overdue: it was due at {due} (level {level} of {of})"))
            }
            DueTold::NotYet => (AlertCause::DueSet, format!("Not overdue: it is due at {due}")),
            DueTold::SetAnew => (AlertCause::DueSet, format!("Due time set anew by the policy: {due}")),
        };
        live.tell_time(TimelineEntry { time: self.now, text, signal: None, actor: None });
        self.push(id, Telling::of(AlertChange::Updated, cause), delta);
        true
    }

    /// Whether a review at this instant would change something.
    #[must_use]
    pub fn review_due(&self, now: Timestamp) -> bool {
        self.policy.review_due(now)
    }

    /// Writes the words of an alert anew, and whose it is.
    pub(super) fn describe(&mut self, id: AlertId, graph: &RiskGraph) {
        let Some(live) = self.live.get_mut(&id) else { return };
        live.describe(graph);
        live.alert.vendors = vendors_of(live, &self.policy, graph);
    }

    /// Adds an entry to the timeline of an alert of either kind.
    pub(super) fn note(alert: &mut Alert, time: Timestamp, text: String, actor: Option<&Text>) {
        tell_time(alert, TimelineEntry { time, text, signal: None, actor: actor.cloned() });
    }
}

/// The vendors that take part in an alert, lie on its path, or run what takes part.
fn vendors_of(live: &Live, policy: &Policy, graph: &RiskGraph) -> Vec<VendorId> {
    let arena = &graph.arena;
    let listed = live.alert.entities.iter().filter_map(|entity| arena.find(entity.id()));
    let path = live.alert.path.iter().filter_map(|id| arena.find_relation(*id));
    let ends = path.flat_map(|edge| [arena.edge(edge).from, arena.edge(edge).to]);
    let nodes: BTreeSet<NodeIx> = listed.chain(ends).collect();
    let mut vendors = BTreeSet::new();
    for ix in nodes {
        vendors.extend(policy.vendor_at(arena.id(ix)));
        for owner in owners(ix, graph) {
            vendors.extend(policy.vendor_at(arena.id(owner)));
            // A key is an integration's, and that a vendor's.
            vendors.extend(owners(owner, graph).into_iter().filter_map(|owner| policy.vendor_at(arena.id(owner))));
        }
    }
    vendors.into_iter().take(VENDORS_MAX).collect()
}

/// What owns, runs or uses a node.
fn owners(ix: NodeIx, graph: &RiskGraph) -> Vec<NodeIx> {
    let arena = &graph.arena;
    // People and their things belong to no vendor.
    if matches!(arena.node(ix).kind, EntityKind::User | EntityKind::Session | EntityKind::Device | EntityKind::Card) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for observed in [Observed::Structural, Observed::Observed] {
        if arena.degree(ix, observed, Direction::In) > OWNERS_MAX {
            continue;
        }
        let edges = arena.edges_at(ix, observed, Direction::In).filter(|(_, edge)| edge.confidence > 0.0);
        let leading = edges
            .filter(|(_, edge)| matches!(edge.kind, RelationKind::Owns | RelationKind::Operates | RelationKind::Uses));
        found.extend(leading.map(|(_, edge)| edge.from));
    }
    found
}
