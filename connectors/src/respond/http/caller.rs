//! One bounded call to a system the operator named, through the guarded client ([`crate::net`]).
//! It must *not* know what is asked.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use riskgraph_domain::error::Fault;
use url::Url;

use crate::net::{self, NoAnswer, Outside, OutsideOptions, PlainHttp, SystemResolver};
use crate::respond::config::NetConfig;
use crate::respond::fault::{bad_input, configuration, refused, upstream};

/// Time for the whole call: an action waits for several of them.
const CALL_MAX: Duration = Duration::from_secs(10);
/// Decoded bytes read of an answer: a page of 1,000 rules is near 500 KiB.
const ANSWER_MAX_BYTES: usize = 2 << 20;
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
    outside: Outside,
}

/// Why a call gave no answer.
pub(in crate::respond) struct Missed {
    pub fault: Fault,
    /// Whether it may have been heard all the same.
    pub heard: Heard,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::respond) enum Heard {
    No,
    Perhaps,
}

impl Caller {
    /// A caller with the connector's network settings.
    ///
    /// # Errors
    /// `Configuration` when they cannot be used.
    pub(in crate::respond) fn new(connector: &str, net: &NetConfig) -> Result<Self, Fault> {
        let wrong = |what: &str| configuration(format!("connector {connector}: {what}"));
        let networks = net.allow_networks.iter().map(|text| text.parse()).collect::<Result<Vec<_>, _>>();
        let allow_networks = networks.map_err(|error| wrong(&format!("allow_networks: {error}")))?;
        let extra_ca_pem = if net.ca_file.as_os_str().is_empty() {
            None
        } else {
            Some(std::fs::read(&net.ca_file).map_err(|error| wrong(&format!("ca_file: {}", error.kind())))?)
        };
        let options = OutsideOptions { allow_networks, plain_http: PlainHttp::Listed, extra_ca_pem, timeout: CALL_MAX };
        let outside = Outside::new(options, Arc::new(SystemResolver)).map_err(|fault| wrong(&fault.message))?;
        Ok(Self { outside })
    }

    /// Makes one call.
    ///
    /// # Errors
    /// `UpstreamRefused` when the address may not be connected or the answer is too large, `Upstream` when none came.
    pub(in crate::respond) async fn call(&self, call: Call) -> Result<Answer, Fault> {
        self.try_call(call).await.map_err(|missed| missed.fault)
    }

    /// Makes one call, and tells of a failure whether it may have been heard.
    ///
    /// # Errors
    /// As [`Caller::call`].
    pub(in crate::respond) async fn try_call(&self, call: Call) -> Result<Answer, Missed> {
        let who = call.url.host_str().unwrap_or_default().to_owned();
        let call = net::Call {
            method: call.method,
            url: call.url,
            headers: call.headers,
            body: call.body.into(),
            answer_bytes_max: ANSWER_MAX_BYTES,
        };
        let answer = self.outside.call(call).await.map_err(|missed| {
            let (fault, heard) = match missed {
                NoAnswer::Forbidden(why) => (refused(format!("{who} is not called: {why}")), Heard::No),
                NoAnswer::Unreached(_) => (upstream(format!("{who} cannot be reached")), Heard::No),
                NoAnswer::Timeout(s) => (upstream(format!("{who} did not answer within {s} s")), Heard::Perhaps),
                NoAnswer::Broken(_) => (upstream(format!("{who} broke off")), Heard::Perhaps),
            };
            Missed { fault, heard }
        })?;
        if answer.body.len() >= ANSWER_MAX_BYTES {
            let fault = upstream(format!("{who} answered more than {} MiB", ANSWER_MAX_BYTES >> 20));
            return Err(Missed { fault, heard: Heard::Perhaps });
        }
        let retry_after_s = answer.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let retry_after_s = retry_after_s.map(|s: u32| s.min(RETRY_AFTER_MAX_S));
        Ok(Answer { status: answer.status, headers: answer.headers, body: answer.body, retry_after_s })
    }
}
