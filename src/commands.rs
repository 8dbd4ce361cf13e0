//! Changes by people: journalled, judged in their place, and only then answered.

use std::sync::Arc;

use async_trait::async_trait;
use riskgraph_domain::VendorId;
use riskgraph_domain::access::Viewer;
use riskgraph_domain::alert::AlertStatus;
use riskgraph_domain::command::{Change, Command};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::ports::{Commands, Records};
use riskgraph_domain::time::Clock;
use riskgraph_domain::triage::{CASE_ALERTS_MAX, TriageRecords, changed_meanwhile};

use crate::intake::Door;
use crate::jobs::Queue;

/// How often a change is made anew because its alert was changed at the same moment.
const RECALLS_MAX: usize = 5;

/// Takes changes.
pub struct Desk {
    pub door: Door,
    pub records: Arc<dyn Records>,
    pub triage: Arc<dyn TriageRecords>,
    pub queue: Queue,
    pub clock: Arc<dyn Clock>,
}

impl Desk {
    /// Journals the change by this name and waits until it is judged and stored.
    ///
    /// # Errors
    /// What judging it said, or that the service is stopping (the change is durable then and will be judged).
    pub async fn change(&self, by: &str, change: Change) -> Result<(), Fault> {
        for _ in 0..RECALLS_MAX {
            let recalled = self.recall(change.clone()).await?;
            match self.journal(by, recalled).await {
                Err(fault) if fault == changed_meanwhile() => {}
                done => return done,
            }
        }
        Err(changed_meanwhile())
    }

    /// Adds the alerts that are over, which are in no memory, as their rows are now. The number of the sequence is read
    /// before them: what changed an alert since is judged as not fitting, and made anew.
    async fn recall(&self, change: Change) -> Result<Change, Fault> {
        let mut ids = change.alerts();
        for case in change.cases() {
            let found = self.triage.case(case).await?;
            ids.extend(found.into_iter().flat_map(|case| case.members).map(|member| member.alert));
        }
        if ids.is_empty() {
            return Ok(change);
        }
        if ids.len() > CASE_ALERTS_MAX {
            let message = format!("alerts: give at most {CASE_ALERTS_MAX} at once");
            return Err(Fault::new(FaultCode::BadInput, message));
        }
        let as_of = self.records.alert_event_range().await?.map_or(0, |(_, newest)| newest);
        let mut alerts = self.triage.alerts_by_id(&ids).await?;
        alerts.retain(|alert| alert.status == AlertStatus::Resolved);
        if alerts.is_empty() {
            return Ok(change);
        }
        Ok(Change::Recalled { alerts, as_of, change: Box::new(change) })
    }

    async fn journal(&self, by: &str, change: Change) -> Result<(), Fault> {
        let command = Command { at: self.clock.now(), by: by.into(), change };
        let (_, result) = self.door.command(command).await?;
        result.await.unwrap_or_else(|_| {
            Err(Fault::new(
                FaultCode::Stopping,
                "the service is stopping; the change is kept and will be made at the next start",
            ))
        })
    }
}

#[async_trait]
impl Commands for Desk {
    async fn execute(&self, viewer: &Viewer, change: Change) -> Result<(), Fault> {
        let new_vendor = match &change {
            Change::AddVendor { id, .. } | Change::UpdateVendor { id, .. } => Some(*id),
            _ => None,
        };
        self.change(&viewer.name, change).await?;
        if let Some(vendor) = new_vendor {
            self.queue.enqueue(vendor).await?;
        }
        Ok(())
    }

    async fn assess(&self, _viewer: &Viewer, vendor: VendorId) -> Result<bool, Fault> {
        if self.records.vendor(vendor).await?.is_none() {
            return Err(Fault::not_found("vendor"));
        }
        self.queue.enqueue(vendor).await
    }
}
