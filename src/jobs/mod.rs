//! Work on schedule: vendors are assessed. The clock only puts jobs into the queue; runners take them out.
//!
//! A job is a row with a key. Putting it in twice changes nothing; a runner that dies loses its lease and another takes the
//! job; a run missed while the service was down is caught up once.

use std::sync::Arc;

use riskgraph_domain::VendorId;
use riskgraph_domain::error::Fault;
use riskgraph_domain::ports::JobStore;
use riskgraph_domain::time::Clock;
use tokio::sync::Notify;

pub mod assess;
pub mod pages;
pub mod review;
pub mod schedule;

/// What an assessment job's key begins with; the vendor's id follows.
const ASSESS: &str = "assess:";

/// The waiting jobs.
#[derive(Clone)]
pub struct Queue {
    store: Arc<dyn JobStore>,
    clock: Arc<dyn Clock>,
    /// Wakes runners when something was put in.
    pub wake: Arc<Notify>,
}

impl Queue {
    #[must_use]
    pub fn new(store: Arc<dyn JobStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, wake: Arc::new(Notify::new()) }
    }

    /// Asks for an assessment of the vendor now; `false` when one waits or runs already.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn enqueue(&self, vendor: VendorId) -> Result<bool, Fault> {
        let queued = self.store.enqueue(&key_of(vendor), self.clock.now()).await?;
        self.wake.notify_waiters();
        Ok(queued)
    }
}

fn key_of(vendor: VendorId) -> String {
    format!("{ASSESS}{vendor}")
}

fn vendor_of(key: &str) -> Option<VendorId> {
    key.strip_prefix(ASSESS)?.parse().ok()
}
