//! Playbooks as GraphQL shows them. Must not know how they are run.

use async_graphql::{Context, ID, Json, Object, SimpleObject};
use riskgraph_domain::error::Fault;
use riskgraph_domain::playbook as model;
use riskgraph_domain::playbook::{OnFailure, StepKind};

use super::page::{connection, page_request};
use super::run::{Run, RunConnection};
use super::words::{DateTime, PlaybookSource, int};
use crate::access::{Reader, grant};

/// A response plan: which alerts it is for, and what is done step by step.
pub(crate) struct Playbook(pub(crate) model::KeptPlaybook);

connection!(PlaybookConnection, PlaybookEdge, Playbook, model::KeptPlaybook);

#[Object]
impl Playbook {
    pub(crate) async fn id(&self) -> ID {
        self.0.playbook.id().to_string().into()
    }

    async fn name(&self) -> &str {
        &self.0.playbook.name
    }

    async fn title(&self) -> &str {
        &self.0.playbook.title
    }

    async fn description(&self) -> &str {
        &self.0.playbook.description
    }

    /// 0 for a file that was never changed through the API.
    async fn version(&self) -> i32 {
        int(self.0.version)
    }

    /// Whether a matching alert starts a run by itself.
    async fn enabled(&self) -> bool {
        self.0.enabled
    }

    async fn source(&self) -> PlaybookSource {
        self.0.source.into()
    }

    /// The TOML.
    async fn text(&self) -> &str {
        &self.0.text
    }

    /// Condition over the alert, in the Common Expression Language.
    async fn trigger(&self) -> &str {
        &self.0.playbook.trigger
    }

    async fn steps(&self) -> Vec<PlaybookStep> {
        self.0.playbook.steps.iter().map(PlaybookStep::of).collect()
    }

    /// Newest first.
    async fn versions(&self, ctx: &Context<'_>) -> Result<Vec<PlaybookVersion>, Fault> {
        let reader = grant::<Reader>(ctx)?;
        let versions = reader.spend_list(reader.playbooks().versions(self.0.playbook.id()).await?)?;
        Ok(versions.into_iter().map(PlaybookVersion::from).collect())
    }

    /// The playbook as a CACAO 2.0 document.
    async fn cacao(&self, ctx: &Context<'_>) -> Result<Json<serde_json::Value>, Fault> {
        Ok(Json(grant::<Reader>(ctx)?.playbooks().cacao(&self.0)))
    }

    async fn stats(&self, ctx: &Context<'_>) -> Result<PlaybookStats, Fault> {
        let stats = grant::<Reader>(ctx)?.runs().stats(self.0.playbook.id()).await?;
        Ok(PlaybookStats {
            runs: int(stats.runs),
            contained: int(stats.contained),
            undone: int(stats.undone),
            median_time_to_contain_seconds: stats.median_time_to_contain_s,
        })
    }

    /// Newest first.
    async fn runs(&self, ctx: &Context<'_>, first: Option<i32>, after: Option<String>) -> Result<RunConnection, Fault> {
        let filter = model::RunFilter { playbook: Some(self.0.playbook.id()), ..model::RunFilter::default() };
        Run::page(ctx, filter, page_request(first, after)?).await
    }
}

/// One step of a playbook.
#[derive(SimpleObject)]
pub(crate) struct PlaybookStep {
    id: String,
    /// action, if, parallel, sequence, ask, notify or wait.
    kind: String,
    title: String,
    action: Option<String>,
    /// Targets, condition, question, waiting time; approval, retries and what happens on failure.
    detail: String,
    /// Steps that run inside this one or instead of it.
    children: Vec<String>,
}

impl PlaybookStep {
    fn of(step: &model::Step) -> Self {
        Self {
            id: step.id.to_string(),
            kind: step.kind.word().to_owned(),
            title: step.title.clone(),
            action: step.action().map(str::to_owned),
            detail: detail(step),
            children: step.children().map(ToString::to_string).collect(),
        }
    }
}

fn detail(step: &model::Step) -> String {
    let mut parts = match &step.kind {
        StepKind::Action(action) => {
            let by = action.connector.as_ref().map(|name| format!("by {name}"));
            let at = action.targets.as_ref().map(|targets| format!("at {targets}"));
            by.into_iter().chain(at).collect()
        }
        StepKind::If { condition, .. } => vec![condition.clone()],
        StepKind::Ask(question) => {
            let (role, within) = (question.role.as_str(), question.answer_within_s);
            vec![question.text.clone(), format!("{role}, within {within} s, else {}", question.default.as_str())]
        }
        StepKind::Notify { channel, text } if channel.is_empty() => vec![text.clone()],
        StepKind::Notify { channel, text } => vec![format!("to {channel}"), text.clone()],
        StepKind::Wait { seconds } => vec![format!("{seconds} s")],
        StepKind::Parallel { .. } | StepKind::Sequence { .. } => Vec::new(),
    };
    if let Some(rule) = &step.approval {
        let (needed, role, within) = (rule.needed, rule.role.as_str(), rule.within_s);
        parts.push(format!("approval: {needed} x {role} within {within} s, else {}", rule.default.as_str()));
    }
    if let Some(seconds) = step.expires_after_s {
        parts.push(format!("undone after {seconds} s"));
    }
    match &step.on_failure {
        OnFailure::Abort => {}
        OnFailure::Continue => parts.push("on failure: go on".to_owned()),
        OnFailure::Compensate => parts.push("on failure: undo what was done".to_owned()),
        OnFailure::Step(id) => parts.push(format!("on failure: {id}")),
    }
    parts.join("; ")
}

/// Who changed a playbook when.
#[derive(SimpleObject)]
pub(crate) struct PlaybookVersion {
    version: i32,
    by: String,
    at: DateTime,
    note: Option<String>,
}

impl From<model::PlaybookVersion> for PlaybookVersion {
    fn from(version: model::PlaybookVersion) -> Self {
        Self { version: int(version.version), by: version.by.to_string(), at: DateTime(version.at), note: version.note }
    }
}

/// What became of a playbook's runs.
#[derive(SimpleObject)]
pub(crate) struct PlaybookStats {
    runs: i32,
    /// Runs whose effects were all verified.
    contained: i32,
    undone: i32,
    /// From accepting the event that opened the alert to the last verified effect.
    median_time_to_contain_seconds: Option<f64>,
}

/// A playbook and whether an alert is one of its.
#[derive(SimpleObject)]
pub(crate) struct PlaybookMatch {
    playbook: Playbook,
    matches: bool,
    why: String,
}

impl From<model::PlaybookMatch> for PlaybookMatch {
    fn from(found: model::PlaybookMatch) -> Self {
        Self { playbook: Playbook(found.playbook), matches: found.matches, why: found.why }
    }
}

/// How much something hits.
#[derive(SimpleObject)]
pub(crate) struct Blast {
    accounts: i32,
    /// Of the successful traffic of the last hour, 0 to 1.
    traffic_share: f64,
    money_minor: f64,
    currency: Option<String>,
}

/// What one action would do to one target.
#[derive(SimpleObject)]
pub(crate) struct Effect {
    step: String,
    action: String,
    target: String,
    /// In the connector's own words.
    effect: String,
    reversible: bool,
    expires_in_seconds: Option<i32>,
}

/// Why something would not be done.
#[derive(SimpleObject)]
pub(crate) struct Refusal {
    /// Empty when the whole run is refused.
    step: String,
    target: String,
    /// never_touch, cap, kill_switch, no_responder, wrong_target or expression.
    rule: String,
    reason: String,
}

/// What a run would do, as of now; nothing is changed.
#[derive(SimpleObject)]
pub(crate) struct DryRun {
    /// Whether it would do anything at all.
    allowed: bool,
    effects: Vec<Effect>,
    refusals: Vec<Refusal>,
    blast: Blast,
    /// Which step waits for whom, and what happens when nobody answers.
    approvals: Vec<String>,
}

impl From<model::DryRun> for DryRun {
    fn from(dry: model::DryRun) -> Self {
        let effect = |effect: model::DryEffect| Effect {
            step: effect.step.to_string(),
            action: effect.action.to_string(),
            target: effect.target,
            effect: effect.effect,
            reversible: effect.reversible,
            expires_in_seconds: effect.expires_in_s.map(int),
        };
        let refusal = |refusal: model::Refusal| Refusal {
            step: refusal.step.to_string(),
            target: refusal.target,
            rule: refusal.rule.as_str().to_owned(),
            reason: refusal.reason,
        };
        Self {
            allowed: dry.allowed,
            effects: dry.effects.into_iter().map(effect).collect(),
            refusals: dry.refusals.into_iter().map(refusal).collect(),
            blast: Blast {
                accounts: int(dry.blast.accounts),
                traffic_share: dry.blast.traffic_share,
                money_minor: dry.blast.money_minor,
                currency: dry.blast.currency.map(|currency| currency.to_string()),
            },
            approvals: dry.approvals,
        }
    }
}

/// A switch that stops an action, or all.
#[derive(SimpleObject)]
pub(crate) struct KillSwitch {
    /// Null: all actions.
    action: Option<String>,
    on: bool,
    by: Option<String>,
    at: Option<DateTime>,
    reason: Option<String>,
}

impl From<model::KillSwitch> for KillSwitch {
    fn from(switch: model::KillSwitch) -> Self {
        Self {
            action: switch.action.map(|action| action.to_string()),
            on: switch.on,
            by: switch.by.map(|by| by.to_string()),
            at: switch.at.map(DateTime),
            reason: switch.reason,
        }
    }
}
