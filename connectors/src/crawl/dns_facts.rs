//! What is asked of DNS about one domain.
//!
//! The answers go into a book as they come, so that a crawl that runs out of time keeps what it has.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use futures::stream;
use hickory_resolver::proto::rr::RecordType;
use riskgraph_domain::Text;
use riskgraph_domain::observation::{DnsAnswer, DnsFacts, Dnssec, Lookup, NameServer};

use super::name_server::{self, Replies};
use super::site::Site;
use super::spf;

/// Names whose SPF records are read. RFC 7208 allows ten lookups; three times that shows how broken a record is.
const SPF_NAMES_MAX: usize = 30;
/// Names looked up for `a`, `mx` and `exists` terms of all SPF records together.
const SPF_TARGETS_MAX: usize = 40;
/// Mail exchangers whose addresses are looked up; also the limit of RFC 7208 4.6.4 for one `mx` term.
const EXCHANGERS_MAX: usize = 10;
/// Mail exchangers whose TLSA record is looked up.
const TLSA_MAX: usize = 4;
/// Name servers asked; registries allow at most 13.
const NAME_SERVERS_MAX: usize = 13;
/// Parents climbed for DMARC and CAA. Eight is the limit of RFC 9989's tree walk.
const PARENTS_MAX: usize = 8;
/// Report receivers of a DMARC record that are looked at.
const REPORT_TARGETS_MAX: usize = 4;
/// DKIM selectors of widespread mail services. Selectors cannot be listed, so the absence of a key says nothing.
const SELECTORS: [&str; 8] = ["default", "google", "selector1", "selector2", "k1", "s1", "mail", "dkim"];
/// Concurrent questions; the crawl's own permits bound them further.
const PARALLEL_QUESTIONS: usize = 8;

/// Collects the answers of one crawl.
#[derive(Default)]
pub(super) struct Book {
    answers: Mutex<BTreeMap<(String, &'static str), DnsAnswer>>,
    servers: Mutex<Vec<NameServer>>,
    dnssec: Mutex<Option<Dnssec>>,
}

impl Book {
    /// What is in the book, in the order of names.
    pub(super) fn facts(self) -> DnsFacts {
        let lookup = |((name, kind), answer): ((String, &str), DnsAnswer)| Lookup {
            name: Text::from(name),
            kind: Text::from(kind),
            answer,
        };
        let unlocked = |error| PoisonError::into_inner(error);
        DnsFacts {
            lookups: self
                .answers
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner)
                .into_iter()
                .map(lookup)
                .collect(),
            name_servers: self.servers.into_inner().unwrap_or_else(unlocked),
            dnssec: self
                .dnssec
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner)
                .unwrap_or_else(|| Dnssec::Unknown("not asked in time".to_owned())),
        }
    }

    /// The answer to this question, asked at most once.
    async fn ask(&self, site: &Site<'_>, name: &str, kind: Kind) -> DnsAnswer {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let key = (name.clone(), kind.name());
        if let Some(known) = locked(&self.answers).get(&key) {
            return known.clone();
        }
        let answer = site.ask(&name, kind.record_type()).await;
        locked(&self.answers).insert(key, answer.clone());
        answer
    }

    async fn records(&self, site: &Site<'_>, name: &str, kind: Kind) -> Vec<String> {
        match self.ask(site, name, kind).await {
            DnsAnswer::Records(records) => records,
            _ => Vec::new(),
        }
    }

    /// Asks all of these, some at a time.
    async fn ask_all(&self, site: &Site<'_>, questions: Vec<(String, Kind)>) {
        let asked = questions.into_iter().map(|(name, kind)| async move {
            self.ask(site, &name, kind).await;
        });
        stream::iter(asked).buffer_unordered(PARALLEL_QUESTIONS).collect::<Vec<()>>().await;
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The record types asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    A,
    Aaaa,
    Caa,
    Cname,
    Dnskey,
    Ds,
    Mx,
    Ns,
    Soa,
    Tlsa,
    Txt,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Caa => "CAA",
            Self::Cname => "CNAME",
            Self::Dnskey => "DNSKEY",
            Self::Ds => "DS",
            Self::Mx => "MX",
            Self::Ns => "NS",
            Self::Soa => "SOA",
            Self::Tlsa => "TLSA",
            Self::Txt => "TXT",
        }
    }

    const fn record_type(self) -> RecordType {
        match self {
            Self::A => RecordType::A,
            Self::Aaaa => RecordType::AAAA,
            Self::Caa => RecordType::CAA,
            Self::Cname => RecordType::CNAME,
            Self::Dnskey => RecordType::DNSKEY,
            Self::Ds => RecordType::DS,
            Self::Mx => RecordType::MX,
            Self::Ns => RecordType::NS,
            Self::Soa => RecordType::SOA,
            Self::Tlsa => RecordType::TLSA,
            Self::Txt => RecordType::TXT,
        }
    }
}

/// Asks everything about the domain and writes it into the book.
pub(super) async fn observe(site: &Site<'_>, book: &Book, domain: &str) {
    book.ask_all(site, first_questions(domain)).await;
    let spf = walk_spf(site, book, domain);
    let mail = ask_mail(site, book, domain);
    let servers = ask_servers(site, book, domain);
    let dnssec = ask_dnssec(site, book, domain);
    tokio::join!(spf, mail, servers, dnssec);
}

/// Asks for the addresses of script and frame hosts, so that a host that no longer exists is seen.
pub(super) async fn observe_hosts(site: &Site<'_>, book: &Book, hosts: Vec<String>) {
    book.ask_all(site, hosts.into_iter().flat_map(|host| [(host.clone(), Kind::A), (host, Kind::Aaaa)]).collect())
        .await;
}

fn first_questions(domain: &str) -> Vec<(String, Kind)> {
    let own =
        [Kind::Ns, Kind::A, Kind::Aaaa, Kind::Soa, Kind::Mx, Kind::Txt, Kind::Caa, Kind::Cname, Kind::Ds, Kind::Dnskey];
    let mut questions: Vec<_> = own.into_iter().map(|kind| (domain.to_owned(), kind)).collect();
    let www = format!("www.{domain}");
    questions.extend([Kind::A, Kind::Aaaa, Kind::Cname].map(|kind| (www.clone(), kind)));
    questions.push((format!("_dmarc.{domain}"), Kind::Txt));
    for parent in parents(domain) {
        questions.push((format!("_dmarc.{parent}"), Kind::Txt));
        questions.push((parent, Kind::Caa));
    }
    questions.push((format!("_mta-sts.{domain}"), Kind::Txt));
    questions.push((format!("_smtp._tls.{domain}"), Kind::Txt));
    questions.extend(SELECTORS.map(|selector| (format!("{selector}._domainkey.{domain}"), Kind::Txt)));
    questions
}

/// The names above this one, down to the registrable domain (public suffix list).
fn parents(domain: &str) -> Vec<String> {
    let organisational = psl::domain_str(domain).unwrap_or(domain);
    let mut name = domain;
    let mut above = Vec::new();
    while above.len() < PARENTS_MAX && name.len() > organisational.len() {
        let Some((_, parent)) = name.split_once('.') else { break };
        above.push(parent.to_owned());
        name = parent;
    }
    above
}

/// Follows includes and redirects, breadth first, and looks up what the other terms name.
async fn walk_spf(site: &Site<'_>, book: &Book, domain: &str) {
    let mut waiting = VecDeque::from([domain.to_owned()]);
    let mut seen = BTreeSet::from([domain.to_owned()]);
    let mut hosts = BTreeSet::new();
    let mut exchanges = BTreeSet::new();
    while let Some(name) = waiting.pop_front() {
        let records = book.records(site, &name, Kind::Txt).await;
        for target in records.iter().filter(|text| spf::is_record(text)).flat_map(|text| spf::targets(&name, text)) {
            match target {
                spf::Target::Record(next) => {
                    if seen.len() < SPF_NAMES_MAX && seen.insert(next.clone()) {
                        waiting.push_back(next);
                    }
                }
                spf::Target::Addresses(host) | spf::Target::Exists(host) => {
                    hosts.insert(host);
                }
                spf::Target::Exchangers(host) => {
                    exchanges.insert(host);
                }
            }
        }
    }
    for host in exchanges.into_iter().take(EXCHANGERS_MAX) {
        hosts.extend(exchangers(&book.records(site, &host, Kind::Mx).await));
    }
    observe_hosts(site, book, hosts.into_iter().take(SPF_TARGETS_MAX).collect()).await;
}

/// Addresses and TLSA of the mail exchangers, and whether receivers of DMARC reports agreed to receive them.
async fn ask_mail(site: &Site<'_>, book: &Book, domain: &str) {
    let hosts = exchangers(&book.records(site, domain, Kind::Mx).await);
    let tlsa = hosts.iter().take(TLSA_MAX).map(|host| (format!("_25._tcp.{host}"), Kind::Tlsa));
    let mut questions: Vec<_> = tlsa.collect();
    for host in hosts {
        questions.extend([(host.clone(), Kind::A), (host, Kind::Aaaa)]);
    }
    let mut policies = book.records(site, &format!("_dmarc.{domain}"), Kind::Txt).await;
    for parent in parents(domain) {
        policies.extend(book.records(site, &format!("_dmarc.{parent}"), Kind::Txt).await);
    }
    for target in report_targets(&policies) {
        if psl::domain_str(&target) != psl::domain_str(domain) {
            questions.push((format!("{domain}._report._dmarc.{target}"), Kind::Txt));
        }
        questions.push((target, Kind::Mx));
    }
    book.ask_all(site, questions).await;
}

/// Host names of MX records, best preference first; none for a null MX (RFC 7505).
fn exchangers(records: &[String]) -> Vec<String> {
    let mut found: Vec<(u16, String)> = records
        .iter()
        .filter_map(|record| {
            let (preference, host) = record.split_once(' ')?;
            let host = host.trim_end_matches('.').to_ascii_lowercase();
            (!host.is_empty()).then_some((preference.parse().ok()?, host))
        })
        .collect();
    found.sort();
    found.into_iter().take(EXCHANGERS_MAX).map(|(_, host)| host).collect()
}

/// Domains of the `mailto:` receivers in DMARC records.
fn report_targets(policies: &[String]) -> BTreeSet<String> {
    let receivers = policies
        .iter()
        .flat_map(|policy| policy.split(';'))
        .filter_map(|tag| tag.split_once('='))
        .filter(|(name, _)| matches!(name.trim().to_ascii_lowercase().as_str(), "rua" | "ruf"))
        .flat_map(|(_, uris)| uris.split(','));
    receivers
        .filter_map(|uri| {
            let (_, domain) = uri
                .trim()
                .to_ascii_lowercase()
                .strip_prefix("mailto:")?
                .rsplit_once('@')
                .map(|(user, domain)| (user.to_owned(), domain.split('!').next().unwrap_or_default().to_owned()))?;
            (!domain.is_empty() && domain.len() <= 253).then_some(domain)
        })
        .take(REPORT_TARGETS_MAX)
        .collect()
}

/// Addresses of the name servers, and what each says itself.
async fn ask_servers(site: &Site<'_>, book: &Book, domain: &str) {
    let mut names: Vec<String> = book
        .records(site, domain, Kind::Ns)
        .await
        .iter()
        .map(|name| name.trim_end_matches('.').to_ascii_lowercase())
        .collect();
    names.sort();
    names.truncate(NAME_SERVERS_MAX);
    let asked = names.into_iter().map(|name| async move {
        let (v4, v6, alias) = tokio::join!(
            book.records(site, &name, Kind::A),
            book.records(site, &name, Kind::Aaaa),
            book.records(site, &name, Kind::Cname),
        );
        let found: Vec<IpAddr> = v4.iter().chain(&v6).filter_map(|text| text.parse().ok()).collect();
        let Replies { udp, tcp } = name_server::ask_soa(site, domain, &name, &found).await;
        let addresses = found.iter().map(|ip| Text::from(ip.to_string())).collect();
        NameServer { name: Text::from(name), addresses, is_alias: !alias.is_empty(), udp, tcp }
    });
    let mut asked = stream::iter(asked).buffer_unordered(PARALLEL_QUESTIONS);
    while let Some(server) = asked.next().await {
        let mut servers = locked(&book.servers);
        servers.push(server);
        servers.sort_by(|a, b| a.name.cmp(&b.name));
    }
}

/// Without a DS record at the parent there is nothing to validate; with one the chain is followed.
async fn ask_dnssec(site: &Site<'_>, book: &Book, domain: &str) {
    // A subdomain has a DS only at a zone cut of its own; its zone is the registrable domain's as a rule.
    let zone = psl::domain_str(domain).unwrap_or(domain);
    let state = match book.ask(site, zone, Kind::Ds).await {
        DnsAnswer::Records(_) => {
            let _permit = site.turn(None).await;
            site.tools.asker.validate(domain).await
        }
        DnsAnswer::NoData => Dnssec::Insecure,
        DnsAnswer::NxDomain => Dnssec::Unknown("the domain does not exist".to_owned()),
        DnsAnswer::Failed(_) => Dnssec::Unknown("the parent's DS could not be asked".to_owned()),
    };
    *locked(&book.dnssec) = Some(state);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn climbs_to_the_registrable_domain() {
        let check = |domain: &str, want: &[&str]| assert_eq!(parents(domain), want, "{domain}");
        check("shop.example.com", &["example.com"]);
        check("a.b.example.co.uk", &["b.example.co.uk", "example.co.uk"]);
        check("example.com", &[]);
        check("com", &[]);
        check("", &[]);
    }

    #[test]
    fn reads_exchangers_and_report_receivers() {
        let records = ["20 b.example.", "10 A.example.", "0 .", "odd"].map(str::to_owned);
        assert_eq!(exchangers(&records), ["a.example", "b.example"]);
        let policies =
            ["v=DMARC1; p=none; RUA = mailto:a@One.example!10m,mailto:b@two.example;ruf=mailto:x".to_owned()];
        assert_eq!(report_targets(&policies).into_iter().collect::<Vec<_>>(), ["one.example", "two.example"]);
    }
}
