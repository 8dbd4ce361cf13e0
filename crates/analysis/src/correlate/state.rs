//! The correlation's state between runs: one blob for each open alert, rewritten when it changed.

use riskgraph_domain::alert::Alert;
use riskgraph_domain::ports::Delta;
use riskgraph_domain::{AlertId, Text};

use super::{Correlator, Live};
use crate::graph::RiskGraph;

/// First byte of a blob: the layout of what follows.
const LAYOUT: u8 = 3;
/// The blob of the alert policy: what of it is in no row.
pub const POLICY_BLOB: &str = "policy";

/// The blob of an open alert.
#[must_use]
pub fn blob_name(alert: AlertId) -> Text {
    Text::from(format!("alert/{alert}"))
}

impl Correlator {
    /// Writes what changed since the last call. The blob of an alert that is over becomes empty.
    pub fn flush(&mut self, delta: &mut Delta) {
        for id in std::mem::take(&mut self.dirty) {
            let mut blob = Vec::new();
            if let Some(live) = self.live.get(&id) {
                blob.push(LAYOUT);
                // Serialising plain data into memory cannot fail; if it did, the row alone would be loaded.
                blob = postcard::to_extend(live, blob).unwrap_or_default();
            }
            delta.blobs.push((blob_name(id), blob));
        }
        delta.silences.extend(self.policy.take_silences());
        delta.cases.extend(self.cases.take_changed());
        delta.blobs.extend(self.policy.blob().map(|bytes| (Text::from(POLICY_BLOB), bytes)));
    }

    /// Takes back the open alerts. Without its blob, or with one of another layout, an alert stays open for people
    /// and takes in no more signals.
    pub fn load(&mut self, rows: Vec<Alert>, blob: impl Fn(&str) -> Option<Vec<u8>>, sequence: u64, graph: &RiskGraph) {
        self.sequence = sequence;
        if let Some(bytes) = blob(POLICY_BLOB) {
            self.policy.load_blob(&bytes);
        }
        for row in rows {
            let id = row.id;
            // As it was told last: the state may be some signals ahead.
            self.policy.index(&row);
            let state: Option<Live> = blob(&blob_name(id))
                .as_deref()
                .and_then(|bytes| bytes.strip_prefix(&[LAYOUT]))
                .and_then(|bytes| postcard::from_bytes(bytes).ok());
            let live = state.unwrap_or_else(|| {
                let mut live = Live::of_row(row);
                live.mark_told();
                live.rest();
                live
            });
            for ix in live.touched().keys().filter_map(|entity| graph.arena.find(*entity)) {
                self.by_entity.entry(ix).or_default().insert(id);
            }
            for campaign in live.campaigns() {
                self.by_campaign.entry(campaign.clone()).or_default().insert(id);
            }
            if live.resting() {
                self.resting.insert(id);
            }
            self.live.insert(id, live);
        }
    }
}
