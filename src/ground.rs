//! What every part that acts on alerts stands on: delivery, playbooks, reports. It must not know any of them.

use std::sync::Arc;

use riskgraph_domain::document::DocumentStore;
use riskgraph_domain::ports::{GraphView, Records};
use riskgraph_domain::respond::Responder;
use riskgraph_domain::secret::Vault;
use riskgraph_domain::time::Clock;
use tokio_util::sync::CancellationToken;

use crate::commands::Desk;
use crate::config::Config;
use crate::pipeline::apply::Announcements;

/// The common ground; cheap to clone.
#[derive(Clone)]
pub struct Ground {
    pub config: Arc<Config>,
    pub records: Arc<dyn Records>,
    pub documents: Arc<dyn DocumentStore>,
    pub vault: Arc<dyn Vault>,
    pub graph: Arc<dyn GraphView>,
    /// For changes of alerts: they go through the journal.
    pub desk: Arc<Desk>,
    /// Acts on other systems: every configured connector behind one port.
    pub responders: Arc<dyn Responder>,
    /// Wakes whoever follows the alert sequence; what is announced is stored already.
    pub announcements: Announcements,
    pub clock: Arc<dyn Clock>,
    /// Cancelled when the service stops.
    pub stop: CancellationToken,
}
