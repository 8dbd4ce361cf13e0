//! HTTP fetches: hop by hop, with every hop checked, and never more than so many bytes.
//!
//! reqwest's own redirects are off: each hop is resolved here, judged by the guard, and the client of that hop is pinned to
//! exactly the judged addresses. Names in URLs were made canonical by the `url` crate, so that `0x7f.1` and
//! `2130706433` are seen as the addresses they are.

use std::net::SocketAddr;
use std::sync::Arc;

use futures::StreamExt;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HOST, HeaderMap, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use riskgraph_domain::observation::{BodyFacts, Hop, ProbeFailure, WebFacts};
use sha2::{Digest, Sha256};
use url::{Host, Url};

use super::certificate::hex;
use super::handshake::describe;
use super::site::{Site, refused};
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
}

/// Fetches pages with the normal verification of certificates.
pub(super) struct Fetcher {
    pub(super) tls: rustls::ClientConfig,
    pub(super) user_agent: String,
}

impl Fetcher {
    /// Fetches a URL; what could not be had is a failure inside.
    pub(super) async fn fetch(&self, site: &Site<'_>, url: &str, what: What, origin: Option<&str>) -> WebFacts {
        let mut facts = WebFacts { url: url.to_owned(), hops: Vec::new(), failure: None, body: None, page: None };
        if let Err(failure) = self.follow(site, &mut facts, what, origin).await {
            facts.failure = Some(failure);
        }
        facts
    }

    /// The raw bytes at a URL, without redirects, at most a small file's worth.
    pub(super) async fn bytes(&self, site: &Site<'_>, url: &str) -> Result<Vec<u8>, ProbeFailure> {
        let url = Url::parse(url).map_err(|error| ProbeFailure::Protocol(error.to_string()))?;
        let response = self.hop(site, &url, None).await?;
        match (response.status().as_u16(), read_body(response, FILE_MAX_BYTES).await?) {
            (200, (bytes, false)) => Ok(bytes),
            (200, (bytes, true)) => Err(ProbeFailure::TooLarge(u64::try_from(bytes.len()).unwrap_or(u64::MAX))),
            (status, _) => Err(ProbeFailure::Protocol(format!("status {status}"))),
        }
    }

    async fn follow(
        &self,
        site: &Site<'_>,
        facts: &mut WebFacts,
        what: What,
        origin: Option<&str>,
    ) -> Result<(), ProbeFailure> {
        let mut url = Url::parse(&facts.url).map_err(|error| ProbeFailure::Protocol(error.to_string()))?;
        loop {
            let response = self.hop(site, &url, origin).await?;
            let status = response.status().as_u16();
            let next = redirect_of(&response, &url);
            facts.hops.push(Hop { url: url.to_string(), status, headers: headers_of(response.headers()) });
            match next {
                Some(_) if what == What::FileHere => return Ok(()),
                Some(_) if facts.hops.len() > REDIRECTS_MAX => return Err(ProbeFailure::TooManyRedirects),
                Some(next) => url = next?,
                None => return self.finish(site, facts, response, what).await,
            }
        }
    }

    /// One request to checked addresses.
    async fn hop(&self, site: &Site<'_>, url: &Url, origin: Option<&str>) -> Result<Response, ProbeFailure> {
        let Target { host, port, addresses } = target(site, url).await?;
        let client = self.client(site, &addresses)?;
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
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        request.header("accept", "text/html,application/xhtml+xml,*/*;q=0.8").send().await.map_err(|e| failure_of(&e))
    }

    fn client(&self, site: &Site<'_>, addresses: &[SocketAddr]) -> Result<Client, ProbeFailure> {
        let limits = &site.tools.limits;
        Client::builder()
            .tls_backend_preconfigured(self.tls.clone())
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
            What::Page => PAGE_MAX_BYTES,
            What::Head => WALL_SAMPLE_BYTES,
            What::File | What::FileHere => FILE_MAX_BYTES,
        };
        let _permit = site.turn(None).await;
        let (bytes, truncated) = read_body(response, max_bytes).await?;
        if bot_wall::stands(last, &bytes[..bytes.len().min(WALL_SAMPLE_BYTES)]) {
            return Err(ProbeFailure::BotWall(status));
        }
        let text = matches!(what, What::File | What::FileHere).then(|| String::from_utf8_lossy(&bytes).into_owned());
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

/// What a reqwest error says about the site, from the innermost cause.
fn failure_of(error: &reqwest::Error) -> ProbeFailure {
    if error.is_timeout() {
        return ProbeFailure::Timeout;
    }
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    let mut innermost = error.to_string();
    while let Some(current) = cause {
        if let Some(tls) = current.downcast_ref::<rustls::Error>() {
            return ProbeFailure::TlsFailed(describe(tls));
        }
        if let Some(failure) = current.downcast_ref::<std::io::Error>().and_then(io_failure) {
            return failure;
        }
        innermost = current.to_string();
        cause = current.source();
    }
    ProbeFailure::Protocol(innermost.chars().take(200).collect())
}

/// What an I/O error stands for; the layers of the client wrap such errors in each other, which `source` does not show.
fn io_failure(error: &std::io::Error) -> Option<ProbeFailure> {
    let mut io = error;
    loop {
        let inner = io.get_ref();
        if let Some(tls) = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return Some(ProbeFailure::TlsFailed(describe(tls)));
        }
        match inner.and_then(|inner| inner.downcast_ref::<std::io::Error>()) {
            Some(nested) => io = nested,
            None => return io.raw_os_error().map(|_| refused(io)),
        }
    }
}
