//! The clock of the alert policy: asks for a review when something is due, and only then.
//!
//! Silences that begin or end, overdue alerts and storms that pass are judged like everything else: from the journal, by the
//! time at which the record was accepted. This task only looks whether there is anything to judge. Missing a tick, a stop of
//! hours or a clock that jumps changes nothing but when it is told.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use riskgraph_analysis::stage::Stage;
use riskgraph_domain::Timestamp;
use riskgraph_domain::command::Change;
use riskgraph_domain::error::FaultCode;
use riskgraph_domain::time::{Clock, MINUTE_MS};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::commands::Desk;

/// How often it looks: a look is a few comparisons, and an overdue alert is told within that time.
const EVERY: Duration = Duration::from_secs(1);
/// A clock that goes back further than this has been set: what it had judged is looked at again.
const WENT_BACK_MS: i64 = MINUTE_MS;
/// Name under which reviews are journalled.
const ACTOR: &str = "policy";

/// Asks for reviews.
pub struct Reviewer {
    pub stage: Arc<RwLock<Stage>>,
    pub desk: Arc<Desk>,
    pub clock: Arc<dyn Clock>,
    pub stop: CancellationToken,
}

impl Reviewer {
    /// Looks until stopped.
    pub async fn run(self) {
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut last = self.clock.now();
        let mut went_back = false;
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.stop.cancelled() => return,
            }
            let now = self.clock.now();
            went_back |= last - now > WENT_BACK_MS;
            last = now;
            if !went_back && !self.due(now) {
                continue;
            }
            match self.desk.change(ACTOR, Change::Review).await {
                Ok(()) => went_back = false,
                Err(fault) if fault.code == FaultCode::Stopping => return,
                Err(fault) => tracing::warn!(%fault, "the alert policy was not reviewed; the next look will"),
            }
        }
    }

    fn due(&self, now: Timestamp) -> bool {
        self.stage.read().review_due(now)
    }
}
