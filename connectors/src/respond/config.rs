//! What an operator sets for responders: `[respond.connectors.NAME]`, one table a connector, told apart by `kind`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::http::ActionTemplate;

/// The connectors by name.
pub type ConnectorsConfig = BTreeMap<String, ConnectorConfig>;

/// One connector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ConnectorConfig {
    /// Deny list and throttle list included by nginx.
    Nginx(NginxConfig),
    /// The shop's own admin API.
    Shop(ShopConfig),
}

/// How a connector reaches its system.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NetConfig {
    /// Private networks it may connect (CIDR), such as `10.20.0.0/16`; by default public addresses only.
    #[serde(default)]
    pub allow_networks: Vec<String>,
    /// PEM file of certificate authorities to trust besides the public ones.
    #[serde(default)]
    pub ca_file: PathBuf,
}

/// `kind = "nginx"`: `block_address`, `block_network`, `throttle_address`, `throttle_network`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NginxConfig {
    /// File that nginx includes where `allow` and `deny` stand; empty: no blocking.
    #[serde(default)]
    pub deny_file: PathBuf,
    /// File that nginx includes inside a `geo` block; empty: no throttling.
    #[serde(default)]
    pub throttle_file: PathBuf,
    /// The value our lines give in the `geo` block; nginx's configuration turns it into a rate.
    #[serde(default = "slow")]
    pub throttle_class: String,
    /// Command that tests the configuration, such as `["/usr/sbin/nginx", "-t"]`; when it fails the file is put back.
    #[serde(default)]
    pub test: Vec<String>,
    /// Command that puts the files into effect, such as `["/usr/sbin/nginx", "-s", "reload"]`.
    #[serde(default)]
    pub reload: Vec<String>,
    /// URL asked in the name of a blocked address to see that it is refused; empty: the file alone is looked at.
    #[serde(default)]
    pub probe_url: String,
    /// Header by which the edge knows a client's address; it must trust it from where riskgraph runs.
    #[serde(default = "real_ip")]
    pub probe_header: String,
    /// What a refused client is answered.
    #[serde(default = "forbidden")]
    pub probe_status: u16,
    #[serde(default)]
    pub net: NetConfig,
}

/// `kind = "shop"`: end sessions, freeze accounts, force resets, suspend and rotate keys, hold orders and gift cards,
/// isolate systems.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShopConfig {
    /// Where the admin API is, such as `https://shop.internal/api`.
    pub base_url: String,
    /// File with the bearer token.
    #[serde(default)]
    pub token_file: PathBuf,
    /// Instead of a file: variable of the environment with the token.
    #[serde(default)]
    pub token_env: String,
    /// Actions of the default contract the shop does not have.
    #[serde(default)]
    pub without: Vec<String>,
    /// Actions that differ from the default contract, or are more than it.
    #[serde(default)]
    pub actions: BTreeMap<String, ActionTemplate>,
    #[serde(default)]
    pub net: NetConfig,
}

fn slow() -> String {
    "slow".to_owned()
}

fn real_ip() -> String {
    "x-forwarded-for".to_owned()
}

fn forbidden() -> u16 {
    403
}
