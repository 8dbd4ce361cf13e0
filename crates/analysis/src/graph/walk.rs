//! Walks over the graph: shortest paths and what lies within reach.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

use riskgraph_domain::EntityId;
use riskgraph_domain::graph::{Reached, Relation};
use rustc_hash::{FxHashMap, FxHashSet};

use super::RiskGraph;
use super::arena::{ALL_LISTS, Arena, Direction, EdgeIx, NodeIx};
use crate::spread::pass_factor;

/// Relations looked at per node and list: at a hub only the newest.
const FANOUT_MAX: usize = 256;
/// Nodes visited by one search for a path, both sides together.
const PATH_VISITED_MAX: usize = 20_000;
/// The longest path searched for.
const PATH_DEPTH_MAX: u32 = 10;
/// Entities in one blast radius, and how far it reaches.
const REACHED_MAX: usize = 500;
const REACHED_DEPTH_MAX: u32 = 6;
/// Relations looked at for one blast radius: bounds the work where hub meets hub.
const REACHED_EDGES_MAX: usize = 20_000;
/// Exposure below this is not followed.
const EXPOSURE_MIN: f64 = 0.005;

impl Arena {
    /// Neighbours of a node over all kinds, at most [`FANOUT_MAX`] per list.
    pub(crate) fn neighbours(&self, ix: NodeIx) -> impl Iterator<Item = (EdgeIx, NodeIx, Direction)> + '_ {
        ALL_LISTS.into_iter().flat_map(move |(observed, direction)| {
            self.edges_at(ix, observed, direction).take(FANOUT_MAX).map(move |(edge_ix, edge)| {
                (edge_ix, if direction == Direction::Out { edge.to } else { edge.from }, direction)
            })
        })
    }

    /// Shortest path between two nodes by a search from both ends; the shorter frontier is widened first.
    #[must_use]
    pub(crate) fn shortest_path(&self, from: NodeIx, to: NodeIx, max_depth: u32) -> Option<Vec<EdgeIx>> {
        if from == to {
            return Some(Vec::new());
        }
        let mut sides = [Side::new(from), Side::new(to)];
        for _ in 0..max_depth.min(PATH_DEPTH_MAX) {
            let near = usize::from(sides[1].frontier.len() < sides[0].frontier.len());
            let (left, right) = sides.split_at_mut(1);
            let (side, other) = if near == 0 { (&mut left[0], &right[0]) } else { (&mut right[0], &left[0]) };
            if let Some(meeting) = side.widen(self, other) {
                let mut path = sides[0].trace(self, meeting);
                path.reverse();
                path.extend(sides[1].trace(self, meeting));
                return Some(path);
            }
            if sides.iter().any(|side| side.frontier.is_empty())
                || sides.iter().map(|side| side.came_by.len()).sum::<usize>() > PATH_VISITED_MAX
            {
                return None;
            }
        }
        None
    }
}

/// One end of a bidirectional search.
struct Side {
    start: NodeIx,
    came_by: FxHashMap<NodeIx, EdgeIx>,
    frontier: VecDeque<NodeIx>,
}

impl Side {
    fn new(start: NodeIx) -> Self {
        Self { start, came_by: FxHashMap::default(), frontier: VecDeque::from([start]) }
    }

    fn knows(&self, ix: NodeIx) -> bool {
        ix == self.start || self.came_by.contains_key(&ix)
    }

    /// Walks one step further in all directions; the node at which both sides meet, when they do.
    fn widen(&mut self, arena: &Arena, other: &Self) -> Option<NodeIx> {
        for _ in 0..self.frontier.len() {
            let ix = self.frontier.pop_front()?;
            for (edge, next, _) in arena.neighbours(ix) {
                if !self.knows(next) {
                    self.came_by.insert(next, edge);
                    if other.knows(next) {
                        return Some(next);
                    }
                    self.frontier.push_back(next);
                }
            }
            if self.came_by.len() > PATH_VISITED_MAX {
                return None;
            }
        }
        None
    }

    /// Edges from a node back to this side's start.
    fn trace(&self, arena: &Arena, mut ix: NodeIx) -> Vec<EdgeIx> {
        let mut path = Vec::new();
        while let Some(&edge_ix) = self.came_by.get(&ix) {
            path.push(edge_ix);
            let edge = arena.edge(edge_ix);
            ix = if edge.from == ix { edge.to } else { edge.from };
        }
        path
    }
}

/// A node within reach; the most exposed first, ties by id.
struct Front {
    exposure: f64,
    id: u128,
    ix: NodeIx,
    depth: u32,
    /// Place in the list of reached nodes from which it was reached, and over which edge.
    came: Option<(usize, EdgeIx)>,
}

impl PartialEq for Front {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Front {}
impl PartialOrd for Front {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Front {
    fn cmp(&self, other: &Self) -> Ordering {
        self.exposure
            .total_cmp(&other.exposure)
            .then_with(|| other.depth.cmp(&self.depth))
            .then_with(|| other.id.cmp(&self.id))
    }
}

impl RiskGraph {
    /// Shortest path within `max_depth` relations (at most 10); at hubs only the 256 newest relations of each sort are
    /// looked at, so a path through a hub may be missed, never invented.
    #[must_use]
    pub fn path(&self, from: EntityId, to: EntityId, max_depth: u32) -> Option<Vec<Relation>> {
        let path = self.arena.shortest_path(self.arena.find(from)?, self.arena.find(to)?, max_depth)?;
        Some(path.into_iter().map(|edge| self.arena.relation(edge)).collect())
    }

    /// What the entity's risk would reach, the most exposed first: at most 500 entities, 6 relations far.
    #[must_use]
    pub fn blast_radius(&self, entity: EntityId, max_depth: u32) -> Vec<Reached> {
        let Some(start) = self.arena.find(entity) else { return Vec::new() };
        let arena = &self.arena;
        let mut done: Vec<Front> = Vec::new();
        let mut seen: FxHashSet<NodeIx> = FxHashSet::default();
        let mut open = BinaryHeap::from([Front { exposure: 1.0, id: 0, ix: start, depth: 0, came: None }]);
        let mut n_edges = 0;
        while let Some(front) = open.pop() {
            if !seen.insert(front.ix) {
                continue;
            }
            let place = done.len();
            if front.depth < max_depth.min(REACHED_DEPTH_MAX) && n_edges < REACHED_EDGES_MAX {
                for (edge_ix, next, direction) in arena.neighbours(front.ix) {
                    n_edges += 1;
                    let end = if direction == Direction::Out { Direction::In } else { Direction::Out };
                    let passed = pass_factor(arena, arena.edge(edge_ix), end, &self.config.spread);
                    let exposure = front.exposure * passed;
                    if exposure >= EXPOSURE_MIN && !seen.contains(&next) {
                        let came = Some((place, edge_ix));
                        open.push(Front { exposure, id: arena.id(next).0, ix: next, depth: front.depth + 1, came });
                    }
                }
            }
            done.push(front);
            if done.len() > REACHED_MAX {
                break;
            }
        }
        (1..done.len()).map(|place| self.reached(&done, place)).collect()
    }

    fn reached(&self, done: &[Front], place: usize) -> Reached {
        let mut path = Vec::new();
        let mut at = place;
        while let Some((before, edge)) = done[at].came {
            path.push(self.arena.relation(edge));
            at = before;
        }
        path.reverse();
        let front = &done[place];
        Reached { entity: self.arena.entity(front.ix), distance: front.depth, path, exposure: front.exposure }
    }
}
