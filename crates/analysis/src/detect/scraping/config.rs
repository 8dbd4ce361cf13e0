//! What an operator may tune of the scraping detector; the reasons stand in `config/detect.toml`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Table `[scraping]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScrapingConfig {
    pub clients_max: usize,
    pub groups_max: usize,
    pub prints_max: usize,
    pub templates_max: usize,
    pub folders_max: usize,
    /// Hours that one group or client collects.
    pub window_h: i64,
    /// Distinct pages of a folder from which they are items of a template.
    pub folder_items: u64,
    /// Distinct items of a group below which nothing is said.
    pub items_min: u64,
    /// A catalogue is taken to have at least so many items.
    pub catalogue_min: u64,
    /// Distinct pages of one client below which nothing is said.
    pub alone_min: u64,
    /// Share of assets or referrers among all requests from which their absence means something.
    pub usual_share: f64,
    /// Domains below which search engines' crawlers have their reverse DNS.
    pub engines: Vec<String>,
    /// Words in the user agent of crawlers that name themselves.
    pub crawler_words: Vec<String>,
    pub weights: ScrapingWeights,
}

/// Table `[scraping.weights]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScrapingWeights {
    pub coverage: f64,
    pub coverage_more: f64,
    pub unrepeated: f64,
    pub many_addresses: f64,
    pub all_robotic: f64,
    pub ordered: f64,
    pub no_assets: f64,
    pub no_referrers: f64,
    pub alone: f64,
    pub alone_more: f64,
    pub alone_unrepeated: f64,
    pub alone_fast: f64,
}
