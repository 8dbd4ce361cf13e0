//! The contracts others build on, generated from the code: what `schema/` holds.

use riskgraph_analysis::detect::DetectConfig;
use riskgraph_analysis::policy::PolicyConfig;
use riskgraph_analysis::posture::PostureConfig;
use riskgraph_analysis::spread::RiskConfig;
use schemars::{Schema, schema_for};

use crate::config::Config;

/// File name and text of every contract.
///
/// # Errors
/// When a schema cannot be written as JSON.
pub fn all() -> Result<Vec<(&'static str, String)>, serde_json::Error> {
    Ok(vec![
        ("riskgraph.graphql", riskgraph_api::sdl()),
        ("event.schema.json", json(&riskgraph_domain::event::json_schema())?),
        ("config.schema.json", json(&schema_for!(Config))?),
        ("detect.schema.json", json(&schema_for!(DetectConfig))?),
        ("risk.schema.json", json(&schema_for!(RiskConfig))?),
        ("policy.schema.json", json(&schema_for!(PolicyConfig))?),
        ("posture.schema.json", json(&schema_for!(PostureConfig))?),
    ])
}

fn json(schema: &Schema) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(schema).map(|text| text + "\n")
}
