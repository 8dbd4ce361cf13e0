//! HTTP fetches: hop by hop, with every hop checked, and never more than so many bytes.
//!
//! reqwest's own redirects are off: each hop is resolved here, judged by the guard, and the client of that hop is pinned to
//! exactly the judged addresses. Names in URLs were made canonical by the `url` crate, so that `0x7f.1` and
//! `2130706433` are seen as the addresses they are.
//!
//! Certificates are verified. Only a page whose certificate is refused is fetched once more without ([`Fetcher::page`]).

use std::net::SocketAddr;
use std::sync::Arc;

use futures::StreamExt;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HOST, HeaderMap, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use riskgraph_domain::observation::{BodyFacts, Hop, Peer, ProbeFailure, WebFacts};
use sha2::{Digest, Sha256};
use url::{Host, Url};

use super::hex;
use super::site::{Site, refused};
use super::tls::trust::describe;
use super::{bot_wall, page};

/// Redirects followed: browsers allow 20, but nobody needs more than http to https to www to a language.
pub(super) const REDIRECTS_MAX: usize = 5;
/// Decoded bytes read of a page. The median page is near 40 KiB; beyond 2 MiB there is no head to read any more.
const PAGE_MAX_BYTES: usize = 2 << 20;
/// Decoded bytes read of a small file (`security.txt`, policies); RFC 8461 3.2 suggests 64 KiB for the policy.
const FILE_MAX_BYTES: usize = 64 << 10;
/// Headers kept of one answer, and bytes kept of one value.
const HEADERS_MAX: usize = 100;
const HEADER_VALUE_MAX_BYTES: usize = 16 << 10;
/// Longest URL followed.
const URL_MAX_BYTES: usize = 8 << 10;
/// Bytes of a body in which a bot wall is looked for.
const WALL_SAMPLE_BYTES: usize = 32 << 10;

/// What is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// A page: its HTML is read for facts.
    Page,
    /// Only the answer's head matters.
    Head,
    /// A small text file, kept whole.
    File,
    /// A small text file that must not be redirected (RFC 8461 3.3).
    FileHere,
    /// A page or script of which the text itself is wanted.
    Source,
}

/// Why a hop gave no answer: only a refused certificate is worth another try without verification.
enum Missed {
    Certificate(ProbeFailure),
    Other(ProbeFailure),
}

impl From<ProbeFailure> for Missed {
    fn from(failure: ProbeFailure) -> Self {
        Self::Other(failure)
    }
}

impl From<Missed> for ProbeFailure {
    fn from(missed: Missed) -> Self {
        match missed {
            Missed::Certificate(failure) | Missed::Other(failure) => failure,
        }
    }
}

/// Whether a fetch ended because a certificate did not verify.
enum Certificates {
    Fine,
    Refused,
}

/// What is asked of the hosts on the way.
#[derive(Clone, Copy)]
struct Asked<'a> {
    what: What,
    origin: Option<&'a str>,
    peer: Peer,
}

/// Fetches pages and files.
pub(super) struct Fetcher {
    /// With the normal verification of certificates.
    pub(super) tls: rustls::ClientConfig,
    /// Lets every certificate pass.
    pub(super) unverified_tls: rustls::ClientConfig,
    pub(super) user_agent: String,
}

impl Fetcher {
    /// Fetches a URL; what could not be had is a failure inside.
    pub(super) async fn fetch(&self, site: &Site<'_>, url: &str, what: What, origin: Option<&str>) -> WebFacts {
        self.attempt(site, url, Asked { what, origin, peer: Peer::Verified }).await.0
    }

    /// Fetches a page; when a certificate on the way is refused, once more from the start without verification.
    ///
    /// A page behind a bad certificate is still what visitors get who click the warning away, so it is evidence; the facts
    /// say that it may be anybody's. The second try sends the same GET and nothing else, under the same guard and bounds.
    /// What acts on an answer must not use it: RFC 8461 3.3 demands a valid certificate for the MTA-STS policy.
    pub(super) async fn page(&self, site: &Site<'_>, url: &str) -> WebFacts {
        let asked = |peer| Asked { what: What::Page, origin: None, peer };
        match self.attempt(site, url, asked(Peer::Verified)).await {
            (facts, Certificates::Fine) => facts,
            (facts, Certificates::Refused) => {
                let (again, _) = self.attempt(site, url, asked(Peer::Unverified)).await;
                // Without any answer the refusal says more than what went wrong after it.
                if again.hops.is_empty() { facts } else { again }
            }
        }
    }

    /// One fetch, and whether it ended at a refused certificate.
    async fn attempt(&self, site: &Site<'_>, url: &str, asked: Asked<'_>) -> (WebFacts, Certificates) {
        let mut facts =
            WebFacts { url: url.to_owned(), peer: asked.peer, hops: Vec::new(), failure: None, body: None, page: None };
        match self.follow(site, &mut facts, asked).await {
            Ok(()) => (facts, Certificates::Fine),
            Err(Missed::Certificate(failure)) => (WebFacts { failure: Some(failure), ..facts }, Certificates::Refused),
            Err(Missed::Other(failure)) => (WebFacts { failure: Some(failure), ..facts }, Certificates::Fine),
        }
    }

    /// The raw bytes at a URL, without redirects, at most a small file's worth.
    pub(super) async fn bytes(&self, site: &Site<'_>, url: &str) -> Result<Vec<u8>, ProbeFailure> {
        self.bytes_up_to(site, url, FILE_MAX_BYTES).await
    }

    /// The raw bytes at a URL, without redirects; more than so many are a failure.
    pub(super) async fn bytes_up_to(
        &self,
        site: &Site<'_>,
        url: &str,
        max_bytes: usize,
    ) -> Result<Vec<u8>, ProbeFailure> {
        let url = Url::parse(url).map_err(|error| ProbeFailure::Protocol(error.to_string()))?;
        let asked = Asked { what: What::FileHere, origin: None, peer: Peer::Verified };
        let response = self.hop(site, &url, asked).await?;
        match (response.status().as_u16(), read_body(response, max_bytes).await?) {
            (200, (bytes, false)) => Ok(bytes),
            (200, (bytes, true)) => Err(ProbeFailure::TooLarge(u64::try_from(bytes.len()).unwrap_or(u64::MAX))),
            (status, _) => Err(ProbeFailure::Protocol(format!("status {status}"))),
        }
    }

    async fn follow(&self, site: &Site<'_>, facts: &mut WebFacts, asked: Asked<'_>) -> Result<(), Missed> {
        let mut url = Url::parse(&facts.url).map_err(|error| ProbeFailure::Protocol(error.to_string()))?;
        loop {
            let response = self.hop(site, &url, asked).await?;
            let status = response.status().as_u16();
            let next = redirect_of(&response, &url);
            facts.hops.push(Hop { url: url.to_string(), status, headers: headers_of(response.headers()) });
            match next {
                Some(_) if asked.what == What::FileHere => return Ok(()),
                Some(_) if facts.hops.len() > REDIRECTS_MAX => return Err(ProbeFailure::TooManyRedirects.into()),
                Some(next) => url = next?,
                None => return Ok(self.finish(site, facts, response, asked.what).await?),
            }
        }
    }

    /// One request to checked addresses.
    async fn hop(&self, site: &Site<'_>, url: &Url, how: Asked<'_>) -> Result<Response, Missed> {
        let Target { host, port, addresses } = target(site, url).await?;
        let client = self.client(site, &addresses, how.peer)?;
        let _permit = site.turn(Some(&host)).await;
        let mut asked = url.clone();
        let mut request_host = None;
        // hyper takes an explicit port of the URL for the port to connect. Where the operator sends this host elsewhere,
        // the URL is asked without its port and the header still names it.
        if url.port().is_some() && addresses.iter().any(|address| address.port() != port) {
            request_host = Some(format!("{host}:{port}"));
            let _ = asked.set_port(None);
        }
        let mut request = client.get(asked);
        if let Some(host) = request_host {
            request = request.header(HOST, host);
        }
        if let Some(origin) = how.origin {
            request = request.header("origin", origin);
        }
        request.header("accept", "text/html,application/xhtml+xml,*/*;q=0.8").send().await.map_err(|e| missed(&e))
    }

    fn client(&self, site: &Site<'_>, addresses: &[SocketAddr], peer: Peer) -> Result<Client, ProbeFailure> {
        let limits = &site.tools.limits;
        let tls = match peer {
            Peer::Verified => &self.tls,
            Peer::Unverified => &self.unverified_tls,
        };
        Client::builder()
            .tls_backend_preconfigured(tls.clone())
            .user_agent(&self.user_agent)
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .dns_resolver(Arc::new(Pinned(addresses.to_vec())))
            .pool_max_idle_per_host(0)
            .http1_max_headers(HEADERS_MAX * 2)
            .connect_timeout(limits.connect)
            .read_timeout(limits.read)
            .timeout(site.time_left(limits.fetch))
            .build()
            .map_err(|error| ProbeFailure::Protocol(error.to_string()))
    }

    /// Reads the body of the last answer.
    async fn finish(
        &self,
        site: &Site<'_>,
        facts: &mut WebFacts,
        response: Response,
        what: What,
    ) -> Result<(), ProbeFailure> {
        let Some(last) = facts.hops.last() else { return Ok(()) };
        let (status, url) = (last.status, last.url.clone());
        let content_type = last.header("content-type").map(str::to_owned);
        let max_bytes = match what {
            What::Page | What::Source => PAGE_MAX_BYTES,
            What::Head => WALL_SAMPLE_BYTES,
            What::File | What::FileHere => FILE_MAX_BYTES,
        };
        let _permit = site.turn(None).await;
        let (bytes, truncated) = read_body(response, max_bytes).await?;
        if bot_wall::stands(last, &bytes[..bytes.len().min(WALL_SAMPLE_BYTES)]) {
            return Err(ProbeFailure::BotWall(status));
        }
        let text = matches!(what, What::File | What::FileHere | What::Source)
            .then(|| String::from_utf8_lossy(&bytes).into_owned());
        facts.body = Some(BodyFacts {
            sha256: hex(&Sha256::digest(&bytes)),
            size_bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            truncated,
            content_type: content_type.clone(),
            text,
        });
        let html = content_type.is_none_or(|kind| kind.to_ascii_lowercase().contains("html"));
        if what == What::Page && html && !bytes.is_empty() {
            // Parsing takes longer than an async task may block.
            facts.page = tokio::task::spawn_blocking(move || page::read(&bytes, &url)).await.ok().flatten();
        }
        Ok(())
    }
}

/// Where a hop goes.
struct Target {
    host: String,
    port: u16,
    addresses: Vec<SocketAddr>,
}

/// Checks scheme, host and port of a hop and resolves it.
async fn target(site: &Site<'_>, url: &Url) -> Result<Target, ProbeFailure> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(ProbeFailure::Forbidden(format!("the scheme {} is not the web", url.scheme())));
    }
    let host = match url.host() {
        Some(Host::Domain(name)) => name.trim_end_matches('.').to_owned(),
        Some(Host::Ipv4(ip)) => ip.to_string(),
        Some(Host::Ipv6(ip)) => format!("[{ip}]"),
        None => return Err(ProbeFailure::Forbidden("a URL without a host".to_owned())),
    };
    let port = url.port_or_known_default().unwrap_or(0);
    let addresses = site.addresses(&host, port).await?;
    // hyper connects a literal address without asking any resolver, so it cannot be sent elsewhere.
    if !matches!(url.host(), Some(Host::Domain(_))) && addresses.iter().any(|address| address.port() != port) {
        return Err(ProbeFailure::Forbidden("a literal address cannot be sent elsewhere".to_owned()));
    }
    Ok(Target { host, port, addresses })
}

/// Gives out the checked addresses and no others.
struct Pinned(Vec<SocketAddr>);

impl Resolve for Pinned {
    fn resolve(&self, _: Name) -> Resolving {
        let addresses: Addrs = Box::new(self.0.clone().into_iter());
        Box::pin(std::future::ready(Ok(addresses)))
    }
}

/// The next URL of a redirect; `None` when the answer is none.
fn redirect_of(response: &Response, url: &Url) -> Option<Result<Url, ProbeFailure>> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let location = response.headers().get(LOCATION)?;
    let text = String::from_utf8_lossy(location.as_bytes());
    if text.len() > URL_MAX_BYTES {
        return Some(Err(ProbeFailure::TooLarge(u64::try_from(text.len()).unwrap_or(u64::MAX))));
    }
    Some(url.join(&text).map_err(|error| ProbeFailure::Protocol(format!("bad Location: {error}"))))
}

fn headers_of(headers: &HeaderMap) -> Vec<(String, String)> {
    let value = |raw: &[u8]| String::from_utf8_lossy(&raw[..raw.len().min(HEADER_VALUE_MAX_BYTES)]).into_owned();
    headers.iter().take(HEADERS_MAX).map(|(name, raw)| (name.as_str().to_owned(), value(raw.as_bytes()))).collect()
}

/// Reads decoded bytes up to the limit; whether there were more.
async fn read_body(response: Response, max_bytes: usize) -> Result<(Vec<u8>, bool), ProbeFailure> {
    let mut stream = response.bytes_stream();
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| failure_of(&error))?;
        let room = max_bytes - bytes.len();
        if chunk.len() > room {
            bytes.extend_from_slice(&chunk[..room]);
            return Ok((bytes, true));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok((bytes, false))
}

/// What a reqwest error says about the site.
fn failure_of(error: &reqwest::Error) -> ProbeFailure {
    missed(error).into()
}

/// The failure in a reqwest error, from the innermost cause.
fn missed(error: &reqwest::Error) -> Missed {
    if error.is_timeout() {
        return ProbeFailure::Timeout.into();
    }
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    let mut innermost = error.to_string();
    while let Some(current) = cause {
        if let Some(tls) = current.downcast_ref::<rustls::Error>() {
            return refusal(tls);
        }
        if let Some(failure) = current.downcast_ref::<std::io::Error>().and_then(io_failure) {
            return failure;
        }
        innermost = current.to_string();
        cause = current.source();
    }
    ProbeFailure::Protocol(innermost.chars().take(200).collect()).into()
}

/// A TLS error, by whether the certificate was its cause.
fn refusal(error: &rustls::Error) -> Missed {
    let failure = ProbeFailure::TlsFailed(describe(error));
    match error {
        rustls::Error::InvalidCertificate(_) => Missed::Certificate(failure),
        _ => Missed::Other(failure),
    }
}

/// What an I/O error stands for; the layers of the client wrap such errors in each other, which `source` does not show.
fn io_failure(error: &std::io::Error) -> Option<Missed> {
    let mut io = error;
    loop {
        let inner = io.get_ref();
        if let Some(tls) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Some(refusal(tls));
        }
        match inner.and_then(|inner| inner.downcast_ref::<std::io::Error>()) {
            Some(nested) => io = nested,
            None => return io.raw_os_error().map(|_| refused(io).into()),
        }
    }
}
