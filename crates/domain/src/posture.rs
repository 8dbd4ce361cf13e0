//! Results of checks, and the posture they add up to.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::alert::words;
use crate::error::Fault;
use crate::id::{FindingId, VendorId};
use crate::signal::Severity;
use crate::text::Text;
use crate::time::Timestamp;

words! {
    /// What a check said.
    CheckResult { Pass = "PASS", Warn = "WARN", Fail = "FAIL", Unknown = "UNKNOWN" }
}
words! {
    /// Where a finding is in its life.
    FindingStatus { Open = "OPEN", Resolved = "RESOLVED", Accepted = "ACCEPTED", Disputed = "DISPUTED" }
}
words! {
    /// Letter of a posture: A >= 90, B >= 80, C >= 70, D >= 60, F below; NR: not rated, coverage too low.
    Grade { A = "A", B = "B", C = "C", D = "D", F = "F", NR = "NR" }
}

words! {
    /// Why a finding is disputed.
    DisputeKind {
        NotMine = "NOT_MINE", Fixed = "FIXED", CompensatingControl = "COMPENSATING_CONTROL",
        CannotReproduce = "CANNOT_REPRODUCE",
    }
}
words! {
    /// Why points came or went between two postures.
    ScoreCause {
        New = "NEW", Fixed = "FIXED", Changed = "CHANGED", Decayed = "DECAYED", AssetChanged = "ASSET_CHANGED",
        Disputed = "DISPUTED", Incident = "INCIDENT", Limit = "LIMIT", Share = "SHARE", ModelVersion = "MODEL_VERSION",
    }
}

/// The current result of one check for one asset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckOutcome {
    /// Catalogue id, such as `TLS-09`.
    pub check: Text,
    /// Host or domain it was judged on.
    pub asset: Text,
    pub result: CheckResult,
    pub severity: Severity,
    pub title: String,
    /// What to do; empty when it passed.
    pub recommendation: String,
    /// Standard or paper.
    pub reference: String,
    /// A JSON object: what was seen.
    pub evidence: serde_json::Value,
    /// Confidence in the evidence, 0 ..= 1.
    pub confidence: f64,
}

/// The posture of one vendor (or one domain) from one set of outcomes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Posture {
    /// 0 ..= 100, higher is better; `None` when not rated.
    pub score: Option<f64>,
    pub grade: Grade,
    /// Share of the scored weight that could be judged, 0 ..= 1.
    pub coverage: f64,
    pub assessed_at: Timestamp,
    /// Such as `rg-score/1`.
    pub model: Text,
    pub factors: Vec<PostureFactor>,
    /// Adds up exactly to `100 - score`.
    pub waterfall: Vec<PosturePoints>,
    /// Verdicts under public standards, `contract/formats.md`.
    pub compat: serde_json::Value,
}

/// One area of a posture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PostureFactor {
    pub name: Text,
    /// `None` when nothing of it could be judged.
    pub score: Option<f64>,
    pub weight: f64,
    pub coverage: f64,
}

/// Points lost, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PosturePoints {
    pub points: f64,
    pub reason: String,
    /// The check and asset that cost them, when one did.
    pub check: Option<Text>,
    pub asset: Option<Text>,
    /// Weight the finding loses before it is shared out: of its severity, times result, times confidence.
    #[serde(default)]
    pub cost: Option<f64>,
}

/// A check's result for one asset of one vendor, with its life cycle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    pub id: FindingId,
    pub vendor: Option<VendorId>,
    pub outcome: CheckOutcome,
    pub status: FindingStatus,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    pub accepted_until: Option<Timestamp>,
    /// Why it was accepted or disputed, and by whom.
    pub note: Option<String>,
    /// What kind of dispute it is, while it is disputed.
    #[serde(default)]
    pub dispute: Option<DisputeKind>,
}

impl Finding {
    /// The id of the finding of this check on this asset of this vendor.
    #[must_use]
    pub fn id_of(check: &str, vendor: VendorId, asset: &str) -> FindingId {
        FindingId::of(&[check, &vendor.to_string(), asset])
    }
}

/// One repair: a check, on every asset that fails it.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreFix {
    pub check: Text,
    pub title: String,
    /// How to.
    pub recommendation: String,
    /// Assets that fail it or are warned of, in order.
    pub assets: Vec<Text>,
    /// Points the score rises, after the repairs before it in the list.
    pub gain: f64,
    /// The score then.
    pub score: f64,
}

/// Points between two postures, for one reason.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreStep {
    /// Positive: the score rose.
    pub points: f64,
    pub cause: ScoreCause,
    pub reason: String,
    pub check: Option<Text>,
    pub asset: Option<Text>,
}

/// Two postures and every point between them.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreDiff {
    pub before: Posture,
    pub after: Posture,
    /// The greatest first; they add up to the difference of the scores. Empty when one is not rated.
    pub steps: Vec<ScoreStep>,
}

/// What can be asked of a vendor's score (made by the root, used by the API).
#[async_trait]
pub trait PostureDesk: Send + Sync {
    /// The posture when these findings passed; those of other vendors are passed over. `None` before the first assessment.
    async fn what_if(&self, vendor: VendorId, repaired: &[FindingId]) -> Result<Option<Posture>, Fault>;
    /// The posture when what is disputed did not count.
    async fn without_disputed(&self, vendor: VendorId) -> Result<Option<Posture>, Fault>;
    /// The repairs that lift the score most, best first.
    async fn fixes(&self, vendor: VendorId, max: usize) -> Result<Vec<ScoreFix>, Fault>;
    /// Between the postures as they were at two instants; `None` when there was none.
    async fn difference(
        &self,
        vendor: VendorId,
        since: Timestamp,
        until: Option<Timestamp>,
    ) -> Result<Option<ScoreDiff>, Fault>;
}
