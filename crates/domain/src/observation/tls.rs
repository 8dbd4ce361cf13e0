//! What a prober saw of TLS on one host and port. Plain facts: no judgement.
//!
//! `None` always means that it could not be told, or was not asked by the version that wrote the fact.

use serde::{Deserialize, Serialize};

use super::ProbeFailure;
use crate::text::Text;
use crate::time::Timestamp;

/// What TLS on one host and port showed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TlsFacts {
    pub host: Text,
    pub port: u16,
    pub address: Option<Text>,
    /// Set when not even a connection was possible.
    pub failure: Option<ProbeFailure>,
    /// One per probed protocol version, oldest first.
    pub versions: Vec<VersionProbe>,
    /// The best real handshake, when there was one.
    pub handshake: Option<Handshake>,
    #[serde(default)]
    pub features: TlsFeatures,
    /// Chains shown beside the handshake's to clients that want another kind of key (RSA and ECDSA side by side).
    #[serde(default)]
    pub other_chains: Vec<ServedChain>,
    /// What the authority says of the leaf certificate, from every source that was asked.
    #[serde(default)]
    pub revocation: Vec<RevocationProbe>,
    /// Hosts of other organisations that show the same public key; filled in by whoever sees the whole portfolio.
    #[serde(default)]
    pub key_seen_at: Vec<Text>,
}

/// Whether one protocol version is spoken.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionProbe {
    /// `SSLv2`, `SSLv3`, `TLSv1.0`, `TLSv1.1`, `TLSv1.2`, `TLSv1.3`.
    pub version: Text,
    /// `None`: could not be told.
    pub accepted: Option<bool>,
    /// Names (IANA) of the suites the server chose when offered, most preferred first.
    pub ciphers: Vec<Text>,
    /// Whether every known suite was offered and answered, so that what is not listed is refused.
    #[serde(default)]
    pub complete: bool,
    #[serde(default)]
    pub preference: Option<Preference>,
    /// Key exchange groups (IANA names) the server chose when offered, most preferred first.
    #[serde(default)]
    pub groups: Option<Vec<Text>>,
    /// Those of the groups that the server takes when nothing else is offered, where that was asked. A server with an
    /// ECDSA key may want the curve of its certificate among the offered (RFC 8422 5.1).
    #[serde(default)]
    pub groups_alone: Option<Vec<Text>>,
    /// The ephemeral keys seen with the suites.
    #[serde(default)]
    pub exchanges: Vec<KeyExchange>,
}

/// Whose order of suites decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preference {
    Server,
    Client,
}

/// The ephemeral key a server sent with a suite.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyExchange {
    pub suite: Text,
    /// The curve, or `DH`.
    pub group: Text,
    pub bits: u32,
}

/// A Diffie-Hellman group over a prime field that a server uses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DhGroup {
    pub bits: u32,
    /// Lower-case hex SHA-256 of the prime, big-endian without leading zeros.
    pub prime_sha256: Text,
    /// The name of a prime that many servers share, such as `RFC 2409 1024`.
    pub known_as: Option<Text>,
    /// The server sent the same public value in more than one connection.
    pub reused_key: bool,
}

/// Abilities of the endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsFeatures {
    /// TLS compression (CRIME). TLS 1.3 has none.
    pub compression: Option<bool>,
    /// The renegotiation indication of RFC 5746. TLS 1.3 has no renegotiation.
    pub secure_renegotiation: Option<bool>,
    /// RFC 7627, in the highest version below TLS 1.3.
    pub extended_master_secret: Option<bool>,
    /// RFC 7507, per version below the highest in which a fallback was feigned.
    pub fallback: Vec<FallbackProbe>,
    /// RFC 5077: the server would send a ticket below TLS 1.3.
    pub session_tickets: Option<bool>,
    /// The server names its sessions below TLS 1.3, so that they may be resumed.
    pub session_ids: Option<bool>,
    /// Tickets of TLS 1.3 seen behind the handshake.
    pub tickets_13: Option<u32>,
    /// Bytes of early data (0-RTT) that a ticket of TLS 1.3 allows; 0 when none.
    pub early_data_bytes_max: Option<u32>,
    /// Protocols (ALPN) the server chose when offered.
    pub alpn: Vec<Text>,
    /// Groups of finite-field key exchange.
    pub dh_groups: Vec<DhGroup>,
    /// Signed certificate timestamps in the handshake, beside those in the certificate.
    pub n_scts_in_handshake: Option<u32>,
    /// The server asks for a certificate of the client.
    pub client_certificate: Option<bool>,
    /// The highest version below TLS 1.3 that is spoken, in which these were asked.
    pub asked_in: Option<Text>,
    /// Connections made for all of this.
    pub n_connections: u32,
}

/// A hello that feigns a fallback to an older version (RFC 7507).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FallbackProbe {
    pub version: Text,
    /// The server refused, as it should.
    pub refused: Option<bool>,
}

/// A completed handshake and the chain it brought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Handshake {
    pub version: Text,
    pub cipher: Text,
    pub key_exchange: Option<Text>,
    pub ocsp_stapled: bool,
    pub hostname_matches: bool,
    /// `Ok`, or why the chain is not trusted: `expired`, `unknown issuer`, `self-signed`, ...
    pub trust: Result<(), String>,
    /// Leaf first.
    pub chain: Vec<CertificateFacts>,
}

/// A chain and the verdict on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ServedChain {
    pub hostname_matches: bool,
    /// As in [`Handshake`].
    pub trust: Result<(), String>,
    /// Leaf first.
    pub chain: Vec<CertificateFacts>,
}

/// What is read from a certificate.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CertificateFacts {
    /// Lower-case hex SHA-256 of the DER.
    pub sha256: Text,
    pub spki_sha256: Text,
    pub subject: String,
    pub issuer: String,
    pub names: Vec<Text>,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    /// `RSA`, `EC`, `Ed25519` ...
    pub key_kind: Text,
    pub key_bits: u32,
    /// Such as `sha256WithRSAEncryption`, `ecdsa-with-SHA256`.
    pub signature_algorithm: Text,
    pub n_scts: u32,
    pub must_staple: bool,
    pub self_signed: bool,
    /// The named curve of an EC key, such as `secp256r1`.
    #[serde(default)]
    pub curve: Option<Text>,
    /// The public exponent is 1, which encrypts nothing.
    #[serde(default)]
    pub exponent_is_one: bool,
    /// The subject as RFC 4514 writes it.
    #[serde(default)]
    pub subject_rfc4514: String,
    #[serde(default)]
    pub serial: Text,
    /// Where the authority tells whether it still stands by the certificate.
    #[serde(default)]
    pub ocsp_urls: Vec<String>,
    #[serde(default)]
    pub crl_urls: Vec<String>,
    #[serde(default)]
    pub is_authority: bool,
    /// What strict verifiers miss in it (RFC 5280, CA/Browser Forum BR 7.1.2).
    #[serde(default)]
    pub profile_faults: Vec<Text>,
}

/// Where a statement about revocation came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationSource {
    /// The server brought it in the handshake.
    Stapled,
    Ocsp,
    Crl,
}

/// One statement about revocation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationProbe {
    pub source: RevocationSource,
    /// Who was asked; the host itself for a stapled answer.
    pub url: Option<String>,
    pub state: RevocationState,
    /// Until when the statement says to be good.
    pub next_update: Option<Timestamp>,
}

/// What was stated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "detail")]
pub enum RevocationState {
    Good,
    Revoked {
        at: Timestamp,
        reason: Option<Text>,
    },
    /// The responder does not know the certificate.
    Unknown,
    /// The statement is not signed by the authority, out of date, or of another certificate.
    Unusable(String),
    Failed(ProbeFailure),
}
