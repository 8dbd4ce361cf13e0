//! From the store's rows back to the graph and correlation in memory.

use riskgraph_analysis::policy::PolicyConfig;
use riskgraph_analysis::spread::RiskConfig;
use riskgraph_analysis::stage::{Stage, StageRows};
use riskgraph_domain::error::Fault;
use riskgraph_domain::ports::StateStore;

/// Rows read at once.
const PAGE: usize = 20_000;

/// The stage as it was when its last delta was applied.
///
/// # Errors
/// When the store cannot be read.
pub async fn stage(store: &dyn StateStore, config: &RiskConfig, policy: &PolicyConfig) -> Result<Stage, Fault> {
    let mut loader = Stage::begin_load(config, policy);
    let mut after = None;
    loop {
        let page = store.load_entities(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        loader.add_entities(page);
    }
    let mut after = None;
    loop {
        let page = store.load_relations(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        loader.add_relations(&page);
    }
    let open_alerts = store.load_open_alerts().await?;
    let mut blobs = Vec::new();
    for name in Stage::blob_names(&open_alerts) {
        if let Some(blob) = store.load_blob(&name).await? {
            blobs.push((name, blob));
        }
    }
    Ok(loader.finish(StageRows {
        vendors: store.load_vendors().await?,
        integrations: store.load_integrations().await?,
        findings: store.load_findings().await?,
        silences: store.load_silences().await?,
        cases: store.load_cases().await?,
        open_alerts,
        last_alert_sequence: store.last_alert_sequence().await?,
        blobs,
    }))
}
