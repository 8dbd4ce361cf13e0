//! The pulse: a cut every minute, so that any instant of the past can be asked for, and a gap tells that nobody was there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use riskgraph_domain::Timestamp;
use riskgraph_domain::error::Fault;
use riskgraph_domain::journal::Position;
use riskgraph_domain::ports::Journal;
use riskgraph_domain::report::{Cut, History};
use tokio::sync::watch;

use crate::counters::Counters;

/// What a report of now waits for the pipeline to catch up; what is not judged by then is not told.
const PATIENCE: Duration = Duration::from_secs(5);

/// Makes cuts.
#[derive(Clone)]
pub struct Pulse {
    history: Arc<dyn History>,
    journal: Arc<dyn Journal>,
    counters: Arc<Counters>,
    applied: watch::Sender<Position>,
    told: Arc<AtomicU64>,
}

impl Pulse {
    #[must_use]
    pub fn new(
        history: Arc<dyn History>,
        journal: Arc<dyn Journal>,
        counters: Arc<Counters>,
        applied: watch::Sender<Position>,
    ) -> Self {
        let told = Arc::new(AtomicU64::new(counters.accepted.get()));
        Self { history, journal, counters, applied, told }
    }

    /// A cut of now.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn cut(&self, now: Timestamp) -> Result<Cut, Fault> {
        let accepted = self.counters.accepted.get();
        let told = self.told.swap(accepted, Ordering::Relaxed);
        self.history.cut(now, accepted.saturating_sub(told)).await
    }

    /// A cut of now, once everything accepted so far is judged.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn settled_cut(&self, now: Timestamp) -> Result<Cut, Fault> {
        let end = self.journal.end().await?;
        let mut applied = self.applied.subscribe();
        let caught_up = applied.wait_for(|position| *position >= end);
        if tokio::time::timeout(PATIENCE, caught_up).await.is_err() {
            tracing::warn!("a report is made while the pipeline is behind; it tells what was judged by now");
        }
        self.cut(now).await
    }
}
