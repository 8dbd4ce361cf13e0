//! What a server's hello gives away: compression, renegotiation, master secret, fallback, early data.

use riskgraph_domain::observation::TlsFacts;
use serde_json::json;

use super::super::check::{Case, Judged, Skip, Verdict, handshake, unknown};

/// Whether a version below TLS 1.3 is spoken; the features below exist only there.
fn has_older(tls: &TlsFacts) -> Result<bool, Skip> {
    handshake(tls)?;
    let older = |name: &str| name != "TLSv1.3" && name != "SSLv2";
    let spoken = tls.versions.iter().any(|probe| older(&probe.version) && probe.accepted == Some(true));
    let told = tls.versions.iter().filter(|probe| older(&probe.version)).all(|probe| probe.accepted.is_some());
    match (spoken, told) {
        (true, _) => Ok(true),
        (false, true) => Ok(false),
        (false, false) => unknown("which versions are spoken could not be told"),
    }
}

/// TLS-14: no compression, and renegotiation only bound to the session it continues.
pub(in crate::posture) fn compression_and_renegotiation(_: &Case<'_>, tls: &TlsFacts) -> Judged {
    let features = &tls.features;
    let asked_in = features.asked_in.as_ref().map(|version| version.as_str());
    let evidence = json!({
        "compression": features.compression, "secure_renegotiation": features.secure_renegotiation, "asked_in": asked_in,
    });
    match (has_older(tls)?, features.compression, features.secure_renegotiation) {
        (false, ..) => Ok(Verdict::pass(json!({ "note": "TLS 1.3 has neither" }))),
        (true, Some(true), _) | (true, _, Some(false)) => Ok(Verdict::fail(evidence)),
        (true, Some(false), Some(true)) => Ok(Verdict::pass(evidence)),
        (true, ..) => unknown("the server did not answer the question"),
    }
}

/// TLS-15: sessions are bound to their handshake, and forced fallbacks are noticed.
///
/// A server of one version has nothing to fall back to.
pub(in crate::posture) fn binding(_: &Case<'_>, tls: &TlsFacts) -> Judged {
    let features = &tls.features;
    if !has_older(tls)? {
        return Ok(Verdict::pass(json!({ "note": "TLS 1.3 has both built in" })));
    }
    let taken: Vec<&str> = features
        .fallback
        .iter()
        .filter(|probe| probe.refused == Some(false))
        .map(|probe| probe.version.as_str())
        .collect();
    let evidence = json!({ "extended_master_secret": features.extended_master_secret, "fallback_taken": taken });
    // From TLS 1.3 on a server marks its random value, so that clients notice a downgrade to 1.2 themselves (RFC 8446 4.1.3).
    let modern = tls.versions.iter().any(|probe| probe.version.as_str() == "TLSv1.3" && probe.accepted == Some(true));
    let matters = taken.iter().any(|version| !(modern && *version == "TLSv1.2"));
    match features.extended_master_secret {
        Some(false) => Ok(Verdict::warn(evidence)),
        _ if matters => Ok(Verdict::warn(evidence)),
        Some(true) => Ok(Verdict::pass(evidence)),
        None => unknown("the server did not answer the question"),
    }
}

/// TLS-16: where people pay nothing is accepted that could be sent twice.
pub(in crate::posture) fn early_data(case: &Case<'_>, tls: &TlsFacts) -> Judged {
    if !case.profile.payment_path {
        return Err(Skip::NotApplicable);
    }
    handshake(tls)?;
    let modern = tls.versions.iter().find(|probe| probe.version.as_str() == "TLSv1.3");
    let evidence = json!({
        "bytes_max": tls.features.early_data_bytes_max, "tickets": tls.features.tickets_13,
    });
    match (modern.and_then(|probe| probe.accepted), tls.features.early_data_bytes_max, tls.features.tickets_13) {
        (_, Some(1..), _) => Ok(Verdict::warn(evidence)),
        (Some(false), ..) | (_, Some(0), _) | (_, _, Some(0)) => Ok(Verdict::pass(evidence)),
        _ => unknown("no ticket was seen"),
    }
}
