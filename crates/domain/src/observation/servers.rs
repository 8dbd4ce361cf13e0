//! What a zone's servers, its parent, its registry and its mail hosts say, question by question.

use serde::{Deserialize, Serialize};

use super::{Handshake, ProbeFailure};
use crate::text::Text;
use crate::time::Timestamp;

/// What a probe gave; `None` when it was not made.
pub type Probe<T> = Option<Result<T, ProbeFailure>>;

/// What more one name server answered, beyond the zone's SOA.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ServerProbes {
    /// Names of the zone's NS records as this server gives them: lower case, sorted, at most 32.
    #[serde(default)]
    pub ns: Probe<Vec<Text>>,
    /// The zone's SOA as this server gives it, in presentation form.
    #[serde(default)]
    pub soa: Option<String>,
    /// A question with recursion for a name of nobody's zone.
    #[serde(default)]
    pub recursion: Probe<Recursion>,
    /// A request for the whole zone, of which only the first message was read.
    #[serde(default)]
    pub transfer: Probe<Transfer>,
    #[serde(default)]
    pub edns: Option<Edns>,
    /// The answer to `version.bind` (class CHAOS).
    #[serde(default)]
    pub version: Probe<ServerVersion>,
    /// Networks its addresses belong to, when a table of them is at hand.
    #[serde(default)]
    pub asns: Vec<u32>,
}

/// The answer to a recursive question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recursion {
    pub name: Text,
    pub available: bool,
    pub rcode: Text,
}

/// The first message of a transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// It began with the zone's SOA.
    pub began: bool,
    pub rcode: Text,
    /// Records of the first message.
    pub n_records: u32,
}

/// What a server makes of three EDNS questions (RFC 6891): version 0, version 1, version 0 with an unknown option and flag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edns {
    pub version_0: Result<EdnsReply, ProbeFailure>,
    pub version_1: Result<EdnsReply, ProbeFailure>,
    pub unknown: Result<EdnsReply, ProbeFailure>,
}

/// One answer to an EDNS question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdnsReply {
    pub rcode: Text,
    /// The version of its OPT record; `None` without one.
    pub version: Option<u8>,
    pub has_answer: bool,
    /// It sent the unknown option or flag back.
    pub echoes: bool,
}

/// What a server says it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerVersion {
    pub rcode: Text,
    /// At most 4 texts of 120 characters.
    pub texts: Vec<String>,
}

/// What the parent zone says of the delegation, asked without recursion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegation {
    pub parent: Text,
    /// The parent's server that was asked.
    pub server: Text,
    /// Name servers, lower case, sorted, at most 32.
    pub names: Vec<Text>,
    /// Their addresses as the parent gives them: `(name, address)`.
    pub glue: Vec<(Text, Text)>,
    /// Size of the answer in bytes.
    pub bytes: u32,
}

/// A signature of the zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// Type that is signed, such as `SOA`.
    pub covered: Text,
    pub algorithm: u8,
    pub key_tag: u16,
    pub inception: Timestamp,
    pub expiration: Timestamp,
}

/// What the registry says of the domain (RDAP, RFC 9083).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// URL that was asked.
    pub source: String,
    pub expires_at: Option<Timestamp>,
    /// Status values in lower case, at most 32.
    pub statuses: Vec<Text>,
}

/// One mail exchanger, spoken to on port 25.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MailHost {
    pub host: Text,
    pub address: Option<Text>,
    /// How far STARTTLS (RFC 3207) got.
    pub starttls: Result<StartTls, ProbeFailure>,
    /// Whether its TLSA records are signed down to a trust anchor; `None` when that was not asked.
    #[serde(default)]
    pub tlsa_secure: Option<bool>,
}

/// What a mail host does about STARTTLS.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StartTls {
    /// It lists STARTTLS in its EHLO answer.
    pub offered: bool,
    /// The handshake after it; `None` when there was none, with why in `failure`.
    pub handshake: Option<Handshake>,
    #[serde(default)]
    pub failure: Option<ProbeFailure>,
}
