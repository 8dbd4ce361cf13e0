//! How the service is: metrics and readiness.

use std::sync::Arc;

use async_trait::async_trait;
use riskgraph_domain::alert::{AlertFilter, AlertStatus};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::page::PageRequest;
use riskgraph_domain::ports::{Journal, Records, Status};
use tokio_util::sync::CancellationToken;

use crate::counters::Counters;

/// Answers `/metrics` and `/health/ready`.
pub struct Health {
    pub counters: Arc<Counters>,
    pub journal: Arc<dyn Journal>,
    pub records: Arc<dyn Records>,
    pub stop: CancellationToken,
}

#[async_trait]
impl Status for Health {
    async fn metrics(&self) -> String {
        if let Ok(bytes) = self.journal.size_bytes().await {
            self.counters.journal_bytes.set(bytes as i64);
        }
        let open = AlertFilter { status: vec![AlertStatus::Open, AlertStatus::Acknowledged], ..AlertFilter::default() };
        if let Ok(page) = self.records.alerts(open, PageRequest::first(1)).await
            && let Some(total) = page.total
        {
            self.counters.alerts_open.set(total as i64);
        }
        self.counters.render()
    }

    async fn ready(&self) -> Result<(), Fault> {
        if self.stop.is_cancelled() {
            return Err(Fault::new(FaultCode::Stopping, "the service is stopping"));
        }
        self.journal.end().await.map(|_| ())
    }
}
