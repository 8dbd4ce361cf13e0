//! From rows back to the stage that wrote them.

use std::collections::BTreeMap;

use riskgraph_domain::alert::Alert;
use riskgraph_domain::graph::{Entity, Relation};
use riskgraph_domain::posture::{Finding, FindingStatus};
use riskgraph_domain::triage::{Case, Silence};
use riskgraph_domain::vendor::{Integration, Vendor};
use riskgraph_domain::{Text, Timestamp, VendorId};

use super::{BLOB, Stage};
use crate::correlate::{POLICY_BLOB, blob_name};
use crate::policy::PolicyConfig;
use crate::spread::RiskConfig;

/// Everything but the graph's own rows.
#[derive(Debug, Default)]
pub struct StageRows {
    pub vendors: Vec<Vendor>,
    pub integrations: Vec<Integration>,
    /// Findings that are not resolved; others are left out.
    pub findings: Vec<Finding>,
    /// Alerts that are not resolved.
    pub open_alerts: Vec<Alert>,
    pub last_alert_sequence: u64,
    /// Silences that are not over.
    pub silences: Vec<Silence>,
    /// Cases that are not archived.
    pub cases: Vec<Case>,
    /// What [`Stage::blob_names`] names, as far as it is there.
    pub blobs: Vec<(Text, Vec<u8>)>,
}

/// A stage on its way from rows: first entities, then relations, then the rest.
#[derive(Debug)]
pub struct Loader {
    stage: Stage,
}

impl Stage {
    /// Begins to load.
    #[must_use]
    pub fn begin_load(config: &RiskConfig, policy: &PolicyConfig) -> Loader {
        Loader { stage: Self::new(config, policy) }
    }

    /// The blobs to load besides rows.
    #[must_use]
    pub fn blob_names(open_alerts: &[Alert]) -> Vec<Text> {
        [BLOB, POLICY_BLOB]
            .map(Text::from)
            .into_iter()
            .chain(open_alerts.iter().map(|alert| blob_name(alert.id)))
            .collect()
    }
}

impl Loader {
    /// Makes room for this many rows, when they are known.
    pub fn reserve(&mut self, n_entities: usize, n_relations: usize) {
        self.stage.graph.arena.reserve(n_entities, n_relations);
    }

    /// Takes a page of entities, in any order.
    pub fn add_entities(&mut self, rows: Vec<Entity>) {
        for ix in self.stage.graph.load_entities(rows) {
            self.stage.index_node(ix);
        }
    }

    /// Takes a page of relations, after all entities.
    pub fn add_relations(&mut self, rows: &[Relation]) {
        self.stage.graph.load_relations(rows);
    }

    /// Takes the rest; the stage is as it was when the rows were written.
    #[must_use]
    pub fn finish(mut self, rows: StageRows) -> Stage {
        let blobs: BTreeMap<Text, Vec<u8>> = rows.blobs.into_iter().collect();
        let watermark = blobs.get(BLOB).and_then(|bytes| <[u8; 8]>::try_from(bytes.as_slice()).ok());
        let stage = &mut self.stage;
        stage.graph.watermark = Timestamp(watermark.map_or(0, i64::from_be_bytes));
        for vendor in rows.vendors {
            stage.index_vendor(&vendor);
            stage.correlator.policy.know_vendor(&vendor);
            stage.vendors.insert(vendor.id, vendor);
        }
        stage.integrations = rows.integrations.into_iter().map(|row| (row.id, row)).collect();
        stage.findings = rows
            .findings
            .into_iter()
            .filter(|finding| finding.status != FindingStatus::Resolved)
            .map(|finding| (finding.id, finding))
            .collect();
        let vendors: Vec<VendorId> = stage.vendors.keys().copied().collect();
        for vendor in vendors {
            stage.weigh_findings(vendor);
        }
        stage.correlator.policy.load_silences(rows.silences);
        stage.correlator.cases.load(rows.cases);
        let blob = |name: &str| blobs.get(name).cloned();
        stage.correlator.load(rows.open_alerts, blob, rows.last_alert_sequence, &stage.graph);
        self.stage
    }
}
