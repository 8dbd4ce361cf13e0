//! What the capabilities [`Capability::Respond`] and [`Capability::Approve`] allow.

use std::sync::Arc;

use riskgraph_domain::access::Capability;
use riskgraph_domain::error::Fault;
use riskgraph_domain::id::{AlertId, ApprovalId, PlaybookId, RunId};
use riskgraph_domain::playbook::{Approval, Run, Verdict};

use super::{Grant, Session};

/// May start, cancel and undo runs of playbooks.
pub(crate) struct Responder(Arc<Session>);

impl Grant for Responder {
    const CAPABILITY: Capability = Capability::Respond;
    fn wrap(session: Arc<Session>) -> Self {
        Self(session)
    }
}

impl Responder {
    pub(crate) async fn start(&self, playbook: PlaybookId, alert: AlertId) -> Result<Run, Fault> {
        let run = self.0.services.playbooks.start(&self.0.viewer, playbook, alert).await?;
        self.run(run).await
    }

    pub(crate) async fn cancel(&self, id: RunId, reason: String) -> Result<Run, Fault> {
        self.0.services.playbooks.cancel(&self.0.viewer, id, reason).await?;
        self.run(id).await
    }

    pub(crate) async fn undo(&self, id: RunId, reason: String) -> Result<Run, Fault> {
        self.0.services.playbooks.undo(&self.0.viewer, id, reason).await?;
        self.run(id).await
    }

    async fn run(&self, id: RunId) -> Result<Run, Fault> {
        self.0.services.runs.run(id).await?.ok_or_else(|| Fault::not_found("run"))
    }
}

/// May decide approvals; each of them names the role it needs.
pub(crate) struct Approver(Arc<Session>);

impl Grant for Approver {
    const CAPABILITY: Capability = Capability::Approve;
    fn wrap(session: Arc<Session>) -> Self {
        Self(session)
    }
}

impl Approver {
    pub(crate) async fn decide(&self, id: ApprovalId, verdict: Verdict) -> Result<Approval, Fault> {
        self.0.services.playbooks.decide(&self.0.viewer, id, verdict).await?;
        self.0.services.runs.approval(id).await?.ok_or_else(|| Fault::not_found("approval"))
    }
}
