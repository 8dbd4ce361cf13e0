//! What people and jobs change. Commands go through the journal like events, so that a replay repeats them in order.

use serde::{Deserialize, Serialize};

use crate::alert::{Alert, Verdict};
use crate::id::{AlertId, CaseId, FindingId, SilenceId, VendorId};
use crate::posture::{CheckOutcome, DisputeKind, Posture};
use crate::text::Text;
use crate::time::Timestamp;
use crate::triage::{CaseInput, CaseUpdate, SilenceInput};
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
    CommentAlert {
        id: AlertId,
        text: String,
    },
    ReopenAlert {
        id: AlertId,
        note: Option<String>,
    },
    SetAlertDue {
        id: AlertId,
        due_at: Timestamp,
    },
    CreateSilence {
        id: SilenceId,
        input: SilenceInput,
    },
    ExpireSilence {
        id: SilenceId,
    },
    CreateCase {
        id: CaseId,
        input: CaseInput,
    },
    UpdateCase {
        id: CaseId,
        update: CaseUpdate,
    },
    CommentCase {
        id: CaseId,
        text: String,
    },
    AddToCase {
        id: CaseId,
        alerts: Vec<AlertId>,
    },
    RemoveFromCase {
        id: CaseId,
        alerts: Vec<AlertId>,
    },
    MergeCases {
        from: CaseId,
        into: CaseId,
    },
    UnmergeCase {
        id: CaseId,
    },
    /// Does what of the alert policy is due at the time this is accepted.
    Review,
    /// A change of alerts that are over, with the alerts as they were read when the sequence was at `as_of`.
    Recalled {
        alerts: Vec<Alert>,
        as_of: u64,
        change: Box<Change>,
    },
    AcceptFinding {
        id: FindingId,
        reason: String,
        until: Timestamp,
    },
    DisputeFinding {
        id: FindingId,
        reason: String,
        #[serde(default)]
        kind: Option<DisputeKind>,
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

impl Change {
    /// The alerts it names; those of a case are not among them.
    #[must_use]
    pub fn alerts(&self) -> Vec<AlertId> {
        match self {
            Self::AcknowledgeAlert { id, .. }
            | Self::AssignAlert { id, .. }
            | Self::ResolveAlert { id, .. }
            | Self::CommentAlert { id, .. }
            | Self::ReopenAlert { id, .. }
            | Self::SetAlertDue { id, .. }
            | Self::RecordResponse { alert: id, .. } => vec![*id],
            Self::CreateCase { input, .. } => input.alerts.clone(),
            Self::AddToCase { alerts, .. } | Self::RemoveFromCase { alerts, .. } => alerts.clone(),
            _ => Vec::new(),
        }
    }

    /// The cases whose alerts it changes besides those it names.
    #[must_use]
    pub fn cases(&self) -> Vec<CaseId> {
        match self {
            Self::MergeCases { from, .. } => vec![*from],
            Self::UnmergeCase { id } => vec![*id],
            _ => Vec::new(),
        }
    }
}
