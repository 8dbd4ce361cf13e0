//! Whether the authority still stands by the certificate. Statements were verified where they were read.

use riskgraph_domain::Severity;
use riskgraph_domain::observation::{RevocationProbe, RevocationSource, RevocationState, TlsFacts};
use riskgraph_domain::time::DAY_MS;
use serde_json::{Value, json};

use super::super::check::{Case, Judged, Skip, Verdict, describe, unknown};
use super::leaf;

/// TLS-05: the certificate is not revoked, and one that must be stapled is.
///
/// One verified statement of revocation is enough; silence of a responder is unknown, never a failure.
pub(in crate::posture) fn revoked(case: &Case<'_>, tls: &TlsFacts) -> Judged {
    let (handshake, leaf) = leaf(tls)?;
    let statements: Vec<Value> = tls.revocation.iter().map(shown).collect();
    let evidence = json!({ "serial": leaf.serial.as_str(), "must_staple": leaf.must_staple, "statements": statements });
    let any = |wanted: fn(&RevocationProbe) -> bool| tls.revocation.iter().any(wanted);
    if any(|probe| matches!(probe.state, RevocationState::Revoked { .. })) {
        return Ok(Verdict::fail(evidence));
    }
    let good_staple = |probe: &RevocationProbe| {
        probe.source == RevocationSource::Stapled && matches!(probe.state, RevocationState::Good)
    };
    if leaf.must_staple && !tls.revocation.iter().any(good_staple) && !handshake.ocsp_stapled {
        return Ok(Verdict::warn(evidence).severity(Severity::Low));
    }
    if any(|probe| matches!(probe.state, RevocationState::Good)) {
        return Ok(Verdict::pass(evidence));
    }
    if handshake.trust.is_err() {
        // Nobody to ask: what TLS-04 says is worse.
        return Err(Skip::NotApplicable);
    }
    let days = (leaf.not_after - leaf.not_before) as f64 / DAY_MS as f64;
    if days <= case.config.tls.short_lived_days {
        return Ok(Verdict::pass(json!({ "note": "short-lived: it ends before a revocation would be heard of" })));
    }
    match tls.revocation.first() {
        Some(_) => unknown(format!("no usable statement: {}", Value::Array(statements))),
        None => unknown("no statement about revocation was found"),
    }
}

fn shown(probe: &RevocationProbe) -> Value {
    let source = match probe.source {
        RevocationSource::Stapled => "stapled",
        RevocationSource::Ocsp => "ocsp",
        RevocationSource::Crl => "crl",
    };
    let state = match &probe.state {
        RevocationState::Good => json!("good"),
        RevocationState::Revoked { at, reason } => {
            json!({ "revoked_at": at.to_rfc3339(), "reason": reason.as_ref().map(|reason| reason.as_str()) })
        }
        RevocationState::Unknown => json!("unknown to the responder"),
        RevocationState::Unusable(why) => json!({ "unusable": why }),
        RevocationState::Failed(failure) => json!({ "failed": describe(failure) }),
    };
    json!({ "source": source, "url": probe.url, "state": state })
}
