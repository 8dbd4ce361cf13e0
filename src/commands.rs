//! Changes by people: journalled, judged in their place, and only then answered.

use std::sync::Arc;

use async_trait::async_trait;
use riskgraph_domain::VendorId;
use riskgraph_domain::access::Viewer;
use riskgraph_domain::command::{Change, Command};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::ports::{Commands, Records};
use riskgraph_domain::time::Clock;

use crate::intake::Door;
use crate::jobs::Queue;

/// Takes changes.
pub struct Desk {
    pub door: Door,
    pub records: Arc<dyn Records>,
    pub queue: Queue,
    pub clock: Arc<dyn Clock>,
}

impl Desk {
    /// Journals the change by this name and waits until it is judged and stored.
    ///
    /// # Errors
    /// What judging it said, or that the service is stopping (the change is durable then and will be judged).
    pub async fn change(&self, by: &str, change: Change) -> Result<(), Fault> {
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
