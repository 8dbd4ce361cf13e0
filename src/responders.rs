//! The connectors of this installation, made from its configuration.

use std::sync::Arc;

use riskgraph_connectors::respond::{Responders, Tools};
use riskgraph_domain::error::Fault;
use riskgraph_domain::time::Clock;

use crate::config::Config;

/// Folder, below the data folder, of what connectors must remember over a crash.
const STATE_FOLDER: &str = "respond";

/// Every configured connector behind one port.
///
/// # Errors
/// `Configuration` with the connector and the key that cannot be used.
pub fn build(config: &Config, clock: Arc<dyn Clock>) -> Result<Arc<Responders>, Fault> {
    let tools = Tools { clock, state_dir: config.store.data_dir.join(STATE_FOLDER) };
    Responders::build(&config.respond.connectors, &tools).map(Arc::new)
}
