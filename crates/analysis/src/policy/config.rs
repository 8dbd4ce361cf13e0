//! Every quantity of the alert policy: `config/policy.toml`.

use std::collections::BTreeMap;

use riskgraph_domain::time::MINUTE_MS;
use riskgraph_domain::triage::Matcher;
use riskgraph_domain::{Fault, FaultCode, Severity, Text};
use schemars::JsonSchema;
use serde::Deserialize;

/// The annotated defaults.
pub const SHIPPED: &str = include_str!("../../../../config/policy.toml");
/// Rules of inhibition: each is matched with every change of an alert.
const RULES_MAX: usize = 64;
/// Openings remembered for one storm guard.
const STORM_MAX: usize = 1_000;
/// A minute quantity beyond this is a slip of the pen: a year.
const MINUTES_MAX: u32 = 525_600;

/// Whom an alert is told to, and by when.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyConfig {
    #[serde(default)]
    pub inhibit: Vec<InhibitRule>,
    pub storm: StormConfig,
    #[serde(default)]
    pub due: BTreeMap<Severity, DueRule>,
}

/// When one alert mutes another.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InhibitRule {
    pub name: Text,
    /// Shown on the muted alert.
    pub reason: String,
    #[schemars(with = "Vec<BTreeMap<String, String>>")]
    pub source: Vec<Matcher>,
    #[schemars(with = "Vec<BTreeMap<String, String>>")]
    pub target: Vec<Matcher>,
    pub share: Share,
}

/// What both alerts must have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Share {
    Entity,
    Vendor,
}

/// How many new alerts are too many to tell one by one.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StormConfig {
    pub window_min: u32,
    pub per_detector_max: usize,
    pub total_max: usize,
}

/// By when an alert should be resolved, and how often it is told that it was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DueRule {
    pub within_min: u32,
    pub again_min: u32,
    pub levels_max: u32,
}

impl PolicyConfig {
    /// Reads a configuration.
    ///
    /// # Errors
    /// `Configuration` that names the key, when the text is not TOML, has an unknown key or a value out of its range.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let config: Self =
            toml::from_str(text).map_err(|error| wrong(format!("the alert policy cannot be read: {error}")))?;
        config.check()?;
        Ok(config)
    }

    /// The compiled-in defaults.
    ///
    /// # Errors
    /// Never for a build that passed its tests: one of them reads the same text.
    pub fn shipped() -> Result<Self, Fault> {
        Self::parse(SHIPPED)
    }

    fn check(&self) -> Result<(), Fault> {
        if self.inhibit.len() > RULES_MAX {
            return Err(wrong(format!("inhibit: at most {RULES_MAX} rules")));
        }
        for rule in &self.inhibit {
            for (side, matchers) in [("source", &rule.source), ("target", &rule.target)] {
                if matchers.is_empty() {
                    return Err(wrong(format!("inhibit '{}': {side} is empty and would match everything", rule.name)));
                }
                for matcher in matchers {
                    matcher.check().map_err(|problem| wrong(format!("inhibit '{}', {side}: {problem}", rule.name)))?;
                }
            }
        }
        let storm = &self.storm;
        let is_count = |n: usize| (1..=STORM_MAX).contains(&n);
        if !is_count(storm.per_detector_max) || !is_count(storm.total_max) {
            return Err(wrong(format!("storm: per_detector_max and total_max are 1 to {STORM_MAX}")));
        }
        let is_minutes = |minutes: u32| (1..=MINUTES_MAX).contains(&minutes);
        if !is_minutes(storm.window_min) {
            return Err(wrong(format!("storm.window_min is 1 to {MINUTES_MAX}")));
        }
        for (severity, due) in &self.due {
            if !is_minutes(due.within_min) || !is_minutes(due.again_min) || !(1..=100).contains(&due.levels_max) {
                let name = severity.as_str();
                return Err(wrong(format!("due.{name}: minutes are 1 to {MINUTES_MAX}, levels_max is 1 to 100")));
            }
        }
        Ok(())
    }
}

fn wrong(message: String) -> Fault {
    Fault::new(FaultCode::Configuration, message)
}

impl StormConfig {
    /// The window in milliseconds.
    #[must_use]
    pub const fn window_ms(&self) -> i64 {
        self.window_min as i64 * MINUTE_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_policy_parses() {
        let config = PolicyConfig::shipped().expect("parses");
        assert!(!config.inhibit.is_empty() && config.due.contains_key(&Severity::Critical));
    }

    #[test]
    fn slips_are_named() {
        let check = |from: &str, to: &str, part: &str| {
            assert!(SHIPPED.contains(from), "{from}");
            let fault = PolicyConfig::parse(&SHIPPED.replacen(from, to, 1)).expect_err("refused");
            assert_eq!(fault.code, FaultCode::Configuration);
            assert!(fault.message.contains(part), "{}", fault.message);
        };
        check("window_min = 10", "window_min = 0", "storm.window_min");
        check("window_min = 10", "window = 10", "unknown field");
        check("total_max = 200", "total_max = 1_000_000", "total_max");
        check("op = \"AT_LEAST\", value = \"CRITICAL\"", "op = \"CONTAINS\", value = \"CRITICAL\"", "critical first");
        check(
            "target = [{ field = \"SEVERITY\", op = \"AT_MOST\", value = \"LOW\" }]",
            "target = []",
            "target is empty",
        );
        check("within_min = 60\n", "within_min = 0\n", "due.CRITICAL");
        check("[due.HIGH]", "[due.SEVERE]", "cannot be read");
    }
}
