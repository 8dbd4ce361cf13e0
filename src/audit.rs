//! The audit log of a running service: what goes in is masked, its heads are noted outside the database, what is too
//! old is cut where the chain stays provable, and it is verified part by part.
//!
//! How entries are linked is `riskgraph_domain::audit::chain`; how they are kept is the store's.

pub mod heads;
mod keeper;
mod ledger;
pub mod proof;

use std::path::Path;
use std::sync::Arc;

use riskgraph_domain::audit::{Audit, AuditLog};
use riskgraph_domain::error::Fault;
use riskgraph_domain::time::Clock;
use tokio_util::sync::CancellationToken;

use crate::config::AuditConfig;
use heads::Heads;
pub use keeper::Keeper;
pub use ledger::{Ledger, local_actor};
use proof::Prover;

/// A started log and the task that keeps it.
pub struct Started {
    pub audit: Audit,
    pub keeper: tokio::task::JoinHandle<()>,
}

/// Starts the log: notes where it begins, and keeps it until the service stops.
///
/// # Errors
/// When the log cannot be read.
pub async fn start(
    log: Arc<dyn AuditLog>,
    clock: Arc<dyn Clock>,
    (config, data_dir): (&AuditConfig, &Path),
    stop: CancellationToken,
) -> Result<Started, Fault> {
    let heads = Heads::in_folder(data_dir);
    let ledger = Arc::new(Ledger::new(Arc::clone(&log), Arc::clone(&clock)));
    let keeper = Keeper {
        log: Arc::clone(&log),
        ledger: Arc::clone(&ledger),
        heads: heads.clone(),
        clock: Arc::clone(&clock),
        keep_days: config.keep_days,
    };
    keeper.look_for_missing_tail().await?;
    let verify = Arc::new(Prover::new(Arc::clone(&log), heads));
    let audit = Audit { recorder: ledger, log, verify, clock };
    Ok(Started { audit, keeper: tokio::spawn(keeper.run(stop)) })
}
