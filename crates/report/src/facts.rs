//! What a report is made of: everything as it was known at the instant. It must *not* know where it was read.

use std::collections::BTreeMap;

use riskgraph_domain::alert::Alert;
use riskgraph_domain::posture::{Finding, Grade, Posture};
use riskgraph_domain::report::ReportKind;
use riskgraph_domain::vendor::{Vendor, VendorTier};
use riskgraph_domain::{FindingId, Severity, Timestamp};

/// Everything one report needs.
#[derive(Debug, Clone)]
pub struct Facts {
    pub kind: ReportKind,
    pub since: Timestamp,
    pub as_of: Timestamp,
    /// Base URL of the console, without a slash at its end.
    pub public_url: String,
    /// In order of names.
    pub vendors: Vec<VendorFacts>,
    /// In order of their last change, oldest first.
    pub alerts: Vec<AlertFacts>,
    /// Alerts beyond those listed: older ones than can be read.
    pub alerts_left_out: u64,
    /// Stretches of the period without input, oldest first.
    pub silences: Vec<Silence>,
    /// Set when what was known at `since` is not kept any more, or the installation is younger: when history begins.
    pub history_begins: Option<Timestamp>,
    pub quantities: Quantities,
}

/// What was known of a vendor.
#[derive(Debug, Clone)]
pub struct VendorFacts {
    pub vendor: Vendor,
    /// The newest posture.
    pub posture: Option<Posture>,
    /// The grade as it was at `since`; none when it was not assessed by then.
    pub grade_before: Option<Grade>,
    /// Postures of the last year, oldest first; for a report about this vendor alone.
    pub history: Vec<Posture>,
    /// The newest version of every finding, also resolved ones.
    pub findings: Vec<Finding>,
    /// The same at `since`.
    pub findings_before: BTreeMap<FindingId, Finding>,
    /// Names of those it depends on that it was not known to depend on at `since`, with when that was seen.
    pub new_fourth_parties: Vec<(String, Timestamp)>,
    pub n_fourth_parties: usize,
}

/// What was known of an alert.
#[derive(Debug, Clone)]
pub struct AlertFacts {
    pub alert: Alert,
    /// Wall time at which it was raised.
    pub raised_at: Timestamp,
    pub resolved_at: Option<Timestamp>,
}

/// A stretch without input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Silence {
    pub from: Timestamp,
    pub until: Timestamp,
    pub kind: SilenceKind,
}

/// Why there was no input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SilenceKind {
    /// The service did not run.
    Down,
    /// It ran, and no event came.
    NoEvents,
}

/// What is late, by the installation's own rules.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantities {
    /// Hours after which an assessment is old, by tier.
    pub assessed_within_h: [(VendorTier, u32); 4],
    /// Days a finding may stay open, by severity.
    pub fixed_within_days: [(Severity, u32); 5],
}

impl Quantities {
    /// Hours after which an assessment of a vendor of this tier is old.
    #[must_use]
    pub fn assessed_within_h(&self, tier: VendorTier) -> u32 {
        self.assessed_within_h.iter().find(|(known, _)| *known == tier).map_or(24, |(_, hours)| *hours)
    }

    /// Days a finding of this severity may stay open.
    #[must_use]
    pub fn fixed_within_days(&self, severity: Severity) -> u32 {
        self.fixed_within_days.iter().find(|(known, _)| *known == severity).map_or(90, |(_, days)| *days)
    }
}
