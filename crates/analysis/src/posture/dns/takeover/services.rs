//! The services that can be taken over, from the built-in table or a list in the form of can-i-take-over-xyz.

use std::sync::LazyLock;

use riskgraph_domain::Text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::posture::names::bare;

/// The table that is built in.
const BUILT_IN: &str = include_str!("../../../../config/takeover.toml");
/// Services of a list that are read, at most; the public list has 76.
const SERVICES_MAX: usize = 2_000;
/// Shortest words that tell a service; shorter ones stand in any page.
const WORDS_MIN: usize = 8;

/// Whether hosts of a service can be claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    #[default]
    Open,
    Edge,
    Closed,
}

/// One service.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Service {
    pub name: String,
    /// Ends of the names its customers' aliases point to.
    pub cname: Vec<String>,
    /// Parts of which one must stand in the name, where the end alone says too little.
    #[serde(default)]
    pub within: Vec<String>,
    #[serde(default)]
    pub text: Vec<String>,
    #[serde(default)]
    pub status: Option<u16>,
    #[serde(default)]
    pub nxdomain: bool,
    #[serde(default)]
    pub state: State,
}

impl Service {
    fn serves(&self, name: &str) -> bool {
        self.cname.iter().any(|end| is_below(name, end))
            && (self.within.is_empty() || self.within.iter().any(|part| name.contains(part.as_str())))
    }
}

/// What is known of services, and what their signs weigh.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeoverConfig {
    pub service: Vec<Service>,
    /// Name servers of services where anyone can create a zone: ends of names, `*` within a label.
    pub zone_host: Vec<String>,
    /// Names of rented addresses: ends of names.
    pub cloud_host: Vec<String>,
    #[serde(default = "half")]
    pub potential_confidence: f64,
    #[serde(default = "third")]
    pub unlikely_confidence: f64,
}

impl Default for TakeoverConfig {
    /// The built-in table. A test reads it, so it cannot be broken in a build that passed.
    fn default() -> Self {
        static TABLE: LazyLock<Option<TakeoverConfig>> = LazyLock::new(|| TakeoverConfig::built_in().ok());
        let empty = || Self {
            service: Vec::new(),
            zone_host: Vec::new(),
            cloud_host: Vec::new(),
            potential_confidence: half(),
            unlikely_confidence: third(),
        };
        TABLE.clone().unwrap_or_else(empty)
    }
}

const fn half() -> f64 {
    0.5
}

const fn third() -> f64 {
    0.3
}

/// One entry of can-i-take-over-xyz's `fingerprints.json`.
#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    cname: Vec<String>,
    #[serde(default)]
    fingerprint: String,
    #[serde(default)]
    http_status: Option<u16>,
    #[serde(default)]
    nxdomain: bool,
    #[serde(default)]
    service: String,
    #[serde(default)]
    status: String,
}

impl TakeoverConfig {
    /// The built-in table.
    ///
    /// # Errors
    /// The table breaks its own form, which a test excludes.
    pub fn built_in() -> Result<Self, toml::de::Error> {
        toml::from_str(BUILT_IN)
    }

    /// Takes the services of a list in can-i-take-over-xyz's form instead of the built-in ones.
    ///
    /// Entries that name no alias, or neither words, status nor a missing name, cannot tell anything and are left out; a
    /// bare address is no alias.
    ///
    /// # Errors
    /// The text is no list of that form.
    pub fn with_fingerprints(mut self, text: &str) -> Result<Self, serde_json::Error> {
        let entries: Vec<Entry> = serde_json::from_str(text)?;
        self.service = entries.into_iter().take(SERVICES_MAX).filter_map(service).collect();
        Ok(self)
    }

    /// The service a chain of aliases leads into.
    pub(super) fn service(&self, chain: &[Text]) -> Option<&Service> {
        chain.iter().rev().find_map(|name| self.service.iter().find(|service| service.serves(&bare(name))))
    }

    pub(super) fn is_zone_host(&self, name: &str) -> bool {
        self.zone_host.iter().any(|end| match end.strip_suffix('*') {
            Some(start) => name.split('.').any(|label| label.starts_with(start)),
            None => is_below(name, end),
        })
    }

    pub(super) fn is_cloud_host(&self, name: &str) -> bool {
        self.cloud_host.iter().any(|end| is_below(name, end))
    }
}

fn service(entry: Entry) -> Option<Service> {
    let cname: Vec<String> = entry
        .cname
        .iter()
        .map(|name| bare(name.trim_start_matches("https://").trim_start_matches("http://").trim_end_matches('/')))
        .filter(|name| name.contains('.') && name.parse::<std::net::IpAddr>().is_err())
        .collect();
    let tells_status = entry.fingerprint.starts_with("HTTP_STATUS=");
    let words = entry.fingerprint.split('`').map(|text| text.trim().replace("&#124;", "|"));
    let text: Vec<String> = if entry.nxdomain || tells_status {
        Vec::new()
    } else {
        words.filter(|text| text.chars().count() >= WORDS_MIN).collect()
    };
    let state = match entry.status.to_ascii_lowercase().as_str() {
        "vulnerable" => State::Open,
        "edge case" => State::Edge,
        _ => State::Closed,
    };
    let tells = entry.nxdomain || !text.is_empty() || entry.http_status.is_some();
    (!cname.is_empty() && tells).then_some(Service {
        name: entry.service,
        cname,
        within: Vec::new(),
        text,
        status: entry.http_status,
        nxdomain: entry.nxdomain,
        state,
    })
}

/// Whether a name is this one or below it.
fn is_below(name: &str, end: &str) -> bool {
    name == end || name.strip_suffix(end).is_some_and(|rest| rest.ends_with('.'))
}
