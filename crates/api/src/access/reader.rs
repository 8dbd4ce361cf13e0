//! What the capability [`Capability::Read`] allows.

use std::sync::Arc;

use riskgraph_domain::access::{Capability, Viewer};
use riskgraph_domain::alert::Alert;
use riskgraph_domain::delivery::{ChannelView, Delivery, DeliveryDesk, DeliveryFilter};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::graph::{Entity, EntityKey, EntityKind, Relation};
use riskgraph_domain::id::{
    AlertId, CaseId, ChannelId, DeliveryId, EntityId, FindingId, PlaybookId, RelationId, SignalId, SilenceId, VendorId,
};
use riskgraph_domain::page::{Page, PageRequest};
use riskgraph_domain::playbook::{DryRun, PlaybookDesk, Runs};
use riskgraph_domain::ports::{BaselineView, GraphView, Live, Records};
use riskgraph_domain::posture::{Finding, Posture, PostureDesk};
use riskgraph_domain::report::Reports;
use riskgraph_domain::signal::Signal;
use riskgraph_domain::text::Text;
use riskgraph_domain::time::Timestamp;
use riskgraph_domain::triage::{Case, PastAlerts, Silence, TriageRecords};
use riskgraph_domain::vendor::{Integration, Vendor};

use super::{Grant, Session};

/// Kinds under which the graph knows what a check judges, most exact first.
const ASSET_KINDS: [EntityKind; 3] = [EntityKind::Host, EntityKind::Domain, EntityKind::Asset];

/// May read vendors, graph, findings, signals and alerts.
pub(crate) struct Reader(Arc<Session>);

impl Grant for Reader {
    const CAPABILITY: Capability = Capability::Read;
    fn wrap(session: Arc<Session>) -> Self {
        Self(session)
    }
}

impl Reader {
    pub(crate) fn graph(&self) -> &dyn GraphView {
        &*self.0.services.graph
    }

    pub(crate) fn records(&self) -> &dyn Records {
        &*self.0.services.records
    }

    pub(crate) fn triage(&self) -> &dyn TriageRecords {
        &*self.0.services.triage
    }

    pub(crate) fn past(&self) -> &dyn PastAlerts {
        &*self.0.services.past
    }

    pub(crate) async fn alert(&self, id: AlertId) -> Result<Option<Alert>, Fault> {
        self.0.spend(1)?;
        self.0.loaders.alerts.load_one(id).await
    }

    pub(crate) async fn silence(&self, id: SilenceId) -> Result<Option<Silence>, Fault> {
        self.0.spend(1)?;
        self.0.loaders.silences.load_one(id).await
    }

    /// The cases of these ids that exist, in the order given.
    pub(crate) async fn cases(&self, ids: &[CaseId]) -> Result<Vec<Case>, Fault> {
        self.0.spend(ids.len())?;
        let mut found = self.0.loaders.cases.load_many(ids.iter().copied()).await?;
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }

    pub(crate) fn baseline(&self) -> &dyn BaselineView {
        &*self.0.services.baseline
    }

    pub(crate) fn playbooks(&self) -> &dyn PlaybookDesk {
        &*self.0.services.playbooks
    }

    pub(crate) fn runs(&self) -> &dyn Runs {
        &*self.0.services.runs
    }

    pub(crate) fn viewer(&self) -> &Viewer {
        &self.0.viewer
    }

    pub(crate) fn live(&self) -> &dyn Live {
        &*self.0.services.live
    }

    pub(crate) fn postures(&self) -> &dyn PostureDesk {
        &*self.0.services.postures
    }

    pub(crate) fn reports(&self) -> &dyn Reports {
        &*self.0.services.reports
    }

    pub(crate) fn delivery(&self) -> &dyn DeliveryDesk {
        &*self.0.services.delivery
    }

    /// A page of deliveries; each names its alert.
    pub(crate) async fn deliveries(&self, filter: DeliveryFilter, page: PageRequest) -> Result<Page<Delivery>, Fault> {
        let found = self.delivery().deliveries(filter, page).await?;
        found.items.iter().filter_map(|(_, delivery)| delivery.alert).for_each(|alert| self.0.trail.about(alert));
        Ok(found)
    }

    pub(crate) async fn delivery_by_id(&self, id: DeliveryId) -> Result<Option<Delivery>, Fault> {
        let found = self.delivery().delivery(id).await?;
        found.iter().filter_map(|delivery| delivery.alert).for_each(|alert| self.0.trail.about(alert));
        Ok(found)
    }

    /// What a playbook would do about an alert; it names whom it would do it to.
    pub(crate) async fn dry_run(&self, playbook: PlaybookId, alert: AlertId) -> Result<DryRun, Fault> {
        let dry = self.playbooks().dry_run(playbook, alert).await?;
        self.0.trail.about(alert);
        Ok(dry)
    }

    pub(crate) async fn channel(&self, id: ChannelId) -> Result<Option<ChannelView>, Fault> {
        self.0.spend(1)?;
        self.0.loaders.channels.load_one(id).await
    }

    /// The session, for streams that outlive the call.
    pub(crate) fn session(&self) -> Arc<Session> {
        Arc::clone(&self.0)
    }

    /// Counts the rows of a page against the request's budget.
    pub(crate) fn spend<T>(&self, page: Page<T>) -> Result<Page<T>, Fault> {
        self.0.spend(page.items.len())?;
        Ok(page)
    }

    /// Counts the rows of a list against the request's budget.
    pub(crate) fn spend_list<T>(&self, list: Vec<T>) -> Result<Vec<T>, Fault> {
        self.0.spend(list.len())?;
        Ok(list)
    }

    pub(crate) async fn vendor(&self, id: VendorId) -> Result<Option<Vendor>, Fault> {
        self.0.spend(1)?;
        self.0.loaders.vendors.load_one(id).await
    }

    pub(crate) async fn signal(&self, id: SignalId) -> Result<Option<Signal>, Fault> {
        self.0.spend(1)?;
        // The loader is shared by all requests, so it leaves no trail by itself.
        Ok(self.0.loaders.signals.load_one(id).await?.inspect(|signal| self.0.trail.signal(signal)))
    }

    pub(crate) async fn finding(&self, id: FindingId) -> Result<Option<Finding>, Fault> {
        self.0.spend(1)?;
        self.0.loaders.findings.load_one(id).await
    }

    /// The findings of these ids that exist, in the order given.
    pub(crate) async fn findings(&self, ids: &[FindingId]) -> Result<Vec<Finding>, Fault> {
        self.0.spend(ids.len())?;
        let mut found = self.0.loaders.findings.load_many(ids.iter().copied()).await?;
        Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
    }

    pub(crate) async fn posture(&self, vendor: VendorId) -> Result<Option<Posture>, Fault> {
        self.0.spend(1)?;
        self.0.loaders.postures.load_one(vendor).await
    }

    pub(crate) fn entity(&self, id: EntityId) -> Result<Option<Entity>, Fault> {
        self.0.spend(1)?;
        Ok(self.graph().entity(id))
    }

    /// The entity at the end of an edge or behind a key, which the graph must know.
    pub(crate) fn entity_known(&self, id: EntityId) -> Result<Entity, Fault> {
        self.entity(id)?.ok_or_else(|| Fault::not_found("entity"))
    }

    /// The entities of these ids that the graph knows, in the order given.
    pub(crate) fn entities(&self, ids: &[EntityId]) -> Result<Vec<Entity>, Fault> {
        self.0.spend(ids.len())?;
        Ok(self.graph().entities(ids).into_iter().flatten().collect())
    }

    /// The relations of these ids that the graph knows, in the order given.
    pub(crate) fn relations(&self, ids: &[RelationId]) -> Result<Vec<Relation>, Fault> {
        self.0.spend(ids.len())?;
        Ok(ids.iter().filter_map(|&id| self.graph().relation(id)).collect())
    }

    /// A vendor's node. A vendor just added may not be in the graph yet; all that such a node has is known here too.
    pub(crate) fn entity_of_vendor(&self, vendor: &Vendor) -> Result<Entity, Fault> {
        let known = self.entity(vendor.entity().id())?;
        let span = (vendor.added_at, vendor.added_at);
        Ok(known.unwrap_or_else(|| told(vendor.entity(), vendor.name.clone(), "declared", span)))
    }

    /// An integration's node. One that was declared with its vendor and never called may not be in the graph yet.
    pub(crate) async fn entity_of_integration(&self, integration: &Integration) -> Result<Entity, Fault> {
        let key = EntityKey::new(EntityKind::Integration, integration.name.clone());
        if let Some(known) = self.entity(key.id())? {
            return Ok(known);
        }
        let vendor = match integration.vendor {
            Some(id) => self.vendor(id).await?,
            None => None,
        };
        let vendor = vendor.ok_or_else(|| {
            Fault::new(FaultCode::NotFound, "the integration is not in the graph yet; ask again in a moment")
        })?;
        Ok(told(key, integration.name.clone(), "declared", (vendor.added_at, vendor.added_at)))
    }

    /// The node of what a finding was judged on, under the most exact kind the graph knows it by. The graph may have
    /// forgotten it; the finding itself still tells its name and when it was seen.
    pub(crate) fn asset_of_finding(&self, finding: &Finding) -> Result<Entity, Fault> {
        let asset = &finding.outcome.asset;
        let keys = ASSET_KINDS.map(|kind| EntityKey::new(kind, asset.clone()));
        if let Some(known) = self.entities(&keys.each_ref().map(EntityKey::id))?.into_iter().next() {
            return Ok(known);
        }
        let key = EntityKey::new(EntityKind::Domain, asset.clone());
        Ok(told(key, asset.clone(), "finding", (finding.first_seen, finding.last_seen)))
    }
}

/// The node of something that is known because somebody said so, not because the graph saw it.
fn told(key: EntityKey, name: Text, source: &str, (first_seen, last_seen): (Timestamp, Timestamp)) -> Entity {
    Entity {
        id: key.id(),
        kind: key.kind,
        key: key.key,
        name,
        attributes: serde_json::json!({ "source": source }),
        first_seen,
        last_seen,
    }
}
