//! Which open alerts a signal belongs to.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use riskgraph_domain::signal::TouchRole;
use riskgraph_domain::{AlertId, EntityKind, RelationKind, Timestamp};

use super::{Correlator, Touching};
use crate::graph::{ALL_LISTS, Arena, Direction, EdgeIx, NodeIx, Observed, RiskGraph};
use crate::spread::{CorrelateConfig, Influence};

/// Entities of one signal that are looked up, and from which links are walked (subjects first).
const LOOKED_UP_MAX: usize = 64;
const WALKED_MAX: usize = 8;
/// Nodes visited by one walk.
const VISITED_MAX: usize = 128;
/// Lists longer than this are not even searched for the relations that link.
const LIST_MAX: usize = 1_024;

/// Alerts a signal belongs to; with the relations that link them when it was not a shared entity.
pub(super) type Linked = BTreeMap<AlertId, Option<Vec<EdgeIx>>>;

/// Whether a walk may still go up to influencers, or only down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Up,
    Down,
}

/// A step of a walk: the relation, the node it leads to, and what may follow.
type Step = (EdgeIx, NodeIx, Phase);
/// How a walk came to its places.
type Came = BTreeMap<(NodeIx, Phase), Option<(NodeIx, Phase, EdgeIx)>>;

impl Correlator {
    /// Open alerts with the same campaign, a shared entity, or a common influencer near by, within their windows.
    pub(super) fn candidates(&self, touching: Touching<'_>, graph: &RiskGraph) -> Linked {
        let mut linked = Linked::new();
        if self.live.is_empty() {
            return linked;
        }
        let signal = touching.signal;
        let config = &graph.config.correlate;
        let at = (signal.occurred_at, config.window_h.hours_ms(&signal.detector));
        for id in signal.campaign.iter().filter_map(|campaign| self.by_campaign.get(campaign)).flatten() {
            if self.live.get(id).is_some_and(|live| live.near(at.0, at.1)) {
                linked.insert(*id, None);
            }
        }
        let mut nodes: Vec<(NodeIx, TouchRole)> =
            touching.nodes.iter().copied().filter(|(_, role)| *role != TouchRole::Context).collect();
        nodes.sort_by_key(|(_, role)| *role != TouchRole::Subject);
        for &(ix, role) in nodes.iter().take(LOOKED_UP_MAX) {
            self.sharing(ix, role, at, graph, &mut linked);
        }
        for &(ix, _) in nodes.iter().take(WALKED_MAX) {
            self.walk(ix, at, graph, &mut linked);
        }
        linked
    }

    fn sharing(&self, ix: NodeIx, role: TouchRole, at: (Timestamp, i64), graph: &RiskGraph, linked: &mut Linked) {
        let Some(ids) = self.by_entity.get(&ix) else { return };
        let entity = graph.arena.id(ix);
        let open = !shared_by_many(&graph.arena, ix, &graph.config.correlate);
        for id in ids {
            let Some(touch) = self.live.get(id).and_then(|live| live.touch_of(entity)) else { continue };
            // What both are about links them however busy it is.
            let both = role == TouchRole::Subject && touch.subject;
            if (open || both) && touch.near(at.0, at.1) {
                linked.entry(*id).or_insert(None);
            }
        }
    }

    /// Walks up to influencers and down from them again, and looks for alerts on the way.
    fn walk(&self, start: NodeIx, at: (Timestamp, i64), graph: &RiskGraph, linked: &mut Linked) {
        let config = &graph.config.correlate;
        if hub_kind(&graph.arena, start, config) {
            return;
        }
        let mut came = Came::new();
        came.insert((start, Phase::Up), None);
        let mut queue = VecDeque::from([(start, Phase::Up, 0_u32)]);
        while let Some((ix, phase, depth)) = queue.pop_front() {
            if ix != start && !shared_by_many(&graph.arena, ix, config) {
                for id in self.by_entity.get(&ix).into_iter().flatten() {
                    let touch = self.live.get(id).and_then(|live| live.touch_of(graph.arena.id(ix)));
                    if touch.is_some_and(|touch| touch.near(at.0, at.1)) {
                        linked.entry(*id).or_insert_with(|| Some(trace(&came, ix, phase)));
                    }
                }
            }
            if depth >= config.link_hops_max || came.len() > VISITED_MAX {
                continue;
            }
            for (edge, next, next_phase) in moves(&graph.arena, ix, phase, config) {
                came.entry((next, next_phase)).or_insert_with(|| {
                    queue.push_back((next, next_phase, depth + 1));
                    Some((ix, phase, edge))
                });
            }
        }
    }
}

fn trace(came: &Came, ix: NodeIx, phase: Phase) -> Vec<EdgeIx> {
    let mut path = Vec::new();
    let mut at = (ix, phase);
    while let Some(Some((before, before_phase, edge))) = came.get(&at) {
        path.push(*edge);
        at = (*before, *before_phase);
    }
    path
}

/// Steps of a walk from a node: up only while it has not gone down. Relations of a kind of which the node has too many are
/// left out; what remains is ordered by id, so that the order of arrival does not matter.
fn moves(arena: &Arena, ix: NodeIx, phase: Phase, config: &CorrelateConfig) -> Vec<Step> {
    let mut by_kind: BTreeMap<(RelationKind, Direction), Vec<Step>> = BTreeMap::new();
    for (observed, direction) in ALL_LISTS {
        if arena.degree(ix, observed, direction) > LIST_MAX {
            continue;
        }
        for (edge_ix, edge) in arena.edges_at(ix, observed, direction) {
            let Some(rule) = config.link.get(&edge.kind) else { continue };
            // A network owns addresses of strangers; an order has one buyer, a gift card goes from hand to hand.
            let placed = edge.kind == RelationKind::Placed;
            if arena.node(edge.from).kind == EntityKind::Network
                || (placed && arena.node(edge.to).kind != EntityKind::GiftCard)
            {
                continue;
            }
            let up = (direction == Direction::In) == (rule.influence == Influence::Along);
            let next_phase = if up { Phase::Up } else { Phase::Down };
            if next_phase >= phase {
                let next = if direction == Direction::Out { edge.to } else { edge.from };
                by_kind.entry((edge.kind, direction)).or_default().push((edge_ix, next, next_phase));
            }
        }
    }
    let mut steps = Vec::new();
    for ((kind, _), found) in by_kind {
        if config.link.get(&kind).is_some_and(|rule| found.len() <= rule.fanout_max) {
            steps.extend(found);
        }
    }
    steps.sort_by_key(|&(_, next, phase)| (arena.id(next), phase));
    steps
}

/// Whether so many others have to do with this entity that it says nothing about any one of them.
fn shared_by_many(arena: &Arena, ix: NodeIx, config: &CorrelateConfig) -> bool {
    config
        .shared_max
        .get(&arena.node(ix).kind)
        .is_some_and(|&max| max == 0 || arena.degree(ix, Observed::Observed, Direction::In) > max)
}

/// Whether entities of this kind never link.
fn hub_kind(arena: &Arena, ix: NodeIx, config: &CorrelateConfig) -> bool {
    config.shared_max.get(&arena.node(ix).kind) == Some(&0)
}

/// Alerts that have one of these entities or something it influences: those a change at a vendor matters to.
impl Correlator {
    pub(super) fn around(&self, ix: NodeIx, time: Timestamp, graph: &RiskGraph) -> BTreeSet<AlertId> {
        let mut linked = Linked::new();
        self.sharing(ix, TouchRole::Subject, (time, 0), graph, &mut linked);
        self.walk(ix, (time, 0), graph, &mut linked);
        linked.into_keys().collect()
    }
}
