//! What is asked of DNS about one domain: the zone, its servers, its chain of trust.

use std::net::{IpAddr, SocketAddr};

use futures::StreamExt;
use futures::stream;
use riskgraph_domain::Text;
use riskgraph_domain::observation::{DnsAnswer, Dnssec, NameServer};

use super::book::{Book, Kind, PARALLEL_QUESTIONS, locked};
use super::delegation;
use super::mail_names;
use super::name_server::{self, Replies};
use super::site::Site;

/// Name servers asked; registries allow at most 13.
const NAME_SERVERS_MAX: usize = 13;
/// Parents climbed for DMARC and CAA. Eight is the limit of RFC 9989's tree walk.
const PARENTS_MAX: usize = 8;
/// A label that nobody uses; what exists below the domain under it comes from a wildcard.
const WILDCARD_LABEL: &str = "riskgraph-no-such-name";

/// Asks everything about the domain and writes it into the book.
pub(super) async fn observe(site: &Site<'_>, book: &Book, domain: &str) {
    book.ask_all(site, first_questions(domain)).await;
    // On the heap: together they are larger than a stack likes.
    let spf = Box::pin(mail_names::walk_spf(site, book, domain));
    let mail = Box::pin(mail_names::ask(site, book, domain));
    let servers = Box::pin(ask_servers(site, book, domain));
    let dnssec = Box::pin(ask_dnssec(site, book, domain));
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
    // A name nobody made: an answer comes from a wildcard.
    let unmade = format!("{WILDCARD_LABEL}.{domain}");
    questions.extend([Kind::A, Kind::Mx].map(|kind| (unmade.clone(), kind)));
    questions.extend(parents(domain).into_iter().map(|parent| (parent, Kind::Caa)));
    questions.extend(mail_names::first_questions(domain));
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

/// Addresses of the name servers, and what each says itself; the parent's list adds those the zone does not name.
async fn ask_servers(site: &Site<'_>, book: &Book, domain: &str) {
    let bare = |name: &String| name.trim_end_matches('.').to_ascii_lowercase();
    let mut names: Vec<String> = book.records(site, domain, Kind::Ns).await.iter().map(bare).collect();
    // A plain host inside a zone has no delegation of its own.
    let delegation = if names.is_empty() { None } else { Box::pin(delegation::ask(site, book, domain)).await };
    if let Some(Ok(delegation)) = &delegation {
        names.extend(delegation.names.iter().map(ToString::to_string));
    }
    names.sort();
    names.dedup();
    names.truncate(NAME_SERVERS_MAX);
    let glue: Vec<(Text, Text)> =
        delegation.as_ref().and_then(|d| d.as_ref().ok()).map_or_else(Vec::new, |d| d.glue.clone());
    *locked(&book.delegation) = delegation;
    let glue = &glue;
    let asked = names.into_iter().map(|name| async move { ask_server(site, book, domain, name, glue).await });
    let mut asked = stream::iter(asked).buffer_unordered(PARALLEL_QUESTIONS);
    let mut reached = Vec::new();
    while let Some((server, to)) = asked.next().await {
        reached.extend(to);
        let mut servers = locked(&book.servers);
        servers.push(server);
        servers.sort_by(|a, b| a.name.cmp(&b.name));
    }
    if !book.records(site, domain, Kind::Dnskey).await.is_empty() {
        let ds = book.records(site, domain, Kind::Ds).await;
        let signed = delegation::signed(site, domain, &reached, &ds).await;
        *locked(&book.signatures) = signed.signatures;
        *locked(&book.keys_match_ds) = signed.keys_match_ds;
    }
}

/// One server, and where it can be reached when it answered.
async fn ask_server(
    site: &Site<'_>,
    book: &Book,
    domain: &str,
    name: String,
    glue: &[(Text, Text)],
) -> (NameServer, Option<SocketAddr>) {
    let (v4, v6, alias) = tokio::join!(
        book.ask(site, &name, Kind::A),
        book.records(site, &name, Kind::Aaaa),
        book.records(site, &name, Kind::Cname),
    );
    let mut found: Vec<IpAddr> = Vec::new();
    match &v4 {
        DnsAnswer::Records(records) => found.extend(records.iter().filter_map(|text| text.parse::<IpAddr>().ok())),
        // Who could register the server's domain would answer for the zone.
        DnsAnswer::NxDomain => {
            if let Some(zone) = psl::domain_str(&name) {
                book.ask(site, zone, Kind::Soa).await;
            }
        }
        _ => {}
    }
    found.extend(v6.iter().filter_map(|text| text.parse::<IpAddr>().ok()));
    if found.is_empty() {
        let own = glue.iter().filter(|(server, _)| server.as_str() == name);
        found.extend(own.filter_map(|(_, address)| address.parse::<IpAddr>().ok()));
    }
    let asked = Box::pin(name_server::ask_server(site, domain, &name, &found));
    let Replies { udp, tcp, mut probes } = asked.await;
    if let Some(table) = &site.tools.asns {
        probes.asns = found.iter().filter_map(|ip| table.of(*ip)).collect();
        probes.asns.sort_unstable();
        probes.asns.dedup();
    }
    let answered = matches!(udp, Some(Ok(_))) || matches!(tcp, Some(Ok(_)));
    let to = name_server::address_of(site, &name, &found).and_then(Result::ok).filter(|_| answered);
    let addresses = found.iter().map(|ip| Text::from(ip.to_string())).collect();
    let server =
        NameServer { name: Text::from(name), addresses, is_alias: !alias.is_empty(), udp, tcp, probes: Some(probes) };
    (server, to)
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
}
