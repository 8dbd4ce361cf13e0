//! Examples of every check: what passes it, what fails it. They explain the check in its page and prove it in a test.
//!
//! An example starts from a sound domain, which passes whatever applies to it, and says in words what is changed.

mod brand;
mod dns;
mod http;
mod leaks;
mod mail;
mod net;
pub(in crate::posture) mod parts;
mod pay;
mod sound;
mod takeover;
mod tls;
mod vuln;

use riskgraph_domain::observation::DomainObservations;
use riskgraph_domain::posture::{CheckOutcome, CheckResult};

use super::{AssetProfile, PostureConfig, judge};

/// One case of a check.
pub struct Example {
    /// Catalogue id.
    pub check: &'static str,
    /// What is changed about a sound domain, such as `one name server`.
    pub says: &'static str,
    /// The result; `None`: the check does not apply.
    pub result: Option<CheckResult>,
    change: fn(&mut Subject),
}

/// What an example changes.
pub(in crate::posture) struct Subject {
    pub(in crate::posture) seen: DomainObservations,
    pub(in crate::posture) profile: AssetProfile,
}

/// The families in the catalogue's order.
const FAMILIES: &[&[Example]] = &[
    dns::EXAMPLES,
    mail::EXAMPLES,
    tls::EXAMPLES,
    http::EXAMPLES,
    pay::EXAMPLES,
    net::EXAMPLES,
    vuln::EXAMPLES,
    brand::EXAMPLES,
    takeover::EXAMPLES,
    leaks::EXAMPLES,
];

/// Every example, in the catalogue's order.
pub fn examples() -> impl Iterator<Item = &'static Example> {
    FAMILIES.iter().copied().flatten()
}

impl Example {
    /// What the check says of the example.
    #[must_use]
    pub fn judge(&self, config: &PostureConfig) -> Option<CheckOutcome> {
        let mut subject = sound::subject();
        (self.change)(&mut subject);
        judge(&subject.seen, &subject.profile, config).into_iter().find(|outcome| outcome.check.as_str() == self.check)
    }
}

const fn example(
    check: &'static str,
    says: &'static str,
    result: Option<CheckResult>,
    change: fn(&mut Subject),
) -> Example {
    Example { check, says, result, change }
}

/// An example that passes.
pub(in crate::posture) const fn passes(check: &'static str, says: &'static str, change: fn(&mut Subject)) -> Example {
    example(check, says, Some(CheckResult::Pass), change)
}

/// An example that is warned of.
pub(in crate::posture) const fn warns(check: &'static str, says: &'static str, change: fn(&mut Subject)) -> Example {
    example(check, says, Some(CheckResult::Warn), change)
}

/// An example that fails.
pub(in crate::posture) const fn fails(check: &'static str, says: &'static str, change: fn(&mut Subject)) -> Example {
    example(check, says, Some(CheckResult::Fail), change)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::posture::catalogue::catalogue;

    /// Families whose every check has examples.
    const COMPLETE: &[&str] =
        &["DNS-", "MAIL-", "TLS-", "HTTP-", "PAY-", "NET-", "VULN-", "IMP-", "TKO-", "LEAK-", "RAN-"];

    #[test]
    fn every_example_is_judged_as_it_says() {
        let config = PostureConfig::built_in().expect("the built-in configuration is valid");
        for example in examples() {
            let outcome = example.judge(&config);
            assert_eq!(
                outcome.as_ref().map(|outcome| outcome.result),
                example.result,
                "{} '{}': {outcome:?}",
                example.check,
                example.says
            );
        }
    }

    #[test]
    fn the_sound_domain_passes() {
        let config = PostureConfig::built_in().expect("the built-in configuration is valid");
        let subject = sound::subject();
        let bad: Vec<CheckOutcome> = judge(&subject.seen, &subject.profile, &config)
            .into_iter()
            .filter(|outcome| outcome.result != CheckResult::Pass)
            .collect();
        assert!(bad.is_empty(), "{bad:#?}");
    }

    #[test]
    fn every_check_has_a_good_and_a_bad_example() {
        let mut by_check: BTreeMap<&str, Vec<Option<CheckResult>>> = BTreeMap::new();
        for example in examples() {
            by_check.entry(example.check).or_default().push(example.result);
        }
        for check in catalogue().filter(|check| COMPLETE.iter().any(|family| check.id.starts_with(family))) {
            let results = by_check.get(check.id).map_or(&[][..], Vec::as_slice);
            let good = results.contains(&Some(CheckResult::Pass));
            let bad = results.contains(&Some(CheckResult::Fail)) || results.contains(&Some(CheckResult::Warn));
            assert!(good && bad, "{}: {results:?}", check.id);
        }
    }
}
