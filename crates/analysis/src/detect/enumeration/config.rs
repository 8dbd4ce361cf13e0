//! What an operator may tune of the enumeration detector; the reasons stand in `config/detect.toml`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Table `[enumeration]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnumerationConfig {
    /// Pairs of actor and object type remembered.
    pub readers_max: usize,
    /// Objects whose owner is remembered.
    pub owners_max: usize,
    /// Sessions and keys whose user is remembered.
    pub holders_max: usize,
    /// Partners remembered.
    pub partners_max: usize,
    /// Object types remembered.
    pub types_max: usize,
    /// Types, and path segments before an id, that everybody may read.
    pub public_types: Vec<String>,
    /// Foreign objects of as many foreign owners that make it HIGH.
    pub foreign_min: f64,
    /// Share of customers that read across owners from which a type is public.
    pub public_share: f64,
    /// Distinct objects a day below which nothing is odd without ownership.
    pub floor_customer: f64,
    pub floor_key: f64,
    pub floor_staff: f64,
    /// The same for a partner that never read single objects of this type.
    pub floor_new: f64,
    /// Days of its own after which an actor is compared with itself.
    pub own_days: u32,
    pub weights: EnumerationWeights,
}

/// Table `[enumeration.weights]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnumerationWeights {
    pub foreign: f64,
    pub foreign_more: f64,
    pub key_owners: f64,
    pub key_owners_many: f64,
    pub volume: f64,
    pub volume_more: f64,
    pub partner_max: f64,
    pub refused: f64,
    pub dense: f64,
}
