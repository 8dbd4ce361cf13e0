//! What is read from one certificate (RFC 5280).

use riskgraph_domain::observation::CertificateFacts;
use riskgraph_domain::{Text, Timestamp};
use sha2::{Digest, Sha256};
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::objects::{oid_registry, oid2sn};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;

/// Names kept of one certificate; shared certificates of CDNs reach some hundred.
const NAMES_MAX: usize = 500;
/// Longest distinguished name kept, in characters.
const NAME_MAX_CHARS: usize = 500;
/// TLS feature extension (RFC 7633) and the feature that means "must staple".
const TLS_FEATURE: &str = "1.3.6.1.5.5.7.1.24";
const CA_ISSUERS: &str = "1.3.6.1.5.5.7.48.2";
const STATUS_REQUEST: u8 = 5;
const ED25519: &str = "1.3.101.112";
const ED448: &str = "1.3.101.113";

/// The facts of this DER; `None` when it is no certificate.
pub(super) fn read(der: &[u8]) -> Option<CertificateFacts> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let key = certificate.public_key();
    let (key_kind, key_bits) = key_of(&certificate);
    let oid = &certificate.signature_algorithm.algorithm;
    let signature = oid2sn(oid, oid_registry()).map_or_else(|_| oid.to_id_string(), str::to_owned);
    let self_issued = certificate.subject().as_raw() == certificate.issuer().as_raw();
    Some(CertificateFacts {
        sha256: hex(&Sha256::digest(der)),
        spki_sha256: hex(&Sha256::digest(key.raw)),
        subject: cut(&certificate.subject().to_string()),
        issuer: cut(&certificate.issuer().to_string()),
        names: names(&certificate),
        not_before: moment(certificate.validity().not_before.timestamp()),
        not_after: moment(certificate.validity().not_after.timestamp()),
        key_kind,
        key_bits,
        signature_algorithm: Text::from(signature),
        n_scts: n_scts(&certificate),
        must_staple: must_staple(&certificate),
        self_signed: self_issued && certificate.verify_signature(None).is_ok(),
    })
}

fn key_of(certificate: &X509Certificate<'_>) -> (Text, u32) {
    let key = certificate.public_key();
    let bits = |size: usize| u32::try_from(size).unwrap_or(0);
    match key.algorithm.algorithm.to_id_string().as_str() {
        ED25519 => return (Text::from("Ed25519"), 256),
        ED448 => return (Text::from("Ed448"), 456),
        _ => {}
    }
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => {
            let modulus = rsa.modulus.iter().position(|byte| *byte != 0).map_or(&[][..], |at| &rsa.modulus[at..]);
            (Text::from("RSA"), modulus.first().map_or(0, |top| bits(modulus.len() * 8) - top.leading_zeros()))
        }
        // Uncompressed points of P-521 fill whole bytes: 528 for 521.
        Ok(PublicKey::EC(point)) => {
            (Text::from("EC"), if point.key_size() == 528 { 521 } else { bits(point.key_size()) })
        }
        Ok(PublicKey::DSA(y)) => (Text::from("DSA"), bits(y.len() * 8)),
        _ => (Text::from("unknown"), 0),
    }
}

fn names(certificate: &X509Certificate<'_>) -> Vec<Text> {
    let Ok(Some(names)) = certificate.subject_alternative_name() else { return Vec::new() };
    let name = |name: &GeneralName<'_>| match name {
        GeneralName::DNSName(name) => Some(Text::from(name.to_ascii_lowercase())),
        GeneralName::IPAddress([a, b, c, d]) => Some(Text::from(std::net::Ipv4Addr::new(*a, *b, *c, *d).to_string())),
        GeneralName::IPAddress(bytes) => {
            let octets = <[u8; 16]>::try_from(*bytes).ok()?;
            Some(Text::from(std::net::Ipv6Addr::from(octets).to_string()))
        }
        _ => None,
    };
    names.value.general_names.iter().filter_map(name).take(NAMES_MAX).collect()
}

fn n_scts(certificate: &X509Certificate<'_>) -> u32 {
    let count = certificate.iter_extensions().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::SCT(list) => Some(list.len()),
        _ => None,
    });
    u32::try_from(count.unwrap_or(0)).unwrap_or(u32::MAX)
}

/// The extension is a sequence of small integers; the feature is there when its number is.
fn must_staple(certificate: &X509Certificate<'_>) -> bool {
    certificate
        .iter_extensions()
        .find(|extension| extension.oid.to_id_string() == TLS_FEATURE)
        .is_some_and(|extension| extension.value.windows(3).any(|part| part == [2, 1, STATUS_REQUEST]))
}

/// Where the issuer publishes its own certificate (authority information access).
pub(super) fn issuer_url(der: &[u8]) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    certificate.iter_extensions().find_map(|extension| {
        let ParsedExtension::AuthorityInfoAccess(access) = extension.parsed_extension() else { return None };
        access.accessdescs.iter().find_map(|description| match description.access_location {
            GeneralName::URI(url) if description.access_method.to_id_string() == CA_ISSUERS => Some(url.to_owned()),
            _ => None,
        })
    })
}

fn moment(seconds: i64) -> Timestamp {
    Timestamp(seconds.saturating_mul(1_000))
}

fn cut(text: &str) -> String {
    text.chars().take(NAME_MAX_CHARS).collect()
}

pub(super) fn hex(bytes: &[u8]) -> Text {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    Text::from(text)
}
