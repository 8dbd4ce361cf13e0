//! Reading sides of the state in memory: the graph and the baselines behind the locks that the judge takes.

use std::sync::Arc;

use parking_lot::RwLock;
use riskgraph_analysis::detect::Detectors;
use riskgraph_analysis::stage::Stage;
use riskgraph_domain::graph::{Concentration, Entity, EntityKey, EntityKind, Reached, Relation, RelationKind, Risk};
use riskgraph_domain::page::{Page, PageRequest};
use riskgraph_domain::ports::{BaselineView, GraphView};
use riskgraph_domain::vendor::TrafficPoint;
use riskgraph_domain::{EntityId, RelationId, Timestamp};

/// The graph as readers see it.
pub struct SharedGraph(pub Arc<RwLock<Stage>>);

impl GraphView for SharedGraph {
    fn entity(&self, id: EntityId) -> Option<Entity> {
        self.0.read().graph().entity(id)
    }
    fn entities(&self, ids: &[EntityId]) -> Vec<Option<Entity>> {
        self.0.read().graph().entities(ids)
    }
    fn search(
        &self,
        query: Option<&str>,
        kinds: &[EntityKind],
        min_risk: Option<f64>,
        page: &PageRequest,
    ) -> Page<Entity> {
        self.0.read().graph().search(query, kinds, min_risk, page)
    }
    fn relation(&self, id: RelationId) -> Option<Relation> {
        self.0.read().graph().relation(id)
    }
    fn relations(&self, entity: EntityId, kinds: &[RelationKind], page: &PageRequest) -> Page<Relation> {
        self.0.read().graph().relations(entity, kinds, page)
    }
    fn risk(&self, entity: EntityId) -> Option<Risk> {
        self.0.read().graph().risk(entity)
    }
    fn path(&self, from: EntityId, to: EntityId, max_depth: u32) -> Option<Vec<Relation>> {
        self.0.read().graph().path(from, to, max_depth)
    }
    fn blast_radius(&self, entity: EntityId, max_depth: u32) -> Vec<Reached> {
        self.0.read().graph().blast_radius(entity, max_depth)
    }
    fn concentration(&self, first: usize) -> Vec<Concentration> {
        self.0.read().graph().concentration(first)
    }
    fn fourth_parties(&self, vendor: &EntityKey) -> Vec<Relation> {
        self.0.read().graph().fourth_parties(vendor)
    }
    fn keys_of(&self, integration: EntityId) -> Vec<Entity> {
        self.0.read().graph().keys_of(integration)
    }
}

/// The learned normal of integrations as readers see it.
pub struct SharedBaselines(pub Arc<RwLock<Detectors>>);

impl BaselineView for SharedBaselines {
    fn baseline(&self, integration: &str) -> serde_json::Value {
        self.0.read().integrations().baseline_json(integration)
    }
    fn traffic(&self, integration: &str, since: Timestamp, until: Option<Timestamp>, step_s: u32) -> Vec<TrafficPoint> {
        self.0.read().integrations().traffic(integration, since, until, step_s)
    }
}
