//! One playbook and one run that waits for an approval.

use async_trait::async_trait;
use futures::stream::BoxStream;
use riskgraph_domain::access::{Role, Viewer};
use riskgraph_domain::alert::Alert;
use riskgraph_domain::error::Fault;
use riskgraph_domain::id::{AlertId, ApprovalId, PlaybookId, RunId};
use riskgraph_domain::page::{Page, PageRequest};
use riskgraph_domain::playbook::{
    Approval, ApprovalState, DryRun, KeptPlaybook, KillSwitch, Limits, OnFailure, Playbook, PlaybookDesk,
    PlaybookMatch, PlaybookSource, PlaybookStats, PlaybookVersion, Retry, Run, RunFilter, RunState, RunStep, Runs,
    SafeDefault, Step, StepKind, Switch, Verdict,
};

use super::World;
use crate::support::sample::NOW;

type Result<T> = std::result::Result<T, Fault>;

fn kept() -> KeptPlaybook {
    let step = Step {
        id: "tell".into(),
        title: "Tell".to_owned(),
        kind: StepKind::Notify { channel: "ops".into(), text: "look".to_owned() },
        timeout_s: 10,
        retry: Retry { attempts: 1, backoff_s: 1 },
        on_failure: OnFailure::Continue,
        approval: None,
        expires_after_s: None,
    };
    let playbook = Playbook {
        name: "contain".into(),
        title: "Contain".to_owned(),
        description: String::new(),
        enabled: true,
        trigger: "severity >= HIGH".to_owned(),
        limits: Limits::default(),
        steps: vec![step],
        tests: Vec::new(),
    };
    KeptPlaybook {
        playbook,
        source: PlaybookSource::Shipped,
        version: 0,
        text: "name = \"contain\"".to_owned(),
        enabled: true,
    }
}

fn run() -> Run {
    let playbook = kept().playbook;
    Run {
        id: RunId::of(&["run"]),
        ordinal: 1,
        playbook: playbook.id(),
        name: playbook.name,
        version: 0,
        alert: AlertId::of(&["a1"]),
        about: "an alert".to_owned(),
        state: RunState::WaitingApproval,
        started_by: "trigger".into(),
        requester: None,
        started_at: NOW,
        finished_at: None,
        reason: None,
        opened_at: NOW,
        contained_at: None,
        ending: None,
        untold: Vec::new(),
    }
}

fn approval() -> Approval {
    Approval {
        id: ApprovalId::of(&["approval"]),
        run: run().id,
        step: "tell".into(),
        question: "Tell?".to_owned(),
        role: Role::Admin,
        needed: 2,
        four_eyes: true,
        decisions: Vec::new(),
        created_at: NOW,
        expires_at: NOW + 1_000,
        default: SafeDefault::Reject,
        state: ApprovalState::Pending,
    }
}

fn one<T>(item: T) -> Page<T> {
    Page { items: vec![("1".to_owned(), item)], has_next: false, total: None }
}

#[async_trait]
impl Runs for World {
    async fn runs(&self, _filter: RunFilter, _page: PageRequest) -> Result<Page<Run>> {
        Ok(one(run()))
    }
    async fn run(&self, id: RunId) -> Result<Option<Run>> {
        Ok(Some(run()).filter(|run| run.id == id))
    }
    async fn run_steps(&self, _id: RunId) -> Result<Vec<RunStep>> {
        Ok(Vec::new())
    }
    async fn run_approvals(&self, _id: RunId) -> Result<Vec<Approval>> {
        Ok(vec![approval()])
    }
    async fn approvals(&self, _states: Vec<ApprovalState>, _page: PageRequest) -> Result<Page<Approval>> {
        Ok(one(approval()))
    }
    async fn approval(&self, id: ApprovalId) -> Result<Option<Approval>> {
        Ok(Some(approval()).filter(|approval| approval.id == id))
    }
    async fn stats(&self, _playbook: PlaybookId) -> Result<PlaybookStats> {
        Ok(PlaybookStats { runs: 1, ..PlaybookStats::default() })
    }
}

#[async_trait]
impl PlaybookDesk for World {
    async fn playbooks(&self) -> Result<Vec<KeptPlaybook>> {
        Ok(vec![kept()])
    }
    async fn playbook(&self, id: PlaybookId) -> Result<Option<KeptPlaybook>> {
        Ok(Some(kept()).filter(|kept| kept.playbook.id() == id))
    }
    async fn versions(&self, _id: PlaybookId) -> Result<Vec<PlaybookVersion>> {
        Ok(vec![PlaybookVersion { version: 1, by: "admin".into(), at: NOW, note: None }])
    }
    async fn matches(&self, _alert: &Alert) -> Result<Vec<PlaybookMatch>> {
        Ok(vec![PlaybookMatch { playbook: kept(), matches: true, why: "it is HIGH".to_owned() }])
    }
    async fn dry_run(&self, _playbook: PlaybookId, _alert: AlertId) -> Result<DryRun> {
        Ok(DryRun { allowed: true, ..DryRun::default() })
    }
    fn cacao(&self, _playbook: &KeptPlaybook) -> serde_json::Value {
        serde_json::json!({ "type": "playbook" })
    }
    async fn save(&self, _viewer: &Viewer, _text: &str, _note: Option<String>) -> Result<KeptPlaybook> {
        Ok(kept())
    }
    async fn import(&self, _viewer: &Viewer, _cacao: &serde_json::Value) -> Result<KeptPlaybook> {
        Ok(kept())
    }
    async fn set_enabled(&self, _viewer: &Viewer, _id: PlaybookId, _switch: Switch) -> Result<KeptPlaybook> {
        Ok(kept())
    }
    async fn start(&self, _viewer: &Viewer, _playbook: PlaybookId, _alert: AlertId) -> Result<RunId> {
        Ok(run().id)
    }
    async fn cancel(&self, _viewer: &Viewer, _run: RunId, _reason: String) -> Result<()> {
        Err(Fault::not_found("run"))
    }
    async fn undo(&self, _viewer: &Viewer, _run: RunId, _reason: String) -> Result<()> {
        Err(Fault::not_found("run"))
    }
    async fn decide(&self, _viewer: &Viewer, _approval: ApprovalId, _verdict: Verdict) -> Result<()> {
        Err(Fault::not_found("approval"))
    }
    fn why_not(&self, viewer: &Viewer, approval: &Approval, _run: &Run) -> Option<String> {
        (viewer.role != approval.role).then(|| format!("it needs the role {}", approval.role.as_str()))
    }
    async fn kill_switches(&self) -> Result<Vec<KillSwitch>> {
        Ok(vec![KillSwitch { action: None, on: false, by: None, at: None, reason: None }])
    }
    async fn set_kill_switch(&self, _viewer: &Viewer, switch: KillSwitch) -> Result<KillSwitch> {
        Ok(switch)
    }
    fn changes(&self, _alert: Option<AlertId>) -> BoxStream<'static, RunId> {
        Box::pin(futures::stream::pending())
    }
}
