//! Report URIs as checkdmarc reads them, in DMARC and TLS reporting.

use std::net::Ipv6Addr;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Value, json};

/// A mailbox behind `mailto:`, with an obsolete size limit; what follows is not looked at.
static MAILTO: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)^mailto:([\w\-!#$%&'*+,./=?^_`{|}~][\w\-.!#$%&'*+,/=?^_`{|}~]*@[\w\-.]+)(!\w+)?").ok()
});

/// RFC 3986 URIs.
static URI: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let unreserved = r"a-z0-9\-._\~";
    let delimiters = r"!$\&'()*+,;=";
    let encoded = "%[0-9a-f]{2}";
    let path = format!("(?:[{unreserved}{delimiters}:@]|{encoded})");
    let authority = format!(
        r"//(?:(?:[{unreserved}{delimiters}:]|{encoded})*@)?(?:\[(?P<six>[0-9a-f:.]+)\]|\[v[0-9a-f]+\.[{unreserved}{delimiters}:]+\]|(?:[{unreserved}{delimiters}]|{encoded})*)(?::[0-9]*)?(?:/{path}*)*"
    );
    let tail = format!(r"(?:\?(?:{path}|[/?])*)?(?:#(?:{path}|[/?])*)?");
    Regex::new(&format!(
        r"(?i)^[a-z][a-z0-9+.\-]*:(?:{authority}|/(?:{path}+(?:/{path}*)*)?|{path}+(?:/{path}*)*)?{tail}$"
    ))
    .ok()
});

/// What RFC 8460 allows as a receiver of TLS reports.
static TLS_REPORT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let atom = r"(?:[A-Za-z0-9\-_\~$\&'()*+=]|%[0-9A-Fa-f]{2})+";
    let host = r"(?:[A-Za-z0-9\-]+\.)*[A-Za-z0-9\-]+";
    let rest = r"(?:[A-Za-z0-9\-._\~$\&'()*+=:@/?]|%[0-9A-Fa-f]{2})";
    Regex::new(&format!(
        r"(?i)^(?:mailto:{atom}(?:\.{atom})*@{host}|https://(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|{host})(?::[0-9]{{1,5}})?(?:[/?]{rest}*)?(?:#{rest}*)?)$"
    ))
    .ok()
});

/// A report URI that can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReportUri {
    /// In lower case.
    pub(super) scheme: String,
    /// The mailbox, or the whole URI of another scheme.
    pub(super) address: String,
    pub(super) size_limit: Option<String>,
}

impl ReportUri {
    /// In checkdmarc's shape.
    pub(super) fn value(&self) -> Value {
        json!({ "scheme": self.scheme, "address": self.address, "size_limit": self.size_limit })
    }
}

/// Reads one URI of a `rua` or `ruf` list.
pub(super) fn dmarc(uri: &str) -> Result<ReportUri, String> {
    let uri = uri.trim();
    if let Some(found) = MAILTO.as_ref().and_then(|regex| regex.captures(uri)) {
        let size = found.get(2).map(|size| size.as_str().trim_start_matches('!').to_owned());
        return Ok(ReportUri {
            scheme: "mailto".to_owned(),
            address: found.get(1).map_or("", |address| address.as_str()).to_owned(),
            size_limit: size.filter(|size| !size.is_empty()),
        });
    }
    let scheme = uri.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.filter(|scheme| scheme != "mailto" && is_uri(uri)) {
        Some(scheme) => Ok(ReportUri { scheme, address: uri.to_owned(), size_limit: None }),
        None if uri.starts_with("mailto:") => Err(format!("{uri} is not a valid DMARC report URI")),
        None => Err(format!(
            "{uri} is not a valid DMARC report URI - please make sure that the URI begins with a scheme such as mailto:"
        )),
    }
}

/// Whether a receiver of TLS reports is one.
pub(super) fn is_tls_report(uri: &str) -> bool {
    matches(&TLS_REPORT, uri)
}

fn is_uri(uri: &str) -> bool {
    matches(&URI, uri)
}

fn matches(regex: &LazyLock<Option<Regex>>, uri: &str) -> bool {
    regex
        .as_ref()
        .and_then(|regex| regex.captures(uri))
        .is_some_and(|found| found.name("six").is_none_or(|address| address.as_str().parse::<Ipv6Addr>().is_ok()))
}
