//! Runs of playbooks: what is planned, what was done to which target, who agreed.
//!
//! Everything here is stored before and after each effect; from it alone a run goes on after a crash. It must *not* know
//! how it is stored.

use serde::{Deserialize, Serialize};

use super::{Answer, Playbook, SafeDefault};
use crate::access::Role;
use crate::alert::words;
use crate::graph::EntityKey;
use crate::id::{AlertId, ApprovalId, PlaybookId, RunId, TokenId, hash128};
use crate::respond::Effect;
use crate::text::Text;
use crate::time::Timestamp;

words! {
    /// Where a run is in its life.
    RunState {
        WaitingApproval = "WAITING_APPROVAL", Running = "RUNNING", Done = "DONE", Failed = "FAILED",
        Refused = "REFUSED", Cancelled = "CANCELLED", Undone = "UNDONE",
    }
}

impl RunState {
    /// Whether it goes on by itself.
    #[must_use]
    pub const fn is_active(self) -> bool {
        matches!(self, Self::WaitingApproval | Self::Running)
    }
}

words! {
    /// Where a step, or a step at one target, is in its life.
    StepState {
        Pending = "PENDING", Waiting = "WAITING", Running = "RUNNING", Done = "DONE", Failed = "FAILED",
        Skipped = "SKIPPED", Undoing = "UNDOING", Undone = "UNDONE",
    }
}

words! {
    /// Where an approval is in its life.
    ApprovalState { Pending = "PENDING", Approved = "APPROVED", Rejected = "REJECTED", Expired = "EXPIRED" }
}

words! {
    /// A rule that no playbook can pass.
    Rule {
        NeverTouch = "never_touch", Cap = "cap", KillSwitch = "kill_switch", NoResponder = "no_responder",
        WrongTarget = "wrong_target", Expression = "expression",
    }
}

/// One run, without its steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    pub id: RunId,
    /// Place in the order in which runs came; runs on one target go in this order.
    pub ordinal: u64,
    pub playbook: PlaybookId,
    pub name: Text,
    pub version: u64,
    pub alert: AlertId,
    /// Title of the alert, for logs and lists.
    pub about: String,
    pub state: RunState,
    pub started_by: Text,
    /// The token that started it; `None` when a trigger did.
    pub requester: Option<TokenId>,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub reason: Option<String>,
    /// Wall time at which the event that opened the alert was accepted: containment is measured from here.
    pub opened_at: Timestamp,
    /// When the last of its effects was verified.
    pub contained_at: Option<Timestamp>,
    /// How it is being ended, once that is decided.
    pub ending: Option<Ending>,
    /// Texts the alert has not been told yet, with their keys.
    pub untold: Vec<Telling>,
}

impl Run {
    /// Whether a way of ending was decided and the run is not there yet.
    #[must_use]
    pub fn ending_under_way(&self) -> bool {
        self.ending.as_ref().is_some_and(|ending| ending.state != self.state || self.finished_at.is_none())
    }

    /// Seconds from the alert's opening to containment.
    #[must_use]
    pub fn time_to_contain_s(&self) -> Option<f64> {
        self.contained_at.map(|at| ((at - self.opened_at).max(0)) as f64 / 1e3)
    }
}

/// Something the alert's timeline is to say; repeated with the same key it says it once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Telling {
    pub key: Text,
    pub text: String,
    pub contained_at: Option<Timestamp>,
}

/// How a run ends before its last step, or is taken back after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ending {
    pub way: Way,
    /// The state it ends in.
    pub state: RunState,
    pub reason: String,
}

words! {
    /// Whether what was done stays.
    Way { Stop = "stop", Undo = "undo" }
}

/// What a run was planned with; never changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    pub playbook: Playbook,
    /// The alert as the conditions see it.
    pub facts: serde_json::Value,
}

/// One step of a run, at one target if it has one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunStep {
    /// Place in the run, from 0; ordered by step, then target.
    pub place: u32,
    pub step: Text,
    pub title: String,
    pub action: Option<Text>,
    pub connector: Option<Text>,
    pub target: Option<EntityKey>,
    pub parameters: serde_json::Map<String, serde_json::Value>,
    pub state: StepState,
    /// What was done (or planned), in words.
    pub said: Option<String>,
    /// What the responder answered; needed to verify and undo.
    pub effect: Option<Effect>,
    pub reversible: bool,
    pub attempts: u32,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    /// Not tried again before this.
    pub not_before: Option<Timestamp>,
    pub error: Option<String>,
    pub refused: Option<Rule>,
    pub verified: Option<bool>,
    pub expires_at: Option<Timestamp>,
    pub blast: BlastPart,
    pub key: Option<Text>,
}

impl RunStep {
    /// Whether something may have been changed at the target and not been taken back.
    #[must_use]
    pub fn is_in_force(&self) -> bool {
        let touched = self.action.is_some() && self.key.is_some() && self.attempts > 0;
        touched && matches!(self.state, StepState::Running | StepState::Done | StepState::Failed | StepState::Undoing)
    }

    /// Whether nothing more happens to it by itself.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        matches!(self.state, StepState::Done | StepState::Failed | StepState::Skipped | StepState::Undone)
    }
}

/// What one effect hits.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct BlastPart {
    /// Accounts, at most 1,000 listed.
    pub accounts: Vec<Text>,
    pub traffic_share: f64,
    pub money_minor: f64,
}

/// What several effects hit together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Blast {
    pub accounts: u32,
    pub traffic_share: f64,
    pub money_minor: f64,
    pub currency: Option<Text>,
}

/// A wait for people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Approval {
    pub id: ApprovalId,
    pub run: RunId,
    pub step: Text,
    pub question: String,
    pub role: Role,
    pub needed: u32,
    pub four_eyes: bool,
    pub decisions: Vec<Decision>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub default: SafeDefault,
    pub state: ApprovalState,
}

/// What one person said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub by: Text,
    pub token: TokenId,
    pub approved: bool,
    pub note: Option<String>,
    pub at: Timestamp,
}

impl Approval {
    /// What its default means for a question.
    #[must_use]
    pub const fn default_answer(&self) -> Answer {
        match self.default {
            SafeDefault::Approve => Answer::Yes,
            SafeDefault::Reject => Answer::No,
        }
    }

    /// Whether it ended with yes: agreed, or expired with that default.
    #[must_use]
    pub fn says_yes(&self) -> bool {
        match self.state {
            ApprovalState::Approved => true,
            ApprovalState::Expired => self.default == SafeDefault::Approve,
            ApprovalState::Pending | ApprovalState::Rejected => false,
        }
    }
}

/// A run with everything that belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRecord {
    pub run: Run,
    pub plan: Plan,
    pub steps: Vec<RunStep>,
    pub approvals: Vec<Approval>,
}

/// The key of an effect: the same for every repetition, another for every other effect.
#[must_use]
pub fn effect_key(run: RunId, step: &str, target: Option<&EntityKey>) -> Text {
    let (kind, key) = target.map_or(("", ""), |target| (target.kind.as_str(), target.key.as_str()));
    Text::from(format!("rg-{:032x}", hash128(&[&run.to_string(), step, kind, key])))
}

/// What one action would do to one target.
#[derive(Debug, Clone, PartialEq)]
pub struct DryEffect {
    pub step: Text,
    pub action: Text,
    pub target: String,
    pub effect: String,
    pub reversible: bool,
    pub expires_in_s: Option<u32>,
}

/// Why something would not be done.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    pub step: Text,
    pub target: String,
    pub rule: Rule,
    pub reason: String,
}

/// What a run would do, as of now.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DryRun {
    pub allowed: bool,
    pub effects: Vec<DryEffect>,
    pub refusals: Vec<Refusal>,
    pub blast: Blast,
    /// In words: which step waits for whom, and what happens when nobody answers.
    pub approvals: Vec<String>,
}
