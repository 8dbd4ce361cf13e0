//! What the parts need of each other to run playbooks.

use async_trait::async_trait;
use futures::stream::BoxStream;

use super::{Approval, ApprovalState, DryRun, Playbook, PlaybookSource, Run, RunRecord, RunState, RunStep};
use crate::access::Viewer;
use crate::alert::Alert;
use crate::error::Fault;
use crate::graph::EntityKey;
use crate::id::{AlertId, ApprovalId, PlaybookId, RunId};
use crate::page::{Page, PageRequest};
use crate::text::Text;
use crate::time::Timestamp;

type Result<T> = std::result::Result<T, Fault>;

/// What changed of a run; written in one transaction.
#[derive(Debug, Clone)]
pub struct RunChange {
    pub run: Run,
    pub steps: Vec<RunStep>,
    pub approvals: Vec<Approval>,
}

/// The writing side of runs (made by `store`, used by the engine). What a call has written is on disk when it returns.
#[async_trait]
pub trait RunStore: Send + Sync {
    /// Adds runs and moves a consumer's cursor, in one transaction. A run that is there already stays as it is. The store
    /// gives ordinals; says which ids are new.
    async fn plan(&self, runs: Vec<RunRecord>, cursor: Option<(&'static str, u64)>) -> Result<Vec<RunId>>;
    /// The consumer's cursor; `None` when it never moved.
    async fn cursor(&self, consumer: &str) -> Result<Option<u64>>;
    async fn save(&self, change: RunChange) -> Result<()>;
    async fn load(&self, id: RunId) -> Result<Option<RunRecord>>;
    /// Ids of the runs that go on by themselves, in their order.
    async fn active(&self) -> Result<Vec<RunId>>;
    /// Runs that do not go on by themselves and have effects that end at some time or are being undone, with the earliest
    /// of these times.
    async fn expiring(&self) -> Result<Vec<(RunId, Timestamp)>>;
    /// Steps with an effect that began at or after this time.
    async fn effects_since(&self, since: Timestamp) -> Result<Vec<(RunId, RunStep)>>;
}

/// Which runs are wanted.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    pub states: Vec<RunState>,
    pub alert: Option<AlertId>,
    pub playbook: Option<PlaybookId>,
}

/// What became of a playbook's runs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PlaybookStats {
    pub runs: u32,
    pub contained: u32,
    pub undone: u32,
    pub median_time_to_contain_s: Option<f64>,
}

/// The reading side of runs.
#[async_trait]
pub trait Runs: Send + Sync {
    /// Newest first.
    async fn runs(&self, filter: RunFilter, page: PageRequest) -> Result<Page<Run>>;
    async fn run(&self, id: RunId) -> Result<Option<Run>>;
    async fn run_steps(&self, id: RunId) -> Result<Vec<RunStep>>;
    async fn run_approvals(&self, id: RunId) -> Result<Vec<Approval>>;
    /// Newest first.
    async fn approvals(&self, states: Vec<ApprovalState>, page: PageRequest) -> Result<Page<Approval>>;
    async fn approval(&self, id: ApprovalId) -> Result<Option<Approval>>;
    async fn stats(&self, playbook: PlaybookId) -> Result<PlaybookStats>;
}

/// A playbook as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct KeptPlaybook {
    pub playbook: Playbook,
    pub source: PlaybookSource,
    /// 0 for a file that was never changed through the API.
    pub version: u64,
    /// The TOML.
    pub text: String,
    pub enabled: bool,
}

/// Who changed a playbook when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaybookVersion {
    pub version: u64,
    pub by: Text,
    pub at: Timestamp,
    pub note: Option<String>,
}

/// A switch that stops an action, or all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KillSwitch {
    /// `None`: all actions.
    pub action: Option<Text>,
    pub on: bool,
    pub by: Option<Text>,
    pub at: Option<Timestamp>,
    pub reason: Option<String>,
}

/// A playbook and whether an alert is one of its.
#[derive(Debug, Clone, PartialEq)]
pub struct PlaybookMatch {
    pub playbook: KeptPlaybook,
    pub matches: bool,
    pub why: String,
}

/// What people do with playbooks and runs (made by the root, used by the API).
#[async_trait]
pub trait PlaybookDesk: Send + Sync {
    /// By name.
    async fn playbooks(&self) -> Result<Vec<KeptPlaybook>>;
    async fn playbook(&self, id: PlaybookId) -> Result<Option<KeptPlaybook>>;
    /// Newest first.
    async fn versions(&self, id: PlaybookId) -> Result<Vec<PlaybookVersion>>;
    async fn matches(&self, alert: &Alert) -> Result<Vec<PlaybookMatch>>;
    async fn dry_run(&self, playbook: PlaybookId, alert: AlertId) -> Result<DryRun>;
    fn cacao(&self, playbook: &KeptPlaybook) -> serde_json::Value;
    async fn save(&self, viewer: &Viewer, text: &str, note: Option<String>) -> Result<KeptPlaybook>;
    async fn import(&self, viewer: &Viewer, cacao: &serde_json::Value) -> Result<KeptPlaybook>;
    async fn set_enabled(&self, viewer: &Viewer, id: PlaybookId, switch: Switch) -> Result<KeptPlaybook>;
    async fn start(&self, viewer: &Viewer, playbook: PlaybookId, alert: AlertId) -> Result<RunId>;
    async fn cancel(&self, viewer: &Viewer, run: RunId, reason: String) -> Result<()>;
    async fn undo(&self, viewer: &Viewer, run: RunId, reason: String) -> Result<()>;
    async fn decide(&self, viewer: &Viewer, approval: ApprovalId, verdict: Verdict) -> Result<()>;
    /// Why this viewer may not decide; `None` when they may.
    fn why_not(&self, viewer: &Viewer, approval: &Approval, run: &Run) -> Option<String>;
    /// The global one first, then those of actions.
    async fn kill_switches(&self) -> Result<Vec<KillSwitch>>;
    async fn set_kill_switch(&self, viewer: &Viewer, switch: KillSwitch) -> Result<KillSwitch>;
    /// Runs whenever they change, as they are then.
    fn changes(&self, alert: Option<AlertId>) -> BoxStream<'static, RunId>;
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    On,
    Off,
}

/// What a person says to an approval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub approved: bool,
    pub note: Option<String>,
}

/// How much of the shop's recent life a target is.
#[async_trait]
pub trait Impact: Send + Sync {
    /// For each target, in order.
    async fn impact(&self, targets: &[EntityKey]) -> Result<Vec<super::BlastPart>>;
}

/// Tells people through a channel by name.
#[async_trait]
pub trait Notifier: Send + Sync {
    /// Hands a message over to be delivered; the same id again is the same message.
    ///
    /// # Errors
    /// `NotFound` when there is no channel of this name.
    async fn notify(&self, channel: &str, message_id: &str, text: &str, alert: AlertId) -> Result<()>;
}
