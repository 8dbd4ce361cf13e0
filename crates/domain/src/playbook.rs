//! Playbooks: what is to be done about an alert, step by step, as people write it down.
//!
//! It must *not* know the text form (TOML, CACAO), how conditions are evaluated, or who executes a step.

use serde::{Deserialize, Serialize};

use crate::access::Role;
use crate::alert::words;
use crate::graph::EntityKey;
use crate::id::PlaybookId;
use crate::text::Text;

pub mod ports;
pub mod run;

pub use ports::*;
pub use run::*;

/// Actions the engine does itself; every other name is looked up among the responders.
pub const NOTIFY: &str = "notify";
pub const ASK_PERSON: &str = "ask_person";

words! {
    /// Where a playbook's text lies.
    PlaybookSource { Shipped = "SHIPPED", File = "FILE", Api = "API" }
}

/// One playbook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Playbook {
    /// Unique; `[a-z0-9_-]`, at most 64 characters.
    pub name: Text,
    pub title: String,
    pub description: String,
    /// Whether a matching alert starts a run by itself.
    pub enabled: bool,
    /// Condition over the alert.
    pub trigger: String,
    /// What a run of this playbook may do at most, where that is less than the service allows.
    pub limits: Limits,
    /// In the order of the file. A step that no other names as its child is of the main sequence.
    pub steps: Vec<Step>,
    pub tests: Vec<PlaybookTest>,
}

impl Playbook {
    #[must_use]
    pub fn id(&self) -> PlaybookId {
        PlaybookId::of(&[&self.name])
    }

    /// The step of this id.
    #[must_use]
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id.as_str() == id)
    }

    /// The ids of the main sequence, in order.
    #[must_use]
    pub fn main(&self) -> Vec<&Text> {
        let children: std::collections::BTreeSet<&Text> = self.steps.iter().flat_map(Step::children).collect();
        self.steps.iter().map(|step| &step.id).filter(|id| !children.contains(id)).collect()
    }
}

/// How much may be hit at most; `None` leaves it to the service's own caps.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Accounts of customers and staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accounts: Option<u32>,
    /// Share of the shop's recent successful traffic, 0 ..= 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic_share: Option<f64>,
    /// Money held or blocked, in minor units of the configured currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub money_minor: Option<f64>,
    /// Targets of all actions together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub targets: Option<u32>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    pub id: Text,
    pub title: String,
    pub kind: StepKind,
    /// Longest time for one attempt of an action.
    pub timeout_s: u32,
    pub retry: Retry,
    pub on_failure: OnFailure,
    pub approval: Option<ApprovalRule>,
    /// The effect is undone after this time.
    pub expires_after_s: Option<u32>,
}

impl Step {
    /// Steps that run inside this one or instead of it.
    pub fn children(&self) -> impl Iterator<Item = &Text> {
        let inner: Vec<&Text> = match &self.kind {
            StepKind::If { then, otherwise, .. } => then.iter().chain(otherwise).collect(),
            StepKind::Parallel { steps } | StepKind::Sequence { steps } => steps.iter().collect(),
            _ => Vec::new(),
        };
        let handler = match &self.on_failure {
            OnFailure::Step(id) => Some(id),
            _ => None,
        };
        inner.into_iter().chain(handler)
    }

    /// The action's name, for steps that are one.
    #[must_use]
    pub fn action(&self) -> Option<&str> {
        match &self.kind {
            StepKind::Action(action) => Some(&action.action),
            StepKind::Ask(_) => Some(ASK_PERSON),
            StepKind::Notify { .. } => Some(NOTIFY),
            _ => None,
        }
    }
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    Action(ActionStep),
    If {
        condition: String,
        then: Vec<Text>,
        otherwise: Vec<Text>,
    },
    Parallel {
        steps: Vec<Text>,
    },
    Sequence {
        steps: Vec<Text>,
    },
    Ask(Question),
    Notify {
        /// Name of a delivery channel; empty: every channel that wants the alert has it already, only the alert is written on.
        channel: Text,
        /// May hold `${...}` expressions.
        text: String,
    },
    Wait {
        seconds: u32,
    },
}

impl StepKind {
    /// The word for it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Action(_) => "action",
            Self::If { .. } => "if",
            Self::Parallel { .. } => "parallel",
            Self::Sequence { .. } => "sequence",
            Self::Ask(_) => "ask",
            Self::Notify { .. } => "notify",
            Self::Wait { .. } => "wait",
        }
    }
}

/// An action of a responder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionStep {
    pub action: Text,
    /// The connector that does it; `None`: the first configured one that can.
    pub connector: Option<Text>,
    /// Expression whose value is a list of entities of the alert; `None` for actions without a target.
    pub targets: Option<String>,
    /// Texts may hold `${...}` expressions.
    pub parameters: serde_json::Map<String, serde_json::Value>,
}

/// A question to a person, answered with yes or no.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// May hold `${...}` expressions.
    pub text: String,
    pub role: Role,
    /// Time to answer.
    pub answer_within_s: u32,
    /// What counts when nobody answers in time.
    pub default: Answer,
}

words! {
    /// What a person said, or what counts when nobody does.
    Answer { Yes = "yes", No = "no" }
}

/// How often and how patiently a failed attempt is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// All attempts together, at least 1.
    pub attempts: u32,
    /// Wait before the second attempt; doubles from there, at most [`BACKOFF_MAX_S`].
    pub backoff_s: u32,
}

/// Longest wait between two attempts.
pub const BACKOFF_MAX_S: u32 = 300;

impl Retry {
    /// Seconds to wait after the n-th failed attempt (from 1).
    #[must_use]
    pub fn wait_s(self, attempt: u32) -> u32 {
        let doublings = attempt.saturating_sub(1).min(16);
        self.backoff_s.saturating_mul(1 << doublings).min(BACKOFF_MAX_S)
    }
}

/// What happens when a step fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// The run ends; what was done stays until it expires.
    Abort,
    /// The next step runs all the same.
    Continue,
    /// What the run did is undone, last first, and the run ends.
    Compensate,
    /// This step runs instead; then the run goes on.
    Step(Text),
}

/// Who must agree before a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRule {
    /// The least role that may decide.
    pub role: Role,
    /// People who must agree.
    pub needed: u32,
    /// Whether the one who started the run may not be among them.
    pub four_eyes: bool,
    pub within_s: u32,
    /// What counts when time is up.
    pub default: SafeDefault,
}

words! {
    /// What counts when an approval's time is up.
    SafeDefault { Reject = "reject", Approve = "approve" }
}

/// A test inside a playbook: an alert that never was, and what the playbook must do about it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlaybookTest {
    pub name: String,
    /// Facts of the alert as conditions see them; what is not given has a plain default.
    pub alert: serde_json::Map<String, serde_json::Value>,
    pub entities: Vec<TestEntity>,
    pub related: Vec<TestEntity>,
    /// Keys that are on the never-touch list of this test.
    pub never_touch: Vec<EntityKey>,
    /// What people say: step id to `approve`, `reject`, `yes`, `no`; not named: the default counts.
    pub answers: Vec<(Text, Text)>,
    /// Steps whose action fails.
    pub failing: Vec<Text>,
    pub expect: Expectation,
}

/// A fake target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TestEntity {
    pub key: EntityKey,
    /// `subject`, `involved` or `context`.
    pub role: Text,
    /// Money bound to it, minor units.
    pub money_minor: f64,
    /// Its share of the recent traffic.
    pub traffic_share: f64,
}

/// What a test expects; `None` is not looked at.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Expectation {
    pub matches: Option<bool>,
    /// `ACTION TARGET` (or `ACTION`), in the order of the steps.
    pub effects: Option<Vec<String>>,
    /// `ACTION TARGET: RULE`.
    pub refusals: Option<Vec<String>>,
    /// Effects that were undone in the end.
    pub undone: Option<Vec<String>>,
    /// State of the run at its end.
    pub state: Option<crate::playbook::RunState>,
}
