//! What an operator sets for responses: `[respond]`.

use std::path::PathBuf;

use riskgraph_analysis::decide::admit::Rules;
use riskgraph_analysis::decide::rules::{Caps, NeverTouch, Untouchable};
use riskgraph_connectors::respond::ConnectorsConfig;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How and how far the service may act.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RespondConfig {
    /// Folder of playbooks of your own (`NAME.toml`), which go before shipped ones of the same name; empty for none.
    pub playbooks_dir: PathBuf,
    /// Actions that are switched off from the start, by name; `*` for all. The API's kill switches come on top.
    pub stopped: Vec<String>,
    /// ISO 4217 code of the currency whose minor units the caps count.
    pub currency: String,
    pub caps: CapsConfig,
    pub never_touch: NeverTouch,
    /// The systems that can be acted on, by name.
    #[serde(default)]
    pub connectors: ConnectorsConfig,
}

/// How much may be hit at most; a playbook can only make it less.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CapsConfig {
    pub run: Caps,
    pub hour: Caps,
}

impl RespondConfig {
    /// The rules as configured.
    ///
    /// # Errors
    /// The key that is wrong, and what to write.
    pub fn rules(&self) -> Result<Rules, String> {
        for (name, caps) in [("run", &self.caps.run), ("hour", &self.caps.hour)] {
            if !(0.0..=1.0).contains(&caps.traffic_share) {
                return Err(format!("caps.{name}.traffic_share must be 0 to 1"));
            }
            if !caps.money_minor.is_finite() || caps.money_minor < 0.0 {
                return Err(format!("caps.{name}.money_minor must be at least 0"));
            }
        }
        let untouchable = Untouchable::new(&self.never_touch)?;
        Ok(Rules { untouchable, run: self.caps.run, hour: self.caps.hour, currency: self.currency.clone() })
    }
}
