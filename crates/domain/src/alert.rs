//! Correlated signals over linked entities, and the append-only sequence of their changes.

use serde::{Deserialize, Serialize};

use crate::graph::EntityKey;
use crate::id::{AlertId, FindingId, RelationId, SignalId};
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
}

/// One step of an alert's story.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// The alert as it was right after this change.
    pub alert: Alert,
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
}
