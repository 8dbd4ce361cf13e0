//! Names of the domain that point into somebody else's service.

use serde::{Deserialize, Serialize};

use super::{DnsAnswer, ProbeFailure};
use crate::text::Text;

/// A host of the domain that is an alias, and where that ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasFacts {
    /// Lower case, without the final dot.
    pub host: Text,
    /// The names it stands for, in order, at most 8; the last is where the chain ends.
    pub chain: Vec<Text>,
    /// Addresses at the end of the chain.
    pub end: DnsAnswer,
    /// Whether the registrable domain of the end exists (its SOA); `None` when it was not asked.
    #[serde(default)]
    pub end_zone: Option<DnsAnswer>,
    /// What the service shows for the host.
    #[serde(default)]
    pub page: Option<Result<AliasPage, ProbeFailure>>,
}

/// The answer of a service to a request for the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasPage {
    pub url: String,
    pub status: u16,
    /// The beginning of the body, at most 16 KiB.
    pub text: String,
}
