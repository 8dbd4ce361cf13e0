//! Nodes and edges as rows of the store, and back.

use riskgraph_domain::graph::{Entity, Relation};
use riskgraph_domain::time::MINUTE_MS;
use riskgraph_domain::{EntityId, Text, Timestamp};
use serde_json::{Map, Value};

use super::{Arena, Edge, EdgeIx, NIL, NodeIx, Notes, minute_of};

const COUNTRY: &str = "country";

fn time_of(minute: u32) -> Timestamp {
    Timestamp(i64::from(minute) * MINUTE_MS)
}

impl Arena {
    /// The node as people see it.
    #[must_use]
    pub fn entity(&self, ix: NodeIx) -> Entity {
        let node = self.node(ix);
        let mut attributes = self.notes(ix).map(|notes| notes.attributes.clone()).unwrap_or_default();
        if node.country != [0; 2] {
            attributes.insert(COUNTRY.to_owned(), Value::String(node.country.iter().map(|&b| char::from(b)).collect()));
        }
        Entity {
            id: EntityId(node.id),
            kind: node.kind,
            key: node.key.clone(),
            name: self.name(ix).clone(),
            attributes: Value::Object(attributes),
            first_seen: node.first_seen,
            last_seen: time_of(node.last_minute),
        }
    }

    /// The edge as people see it.
    #[must_use]
    pub fn relation(&self, ix: EdgeIx) -> Relation {
        let edge = self.edge(ix);
        Relation {
            id: self.relation_id(ix),
            kind: edge.kind,
            from: self.id(edge.from),
            to: self.id(edge.to),
            first_seen: edge.first_seen,
            last_seen: time_of(edge.last_minute),
            confidence: edge.confidence,
            source: self.sources.get(usize::from(edge.source)).cloned().unwrap_or_default(),
        }
    }

    /// Nodes whose rows are to be written, in the order in which they changed; forgets them.
    pub fn take_dirty_nodes(&mut self) -> Vec<NodeIx> {
        let taken = std::mem::take(&mut self.dirty_nodes);
        for &ix in &taken {
            self.nodes[ix as usize].dirty = false;
        }
        taken
    }

    /// Edges whose rows are to be written; forgets them.
    pub fn take_dirty_edges(&mut self) -> Vec<EdgeIx> {
        let taken = std::mem::take(&mut self.dirty_edges);
        for &ix in &taken {
            self.edges[ix as usize].dirty = false;
        }
        taken
    }

    /// Puts a row back. A row that is there already is left alone.
    pub fn load_entity(&mut self, entity: Entity) -> Option<NodeIx> {
        if let Some(ix) = self.find(entity.id) {
            return Some(ix);
        }
        let minute = minute_of(entity.last_seen);
        let mut attributes = match entity.attributes {
            Value::Object(map) => map,
            _ => Map::new(),
        };
        let country = attributes.get(COUNTRY).and_then(Value::as_str).and_then(|text| text.as_bytes().try_into().ok());
        if country.is_some() {
            attributes.remove(COUNTRY);
        }
        let name = (entity.name != entity.key).then_some(entity.name);
        let ix = self.push_node(entity.id, entity.kind, entity.key, entity.first_seen, minute)?;
        self.nodes[ix as usize].country = country.unwrap_or_default();
        if name.is_some() || !attributes.is_empty() {
            self.notes.insert(ix, Notes { name, attributes });
            self.nodes[ix as usize].noted = true;
        }
        Some(ix)
    }

    /// Puts a row back. An edge whose end is unknown, or that is there already, is left out.
    pub fn load_relation(&mut self, relation: &Relation) -> Option<EdgeIx> {
        let (from, to) = (self.find(relation.from)?, self.find(relation.to)?);
        if self.find_edge(relation.kind, from, to).is_some() {
            return None;
        }
        let source = self.source_index(&relation.source);
        self.push_edge(Edge {
            from,
            to,
            next_out: NIL,
            next_in: NIL,
            id_high: (relation.id.0 >> 64) as u64,
            first_seen: relation.first_seen,
            last_minute: minute_of(relation.last_seen),
            confidence: relation.confidence,
            kind: relation.kind,
            source,
            dirty: false,
        })
    }

    /// The text a note has under this name.
    #[must_use]
    pub fn attribute(&self, ix: NodeIx, name: &str) -> Option<Text> {
        self.notes(ix)?.attributes.get(name)?.as_str().map(Text::from)
    }
}
