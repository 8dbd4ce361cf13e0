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
    /// Members of an nftables set.
    Nftables(NftablesConfig),
    /// IP access rules of Cloudflare.
    Cloudflare(CloudflareConfig),
    /// Members of an AWS WAF IP set.
    AwsWaf(AwsWafConfig),
    /// The shop's own admin API.
    Shop(ShopConfig),
    /// Script sources of the content security policy.
    Csp(CspConfig),
    /// Tickets in GitHub Issues or Jira.
    Ticket(TicketConfig),
    /// Any HTTP API, by template.
    Http(HttpConfig),
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

/// `kind = "nftables"`: `block_address`, `block_network`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NftablesConfig {
    /// The command; it reads JSON commands from its input.
    #[serde(default = "nft")]
    pub argv: Vec<String>,
    #[serde(default = "inet")]
    pub family: String,
    #[serde(default = "riskgraph")]
    pub table: String,
    /// Set of type `ipv4_addr`; with `flags interval` it takes networks, with `flags timeout` members end by themselves.
    #[serde(default = "block4")]
    pub set_v4: String,
    /// Set of type `ipv6_addr`.
    #[serde(default = "block6")]
    pub set_v6: String,
}

/// `kind = "cloudflare"`: `block_address`, `block_network`, `throttle_address`, `throttle_network` (a managed challenge).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloudflareConfig {
    #[serde(default = "cloudflare")]
    pub base_url: String,
    /// The zone whose rules are kept, or the account.
    #[serde(default)]
    pub zone_id: String,
    #[serde(default)]
    pub account_id: String,
    /// File with an API token that may edit firewall services.
    #[serde(default)]
    pub token_file: PathBuf,
    #[serde(default)]
    pub token_env: String,
    #[serde(default)]
    pub net: NetConfig,
}

/// `kind = "aws_waf"`: `block_address`, `block_network`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AwsWafConfig {
    pub region: String,
    #[serde(default)]
    pub scope: WafScope,
    /// The sets for IPv4 and IPv6 addresses.
    #[serde(default)]
    pub ipv4: IpSetConfig,
    #[serde(default)]
    pub ipv6: IpSetConfig,
    pub access_key_id: String,
    /// File with the secret access key.
    #[serde(default)]
    pub secret_key_file: PathBuf,
    #[serde(default)]
    pub secret_key_env: String,
    /// File with the session token of temporary credentials.
    #[serde(default)]
    pub session_token_file: PathBuf,
    /// Instead of `https://wafv2.REGION.amazonaws.com/`.
    #[serde(default)]
    pub endpoint: String,
    #[serde(default)]
    pub net: NetConfig,
}

/// What the web ACL protects. For CloudFront the region must be us-east-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum WafScope {
    #[default]
    Regional,
    Cloudfront,
}

impl WafScope {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Regional => "REGIONAL",
            Self::Cloudfront => "CLOUDFRONT",
        }
    }
}

/// An IP set.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IpSetConfig {
    pub name: String,
    pub id: String,
}

/// `kind = "csp"`: `disable_script`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CspConfig {
    /// List of script sources, one a line, of which the edge makes the policy.
    pub file: PathBuf,
    /// Command that puts the file into effect.
    #[serde(default)]
    pub reload: Vec<String>,
    /// A page whose policy is looked at to see the effect; empty: the file alone is looked at.
    #[serde(default)]
    pub probe_url: String,
    #[serde(default)]
    pub net: NetConfig,
}

/// `kind = "ticket"`: `open_ticket`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TicketConfig {
    pub tracker: Tracker,
    /// `https://api.github.com`, or where Jira is.
    pub base_url: String,
    /// `owner/repository`, or the project's key.
    pub project: String,
    /// Labels besides the one made of the key.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Jira: the type of issue.
    #[serde(default = "task")]
    pub issue_type: String,
    /// Jira: where it searches; `/rest/api/3/search/jql` in its cloud.
    #[serde(default = "search")]
    pub search_path: String,
    /// Jira's cloud: the user the token belongs to; empty for a bearer token.
    #[serde(default)]
    pub user: String,
    #[serde(default)]
    pub token_file: PathBuf,
    #[serde(default)]
    pub token_env: String,
    #[serde(default)]
    pub net: NetConfig,
}

/// Which tracker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tracker {
    Github,
    Jira,
}

/// `kind = "http"`: the actions it names, and `http_call`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpConfig {
    /// Where URLs that are paths begin.
    #[serde(default)]
    pub base_url: String,
    /// Origins that `http_call`, whose template stands in the playbook, may reach; empty: there is no `http_call`.
    #[serde(default)]
    pub allow_origins: Vec<String>,
    /// Headers of every call, such as `authorization = "Bearer {{secret}}"`.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub token_file: PathBuf,
    #[serde(default)]
    pub token_env: String,
    /// Actions by name.
    #[serde(default)]
    pub actions: BTreeMap<String, ActionTemplate>,
    #[serde(default)]
    pub net: NetConfig,
}

fn nft() -> Vec<String> {
    ["/usr/sbin/nft", "-j", "-f", "-"].map(str::to_owned).to_vec()
}

fn inet() -> String {
    "inet".to_owned()
}

fn riskgraph() -> String {
    "riskgraph".to_owned()
}

fn block4() -> String {
    "block4".to_owned()
}

fn block6() -> String {
    "block6".to_owned()
}

fn cloudflare() -> String {
    "https://api.cloudflare.com/client/v4".to_owned()
}

fn task() -> String {
    "Task".to_owned()
}

fn search() -> String {
    "/rest/api/2/search".to_owned()
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
