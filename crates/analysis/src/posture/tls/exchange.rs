//! How keys are agreed on: Diffie-Hellman groups and post-quantum hybrids.

use riskgraph_domain::observation::{DhGroup, TlsFacts};
use serde_json::{Value, json};

use super::super::check::{Case, Judged, Skip, Verdict, handshake, unknown};

/// TLS-13: prime fields are large enough and small ones are not everybody's.
pub(in crate::posture) fn prime_fields(case: &Case<'_>, tls: &TlsFacts) -> Judged {
    handshake(tls)?;
    let rules = &case.config.tls;
    let groups = &tls.features.dh_groups;
    if groups.is_empty() {
        // Without the suites there is nothing to agree on over a prime field.
        let offered = super::suites(tls).iter().any(|suite| suite.contains("_DHE_") || suite.contains("DH_anon"));
        return if offered { unknown("the group of the DHE suites was not seen") } else { Err(Skip::NotApplicable) };
    }
    let shown: Vec<Value> = groups.iter().map(describe).collect();
    let evidence = json!({ "groups": shown });
    let smallest = groups.iter().map(|group| group.bits).min().unwrap_or(0);
    Ok(if smallest < rules.dh_bits_fail {
        Verdict::fail(evidence)
    } else if smallest < rules.dh_bits_warn || groups.iter().any(|group| group.reused_key) {
        Verdict::warn(evidence)
    } else {
        Verdict::pass(evidence)
    })
}

fn describe(group: &DhGroup) -> Value {
    let known = group.known_as.as_ref().map(|name| name.as_str());
    json!({
        "bits": group.bits, "prime": known, "prime_sha256": group.prime_sha256.as_str(), "key_reused": group.reused_key,
    })
}

/// TLS-20: a recording of today cannot be read by the quantum computer of tomorrow.
pub(in crate::posture) fn post_quantum(_: &Case<'_>, tls: &TlsFacts) -> Judged {
    handshake(tls)?;
    let modern = tls.versions.iter().find(|probe| probe.version.as_str() == "TLSv1.3");
    let agreed = tls.handshake.iter().filter_map(|shaken| shaken.key_exchange.as_ref());
    let listed = modern.iter().filter_map(|probe| probe.groups.as_ref()).flatten();
    let mut hybrids: Vec<&str> =
        agreed.chain(listed).map(|group| group.as_str()).filter(|group| is_hybrid(group)).collect();
    hybrids.sort_unstable();
    hybrids.dedup();
    let evidence = json!({ "groups": hybrids });
    match (hybrids.is_empty(), modern) {
        (false, _) => Ok(Verdict::pass(evidence)),
        (true, Some(probe)) if probe.accepted == Some(true) && probe.groups.is_none() => {
            unknown("groups were not asked")
        }
        (true, _) => Ok(Verdict::warn(evidence)),
    }
}

/// Whether the group resists quantum computers; the drafts before ML-KEM do as well.
fn is_hybrid(group: &str) -> bool {
    group.contains("MLKEM") || group.contains("Kyber")
}
