//! The risk graph in memory: entities, relations, their risk, and the questions people ask of them.
//!
//! Every call is bounded: at hubs only so many relations are looked at (each query says how many). It must *not* know
//! events, commands or how alerts are made.

mod arena;
mod query;
mod search;
mod walk;

use riskgraph_domain::graph::{Entity, Relation, Risk};
use riskgraph_domain::time::MINUTE_MS;
use riskgraph_domain::{EntityId, EntityKind, Timestamp};

pub use arena::{ALL_LISTS, Arena, Direction, Edge, EdgeIx, Node, NodeIx, Notes, Observed, Seen, Upsert, structural};

pub(crate) use query::TIER;

use crate::spread::{self, OwnRisk, RiskConfig};

/// The attribute of an entity's row that keeps the causes of its own risk; not shown to people.
const CAUSES: &str = "$causes";

/// Entities, relations and risk.
#[derive(Debug)]
pub struct RiskGraph {
    pub(crate) arena: Arena,
    pub(crate) own: OwnRisk,
    pub(crate) config: RiskConfig,
    /// Newest event time, to the minute.
    pub(crate) watermark: Timestamp,
    /// Nodes of kind VENDOR: few among many.
    vendor_nodes: Vec<NodeIx>,
}

impl RiskGraph {
    #[must_use]
    pub fn new(config: RiskConfig) -> Self {
        Self {
            arena: Arena::default(),
            own: OwnRisk::default(),
            config,
            watermark: Timestamp::default(),
            vendor_nodes: Vec::new(),
        }
    }

    /// Number of entities and relations.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        (self.arena.n_nodes(), self.arena.n_edges())
    }

    /// The newest event time seen, to the minute: the instant at which risk is told.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.watermark
    }

    /// The risk of an entity now.
    #[must_use]
    pub fn risk(&self, entity: EntityId) -> Option<Risk> {
        self.arena.find(entity).map(|ix| self.risk_at(ix))
    }

    pub(crate) fn risk_at(&self, ix: NodeIx) -> Risk {
        spread::risk(&self.arena, &self.own, ix, self.watermark, &self.config)
    }

    /// Moves the watermark; says whether it moved.
    pub(crate) fn advance(&mut self, time: Timestamp) -> bool {
        let minute = time.floor(MINUTE_MS);
        let moved = minute > self.watermark;
        if moved {
            self.watermark = minute;
        }
        moved
    }

    /// Sees an entity; makes it when it is new.
    pub(crate) fn see(&mut self, kind: EntityKind, key: &str, time: Timestamp) -> Option<(NodeIx, Upsert)> {
        let seen = self.arena.see(kind, key, time)?;
        if seen.1 == Upsert::New && kind == EntityKind::Vendor {
            self.vendor_nodes.push(seen.0);
        }
        Some(seen)
    }

    /// Takes back a page of rows; returns the new nodes.
    pub(crate) fn load_entities(&mut self, rows: Vec<Entity>) -> Vec<NodeIx> {
        let mut loaded = Vec::with_capacity(rows.len());
        for mut row in rows {
            let causes = row.attributes.as_object_mut().and_then(|attributes| attributes.remove(CAUSES));
            let Some(ix) = self.arena.load_entity(row) else { continue };
            if let Some(causes) = causes {
                self.own.load_row(ix, &causes, &self.config.own);
            }
            if self.arena.node(ix).kind == EntityKind::Vendor {
                self.vendor_nodes.push(ix);
            }
            loaded.push(ix);
        }
        loaded
    }

    /// Takes back a page of rows.
    pub(crate) fn load_relations(&mut self, rows: &[Relation]) {
        for row in rows {
            self.arena.load_relation(row);
        }
    }

    /// Rows that changed since the last call.
    pub(crate) fn take_rows(&mut self) -> (Vec<Entity>, Vec<Relation>) {
        let nodes = self.arena.take_dirty_nodes();
        let entities = nodes.into_iter().map(|ix| self.row(ix)).collect();
        let edges = self.arena.take_dirty_edges();
        (entities, edges.into_iter().map(|ix| self.arena.relation(ix)).collect())
    }

    fn row(&self, ix: NodeIx) -> Entity {
        let mut row = self.arena.entity(ix);
        if let (Some(causes), Some(attributes)) = (self.own.to_row(ix), row.attributes.as_object_mut()) {
            attributes.insert(CAUSES.to_owned(), causes);
        }
        row
    }

    pub(crate) fn vendor_nodes(&self) -> &[NodeIx] {
        &self.vendor_nodes
    }
}
