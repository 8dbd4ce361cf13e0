//! The declared quantities of the detectors: `config/detect.toml`, compiled in.

use serde::{Deserialize, Serialize};

use super::integration::IntegrationConfig;

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
    pub integration: IntegrationConfig,
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
