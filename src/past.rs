//! Past alerts that are like one: candidates from the store, compared by the analysis.

use std::sync::Arc;

use async_trait::async_trait;
use riskgraph_domain::alert::Alert;
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::triage::{PastAlerts, Similar, TriageRecords};

/// Past alerts compared with one: some megabytes of rows at most, and enough to hold every kind of attack.
const CANDIDATES_MAX: usize = 100;

/// Finds past alerts.
pub struct Past {
    pub triage: Arc<dyn TriageRecords>,
}

#[async_trait]
impl PastAlerts for Past {
    async fn similar(&self, alert: &Alert, max: usize) -> Result<Vec<Similar>, Fault> {
        let candidates = self.triage.alike(alert, CANDIDATES_MAX).await?;
        let alert = alert.clone();
        let compared =
            tokio::task::spawn_blocking(move || riskgraph_analysis::similar::similar(&alert, candidates, max));
        compared.await.map_err(|_| Fault::new(FaultCode::Internal, "past alerts could not be compared"))
    }
}
