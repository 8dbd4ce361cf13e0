//! Silences and cases: what people decide over several alerts. It must not know how they are judged or stored.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::alert::{Alert, Comment, TimelineEntry, words};
use crate::error::Fault;
use crate::id::{AlertId, CaseId, SilenceId};
use crate::page::{Page, PageRequest};
use crate::signal::Severity;
use crate::text::Text;
use crate::time::Timestamp;

words! {
    /// What of an alert a matcher looks at.
    MatchField {
        Severity = "SEVERITY", Detector = "DETECTOR", Technique = "TECHNIQUE", Entity = "ENTITY",
        EntityKind = "ENTITY_KIND", Vendor = "VENDOR", Title = "TITLE",
    }
}
words! {
    /// How a matcher compares.
    MatchOp {
        Equals = "EQUALS", NotEquals = "NOT_EQUALS", Contains = "CONTAINS", AtLeast = "AT_LEAST", AtMost = "AT_MOST",
    }
}
words! {
    /// Whether somebody works on a case.
    CaseStatus { Open = "OPEN", Closed = "CLOSED" }
}
words! {
    /// Where a silence is in its life.
    SilenceState { Waiting = "WAITING", Active = "ACTIVE", Over = "OVER" }
}

/// One condition on an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Matcher {
    pub field: MatchField,
    pub op: MatchOp,
    pub value: Text,
}

/// Alerts that meet all matchers are muted for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    pub id: SilenceId,
    pub matchers: Vec<Matcher>,
    pub author: Text,
    pub reason: String,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    pub state: SilenceState,
    /// Alerts it has muted so far.
    pub mutes: u32,
}

/// What a person gives for a silence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilenceInput {
    pub matchers: Vec<Matcher>,
    pub reason: String,
    /// Now, when not given.
    pub starts_at: Option<Timestamp>,
    pub ends_at: Timestamp,
}

/// Several alerts that somebody works on as one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    pub id: CaseId,
    pub title: String,
    pub status: CaseStatus,
    /// The worst of its alerts.
    pub severity: Severity,
    pub assignee: Option<Text>,
    pub created_by: Text,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// In the order in which they came.
    pub members: Vec<Member>,
    /// Oldest first.
    pub comments: Vec<Comment>,
    /// Oldest first.
    pub timeline: Vec<TimelineEntry>,
    /// The case that stands for this one while they are merged.
    pub merged_into: Option<CaseId>,
    /// The status it had before it was merged.
    pub status_before: Option<CaseStatus>,
    /// Cases merged into this one.
    pub merged: Vec<CaseId>,
    /// Nobody can change it any more: too many newer ones are kept.
    pub archived: bool,
}

/// An alert of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub alert: AlertId,
    /// As of its last change.
    pub severity: Severity,
    /// The merged case that brought it in.
    pub from: Option<CaseId>,
}

/// What a person gives for a new case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseInput {
    pub title: String,
    pub alerts: Vec<AlertId>,
    pub assignee: Option<Text>,
}

/// What is to change of a case; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseUpdate {
    pub title: Option<String>,
    pub assignee: Option<Text>,
    pub status: Option<CaseStatus>,
}

/// Which cases are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CaseFilter {
    pub status: Option<CaseStatus>,
    /// Part of the title, without case.
    pub query: Option<String>,
}

/// The reading side of the store for triage.
#[async_trait]
pub trait TriageRecords: Send + Sync {
    /// Last ending first; `Some(true)` only those in force, `Some(false)` only the others.
    async fn silences(&self, active: Option<bool>, page: PageRequest) -> Result<Page<Silence>, Fault>;
    async fn silence(&self, id: SilenceId) -> Result<Option<Silence>, Fault>;
    /// Last changed first.
    async fn cases(&self, filter: CaseFilter, page: PageRequest) -> Result<Page<Case>, Fault>;
    async fn case(&self, id: CaseId) -> Result<Option<Case>, Fault>;
    /// Those of these ids that exist, in any order.
    async fn alerts_by_id(&self, ids: &[AlertId]) -> Result<Vec<Alert>, Fault>;
    /// Resolved alerts that share a detector, technique, entity or vendor with this one, newest first, at most `max`.
    async fn alike(&self, alert: &Alert, max: usize) -> Result<Vec<Alert>, Fault>;
}
