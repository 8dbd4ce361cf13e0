//! What strict verifiers miss in certificates that browsers' libraries let pass (RFC 5280 4.2, CA/Browser Forum BR 7.1.2).

use riskgraph_domain::Text;
use x509_parser::extensions::{ParsedExtension, X509Extension};
use x509_parser::prelude::{FromDer, X509Certificate};

/// Extensions a verifier knows and so may find critical.
const KNOWN: &[&str] =
    &["1.3.6.1.5.5.7.1.1", "2.5.29.35", "2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.19", "2.5.29.30", "2.5.29.37"];

/// The part a certificate plays in its chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Leaf,
    Authority,
}

/// The faults of a certificate in its role; none when it cannot be read.
pub(super) fn faults(der: &[u8], role: Role) -> Vec<Text> {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else { return Vec::new() };
    let extensions: Vec<&X509Extension<'_>> = certificate.iter_extensions().collect();
    let mut found = match role {
        Role::Leaf => leaf(&certificate, &extensions),
        Role::Authority => authority(&certificate, &extensions),
    };
    let strange =
        |extension: &&&X509Extension<'_>| extension.critical && !KNOWN.contains(&extension.oid.to_id_string().as_str());
    found.extend(extensions.iter().find(strange).map(|_| "an unknown critical extension"));
    if extensions.iter().any(|e| e.critical && matches!(e.parsed_extension(), ParsedExtension::ExtendedKeyUsage(_))) {
        found.push("extended key usage is critical");
    }
    found.into_iter().map(Text::from).collect()
}

fn leaf(certificate: &X509Certificate<'_>, extensions: &[&X509Extension<'_>]) -> Vec<&'static str> {
    let mut found = Vec::new();
    let find = |wanted: fn(&ParsedExtension<'_>) -> bool| extensions.iter().find(|e| wanted(e.parsed_extension()));
    if find(|parsed| matches!(parsed, ParsedExtension::AuthorityKeyIdentifier(_))).is_none() {
        found.push("no authority key identifier");
    }
    let nameless = certificate.subject().iter().next().is_none();
    match find(|parsed| matches!(parsed, ParsedExtension::SubjectAlternativeName(_))) {
        None => found.push("no subject alternative name"),
        Some(names) if names.critical != nameless => found.push("wrong criticality of the subject alternative name"),
        Some(_) => {}
    }
    if certificate.is_ca() {
        found.push("the certificate of an authority");
    }
    if certificate.key_usage().ok().flatten().is_some_and(|usage| usage.value.key_cert_sign()) {
        found.push("may sign certificates");
    }
    found
}

fn authority(certificate: &X509Certificate<'_>, extensions: &[&X509Extension<'_>]) -> Vec<&'static str> {
    let mut found = Vec::new();
    match certificate.key_usage().ok().flatten() {
        None => found.push("no key usage"),
        Some(usage) if !usage.value.key_cert_sign() => found.push("may not sign certificates"),
        Some(_) => {}
    }
    let basic = extensions.iter().find(|e| matches!(e.parsed_extension(), ParsedExtension::BasicConstraints(_)));
    match basic {
        None => found.push("no basic constraints"),
        Some(basic) if !basic.critical => found.push("basic constraints are not critical"),
        Some(_) => {}
    }
    found
}
