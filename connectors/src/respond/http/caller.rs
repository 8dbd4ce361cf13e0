//! One bounded call to a system the operator named: no redirects, no proxy, only permitted addresses, small answers.
//! It must *not* know what is asked.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Method};
use riskgraph_domain::error::Fault;
use riskgraph_domain::observation::ProbeFailure;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use url::{Host, Url};

use crate::net::Guard;
use crate::respond::config::NetConfig;
use crate::respond::fault::{bad_input, configuration, refused, upstream};

/// Time to connect, and for the whole call: an action waits for several of them.
const CONNECT_MAX: Duration = Duration::from_secs(3);
const CALL_MAX: Duration = Duration::from_secs(10);
/// Decoded bytes read of an answer: a page of 1,000 rules is near 500 KiB.
const ANSWER_MAX_BYTES: usize = 2 << 20;
/// Headers of an answer.
const HEADERS_MAX: usize = 100;
/// Longest wait another system may ask for, seconds.
const RETRY_AFTER_MAX_S: u32 = 3_600;

/// A call to be made.
pub(in crate::respond) struct Call {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Call {
    pub(in crate::respond) fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: Vec::new() }
    }

    /// Adds a header. Its value is never shown.
    ///
    /// # Errors
    /// `BadInput` when it could not be sent as it stands; line breaks above all.
    pub(in crate::respond) fn header(mut self, name: &str, value: &str) -> Result<Self, Fault> {
        let wrong = || bad_input(format!("the header {} has a name or value that cannot be sent", name.escape_debug()));
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| wrong())?;
        value.set_sensitive(true);
        self.headers.insert(name, value);
        Ok(self)
    }

    pub(in crate::respond) fn json(mut self, body: &serde_json::Value) -> Self {
        self.body = body.to_string().into_bytes();
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self
    }
}

/// What came back.
#[derive(Debug)]
pub(in crate::respond) struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub retry_after_s: Option<u32>,
}

impl Answer {
    pub(in crate::respond) fn ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON; null when it is none.
    pub(in crate::respond) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// What a status that was not hoped for means. The body is not quoted: it may echo what was sent.
    pub(in crate::respond) fn fault(&self, who: &str) -> Fault {
        let status = self.status;
        match status {
            401 | 403 => refused(format!("{who} answered {status}: check the connector's token and its rights")),
            408 | 425 | 429 | 500..=599 => {
                let mut fault = upstream(format!("{who} answered {status}"));
                fault.retry_after_s = self.retry_after_s;
                fault
            }
            _ => refused(format!("{who} answered {status}")),
        }
    }
}

/// Makes calls.
pub(in crate::respond) struct Caller {
    client: Client,
    guard: Arc<Guard>,
}

impl Caller {
    /// A caller with the connector's network settings.
    ///
    /// # Errors
    /// `Configuration` when they cannot be used.
    pub(in crate::respond) fn new(connector: &str, net: &NetConfig) -> Result<Self, Fault> {
        let wrong = |what: &str| configuration(format!("connector {connector}: {what}"));
        let networks = net.allow_networks.iter().map(|text| text.parse()).collect::<Result<Vec<_>, _>>();
        let networks = networks.map_err(|error| wrong(&format!("allow_networks: {error}")))?;
        let guard = Arc::new(Guard::new(networks, Vec::new()));
        let client = Client::builder()
            .tls_backend_preconfigured(tls(net).map_err(|problem| wrong(&problem))?)
            .user_agent(concat!("riskgraph/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .dns_resolver(Arc::new(Guarded(Arc::clone(&guard))))
            .http1_max_headers(HEADERS_MAX)
            .connect_timeout(CONNECT_MAX)
            .timeout(CALL_MAX)
            .build()
            .map_err(|_| wrong("the HTTP client cannot be made"))?;
        Ok(Self { client, guard })
    }

    /// Makes one call.
    ///
    /// # Errors
    /// `UpstreamRefused` when the address may not be connected or the answer is too large, `Upstream` when none came: then
    /// it is not known whether the call was heard.
    pub(in crate::respond) async fn call(&self, call: Call) -> Result<Answer, Fault> {
        let who = call.url.host_str().unwrap_or_default().to_owned();
        self.check(&call.url)?;
        let sent = self.client.request(call.method, call.url).headers(call.headers).body(call.body).send().await;
        let response = sent.map_err(|error| failure(&who, &error))?;
        let status = response.status().as_u16();
        let retry_after_s =
            response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let headers = response.headers().clone();
        let mut body = Vec::new();
        let mut stream = response.bytes_stream();
        while let Some(chunk) = stream.next().await {
            body.extend_from_slice(&chunk.map_err(|error| failure(&who, &error))?);
            if body.len() > ANSWER_MAX_BYTES {
                return Err(upstream(format!("{who} answered more than {} MiB", ANSWER_MAX_BYTES >> 20)));
            }
        }
        Ok(Answer { status, headers, body, retry_after_s: retry_after_s.map(|s: u32| s.min(RETRY_AFTER_MAX_S)) })
    }

    /// An address in the URL is not resolved, so it is judged here.
    fn check(&self, url: &Url) -> Result<(), Fault> {
        let address = match url.host() {
            Some(Host::Ipv4(ip)) => ip.into(),
            Some(Host::Ipv6(ip)) => ip.into(),
            _ => return Ok(()),
        };
        self.guard.check_address(address).map_err(|failure| match failure {
            ProbeFailure::Forbidden(why) => forbidden(&why),
            _ => forbidden("the address may not be connected"),
        })
    }
}

fn forbidden(why: &str) -> Fault {
    refused(format!("{why}; list it in the connector's allow_networks if it is meant"))
}

/// Lets only permitted addresses through to the connection.
struct Guarded(Arc<Guard>);

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = Arc::clone(&self.0);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<_> = found.filter(|address| guard.check_address(address.ip()).is_ok()).collect();
            if allowed.is_empty() {
                return Err("no permitted address".into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// The fault of a call that gave no answer. The error's own words may hold the URL, which may hold more than a host.
fn failure(who: &str, error: &reqwest::Error) -> Fault {
    if error.is_timeout() {
        return upstream(format!("{who} did not answer in time"));
    }
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if current.to_string() == "no permitted address" {
            return forbidden(&format!("{who} has no public address"));
        }
        cause = current.source();
    }
    if error.is_connect() { upstream(format!("{who} cannot be reached")) } else { upstream(format!("{who} broke off")) }
}

fn tls(net: &NetConfig) -> Result<rustls::ClientConfig, String> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if !net.ca_file.as_os_str().is_empty() {
        let pem = std::fs::read(&net.ca_file).map_err(|error| format!("ca_file: {}", error.kind()))?;
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|error| format!("ca_file: {error}"))?;
            roots.add(certificate).map_err(|error| format!("ca_file: {error}"))?;
        }
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
