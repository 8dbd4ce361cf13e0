//! Risk that arrives from neighbours.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap};

use riskgraph_domain::graph::{Risk, RiskCause, RiskContribution};
use riskgraph_domain::{AlertId, EntityKind, Severity, Timestamp};
use rustc_hash::{FxHashMap, FxHashSet};

use super::config::{RiskConfig, SpreadConfig};
use super::own::{OwnRisk, exact, rank_damped};
use crate::graph::{ALL_LISTS, Arena, Direction, Edge, EdgeIx, NodeIx, Observed};

/// Addends of the propagated part that are listed; the next would add less than 0.6 % of itself.
const ARRIVED_MAX: usize = 32;

/// One cause of another entity, as far as it arrives here.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrived {
    /// The entity that has the cause.
    pub origin: NodeIx,
    /// The neighbour through which it came.
    pub via: NodeIx,
    /// Place in the origin's causes.
    pub place: usize,
    pub source: RiskCause,
    /// Before rank damping.
    pub points: f64,
    /// The relations it came over, from the origin.
    pub path: Vec<EdgeIx>,
}

/// A node on the way, best factor first; ties by ids, so that neither the order of arrival nor a restart matters.
struct Step {
    factor: f64,
    id: u128,
    ix: NodeIx,
    depth: u32,
    via: NodeIx,
    /// The node it was reached from, by id, and the edge; none for the start.
    came: Option<(u128, NodeIx, EdgeIx)>,
    kind: u8,
}

impl PartialEq for Step {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Step {}
impl PartialOrd for Step {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Step {
    fn cmp(&self, other: &Self) -> Ordering {
        self.factor
            .total_cmp(&other.factor)
            .then_with(|| other.depth.cmp(&self.depth))
            .then_with(|| other.id.cmp(&self.id))
            .then_with(|| other.came.map(|came| came.0).cmp(&self.came.map(|came| came.0)))
            .then_with(|| other.kind.cmp(&self.kind))
    }
}

/// The share of risk that passes this edge to the node at its `end`; 0 when its kind passes none.
#[must_use]
pub fn pass_factor(arena: &Arena, edge: &Edge, end: Direction, config: &SpreadConfig) -> f64 {
    if arena.node(edge.from).kind == EntityKind::Network {
        let n_addresses = arena.degree(edge.from, Observed::Observed, Direction::Out).max(1) as f64;
        return config.network_factor * f64::from(edge.confidence) / n_addresses.sqrt();
    }
    let Some(flow) = config.flow.get(&edge.kind) else { return 0.0 };
    // `end` says which end receives: Out is the edge's `from`, so the risk runs against the edge.
    let share = if end == Direction::Out { flow.against } else { flow.along };
    let spread = if flow.shared { arena.degree(edge.to, Observed::Observed, Direction::In).max(1) as f64 } else { 1.0 };
    share * f64::from(edge.confidence) / spread.sqrt()
}

/// Every cause within reach of an entity, each by its best path, best first, leaving out its own and one alert's.
#[must_use]
pub fn arriving(
    arena: &Arena,
    own: &OwnRisk,
    start: NodeIx,
    at: (Timestamp, Option<AlertId>),
    config: &RiskConfig,
) -> Vec<Arrived> {
    let (now, without) = at;
    let mine: Vec<RiskCause> = own.of(start).iter().map(|cause| cause.source).collect();
    // Keyed by what orders causes for good; the first (best) path to a cause wins.
    let mut best: BTreeMap<(u8, u128), Arrived> = BTreeMap::new();
    let mut done: FxHashSet<NodeIx> = FxHashSet::default();
    let mut came: FxHashMap<NodeIx, (NodeIx, EdgeIx)> = FxHashMap::default();
    let first = Step { factor: 1.0, id: 0, ix: start, depth: 0, via: start, came: None, kind: 0 };
    let mut open = BinaryHeap::from([first]);
    while let Some(step) = open.pop() {
        if done.len() >= config.spread.visited_max || !done.insert(step.ix) {
            continue;
        }
        if let Some((_, from, edge)) = step.came {
            came.insert(step.ix, (from, edge));
        }
        if step.ix != start {
            for (place, points) in own.points(step.ix, now, without, &config.own) {
                let source = own.of(step.ix)[place].source;
                let points = points * step.factor;
                let arrived = Arrived { origin: step.ix, via: step.via, place, source, points, path: Vec::new() };
                if !mine.contains(&source) {
                    let slot = best.entry(cause_key(source)).or_insert_with(|| arrived.clone());
                    if slot.points < points {
                        *slot = arrived;
                    }
                }
            }
        }
        if step.depth < config.spread.hops_max {
            expand(arena, &step, start, &config.spread, |next| {
                // At the last hop only nodes with causes matter: they are few, their neighbours many.
                let matters = next.depth < config.spread.hops_max || own.may_have(next.ix);
                if matters && !done.contains(&next.ix) {
                    open.push(next);
                }
            });
        }
    }
    let mut arrived: Vec<Arrived> = best.into_values().collect();
    arrived.sort_by(|a, b| b.points.total_cmp(&a.points).then_with(|| cause_key(a.source).cmp(&cause_key(b.source))));
    arrived.truncate(ARRIVED_MAX);
    for one in &mut arrived {
        let mut at = one.origin;
        while let Some(&(from, edge)) = came.get(&at) {
            one.path.push(edge);
            at = from;
        }
    }
    arrived
}

const fn cause_key(cause: RiskCause) -> (u8, u128) {
    match cause {
        RiskCause::Signal(id) => (0, id.0),
        RiskCause::Finding(id) => (1, id.0),
    }
}

fn expand(arena: &Arena, step: &Step, start: NodeIx, config: &SpreadConfig, mut found: impl FnMut(Step)) {
    for (observed, direction) in ALL_LISTS {
        let max = if observed == Observed::Structural { config.structural_max } else { config.observed_max };
        if arena.degree(step.ix, observed, direction) > max {
            continue;
        }
        for (edge_ix, edge) in arena.edges_at(step.ix, observed, direction) {
            let next = if direction == Direction::Out { edge.to } else { edge.from };
            let factor = step.factor * pass_factor(arena, edge, direction, config);
            if factor >= config.factor_min {
                let via = if step.ix == start { next } else { step.via };
                found(Step {
                    factor,
                    id: arena.id(next).0,
                    ix: next,
                    depth: step.depth + 1,
                    via,
                    came: Some((arena.id(step.ix).0, step.ix, edge_ix)),
                    kind: edge.kind as u8,
                });
            }
        }
    }
}

/// The risk of an entity at an instant, with contributions that add up exactly.
///
/// The propagated part fills what the own part leaves of 100: `score = own + (100 - own) * arriving / 100`.
#[must_use]
pub fn risk(arena: &Arena, own: &OwnRisk, ix: NodeIx, now: Timestamp, config: &RiskConfig) -> Risk {
    let mut contributions = Vec::new();
    for (place, points) in own.points(ix, now, None, &config.own) {
        let cause = &own.of(ix)[place];
        let reason = format!("{}: {}", cause.detector, cause.title);
        contributions.push(RiskContribution { points, reason, cause: cause.source, via: None });
    }
    let own_points: f64 = contributions.iter().map(|contribution| contribution.points).sum();
    let arrived = arriving(arena, own, ix, (now, None), config);
    let room = (100.0 - own_points) / 100.0;
    let mut propagated = 0.0;
    for (place, points) in rank_damped(arrived.iter().map(|arrived| arrived.points).enumerate().collect()) {
        let points = exact(points * room);
        if points > 0.0 {
            let from = &arrived[place];
            let cause = &own.of(from.origin)[from.place];
            let reason = format!(
                "{} {}: {}: {}",
                arena.node(from.origin).kind.as_str().to_lowercase().replace('_', " "),
                arena.name(from.origin),
                cause.detector,
                cause.title
            );
            contributions.push(RiskContribution { points, reason, cause: from.source, via: Some(arena.id(from.via)) });
            propagated += points;
        }
    }
    let score = own_points + propagated;
    Risk {
        score,
        level: Severity::of_score(score / 100.0),
        own: own_points,
        propagated,
        contributions,
        model: config.model.clone(),
    }
}
