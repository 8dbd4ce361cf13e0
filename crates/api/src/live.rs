//! Which alerts a subscriber wants. Must not know how alerts are stored: it judges one event at a time.

use riskgraph_domain::alert::{Alert, AlertFilter};
use riskgraph_domain::error::Fault;
use riskgraph_domain::id::EntityId;
use riskgraph_domain::ports::{GraphView, Records};

/// A subscriber's filter, with the entity of its vendor looked up once.
pub(crate) struct Wanted {
    filter: AlertFilter,
    vendor: Option<EntityId>,
}

impl Wanted {
    /// Looks up what the filter names; a vendor that does not exist is refused, for its stream would stay silent.
    pub(crate) async fn new(filter: AlertFilter, records: &dyn Records) -> Result<Self, Fault> {
        let vendor = match filter.vendor {
            Some(id) => {
                let vendor = records.vendor(id).await?.ok_or_else(|| Fault::not_found("vendor"))?;
                Some(vendor.entity().id())
            }
            None => None,
        };
        Ok(Self { filter, vendor })
    }

    /// Whether the alert, as it was right after this change, passes the filter.
    pub(crate) fn wants(&self, alert: &Alert, graph: &dyn GraphView) -> bool {
        let filter = &self.filter;
        (filter.status.is_empty() || filter.status.contains(&alert.status))
            && filter.min_severity.is_none_or(|least| alert.severity >= least)
            && filter.since.is_none_or(|since| alert.updated_at >= since)
            && filter.technique.as_deref().is_none_or(|wanted| has_technique(alert, wanted))
            && filter.entity.is_none_or(|entity| takes_part(alert, entity))
            && self.vendor.is_none_or(|vendor| takes_part(alert, vendor) || lies_on_path(alert, vendor, graph))
    }
}

/// A technique is also named by its parent: T1110 by T1110.004.
fn has_technique(alert: &Alert, wanted: &str) -> bool {
    alert.techniques.iter().any(|technique| {
        technique.as_str().strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

fn takes_part(alert: &Alert, entity: EntityId) -> bool {
    alert.entities.iter().any(|key| key.id() == entity)
}

fn lies_on_path(alert: &Alert, entity: EntityId, graph: &dyn GraphView) -> bool {
    let mut edges = alert.path.iter().filter_map(|&id| graph.relation(id));
    edges.any(|edge| edge.from == entity || edge.to == entity)
}
