//! How the service is: metrics and readiness.

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::RwLock;
use riskgraph_analysis::detect::Detectors;
use riskgraph_domain::delivery::Deliveries;
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::ports::{Journal, Status};
use riskgraph_domain::time::{Clock, SECOND_MS};
use tokio_util::sync::CancellationToken;

use crate::counters::{Counters, DeliveryLabel, StateKind};
use crate::views::SharedGraph;

/// Answers `/metrics` and `/health/ready`.
pub struct Health {
    pub counters: Arc<Counters>,
    pub journal: Arc<dyn Journal>,
    pub graph: Arc<SharedGraph>,
    pub detectors: Arc<RwLock<Detectors>>,
    pub deliveries: Arc<dyn Deliveries>,
    pub clock: Arc<dyn Clock>,
    pub stop: CancellationToken,
}

impl Health {
    /// Shows how much state there is, as of now.
    fn note_state(&self) {
        let set = |kind: &str, n: usize| {
            self.counters.state_entries.get_or_create(&StateKind { kind: kind.to_owned() }).set(n as i64);
        };
        for (kind, n) in self.detectors.read().entries() {
            set(kind, n);
        }
        let stage = self.graph.0.read();
        let (n_entities, n_relations) = stage.graph().size();
        set("entities", n_entities);
        set("relations", n_relations);
        self.counters.alerts_open.set(stage.alerts().count() as i64);
    }
}

impl Health {
    /// Shows how deliveries do.
    async fn note_deliveries(&self) {
        let Ok(census) = self.deliveries.census().await else { return };
        for (state, n) in census.by_state {
            let label = DeliveryLabel { state: state.as_str().to_lowercase() };
            self.counters.deliveries.get_or_create(&label).set(n as i64);
        }
        let age_ms = census.oldest_waiting.map_or(0, |at| (self.clock.now() - at).max(0));
        self.counters.delivery_oldest_s.set(age_ms / SECOND_MS);
        self.counters.channels_disabled.set(census.channels_disabled as i64);
    }
}

#[async_trait]
impl Status for Health {
    async fn metrics(&self) -> String {
        if let Ok(bytes) = self.journal.size_bytes().await {
            self.counters.journal_bytes.set(bytes as i64);
        }
        self.note_state();
        self.note_deliveries().await;
        self.counters.render()
    }

    async fn ready(&self) -> Result<(), Fault> {
        if self.stop.is_cancelled() {
            return Err(Fault::new(FaultCode::Stopping, "the service is stopping"));
        }
        self.journal.end().await.map(|_| ())
    }
}
