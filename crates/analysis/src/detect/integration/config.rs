//! What an operator may tune of the integration baseline; the reasons stand in `config/detect.toml`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::baseline::Probation;
use riskgraph_domain::time::HOUR_MS;

/// Table `[integration]`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IntegrationConfig {
    /// Integrations remembered.
    pub integrations_max: usize,
    /// API keys remembered.
    pub keys_max: usize,
    /// Calls after which a key or integration may be settled.
    pub settled_calls: u64,
    /// Distinct hours with calls after which it may be settled.
    pub settled_hours: u32,
    /// Hours since its first call after which it may be settled.
    pub settled_age_h: i64,
    /// Distinct days on which a new network, endpoint or field must be seen to become normal.
    pub probation_days: u16,
    /// Hours since its first sight after which it may become normal.
    pub probation_age_h: i64,
    /// Largest growth of the learned norm per week, as a share.
    pub drift_per_week: f64,
    /// Trusted networks up to which a new one counts in full.
    pub few_networks: usize,
    /// Hours without a foreign call after which foreign evidence is forgotten.
    pub foreign_memory_h: i64,
    /// Hours that home evidence collects before it starts anew.
    pub home_memory_h: i64,
    /// Hourly records below which no volume is odd.
    pub volume_floor: f64,
    pub weights: IntegrationWeights,
    pub ramp: RampConfig,
}

/// Table `[integration.weights]`: shares of the score.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IntegrationWeights {
    pub network_and_country: f64,
    pub network_country_unknown: f64,
    pub network: f64,
    pub country: f64,
    pub prefix: f64,
    pub many_networks: f64,
    pub fingerprint: f64,
    pub agent: f64,
    pub stranger: f64,
    pub odd_hour: f64,
    pub fields_first: f64,
    pub fields_more: f64,
    pub fields_max: f64,
    pub endpoint: f64,
    pub endpoints_max: f64,
    pub refusals: f64,
    pub refusals_max: f64,
    pub paging: f64,
    pub paging_deep: f64,
    pub volume_foreign: f64,
    pub volume_home: f64,
    pub rate: f64,
}

/// Table `[integration.ramp]`: steady growth beyond the capped norm.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RampConfig {
    /// Days in a row above `ratio` that make a ramp.
    pub days: usize,
    /// Daily records over the capped norm.
    pub ratio: f64,
    /// Ratio at which it is HIGH.
    pub ratio_high: f64,
    /// Largest change from day to day that is still a ramp and not a step.
    pub step_max: f64,
    pub weight: f64,
    pub weight_high: f64,
}

impl IntegrationConfig {
    /// When a late-comer becomes normal.
    pub(super) const fn probation(&self) -> Probation {
        Probation { days: self.probation_days, age_ms: self.probation_age_h * HOUR_MS }
    }
}
