//! Runs of playbooks and the approvals they wait for, as GraphQL shows them. Must not know how they go on.

use async_graphql::{Context, ID, Object, SimpleObject};
use riskgraph_domain::error::Fault;
use riskgraph_domain::page::PageRequest;
use riskgraph_domain::playbook as model;

use super::alert::Alert;
use super::page::connection;
use super::playbook::Playbook;
use super::words::{ApprovalState, DateTime, Role, RunState, StepState, int};
use crate::access::{Reader, grant};

/// One run of a playbook about one alert.
pub(crate) struct Run(pub(crate) model::Run);

connection!(RunConnection, RunEdge, Run, model::Run);

impl Run {
    /// A page of the runs a filter wants, newest first.
    pub(crate) async fn page(
        ctx: &Context<'_>,
        filter: model::RunFilter,
        page: PageRequest,
    ) -> Result<RunConnection, Fault> {
        let reader = grant::<Reader>(ctx)?;
        let found = reader.spend(reader.runs().runs(filter, page.clone()).await?)?;
        Ok(RunConnection::new(found, page.after.as_deref()))
    }
}

#[Object]
impl Run {
    pub(crate) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// The playbook as it is now; `version` says which one ran.
    async fn playbook(&self, ctx: &Context<'_>) -> Result<Playbook, Fault> {
        let reader = grant::<Reader>(ctx)?;
        reader.playbooks().playbook(self.0.playbook).await?.map(Playbook).ok_or_else(|| Fault::not_found("playbook"))
    }

    async fn version(&self) -> i32 {
        int(self.0.version)
    }

    async fn alert(&self, ctx: &Context<'_>) -> Result<Option<Alert>, Fault> {
        Ok(grant::<Reader>(ctx)?.records().alert(self.0.alert).await?.map(Alert))
    }

    async fn state(&self) -> RunState {
        self.0.state.into()
    }

    /// `trigger`, or who started it.
    async fn started_by(&self) -> &str {
        &self.0.started_by
    }

    async fn started_at(&self) -> DateTime {
        DateTime(self.0.started_at)
    }

    async fn finished_at(&self) -> Option<DateTime> {
        self.0.finished_at.map(DateTime)
    }

    /// Why it ended as it did, where that needs a reason.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// In the order of the playbook; a step with several targets is listed once for each.
    async fn steps(&self, ctx: &Context<'_>) -> Result<Vec<RunStep>, Fault> {
        let reader = grant::<Reader>(ctx)?;
        let steps = reader.spend_list(reader.runs().run_steps(self.0.id).await?)?;
        Ok(steps.into_iter().map(RunStep::from).collect())
    }

    async fn approvals(&self, ctx: &Context<'_>) -> Result<Vec<Approval>, Fault> {
        let reader = grant::<Reader>(ctx)?;
        let approvals = reader.spend_list(reader.runs().run_approvals(self.0.id).await?)?;
        Ok(approvals.into_iter().map(Approval).collect())
    }

    /// From accepting the event that opened the alert to the last verified effect.
    async fn time_to_contain_seconds(&self) -> Option<f64> {
        self.0.time_to_contain_s()
    }
}

/// One step of a run, at one target if it has one.
#[derive(SimpleObject)]
pub(crate) struct RunStep {
    id: String,
    title: String,
    action: Option<String>,
    target: Option<String>,
    state: StepState,
    /// What was done, in the connector's words; before that, what it waits for.
    effect: Option<String>,
    attempts: i32,
    started_at: Option<DateTime>,
    finished_at: Option<DateTime>,
    error: Option<String>,
    /// Whether a look at the real thing showed the effect.
    verified: Option<bool>,
    /// When the effect is undone.
    expires_at: Option<DateTime>,
    /// The same for every repetition of the same effect.
    idempotency_key: Option<String>,
}

impl From<model::RunStep> for RunStep {
    fn from(step: model::RunStep) -> Self {
        Self {
            id: step.step.to_string(),
            title: step.title,
            action: step.action.map(|action| action.to_string()),
            target: step.target.map(|target| target.key.to_string()),
            state: step.state.into(),
            effect: step.said,
            attempts: int(step.attempts),
            started_at: step.started_at.map(DateTime),
            finished_at: step.finished_at.map(DateTime),
            error: step.error,
            verified: step.verified,
            expires_at: step.expires_at.map(DateTime),
            idempotency_key: step.key.map(|key| key.to_string()),
        }
    }
}

/// A wait of a run for people.
pub(crate) struct Approval(pub(crate) model::Approval);

connection!(ApprovalConnection, ApprovalEdge, Approval, model::Approval);

impl Approval {
    async fn reason_against(&self, ctx: &Context<'_>) -> Result<Option<String>, Fault> {
        let reader = grant::<Reader>(ctx)?;
        let run = reader.runs().run(self.0.run).await?.ok_or_else(|| Fault::not_found("run"))?;
        Ok(reader.playbooks().why_not(reader.viewer(), &self.0, &run))
    }
}

#[Object]
impl Approval {
    pub(crate) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    async fn run(&self, ctx: &Context<'_>) -> Result<Run, Fault> {
        let run = grant::<Reader>(ctx)?.runs().run(self.0.run).await?;
        run.map(Run).ok_or_else(|| Fault::not_found("run"))
    }

    async fn step(&self) -> &str {
        &self.0.step
    }

    async fn question(&self) -> &str {
        &self.0.question
    }

    /// The least role that may decide.
    async fn role(&self) -> Role {
        self.0.role.into()
    }

    /// People who must agree.
    async fn needed(&self) -> i32 {
        int(self.0.needed)
    }

    async fn decisions(&self) -> Vec<Decision> {
        self.0.decisions.iter().map(Decision::of).collect()
    }

    async fn expires_at(&self) -> DateTime {
        DateTime(self.0.expires_at)
    }

    /// What counts when the time is up: approve or reject.
    async fn safe_default(&self) -> &str {
        self.0.default.as_str()
    }

    async fn state(&self) -> ApprovalState {
        self.0.state.into()
    }

    /// Whether you may decide it now.
    async fn may_decide(&self, ctx: &Context<'_>) -> Result<bool, Fault> {
        Ok(self.reason_against(ctx).await?.is_none())
    }

    /// Why you may not.
    async fn why_not(&self, ctx: &Context<'_>) -> Result<Option<String>, Fault> {
        self.reason_against(ctx).await
    }
}

/// What one person said.
#[derive(SimpleObject)]
pub(crate) struct Decision {
    by: String,
    approved: bool,
    note: Option<String>,
    at: DateTime,
}

impl Decision {
    fn of(decision: &model::Decision) -> Self {
        Self {
            by: decision.by.to_string(),
            approved: decision.approved,
            note: decision.note.clone(),
            at: DateTime(decision.at),
        }
    }
}
