//! What an operator can set about reports.

use riskgraph_domain::Severity;
use riskgraph_domain::report::ReportKind;
use riskgraph_domain::time::DAY_MS;
use riskgraph_domain::vendor::VendorTier;
use riskgraph_report::Quantities;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// When input is old, when findings are late, and how far back reports look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportsConfig {
    /// Hours after which an assessment is old, by how much the shop depends on the vendor.
    pub assessed_within_h: ByTier,
    /// Days a finding may stay open, by how bad it is.
    pub fixed_within_days: BySeverity,
    /// Days a report looks back when nobody says.
    pub period_days: ByKind,
    /// Minutes without an event after which figures of alerts are marked.
    pub silent_after_min: u32,
}

/// One number for each tier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ByTier {
    pub critical: u32,
    pub high: u32,
    pub medium: u32,
    pub low: u32,
}

/// One number for each severity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BySeverity {
    pub critical: u32,
    pub high: u32,
    pub medium: u32,
    pub low: u32,
    pub info: u32,
}

/// One number for each kind of report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ByKind {
    pub vendor_manager: u32,
    pub risk_lead: u32,
    pub board: u32,
    pub vendor: u32,
}

impl ReportsConfig {
    /// What is late, for the composer.
    #[must_use]
    pub fn quantities(&self) -> Quantities {
        let (tier, severity) = (&self.assessed_within_h, &self.fixed_within_days);
        Quantities {
            assessed_within_h: [
                (VendorTier::Critical, tier.critical),
                (VendorTier::High, tier.high),
                (VendorTier::Medium, tier.medium),
                (VendorTier::Low, tier.low),
            ],
            fixed_within_days: [
                (Severity::Critical, severity.critical),
                (Severity::High, severity.high),
                (Severity::Medium, severity.medium),
                (Severity::Low, severity.low),
                (Severity::Info, severity.info),
            ],
        }
    }

    /// How far back a report of this kind looks, in milliseconds. A function of the kind alone: a report made again for
    /// the same instant must not depend on which others there are.
    #[must_use]
    pub fn period_ms(&self, kind: ReportKind) -> i64 {
        let days = match kind {
            ReportKind::VendorManager => self.period_days.vendor_manager,
            ReportKind::RiskLead => self.period_days.risk_lead,
            ReportKind::Board => self.period_days.board,
            ReportKind::Vendor => self.period_days.vendor,
        };
        i64::from(days.max(1)) * DAY_MS
    }
}
