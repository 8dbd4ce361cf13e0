//! What tests of checks share: the parts of observations, and how a result is asked for.

use riskgraph_domain::observation::{DomainObservations, Peer, ProbeFailure, WebFacts};
use riskgraph_domain::posture::{CheckOutcome, CheckResult};

pub(super) use super::examples::parts::*;
use super::{AssetProfile, PostureConfig, judge};

pub(super) fn config() -> PostureConfig {
    PostureConfig::built_in().expect("the built-in configuration is valid")
}

/// A fetch without an answer.
pub(super) fn unfetched(url: &str, failure: ProbeFailure) -> WebFacts {
    WebFacts {
        url: url.to_owned(),
        peer: Peer::Verified,
        hops: Vec::new(),
        failure: Some(failure),
        body: None,
        page: None,
    }
}

/// A name whose page over HTTPS answers 200 with these headers.
pub(super) fn page_with(headers: &[(&str, &str)]) -> DomainObservations {
    let mut all = vec![("content-type", "text/html; charset=utf-8")];
    all.extend_from_slice(headers);
    let mut seen = addressed(DOMAIN);
    seen.https = Some(fetched(vec![hop(&format!("https://{DOMAIN}/"), 200, &all)]));
    seen.tls = vec![endpoint()];
    seen
}

/// The outcome of one check, `None` when it does not apply.
pub(super) fn outcome_of(seen: &DomainObservations, profile: &AssetProfile, check: &str) -> Option<CheckOutcome> {
    judge(seen, profile, &config()).into_iter().find(|outcome| outcome.check.as_str() == check)
}

/// Asserts the result of one check: `None` says that it does not apply.
#[track_caller]
pub(super) fn expect(seen: &DomainObservations, check: &str, result: impl Into<Option<CheckResult>>) {
    expect_for(seen, &AssetProfile::default(), check, result);
}

#[track_caller]
pub(super) fn expect_for(
    seen: &DomainObservations,
    profile: &AssetProfile,
    check: &str,
    result: impl Into<Option<CheckResult>>,
) {
    let outcome = outcome_of(seen, profile, check);
    assert_eq!(outcome.as_ref().map(|o| o.result), result.into(), "{check}: {outcome:?}");
}
