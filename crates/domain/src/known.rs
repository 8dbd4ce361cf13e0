//! What the operator's own files say about a domain: software and its vulnerabilities, imported scans, lists. Facts only.
//!
//! The files are read elsewhere; what of them concerns one domain is written down here, so that a check needs nothing else
//! and evidence can be judged again later. `None` says that no such file was given.

use serde::{Deserialize, Serialize};

use crate::text::Text;
use crate::time::Timestamp;

/// Entries kept of each kind.
pub const KNOWN_MAX: usize = 300;

/// All that is known of one domain.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct KnownFacts {
    pub software: Vec<Software>,
    pub vulnerabilities: Option<Vec<Vulnerability>>,
    /// Version of the KEV list the vulnerabilities were looked up in; `None` without one.
    pub kev_version: Option<Text>,
    pub has_epss: bool,
    pub end_of_life: Option<Vec<EndOfLife>>,
    pub scorecards: Option<Vec<Scorecard>>,
    pub scan: Option<Scan>,
    pub buckets: Option<Vec<Bucket>>,
    pub listed: Option<Vec<ListedAddress>>,
    pub origins: Option<Vec<RouteOrigin>>,
    /// Addresses of the domain that stand in networks of delivery services; `None` without a list of them.
    pub delivery: Option<Vec<Text>>,
    pub breaches: Option<Vec<Breach>>,
    pub extortions: Option<Vec<Extortion>>,
    pub code_leaks: Option<Vec<CodeLeak>>,
}

/// A product that was recognised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Software {
    pub name: Text,
    /// `vendor:product` as in CPE 2.3; several for products that changed hands.
    pub cpes: Vec<Text>,
    pub version: Option<Text>,
    /// What gave it away.
    pub signals: Vec<SoftwareSignal>,
    /// The mark of a distribution that repairs old versions without changing their number.
    pub backported_by: Option<Text>,
}

impl Software {
    /// Independent signals that agree: for the version that was read, or for the product without naming another version.
    #[must_use]
    pub fn n_signals(&self) -> usize {
        let agrees = |signal: &&SoftwareSignal| signal.version.is_none() || signal.version == self.version;
        let fitting = self.signals.iter().filter(agrees);
        let mut sources: Vec<&str> = fitting.map(|signal| signal.source.as_str()).collect();
        sources.sort_unstable();
        sources.dedup();
        sources.len()
    }
}

/// One sign of a product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SoftwareSignal {
    /// Such as `https header server`, `cookie`, `script`, `meta generator`.
    pub source: Text,
    /// What was seen, cut.
    pub value: String,
    pub version: Option<Text>,
}

/// A vulnerability in the range of which a recognised version lies.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Vulnerability {
    pub cve: Text,
    pub product: Text,
    pub version: Text,
    pub cvss: Option<f64>,
    pub published: Option<Timestamp>,
    pub kev: Option<KnownExploited>,
    pub epss: Option<f64>,
    /// The score of the list before the newest.
    pub epss_before: Option<f64>,
    /// Independent signals for the version.
    pub n_signals: u32,
    pub backported_by: Option<Text>,
}

/// The entry of CISA's list of vulnerabilities known to be exploited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KnownExploited {
    pub added: Option<Timestamp>,
    pub due: Option<Timestamp>,
    pub ransomware: Option<bool>,
}

/// A product whose maker stopped repairing it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EndOfLife {
    pub product: Text,
    pub version: Text,
    pub cycle: Text,
    pub ended: Option<Timestamp>,
    pub backported_by: Option<Text>,
}

/// An OpenSSF Scorecard of one of the vendor's repositories.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scorecard {
    pub repository: Text,
    pub score: f64,
    pub date: Option<Timestamp>,
}

/// What an imported port scan says of the domain's addresses and hosts.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Scan {
    /// Addresses of the domain that were in it.
    pub n_addresses: u32,
    pub open: Vec<OpenPort>,
}

/// A port that answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenPort {
    pub address: Text,
    pub host: Option<Text>,
    pub port: u16,
    pub service: Option<Text>,
    pub seen: Option<Timestamp>,
}

/// A storage container that the domain's pages name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    pub url: String,
    pub access: BucketAccess,
}

/// What strangers may do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BucketAccess {
    Private,
    Read,
    List,
}

/// An address on lists of bad ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListedAddress {
    pub address: Text,
    pub lists: Vec<Text>,
    /// Independent lists behind them, where a list says so.
    pub level: u32,
}

/// Who announces the network of an address, and whether that is authorised (RFC 6811).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RouteOrigin {
    pub address: Text,
    pub prefix: Text,
    pub asn: u32,
    pub state: RouteState,
}

/// Outcome of origin validation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteState {
    Valid,
    Invalid,
    NotFound,
}

/// A breach of the domain's owner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Breach {
    pub name: Text,
    pub date: Option<Timestamp>,
    pub n_accounts: u64,
    pub data_classes: Vec<Text>,
    pub verified: bool,
}

/// A post on an extortion group's leak site.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Extortion {
    pub victim: String,
    pub group: Text,
    pub posted: Option<Timestamp>,
}

/// A secret of ours found in the vendor's public code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CodeLeak {
    pub rule: Text,
    pub place: String,
    pub date: Option<Timestamp>,
}
