//! The SSL Labs Server Rating Guide 2009r as testssl.sh computes it, from the versions, suites and chain that were seen.
//!
//! Attacks that take an exploit to see (Heartbleed, ROBOT ...) are not probed and cap nothing here.

use riskgraph_domain::observation::{CertificateFacts, DomainObservations, RevocationState, TlsFacts};
use serde_json::{Value, json};

use crate::posture::check::is_incomplete;
use crate::posture::headers::hsts;
use crate::posture::tls::{aead, forward_secret, suites};

/// Protocols and their scores.
const PROTOCOLS: &[(&str, u32)] =
    &[("SSLv2", 0), ("SSLv3", 80), ("TLSv1.0", 90), ("TLSv1.1", 95), ("TLSv1.2", 100), ("TLSv1.3", 100)];
/// From best to worst.
const GRADES: &[&str] = &["A+", "A", "A-", "B", "C", "D", "E", "F", "M", "T"];
/// Caps that are set while rating, when scores are computed already.
const LATE: &[&str] = &[SSL3_BEST, KEY_INSECURE];
const SSL3_BEST: &str = "SSLv3 is the best protocol offered";
const KEY_INSECURE: &str = "Using an insecure public key and/or ephemeral key";
const KEY_WEAK: &str = "Using a weak public key and/or ephemeral key";
/// 180 days.
const HSTS_MIN_S: u64 = 15_552_000;

/// Which reading of the guide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// As testssl.sh does: only a bad HSTS header is held against a site.
    Testssl,
    /// As the guide says: A+ needs HSTS of six months.
    Strict,
}

/// The verdict on the domain's own endpoint; `None` when it could not be seen well enough.
pub(super) fn verdict(seen: &DomainObservations, reading: Reading) -> Option<Value> {
    let tls = main_endpoint(seen)?;
    let handshake = tls.handshake.as_ref()?;
    let leaf = handshake.chain.first()?;
    let spoken: Vec<&str> = PROTOCOLS.iter().map(|(name, _)| *name).filter(|name| speaks(tls, name)).collect();
    // Versions nobody could tell would make the score too good.
    let probed = |name: &str| {
        tls.versions.iter().any(|probe| probe.version.eq_ignore_ascii_case(name) && probe.accepted.is_some())
    };
    if spoken.is_empty() || !["TLSv1.0", "TLSv1.1", "TLSv1.2"].iter().all(|name| probed(name)) {
        return None;
    }
    let protocol = protocol_score(&spoken);
    let key = key_score(&leaf.key_kind, leaf.key_bits);
    let fields = tls.features.dh_groups.iter().map(|group| key_score("DH", group.bits));
    let key = fields.fold(key, u32::min);
    let bits: Vec<u32> = suites(tls).iter().map(|suite| cipher_bits(suite)).collect();
    let cipher = cipher_score(&bits)?;
    let facts = Facts { seen, tls, leaf, spoken, key, bits };
    let caps = caps(&facts);
    // What is capped to F, T or M before the rating is not scored at all.
    let hopeless =
        caps.iter().any(|(grade, reason)| matches!(*grade, "F" | "T" | "M") && !LATE.contains(&reason.as_str()));
    let (protocol, key, cipher) = if hopeless { (0, 0, 0) } else { (protocol, key, cipher) };
    let score = if protocol == 0 || key == 0 || cipher == 0 {
        0
    } else {
        protocol * 30 / 100 + key * 30 / 100 + cipher * 40 / 100
    };
    let warnings = warnings(&facts);
    let grade = grade(score, &caps, &warnings);
    let grade = if reading == Reading::Strict && grade == "A+" && !long_hsts(seen) { "A" } else { grade };
    let shown: Vec<String> = caps.iter().map(|(grade, reason)| format!("{grade}: {reason}")).collect();
    Some(json!({
        "version": "2009r", "score": score, "grade": grade, "caps": shown, "warnings": warnings,
        "categories": { "protocol": protocol, "key_exchange": key, "cipher": cipher },
    }))
}

/// The domain's own endpoint on 443, or the first there.
pub(super) fn main_endpoint(seen: &DomainObservations) -> Option<&TlsFacts> {
    let on_443 = |tls: &&TlsFacts| tls.port == 443 && tls.handshake.is_some();
    let own = |tls: &&TlsFacts| on_443(tls) && tls.host.eq_ignore_ascii_case(&seen.domain);
    seen.tls.iter().find(own).or_else(|| seen.tls.iter().find(on_443))
}

struct Facts<'a> {
    seen: &'a DomainObservations,
    tls: &'a TlsFacts,
    leaf: &'a CertificateFacts,
    spoken: Vec<&'a str>,
    key: u32,
    bits: Vec<u32>,
}

fn speaks(tls: &TlsFacts, version: &str) -> bool {
    let probed = |probe: &riskgraph_domain::observation::VersionProbe| {
        probe.version.eq_ignore_ascii_case(version) && probe.accepted == Some(true)
    };
    tls.versions.iter().any(probed) || tls.handshake.as_ref().is_some_and(|h| h.version.eq_ignore_ascii_case(version))
}

fn protocol_score(spoken: &[&str]) -> u32 {
    let scores = || PROTOCOLS.iter().filter(|(name, _)| spoken.contains(name)).map(|(_, score)| *score);
    (scores().max().unwrap_or(0) + scores().min().unwrap_or(0)) / 2
}

fn key_score(kind: &str, bits: u32) -> u32 {
    match kind.to_ascii_uppercase().as_str() {
        "RSA" | "DSA" | "DH" => match bits {
            0..512 => 20,
            512..1024 => 40,
            1024..2048 => 80,
            2048..4096 => 90,
            _ => 100,
        },
        _ => match bits {
            0..110 => 20,
            110..123 => 40,
            123..163 => 80,
            163..225 => 90,
            _ => 100,
        },
    }
}

/// Bits of a suite as OpenSSL counts them.
fn cipher_bits(suite: &str) -> u32 {
    let name = suite.to_ascii_uppercase().replace('-', "_");
    let has = |part: &str| name.contains(part);
    if has("NULL") {
        0
    } else if has("EXPORT") || has("DES40") || has("RC4_40") {
        40
    } else if has("3DES") || has("DES_CBC3") {
        168
    } else if has("_DES_") || has("DES_CBC") {
        56
    } else if ["AES_256", "AES256", "CAMELLIA_256", "ARIA_256", "CHACHA20"].iter().any(|part| has(part)) {
        256
    } else {
        128
    }
}

fn cipher_score(bits: &[u32]) -> Option<u32> {
    let value = |bits: u32| match bits {
        0 => 0,
        1..128 => 20,
        128..256 => 80,
        _ => 100,
    };
    Some((value(*bits.iter().max()?) + value(*bits.iter().min()?)) / 2)
}

/// Limits and their reasons.
fn caps(facts: &Facts<'_>) -> Vec<(&'static str, String)> {
    let mut caps: Vec<(&'static str, String)> = Vec::new();
    let mut cap = |grade: &'static str, reason: &str| caps.push((grade, reason.to_owned()));
    let spoken = |name: &str| facts.spoken.contains(&name);
    protocol_caps(&spoken, &mut cap);
    if facts.bits.iter().any(|&bits| bits < 112) {
        cap("F", "Using cipher suites weaker than 112 bits");
    }
    let all = suites(facts.tls);
    let any = |part: &str| all.iter().any(|suite| suite.to_ascii_uppercase().contains(part));
    if any("EXPORT") {
        cap("F", "Export suites offered");
    }
    if any("RC4") {
        let modern = spoken("TLSv1.1") || spoken("TLSv1.2");
        cap(if modern { "C" } else { "B" }, "RC4 ciphers offered");
    }
    if any("3DES") && (spoken("TLSv1.1") || spoken("TLSv1.2")) {
        cap("C", "Uses 64 bit block ciphers with TLS 1.1+ (vulnerable to SWEET32)");
    }
    if facts.tls.features.compression == Some(true) {
        cap("C", "Vulnerable to CRIME");
    }
    if spoken("SSLv3") && all.iter().any(|suite| suite.contains("CBC")) {
        cap("C", "Vulnerable to POODLE");
    }
    if !all.iter().any(|suite| aead(suite)) {
        cap("B", "No AEAD cipher suites offered");
    }
    if !all.iter().any(|suite| forward_secret(suite)) {
        cap("B", "Forward Secrecy (FS) is not supported");
    }
    match facts.key {
        0..=40 => cap("F", KEY_INSECURE),
        41..=80 => cap("B", KEY_WEAK),
        _ => {}
    }
    certificate_caps(facts, &mut cap);
    caps
}

fn protocol_caps(spoken: &impl Fn(&str) -> bool, cap: &mut impl FnMut(&'static str, &str)) {
    let newer = spoken("TLSv1.0") || spoken("TLSv1.1") || spoken("TLSv1.2") || spoken("TLSv1.3");
    if spoken("SSLv2") {
        cap("F", "SSLv2 is offered");
    }
    if spoken("SSLv3") {
        cap("B", "SSLv3 is offered");
        if !newer {
            cap("F", SSL3_BEST);
        }
    }
    if spoken("TLSv1.0") {
        cap("B", "TLS 1.0 offered");
    }
    if spoken("TLSv1.1") {
        cap("B", "TLS 1.1 offered");
    }
    if !spoken("TLSv1.2") && !spoken("TLSv1.3") {
        cap("C", "TLS 1.2 or TLS 1.3 are not offered");
    }
}

fn certificate_caps(facts: &Facts<'_>, cap: &mut impl FnMut(&'static str, &str)) {
    let algorithm = facts.leaf.signature_algorithm.to_ascii_lowercase().replace(['-', '_'], "");
    if algorithm.contains("md2") || algorithm.contains("md5") {
        cap("F", "Uses MD5 or MD2 for its signature");
    } else if algorithm.contains("sha1") {
        cap("T", "Uses SHA1 algorithm");
    }
    if facts.leaf.exponent_is_one {
        cap("F", "RSA certificate uses exponent of 1");
    }
    if facts.tls.revocation.iter().any(|probe| matches!(probe.state, RevocationState::Revoked { .. })) {
        cap("T", "Certificate revoked");
    }
    let Some(handshake) = facts.tls.handshake.as_ref() else { return };
    let now = facts.seen.finished_at;
    if now >= facts.leaf.not_after || now < facts.leaf.not_before {
        cap("T", "Certificate expired or not yet valid");
    } else if let Err(reason) = &handshake.trust
        && is_incomplete(reason)
    {
        cap("B", "Issues with chain of trust (chain incomplete)");
    } else if let Err(reason) = &handshake.trust {
        let words = if facts.leaf.self_signed {
            "Issues with the chain of trust (self signed)"
        } else {
            "Issues with the chain of trust"
        };
        cap("T", &format!("{words}: {}", crate::posture::check::cut(reason)));
    }
    if !handshake.hostname_matches {
        cap("M", "Domain name mismatch");
    }
}

fn warnings(facts: &Facts<'_>) -> Vec<&'static str> {
    let mut warnings = Vec::new();
    if !facts.spoken.contains(&"TLSv1.3") {
        warnings.push("TLS 1.3 is not supported");
    }
    if facts.tls.features.secure_renegotiation == Some(false) {
        warnings.push("Secure renegotiation is not supported");
    }
    let page = facts.seen.https.as_ref().filter(|web| web.failure.is_none()).and_then(|web| web.last());
    match page.and_then(|hop| hop.header("strict-transport-security")).map(hsts::parse) {
        Some(Err(_)) => warnings.push("HSTS is misconfigured"),
        Some(Ok(policy)) if policy.max_age_s == 0 => warnings.push("HSTS is disabled"),
        Some(Ok(policy)) if policy.max_age_s < HSTS_MIN_S => warnings.push("HSTS max-age is too short"),
        _ => {}
    }
    warnings
}

fn long_hsts(seen: &DomainObservations) -> bool {
    let page = seen.https.as_ref().filter(|web| web.failure.is_none()).and_then(|web| web.last());
    let header = page.and_then(|hop| hop.header("strict-transport-security"));
    header.and_then(|header| hsts::parse(header).ok()).is_some_and(|policy| policy.max_age_s >= HSTS_MIN_S)
}

fn grade(score: u32, caps: &[(&'static str, String)], warnings: &[&str]) -> &'static str {
    let by_score = match score {
        80.. => "A",
        65.. => "B",
        50.. => "C",
        35.. => "D",
        20.. => "E",
        _ => "F",
    };
    let rank = |grade: &str| GRADES.iter().position(|known| *known == grade).unwrap_or(GRADES.len());
    let worst = caps.iter().map(|(grade, _)| *grade).chain([by_score]).max_by_key(|grade| rank(grade)).unwrap_or("F");
    match (worst, caps.is_empty(), warnings.is_empty()) {
        ("A", true, true) => "A+",
        ("A", true, false) => "A-",
        (grade, ..) => grade,
    }
}
