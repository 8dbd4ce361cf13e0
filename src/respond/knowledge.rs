//! What is known of an alert beyond its own row: everything its signals touch, what hangs on it, whose it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use riskgraph_analysis::decide::facts::{FactEntity, Known, LIST_MAX};
use riskgraph_domain::alert::Alert;
use riskgraph_domain::error::Fault;
use riskgraph_domain::graph::Relation;
use riskgraph_domain::page::{PAGE_MAX, PageRequest};
use riskgraph_domain::ports::{GraphView, Records, SignalFilter};
use riskgraph_domain::signal::TouchRole;
use riskgraph_domain::time::HOUR_MS;
use riskgraph_domain::{EntityKey, EntityKind, RelationKind};

/// Pages of an alert's signals that are looked at: its newest thousand.
const SIGNAL_PAGES_MAX: usize = 10;
/// Entities whose neighbours are looked at.
const SOURCES_MAX: usize = 200;
/// Neighbours of one entity.
const NEIGHBOURS_MAX: usize = 50;
/// Owners of one target that are looked at.
const OWNERS_MAX: usize = 32;
/// What a user placed this long before the alert opened may still belong to the attack.
const PLACED_BEFORE_MS: i64 = HOUR_MS;

/// Looks things up; cheap to clone.
#[derive(Clone)]
pub(super) struct Knowledge {
    pub(super) records: Arc<dyn Records>,
    pub(super) graph: Arc<dyn GraphView>,
}

impl Knowledge {
    /// Everything a playbook may ask or aim at.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) async fn of(&self, alert: &Alert) -> Result<Known, Fault> {
        let entities = self.entities(alert).await?;
        let related = self.related(alert, &entities);
        let vendors = self.records.vendors_by_id(&alert.vendors).await?;
        Ok(Known {
            detectors: alert.detectors.iter().cloned().collect(),
            entities,
            related,
            vendors,
            opened_at: alert.accepted_at,
            muted: alert.muted.is_some(),
        })
    }

    /// What the signals touch, subjects and the most touched first.
    async fn entities(&self, alert: &Alert) -> Result<Vec<FactEntity>, Fault> {
        let mut touched: BTreeMap<EntityKey, (u8, u32)> =
            alert.entities.iter().map(|key| (key.clone(), (1, 0))).collect();
        let mut page = PageRequest::first(PAGE_MAX);
        for _ in 0..SIGNAL_PAGES_MAX {
            let filter = SignalFilter { alert: Some(alert.id), ..SignalFilter::default() };
            let signals = self.records.signals(filter, page).await?;
            for (_, signal) in &signals.items {
                for touch in &signal.entities {
                    let rank = match touch.role {
                        TouchRole::Subject => 0,
                        TouchRole::Involved => 1,
                        TouchRole::Context => 2,
                    };
                    let seen = touched.entry(touch.entity.clone()).or_insert((rank, 0));
                    *seen = (seen.0.min(rank), seen.1.saturating_add(1));
                }
            }
            match signals.items.last() {
                Some((cursor, _)) if signals.has_next => {
                    page = PageRequest { first: PAGE_MAX, after: Some(cursor.clone()) };
                }
                _ => break,
            }
        }
        let mut ranked: Vec<(EntityKey, (u8, u32))> = touched.into_iter().collect();
        ranked.sort_by(|a, b| a.1.0.cmp(&b.1.0).then(b.1.1.cmp(&a.1.1)).then(a.0.cmp(&b.0)));
        ranked.truncate(LIST_MAX);
        let ids: Vec<_> = ranked.iter().map(|(key, _)| key.id()).collect();
        let known = self.graph.entities(&ids);
        let named = ranked.into_iter().zip(known).map(|((key, (rank, signals)), entity)| FactEntity {
            name: entity.map_or_else(|| key.key.clone(), |entity| entity.name),
            role: ["subject", "involved", "context"][usize::from(rank.min(2))].into(),
            signals,
            via: None,
            key,
        });
        Ok(named.collect())
    }

    /// What hangs on the entities: keys and integrations of vendors, scripts, what a user ordered during the attack.
    fn related(&self, alert: &Alert, entities: &[FactEntity]) -> Vec<FactEntity> {
        use RelationKind as R;
        let mut found: BTreeMap<EntityKey, FactEntity> = BTreeMap::new();
        let sources = entities.iter().filter(|entity| entity.role.as_str() != "context").take(SOURCES_MAX);
        for source in sources {
            let (kinds, hops): (&[R], u8) = match source.key.kind {
                EntityKind::Vendor => (&[R::Operates, R::Uses, R::Owns, R::Loads], 2),
                EntityKind::Integration => (&[R::Uses], 1),
                EntityKind::ApiKey => (&[R::Uses], 1),
                EntityKind::User | EntityKind::Staff => (&[R::Placed], 1),
                EntityKind::Domain | EntityKind::Host => (&[R::Loads, R::Owns], 1),
                _ => continue,
            };
            let mut from = vec![source.key.clone()];
            for _ in 0..hops {
                let mut next = Vec::new();
                for key in &from {
                    for (relation, other) in self.neighbours(key, kinds) {
                        let stale =
                            relation.kind == R::Placed && relation.last_seen < alert.opened_at - PLACED_BEFORE_MS;
                        let is_listed = entities.iter().any(|entity| entity.key == other.key);
                        if stale || is_listed || found.len() >= LIST_MAX || found.contains_key(&other.key) {
                            continue;
                        }
                        next.push(other.key.clone());
                        found.insert(other.key.clone(), FactEntity { via: Some(source.key.clone()), ..other });
                    }
                }
                from = next;
            }
        }
        found.into_values().collect()
    }

    /// Entities at the other end of these relations.
    fn neighbours(&self, key: &EntityKey, kinds: &[RelationKind]) -> Vec<(Relation, FactEntity)> {
        let id = key.id();
        let page = self.graph.relations(id, kinds, &PageRequest::first(NEIGHBOURS_MAX));
        let ends = page.items.into_iter().map(|(_, relation)| {
            let other = if relation.from == id { relation.to } else { relation.from };
            (relation, other)
        });
        let known = ends.filter_map(|(relation, other)| Some((relation, self.graph.entity(other)?)));
        known
            .map(|(relation, entity)| {
                let key = EntityKey { kind: entity.kind, key: entity.key };
                (relation, FactEntity { key, name: entity.name, role: "related".into(), signals: 0, via: None })
            })
            .collect()
    }

    /// What a target belongs to: the integration of a key, the vendor of an integration, of a domain, of a script.
    #[must_use]
    pub(super) fn owners(&self, target: &EntityKey) -> Vec<EntityKey> {
        use RelationKind as R;
        let mut owners: Vec<EntityKey> = Vec::new();
        let mut from = vec![target.clone()];
        for _ in 0..2 {
            let mut next = Vec::new();
            for key in &from {
                let id = key.id();
                for (relation, other) in self.neighbours(key, &[R::Uses, R::Operates, R::Owns, R::Loads]) {
                    if relation.to == id && owners.len() < OWNERS_MAX && !owners.contains(&other.key) {
                        owners.push(other.key.clone());
                        next.push(other.key);
                    }
                }
            }
            from = next;
        }
        owners
    }
}
