//! An HTTP client for URLs that people wrote: webhooks, incoming hooks of chat services, APIs of responders.
//!
//! Names are resolved when a connection is opened, and only addresses the guard lets pass are handed on, so a name that
//! resolves to something else a moment later (DNS rebinding) gains nothing. Redirects are never followed, proxies never
//! used, bodies never read beyond a bound. What goes wrong is told without the URL: it may hold a secret. Must *not* know
//! what is sent.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use ipnet::IpNet;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Client, Method};
use riskgraph_domain::{Fault, FaultCode};
use url::{Host, Url};

use super::guard::Guard;
use crate::crawl::tls::trust::Trust;

/// Connections kept open to one host between calls, and for how long.
const IDLE_MAX: usize = 2;
const IDLE_FOR: Duration = Duration::from_secs(30);
/// Headers read of an answer.
const HEADERS_MAX: usize = 100;
/// Characters of a cause that are told.
const CAUSE_CHARS_MAX: usize = 160;
/// After the head of an answer so much more time is spent on its body.
const BODY_PATIENCE: Duration = Duration::from_secs(2);

/// How the client behaves.
#[derive(Debug, Clone)]
pub struct OutsideOptions {
    /// Networks that are not public but may be called.
    pub allow_networks: Vec<IpNet>,
    pub plain_http: PlainHttp,
    /// More certificate authorities to trust, as PEM.
    pub extra_ca_pem: Option<Vec<u8>>,
    /// To connect, send and get the head of the answer.
    pub timeout: Duration,
}

/// Where `http:` may be spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainHttp {
    /// Only into the listed networks, which are the operator's own.
    Listed,
    /// Everywhere.
    Everywhere,
}

/// Turns names into addresses.
pub trait Resolver: Send + Sync {
    /// The addresses of a name, in the order they should be tried.
    fn resolve(&self, host: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>>;
}

/// The resolver of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve(&self, host: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect()) })
    }
}

/// One request.
#[derive(Debug, Clone)]
pub struct Call {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// Bytes of the answer's body that are read; the rest is dropped with the connection.
    pub answer_bytes_max: usize,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// As much as came within the bound and a short time.
    pub body: Vec<u8>,
}

/// Why nothing came back, without the URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    #[error("{0}")]
    Forbidden(String),
    #[error("no answer within {0} s")]
    Timeout(u64),
    /// No connection: nothing was heard there.
    #[error("no connection: {0}")]
    Unreached(String),
    #[error("{0}")]
    Broken(String),
}

/// The client.
pub struct Outside {
    guard: Arc<Guard>,
    plain_http: PlainHttp,
    timeout: Duration,
    https: Client,
    http: Client,
}

impl Outside {
    /// # Errors
    /// `FaultCode::Configuration` when the authorities cannot be read.
    pub fn new(options: OutsideOptions, resolver: Arc<dyn Resolver>) -> Result<Self, Fault> {
        let wrong = |error: String| Fault::new(FaultCode::Configuration, format!("the extra authorities: {error}"));
        let trust = Trust::new(options.extra_ca_pem.as_deref()).map_err(wrong)?;
        let tls = trust.strict_client().map_err(|error| wrong(error.to_string()))?;
        let guard = Arc::new(Guard::new(options.allow_networks, Vec::new()));
        let client = |passes: Passes| {
            let names = Names { resolver: Arc::clone(&resolver), guard: Arc::clone(&guard), passes };
            Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .user_agent(concat!("riskgraph/", env!("CARGO_PKG_VERSION")))
                .redirect(Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                .no_proxy()
                .dns_resolver(Arc::new(names))
                .pool_max_idle_per_host(IDLE_MAX)
                .pool_idle_timeout(IDLE_FOR)
                .http1_max_headers(HEADERS_MAX)
                .connect_timeout(options.timeout)
                .build()
                .map_err(|error| wrong(error.to_string()))
        };
        let plain = match options.plain_http {
            PlainHttp::Listed => Passes::Listed,
            PlainHttp::Everywhere => Passes::Public,
        };
        let (https, http) = (client(Passes::Public)?, client(plain)?);
        Ok(Self { guard, plain_http: options.plain_http, timeout: options.timeout, https, http })
    }

    /// Checks what can be known of a URL without resolving its name.
    ///
    /// # Errors
    /// In words for the one who wrote it.
    pub fn check(&self, url: &Url) -> Result<(), NoAnswer> {
        let forbidden = |why: &str| Err(NoAnswer::Forbidden(why.to_owned()));
        let passes = match (url.scheme(), self.plain_http) {
            ("https", _) | ("http", PlainHttp::Everywhere) => Passes::Public,
            ("http", PlainHttp::Listed) => Passes::Listed,
            _ => return forbidden("the URL must begin with https://"),
        };
        match url.host() {
            Some(Host::Ipv4(ip)) => passes.judge(&self.guard, ip.into()).map_err(NoAnswer::Forbidden),
            Some(Host::Ipv6(ip)) => passes.judge(&self.guard, ip.into()).map_err(NoAnswer::Forbidden),
            Some(Host::Domain(_)) => Ok(()),
            None => forbidden("the URL names no host"),
        }
    }

    /// Calls, and reads the beginning of the answer.
    ///
    /// # Errors
    /// When no head of an answer came in time, or the address may not be called.
    pub async fn call(&self, call: Call) -> Result<Answer, NoAnswer> {
        self.check(&call.url)?;
        let client = if call.url.scheme() == "https" { &self.https } else { &self.http };
        let request = client.request(call.method, call.url).headers(call.headers).body(call.body);
        let late = || NoAnswer::Timeout(self.timeout.as_secs());
        let sent = tokio::time::timeout(self.timeout, request.send()).await.map_err(|_| late())?;
        let response = sent.map_err(|error| if error.is_timeout() { late() } else { broken(&error) })?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        let reading = async {
            let mut stream = response.bytes_stream();
            while let Some(Ok(chunk)) = stream.next().await {
                let room = call.answer_bytes_max - body.len();
                body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if body.len() >= call.answer_bytes_max {
                    break;
                }
            }
        };
        // The status was the answer; a body that drips or breaks off changes nothing.
        let _ = tokio::time::timeout(BODY_PATIENCE.min(self.timeout), reading).await;
        Ok(Answer { status, headers, body })
    }
}

/// Which addresses a client may connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Passes {
    /// Public ones and those of the listed networks.
    Public,
    /// Only those of the listed networks.
    Listed,
}

impl Passes {
    fn judge(self, guard: &Guard, ip: IpAddr) -> Result<(), String> {
        guard.check_address(ip).map_err(|failure| match failure {
            riskgraph_domain::observation::ProbeFailure::Forbidden(why) => {
                format!("{why}; list its network in allow_networks if it is yours")
            }
            other => format!("{other:?}"),
        })?;
        if self == Self::Listed && !guard.is_listed(ip) {
            return Err("plain http goes only into networks of allow_networks; use https".to_owned());
        }
        Ok(())
    }
}

/// Resolves names for a client, and hands on what may be connected.
struct Names {
    resolver: Arc<dyn Resolver>,
    guard: Arc<Guard>,
    passes: Passes,
}

/// A refusal on its way through the client's errors.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Refusal(String);

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, passes) = (Arc::clone(&self.guard), self.passes);
        let found = self.resolver.resolve(name.as_str().to_owned());
        Box::pin(async move {
            let found = found.await.map_err(|_| Refusal("the host's name does not resolve".to_owned()))?;
            let mut refused = None;
            let mut addresses = Vec::new();
            for ip in found {
                match passes.judge(&guard, ip) {
                    Ok(()) => addresses.push(SocketAddr::new(ip, 0)),
                    Err(why) => refused = Some(why),
                }
            }
            if addresses.is_empty() {
                let why = refused.unwrap_or_else(|| "the host's name does not resolve".to_owned());
                return Err(Refusal(why).into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// What is wrong, from the innermost cause, and without the URL.
fn broken(error: &reqwest::Error) -> NoAnswer {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = std::error::Error::source(error);
    let mut innermost = "the request failed".to_owned();
    while let Some(current) = cause {
        if let Some(refusal) = current.downcast_ref::<Refusal>() {
            return NoAnswer::Forbidden(refusal.0.clone());
        }
        innermost = current.to_string();
        cause = current.source();
    }
    let told = innermost.chars().take(CAUSE_CHARS_MAX).collect();
    if error.is_connect() { NoAnswer::Unreached(told) } else { NoAnswer::Broken(told) }
}

#[cfg(test)]
mod tests;
