//! What the capability [`Capability::Triage`] allows.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use riskgraph_domain::access::Capability;
use riskgraph_domain::alert::{Alert, Verdict};
use riskgraph_domain::command::Change;
use riskgraph_domain::delivery::Delivery;
use riskgraph_domain::error::Fault;
use riskgraph_domain::id::{
    AlertId, CaseId, ChannelId, DeliveryId, FindingId, ReportId, ReportShareId, SilenceId, VendorId,
};
use riskgraph_domain::posture::{DisputeKind, Finding};
use riskgraph_domain::report::{Report, ReportRequest, ReportShare};
use riskgraph_domain::text::Text;
use riskgraph_domain::time::Timestamp;
use riskgraph_domain::triage::{Case, CaseInput, Silence, SilenceInput};

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

    pub(crate) async fn comment(&self, id: AlertId, text: String) -> Result<Alert, Fault> {
        self.change_alert(id, Change::CommentAlert { id, text }).await
    }

    pub(crate) async fn reopen(&self, id: AlertId, note: Option<String>) -> Result<Alert, Fault> {
        self.change_alert(id, Change::ReopenAlert { id, note }).await
    }

    pub(crate) async fn set_due(&self, id: AlertId, due_at: Timestamp) -> Result<Alert, Fault> {
        self.change_alert(id, Change::SetAlertDue { id, due_at }).await
    }

    pub(crate) async fn silence(&self, input: SilenceInput) -> Result<Silence, Fault> {
        let id = SilenceId(fresh_id());
        self.change_silence(id, Change::CreateSilence { id, input }).await
    }

    pub(crate) async fn expire(&self, id: SilenceId) -> Result<Silence, Fault> {
        self.change_silence(id, Change::ExpireSilence { id }).await
    }

    pub(crate) async fn create_case(&self, input: CaseInput) -> Result<Case, Fault> {
        let id = CaseId(fresh_id());
        self.change_case(id, Change::CreateCase { id, input }).await
    }

    /// Makes a change of a case and gives the case of this id as it is then.
    pub(crate) async fn change_case(&self, id: CaseId, change: Change) -> Result<Case, Fault> {
        let services = &self.0.services;
        services.commands.execute(&self.0.viewer, change).await?;
        services.triage.case(id).await?.ok_or_else(|| Fault::not_found("case"))
    }

    async fn change_silence(&self, id: SilenceId, change: Change) -> Result<Silence, Fault> {
        let services = &self.0.services;
        services.commands.execute(&self.0.viewer, change).await?;
        services.triage.silence(id).await?.ok_or_else(|| Fault::not_found("silence"))
    }

    pub(crate) async fn accept(&self, id: FindingId, reason: String, until: Timestamp) -> Result<Finding, Fault> {
        self.change_finding(id, Change::AcceptFinding { id, reason, until }).await
    }

    /// Disputes a finding. What is said to be repaired is looked at again at once.
    pub(crate) async fn dispute(
        &self,
        id: FindingId,
        reason: String,
        kind: Option<DisputeKind>,
    ) -> Result<Finding, Fault> {
        let finding = self.change_finding(id, Change::DisputeFinding { id, reason, kind }).await?;
        if let (Some(DisputeKind::Fixed), Some(vendor)) = (kind, finding.vendor) {
            self.0.services.commands.assess(&self.0.viewer, vendor).await?;
        }
        Ok(finding)
    }

    pub(crate) async fn assess(&self, vendor: VendorId) -> Result<bool, Fault> {
        let services = &self.0.services;
        services.records.vendor(vendor).await?.ok_or_else(|| Fault::not_found("vendor"))?;
        services.commands.assess(&self.0.viewer, vendor).await
    }

    pub(crate) async fn make_report(&self, request: ReportRequest) -> Result<Report, Fault> {
        self.0.services.reports.make(&self.0.viewer, request).await
    }

    /// The link is in this answer only.
    pub(crate) async fn share_report(
        &self,
        id: ReportId,
        expires_at: Timestamp,
    ) -> Result<(ReportShare, String), Fault> {
        self.0.services.reports.share(&self.0.viewer, id, expires_at).await
    }

    pub(crate) async fn revoke_share(&self, id: ReportShareId) -> Result<bool, Fault> {
        self.0.services.reports.revoke_share(id).await
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

/// An id that no other thing has. No secret: it is journalled with the change, so that a replay has the same.
fn fresh_id() -> u128 {
    let half = || u128::from(RandomState::new().hash_one("id"));
    half() << 64 | half()
}
