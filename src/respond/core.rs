//! What everything about runs shares: the ports, the rules, who is at which target, what was hit in the last hour.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use parking_lot::Mutex;
use riskgraph_analysis::decide::admit::{Rules, TargetWorld, World};
use riskgraph_analysis::decide::rules::{Used, has_blast};
use riskgraph_domain::error::Fault;
use riskgraph_domain::playbook::{BlastPart, Decision, Ending, Impact, Notifier, RunRecord, RunStore, Runs, StepState};
use riskgraph_domain::respond::Responder;
use riskgraph_domain::time::HOUR_MS;
use riskgraph_domain::{AlertId, ApprovalId, EntityKey, RunId, Timestamp};
use tokio::sync::{Notify, broadcast, mpsc, oneshot};
use tokio_util::task::TaskTracker;

use super::knowledge::Knowledge;
use super::library::Library;
use super::switches::Switches;
use crate::ground::Ground;

/// Orders that wait for one run.
pub(super) const ORDERS_MAX: usize = 64;
/// Effects of the last hour kept in memory; more are above every cap.
const LEDGER_MAX: usize = 50_000;

/// Everything a run needs; shared by all.
pub struct Core {
    pub(super) ground: Ground,
    pub(super) responders: Arc<dyn Responder>,
    pub(super) store: Arc<dyn RunStore>,
    pub(super) runs: Arc<dyn Runs>,
    pub(super) impact: Arc<dyn Impact>,
    pub(super) notifier: Option<Arc<dyn Notifier>>,
    pub(super) knowledge: Knowledge,
    pub(super) library: Library,
    pub(super) switches: Switches,
    pub(super) rules: Rules,
    pub(super) ledger: Ledger,
    pub(super) turnstile: Turnstile,
    /// Runs that have a task, and the way to talk to it.
    pub(super) open: Mutex<BTreeMap<RunId, mpsc::Sender<Order>>>,
    pub(super) changes: broadcast::Sender<(RunId, AlertId)>,
    /// Wakes the engine: runs were planned.
    pub(super) wake: Notify,
    pub(super) tasks: TaskTracker,
}

/// What people and the clock want of a run.
pub(super) enum Order {
    Decide(ApprovalId, Decision, Answer),
    End(Ending, Answer),
}

/// Told once the order is stored.
pub(super) type Answer = oneshot::Sender<Result<(), Fault>>;

impl Core {
    /// The world as the rules see it, for these targets, without what this row itself did.
    pub(super) async fn world(&self, targets: &[EntityKey], but: Option<(RunId, u32)>) -> Result<World, Fault> {
        let parts = self.impact.impact(targets).await?;
        let known = targets.iter().zip(parts).map(|(target, blast)| {
            let owners = self.knowledge.owners(target);
            (target.clone(), TargetWorld { blast, owners })
        });
        let used_hour = self.ledger.used(self.ground.clock.now(), but);
        Ok(World { targets: known.collect(), killed: self.switches.killed(), used_hour })
    }

    /// Says that a run changed.
    pub(super) fn announce(&self, record: &RunRecord) {
        // No receiver is no fault: nobody is subscribed.
        let _ = self.changes.send((record.run.id, record.run.alert));
    }
}

/// Effects of the last hour, for the hourly caps. A place in it is taken before the effect, so that two runs cannot both
/// use the last of a cap.
#[derive(Default)]
pub(super) struct Ledger(Mutex<BTreeMap<(RunId, u32), (Timestamp, BlastPart)>>);

impl Ledger {
    /// What was stored of the last hour.
    pub(super) async fn load(&self, store: &dyn RunStore, now: Timestamp) -> Result<(), Fault> {
        let effects = store.effects_since(now - HOUR_MS).await?;
        let mut entries = self.0.lock();
        for (run, row) in effects {
            if row.action.as_deref().is_some_and(has_blast) {
                entries.insert((run, row.place), (row.started_at.unwrap_or(now), row.blast));
            }
        }
        Ok(())
    }

    /// What all effects of the last hour hit, but this one.
    pub(super) fn used(&self, now: Timestamp, but: Option<(RunId, u32)>) -> Used {
        let mut entries = self.0.lock();
        // Entries of a time that is still to come stay: the clock was set back.
        entries.retain(|_, (at, _)| *at > now - HOUR_MS);
        let mut used = Used::default();
        entries.iter().filter(|(key, _)| Some(**key) != but).for_each(|(_, (_, part))| used.add(part));
        used
    }

    /// Takes a place; `check` sees what the others hit and may refuse.
    pub(super) fn reserve<E>(
        &self,
        now: Timestamp,
        key: (RunId, u32),
        part: &BlastPart,
        check: impl FnOnce(&Used) -> Option<E>,
    ) -> Option<E> {
        let used = self.used(now, Some(key));
        let refused = check(&used);
        let mut entries = self.0.lock();
        if refused.is_none() && entries.len() < LEDGER_MAX {
            entries.insert(key, (now, part.clone()));
        }
        refused
    }
}

/// One run at a time at each target; the others wait in the order in which they wanted to begin. A run takes all its
/// targets at once, so that two can never wait for each other.
#[derive(Default)]
pub(super) struct Turnstile(Mutex<Vec<Waiting>>);

struct Waiting {
    run: RunId,
    name: String,
    targets: BTreeSet<EntityKey>,
}

impl Turnstile {
    /// Asks for the run's targets; `Some`: who is before it, in words.
    pub(super) fn enter(&self, record: &RunRecord) -> Option<String> {
        let mut line = self.0.lock();
        if line.iter().all(|waiting| waiting.run != record.run.id) {
            let wanted = record.steps.iter().filter(|row| row.key.is_some() && row.state != StepState::Skipped);
            let targets = wanted.filter_map(|row| row.target.clone()).collect();
            line.push(Waiting { run: record.run.id, name: record.run.name.to_string(), targets });
        }
        let mine = line.iter().position(|waiting| waiting.run == record.run.id)?;
        let (before, rest) = line.split_at(mine);
        let me = rest.first()?;
        let first = before.iter().find(|other| !other.targets.is_disjoint(&me.targets))?;
        Some(format!("waits for the run {} of {} at the same target", first.run, first.name))
    }

    /// The run has ended.
    pub(super) fn leave(&self, run: RunId) {
        self.0.lock().retain(|waiting| waiting.run != run);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_a_cap_is_given_once() {
        let ledger = Ledger::default();
        let part = BlastPart { money_minor: 60.0, ..BlastPart::default() };
        let now = Timestamp(10 * HOUR_MS);
        let take = |n: u32, now| {
            let check = |used: &Used| (used.money_minor + part.money_minor > 100.0).then_some(());
            ledger.reserve(now, (RunId(1), n), &part, check)
        };
        assert_eq!(take(0, now), None);
        assert_eq!(take(0, now), None, "the same effect again takes nothing more");
        assert_eq!(take(1, now), Some(()));
        assert_eq!(take(1, now + HOUR_MS), None, "an hour later there is room again");
    }
}
