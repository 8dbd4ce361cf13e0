//! The questions of one crawl and their answers, each asked once.
//!
//! Answers go into the book as they come, so that a crawl that runs out of time keeps what it has.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use futures::stream;
use hickory_resolver::proto::rr::RecordType;
use riskgraph_domain::Text;
use riskgraph_domain::observation::{
    Delegation, DnsAnswer, DnsFacts, Dnssec, Lookup, NameServer, Probe, ProbeFailure, Signature,
};

use super::shared::is_own;
use super::site::Site;

/// Concurrent questions; the crawl's own permits bound them further.
pub(super) const PARALLEL_QUESTIONS: usize = 8;
/// Questions of one crawl, at most: three times what a domain with every feature needs.
const QUESTIONS_MAX: usize = 400;

/// Collects the answers of one crawl.
#[derive(Default)]
pub(super) struct Book {
    domain: String,
    answers: Mutex<BTreeMap<(String, &'static str), DnsAnswer>>,
    pub(super) servers: Mutex<Vec<NameServer>>,
    pub(super) dnssec: Mutex<Option<Dnssec>>,
    pub(super) delegation: Mutex<Probe<Delegation>>,
    pub(super) signatures: Mutex<Vec<Signature>>,
    pub(super) keys_match_ds: Mutex<Option<bool>>,
}

impl Book {
    /// An empty book about this domain.
    pub(super) fn new(domain: &str) -> Self {
        Self { domain: domain.to_owned(), ..Self::default() }
    }

    /// What is in the book, in the order of names.
    pub(super) fn facts(self) -> DnsFacts {
        let lookup = |((name, kind), answer): ((String, &str), DnsAnswer)| Lookup {
            name: Text::from(name),
            kind: Text::from(kind),
            answer,
        };
        fn inner<T>(mutex: Mutex<T>) -> T {
            mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
        }
        DnsFacts {
            lookups: inner(self.answers).into_iter().map(lookup).collect(),
            name_servers: inner(self.servers),
            dnssec: inner(self.dnssec).unwrap_or_else(|| Dnssec::Unknown("not asked in time".to_owned())),
            delegation: inner(self.delegation),
            signatures: inner(self.signatures),
            keys_match_ds: inner(self.keys_match_ds),
            registration: None,
        }
    }

    /// The answer to this question, asked at most once.
    pub(super) async fn ask(&self, site: &Site<'_>, name: &str, kind: Kind) -> DnsAnswer {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let key = (name.clone(), kind.name());
        if let Some(known) = locked(&self.answers).get(&key) {
            return known.clone();
        }
        if locked(&self.answers).len() >= QUESTIONS_MAX {
            return DnsAnswer::Failed(ProbeFailure::Forbidden("too many questions about one domain".to_owned()));
        }
        let foreign = !is_own(&name, &self.domain);
        let remembered = if foreign { site.tools.shared.get(&key) } else { None };
        let answer = match remembered {
            Some(answer) => answer,
            None => {
                let answer = site.ask(&name, kind.record_type()).await;
                if foreign {
                    site.tools.shared.put(key.clone(), &answer);
                }
                answer
            }
        };
        locked(&self.answers).insert(key, answer.clone());
        answer
    }

    /// The records of this question; none when there are none or it was not answered.
    pub(super) async fn records(&self, site: &Site<'_>, name: &str, kind: Kind) -> Vec<String> {
        match self.ask(site, name, kind).await {
            DnsAnswer::Records(records) => records,
            _ => Vec::new(),
        }
    }

    /// Asks all of these, some at a time.
    pub(super) async fn ask_all(&self, site: &Site<'_>, questions: Vec<(String, Kind)>) {
        let asked = questions.into_iter().map(|(name, kind)| async move {
            self.ask(site, &name, kind).await;
        });
        stream::iter(asked).buffer_unordered(PARALLEL_QUESTIONS).collect::<Vec<()>>().await;
    }
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The record types asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    A,
    Aaaa,
    Caa,
    Cname,
    Dnskey,
    Ds,
    Mx,
    Ns,
    Ptr,
    Soa,
    /// Type 99, which RFC 7208 gave up.
    Spf,
    Tlsa,
    Txt,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Caa => "CAA",
            Self::Cname => "CNAME",
            Self::Dnskey => "DNSKEY",
            Self::Ds => "DS",
            Self::Mx => "MX",
            Self::Ns => "NS",
            Self::Ptr => "PTR",
            Self::Soa => "SOA",
            Self::Spf => "SPF",
            Self::Tlsa => "TLSA",
            Self::Txt => "TXT",
        }
    }

    pub(super) const fn record_type(self) -> RecordType {
        match self {
            Self::A => RecordType::A,
            Self::Aaaa => RecordType::AAAA,
            Self::Caa => RecordType::CAA,
            Self::Cname => RecordType::CNAME,
            Self::Dnskey => RecordType::DNSKEY,
            Self::Ds => RecordType::DS,
            Self::Mx => RecordType::MX,
            Self::Ns => RecordType::NS,
            Self::Ptr => RecordType::PTR,
            Self::Soa => RecordType::SOA,
            Self::Spf => RecordType::Unknown(99),
            Self::Tlsa => RecordType::TLSA,
            Self::Txt => RecordType::TXT,
        }
    }
}
