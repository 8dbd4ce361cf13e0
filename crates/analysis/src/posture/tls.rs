//! TLS endpoints and certificates. Knows nothing of what is served over them.

pub(super) mod exchange;
pub(super) mod features;
pub(super) mod names;
pub(super) mod revocation;

use riskgraph_domain::Severity;
use riskgraph_domain::observation::{CertificateFacts, Handshake, ProbeFailure, TlsFacts};
use riskgraph_domain::posture::CheckResult;
use riskgraph_domain::time::DAY_MS;
use serde_json::json;

use super::check::{Case, Judged, Skip, Verdict, cut, describe, handshake, is_incomplete, says, unknown};

/// The leaf of the served chain.
fn leaf(tls: &TlsFacts) -> Result<(&Handshake, &CertificateFacts), Skip> {
    let handshake = handshake(tls)?;
    match handshake.chain.first() {
        Some(leaf) => Ok((handshake, leaf)),
        None => unknown("the server sent no certificate"),
    }
}

/// A chain an endpoint shows, with the verdict on it.
#[derive(Clone, Copy)]
struct Shown<'a> {
    leaf: &'a CertificateFacts,
    chain: &'a [CertificateFacts],
    trust: &'a Result<(), String>,
    named: bool,
}

/// Every chain the endpoint shows, the handshake's first: clients with other wants get other certificates.
fn shown(tls: &TlsFacts) -> Result<Vec<Shown<'_>>, Skip> {
    let (shaken, _) = leaf(tls)?;
    let own = (&shaken.chain, &shaken.trust, shaken.hostname_matches);
    let others = tls.other_chains.iter().map(|other| (&other.chain, &other.trust, other.hostname_matches));
    let all = std::iter::once(own).chain(others);
    let all = all.filter_map(|(chain, trust, named)| Some(Shown { leaf: chain.first()?, chain, trust, named }));
    Ok(all.collect())
}

/// TLS-01: HTTPS answers. Only when the site answers over plain HTTP does a refusal show that there is no HTTPS.
pub(super) fn reachable(case: &Case<'_>, tls: &TlsFacts) -> Judged {
    if tls.handshake.is_some() || tls.versions.iter().any(|version| version.accepted == Some(true)) {
        return Ok(Verdict::pass(json!({ "port": tls.port })));
    }
    let plain_http = case.seen.http.as_ref().is_some_and(|http| !http.hops.is_empty());
    match &tls.failure {
        Some(ProbeFailure::Refused(_)) if plain_http && tls.port == 443 => {
            Ok(Verdict::fail(says("the site answers over HTTP and refuses HTTPS")))
        }
        Some(failure) => unknown(describe(failure)),
        None => unknown("no handshake could be completed"),
    }
}

/// TLS-02: the certificate is valid now and not about to end.
pub(super) fn validity(case: &Case<'_>, tls: &TlsFacts) -> Judged {
    // The chain that ends first is the one that breaks first.
    let Some(Shown { leaf, .. }) = shown(tls)?.into_iter().min_by_key(|shown| {
        let started = case.seen.finished_at >= shown.leaf.not_before;
        (started, shown.leaf.not_after)
    }) else {
        return unknown("the server sent no certificate");
    };
    let now = case.seen.finished_at;
    let rules = &case.config.tls;
    let days = |ms: i64| ms as f64 / DAY_MS as f64;
    let left = days(leaf.not_after - now);
    let lifetime = days(leaf.not_after - leaf.not_before);
    let warn_at = rules.expiry_warn_days.min(lifetime * rules.expiry_warn_share);
    let evidence = |state: &str| json!({ "state": state, "not_before": leaf.not_before, "not_after": leaf.not_after, "days_left": left.floor() });
    Ok(if now >= leaf.not_after {
        Verdict::fail(evidence("expired"))
    } else if now < leaf.not_before {
        Verdict::fail(evidence("not yet valid"))
    } else if left < warn_at {
        Verdict::warn(evidence("ends soon")).severity(Severity::Medium)
    } else {
        Verdict::pass(evidence("valid"))
    })
}

/// TLS-03: the certificate is for this host.
pub(super) fn host_name(_: &Case<'_>, tls: &TlsFacts) -> Judged {
    let all = shown(tls)?;
    let wrong = all.iter().find(|shown| !shown.named);
    let shown = wrong.or(all.first()).map_or(&[][..], |shown| &shown.leaf.names);
    let names: Vec<&str> = shown.iter().take(10).map(|name| name.as_str()).collect();
    let evidence = json!({ "host": tls.host.as_str(), "names": names });
    Ok(if wrong.is_none() { Verdict::pass(evidence) } else { Verdict::fail(evidence) })
}

/// TLS-04: every chain leads to a trusted root. Expiry alone is TLS-02's business.
pub(super) fn trusted(case: &Case<'_>, tls: &TlsFacts) -> Judged {
    let all = shown(tls)?;
    let judged: Vec<Judged> = all.iter().map(|shown| trusted_chain(case, tls, *shown)).collect();
    let rank = |judged: &Judged| match judged {
        Ok(verdict) => badness(verdict.result),
        Err(_) => 0,
    };
    judged.into_iter().max_by_key(rank).unwrap_or_else(|| unknown("the server sent no certificate"))
}

const fn badness(result: CheckResult) -> u8 {
    match result {
        CheckResult::Unknown => 0,
        CheckResult::Pass => 1,
        CheckResult::Warn => 2,
        CheckResult::Fail => 3,
    }
}

fn trusted_chain(case: &Case<'_>, tls: &TlsFacts, shown: Shown<'_>) -> Judged {
    let leaf = shown.leaf;
    let Err(reason) = shown.trust else {
        return Ok(Verdict::pass(json!({ "issuer": cut(&leaf.issuer), "certificates": shown.chain.len() })));
    };
    let words = reason.to_ascii_lowercase();
    let now = case.seen.finished_at;
    let out_of_time = now >= leaf.not_after || now < leaf.not_before;
    if out_of_time && (words.contains("expired") || words.contains("valid")) {
        return Err(Skip::NotApplicable);
    }
    if words.contains("name") && !shown.named {
        return Err(Skip::NotApplicable);
    }
    let evidence = json!({
        "observed": cut(reason), "issuer": cut(&leaf.issuer), "subject": cut(&leaf.subject), "sha256": leaf.sha256.as_str(),
        "self_signed": leaf.self_signed, "host": tls.host.as_str(), "certificates": shown.chain.len(),
    });
    Ok(if is_incomplete(reason) { Verdict::warn(evidence).severity(Severity::Medium) } else { Verdict::fail(evidence) })
}

/// TLS-06: every key is long enough.
pub(super) fn key_size(case: &Case<'_>, tls: &TlsFacts) -> Judged {
    let all = shown(tls)?;
    let rules = &case.config.tls;
    let too_short = |leaf: &CertificateFacts| match leaf.key_kind.to_ascii_uppercase().as_str() {
        "RSA" | "DSA" | "DH" => leaf.key_bits < rules.rsa_bits_fail || leaf.exponent_is_one,
        _ => leaf.key_bits < rules.ec_bits_fail,
    };
    let known = |shown: &&Shown<'_>| shown.leaf.key_bits > 0;
    let weak = all.iter().filter(known).find(|shown| too_short(shown.leaf)).map(|shown| shown.leaf);
    let Some(leaf) = weak.or_else(|| all.first().map(|shown| shown.leaf)) else {
        return unknown("the server sent no certificate");
    };
    if leaf.key_bits == 0 {
        return unknown(format!("the size of the {} key is not known", leaf.key_kind));
    }
    // RSA 2048 is fine today; NCSC's phase-out is only noted.
    let old = leaf.key_kind.eq_ignore_ascii_case("RSA") && weak.is_none() && leaf.key_bits < rules.rsa_bits_good;
    let note = match leaf.exponent_is_one {
        true => Some("the public exponent is 1: the key protects nothing"),
        false => old.then_some("NCSC 2025: phase out"),
    };
    let curve = leaf.curve.as_ref().map(|curve| curve.as_str());
    let evidence = json!({ "key": leaf.key_kind.as_str(), "bits": leaf.key_bits, "curve": curve, "note": note });
    Ok(if weak.is_some() { Verdict::fail(evidence) } else { Verdict::pass(evidence) })
}

/// TLS-07: no certificate of the chain but the root is signed with MD5 or SHA-1.
pub(super) fn signature(_: &Case<'_>, tls: &TlsFacts) -> Judged {
    let all = shown(tls)?;
    let leaf = all[0].leaf;
    let broken = |certificate: &&CertificateFacts| {
        let name = certificate.signature_algorithm.to_ascii_lowercase().replace(['-', '_'], "");
        let old = name.contains("md2") || name.contains("md5") || name.contains("sha1");
        old && (!certificate.self_signed || all.iter().any(|shown| std::ptr::eq(*certificate, shown.leaf)))
    };
    match all.iter().flat_map(|shown| shown.chain).find(broken) {
        Some(found) => Ok(Verdict::fail(json!({
            "signature": found.signature_algorithm.as_str(), "subject": cut(&found.subject),
        }))),
        None => Ok(Verdict::pass(json!({ "signature": leaf.signature_algorithm.as_str() }))),
    }
}

/// Whether a version is spoken; `None` when it could not be told.
fn speaks(tls: &TlsFacts, version: &str) -> Option<bool> {
    let probed = tls.versions.iter().find(|probe| probe.version.eq_ignore_ascii_case(version));
    let shown = tls.handshake.as_ref().is_some_and(|handshake| handshake.version.eq_ignore_ascii_case(version));
    if shown { Some(true) } else { probed.and_then(|probe| probe.accepted) }
}

/// Which of the versions is spoken; unknown when one could not be told and none is spoken.
fn any_of<'a>(tls: &TlsFacts, versions: &[&'a str]) -> Result<Vec<&'a str>, Skip> {
    let spoken: Vec<&str> = versions.iter().copied().filter(|version| speaks(tls, version) == Some(true)).collect();
    if spoken.is_empty()
        && let Some(untold) = versions.iter().find(|version| speaks(tls, version).is_none())
    {
        let why = tls.failure.as_ref().map_or_else(|| "could not be told".to_owned(), describe);
        return unknown(format!("{untold}: {why}"));
    }
    Ok(spoken)
}

/// TLS-08: SSL is gone. SSLv2 counts when it was probed.
pub(super) fn ssl(_: &Case<'_>, tls: &TlsFacts) -> Judged {
    let mut spoken = any_of(tls, &["SSLv3"])?;
    if speaks(tls, "SSLv2") == Some(true) {
        spoken.push("SSLv2");
    }
    let evidence = json!({ "accepted": spoken });
    Ok(if spoken.is_empty() { Verdict::pass(evidence) } else { Verdict::fail(evidence) })
}

/// TLS-09: TLS 1.0 and 1.1 are gone; where people pay PCI DSS forbids them.
pub(super) fn early_tls(case: &Case<'_>, tls: &TlsFacts) -> Judged {
    let spoken = any_of(tls, &["TLSv1.0", "TLSv1.1"])?;
    let evidence = json!({ "accepted": spoken });
    Ok(match (spoken.is_empty(), case.profile.payment_path) {
        (true, _) => Verdict::pass(evidence),
        (false, true) => Verdict::fail(evidence).severity(Severity::High),
        (false, false) => Verdict::warn(evidence),
    })
}

/// TLS-10: TLS 1.2 or newer is spoken, and 1.3 too.
pub(super) fn modern_tls(_: &Case<'_>, tls: &TlsFacts) -> Judged {
    let (v12, v13) = (speaks(tls, "TLSv1.2"), speaks(tls, "TLSv1.3"));
    let evidence = json!({ "tls_1_2": v12, "tls_1_3": v13 });
    match (v12, v13) {
        (_, Some(true)) => Ok(Verdict::pass(evidence)),
        (Some(true), Some(false)) => Ok(Verdict::warn(evidence)),
        (Some(false), Some(false)) => {
            // Nothing at all accepted says more about the probe than about the server.
            any_of(tls, &["SSLv3", "TLSv1.0", "TLSv1.1"])
                .and_then(|old| if old.is_empty() { unknown("no version was accepted") } else { Ok(()) })?;
            Ok(Verdict::fail(evidence))
        }
        _ => unknown("TLS 1.2 and 1.3 could not be told apart"),
    }
}

/// Every suite the server chose, in any version.
pub(super) fn suites(tls: &TlsFacts) -> Vec<&str> {
    let probed = tls.versions.iter().flat_map(|probe| &probe.ciphers).map(|cipher| cipher.as_str());
    let mut all: Vec<&str> = probed.chain(tls.handshake.iter().map(|handshake| handshake.cipher.as_str())).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Why a suite is broken: no encryption, export strength, no authentication, RC4, DES.
pub(super) fn weakness(suite: &str) -> Option<&'static str> {
    let name = suite.to_ascii_uppercase().replace('-', "_");
    let has = |part: &str| name.contains(part);
    if has("NULL") {
        Some("no encryption")
    } else if has("EXPORT") || name.starts_with("EXP_") {
        Some("export strength")
    } else if has("_ANON") || name.starts_with("ADH") || name.starts_with("AECDH") {
        Some("no authentication")
    } else if has("RC4") {
        Some("RC4")
    } else if has("3DES") || has("DES_CBC3") {
        Some("3DES")
    } else if has("_DES_") || has("DES40") || name.starts_with("DES_") || has("RC2") || has("IDEA") {
        Some("a cipher of 64-bit blocks")
    } else {
        None
    }
}

/// Whether a suite gives forward secrecy (TLS 1.3 suites always do).
pub(super) fn forward_secret(suite: &str) -> bool {
    let name = suite.to_ascii_uppercase().replace('-', "_");
    name.contains("DHE") || is_tls13(&name)
}

/// Whether a suite authenticates what it encrypts.
pub(super) fn aead(suite: &str) -> bool {
    let name = suite.to_ascii_uppercase();
    ["GCM", "CCM", "CHACHA20", "POLY1305"].iter().any(|mode| name.contains(mode))
}

fn is_tls13(upper: &str) -> bool {
    ["TLS_AES_", "TLS_CHACHA20_", "TLS13_"].iter().any(|start| upper.starts_with(start))
}

/// TLS-11: no broken suite is accepted.
pub(super) fn weak_suites(_: &Case<'_>, tls: &TlsFacts) -> Judged {
    let suites = suites(tls);
    if suites.is_empty() {
        return handshake(tls).and_then(|_| unknown("no suite was seen"));
    }
    let weak: Vec<String> = suites.iter().filter_map(|s| weakness(s).map(|why| format!("{s}: {why}"))).collect();
    let spoken = tls.versions.iter().filter(|probe| probe.accepted == Some(true));
    let all_asked = spoken.clone().next().is_some() && spoken.clone().all(|probe| probe.complete);
    let evidence = json!({ "seen": suites.len(), "all_asked": all_asked, "weak": weak });
    Ok(match (weak.is_empty(), all_asked) {
        (true, true) => Verdict::pass(evidence),
        // Not every suite was offered, or not every offer answered.
        (true, false) => Verdict::pass(evidence).confidence(0.8),
        (false, _) => Verdict::fail(evidence),
    })
}

/// TLS-12: forward secrecy and authenticated encryption are available.
pub(super) fn strong_suites(_: &Case<'_>, tls: &TlsFacts) -> Judged {
    let suites = suites(tls);
    if suites.is_empty() {
        return handshake(tls).and_then(|_| unknown("no suite was seen"));
    }
    let secret = suites.iter().any(|suite| forward_secret(suite));
    let authenticated = suites.iter().any(|suite| aead(suite));
    let evidence = json!({ "forward_secrecy": secret, "aead": authenticated });
    Ok(if secret && authenticated { Verdict::pass(evidence) } else { Verdict::warn(evidence) })
}

/// TLS-17: a publicly trusted certificate carries proofs of its logging (RFC 6962).
pub(super) fn transparency(_: &Case<'_>, tls: &TlsFacts) -> Judged {
    let (handshake, leaf) = leaf(tls)?;
    if handshake.trust.is_err() {
        return Err(Skip::NotApplicable);
    }
    let brought = tls.features.n_scts_in_handshake;
    let evidence = json!({ "scts": leaf.n_scts, "scts_in_handshake": brought });
    // Proofs may also come in a stapled answer, or in a handshake of TLS 1.3, which are not read: the confidence is not full.
    Ok(match leaf.n_scts + brought.unwrap_or(0) {
        0 => Verdict::warn(evidence).confidence(0.8),
        _ => Verdict::pass(evidence),
    })
}

/// TLS-19: the certificate lives no longer than the browsers' limit.
pub(super) fn lifetime(case: &Case<'_>, tls: &TlsFacts) -> Judged {
    let (_, leaf) = leaf(tls)?;
    let days = (leaf.not_after - leaf.not_before) as f64 / DAY_MS as f64;
    let evidence = json!({ "days": days.round() });
    Ok(if days > case.config.tls.lifetime_max_days + 0.01 { Verdict::warn(evidence) } else { Verdict::pass(evidence) })
}

#[cfg(test)]
mod tests;
