//! The declared quantities of the detectors: `config/detect.toml`, compiled in.

use serde::{Deserialize, Serialize};

use super::enumeration::EnumerationConfig;
use super::integration::IntegrationConfig;
use super::scanning::ScanningConfig;
use super::scraping::ScrapingConfig;

/// The shipped configuration, with the reason of each quantity.
const SHIPPED: &str = include_str!("../../../../config/detect.toml");

/// The configuration is not what the detectors expect.
#[derive(Debug, thiserror::Error)]
#[error("detector configuration cannot be read")]
pub struct BadConfig(#[from] toml::de::Error);

/// Quantities of all detectors, one table each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DetectConfig {
    pub people: PeopleConfig,
    pub credential_stuffing: StuffingConfig,
    pub password_guessing: GuessingConfig,
    pub login_novelty: NoveltyConfig,
    pub takeover: TakeoverConfig,
    pub card_testing: CardTestingConfig,
    pub payment_habit: PaymentHabitConfig,

    pub integration: IntegrationConfig,
    pub enumeration: EnumerationConfig,
    pub scanning: ScanningConfig,
    pub scraping: ScrapingConfig,
}

impl DetectConfig {
    /// Parses a whole configuration.
    pub fn parse(text: &str) -> Result<Self, BadConfig> {
        Ok(toml::from_str(text)?)
    }

    /// The configuration the product is shipped with.
    pub fn shipped() -> Result<Self, BadConfig> {
        Self::parse(SHIPPED)
    }
}

/// What is remembered of people's logins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeopleConfig {
    /// People remembered at once; the ones unseen longest give way.
    pub people_max: usize,
}

/// See `credential_stuffing`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StuffingConfig {
    pub step_s: i64,
    pub buckets_max: usize,
    pub fast_s: i64,
    pub slow_s: i64,
    pub gap_s: i64,
    pub fast_excess_min: f64,
    pub slow_excess_min: f64,
    pub deviations_min: f64,
    pub overdispersion: f64,
    pub users_min: f64,
    pub addresses_min: f64,
    pub addresses_per_user_min: f64,
    pub tries_per_user_max: f64,
    pub normal_prior: f64,
    pub normal_prior_weight: f64,
    pub normal_floor: f64,
    pub normal_ceiling: f64,
    pub normal_half_life_h: f64,
    pub rate_half_life_s: i64,
    pub outage_span_s: i64,
    pub outage_successes_min: f64,
    pub outage_successes_share: f64,
    pub outage_familiar_min: f64,
    pub outage_familiar_share: f64,
    pub outage_tries_min: f64,
    pub success_rate: f64,
    pub likelihood_min: f64,
    pub report_growth: f64,
    pub groups_max: usize,
    pub people_max: usize,
    pub addresses_max: usize,
}

/// See `card_testing`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CardTestingConfig {
    pub step_s: i64,
    pub buckets_max: usize,
    pub fast_s: i64,
    pub slow_s: i64,
    pub gap_s: i64,
    pub found_s: i64,
    pub excess_min: f64,
    pub cards_min: f64,
    pub wide_factor: f64,
    pub deviations_min: f64,
    pub overdispersion: f64,
    pub tries_per_card_max: f64,
    pub normal_prior: f64,
    pub normal_prior_weight: f64,
    pub normal_floor: f64,
    pub normal_ceiling: f64,
    pub normal_half_life_h: f64,
    pub known_card_s: i64,
    pub found_rate: f64,
    pub source_factor: f64,
    pub likelihood_min: f64,
    pub report_growth: f64,
    pub clusters_max: usize,
    pub cards_max: usize,
    pub sources_max: usize,
}

/// See `login_novelty`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoveltyConfig {
    pub device: f64,
    pub network: f64,
    pub country: f64,
    pub travel: f64,
    pub travel_known_device: f64,
    pub travel_between_known: f64,
    pub staff: f64,
    pub leaked: f64,
    pub unnumbered_factor: f64,
    pub mfa_factor: f64,
    pub mfa_usual_factor: f64,
    pub report_min: f64,
    pub travel_km_min: f64,
    pub travel_km_per_h: f64,
    pub common_share: f64,
    pub common_country_share: f64,
    pub common_prior_weight: f64,
    pub common_half_life_h: f64,
    pub pending_s: i64,
    pub pending_max: usize,
}

/// See `password_guessing`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GuessingConfig {
    pub pause_s: i64,
    pub episode_s: i64,
    pub source_users_min: f64,
    pub source_users_campaign: f64,
    pub source_failed_share: f64,
    pub source_tries_max: f64,
    pub place_factor: f64,
    pub account_failures_min: f64,
    pub nobody_factor: f64,
    pub robot_per_min: f64,
    pub robot_score_max: f64,
    pub success_failures_min: f64,
    pub compromise_min: f64,
    pub report_min: f64,
    pub report_growth: f64,
    pub sources_max: usize,
    pub accounts_max: usize,
}

/// See `takeover`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeoverConfig {
    pub window_s: i64,
    pub memory_s: i64,
    pub giftcard: f64,
    pub payout: f64,
    pub refund: f64,
    pub order_new_address: f64,
    pub order: f64,
    pub amount: f64,
    pub email: f64,
    pub phone: f64,
    pub password: f64,
    pub address: f64,
    pub mfa: f64,
    pub changes_max: f64,
    pub device: f64,
    pub network: f64,
    pub country: f64,
    pub home_factor: f64,
    pub single_factor: f64,
    pub move_factor: f64,
    pub mfa_factor: f64,
    pub compromised: f64,
    pub owner_factor: f64,
    pub unknown_factor: f64,
    pub strange_min: f64,
    pub report_min: f64,
    pub accounts_max: usize,
}

/// See `payment_habit`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentHabitConfig {
    pub amount: f64,
    pub tail: f64,
    pub hour: f64,
    pub day: f64,
    pub sum: f64,
    pub score_max: f64,
    pub amount_step: f64,
    pub tail_step: f64,
    pub velocity_step: f64,
    pub sum_step: f64,
    pub prior_weight: f64,
    pub report_min: f64,
    pub report_step: f64,
    pub quiet_s: i64,
    pub payers_max: usize,
}
