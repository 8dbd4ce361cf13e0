//! Responders: connectors that do something about an alert, and can say beforehand what, check it afterwards and take it back.
//! It must *not* know playbooks, runs or any particular system.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::error::Fault;
use crate::graph::{EntityKey, EntityKind};
use crate::text::Text;
use crate::time::Timestamp;

/// What a responder can do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionSpec {
    /// `block_address`, `freeze_account` ...: the same action of several connectors has the same name.
    pub action: Text,
    /// The connector's name as configured, such as `nginx` or `shop`.
    pub connector: Text,
    /// What it does, in one sentence for the person who approves it.
    pub description: String,
    /// Kinds of entities it can be aimed at; empty: it needs no target.
    pub targets: Vec<EntityKind>,
    /// Whether [`Responder::undo`] takes it back.
    pub reversible: bool,
    /// Parameters it understands.
    pub parameters: Vec<ParameterSpec>,
}

/// One parameter of an action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParameterSpec {
    pub name: Text,
    pub description: String,
    /// Whether the action is refused without it.
    pub required: bool,
}

/// One action on one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActionRequest {
    pub action: Text,
    /// The connector that is to do it.
    pub connector: Text,
    /// What it is aimed at; `None` for actions without a target.
    pub target: Option<EntityKey>,
    /// As declared by the step, after its expressions were evaluated.
    pub parameters: serde_json::Map<String, serde_json::Value>,
    /// The same for every repetition of the same effect; at most 64 characters of `[A-Za-z0-9_-]`.
    pub idempotency_key: Text,
    /// When the engine will undo it; connectors that can, let it end by itself then.
    pub expires_at: Option<Timestamp>,
    /// Why, for logs of the other side: alert id and title, never personal data.
    pub reason: String,
}

/// What an action would do to its target, as of now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedEffect {
    /// In words, exact: "adds 'deny 203.0.113.7;' to the deny list (41 entries now)".
    pub text: String,
    /// Whether it would change anything; `false` when the target is in that state already.
    pub changes: bool,
}

/// What an execution or undo did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// In words, for the run's log.
    pub text: String,
    /// Whether this call or an earlier one of the same key changed something; `false`: it was so before us, and undo leaves it.
    pub ours: bool,
    /// What undo needs, given back to it; at most 4 KiB, no secrets.
    #[serde(default)]
    pub receipt: serde_json::Value,
}

/// What a look at the real thing showed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verified {
    /// Whether the effect is really there.
    pub holds: bool,
    /// What was looked at and seen.
    pub text: String,
}

/// A connector that acts. Every call is bounded in time by the connector itself and safe to repeat with the same key.
#[async_trait]
pub trait Responder: Send + Sync {
    /// What it can do.
    fn actions(&self) -> Vec<ActionSpec>;
    /// What [`Responder::execute`] would do; changes nothing.
    async fn dry_run(&self, request: &ActionRequest) -> Result<PlannedEffect, Fault>;
    /// Does it; with a key that was executed before it does nothing more and answers the same.
    ///
    /// # Errors
    /// When it is not known to be done. A fault whose code may be retried can be tried again with the same key.
    async fn execute(&self, request: &ActionRequest) -> Result<Effect, Fault>;
    /// Looks at the real thing.
    async fn verify(&self, request: &ActionRequest, effect: &Effect) -> Result<Verified, Fault>;
    /// Takes back what this key did, and nothing else; repeating it changes nothing.
    async fn undo(&self, request: &ActionRequest, effect: &Effect) -> Result<Effect, Fault>;
}
