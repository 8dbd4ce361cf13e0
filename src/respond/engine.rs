//! Starts runs and wakes them: follows the alert sequence for triggers, opens runs at a start, looks for what has expired.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::time::Duration;

use riskgraph_analysis::decide::facts::{Known, facts};
use riskgraph_analysis::decide::trigger;
use riskgraph_domain::alert::{AlertEvent, AlertStatus};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::playbook::RunRecord;
use riskgraph_domain::time::MINUTE_MS;
use riskgraph_domain::{AlertId, RunId, Timestamp};
use tokio::sync::mpsc;

use super::core::{Core, ORDERS_MAX, Order};
use super::planner::Cause;
use super::runner::Runner;

/// Name of the consumer of the alert sequence.
const CONSUMER: &str = "playbooks";
/// Alert changes looked at in one go.
const EVENTS_PAGE: usize = 100;
/// How often the engine looks by itself; announcements wake it before.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Runs under way at once; more wait in their order.
const OPEN_MAX: usize = 512;
/// Pause before a run's door is tried again that was just being closed.
const CLOSING_PAUSE: Duration = Duration::from_millis(1);
/// A clock that goes back by more than this was set, not corrected.
const SET_BACK_MS: i64 = MINUTE_MS;

/// Runs until the service stops.
pub(super) async fn run(core: Arc<Core>) {
    let mut alerts = core.ground.announcements.alerts.subscribe();
    // The first look is at all effects: the clock may have been set while the service was down.
    let mut last = Timestamp(i64::MAX);
    loop {
        if let Err(fault) = round(&core, &mut last).await {
            tracing::error!(%fault, "playbooks wait: what they need could not be read or stored");
        }
        tokio::select! {
            _ = alerts.recv() => {}
            () = core.wake.notified() => {}
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = core.ground.stop.cancelled() => break,
        }
        // Many changes at once are one look.
        while alerts.try_recv().is_ok() {}
    }
    core.tasks.close();
    core.tasks.wait().await;
}

async fn round(core: &Arc<Core>, last: &mut Timestamp) -> Result<(), Fault> {
    while consume(core).await? {}
    open_active(core).await?;
    let now = core.ground.clock.now();
    let was_set_back = *last - now > SET_BACK_MS;
    let seen = open_expired(core, now, if was_set_back { Looking::AtAll } else { Looking::AtDue }).await?;
    if seen == Seen::All {
        *last = now;
    }
    Ok(())
}

/// Which effects that end at some time are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Looking {
    AtDue,
    /// The clock was set back: each run judges whether its effects could be due that late.
    AtAll,
}

/// Whether every run that had to be looked at saw the clock as it is now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    All,
    /// A run was just closing: it may have read the clock before it was set. The next round looks at it again.
    NotYet,
}

/// Where the sequence is read from. Alerts of before the first start are none of the playbooks': they were handled by people.
pub(super) async fn first_cursor(core: &Core) -> Result<(), Fault> {
    if core.store.cursor(CONSUMER).await?.is_none() {
        let newest = core.ground.records.alert_event_range().await?.map_or(0, |(_, newest)| newest);
        core.store.plan(Vec::new(), Some((CONSUMER, newest))).await?;
    }
    Ok(())
}

/// Plans runs for the next alert changes and moves the cursor, in one transaction; `false` when there were none.
async fn consume(core: &Arc<Core>) -> Result<bool, Fault> {
    let after = core.store.cursor(CONSUMER).await?.unwrap_or_default();
    let events = core.ground.records.alert_events(after, EVENTS_PAGE).await?;
    let Some(last) = events.last().map(|event| event.sequence) else { return Ok(false) };
    let mut planned: BTreeMap<RunId, RunRecord> = BTreeMap::new();
    let mut known: BTreeMap<AlertId, Known> = BTreeMap::new();
    for event in &events {
        plan_for(core, event, &mut known, &mut planned).await?;
    }
    let new = core.store.plan(planned.into_values().collect(), Some((CONSUMER, last))).await?;
    for run in &new {
        tracing::info!(%run, "a playbook's trigger started a run");
    }
    Ok(true)
}

async fn plan_for(
    core: &Core,
    event: &AlertEvent,
    known: &mut BTreeMap<AlertId, Known>,
    planned: &mut BTreeMap<RunId, RunRecord>,
) -> Result<(), Fault> {
    let alert = &event.alert;
    if alert.status == AlertStatus::Resolved || event.muted() {
        return Ok(());
    }
    for kept in core.library.all().into_iter().filter(|kept| kept.enabled) {
        let id = RunId::of(&["trigger", kept.playbook.name.as_str(), alert.id.to_string().as_str()]);
        if planned.contains_key(&id) || core.runs.run(id).await?.is_some() {
            continue;
        }
        let known = match known.entry(alert.id) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(core.knowledge.of(alert).await?),
        };
        if !trigger::matches(&kept.playbook, &facts(alert, known)).0 {
            continue;
        }
        let record = core.make_run(&kept, alert, known, &Cause::Trigger).await?;
        planned.insert(id, record);
    }
    Ok(())
}

/// Opens runs that go on by themselves and have no task yet, oldest first; those that have begun go before all.
async fn open_active(core: &Arc<Core>) -> Result<(), Fault> {
    for run in core.store.active().await? {
        if core.open.lock().len() >= OPEN_MAX {
            return Ok(());
        }
        open(core, run).await?;
    }
    Ok(())
}

/// Opens runs whose effects have been in force long enough.
async fn open_expired(core: &Arc<Core>, now: Timestamp, looking: Looking) -> Result<Seen, Fault> {
    let mut seen = Seen::All;
    for (run, due) in core.store.expiring().await? {
        let is_open = core.open.lock().contains_key(&run);
        if is_open && looking == Looking::AtAll {
            seen = Seen::NotYet;
        } else if due <= now || looking == Looking::AtAll {
            open(core, run).await?;
        }
    }
    Ok(seen)
}

/// The run's door; opened when it has none.
pub(super) async fn open(core: &Arc<Core>, run: RunId) -> Result<mpsc::Sender<Order>, Fault> {
    if let Some(orders) = core.open.lock().get(&run) {
        return Ok(orders.clone());
    }
    let record = core.store.load(run).await?.ok_or_else(|| Fault::not_found("run"))?;
    let (sender, receiver) = mpsc::channel(ORDERS_MAX);
    {
        let mut doors = core.open.lock();
        if let Some(orders) = doors.get(&run) {
            return Ok(orders.clone()); // Somebody else was faster.
        }
        doors.insert(run, sender.clone());
    }
    if record.run.state.is_active() && record.steps.iter().any(|row| row.is_in_force()) {
        // It was at its turn before the restart.
        core.turnstile.enter(&record);
    }
    core.tasks.spawn(Runner::new(Arc::clone(core), record, receiver).run());
    Ok(sender)
}

/// Sends an order and waits until it is stored. A run that closes its door at this moment is opened anew.
pub(super) async fn order(
    core: &Arc<Core>,
    run: RunId,
    order: impl FnOnce(super::core::Answer) -> Order,
) -> Result<(), Fault> {
    let stopping = || Fault::new(FaultCode::Stopping, "the service is stopping; try again after its start");
    let (answer, answered) = tokio::sync::oneshot::channel();
    let mut order = order(answer);
    while let Err(mpsc::error::SendError(refused)) = open(core, run).await?.send(order).await {
        if core.ground.stop.is_cancelled() {
            return Err(stopping());
        }
        order = refused;
        tokio::time::sleep(CLOSING_PAUSE).await;
    }
    answered.await.unwrap_or_else(|_| Err(stopping()))
}

/// At a start: runs that had begun effects take their targets before any other.
pub(super) async fn resume(core: &Arc<Core>) -> Result<(), Fault> {
    let mut waiting = Vec::new();
    for run in core.store.active().await? {
        let has_begun = core.runs.run_steps(run).await?.iter().any(|row| row.is_in_force());
        if has_begun {
            open(core, run).await?;
        } else {
            waiting.push(run);
        }
    }
    for run in waiting.into_iter().take(OPEN_MAX) {
        open(core, run).await?;
    }
    Ok(())
}
