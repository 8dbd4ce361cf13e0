//! Risk: what an entity's own signals say, and what arrives from its neighbours.
//!
//! A pure function of graph, causes, instant and configuration; method and thresholds in `docs/risk.md`. It must *not*
//! know events, alerts' texts or rows.

mod config;
mod flow;
mod own;

pub use config::{
    ByDetector, CorrelateConfig, FindingScores, Flow, Influence, IntelConfig, LinkRule, OwnConfig, ResolveConfig,
    RiskConfig, SpreadConfig,
};
pub use flow::{Arrived, arriving, pass_factor, risk};
pub use own::{Cause, OwnRisk, exact, ppm, rank_damped, rank_weight, short_title};

#[cfg(test)]
mod tests;
