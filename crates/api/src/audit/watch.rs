//! The graph, the records, the streams, triage and runs as a request sees them: what is personal in what they give is
//! noted.
//!
//! Data comes from nowhere else, so a resolver cannot read past it. A new method of these ports does not compile before
//! it is here.

mod action;

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{BoxStream, StreamExt};
use riskgraph_domain::alert::{Alert, AlertEvent, AlertFilter};
use riskgraph_domain::error::Fault;
use riskgraph_domain::graph::{Concentration, Entity, EntityKey, EntityKind, Reached, Relation, RelationKind, Risk};
use riskgraph_domain::id::{AlertId, EntityId, FindingId, IntegrationId, RelationId, SignalId, VendorId};
use riskgraph_domain::page::{Page, PageRequest};
use riskgraph_domain::ports::{
    AssessmentProgress, FindingFilter, GraphView, Live, LiveAlert, Records, SignalFilter, VendorFilter,
};
use riskgraph_domain::posture::{Finding, Posture};
use riskgraph_domain::signal::Signal;
use riskgraph_domain::time::Timestamp;
use riskgraph_domain::vendor::{Integration, Vendor};

use super::trail::Trail;
use crate::services::Services;

type Result<T> = std::result::Result<T, Fault>;

/// The services of one request, whose reads leave a trail.
pub(crate) fn watched(services: &Services, trail: &Arc<Trail>) -> Services {
    Services {
        graph: Arc::new(Watched { inner: Arc::clone(&services.graph), trail: Arc::clone(trail) }),
        records: Arc::new(Watched { inner: Arc::clone(&services.records), trail: Arc::clone(trail) }),
        live: Arc::new(Watched { inner: Arc::clone(&services.live), trail: Arc::clone(trail) }),
        triage: Arc::new(Watched { inner: Arc::clone(&services.triage), trail: Arc::clone(trail) }),
        past: Arc::new(Watched { inner: Arc::clone(&services.past), trail: Arc::clone(trail) }),
        runs: Arc::new(Watched { inner: Arc::clone(&services.runs), trail: Arc::clone(trail) }),
        ..services.clone()
    }
}

struct Watched<T: ?Sized> {
    inner: Arc<T>,
    trail: Arc<Trail>,
}

impl GraphView for Watched<dyn GraphView> {
    fn entity(&self, id: EntityId) -> Option<Entity> {
        self.inner.entity(id).inspect(|entity| self.trail.entity(entity))
    }
    fn entities(&self, ids: &[EntityId]) -> Vec<Option<Entity>> {
        let found = self.inner.entities(ids);
        found.iter().flatten().for_each(|entity| self.trail.entity(entity));
        found
    }
    fn search(
        &self,
        query: Option<&str>,
        kinds: &[EntityKind],
        min_risk: Option<f64>,
        page: &PageRequest,
    ) -> Page<Entity> {
        let found = self.inner.search(query, kinds, min_risk, page);
        found.items.iter().for_each(|(_, entity)| self.trail.entity(entity));
        found
    }
    fn relation(&self, id: RelationId) -> Option<Relation> {
        self.inner.relation(id)
    }
    fn relations(&self, entity: EntityId, kinds: &[RelationKind], page: &PageRequest) -> Page<Relation> {
        self.inner.relations(entity, kinds, page)
    }
    fn risk(&self, entity: EntityId) -> Option<Risk> {
        self.inner.risk(entity)
    }
    fn path(&self, from: EntityId, to: EntityId, max_depth: u32) -> Option<Vec<Relation>> {
        self.inner.path(from, to, max_depth)
    }
    fn blast_radius(&self, entity: EntityId, max_depth: u32) -> Vec<Reached> {
        let found = self.inner.blast_radius(entity, max_depth);
        found.iter().for_each(|reached| self.trail.entity(&reached.entity));
        found
    }
    fn concentration(&self, first: usize) -> Vec<Concentration> {
        let found = self.inner.concentration(first);
        found.iter().for_each(|concentration| self.trail.entity(&concentration.entity));
        found
    }
    fn fourth_parties(&self, vendor: &EntityKey) -> Vec<Relation> {
        self.inner.fourth_parties(vendor)
    }
    fn keys_of(&self, integration: EntityId) -> Vec<Entity> {
        let found = self.inner.keys_of(integration);
        found.iter().for_each(|entity| self.trail.entity(entity));
        found
    }
}

#[async_trait]
impl Records for Watched<dyn Records> {
    async fn vendors(&self, filter: VendorFilter, page: PageRequest) -> Result<Page<Vendor>> {
        self.inner.vendors(filter, page).await
    }
    async fn vendor(&self, id: VendorId) -> Result<Option<Vendor>> {
        self.inner.vendor(id).await
    }
    async fn vendor_by_name(&self, name: &str) -> Result<Option<Vendor>> {
        self.inner.vendor_by_name(name).await
    }
    async fn vendor_by_domain(&self, domain: &str) -> Result<Option<Vendor>> {
        self.inner.vendor_by_domain(domain).await
    }
    async fn integrations(&self, vendor: Option<VendorId>, page: PageRequest) -> Result<Page<Integration>> {
        self.inner.integrations(vendor, page).await
    }
    async fn integration(&self, id: IntegrationId) -> Result<Option<Integration>> {
        self.inner.integration(id).await
    }
    async fn integration_by_name(&self, name: &str) -> Result<Option<Integration>> {
        self.inner.integration_by_name(name).await
    }
    async fn postures(&self, vendor: VendorId, since: Option<Timestamp>) -> Result<Vec<Posture>> {
        self.inner.postures(vendor, since).await
    }
    async fn findings(&self, filter: FindingFilter, page: PageRequest) -> Result<Page<Finding>> {
        self.inner.findings(filter, page).await
    }
    async fn finding(&self, id: FindingId) -> Result<Option<Finding>> {
        self.inner.finding(id).await
    }
    async fn signals(&self, filter: SignalFilter, page: PageRequest) -> Result<Page<Signal>> {
        let found = self.inner.signals(filter, page).await?;
        found.items.iter().for_each(|(_, signal)| self.trail.signal(signal));
        Ok(found)
    }
    async fn signal(&self, id: SignalId) -> Result<Option<Signal>> {
        Ok(self.inner.signal(id).await?.inspect(|signal| self.trail.signal(signal)))
    }
    async fn alerts(&self, filter: AlertFilter, page: PageRequest) -> Result<Page<Alert>> {
        let found = self.inner.alerts(filter, page).await?;
        found.items.iter().for_each(|(_, alert)| self.trail.alert(alert));
        Ok(found)
    }
    async fn alert(&self, id: AlertId) -> Result<Option<Alert>> {
        Ok(self.inner.alert(id).await?.inspect(|alert| self.trail.alert(alert)))
    }
    async fn alert_events(&self, after: u64, max: usize) -> Result<Vec<AlertEvent>> {
        let found = self.inner.alert_events(after, max).await?;
        found.iter().for_each(|event| self.trail.alert(&event.alert));
        Ok(found)
    }
    async fn alert_event_range(&self) -> Result<Option<(u64, u64)>> {
        self.inner.alert_event_range().await
    }
    async fn vendors_by_id(&self, ids: &[VendorId]) -> Result<Vec<Vendor>> {
        self.inner.vendors_by_id(ids).await
    }
    async fn signals_by_id(&self, ids: &[SignalId]) -> Result<Vec<Signal>> {
        let found = self.inner.signals_by_id(ids).await?;
        found.iter().for_each(|signal| self.trail.signal(signal));
        Ok(found)
    }
    async fn findings_by_id(&self, ids: &[FindingId]) -> Result<Vec<Finding>> {
        self.inner.findings_by_id(ids).await
    }
    async fn current_postures(&self, vendors: &[VendorId]) -> Result<Vec<(VendorId, Posture)>> {
        self.inner.current_postures(vendors).await
    }
}

#[async_trait]
impl Live for Watched<dyn Live> {
    async fn alerts(&self, after: Option<u64>) -> Result<BoxStream<'static, LiveAlert>> {
        let trail = Arc::clone(&self.trail);
        let alerts = self.inner.alerts(after).await?;
        Ok(alerts.inspect(move |item| trail.alert(&item.event.alert)).boxed())
    }
    fn risk_changes(&self, kinds: Vec<EntityKind>, min_delta: f64) -> BoxStream<'static, Entity> {
        let trail = Arc::clone(&self.trail);
        self.inner.risk_changes(kinds, min_delta).inspect(move |entity| trail.entity(entity)).boxed()
    }
    fn assessments(&self, vendor: Option<VendorId>) -> BoxStream<'static, AssessmentProgress> {
        self.inner.assessments(vendor)
    }
}
