//! The audit log: who changed what and who read what about whom, in a chain nobody can change unseen.
//!
//! Each entry's hash covers the hash before it, so that an entry that is changed, taken out, put in or moved breaks the
//! chain from there on ([`chain`]). It must *not* know how entries are kept or who asks for them.

pub mod canonical;
pub mod chain;

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::access::Viewer;
use crate::alert::words;
use crate::digest::Sum;
use crate::error::Fault;
use crate::id::TokenId;
use crate::page::{Page, PageRequest};
use crate::text::Text;
use crate::time::{Clock, Timestamp};

use chain::Link;

type Result<T> = std::result::Result<T, Fault>;

/// The role of what the service does by itself, and of callers nobody knows.
pub const ROLE_SYSTEM: &str = "system";
pub const ROLE_NONE: &str = "none";
/// The action of reading personal data.
pub const READ: &str = "read";
/// The action of cutting off the oldest entries.
pub const CUT: &str = "cutAudit";

words! {
    /// What became of it. A change is recorded before it is made and again when its outcome is known: a start without an
    /// outcome is a change that a crash, or a caller who went away, may have left done.
    Outcome { Started = "started", Done = "done", Refused = "refused", Failed = "failed" }
}

/// What is to be recorded. Never holds a secret.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub at: Timestamp,
    /// Name of the token, `command line`, or the part of the service.
    pub actor: Text,
    pub role: Text,
    pub token: Option<TokenId>,
    /// Where the request came from.
    pub address: Option<Text>,
    /// The `x-request-id` of the answer: entries of one request share it.
    pub request: Option<Text>,
    /// Root field of the change, `read`, `signIn` ...
    pub action: Text,
    /// Id of what was changed or read.
    pub target: Option<Text>,
    pub outcome: Outcome,
    /// Arguments, ids read, the reason of a refusal.
    pub detail: Value,
}

impl Record {
    /// Something the service does by itself.
    #[must_use]
    pub fn of_system(at: Timestamp, actor: &str, action: &str) -> Self {
        Self {
            at,
            actor: Text::from(actor),
            role: Text::from(ROLE_SYSTEM),
            token: None,
            address: None,
            request: None,
            action: Text::from(action),
            target: None,
            outcome: Outcome::Done,
            detail: json!({}),
        }
    }

    /// Something a token does.
    #[must_use]
    pub fn of_viewer(at: Timestamp, viewer: &Viewer, action: &str) -> Self {
        Self {
            actor: viewer.name.clone(),
            role: Text::from(viewer.role.as_str()),
            token: Some(viewer.token),
            ..Self::of_system(at, "", action)
        }
    }

    /// The record as the object that is hashed, at its place in the chain.
    #[must_use]
    pub fn body(&self, sequence: u64) -> String {
        let mut object = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                object.insert(name.to_owned(), value);
            }
        };
        put("sequence", Some(sequence.into()));
        put("at", Some(self.at.to_rfc3339().into()));
        put("actor", Some(self.actor.as_str().into()));
        put("role", Some(self.role.as_str().into()));
        put("token", self.token.map(|token| token.to_string().into()));
        put("address", self.address.as_deref().map(Into::into));
        put("request", self.request.as_deref().map(Into::into));
        put("action", Some(self.action.as_str().into()));
        put("target", self.target.as_deref().map(Into::into));
        put("outcome", Some(self.outcome.as_str().into()));
        put("detail", Some(self.detail.clone()));
        canonical::text(&Value::Object(object))
    }

    /// Reads what [`Record::body`] wrote; `None` when it is none.
    #[must_use]
    pub fn read(body: &str) -> Option<(u64, Self)> {
        let object: Map<String, Value> = serde_json::from_str(body).ok()?;
        let text = |name: &str| object.get(name).and_then(Value::as_str);
        let record = Self {
            at: Timestamp::parse_rfc3339(text("at")?)?,
            actor: text("actor")?.into(),
            role: text("role")?.into(),
            token: text("token").and_then(|id| id.parse().ok()),
            address: text("address").map(Text::from),
            request: text("request").map(Text::from),
            action: text("action")?.into(),
            target: text("target").map(Text::from),
            outcome: Outcome::parse(text("outcome")?)?,
            detail: object.get("detail").cloned().unwrap_or_default(),
        };
        Some((object.get("sequence")?.as_u64()?, record))
    }
}

/// A record in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub sequence: u64,
    pub record: Record,
    pub previous: Sum,
    pub hash: Sum,
}

/// The end of the chain at some moment. Whoever keeps it elsewhere can prove later that nothing up to it is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub sequence: u64,
    pub hash: Sum,
    /// When that entry was recorded.
    pub at: Timestamp,
}

/// Which entries are wanted.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    pub actor: Option<Text>,
    pub action: Option<Text>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

/// Takes records.
#[async_trait]
pub trait Recorder: Send + Sync {
    /// Returns once the record is durable, with its place.
    async fn record(&self, record: Record) -> Result<Head>;
}

/// Keeps the log. Appends of any number of processes make one chain.
#[async_trait]
pub trait AuditLog: Recorder {
    /// Newest first.
    async fn entries(&self, filter: AuditFilter, page: PageRequest) -> Result<Page<Entry>>;
    /// Links after this place, oldest first, at most `max`.
    async fn links_after(&self, sequence: u64, max: usize) -> Result<Vec<Link>>;
    /// The end of the chain; `None` when it is empty.
    async fn head(&self) -> Result<Option<Head>>;
    /// Notes the end of the chain as a place where it may be cut later.
    async fn anchor(&self) -> Result<Option<Head>>;
    /// The newest such place whose entry was recorded before `before`.
    async fn last_anchor(&self, before: Timestamp) -> Result<Option<Head>>;
    /// The anchor at exactly this place.
    async fn anchor_at(&self, sequence: u64) -> Result<Option<Head>>;
    /// Removes every entry up to an anchor, which stays; answers how many.
    async fn cut(&self, anchor: Head) -> Result<u64>;
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// All of it was looked at and holds.
    pub whole: bool,
    /// Entries looked at.
    pub entries: u64,
    pub head: Option<Head>,
    pub first_broken: Option<u64>,
    /// What does not match, or why not all was looked at.
    pub reason: Option<String>,
}

/// Verifies the log of a running service, a bounded part at a time.
#[async_trait]
pub trait Verify: Send + Sync {
    /// Goes on where the last call stopped; starts again when it reached the end.
    async fn verify(&self) -> Result<Verification>;
}

/// Everything the API needs of the log.
#[derive(Clone)]
pub struct Audit {
    pub recorder: Arc<dyn Recorder>,
    pub log: Arc<dyn AuditLog>,
    pub verify: Arc<dyn Verify>,
    pub clock: Arc<dyn Clock>,
}
