//! What is known of a node or edge besides that it is there.

use riskgraph_domain::Text;
use serde_json::{Map, Value};

use super::{Arena, EdgeIx, NodeIx};

/// What few nodes have: a name of their own, attributes.
#[derive(Debug, Clone, Default)]
pub struct Notes {
    pub name: Option<Text>,
    pub attributes: Map<String, Value>,
}

impl Arena {
    /// Sets a relation's confidence; 0 withdraws it.
    pub fn set_confidence(&mut self, ix: EdgeIx, confidence: f32) {
        if self.edges[ix as usize].confidence.to_bits() != confidence.to_bits() {
            self.edges[ix as usize].confidence = confidence;
            self.mark_edge(ix);
        }
    }

    /// Changes a node's notes; the row is written when something changed.
    pub fn note(&mut self, ix: NodeIx, change: impl FnOnce(&mut Notes)) {
        let mut notes = self.notes.get(&ix).cloned().unwrap_or_default();
        change(&mut notes);
        let old = self.notes.get(&ix);
        let same = old.map_or_else(
            || notes.name.is_none() && notes.attributes.is_empty(),
            |old| old.name == notes.name && old.attributes == notes.attributes,
        );
        if !same {
            self.notes.insert(ix, notes);
            self.nodes[ix as usize].noted = true;
            self.mark(ix);
        }
    }

    /// Notes the country of an address, once.
    pub fn set_country(&mut self, ix: NodeIx, country: &str) {
        if let (&[a, b], [0, 0]) = (country.as_bytes(), self.node(ix).country)
            && a.is_ascii_alphabetic()
            && b.is_ascii_alphabetic()
        {
            self.nodes[ix as usize].country = [a.to_ascii_uppercase(), b.to_ascii_uppercase()];
            self.mark(ix);
        }
    }
}
