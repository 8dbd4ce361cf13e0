//! What an alert says: its main entities, title, summary and the path that joins them, in plain words.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use riskgraph_domain::{EntityId, EntityKind, RelationId, RelationKind};

use super::live::Live;
use crate::facts::natural;
use crate::graph::{Arena, EdgeIx, NodeIx, RiskGraph};

/// Entities listed on an alert.
const LISTED_MAX: usize = 64;
/// Entities whose relations make the path, and relations in it.
const PATH_NODES_MAX: usize = 24;
const PATH_MAX: usize = 32;
/// Detectors named in a summary.
const NAMED_MAX: usize = 4;

/// An entity in a sentence: `API key ak_51d0`.
#[must_use]
pub(super) fn noun(arena: &Arena, ix: NodeIx) -> String {
    format!("{} {}", word(arena.node(ix).kind), arena.name(ix))
}

const fn word(kind: EntityKind) -> &'static str {
    match kind {
        EntityKind::Vendor => "vendor",
        EntityKind::Domain => "domain",
        EntityKind::Host => "host",
        EntityKind::Address => "address",
        EntityKind::Network => "network",
        EntityKind::Certificate => "certificate",
        EntityKind::Script => "script",
        EntityKind::Product => "product",
        EntityKind::Vulnerability => "vulnerability",
        EntityKind::Integration => "integration",
        EntityKind::ApiKey => "API key",
        EntityKind::Endpoint => "endpoint",
        EntityKind::User => "user",
        EntityKind::Staff => "staff",
        EntityKind::Session => "session",
        EntityKind::Device => "device",
        EntityKind::Card => "card",
        EntityKind::Order => "order",
        EntityKind::GiftCard => "gift card",
        EntityKind::Indicator => "indicator",
        EntityKind::Leak => "leak",
        EntityKind::Asset => "asset",
    }
}

impl Live {
    /// Writes entities, title, summary and path anew.
    pub(super) fn describe(&mut self, graph: &RiskGraph) {
        let arena = &graph.arena;
        let mut ranked: Vec<(EntityId, u32, bool)> =
            self.touched().iter().map(|(&id, touch)| (id, touch.count, touch.subject)).collect();
        ranked.sort_by(|a, b| b.1.cmp(&a.1).then(b.2.cmp(&a.2)).then(a.0.cmp(&b.0)));
        let nodes: Vec<NodeIx> = ranked.iter().take(LISTED_MAX).filter_map(|(id, ..)| arena.find(*id)).collect();
        if !ranked.is_empty() {
            self.alert.entities = nodes.iter().map(|&ix| arena.key(ix)).collect();
        }
        // Those the alert is about come first in words, whatever else was touched more often.
        ranked.sort_by(|a, b| b.2.cmp(&a.2).then(b.1.cmp(&a.1)).then(a.0.cmp(&b.0)));
        let main: Vec<NodeIx> = ranked.iter().take(PATH_NODES_MAX).filter_map(|(id, ..)| arena.find(*id)).collect();
        if let Some(title) = self.title(arena, &main) {
            self.alert.title = title;
        }
        self.alert.summary = self.summary(arena, &main, graph);
        self.alert.path = self.path(arena, &main);
    }

    fn vendor(&self, arena: &Arena, main: &[NodeIx]) -> Option<NodeIx> {
        let linked = self.links.iter().filter_map(|id| arena.find_relation(*id)).flat_map(|edge| {
            let edge = arena.edge(edge);
            [edge.from, edge.to]
        });
        main.iter().copied().chain(linked).find(|&ix| arena.node(ix).kind == EntityKind::Vendor)
    }

    fn title(&self, arena: &Arena, main: &[NodeIx]) -> Option<String> {
        let mut best: Vec<_> = self.detectors.iter().collect();
        best.sort_by(|a, b| b.1.score_ppm.cmp(&a.1.score_ppm).then(a.0.cmp(b.0)));
        // What a thing did says more than what was said about its vendor.
        let (_, top) = best.iter().find(|(name, _)| !is_intel(name)).or_else(|| best.first())?;
        let mut title = top.title.clone();
        if let Some(vendor) = self.vendor(arena, main)
            && !title.contains(arena.name(vendor).as_str())
        {
            title = format!("{title} (vendor {})", arena.name(vendor));
        }
        Some(title)
    }

    fn summary(&self, arena: &Arena, main: &[NodeIx], graph: &RiskGraph) -> String {
        let alert = &self.alert;
        let mut best: Vec<_> = self.detectors.iter().collect();
        best.sort_by(|a, b| b.1.score_ppm.cmp(&a.1.score_ppm).then(a.0.cmp(b.0)));
        let told: Vec<String> = best
            .iter()
            .take(NAMED_MAX)
            .map(
                |(_, best)| {
                    if best.count > 1 { format!("{} ({}x)", best.title, best.count) } else { best.title.clone() }
                },
            )
            .collect();
        let mut text = format!(
            "{} {} on {} {}: {}.",
            alert.count,
            if alert.count == 1 { "signal" } else { "signals" },
            alert.entities_total,
            if alert.entities_total == 1 { "entity" } else { "entities" },
            told.join("; "),
        );
        let subjects: Vec<String> = main.iter().take(NAMED_MAX).map(|&ix| noun(arena, ix)).collect();
        if !subjects.is_empty() {
            text.push_str(&format!(" Mainly {}.", subjects.join(", ")));
        }
        let n_said = best.iter().filter(|(name, _)| is_intel(name)).count();
        if n_said > 0 && n_said < best.len() {
            let said = best.iter().find(|(name, _)| is_intel(name)).map(|(_, best)| best.title.clone());
            let whose = self.vendor(arena, main).map(|ix| format!(" of {}", noun(arena, ix)));
            text.push_str(&format!(
                " Rated {} because of what was known before{}: {}.",
                alert.severity.as_str(),
                whose.unwrap_or_default(),
                said.unwrap_or_default()
            ));
        }
        let points = self.context_points(&graph.config.correlate);
        if let Some(backdrop) = self.backdrop.as_ref().filter(|_| points >= 1.0) {
            text.push_str(&format!(" Raised by {points:.0} points because of {}.", backdrop.reason));
        }
        text
    }

    /// Relations that join the main entities, from the vendor (or the main entity) outwards.
    fn path(&self, arena: &Arena, main: &[NodeIx]) -> Vec<RelationId> {
        let mut edges: BTreeSet<EdgeIx> = BTreeSet::new();
        let backdrop = self.backdrop.iter().flat_map(|backdrop| backdrop.path.iter());
        edges.extend(self.links.iter().chain(backdrop).filter_map(|id| arena.find_relation(*id)));
        let mut nodes: Vec<NodeIx> = main.to_vec();
        for &edge in &edges {
            for end in [arena.edge(edge).from, arena.edge(edge).to] {
                if !nodes.contains(&end) {
                    nodes.push(end);
                }
            }
        }
        for &a in &nodes {
            for &b in &nodes {
                edges.extend(joining(arena, a, b));
            }
        }
        ordered(arena, &nodes, &edges).into_iter().take(PATH_MAX).map(|edge| arena.relation_id(edge)).collect()
    }
}

/// Whether a detector reports what others said, not what was done here.
pub(super) fn is_intel(detector: &str) -> bool {
    matches!(detector, crate::stage::VENDOR_INCIDENT | crate::stage::LEAK_MATCH)
}

/// Live relations of the natural kinds from one node to another.
fn joining(arena: &Arena, a: NodeIx, b: NodeIx) -> impl Iterator<Item = EdgeIx> + '_ {
    let (from, to) = (arena.node(a).kind, arena.node(b).kind);
    let owns = (from == EntityKind::Domain && to == EntityKind::Script).then_some(RelationKind::Owns);
    let redeemed = (from == EntityKind::User && to == EntityKind::GiftCard).then_some(RelationKind::Redeemed);
    natural(from, to)
        .map(|(kind, _)| kind)
        .into_iter()
        .chain(owns)
        .chain(redeemed)
        .filter_map(move |kind| arena.find_edge(kind, a, b))
        .filter(|&edge| arena.edge(edge).confidence > 0.0)
}

/// The edges breadth first, each component from its vendor or else its first node.
fn ordered(arena: &Arena, nodes: &[NodeIx], edges: &BTreeSet<EdgeIx>) -> Vec<EdgeIx> {
    let mut at: BTreeMap<NodeIx, Vec<EdgeIx>> = BTreeMap::new();
    for &edge in edges {
        at.entry(arena.edge(edge).from).or_default().push(edge);
        at.entry(arena.edge(edge).to).or_default().push(edge);
    }
    for list in at.values_mut() {
        list.sort_by_cached_key(|&edge| arena.relation_id(edge));
    }
    let mut starts: Vec<NodeIx> = nodes.to_vec();
    starts.sort_by_key(|&ix| arena.node(ix).kind != EntityKind::Vendor);
    let mut order = Vec::new();
    let mut taken: BTreeSet<EdgeIx> = BTreeSet::new();
    let mut seen: BTreeSet<NodeIx> = BTreeSet::new();
    for start in starts {
        let mut queue = VecDeque::from([start]);
        while let Some(ix) = queue.pop_front() {
            if !seen.insert(ix) {
                continue;
            }
            for &edge in at.get(&ix).into_iter().flatten() {
                if taken.insert(edge) {
                    order.push(edge);
                }
                let ends = arena.edge(edge);
                queue.push_back(if ends.from == ix { ends.to } else { ends.from });
            }
        }
    }
    // Where it was read comes after what happened.
    order.sort_by_key(|&edge| arena.edge(edge).kind == RelationKind::MentionedIn);
    order
}
