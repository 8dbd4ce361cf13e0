//! Alerts as they were known at a cut, from the sequence of their changes. It must *not* read the alerts as they are now.

use riskgraph_domain::alert::AlertStatus;
use riskgraph_domain::error::Fault;
use riskgraph_domain::report::Cut;
use riskgraph_report::AlertFacts;

use super::gather::Gatherer;

/// Alerts read for one report, those with the newest changes: some 100 MB while it is made.
const ALERTS_MAX: usize = 50_000;

impl Gatherer {
    /// The alerts, and how many older ones are left out.
    pub(super) async fn alerts(&self, cut: Cut) -> Result<(Vec<AlertFacts>, u64), Fault> {
        let (events, n_alerts) = self.history.alerts_at(cut, ALERTS_MAX).await?;
        let left_out = n_alerts.saturating_sub(events.len() as u64);
        let facts = events.into_iter().map(|event| {
            let alert = event.alert;
            // Alerts of before it was kept who resolved them and when were last changed by just that.
            let resolved_at = alert.resolution.as_ref().map_or(alert.updated_at, |resolution| resolution.at);
            AlertFacts {
                raised_at: alert.accepted_at.unwrap_or(alert.opened_at),
                resolved_at: (alert.status == AlertStatus::Resolved).then_some(resolved_at),
                alert,
            }
        });
        Ok((facts.collect(), left_out))
    }
}
