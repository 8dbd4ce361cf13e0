//! Nodes and edges, packed for millions.
//!
//! A node is a `u32` index, an edge too; the lists of edges at a node run through the edges themselves, so that a node of
//! degree three costs no allocation of its own. It must *not* know what a risk, a signal or an alert is.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use hashbrown::HashTable;
use riskgraph_domain::graph::Relation;
use riskgraph_domain::time::{HOUR_MS, MINUTE_MS};
use riskgraph_domain::{EntityId, EntityKey, EntityKind, RelationId, RelationKind, Text, Timestamp};
use rustc_hash::FxHasher;

/// Index of a node.
pub type NodeIx = u32;
/// Index of an edge.
pub type EdgeIx = u32;

/// The end of a list of edges.
const NIL: u32 = u32::MAX;
/// Nodes and edges are never more than this: their indexes are 32 bits and one value is the list end.
const INDEX_MAX: usize = (u32::MAX - 1) as usize;
/// How far the time of the last sighting must have moved before a row is written again. In between, memory keeps the
/// written value too: what is loaded after a restart is what was here before.
const SEEN_STEP_MINUTES: u32 = (HOUR_MS / MINUTE_MS) as u32;

/// Which end of an edge a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// The node is the edge's `from`.
    Out,
    /// The node is the edge's `to`.
    In,
}

/// Lists of edges at a node: structural and observed ones, outgoing and incoming. They are apart so that the one
/// integration of a key is found without walking past its thousand addresses.
const LISTS: usize = 4;

/// Whether a relation says how things are built (who owns, runs or loads what), not what was seen of strangers. Mentions
/// are strangers' as well: a breached vendor has hundreds, and what it owns must be found behind them.
#[must_use]
pub const fn structural(kind: RelationKind) -> bool {
    !matches!(
        kind,
        RelationKind::CalledFrom
            | RelationKind::AuthenticatedFrom
            | RelationKind::UsedDevice
            | RelationKind::PaidWith
            | RelationKind::Placed
            | RelationKind::Redeemed
            | RelationKind::ResolvesTo
            | RelationKind::MentionedIn
    )
}

const fn list_of(kind: RelationKind, from: EntityKind, direction: Direction) -> usize {
    // A network owns addresses without number: an observation, though of the owning kind.
    let observed = !structural(kind) || matches!(from, EntityKind::Network);
    (observed as usize) * 2 + matches!(direction, Direction::In) as usize
}

#[derive(Debug, Clone, Copy)]
struct List {
    head: u32,
    len: u32,
}

/// One entity.
#[derive(Debug, Clone)]
pub struct Node {
    id: u128,
    pub key: Text,
    pub first_seen: Timestamp,
    last_minute: u32,
    pub kind: EntityKind,
    /// ISO 3166-1 alpha-2, or zeros.
    country: [u8; 2],
    dirty: bool,
    /// Whether it has notes: most have none, and a search asks all.
    noted: bool,
    lists: [List; LISTS],
}

/// One relation.
#[derive(Debug, Clone)]
pub struct Edge {
    pub from: NodeIx,
    pub to: NodeIx,
    next_out: EdgeIx,
    next_in: EdgeIx,
    id_high: u64,
    pub first_seen: Timestamp,
    last_minute: u32,
    /// 0 means withdrawn: kept as a row, walked by nobody.
    pub confidence: f32,
    pub kind: RelationKind,
    source: u8,
    dirty: bool,
}

/// What an upsert of a relation found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upsert {
    New,
    Known,
}

/// All nodes and edges with their indexes.
#[derive(Debug, Default)]
pub struct Arena {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    by_id: HashTable<NodeIx>,
    by_ends: HashTable<EdgeIx>,
    by_edge_id: HashTable<EdgeIx>,
    notes: BTreeMap<NodeIx, Notes>,
    sources: Vec<Text>,
    dirty_nodes: Vec<NodeIx>,
    dirty_edges: Vec<EdgeIx>,
    /// Nodes seen lately, by a cheap hash of kind and key: saves hashing the key for its id. Only ever a shortcut: a place
    /// taken by another key costs time, nothing else.
    recent: Vec<NodeIx>,
}

/// Places for nodes seen lately: 256 kB.
const RECENT: usize = 1 << 16;

fn recent_place(kind: EntityKind, key: &str) -> usize {
    let mut hasher = FxHasher::default();
    (kind, key).hash(&mut hasher);
    hasher.finish() as usize % RECENT
}

const fn id_hash(id: u128) -> u64 {
    id as u64
}

/// Spreads both ends and the kind over 64 bits (the finaliser of SplitMix64, so that dense indexes fill the table evenly).
const fn ends_hash(from: NodeIx, to: NodeIx, kind: RelationKind) -> u64 {
    let mut x = ((from as u64) << 32 | to as u64) ^ ((kind as u64) << 59 | (kind as u64) << 20);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

fn minute_of(time: Timestamp) -> u32 {
    u32::try_from(time.0.div_euclid(MINUTE_MS)).unwrap_or(0)
}

impl Arena {
    pub fn n_nodes(&self) -> usize {
        self.nodes.len()
    }

    pub fn n_edges(&self) -> usize {
        self.edges.len()
    }

    /// Makes room before a load.
    pub fn reserve(&mut self, nodes: usize, edges: usize) {
        self.nodes.reserve(nodes);
        self.edges.reserve(edges);
    }

    #[must_use]
    pub fn node(&self, ix: NodeIx) -> &Node {
        &self.nodes[ix as usize]
    }

    #[must_use]
    pub fn edge(&self, ix: EdgeIx) -> &Edge {
        &self.edges[ix as usize]
    }

    #[must_use]
    pub fn id(&self, ix: NodeIx) -> EntityId {
        EntityId(self.node(ix).id)
    }

    #[must_use]
    pub fn key(&self, ix: NodeIx) -> EntityKey {
        let node = self.node(ix);
        EntityKey { kind: node.kind, key: node.key.clone() }
    }

    /// The name for people; the key where nothing better is known.
    #[must_use]
    pub fn name(&self, ix: NodeIx) -> &Text {
        self.own_name(ix).unwrap_or(&self.node(ix).key)
    }

    /// The name it has besides its key.
    #[must_use]
    pub fn own_name(&self, ix: NodeIx) -> Option<&Text> {
        self.notes(ix)?.name.as_ref()
    }

    #[must_use]
    pub fn notes(&self, ix: NodeIx) -> Option<&Notes> {
        if self.node(ix).noted { self.notes.get(&ix) } else { None }
    }

    /// The node with this id.
    #[must_use]
    pub fn find(&self, id: EntityId) -> Option<NodeIx> {
        self.by_id.find(id_hash(id.0), |&ix| self.nodes[ix as usize].id == id.0).copied()
    }

    /// The node with this natural key.
    #[must_use]
    pub fn find_key(&self, kind: EntityKind, key: &str) -> Option<NodeIx> {
        self.find(EntityId::of(&[kind.as_str(), key]))
    }

    /// The edge of this kind between these nodes, withdrawn or not.
    #[must_use]
    pub fn find_edge(&self, kind: RelationKind, from: NodeIx, to: NodeIx) -> Option<EdgeIx> {
        let same = |&ix: &EdgeIx| {
            let edge = &self.edges[ix as usize];
            edge.from == from && edge.to == to && edge.kind == kind
        };
        self.by_ends.find(ends_hash(from, to, kind), same).copied()
    }

    /// The edge with this id.
    #[must_use]
    pub fn find_relation(&self, id: RelationId) -> Option<EdgeIx> {
        let high = (id.0 >> 64) as u64;
        self.by_edge_id.find(high, |&ix| self.edges[ix as usize].id_high == high && self.relation_id(ix) == id).copied()
    }

    /// The id of an edge.
    #[must_use]
    pub fn relation_id(&self, ix: EdgeIx) -> RelationId {
        let edge = self.edge(ix);
        Relation::id_of(edge.kind, self.id(edge.from), self.id(edge.to))
    }

    /// Edges of one list length: how many structural or observed relations a node has in a direction.
    #[must_use]
    pub fn degree(&self, ix: NodeIx, observed: Observed, direction: Direction) -> usize {
        self.node(ix).lists[list_index(observed, direction)].len as usize
    }

    /// The live edges of one list, newest first (by the order in which they came into this process).
    pub fn edges_at(
        &self,
        ix: NodeIx,
        observed: Observed,
        direction: Direction,
    ) -> impl Iterator<Item = (EdgeIx, &Edge)> + '_ {
        let mut next = self.node(ix).lists[list_index(observed, direction)].head;
        std::iter::from_fn(move || {
            if next == NIL {
                return None;
            }
            let ix = next;
            let edge = &self.edges[ix as usize];
            next = if direction == Direction::Out { edge.next_out } else { edge.next_in };
            Some((ix, edge))
        })
        .filter(|(_, edge)| edge.confidence > 0.0)
    }

    /// Sees an entity at a time; makes it when it is new. `None` only when the graph is full.
    pub fn see(&mut self, kind: EntityKind, key: &str, time: Timestamp) -> Option<(NodeIx, Upsert)> {
        let place = recent_place(kind, key);
        if let Some(ix) = self.recent.get(place).copied().filter(|&ix| ix != NIL) {
            let node = self.node(ix);
            if node.kind == kind && node.key.as_str() == key {
                self.see_again(ix, time);
                return Some((ix, Upsert::Known));
            }
        }
        let id = EntityId::of(&[kind.as_str(), key]);
        let (ix, upsert) = match self.find(id) {
            Some(ix) => {
                self.see_again(ix, time);
                (ix, Upsert::Known)
            }
            None => {
                let ix = self.push_node(id, kind, Text::from(key), time, minute_of(time))?;
                self.mark(ix);
                (ix, Upsert::New)
            }
        };
        if self.recent.is_empty() {
            self.recent = vec![NIL; RECENT];
        }
        self.recent[place] = ix;
        Some((ix, upsert))
    }

    fn see_again(&mut self, ix: NodeIx, time: Timestamp) {
        let minute = minute_of(time);
        let node = &mut self.nodes[ix as usize];
        let mut changed = false;
        if time < node.first_seen {
            node.first_seen = time;
            changed = true;
        }
        if minute >= node.last_minute.saturating_add(SEEN_STEP_MINUTES) {
            node.last_minute = minute;
            changed = true;
        }
        if changed {
            self.mark(ix);
        }
    }

    fn push_node(
        &mut self,
        id: EntityId,
        kind: EntityKind,
        key: Text,
        first_seen: Timestamp,
        last_minute: u32,
    ) -> Option<NodeIx> {
        if self.nodes.len() >= INDEX_MAX {
            return None;
        }
        let ix = self.nodes.len() as NodeIx;
        let lists = [List { head: NIL, len: 0 }; LISTS];
        self.nodes.push(Node {
            id: id.0,
            key,
            first_seen,
            last_minute,
            kind,
            country: [0; 2],
            dirty: false,
            noted: false,
            lists,
        });
        let nodes = &self.nodes;
        self.by_id.insert_unique(id_hash(id.0), ix, |&other| id_hash(nodes[other as usize].id));
        Some(ix)
    }

    /// Sees a relation at a time; makes it when it is new. A higher confidence replaces a lower one with its source.
    pub fn relate(&mut self, seen: Seen<'_>) -> Option<(EdgeIx, Upsert)> {
        if seen.from == seen.to {
            return None;
        }
        if let Some(ix) = self.find_edge(seen.kind, seen.from, seen.to) {
            let revived = self.relate_again(ix, &seen);
            return Some((ix, if revived { Upsert::New } else { Upsert::Known }));
        }
        let source = self.source_index(seen.source);
        let ix = self.push_edge(Edge {
            from: seen.from,
            to: seen.to,
            next_out: NIL,
            next_in: NIL,
            id_high: (Relation::id_of(seen.kind, self.id(seen.from), self.id(seen.to)).0 >> 64) as u64,
            first_seen: seen.time,
            last_minute: minute_of(seen.time),
            confidence: seen.confidence,
            kind: seen.kind,
            source,
            dirty: false,
        })?;
        self.mark_edge(ix);
        Some((ix, Upsert::New))
    }

    /// Says whether a withdrawn relation lives again.
    fn relate_again(&mut self, ix: EdgeIx, seen: &Seen<'_>) -> bool {
        let source = (seen.confidence > self.edge(ix).confidence).then(|| self.source_index(seen.source));
        let edge = &mut self.edges[ix as usize];
        let mut changed = false;
        let revived = edge.confidence <= 0.0 && seen.confidence > 0.0;
        if let Some(source) = source {
            edge.confidence = seen.confidence;
            edge.source = source;
            changed = true;
        }
        if seen.time < edge.first_seen {
            edge.first_seen = seen.time;
            changed = true;
        }
        let minute = minute_of(seen.time);
        if minute >= edge.last_minute.saturating_add(SEEN_STEP_MINUTES) {
            edge.last_minute = minute;
            changed = true;
        }
        if changed {
            self.mark_edge(ix);
        }
        revived
    }

    fn push_edge(&mut self, mut edge: Edge) -> Option<EdgeIx> {
        if self.edges.len() >= INDEX_MAX {
            return None;
        }
        let ix = self.edges.len() as EdgeIx;
        let from_kind = self.node(edge.from).kind;
        let out = &mut self.nodes[edge.from as usize].lists[list_of(edge.kind, from_kind, Direction::Out)];
        edge.next_out = out.head;
        *out = List { head: ix, len: out.len + 1 };
        let into = &mut self.nodes[edge.to as usize].lists[list_of(edge.kind, from_kind, Direction::In)];
        edge.next_in = into.head;
        *into = List { head: ix, len: into.len + 1 };
        let (ends, id_high) = (ends_hash(edge.from, edge.to, edge.kind), edge.id_high);
        self.edges.push(edge);
        let edges = &self.edges;
        self.by_ends.insert_unique(ends, ix, |&other| {
            let edge = &edges[other as usize];
            ends_hash(edge.from, edge.to, edge.kind)
        });
        self.by_edge_id.insert_unique(id_high, ix, |&other| edges[other as usize].id_high);
        Some(ix)
    }

    /// The few words for who says so are kept once. More than 255 of them read as the last.
    fn source_index(&mut self, source: &str) -> u8 {
        if let Some(place) = self.sources.iter().position(|known| known.as_str() == source) {
            return place as u8;
        }
        if self.sources.len() < usize::from(u8::MAX) {
            self.sources.push(Text::from(source));
        }
        (self.sources.len() - 1) as u8
    }

    /// The row of this node is to be written.
    pub fn mark(&mut self, ix: NodeIx) {
        let node = &mut self.nodes[ix as usize];
        if !node.dirty {
            node.dirty = true;
            self.dirty_nodes.push(ix);
        }
    }

    fn mark_edge(&mut self, ix: EdgeIx) {
        let edge = &mut self.edges[ix as usize];
        if !edge.dirty {
            edge.dirty = true;
            self.dirty_edges.push(ix);
        }
    }
}

/// A relation as it is seen.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    pub kind: RelationKind,
    pub from: NodeIx,
    pub to: NodeIx,
    pub time: Timestamp,
    pub confidence: f32,
    pub source: &'a str,
}

/// Which of a node's relations: how things are built, or what was observed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observed {
    Structural,
    Observed,
}

const fn list_index(observed: Observed, direction: Direction) -> usize {
    matches!(observed, Observed::Observed) as usize * 2 + matches!(direction, Direction::In) as usize
}

/// All four lists of a node.
pub const ALL_LISTS: [(Observed, Direction); LISTS] = [
    (Observed::Structural, Direction::In),
    (Observed::Structural, Direction::Out),
    (Observed::Observed, Direction::In),
    (Observed::Observed, Direction::Out),
];

mod notes;
mod rows;

pub use notes::Notes;

#[cfg(test)]
mod tests;
