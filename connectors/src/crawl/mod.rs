//! Looks at one domain from outside and writes down what it saw.
//!
//! DNS, TLS and the web are observed in parallel under one deadline. Nothing here fails as a whole: a probe without an
//! answer says why. Every target is a stranger's word, so every connection goes through [`Guard`]; sizes, times and rates
//! are bounded ([`Limits`]). Must *not* judge what it sees: that is the work of checks.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;

use async_trait::async_trait;
use governor::{Quota, RateLimiter};
use riskgraph_domain::observation::{
    DnsFacts, DomainObservations, Peer, Probe, ProbeFailure, Registration, TlsFacts, WebFacts,
};
use riskgraph_domain::ports::Crawler;
use riskgraph_domain::{Fault, FaultCode, Text, Timestamp};
use riskgraph_pages::retire::Repository;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use url::Url;

mod aliases;
mod ask;
mod asn;
mod book;
mod bot_wall;
mod delegation;
mod dns_facts;
mod fetch;
mod mail_names;
mod name_server;
mod options;
mod page;
mod rdap;
mod shared;
mod site;
mod sketch;
mod smtp;
mod spf;
pub(crate) mod tls;
mod tree;
mod unverified;
mod visit;
mod wire;

pub use crate::net::{Guard, WEB_PORTS};
pub use options::{BadConnectRule, ConnectRule, CrawlerOptions, Limits, USER_AGENT};

use ask::Asker;
use asn::AsnTable;
use book::Book;
use fetch::{Fetcher, What};
use name_server::KnownServers;
use shared::SharedAnswers;
use site::{Site, Tools};
use tls::trust::Trust;

/// The foreign origin sent by the CORS probe; reserved by RFC 2606, so it is nobody's. A site that lets it in lets all in.
pub const CORS_ORIGIN: &str = "https://cors-probe.riskgraph.invalid";
/// Hosts of scripts and frames whose addresses are looked up.
const THIRD_PARTIES_MAX: usize = 30;
/// Hosts remembered for pacing before those that are quiet are forgotten.
const PACED_HOSTS_MAX: usize = 10_000;

/// The crawler over DNS, TLS and HTTP.
pub struct HttpCrawler {
    tools: Tools,
    trust: Trust,
    fetcher: Fetcher,
    domains: Semaphore,
    /// Base URL of the RDAP service that is asked about registrations.
    rdap: Option<Url>,
    scripts_max: usize,
    authorised: Vec<String>,
    repository: Option<Arc<Repository>>,
}

impl HttpCrawler {
    /// Sets the crawler up. Reads the system's resolver configuration unless a resolver is named.
    ///
    /// # Errors
    /// `FaultCode::Configuration`: the resolver configuration or the extra authorities cannot be read.
    pub fn new(options: CrawlerOptions) -> Result<Self, Fault> {
        let wrong = |what: &str, error: String| {
            let message = format!("the crawler's {what} cannot be used ({error}): check the crawler's configuration");
            Fault::new(FaultCode::Configuration, message)
        };
        let limits = options.limits;
        let asker = Asker::new(options.resolver, options.dnssec_anchors.as_deref(), limits.dns)
            .map_err(|error| wrong("resolver", error.to_string()))?;
        let trust = Trust::new(options.extra_ca_pem.as_deref()).map_err(|error| wrong("extra authorities", error))?;
        let tls = trust.strict_client().map_err(|error| wrong("TLS", error.to_string()))?;
        let unverified_tls = trust.unverified_client().map_err(|error| wrong("TLS", error.to_string()))?;
        let asns = match &options.asn_table {
            Some(path) => Some(AsnTable::read(path).map_err(|error| wrong("table of networks", error.to_string()))?),
            None => None,
        };
        let positive = |number: u32| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(positive(limits.host_rate_per_s)).allow_burst(positive(limits.host_burst));
        Ok(Self {
            tools: Tools {
                asker,
                guard: Guard::new(options.allow_networks, options.allow_ports),
                connect: options.connect,
                limits,
                pace: RateLimiter::keyed(quota),
                servers: KnownServers::default(),
                shared: SharedAnswers::default(),
                asns,
            },
            rdap: options.rdap,
            trust,
            fetcher: Fetcher { tls, unverified_tls, user_agent: options.user_agent },
            domains: Semaphore::new(limits.concurrent_domains.max(1)),
            scripts_max: options.scripts_max,
            authorised: options.authorised.iter().map(|host| host.to_ascii_lowercase()).collect(),
            repository: options.repository,
        })
    }

    /// Examines TLS on one host and port alone, under the same guard and bounds.
    pub async fn observe_tls(&self, host: &str, port: u16) -> TlsFacts {
        let site = Site::new(&self.tools, Instant::now() + self.tools.limits.deadline);
        let looking = tls::observe(&site, (&self.trust, &self.fetcher), host, port);
        let late = || TlsFacts { port, ..no_tls(host, ProbeFailure::Timeout) };
        timeout_at(site.deadline, looking).await.unwrap_or_else(|_| late())
    }

    /// Looks at DNS alone: the zone, its servers, mail policy. For lists of many names.
    ///
    /// No host of the vendor is connected to but its name servers; everything else is left as not looked at.
    pub async fn observe_names(&self, domain: &str, now: Timestamp) -> DomainObservations {
        let began = Instant::now();
        let mut seen = nothing(domain, now);
        if let Ok(name) = canonical(domain) {
            seen.domain = Text::from(name.as_str());
            let _place = self.domains.acquire().await.ok();
            let site = Site::new(&self.tools, Instant::now() + self.tools.limits.deadline);
            let book = Book::new(&name);
            let _ = timeout_at(site.deadline, Box::pin(dns_facts::observe(&site, &book, &name))).await;
            seen.dns = book.facts();
        }
        seen.finished_at = now + i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
        seen
    }

    async fn look(&self, domain: &str, seen: &mut DomainObservations) {
        let site = Site::new(&self.tools, Instant::now() + self.tools.limits.deadline);
        let book = Book::new(domain);
        // On the heap: together they are larger than a stack likes.
        let dns = timeout_at(site.deadline, Box::pin(dns_facts::observe(&site, &book, domain)));
        let host = web_host(&site, domain).await;
        let web = Box::pin(self.look_at_web(&site, &book, domain, &host));
        let http = Box::pin(self.fetch(&site, format!("http://{host}/"), What::Page));
        let tls = timeout_at(site.deadline, Box::pin(tls::observe(&site, (&self.trust, &self.fetcher), &host, 443)));
        let registration = Box::pin(self.registration(&site, domain));
        let mail = timeout_at(site.deadline, Box::pin(smtp::observe(&site, &book, &self.trust, domain)));
        let (_, (https, cors, files), http, tls, registration, mail) =
            tokio::join!(dns, web, http, tls, registration, mail);
        seen.mail_hosts = mail.unwrap_or_default();
        seen.tls = vec![tls.unwrap_or_else(|_| no_tls(&host, ProbeFailure::Timeout))];
        let aliases = Box::pin(aliases::observe(&site, &book, &self.fetcher, (domain, &seen.tls)));
        seen.aliases = timeout_at(site.deadline, aliases).await.unwrap_or_default();
        let mut files = files;
        files.extend(self.logo(&site, &book, domain).await);
        seen.dns = book.facts();
        seen.dns.registration = registration;
        seen.https = Some(https);
        seen.http = Some(http);
        seen.cors = cors;
        seen.files = files;
    }

    /// The page over HTTPS, the CORS probe against where it ended, and the small files.
    async fn look_at_web(
        &self,
        site: &Site<'_>,
        book: &Book,
        domain: &str,
        host: &str,
    ) -> (WebFacts, Option<WebFacts>, Vec<WebFacts>) {
        let page = async {
            let mut https = self.page(site, format!("https://{host}/")).await;
            self.read_scripts(site, &mut https).await;
            // What an unverified peer lets strangers read is no matter of the site's.
            let asks = https.failure.is_none() && https.peer == Peer::Verified;
            let reached = asks.then(|| https.last().map(|hop| hop.url.clone())).flatten();
            let cors = match reached {
                Some(url) => Some(self.fetch_as(site, url, What::Head, Some(CORS_ORIGIN)).await),
                None => None,
            };
            let others = third_parties(&https, host);
            let _ = timeout_at(site.deadline, dns_facts::observe_hosts(site, book, others)).await;
            (https, cors)
        };
        let files = async {
            tokio::join!(
                self.fetch(site, format!("https://{host}/.well-known/security.txt"), What::File),
                self.fetch(site, format!("https://mta-sts.{domain}/.well-known/mta-sts.txt"), What::FileHere),
            )
        };
        let ((https, cors), (security, policy), exposed) = tokio::join!(page, files, self.exposed(site, domain, host));
        (https, cors, [vec![security, policy], exposed].concat())
    }

    /// The picture a BIMI record names.
    async fn logo(&self, site: &Site<'_>, book: &Book, domain: &str) -> Option<WebFacts> {
        let url = mail_names::logo(site, book, domain).await?;
        Some(self.fetch(site, url, What::File).await)
    }

    /// What the registry says of a registrable domain, when a service to ask is configured.
    async fn registration(&self, site: &Site<'_>, domain: &str) -> Probe<Registration> {
        let base = self.rdap.as_ref().filter(|_| psl::domain_str(domain) == Some(domain))?;
        let answer = self.fetch(site, rdap::url(base.as_str(), domain), What::File).await;
        Some(rdap::read(&answer))
    }

    async fn fetch(&self, site: &Site<'_>, url: String, what: What) -> WebFacts {
        self.fetch_as(site, url, what, None).await
    }

    async fn fetch_as(&self, site: &Site<'_>, url: String, what: What, origin: Option<&str>) -> WebFacts {
        let fetching = self.fetcher.fetch(site, &url, what, origin);
        timeout_at(site.deadline, fetching).await.unwrap_or_else(|_| unfetched(url.clone(), ProbeFailure::Timeout))
    }

    /// The page over HTTPS, as [`Fetcher::page`] gets it.
    async fn page(&self, site: &Site<'_>, url: String) -> WebFacts {
        let fetching = self.fetcher.page(site, &url);
        timeout_at(site.deadline, fetching).await.unwrap_or_else(|_| unfetched(url.clone(), ProbeFailure::Timeout))
    }
}

impl HttpCrawler {
    /// The page of one host, over HTTPS or, when that is refused, over plain HTTP. Nothing else is asked.
    pub async fn page_of(&self, host: &str) -> WebFacts {
        let site = Site::new(&self.tools, Instant::now() + self.tools.limits.fetch * 2);
        let _place = self.domains.acquire().await.ok();
        let https = self.page(&site, format!("https://{host}/")).await;
        if https.failure.is_none() { https } else { self.fetch(&site, format!("http://{host}/"), What::Page).await }
    }
}

#[async_trait]
impl Crawler for HttpCrawler {
    async fn observe(&self, domain: &str, now: Timestamp) -> DomainObservations {
        let began = Instant::now();
        let mut seen = nothing(domain, now);
        match canonical(domain) {
            Err(reason) => refuse_all(&mut seen, &ProbeFailure::Protocol(reason)),
            Ok(name) => {
                seen.domain = Text::from(name.as_str());
                // The semaphore is never closed; waiting for a place is not part of a domain's own time.
                let _place = self.domains.acquire().await.ok();
                if self.tools.pace.len() > PACED_HOSTS_MAX {
                    self.tools.pace.retain_recent();
                }
                self.look(&name, &mut seen).await;
            }
        }
        let elapsed_ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
        seen.finished_at = now + elapsed_ms;
        tracing::debug!(domain = %seen.domain, elapsed_ms, "domain observed");
        seen
    }
}

/// The domain in lower-case ASCII (IDNA); an address or a name that cannot exist is refused.
fn canonical(domain: &str) -> Result<String, String> {
    let name = domain.trim().trim_end_matches('.');
    let ascii = idna::domain_to_ascii_strict(name).or_else(|_| idna::domain_to_ascii(name));
    let ascii = ascii.map_err(|_| "not a domain name".to_owned())?;
    let label_ok = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    if ascii.len() > 253 || !ascii.contains('.') || !ascii.split('.').all(label_ok) {
        return Err("not a domain name".to_owned());
    }
    // `127.1` and `0x7f.1` are addresses to a browser although they look like names.
    match Url::parse(&format!("http://{ascii}/")).ok().as_ref().and_then(Url::domain) {
        Some(_) => Ok(ascii),
        None => Err("an address, not a domain name".to_owned()),
    }
}

/// The domain itself, or `www` below it when only that has an address.
async fn web_host(site: &Site<'_>, domain: &str) -> String {
    let www = format!("www.{domain}");
    match site.addresses(domain, 443).await {
        Err(ProbeFailure::Unresolved) if site.addresses(&www, 443).await.is_ok() => www,
        _ => domain.to_owned(),
    }
}

/// Hosts other than this one that the page loads scripts or frames from.
fn third_parties(page: &WebFacts, host: &str) -> Vec<String> {
    let Some(facts) = &page.page else { return Vec::new() };
    let urls =
        facts.scripts.iter().filter_map(|script| script.url.as_deref()).chain(facts.frames.iter().map(String::as_str));
    let hosts: BTreeSet<String> = urls
        .filter_map(|url| Url::parse(url).ok())
        .filter_map(|url| url.domain().map(str::to_owned))
        .filter(|other| other != host)
        .collect();
    hosts.into_iter().take(THIRD_PARTIES_MAX).collect()
}

fn nothing(domain: &str, now: Timestamp) -> DomainObservations {
    let shown: String = domain.trim().chars().take(253).collect::<String>().to_lowercase();
    DomainObservations {
        domain: Text::from(shown),
        started_at: now,
        finished_at: now,
        dns: DnsFacts::unasked("not asked"),
        tls: Vec::new(),
        https: None,
        http: None,
        files: Vec::new(),
        cors: None,
        lookalikes: None,
        known: None,
        mail_hosts: Vec::new(),
        aliases: Vec::new(),
    }
}

/// Nothing can be asked of what is no name; the probes say so.
fn refuse_all(seen: &mut DomainObservations, failure: &ProbeFailure) {
    let web = |scheme: &str| unfetched(format!("{scheme}://{}/", seen.domain), failure.clone());
    seen.https = Some(web("https"));
    seen.http = Some(web("http"));
    seen.tls = vec![no_tls(&seen.domain, failure.clone())];
}

fn unfetched(url: String, failure: ProbeFailure) -> WebFacts {
    WebFacts { url, peer: Peer::Verified, hops: Vec::new(), failure: Some(failure), body: None, page: None }
}

fn no_tls(host: &str, failure: ProbeFailure) -> TlsFacts {
    TlsFacts { host: Text::from(host), port: 443, failure: Some(failure), ..TlsFacts::default() }
}

/// Bytes in lower-case hex.
fn hex(bytes: &[u8]) -> Text {
    use std::fmt::Write;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    Text::from(text)
}
