//! What is asked of DNS about a domain's mail: SPF with all it names, DMARC and its receivers, keys, transport.
//!
//! Only names are read from records here; what they mean is judged elsewhere.

use std::collections::{BTreeSet, VecDeque};
use std::net::IpAddr;

use super::book::{Book, Kind};
use super::dns_facts::observe_hosts;
use super::site::Site;
use super::spf;

/// Names whose SPF records are read. RFC 7208 allows ten lookups; three times that shows how broken a record is.
const SPF_NAMES_MAX: usize = 30;
/// Names looked up for `a`, `mx` and `exists` terms of all SPF records together.
const SPF_TARGETS_MAX: usize = 60;
/// Mail exchangers whose addresses are looked up; also the limit of RFC 7208 4.6.4 for one `mx` term.
pub(super) const EXCHANGERS_MAX: usize = 10;
/// Longest URL of a picture that is fetched.
const URL_MAX: usize = 2_000;
/// Mail exchangers, addresses of each and names of each address that are looked up backwards.
const REVERSE_MAX: usize = 4;
/// Mail exchangers whose TLSA record is looked up.
const TLSA_MAX: usize = 4;
/// Names above the domain whose DMARC record is read (RFC 9989 4.10: eight queries with the domain's own).
const WALK_MAX: usize = 7;
/// Report receivers of one DMARC record that are looked at.
const REPORT_TARGETS_MAX: usize = 10;
/// DKIM selectors of widespread mail services. Selectors cannot be listed, so the absence of a key says nothing.
pub(super) const SELECTORS: [&str; 8] = ["default", "google", "selector1", "selector2", "k1", "s1", "mail", "dkim"];

/// The names that are asked for whatever the zone holds.
pub(super) fn first_questions(domain: &str) -> Vec<(String, Kind)> {
    let texts = walk(domain)
        .into_iter()
        .map(|name| format!("_dmarc.{name}"))
        .chain([format!("_mta-sts.{domain}"), format!("_smtp._tls.{domain}")])
        .chain([format!("default._bimi.{domain}")])
        .chain(SELECTORS.map(|selector| format!("{selector}._domainkey.{domain}")));
    texts.map(|name| (name, Kind::Txt)).collect()
}

/// The domain and the names of its DMARC tree walk, up to the top-level domain.
fn walk(domain: &str) -> Vec<String> {
    let labels: Vec<&str> = domain.split('.').collect();
    let start = labels.len().saturating_sub(WALK_MAX).max(1);
    let above = (start..labels.len()).map(|place| labels[place..].join("."));
    std::iter::once(domain.to_owned()).chain(above).collect()
}

/// Follows includes and redirects, breadth first, and looks up what the other terms name.
pub(super) async fn walk_spf(site: &Site<'_>, book: &Book, domain: &str) {
    let mut waiting = VecDeque::from([domain.to_owned()]);
    let mut seen = BTreeSet::from([domain.to_owned()]);
    let mut hosts = BTreeSet::new();
    let mut exchanges = BTreeSet::new();
    let mut questions = Vec::new();
    while !waiting.is_empty() {
        // One generation of records at a time, so that an include does not wait for its neighbours.
        let names: Vec<String> = waiting.drain(..).collect();
        let both = names.iter().flat_map(|name| [(name.clone(), Kind::Txt), (name.clone(), Kind::Spf)]);
        book.ask_all(site, both.collect()).await;
        for name in names {
            let records = book.records(site, &name, Kind::Txt).await;
            for target in records.iter().filter(|text| spf::is_record(text)).flat_map(|text| spf::targets(&name, text))
            {
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
                    spf::Target::Explanation(host) => questions.push((host, Kind::Txt)),
                }
            }
        }
    }
    let exchanges: Vec<String> = exchanges.into_iter().take(EXCHANGERS_MAX).collect();
    questions.truncate(EXCHANGERS_MAX);
    questions.extend(exchanges.iter().map(|host| (host.clone(), Kind::Mx)));
    book.ask_all(site, questions).await;
    for host in exchanges {
        hosts.extend(exchangers(&book.records(site, &host, Kind::Mx).await));
    }
    observe_hosts(site, book, hosts.into_iter().take(SPF_TARGETS_MAX).collect()).await;
}

/// Addresses and TLSA of the mail exchangers, and whether receivers of DMARC reports agreed to receive them.
pub(super) async fn ask(site: &Site<'_>, book: &Book, domain: &str) {
    let hosts = exchangers(&book.records(site, domain, Kind::Mx).await);
    let tlsa = hosts.iter().take(TLSA_MAX).map(|host| (format!("_25._tcp.{host}"), Kind::Tlsa));
    let mut questions: Vec<_> = tlsa.collect();
    for host in hosts {
        questions.extend([(host.clone(), Kind::A), (host, Kind::Aaaa)]);
    }
    for name in walk(domain) {
        let policies = book.records(site, &format!("_dmarc.{name}"), Kind::Txt).await;
        for target in report_targets(&policies) {
            if psl::domain_str(&target) != psl::domain_str(&name) {
                questions.push((format!("{name}._report._dmarc.{target}"), Kind::Txt));
                questions.push((format!("*._report._dmarc.{target}"), Kind::Txt));
            }
            questions.push((target, Kind::Mx));
        }
    }
    book.ask_all(site, questions).await;
    ask_reverse(site, book, domain).await;
}

/// The HTTPS URL of the picture in the domain's BIMI record.
pub(super) async fn logo(site: &Site<'_>, book: &Book, domain: &str) -> Option<String> {
    let records = book.records(site, &format!("default._bimi.{domain}"), Kind::Txt).await;
    let record = records.iter().find(|text| text.starts_with("v=BIMI1"))?;
    let value = record.split(';').find_map(|tag| tag.trim().strip_prefix("l="))?.trim();
    (value.starts_with("https://") && value.len() <= URL_MAX).then(|| value.to_owned())
}

/// The names of the mail exchangers' addresses, and whether those names have the addresses.
async fn ask_reverse(site: &Site<'_>, book: &Book, domain: &str) {
    let mut reverse = Vec::new();
    for host in exchangers(&book.records(site, domain, Kind::Mx).await).iter().take(REVERSE_MAX) {
        let (v4, v6) = tokio::join!(book.records(site, host, Kind::A), book.records(site, host, Kind::Aaaa));
        let addresses = v4.iter().chain(&v6).filter_map(|text| text.parse().ok());
        reverse.extend(addresses.take(REVERSE_MAX).map(reverse_name));
    }
    book.ask_all(site, reverse.iter().map(|name| (name.clone(), Kind::Ptr)).collect()).await;
    let mut hosts = BTreeSet::new();
    for name in &reverse {
        let names = book.records(site, name, Kind::Ptr).await;
        hosts.extend(names.iter().take(REVERSE_MAX).map(|host| host.trim_end_matches('.').to_ascii_lowercase()));
    }
    observe_hosts(site, book, hosts.into_iter().take(SPF_TARGETS_MAX).collect()).await;
}

/// The name to ask for the hosts of an address (RFC 1035 3.5, RFC 3596 2.5).
fn reverse_name(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(v6) => {
            let nibbles = v6.octets().into_iter().rev().flat_map(|octet| [octet & 15, octet >> 4]);
            nibbles.map(|nibble| format!("{nibble:x}.")).collect::<String>() + "ip6.arpa"
        }
    }
}

/// Host names of MX records, best preference first; none for a null MX (RFC 7505).
pub(super) fn exchangers(records: &[String]) -> Vec<String> {
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
    let in_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    receivers
        .filter_map(|uri| {
            let lower = uri.trim().to_lowercase();
            let (_, rest) = lower.strip_prefix("mailto:")?.rsplit_once('@')?;
            let domain = &rest[..rest.find(|c| !in_name(c)).unwrap_or(rest.len())];
            (!domain.is_empty() && domain.len() <= 253).then(|| domain.to_owned())
        })
        .take(REPORT_TARGETS_MAX)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walks_up_to_the_top() {
        let check = |domain: &str, want: &[&str]| assert_eq!(walk(domain), want, "{domain}");
        check("shop.example.com", &["shop.example.com", "example.com", "com"]);
        check("example.com", &["example.com", "com"]);
        let long = "a.b.c.d.e.f.g.h.i.example";
        check(
            long,
            &[
                long,
                "d.e.f.g.h.i.example",
                "e.f.g.h.i.example",
                "f.g.h.i.example",
                "g.h.i.example",
                "h.i.example",
                "i.example",
                "example",
            ],
        );
    }

    #[test]
    fn reads_exchangers_and_report_receivers() {
        let records = ["20 b.example.", "10 A.example.", "0 .", "odd"].map(str::to_owned);
        assert_eq!(exchangers(&records), ["a.example", "b.example"]);
        let policies =
            ["v=DMARC1; p=none; RUA = mailto:a@One.example!10m,mailto:b@two.example?x;ruf=mailto:x".to_owned()];
        assert_eq!(report_targets(&policies).into_iter().collect::<Vec<_>>(), ["one.example", "two.example"]);
    }
}
