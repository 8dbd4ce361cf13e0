//! Questions about entities and their relations.

use std::collections::{BTreeMap, BTreeSet};

use riskgraph_domain::graph::{Concentration, Entity, Relation};
use riskgraph_domain::page::{Page, PageRequest};
use riskgraph_domain::{EntityId, EntityKey, EntityKind, RelationId, RelationKind};

use super::RiskGraph;
use super::arena::{ALL_LISTS, Direction, EdgeIx, NodeIx, Observed};

/// Up to this many relations at an entity are ordered by when they were last seen; more by when they came.
const SORTED_MAX: usize = 1_000;
/// Relations of one sort at a hub that can be paged through: the newest.
const PAGED_MAX: usize = 20_000;
/// API keys told of one integration, and relations of one vendor's dependencies.
const KEYS_MAX: usize = 1_000;
const FOURTH_MAX: usize = 1_000;
/// Domains of one vendor that are looked at.
const DOMAINS_MAX: usize = 256;
/// What a crawl calls itself in `Relation::source`.
const CRAWL: &str = "crawl";
/// The attribute of a vendor's entity that says how much the shop depends on it.
pub(crate) const TIER: &str = "tier";

impl RiskGraph {
    #[must_use]
    pub fn entity(&self, id: EntityId) -> Option<Entity> {
        self.arena.find(id).map(|ix| self.arena.entity(ix))
    }

    #[must_use]
    pub fn entities(&self, ids: &[EntityId]) -> Vec<Option<Entity>> {
        ids.iter().map(|&id| self.entity(id)).collect()
    }

    #[must_use]
    pub fn relation(&self, id: RelationId) -> Option<Relation> {
        self.arena.find_relation(id).map(|ix| self.arena.relation(ix))
    }

    /// Relations at this entity in both directions, newest first; the cursor is the relation's id. At a hub only the newest
    /// [`PAGED_MAX`] of each sort.
    #[must_use]
    pub fn relations(&self, entity: EntityId, kinds: &[RelationKind], page: &PageRequest) -> Page<Relation> {
        let Some(ix) = self.arena.find(entity) else { return Page::default() };
        let degree: usize = ALL_LISTS.iter().map(|&(observed, way)| self.arena.degree(ix, observed, way)).sum();
        let mut edges: Vec<EdgeIx> = ALL_LISTS
            .iter()
            .flat_map(|&(observed, way)| self.arena.edges_at(ix, observed, way).take(PAGED_MAX))
            .filter(|(_, edge)| kinds.is_empty() || kinds.contains(&edge.kind))
            .map(|(edge, _)| edge)
            .collect();
        if degree <= SORTED_MAX {
            let mut rows: Vec<Relation> = edges.into_iter().map(|edge| self.arena.relation(edge)).collect();
            rows.sort_by(|a, b| b.last_seen.cmp(&a.last_seen).then_with(|| a.id.cmp(&b.id)));
            let total = rows.len();
            let start = after(&page.after, |id| rows.iter().position(|row| row.id == id));
            return paged(rows.into_iter().skip(start), page.first, total);
        }
        edges.sort_unstable_by(|a, b| b.cmp(a));
        let total = edges.len();
        let start = after(&page.after, |id| {
            let last = self.arena.find_relation(id)?;
            Some(edges.partition_point(|&edge| edge > last))
        });
        paged(edges.into_iter().skip(start).map(|edge| self.arena.relation(edge)), page.first, total)
    }

    /// How many vendors depend on each provider, the most concentrated first.
    #[must_use]
    pub fn concentration(&self, first: usize) -> Vec<Concentration> {
        let mut users: BTreeMap<EntityId, (NodeIx, u32, u32)> = BTreeMap::new();
        // Without a tier it is nobody's vendor (any more): a company that a crawl named.
        let registered = |&ix: &NodeIx| self.arena.attribute(ix, TIER).map(|tier| (ix, tier));
        let vendors: Vec<_> = self.vendor_nodes().iter().filter_map(registered).collect();
        for (vendor, tier) in &vendors {
            let (vendor, critical) = (*vendor, tier.as_str() == "CRITICAL");
            let providers: BTreeSet<NodeIx> =
                self.dependencies(vendor).into_iter().map(|edge| self.arena.edge(edge).to).collect();
            for provider in providers {
                let slot = users.entry(self.arena.id(provider)).or_insert((provider, 0, 0));
                slot.1 += 1;
                slot.2 += u32::from(critical);
            }
        }
        let all = vendors.len().max(1) as f64;
        let mut rows: Vec<(NodeIx, u32, u32)> = users.into_values().collect();
        rows.sort_by_key(|&(_, vendors, critical)| std::cmp::Reverse((vendors, critical)));
        rows.truncate(first);
        rows.into_iter()
            .map(|(ix, vendors, critical_vendors)| Concentration {
                entity: self.arena.entity(ix),
                vendors,
                critical_vendors,
                share: f64::from(vendors) / all,
            })
            .collect()
    }

    /// What the vendor's own crawl showed it depends on.
    #[must_use]
    pub fn fourth_parties(&self, vendor: &EntityKey) -> Vec<Relation> {
        let Some(ix) = self.arena.find(vendor.id()) else { return Vec::new() };
        let mut rows: Vec<Relation> = self.dependencies(ix).into_iter().map(|edge| self.arena.relation(edge)).collect();
        rows.retain(|row| row.source.as_str() == CRAWL);
        rows
    }

    /// Edges from a vendor or one of its domains to what they depend on.
    fn dependencies(&self, vendor: NodeIx) -> Vec<EdgeIx> {
        let domains = self
            .arena
            .edges_at(vendor, Observed::Structural, Direction::Out)
            .filter(|(_, edge)| edge.kind == RelationKind::Owns && self.arena.node(edge.to).kind == EntityKind::Domain)
            .map(|(_, edge)| edge.to)
            .take(DOMAINS_MAX);
        let mut edges = Vec::new();
        for ix in std::iter::once(vendor).chain(domains) {
            for (edge_ix, edge) in self.arena.edges_at(ix, Observed::Structural, Direction::Out) {
                let depends = matches!(edge.kind, RelationKind::DependsOn | RelationKind::Runs)
                    || (edge.kind == RelationKind::Loads && ix != vendor);
                if depends && edges.len() < FOURTH_MAX {
                    edges.push(edge_ix);
                }
            }
        }
        edges
    }

    /// API keys of an integration.
    #[must_use]
    pub fn keys_of(&self, integration: EntityId) -> Vec<Entity> {
        let Some(ix) = self.arena.find(integration) else { return Vec::new() };
        let mut keys: Vec<Entity> = self
            .arena
            .edges_at(ix, Observed::Structural, Direction::Out)
            .filter(|(_, edge)| edge.kind == RelationKind::Uses && self.arena.node(edge.to).kind == EntityKind::ApiKey)
            .take(KEYS_MAX)
            .map(|(_, edge)| self.arena.entity(edge.to))
            .collect();
        keys.sort_by(|a, b| a.key.cmp(&b.key));
        keys
    }
}

/// Where a page starts: behind the row of the cursor, or at the beginning when the cursor is none of ours.
fn after(cursor: &Option<String>, find: impl Fn(RelationId) -> Option<usize>) -> usize {
    cursor.as_ref().and_then(|text| text.parse().ok()).and_then(find).map_or(0, |place| place + 1)
}

fn paged(rows: impl Iterator<Item = Relation>, first: usize, total: usize) -> Page<Relation> {
    let mut items: Vec<(String, Relation)> = rows.take(first + 1).map(|row| (row.id.to_string(), row)).collect();
    let has_next = items.len() > first;
    items.truncate(first);
    Page { items, has_next, total: Some(total as u64) }
}
