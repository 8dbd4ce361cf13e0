//! Every quantity of risk and correlation: `config/risk.toml`.

use std::collections::BTreeMap;

use riskgraph_domain::time::HOUR_MS;
use riskgraph_domain::{EntityKind, RelationKind, Severity, Text};
use schemars::JsonSchema;
use serde::Deserialize;

/// The annotated defaults.
const DEFAULTS: &str = include_str!("../../../../config/risk.toml");
/// The entry of a table by detector that holds for all others.
const DEFAULT: &str = "default";

/// How risk is measured, spread and made into alerts.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RiskConfig {
    /// Version of the formula, stored on every risk.
    pub model: Text,
    pub own: OwnConfig,
    pub spread: SpreadConfig,
    pub correlate: CorrelateConfig,
    pub intel: IntelConfig,
    pub resolve: ResolveConfig,
}

/// Risk from an entity's own signals and findings.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnConfig {
    pub involved_share: f64,
    pub causes_max: usize,
    pub half_life_h: ByDetector,
    pub finding: FindingScores,
}

/// Score of a failed check on its vendor, by severity.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FindingScores {
    pub low: f64,
    pub medium: f64,
    pub high: f64,
    pub critical: f64,
}

/// A quantity by detector; `default` holds for those not named.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ByDetector(pub BTreeMap<String, f64>);

/// How risk flows along relations.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SpreadConfig {
    pub hops_max: u32,
    pub visited_max: usize,
    pub structural_max: usize,
    pub observed_max: usize,
    pub factor_min: f64,
    pub network_factor: f64,
    pub flow: BTreeMap<RelationKind, Flow>,
}

/// What share of risk passes one relation.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    pub along: f64,
    pub against: f64,
    #[serde(default)]
    pub shared: bool,
}

/// How signals become alerts.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CorrelateConfig {
    pub open_min: f64,
    pub link_hops_max: u32,
    pub score_step: f64,
    pub context_weight: f64,
    pub context_max: f64,
    pub context_full_at: f64,
    /// Score from which on another signal counts as context.
    pub context_cause_min: f64,
    /// Share of an open finding's points that counts as context.
    pub context_finding_share: f64,
    pub window_h: ByDetector,
    pub link: BTreeMap<RelationKind, LinkRule>,
    pub shared_max: BTreeMap<EntityKind, usize>,
}

/// How relations of one kind link signals.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkRule {
    pub influence: Influence,
    pub fanout_max: usize,
}

/// Which end of a relation can do harm to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Influence {
    /// `from` to `to`.
    Along,
    /// `to` to `from`.
    Against,
}

/// Scores of what intelligence says.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IntelConfig {
    pub incident_score: f64,
    pub leak_key_score: f64,
    pub leak_staff_score: f64,
    pub leak_customer_score: f64,
    pub prefix_chars_min: usize,
}

/// How alike names must be.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResolveConfig {
    pub company_min: f64,
    pub integration_min: f64,
}

impl RiskConfig {
    /// Reads a configuration.
    ///
    /// # Errors
    /// When the text is not TOML, lacks a field or has an unknown one.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// The compiled-in defaults.
    ///
    /// # Errors
    /// Never for a build that passed its tests: one of them reads the same text.
    pub fn defaults() -> Result<Self, toml::de::Error> {
        Self::parse(DEFAULTS)
    }
}

impl ByDetector {
    /// The hours for this detector, in milliseconds.
    #[must_use]
    pub fn hours_ms(&self, detector: &str) -> i64 {
        let hours = self.0.get(detector).or_else(|| self.0.get(DEFAULT)).copied().unwrap_or(24.0);
        (hours * HOUR_MS as f64) as i64
    }
}

impl FindingScores {
    /// The score of a failed check of this severity.
    #[must_use]
    pub const fn of(&self, severity: Severity) -> f64 {
        match severity {
            Severity::Info => 0.0,
            Severity::Low => self.low,
            Severity::Medium => self.medium,
            Severity::High => self.high,
            Severity::Critical => self.critical,
        }
    }
}
