//! The audit log as GraphQL shows it. Must not know how it is kept.

use async_graphql::{Json, Object, SimpleObject};
use riskgraph_domain::audit as model;

use super::page::connection;
use super::words::{DateTime, int};

/// One entry of the audit log.
pub(crate) struct AuditEntry(pub(crate) model::Entry);

connection!(AuditEntryConnection, AuditEntryEdge, AuditEntry, model::Entry);

#[Object]
impl AuditEntry {
    /// Its place in the chain, from 1.
    async fn sequence(&self) -> i32 {
        int(self.0.sequence)
    }

    async fn at(&self) -> DateTime {
        DateTime(self.0.record.at)
    }

    /// Name of the token, `command line`, or the part of the service.
    async fn actor(&self) -> &str {
        &self.0.record.actor
    }

    /// Role of the token; `system` and `none` besides.
    async fn role(&self) -> &str {
        &self.0.record.role
    }

    /// Id of the token.
    async fn token(&self) -> Option<String> {
        self.0.record.token.map(|token| token.to_string())
    }

    /// Where the request came from.
    async fn address(&self) -> Option<&str> {
        self.0.record.address.as_deref()
    }

    /// Id of the request; its entries share it.
    async fn request(&self) -> Option<&str> {
        self.0.record.request.as_deref()
    }

    /// The mutation, `read`, `signIn` ...
    async fn action(&self) -> &str {
        &self.0.record.action
    }

    /// Id of what was changed or read.
    async fn target(&self) -> Option<&str> {
        self.0.record.target.as_deref()
    }

    /// `started` (a change about to be made), `done`, `refused` or `failed`.
    async fn outcome(&self) -> &str {
        self.0.record.outcome.as_str()
    }

    /// Arguments without secrets, ids read, the reason of a refusal.
    async fn detail(&self) -> Json<serde_json::Value> {
        Json(self.0.record.detail.clone())
    }

    /// SHA-256 of the previous hash and the entry in canonical JSON.
    async fn hash(&self) -> String {
        self.0.hash.to_string()
    }

    async fn previous(&self) -> String {
        self.0.previous.to_string()
    }
}

/// What a verification of the audit log found.
#[derive(SimpleObject)]
pub(crate) struct AuditVerification {
    /// All of it was looked at and holds.
    whole: bool,
    /// Entries looked at.
    entries: i32,
    /// Hash of the last entry that holds; empty when there is none.
    head: String,
    /// Place of the first entry that does not fit.
    first_broken: Option<i32>,
    /// What does not match, or why not all was looked at.
    reason: Option<String>,
}

impl From<model::Verification> for AuditVerification {
    fn from(found: model::Verification) -> Self {
        Self {
            whole: found.whole,
            entries: int(found.entries),
            head: found.head.map(|head| head.hash.to_string()).unwrap_or_default(),
            first_broken: found.first_broken.map(int),
            reason: found.reason,
        }
    }
}
