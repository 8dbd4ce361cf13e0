//! What people do with playbooks and runs.

use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use riskgraph_analysis::decide::facts::facts;
use riskgraph_analysis::decide::{cacao, source, trigger};
use riskgraph_domain::access::{Role, Viewer};
use riskgraph_domain::alert::{Alert, AlertStatus};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::playbook::{
    Approval, ApprovalState, Decision, DryRun, Ending, KeptPlaybook, KillSwitch, PlaybookDesk, PlaybookMatch,
    PlaybookVersion, Run, RunState, Switch, Verdict, Way,
};
use riskgraph_domain::{AlertId, ApprovalId, PlaybookId, RunId};
use tokio_stream::wrappers::BroadcastStream;

use super::core::{Core, Order};
use super::engine;
use super::planner::Cause;

/// The desk; cheap to clone.
#[derive(Clone)]
pub struct Responses(pub Arc<Core>);

impl Responses {
    async fn alert(&self, id: AlertId) -> Result<Alert, Fault> {
        self.0.ground.records.alert(id).await?.ok_or_else(|| Fault::not_found("alert"))
    }

    fn kept(&self, id: PlaybookId) -> Result<Arc<KeptPlaybook>, Fault> {
        self.0.library.get(id).ok_or_else(|| Fault::not_found("playbook"))
    }
}

#[async_trait]
impl PlaybookDesk for Responses {
    async fn playbooks(&self) -> Result<Vec<KeptPlaybook>, Fault> {
        Ok(self.0.library.all().iter().map(|kept| (**kept).clone()).collect())
    }

    async fn playbook(&self, id: PlaybookId) -> Result<Option<KeptPlaybook>, Fault> {
        Ok(self.0.library.get(id).map(|kept| (*kept).clone()))
    }

    async fn versions(&self, id: PlaybookId) -> Result<Vec<PlaybookVersion>, Fault> {
        self.0.library.versions(id).await
    }

    async fn matches(&self, alert: &Alert) -> Result<Vec<PlaybookMatch>, Fault> {
        let facts = facts(alert, &self.0.knowledge.of(alert).await?);
        let judged = self.0.library.all().into_iter().map(|kept| {
            let (matches, why) = trigger::matches(&kept.playbook, &facts);
            PlaybookMatch { playbook: (*kept).clone(), matches, why }
        });
        let mut judged: Vec<PlaybookMatch> = judged.collect();
        judged.sort_by_key(|judged| !judged.matches);
        Ok(judged)
    }

    async fn dry_run(&self, playbook: PlaybookId, alert: AlertId) -> Result<DryRun, Fault> {
        let (kept, alert) = (self.kept(playbook)?, self.alert(alert).await?);
        self.0.dry(&kept, &alert).await
    }

    fn cacao(&self, playbook: &KeptPlaybook) -> serde_json::Value {
        cacao::export(&playbook.playbook)
    }

    async fn save(&self, viewer: &Viewer, text: &str, note: Option<String>) -> Result<KeptPlaybook, Fault> {
        self.0.library.save(&viewer.name, text, note).await
    }

    async fn import(&self, viewer: &Viewer, cacao: &serde_json::Value) -> Result<KeptPlaybook, Fault> {
        let playbook = cacao::import(cacao).map_err(|problems| {
            Fault::new(FaultCode::BadInput, format!("the CACAO playbook cannot be used: {}", problems.join("; ")))
        })?;
        let note = Some("imported from CACAO 2.0".to_owned());
        self.0.library.save(&viewer.name, &source::print(&playbook), note).await
    }

    async fn set_enabled(&self, viewer: &Viewer, id: PlaybookId, switch: Switch) -> Result<KeptPlaybook, Fault> {
        self.0.library.switch(&viewer.name, id, switch).await
    }

    async fn start(&self, viewer: &Viewer, playbook: PlaybookId, alert: AlertId) -> Result<RunId, Fault> {
        let (kept, alert) = (self.kept(playbook)?, self.alert(alert).await?);
        if alert.status == AlertStatus::Resolved {
            return Err(Fault::new(FaultCode::Conflict, "the alert is resolved; reopen it to respond to it"));
        }
        let known = self.0.knowledge.of(&alert).await?;
        let record = self.0.make_run(&kept, &alert, &known, &Cause::Person(viewer)).await?;
        let id = record.run.id;
        self.0.store.plan(vec![record], None).await?;
        self.0.wake.notify_one();
        Ok(id)
    }

    async fn cancel(&self, viewer: &Viewer, run: RunId, reason: String) -> Result<(), Fault> {
        let reason = format!("{} cancelled it: {reason}", viewer.name);
        let ending = Ending { way: Way::Stop, state: RunState::Cancelled, reason };
        engine::order(&self.0, run, |answer| Order::End(ending, answer)).await
    }

    async fn undo(&self, viewer: &Viewer, run: RunId, reason: String) -> Result<(), Fault> {
        let reason = format!("{} undid it: {reason}", viewer.name);
        let ending = Ending { way: Way::Undo, state: RunState::Undone, reason };
        engine::order(&self.0, run, |answer| Order::End(ending, answer)).await
    }

    async fn decide(&self, viewer: &Viewer, id: ApprovalId, verdict: Verdict) -> Result<(), Fault> {
        let approval = self.0.runs.approval(id).await?.ok_or_else(|| Fault::not_found("approval"))?;
        let run = self.0.runs.run(approval.run).await?.ok_or_else(|| Fault::not_found("run"))?;
        if let Some(why) = self.why_not(viewer, &approval, &run) {
            let code =
                if approval.state == ApprovalState::Pending { FaultCode::Forbidden } else { FaultCode::Conflict };
            return Err(Fault::new(code, why));
        }
        let decision = Decision {
            by: viewer.name.clone(),
            token: viewer.token,
            approved: verdict.approved,
            note: verdict.note,
            at: self.0.ground.clock.now(),
        };
        engine::order(&self.0, approval.run, |answer| Order::Decide(id, decision, answer)).await
    }

    fn why_not(&self, viewer: &Viewer, approval: &Approval, run: &Run) -> Option<String> {
        if approval.state != ApprovalState::Pending {
            return Some(format!("it is {} already", approval.state.as_str().to_lowercase()));
        }
        if approval.expires_at <= self.0.ground.clock.now() {
            return Some("its time is up".to_owned());
        }
        let high_enough = match approval.role {
            Role::Admin => viewer.role == Role::Admin,
            _ => matches!(viewer.role, Role::Admin | Role::Analyst),
        };
        if !high_enough {
            return Some(format!("it needs the role {}; yours is {}", approval.role.as_str(), viewer.role.as_str()));
        }
        let is_requester =
            run.requester == Some(viewer.token) || (run.requester.is_some() && run.started_by == viewer.name);
        if approval.four_eyes && is_requester {
            return Some("you started the run; four eyes need another person".to_owned());
        }
        let has_decided = approval.decisions.iter().any(|known| known.by == viewer.name || known.token == viewer.token);
        has_decided.then(|| "you have decided this already; another person is needed".to_owned())
    }

    async fn kill_switches(&self) -> Result<Vec<KillSwitch>, Fault> {
        Ok(self.0.switches.all())
    }

    async fn set_kill_switch(&self, viewer: &Viewer, switch: KillSwitch) -> Result<KillSwitch, Fault> {
        self.0.switches.set(&viewer.name, switch).await
    }

    fn changes(&self, alert: Option<AlertId>) -> BoxStream<'static, RunId> {
        // A subscriber that fell behind sees the newest state of what changes next.
        let changes =
            BroadcastStream::new(self.0.changes.subscribe()).filter_map(|change| std::future::ready(change.ok()));
        let wanted = changes.filter_map(move |(run, about)| {
            std::future::ready(alert.is_none_or(|alert| alert == about).then_some(run))
        });
        wanted.boxed()
    }
}
