use std::collections::BTreeSet;

use riskgraph_domain::observation::{DnsAnswer, ProbeFailure};
use riskgraph_domain::posture::{CheckResult, Grade};

use super::fixtures::*;
use super::*;

#[test]
fn the_catalogue_is_well_formed() {
    let ids: BTreeSet<&str> = CATALOGUE.iter().map(|check| check.id).collect();
    assert_eq!(ids.len(), CATALOGUE.len());
    for check in CATALOGUE {
        assert!(Factor::of_check(check.id).is_some(), "{}", check.id);
        assert!(!check.title.is_empty() && check.recommendation.ends_with('.'), "{}", check.id);
        assert!(!check.reference.is_empty(), "{}", check.id);
    }
}

#[test]
fn nothing_seen_is_unknown_and_not_rated() {
    let config = config();
    let mut silent = blank("example.com");
    for kind in ["A", "AAAA", "NS", "MX", "TXT", "SOA", "CAA"] {
        silent.dns.lookups.push(answered("example.com", kind, DnsAnswer::Failed(ProbeFailure::Timeout)));
    }
    silent.https = Some(unfetched("https://example.com/", ProbeFailure::Timeout));
    silent.http = Some(unfetched("http://example.com/", ProbeFailure::Timeout));
    for seen in [blank("example.com"), silent] {
        let outcomes = judge(&seen, &AssetProfile::default(), &config);
        for outcome in &outcomes {
            assert_eq!(outcome.result, CheckResult::Unknown, "{outcome:?}");
            assert!(outcome.evidence["reason"].is_string(), "{outcome:?}");
        }
        let posture = score(&outcomes, &Profiles::default(), &[], &config, NOW);
        assert_eq!((posture.score, posture.grade, posture.coverage), (None, Grade::NR, 0.0));
    }
}
