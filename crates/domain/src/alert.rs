//! Correlated signals over linked entities, and the append-only sequence of their changes.

use serde::{Deserialize, Serialize};

use crate::graph::EntityKey;
use crate::id::{AlertId, CaseId, FindingId, RelationId, SignalId, SilenceId, VendorId};
use crate::signal::Severity;
use crate::text::Text;
use crate::time::Timestamp;

macro_rules! words {
    ($(#[$doc:meta])* $enum:ident { $($name:ident = $text:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $enum { $(#[serde(rename = $text)] $name),* }
        impl $enum {
            /// All of them, in the contract's order.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
            /// The name in the contract.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
            /// The one of this exact name.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$name),)* _ => None }
            }
        }
    };
}
pub(crate) use words;

words! {
    /// Where an alert is in its life.
    AlertStatus { Open = "OPEN", Acknowledged = "ACKNOWLEDGED", Resolved = "RESOLVED" }
}
words! {
    /// What a person said an alert really was.
    Verdict {
        TruePositive = "TRUE_POSITIVE", FalsePositive = "FALSE_POSITIVE", Benign = "BENIGN",
        Duplicate = "DUPLICATE", InsufficientData = "INSUFFICIENT_DATA",
    }
}
words! {
    /// What happened to an alert.
    AlertChange {
        Opened = "OPENED", Updated = "UPDATED", Escalated = "ESCALATED", Retracted = "RETRACTED", Resolved = "RESOLVED",
    }
}
words! {
    /// Why an alert changed.
    AlertCause {
        Signal = "SIGNAL", Correlation = "CORRELATION", Acknowledged = "ACKNOWLEDGED", Assigned = "ASSIGNED",
        Commented = "COMMENTED", Resolved = "RESOLVED", Reopened = "REOPENED", Muted = "MUTED", Unmuted = "UNMUTED",
        DueSet = "DUE_SET", Overdue = "OVERDUE", Case = "CASE", Response = "RESPONSE",
    }
}
words! {
    /// Why nobody is told of an alert.
    MuteKind { Silenced = "SILENCED", Inhibited = "INHIBITED", Storm = "STORM" }
}

/// Correlated signals and findings over linked entities.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    pub id: AlertId,
    pub title: String,
    pub summary: String,
    pub severity: Severity,
    /// 0 ..= 100: the rank-damped sum of the signals' scores and of the risk its entities had from elsewhere.
    pub score: f64,
    pub status: AlertStatus,
    pub verdict: Option<Verdict>,
    /// Event time of the first signal.
    pub opened_at: Timestamp,
    /// Event time of the last change.
    pub updated_at: Timestamp,
    pub assignee: Option<Text>,
    /// Most touched first; at most 64, `entities_total` has the whole number.
    pub entities: Vec<EntityKey>,
    pub entities_total: u32,
    pub findings: Vec<FindingId>,
    /// Oldest first; at most 64, the first 16 and the latest are kept.
    pub timeline: Vec<TimelineEntry>,
    /// The relations that join the entities, in the order of the attack.
    pub path: Vec<RelationId>,
    pub techniques: Vec<Text>,
    pub recommendations: Vec<String>,
    /// Signals folded in.
    pub count: u32,
    /// Wall seconds from accepting the deciding event of the first signal to the alert.
    pub detection_delay_s: f64,
    /// Number of its last entry in the sequence; 0 for rows of before this was kept.
    #[serde(default)]
    pub revision: u64,
    /// Wall time at which the deciding event of the first signal was accepted.
    #[serde(default)]
    pub accepted_at: Option<Timestamp>,
    /// Detectors of its signals, by name; at most 32.
    #[serde(default)]
    pub detectors: Vec<Text>,
    /// Vendors it is about: those that take part, lie on its path, or run what takes part; at most 16.
    #[serde(default)]
    pub vendors: Vec<VendorId>,
    /// What the score is made of; the points add up to `score` once rounded to 0.01.
    #[serde(default)]
    pub score_parts: Vec<ScorePart>,
    /// Set while nobody is to be told of it.
    #[serde(default)]
    pub muted: Option<Mute>,
    /// Wall time by which it should be resolved.
    #[serde(default)]
    pub due_at: Option<Timestamp>,
    /// Who set `due_at`; the policy does when nobody did.
    #[serde(default)]
    pub due_by: Option<Text>,
    /// How often it was told that it is overdue: 0 not at all.
    #[serde(default)]
    pub escalation: u32,
    /// Wall time of the first acknowledgement.
    #[serde(default)]
    pub acknowledged_at: Option<Timestamp>,
    /// Wall time at which a response had contained it.
    #[serde(default)]
    pub contained_at: Option<Timestamp>,
    /// Who resolved it, when and why; `None` while it is open.
    #[serde(default)]
    pub resolution: Option<Resolution>,
    /// Oldest first; at most [`COMMENTS_MAX`].
    #[serde(default)]
    pub comments: Vec<Comment>,
    /// Cases it is in; at most [`CASES_OF_ALERT_MAX`].
    #[serde(default)]
    pub cases: Vec<CaseId>,
    /// Keys of the responses noted on it, newest last; at most [`RESPONSES_MAX`].
    #[serde(default)]
    pub responses: Vec<Text>,
}

/// Comments on one alert or case; more are refused, for each change carries them all.
pub const COMMENTS_MAX: usize = 100;
/// Cases one alert is in.
pub const CASES_OF_ALERT_MAX: usize = 16;
/// Responses by whose keys repeats are known; a response that is this old is not repeated.
pub const RESPONSES_MAX: usize = 256;

impl Alert {
    /// An alert of which nothing but this is known yet.
    #[must_use]
    pub fn new(id: AlertId, title: impl Into<String>, opened_at: Timestamp) -> Self {
        Self {
            id,
            title: title.into(),
            summary: String::new(),
            severity: Severity::Info,
            score: 0.0,
            status: AlertStatus::Open,
            verdict: None,
            opened_at,
            updated_at: opened_at,
            assignee: None,
            entities: Vec::new(),
            entities_total: 0,
            findings: Vec::new(),
            timeline: Vec::new(),
            path: Vec::new(),
            techniques: Vec::new(),
            recommendations: Vec::new(),
            count: 0,
            detection_delay_s: 0.0,
            revision: 0,
            accepted_at: None,
            detectors: Vec::new(),
            vendors: Vec::new(),
            score_parts: Vec::new(),
            muted: None,
            due_at: None,
            due_by: None,
            escalation: 0,
            acknowledged_at: None,
            contained_at: None,
            resolution: None,
            comments: Vec::new(),
            cases: Vec::new(),
            responses: Vec::new(),
        }
    }

    /// Whether it should have been resolved by now, as the policy last judged.
    #[must_use]
    pub fn overdue(&self) -> bool {
        self.escalation > 0 && self.status != AlertStatus::Resolved
    }

    /// Seconds from accepting what opened it to its containment.
    #[must_use]
    pub fn time_to_contain_s(&self) -> Option<f64> {
        let contained = self.contained_at?;
        Some((contained - self.accepted_at.unwrap_or(self.opened_at)).max(0) as f64 / 1000.0)
    }
}

/// Why nobody is told of an alert; it is recorded, scored and found all the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mute {
    pub kind: MuteKind,
    /// One sentence.
    pub reason: String,
    /// When it ends by itself.
    pub until: Option<Timestamp>,
    /// The silence, for `SILENCED`.
    pub silence: Option<SilenceId>,
    /// The alert that is told of instead, for `INHIBITED` and `STORM`.
    pub by: Option<AlertId>,
}

/// One addend of an alert's score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScorePart {
    /// A multiple of 0.01.
    pub points: f64,
    pub reason: String,
    /// The detector whose signals give it; none for what was known before.
    pub detector: Option<Text>,
    /// The strongest of them.
    pub signal: Option<SignalId>,
}

/// What a person wrote on an alert or case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comment {
    pub time: Timestamp,
    pub actor: Text,
    pub text: String,
}

/// The end of an alert; the verdict stands beside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    pub at: Timestamp,
    /// A person or job; none when the correlation ended it.
    pub by: Option<Text>,
    pub reason: Option<String>,
}

/// One step of an alert's story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    pub time: Timestamp,
    pub text: String,
    pub signal: Option<SignalId>,
    /// Who did it, for changes by people.
    pub actor: Option<Text>,
}

/// One change of one alert: an entry of the append-only sequence.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertEvent {
    /// Place in the sequence, from 1, without gaps; printed it is the durable cursor.
    pub sequence: u64,
    pub change: AlertChange,
    /// Why it changed.
    #[serde(default = "signal")]
    pub cause: AlertCause,
    /// Who did it, for changes by people and responses.
    #[serde(default)]
    pub actor: Option<Text>,
    /// Wall time at which what made the change was accepted; the epoch for entries of before this was kept.
    #[serde(default)]
    pub at: Timestamp,
    /// The alert as it was right after this change.
    pub alert: Alert,
}

impl AlertEvent {
    /// Whether nobody is to be told of it.
    #[must_use]
    pub const fn muted(&self) -> bool {
        self.alert.muted.is_some()
    }
}

/// The cause of entries of before causes were kept.
const fn signal() -> AlertCause {
    AlertCause::Signal
}

/// Which alerts are wanted; an empty filter wants all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AlertFilter {
    pub status: Vec<AlertStatus>,
    pub min_severity: Option<Severity>,
    pub entity: Option<crate::id::EntityId>,
    pub vendor: Option<crate::id::VendorId>,
    pub technique: Option<Text>,
    /// Changed at or after this event time.
    pub since: Option<Timestamp>,
    /// Muted ones only, or the others only.
    pub muted: Option<bool>,
    /// Exactly this person, without case.
    pub assignee: Option<Text>,
    /// Overdue ones only, or the others only.
    pub overdue: Option<bool>,
    /// Part of the title, the summary or an entity's key, without case.
    pub query: Option<String>,
    pub case: Option<CaseId>,
    pub verdict: Vec<Verdict>,
}
