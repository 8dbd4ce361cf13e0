//! What an operator may tune of the scan detector; the reasons stand in `config/detect.toml`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Table `[scanning]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScanningConfig {
    /// Addresses remembered.
    pub clients_max: usize,
    /// Minutes that evidence of one address collects.
    pub window_min: i64,
    /// Distinct missing paths that count.
    pub missing_min: f64,
    /// Share of errors among requests that counts.
    pub missing_share: f64,
    /// Requests per second that no person makes.
    pub fast_per_s: f64,
    /// Methods no shop needs.
    pub odd_methods: Vec<String>,
    /// Words in the user agent of scanning tools.
    pub agents: Vec<String>,
    /// Weak spots asked for by name.
    pub probes: Vec<String>,
    pub weights: ScanningWeights,
    /// Classes of attack shapes, at most 32.
    pub shapes: Vec<ShapeConfig>,
}

/// Table `[scanning.weights]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScanningWeights {
    pub missing: f64,
    pub shapes: f64,
    pub class: f64,
    pub probe: f64,
    pub probes_max: f64,
    pub methods: f64,
    pub agent: f64,
    pub pace: f64,
}

/// One class of attack shapes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShapeConfig {
    pub name: String,
    /// Why these strings have no honest use in a path or query.
    pub why: String,
    /// Lower case, percent-decoded.
    pub patterns: Vec<String>,
    /// Requests the class must find, and must not.
    pub examples: Vec<String>,
    pub negatives: Vec<String>,
}
