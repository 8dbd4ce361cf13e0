//! What the capability [`Capability::Triage`] allows.

use std::sync::Arc;

use riskgraph_domain::access::Capability;
use riskgraph_domain::alert::{Alert, Verdict};
use riskgraph_domain::command::Change;
use riskgraph_domain::delivery::Delivery;
use riskgraph_domain::error::Fault;
use riskgraph_domain::id::{AlertId, ChannelId, DeliveryId, FindingId, VendorId};
use riskgraph_domain::posture::Finding;
use riskgraph_domain::text::Text;
use riskgraph_domain::time::Timestamp;

use super::{Grant, Session};

/// May change the state of alerts and findings, and ask for an assessment.
pub(crate) struct Triager(Arc<Session>);

impl Grant for Triager {
    const CAPABILITY: Capability = Capability::Triage;
    fn wrap(session: Arc<Session>) -> Self {
        Self(session)
    }
}

impl Triager {
    pub(crate) async fn test_channel(&self, id: ChannelId) -> Result<Delivery, Fault> {
        self.0.services.delivery.test(&self.0.viewer, id).await
    }

    pub(crate) async fn retry_delivery(&self, id: DeliveryId) -> Result<Delivery, Fault> {
        self.0.services.delivery.retry(id).await
    }

    pub(crate) async fn acknowledge(&self, id: AlertId, note: Option<String>) -> Result<Alert, Fault> {
        self.change_alert(id, Change::AcknowledgeAlert { id, note }).await
    }

    pub(crate) async fn assign(&self, id: AlertId, assignee: Text) -> Result<Alert, Fault> {
        self.change_alert(id, Change::AssignAlert { id, assignee }).await
    }

    pub(crate) async fn resolve(&self, id: AlertId, verdict: Verdict, note: Option<String>) -> Result<Alert, Fault> {
        self.change_alert(id, Change::ResolveAlert { id, verdict, note }).await
    }

    pub(crate) async fn accept(&self, id: FindingId, reason: String, until: Timestamp) -> Result<Finding, Fault> {
        self.change_finding(id, Change::AcceptFinding { id, reason, until }).await
    }

    pub(crate) async fn dispute(&self, id: FindingId, reason: String) -> Result<Finding, Fault> {
        self.change_finding(id, Change::DisputeFinding { id, reason }).await
    }

    pub(crate) async fn assess(&self, vendor: VendorId) -> Result<bool, Fault> {
        let services = &self.0.services;
        services.records.vendor(vendor).await?.ok_or_else(|| Fault::not_found("vendor"))?;
        services.commands.assess(&self.0.viewer, vendor).await
    }

    async fn change_alert(&self, id: AlertId, change: Change) -> Result<Alert, Fault> {
        let services = &self.0.services;
        services.records.alert(id).await?.ok_or_else(|| Fault::not_found("alert"))?;
        services.commands.execute(&self.0.viewer, change).await?;
        services.records.alert(id).await?.ok_or_else(|| Fault::not_found("alert"))
    }

    async fn change_finding(&self, id: FindingId, change: Change) -> Result<Finding, Fault> {
        let services = &self.0.services;
        services.records.finding(id).await?.ok_or_else(|| Fault::not_found("finding"))?;
        services.commands.execute(&self.0.viewer, change).await?;
        services.records.finding(id).await?.ok_or_else(|| Fault::not_found("finding"))
    }
}
