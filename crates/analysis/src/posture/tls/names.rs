//! Who else is named in the certificate, and who else holds its key.

use std::collections::BTreeSet;

use riskgraph_domain::Severity;
use riskgraph_domain::observation::TlsFacts;
use serde_json::json;

use super::super::check::{Case, Judged, Verdict};
use super::super::names::{registrable, same_site};
use super::leaf;

/// Names shown in evidence.
const SHOWN_MAX: usize = 10;
/// Shortest common start by which two names are taken for one firm's (`shop`, `shopcdn`).
const COMMON_START_MIN: usize = 4;

/// TLS-18: the certificate is not shared with strangers; a wildcard is noted.
pub(in crate::posture) fn shared(case: &Case<'_>, tls: &TlsFacts) -> Judged {
    let (_, leaf) = leaf(tls)?;
    let wildcards: Vec<&str> =
        leaf.names.iter().map(|name| name.as_str()).filter(|name| name.starts_with("*.")).collect();
    let own = [case.domain(), tls.host.as_str()];
    let foreign: BTreeSet<&str> = leaf
        .names
        .iter()
        .filter_map(|name| registrable(name.trim_start_matches("*.")))
        .filter(|name| own.iter().all(|own| !related(own, name)))
        .collect();
    let shown: Vec<&str> = foreign.iter().copied().take(SHOWN_MAX).collect();
    let evidence = json!({
        "names": leaf.names.len(), "other_organisations": foreign.len(), "examples": shown,
        "wildcards": wildcards.iter().take(SHOWN_MAX).collect::<Vec<_>>(),
    });
    Ok(if foreign.len() >= case.config.tls.foreign_names_warn {
        Verdict::warn(evidence)
    } else if wildcards.is_empty() {
        Verdict::pass(evidence)
    } else {
        Verdict::warn(evidence).severity(Severity::Info)
    })
}

/// Whether two names look like one firm's: the same site, the same label under another suffix, or a common start.
fn related(own: &str, other: &str) -> bool {
    let label =
        |name: &str| registrable(name).and_then(|name| name.split('.').next()).unwrap_or("").to_ascii_lowercase();
    let (mine, theirs) = (label(own), label(other));
    let common = mine.bytes().zip(theirs.bytes()).take_while(|(a, b)| a == b).count();
    let shorter = mine.len().min(theirs.len());
    same_site(own, other) || (shorter > 0 && common == shorter && (shorter >= COMMON_START_MIN || mine == theirs))
}

/// TLS-21: the private key is nobody else's. Hosts that the certificate itself names share it on purpose.
pub(in crate::posture) fn key_reuse(case: &Case<'_>, tls: &TlsFacts) -> Judged {
    let (_, leaf) = leaf(tls)?;
    let named = |host: &str| {
        leaf.names.iter().any(|name| match name.strip_prefix("*.") {
            Some(parent) => host.split_once('.').is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(parent)),
            None => name.eq_ignore_ascii_case(host),
        })
    };
    let here = case.seen.tls.iter().filter(|other| {
        let same = |chain: &[riskgraph_domain::observation::CertificateFacts]| {
            chain.first().is_some_and(|other| other.spki_sha256 == leaf.spki_sha256 && other.sha256 != leaf.sha256)
        };
        other.handshake.as_ref().is_some_and(|shaken| same(&shaken.chain))
    });
    let hosts: BTreeSet<&str> = here
        .map(|other| other.host.as_str())
        .chain(tls.key_seen_at.iter().map(|host| host.as_str()))
        .filter(|host| !related(&tls.host, host) && !named(host))
        .collect();
    let shown: Vec<&str> = hosts.iter().copied().take(SHOWN_MAX).collect();
    let evidence = json!({ "spki_sha256": leaf.spki_sha256.as_str(), "hosts": shown, "n_hosts": hosts.len() });
    Ok(if hosts.is_empty() { Verdict::pass(evidence) } else { Verdict::warn(evidence) })
}

#[cfg(test)]
mod tests {
    use super::related;

    #[test]
    fn firms_are_told_by_their_names() {
        let check = |a: &str, b: &str, want: bool| assert_eq!(related(a, b), want, "{a} {b}");
        check("www.shop.example.com", "example.com", true);
        check("amazon.com", "amazon.co.uk", true);
        check("adyen.com", "adyenpayments.com", true);
        check("adyen.com", "klarna.com", false);
        check("hm.com", "hmrc.uk", false);
        check("hm.com", "hm.se", true);
        check("example.com", "com", false);
    }
}
