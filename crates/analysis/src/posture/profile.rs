//! What an asset is for. Knows nothing of what was seen there.

use std::collections::BTreeMap;

use riskgraph_domain::Text;
use serde::{Deserialize, Serialize};

use super::config::ImportanceWeights;

/// What an asset is for; it decides how strict some checks are and how much the asset counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AssetProfile {
    /// People pay here, or the page or script runs where they pay.
    pub payment_path: bool,
    /// People sign in here.
    pub authentication: bool,
    /// We call it, or it calls us.
    pub api: bool,
    /// Mail is known to be sent as this domain, whatever its MX records say.
    pub mail: bool,
}

impl AssetProfile {
    pub(crate) fn importance(&self, weights: &ImportanceWeights) -> f64 {
        if self.payment_path {
            weights.payment_path
        } else if self.authentication || self.api || self.mail {
            weights.sensitive
        } else {
            weights.other
        }
    }
}

/// The profiles of a vendor's assets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profiles {
    /// Of every asset without its own.
    pub default: AssetProfile,
    /// By asset, as outcomes name it.
    pub assets: BTreeMap<Text, AssetProfile>,
}

impl Profiles {
    /// The profile of this asset.
    #[must_use]
    pub fn of(&self, asset: &str) -> &AssetProfile {
        self.assets.get(asset).unwrap_or(&self.default)
    }
}

impl From<AssetProfile> for Profiles {
    fn from(default: AssetProfile) -> Self {
        Self { default, assets: BTreeMap::new() }
    }
}
