//! What is read from one certificate (RFC 5280).

use riskgraph_domain::observation::CertificateFacts;
use riskgraph_domain::{Text, Timestamp};
use sha2::{Digest, Sha256};
use x509_parser::extensions::{DistributionPointName, GeneralName, ParsedExtension};
use x509_parser::objects::{oid_registry, oid2sn};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::{AttributeTypeAndValue, RelativeDistinguishedName, X509Name};

use super::super::hex;

/// Names kept of one certificate; shared certificates of CDNs reach some hundred.
const NAMES_MAX: usize = 500;
/// Longest distinguished name kept, in characters.
const NAME_MAX_CHARS: usize = 500;
/// TLS feature extension (RFC 7633) and the feature that means "must staple".
const TLS_FEATURE: &str = "1.3.6.1.5.5.7.1.24";
const CA_ISSUERS: &str = "1.3.6.1.5.5.7.48.2";
const OCSP: &str = "1.3.6.1.5.5.7.48.1";
const EC_PUBLIC_KEY: &str = "1.2.840.10045.2.1";
/// URLs kept of one kind, and the longest kept.
const URLS_MAX: usize = 4;
const URL_MAX_BYTES: usize = 2_048;
/// Named curves (SEC 2, RFC 5639).
const CURVES: &[(&str, &str)] = &[
    ("1.2.840.10045.3.1.7", "secp256r1"),
    ("1.3.132.0.34", "secp384r1"),
    ("1.3.132.0.35", "secp521r1"),
    ("1.3.132.0.10", "secp256k1"),
    ("1.3.132.0.33", "secp224r1"),
    ("1.2.840.10045.3.1.1", "secp192r1"),
    ("1.3.36.3.3.2.8.1.1.7", "brainpoolP256r1"),
    ("1.3.36.3.3.2.8.1.1.11", "brainpoolP384r1"),
    ("1.3.36.3.3.2.8.1.1.13", "brainpoolP512r1"),
];
/// Short names of attributes (RFC 4514 3).
const ATTRIBUTES: &[(&str, &str)] = &[
    ("2.5.4.3", "CN"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.6", "C"),
    ("2.5.4.9", "STREET"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("0.9.2342.19200300.100.1.1", "UID"),
];
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
        curve: curve(&certificate).map(Text::from),
        exponent_is_one: exponent_is_one(&certificate),
        subject_rfc4514: rfc4514(certificate.subject()),
        serial: hex(certificate.raw_serial()),
        ocsp_urls: access_urls(&certificate, OCSP),
        crl_urls: crl_urls(&certificate),
        is_authority: certificate.is_ca(),
        profile_faults: Vec::new(),
    })
}

/// The SEC name of an EC key's curve; its number where it has none here.
fn curve(certificate: &X509Certificate<'_>) -> Option<String> {
    let algorithm = &certificate.public_key().algorithm;
    if algorithm.algorithm.to_id_string() != EC_PUBLIC_KEY {
        return None;
    }
    let oid = algorithm.parameters.as_ref()?.as_oid().ok()?.to_id_string();
    Some(CURVES.iter().find(|known| known.0 == oid).map_or(oid, |known| known.1.to_owned()))
}

fn exponent_is_one(certificate: &X509Certificate<'_>) -> bool {
    let Ok(PublicKey::RSA(rsa)) = certificate.public_key().parsed() else { return false };
    rsa.exponent.iter().copied().skip_while(|byte| *byte == 0).eq([1])
}

/// A name as RFC 4514 writes it: last part first.
fn rfc4514(name: &X509Name<'_>) -> String {
    let attribute = |attribute: &AttributeTypeAndValue<'_>| {
        let oid = attribute.attr_type().to_id_string();
        let kind = ATTRIBUTES.iter().find(|known| known.0 == oid).map_or(oid.as_str(), |known| known.1).to_owned();
        format!("{kind}={}", escaped(attribute.as_str().unwrap_or_default()))
    };
    let part = |part: &RelativeDistinguishedName<'_>| part.iter().map(attribute).collect::<Vec<_>>().join("+");
    let mut parts: Vec<String> = name.iter().map(part).collect();
    parts.reverse();
    cut(&parts.join(","))
}

fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let last = value.chars().count().saturating_sub(1);
    for (at, letter) in value.chars().enumerate() {
        let edge = (at == 0 && matches!(letter, ' ' | '#')) || (at == last && letter == ' ');
        match letter {
            '\0' => text.push_str("\\00"),
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => text.extend(['\\', letter]),
            _ if edge => text.extend(['\\', letter]),
            _ => text.push(letter),
        }
    }
    text
}

/// URLs of one kind from the authority information access.
fn access_urls(certificate: &X509Certificate<'_>, method: &str) -> Vec<String> {
    let extension = certificate.iter_extensions().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityInfoAccess(access) => Some(access),
        _ => None,
    });
    let of_method = extension.iter().flat_map(|access| &access.accessdescs);
    let of_method = of_method.filter(|description| description.access_method.to_id_string() == method);
    of_method.filter_map(|description| url(&description.access_location)).take(URLS_MAX).collect()
}

fn crl_urls(certificate: &X509Certificate<'_>) -> Vec<String> {
    let points = certificate.iter_extensions().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::CRLDistributionPoints(points) => Some(points),
        _ => None,
    });
    let names = points.iter().flat_map(|points| points.iter()).filter_map(|point| point.distribution_point.as_ref());
    let urls = names.filter_map(|name| match name {
        DistributionPointName::FullName(names) => Some(names.iter().filter_map(url)),
        DistributionPointName::NameRelativeToCRLIssuer(_) => None,
    });
    urls.flatten().take(URLS_MAX).collect()
}

fn url(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::URI(url) if url.len() <= URL_MAX_BYTES => Some((*url).to_owned()),
        _ => None,
    }
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

/// DER of the subject's name.
pub(super) fn subject(der: &[u8]) -> Option<Vec<u8>> {
    X509Certificate::from_der(der).ok().map(|(_, certificate)| certificate.subject().as_raw().to_vec())
}

/// DER of the issuer's name.
pub(super) fn issuer(der: &[u8]) -> Option<Vec<u8>> {
    X509Certificate::from_der(der).ok().map(|(_, certificate)| certificate.issuer().as_raw().to_vec())
}

/// Where the issuer publishes its own certificate (authority information access).
pub(super) fn issuer_url(der: &[u8]) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    access_urls(&certificate, CA_ISSUERS).into_iter().next()
}

fn moment(seconds: i64) -> Timestamp {
    Timestamp(seconds.saturating_mul(1_000))
}

fn cut(text: &str) -> String {
    text.chars().take(NAME_MAX_CHARS).collect()
}
