//! Names of the domain that are aliases of somebody else's, and what stands at their ends.
//!
//! A name that still points to a service nobody pays for can be claimed there by anyone. Only visits that any browser makes.

use std::collections::BTreeSet;

use futures::StreamExt;
use futures::stream;
use riskgraph_domain::Text;
use riskgraph_domain::observation::{AliasFacts, AliasPage, DnsAnswer, ProbeFailure, TlsFacts, WebFacts};

use super::book::{Book, Kind};
use super::fetch::{Fetcher, What};
use super::shared::is_own;
use super::site::Site;

/// Hosts of the domain that are looked at.
const HOSTS_MAX: usize = 32;
/// Aliases kept.
const ALIASES_MAX: usize = 16;
/// Steps of one chain that are followed; resolvers give up at about as many.
const CHAIN_MAX: usize = 8;
/// Characters kept of a service's answer; their notices stand at the beginning.
const TEXT_CHARS_MAX: usize = 16_384;
/// Hosts asked at a time.
const PARALLEL: usize = 4;
/// Labels under which companies put what others host for them.
const LABELS: [&str; 12] =
    ["www", "blog", "shop", "help", "support", "status", "docs", "app", "cdn", "assets", "static", "careers"];

/// Follows the aliases among the domain's hosts: the domain, usual labels below it, and names its certificates hold.
pub(super) async fn observe(
    site: &Site<'_>,
    book: &Book,
    fetcher: &Fetcher,
    (domain, tls): (&str, &[TlsFacts]),
) -> Vec<AliasFacts> {
    let looked = hosts(domain, tls).into_iter().map(|host| alias(site, book, fetcher, host));
    let mut found: Vec<AliasFacts> = stream::iter(looked)
        .buffer_unordered(PARALLEL)
        .filter_map(std::future::ready)
        .take(ALIASES_MAX)
        .collect()
        .await;
    found.sort_by(|a, b| a.host.cmp(&b.host));
    found
}

fn hosts(domain: &str, tls: &[TlsFacts]) -> BTreeSet<String> {
    let leaf = tls.iter().filter_map(|tls| tls.handshake.as_ref()?.chain.first());
    let named = leaf.flat_map(|certificate| certificate.names.iter()).map(|name| name.to_lowercase());
    let usual = LABELS.iter().map(|label| format!("{label}.{domain}"));
    std::iter::once(domain.to_owned())
        .chain(usual)
        .chain(named.filter(|name| !name.starts_with('*') && is_own(name, domain)))
        .take(HOSTS_MAX)
        .collect()
}

/// The alias a host is, when it ends outside its own domain.
async fn alias(site: &Site<'_>, book: &Book, fetcher: &Fetcher, host: String) -> Option<AliasFacts> {
    let mut chain: Vec<String> = Vec::new();
    let mut name = host.clone();
    while chain.len() < CHAIN_MAX {
        let next = book.records(site, &name, Kind::Cname).await.first()?.trim_end_matches('.').to_ascii_lowercase();
        if next.is_empty() || next == host || chain.contains(&next) {
            break;
        }
        chain.push(next.clone());
        if matches!(book.ask(site, &next, Kind::Cname).await, DnsAnswer::Records(_)) {
            name = next;
        } else {
            break;
        }
    }
    let end_name = chain.last()?;
    if is_own(end_name, &host) {
        return None;
    }
    let end = book.ask(site, end_name, Kind::A).await;
    let end_zone = match psl::domain_str(end_name) {
        Some(zone) if end == DnsAnswer::NxDomain => Some(book.ask(site, zone, Kind::Soa).await),
        _ => None,
    };
    let page = match &end {
        DnsAnswer::Records(_) => Some(page(&fetcher.fetch(site, &format!("http://{host}/"), What::File, None).await)),
        _ => None,
    };
    Some(AliasFacts {
        host: Text::from(host),
        chain: chain.iter().map(|name| Text::from(name.as_str())).collect(),
        end,
        end_zone,
        page,
    })
}

fn page(fetched: &WebFacts) -> Result<AliasPage, ProbeFailure> {
    match (fetched.last(), &fetched.failure) {
        (Some(hop), _) => Ok(AliasPage {
            url: hop.url.clone(),
            status: hop.status,
            text: fetched
                .body
                .as_ref()
                .and_then(|body| body.text.as_deref())
                .map_or_else(String::new, |text| text.chars().take(TEXT_CHARS_MAX).collect()),
        }),
        (None, Some(failure)) => Err(failure.clone()),
        (None, None) => Err(ProbeFailure::Protocol("no answer".to_owned())),
    }
}
