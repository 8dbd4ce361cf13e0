//! What people and jobs change. Commands go through the journal like events, so that a replay repeats them in order.

use serde::{Deserialize, Serialize};

use crate::alert::Verdict;
use crate::id::{AlertId, FindingId, VendorId};
use crate::posture::{CheckOutcome, Posture};
use crate::text::Text;
use crate::time::Timestamp;
use crate::vendor::VendorInput;

/// One change, with who and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Command {
    pub at: Timestamp,
    /// Name of the token or job.
    pub by: Text,
    pub change: Change,
}

/// What is to change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    AddVendor {
        id: VendorId,
        input: VendorInput,
    },
    UpdateVendor {
        id: VendorId,
        input: VendorInput,
    },
    RemoveVendor {
        id: VendorId,
    },
    /// The outcome of one assessment of one vendor.
    RecordAssessment(Box<AssessmentRecord>),
    AcknowledgeAlert {
        id: AlertId,
        note: Option<String>,
    },
    AssignAlert {
        id: AlertId,
        assignee: Text,
    },
    ResolveAlert {
        id: AlertId,
        verdict: Verdict,
        note: Option<String>,
    },
    /// What a response did about an alert: an entry of its timeline, once for each key.
    RecordResponse {
        alert: AlertId,
        /// Names the response; a repeat of the same key changes nothing. At most 128 characters.
        key: Text,
        text: String,
        /// Wall time at which the attack was contained, once it is.
        contained_at: Option<Timestamp>,
    },
    AcceptFinding {
        id: FindingId,
        reason: String,
        until: Timestamp,
    },
    DisputeFinding {
        id: FindingId,
        reason: String,
    },
}

/// What one assessment of one vendor found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AssessmentRecord {
    pub vendor: VendorId,
    pub outcomes: Vec<CheckOutcome>,
    pub posture: Posture,
    /// Who the vendor itself depends on and what it owns: `(kind, from, to)` by natural keys.
    pub relations: Vec<SeenRelation>,
}

/// A relation a crawl saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeenRelation {
    pub kind: crate::graph::RelationKind,
    pub from: crate::graph::EntityKey,
    pub to: crate::graph::EntityKey,
    pub confidence: f32,
}
