//! Which alerts a subscriber wants. Must not know how alerts are stored: it judges one event at a time.

use riskgraph_domain::alert::{Alert, AlertFilter};
use riskgraph_domain::error::Fault;
use riskgraph_domain::id::EntityId;
use riskgraph_domain::ports::{GraphView, Records};
use riskgraph_domain::vendor::Vendor;
use riskgraph_domain::{EntityKey, EntityKind, Text};

/// A subscriber's filter, with what belongs to its vendor looked up once.
pub(crate) struct Wanted {
    filter: AlertFilter,
    vendor: Option<VendorNodes>,
}

/// The nodes that stand for a vendor: itself and its domains, and the integrations it runs, whose keys count too.
struct VendorNodes {
    own: Vec<EntityId>,
    integrations: Vec<EntityId>,
}

impl VendorNodes {
    fn of(vendor: &Vendor) -> Self {
        let id = |kind, key: &Text| EntityKey::new(kind, key.clone()).id();
        let domains = vendor.domains.iter().map(|domain| id(EntityKind::Domain, domain));
        Self {
            own: std::iter::once(vendor.entity().id()).chain(domains).collect(),
            integrations: vendor.integrations.iter().map(|name| id(EntityKind::Integration, name)).collect(),
        }
    }

    fn meets(&self, alert: &Alert, graph: &dyn GraphView) -> bool {
        let keys = self.integrations.iter().flat_map(|&integration| graph.keys_of(integration)).map(|key| key.id);
        let mut nodes = self.own.iter().chain(&self.integrations).copied().chain(keys);
        nodes.any(|node| takes_part(alert, node) || lies_on_path(alert, node, graph))
    }
}

impl Wanted {
    /// Looks up what the filter names; a vendor that does not exist is refused, for its stream would stay silent.
    pub(crate) async fn new(filter: AlertFilter, records: &dyn Records) -> Result<Self, Fault> {
        let vendor = match filter.vendor {
            Some(id) => {
                let vendor = records.vendor(id).await?.ok_or_else(|| Fault::not_found("vendor"))?;
                Some(VendorNodes::of(&vendor))
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
            && filter.muted.is_none_or(|wanted| alert.muted.is_some() == wanted)
            && filter.overdue.is_none_or(|wanted| alert.overdue() == wanted)
            && filter.assignee.as_ref().is_none_or(|wanted| is_assigned(alert, wanted))
            && filter.query.as_deref().is_none_or(|wanted| has_text(alert, wanted))
            && filter.case.is_none_or(|case| alert.cases.contains(&case))
            && (filter.verdict.is_empty() || alert.verdict.is_some_and(|verdict| filter.verdict.contains(&verdict)))
            && filter.entity.is_none_or(|entity| takes_part(alert, entity))
            && self.vendor.as_ref().is_none_or(|vendor| vendor.meets(alert, graph))
    }
}

/// A technique is also named by its parent: T1110 by T1110.004.
fn has_technique(alert: &Alert, wanted: &str) -> bool {
    alert.techniques.iter().any(|technique| {
        technique.as_str().strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

fn is_assigned(alert: &Alert, wanted: &Text) -> bool {
    alert.assignee.as_ref().is_some_and(|assignee| assignee.to_lowercase() == wanted.to_lowercase())
}

/// Part of the title, the summary or an entity's key, without case.
fn has_text(alert: &Alert, wanted: &str) -> bool {
    let wanted = wanted.to_lowercase();
    let keys = alert.entities.iter().map(|entity| entity.key.as_str());
    [alert.title.as_str(), alert.summary.as_str()]
        .into_iter()
        .chain(keys)
        .any(|text| text.to_lowercase().contains(&wanted))
}

fn takes_part(alert: &Alert, entity: EntityId) -> bool {
    alert.entities.iter().any(|key| key.id() == entity)
}

fn lies_on_path(alert: &Alert, entity: EntityId, graph: &dyn GraphView) -> bool {
    let mut edges = alert.path.iter().filter_map(|&id| graph.relation(id));
    edges.any(|edge| edge.from == entity || edge.to == entity)
}
