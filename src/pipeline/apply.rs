//! Applying: one transaction for what a stretch of the journal changed, then everyone who waits for it is told.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use riskgraph_domain::EntityId;
use riskgraph_domain::alert::AlertEvent;
use riskgraph_domain::error::Fault;
use riskgraph_domain::journal::Position;
use riskgraph_domain::ports::{Delta, Journal, StateStore};
use riskgraph_domain::time::Clock;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use super::retention::forget_before;
use crate::counters::Counters;

/// Alert changes a live subscriber may be behind before it misses some.
pub const LIVE_BACKLOG: usize = 4_096;
/// Sets of changed entities a risk subscriber may be behind.
const RISK_BACKLOG: usize = 256;
/// Pause before a failed write is tried again; the journal holds everything meanwhile.
const RETRY_PAUSE: Duration = Duration::from_millis(500);

/// Who waits for a command's result, and the result.
pub type Reply = (oneshot::Sender<Result<(), Fault>>, Result<(), Fault>);

/// How often the journal is looked at for input that is too old to keep.
const FORGET_EVERY: Duration = Duration::from_secs(3_600);

/// What judging a stretch of the journal came to.
#[derive(Default)]
pub struct Outcome {
    pub delta: Delta,
    pub n_events: u64,
    /// Last position judged; 0 when nothing was.
    pub judged_until: u64,
    /// Entities whose risk may have changed.
    pub risk_changed: Vec<EntityId>,
    /// Commands' senders and results, to be told after the write.
    pub replies: Vec<Reply>,
    /// The detectors' state as of a position.
    pub checkpoint: Option<(Position, Vec<u8>)>,
}

/// Where applied changes are announced.
#[derive(Clone)]
pub struct Announcements {
    pub alerts: broadcast::Sender<Arc<AlertEvent>>,
    /// Entities whose risk may have changed.
    pub risks: broadcast::Sender<Arc<Vec<EntityId>>>,
    pub applied: watch::Sender<Position>,
}

impl Announcements {
    #[must_use]
    pub fn new(applied: Position) -> Self {
        Self {
            alerts: broadcast::channel(LIVE_BACKLOG).0,
            risks: broadcast::channel(RISK_BACKLOG).0,
            applied: watch::channel(applied).0,
        }
    }
}

/// How long judged input is kept.
pub struct Keeping {
    pub journal: Arc<dyn Journal>,
    pub clock: Arc<dyn Clock>,
    pub keep_ms: i64,
}

impl Keeping {
    /// Forgets what is too old and covered by the checkpoint that was just saved.
    async fn forget(&self, checkpoint: Position) {
        let cutoff = self.clock.now() - self.keep_ms;
        if let Err(fault) = forget_before(self.journal.as_ref(), cutoff, checkpoint).await {
            tracing::warn!(%fault, "old journal records were not forgotten; the next try is in an hour");
        }
    }
}

/// Applies outcomes in order until the judge is done.
pub async fn run(
    store: Arc<dyn StateStore>,
    keeping: Keeping,
    counters: Arc<Counters>,
    announcements: Announcements,
    mut outcomes: mpsc::Receiver<Outcome>,
) {
    let mut looked_at: Option<std::time::Instant> = None;
    while let Some(mut outcome) = outcomes.recv().await {
        let told = Told::of(&mut outcome);
        if outcome.judged_until > 0 {
            write_until_done(store.as_ref(), outcome.delta).await;
            counters.judged_until.fetch_max(outcome.judged_until, Ordering::AcqRel);
            counters.judged.inc_by(outcome.n_events);
            announcements.applied.send_replace(Position(outcome.judged_until));
        }
        told.announce(&announcements, &counters);
        for (reply, result) in outcome.replies {
            let _ = reply.send(result);
        }
        if let Some((position, state)) = outcome.checkpoint {
            match store.save_checkpoint(position, state).await {
                Ok(()) if looked_at.is_none_or(|at| at.elapsed() >= FORGET_EVERY) => {
                    looked_at = Some(std::time::Instant::now());
                    keeping.forget(position).await;
                }
                Ok(()) => {}
                // The next one will do; a restart only has more to judge again.
                Err(fault) => tracing::warn!(%fault, "the checkpoint was not saved"),
            }
        }
    }
}

/// Writes the delta, again and again while the store cannot: nothing may be skipped, and input waits in the journal.
async fn write_until_done(store: &dyn StateStore, delta: Delta) {
    let mut attempts = 0_u32;
    while let Err(fault) = store.apply(delta.clone()).await {
        attempts += 1;
        if attempts.is_power_of_two() {
            tracing::error!(%fault, attempts, position = delta.position.0, "changes cannot be stored; check disk space and the database");
        }
        tokio::time::sleep(RETRY_PAUSE).await;
    }
}

/// What will be announced once a delta is stored.
struct Told {
    alerts: Vec<Arc<AlertEvent>>,
    risk_changed: Vec<EntityId>,
    n_signals: u64,
}

impl Told {
    fn of(outcome: &mut Outcome) -> Self {
        Self {
            alerts: outcome.delta.alert_events.iter().cloned().map(Arc::new).collect(),
            risk_changed: std::mem::take(&mut outcome.risk_changed),
            n_signals: outcome.delta.signals.len() as u64,
        }
    }

    fn announce(self, announcements: &Announcements, counters: &Counters) {
        counters.signals.inc_by(self.n_signals);
        counters.alert_events.inc_by(self.alerts.len() as u64);
        for event in self.alerts {
            counters.alert_delay_s.observe(event.alert.detection_delay_s);
            // No receiver is no fault: nobody is subscribed.
            let _ = announcements.alerts.send(event);
        }
        if !self.risk_changed.is_empty() {
            let _ = announcements.risks.send(Arc::new(self.risk_changed));
        }
    }
}
