//! How the service is: metrics and readiness.

use std::sync::Arc;

use async_trait::async_trait;
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::ports::{Journal, Status};
use tokio_util::sync::CancellationToken;

use crate::counters::Counters;
use crate::views::SharedGraph;

/// Answers `/metrics` and `/health/ready`.
pub struct Health {
    pub counters: Arc<Counters>,
    pub journal: Arc<dyn Journal>,
    pub graph: Arc<SharedGraph>,
    pub stop: CancellationToken,
}

#[async_trait]
impl Status for Health {
    async fn metrics(&self) -> String {
        if let Ok(bytes) = self.journal.size_bytes().await {
            self.counters.journal_bytes.set(bytes as i64);
        }
        self.counters.alerts_open.set(self.graph.0.read().alerts().count() as i64);
        self.counters.render()
    }

    async fn ready(&self) -> Result<(), Fault> {
        if self.stop.is_cancelled() {
            return Err(Fault::new(FaultCode::Stopping, "the service is stopping"));
        }
        self.journal.end().await.map(|_| ())
    }
}
