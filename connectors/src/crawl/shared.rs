//! Answers several crawls need: hosts of name servers, parents, senders that half a portfolio includes.
//!
//! A vendor's own names are asked afresh in every crawl; names of others are remembered for seconds, so that a portfolio
//! does not ask the same provider the same question a hundred times.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use riskgraph_domain::observation::DnsAnswer;
use tokio::time::Instant;

/// How long an answer is used by others: far below any time to live that matters to a verdict.
const FRESH: Duration = Duration::from_secs(30);
/// Answers kept, at most; then all are forgotten.
const ANSWERS_MAX: usize = 50_000;

/// A name and the type that was asked for.
type Question = (String, &'static str);

/// Recent answers by question.
#[derive(Default)]
pub(super) struct SharedAnswers(Mutex<HashMap<Question, (Instant, DnsAnswer)>>);

impl SharedAnswers {
    pub(super) fn get(&self, key: &Question) -> Option<DnsAnswer> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(key).filter(|(at, _)| at.elapsed() < FRESH).map(|(_, answer)| answer.clone())
    }

    /// Remembers an answer; a failure is no answer.
    pub(super) fn put(&self, key: Question, answer: &DnsAnswer) {
        if matches!(answer, DnsAnswer::Failed(_)) {
            return;
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= ANSWERS_MAX {
            known.clear();
        }
        known.insert(key, (Instant::now(), answer.clone()));
    }
}

/// Whether a name belongs to the domain's own registrable domain.
pub(super) fn is_own(name: &str, domain: &str) -> bool {
    let own = psl::domain_str(domain).unwrap_or(domain);
    name == own || name.strip_suffix(own).is_some_and(|rest| rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use riskgraph_domain::observation::ProbeFailure;

    use super::*;

    #[test]
    fn remembers_answers_but_no_failures() {
        let shared = SharedAnswers::default();
        let key = ("ns.example".to_owned(), "A");
        shared.put(key.clone(), &DnsAnswer::Failed(ProbeFailure::Timeout));
        assert_eq!(shared.get(&key), None);
        shared.put(key.clone(), &DnsAnswer::NoData);
        assert_eq!(shared.get(&key), Some(DnsAnswer::NoData));
    }

    #[test]
    fn tells_own_names() {
        let check = |name: &str, domain: &str, want: bool| assert_eq!(is_own(name, domain), want, "{name}");
        check("shop.example.com", "shop.example.com", true);
        check("_dmarc.example.com", "shop.example.com", true);
        check("notexample.com", "shop.example.com", false);
        check("com", "shop.example.com", false);
        check("ns.example.net", "shop.example.com", false);
    }
}
