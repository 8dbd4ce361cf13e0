//! Results of checks, and the posture they add up to.

use serde::{Deserialize, Serialize};

use crate::alert::words;
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
}

impl Finding {
    /// The id of the finding of this check on this asset of this vendor.
    #[must_use]
    pub fn id_of(check: &str, vendor: VendorId, asset: &str) -> FindingId {
        FindingId::of(&[check, &vendor.to_string(), asset])
    }
}
