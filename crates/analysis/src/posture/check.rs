//! The shape of a check: facts in, verdict out. Knows no family of checks.

use riskgraph_domain::Severity;
use riskgraph_domain::observation::{
    DnsAnswer, DomainObservations, Handshake, Hop, PageFacts, Peer, ProbeFailure, TlsFacts, WebFacts,
};
use riskgraph_domain::posture::CheckResult;
use serde_json::{Value, json};

use super::config::PostureConfig;
use super::profile::AssetProfile;

/// Longest text from outside that goes into evidence, in characters.
const EVIDENCE_CHARS_MAX: usize = 300;
/// What evidence from an unverified peer says of itself.
const UNVERIFIED: &str = "unverified: the certificate was refused, so the page may be another's";

/// The parts of a posture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Factor {
    Scripts,
    Tls,
    Patching,
    Mail,
    Headers,
    Exposure,
    Dns,
    Brand,
    Leaks,
    Transparency,
}

impl Factor {
    pub const ALL: &'static [Self] = &[
        Self::Scripts,
        Self::Tls,
        Self::Patching,
        Self::Mail,
        Self::Headers,
        Self::Exposure,
        Self::Dns,
        Self::Brand,
        Self::Leaks,
        Self::Transparency,
    ];

    /// The name users see.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scripts => "scripts",
            Self::Tls => "tls",
            Self::Patching => "patching",
            Self::Mail => "mail",
            Self::Headers => "headers",
            Self::Exposure => "exposure",
            Self::Dns => "dns",
            Self::Brand => "brand",
            Self::Leaks => "leaks",
            Self::Transparency => "transparency",
        }
    }

    /// The factor a catalogue id counts for; `None` when its family is no part of the score.
    #[must_use]
    pub fn of_check(id: &str) -> Option<Self> {
        // Integrity of scripts and mixed active content are about foreign code, whatever header says so.
        if matches!(id, "HTTP-11" | "HTTP-13" | "HTTP-24") {
            return Some(Self::Scripts);
        }
        // Seen on the site itself, without a scan: too little to speak for the exposure of a whole factor.
        if matches!(id, "NET-03" | "NET-08" | "NET-09") {
            return Some(Self::Transparency);
        }
        match id.split('-').next()? {
            "PAY" => Some(Self::Scripts),
            "TLS" => Some(Self::Tls),
            "VULN" => Some(Self::Patching),
            "MAIL" => Some(Self::Mail),
            "HTTP" => Some(Self::Headers),
            "NET" => Some(Self::Exposure),
            "DNS" => Some(Self::Dns),
            "IMP" | "TKO" => Some(Self::Brand),
            "LEAK" | "RAN" => Some(Self::Leaks),
            "TRAN" | "FP" => Some(Self::Transparency),
            _ => None,
        }
    }
}

/// What a check says of the facts it was shown.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) result: CheckResult,
    /// Where the rule gives another severity than the catalogue's.
    pub(crate) severity: Option<Severity>,
    pub(crate) evidence: Value,
    pub(crate) confidence: f64,
}

impl Verdict {
    fn new(result: CheckResult, evidence: Value) -> Self {
        Self { result, severity: None, evidence, confidence: 1.0 }
    }
    pub(crate) fn pass(evidence: Value) -> Self {
        Self::new(CheckResult::Pass, evidence)
    }
    pub(crate) fn warn(evidence: Value) -> Self {
        Self::new(CheckResult::Warn, evidence)
    }
    pub(crate) fn fail(evidence: Value) -> Self {
        Self::new(CheckResult::Fail, evidence)
    }
    pub(crate) fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }
    pub(crate) fn confidence(mut self, confidence: f64) -> Self {
        self.confidence = confidence;
        self
    }
}

/// Why a check gives no verdict.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Skip {
    /// It applies but could not be told; the reason goes into the evidence.
    Unknown(String),
    /// It does not apply to this asset.
    NotApplicable,
}

/// What comes of a check.
pub(crate) type Judged = Result<Verdict, Skip>;

/// Leaves the check as unknown for this reason.
pub(crate) fn unknown<T>(reason: impl Into<String>) -> Result<T, Skip> {
    Err(Skip::Unknown(reason.into()))
}

/// On what a check looks.
#[derive(Clone, Copy)]
pub(crate) enum Judge {
    /// Once for the domain.
    Domain(fn(&Case<'_>) -> Judged),
    /// Once for the domain, by what the page says: as sure as it is whose page that was.
    Page(fn(&Case<'_>) -> Judged),
    /// Once for every probed TLS endpoint.
    Endpoint(fn(&Case<'_>, &TlsFacts) -> Judged),
}

/// One line of the catalogue.
pub struct Check {
    /// Such as `TLS-09`.
    pub id: &'static str,
    /// Of a failure, where the rule says nothing else.
    pub severity: Severity,
    pub(crate) judge: Judge,
    /// What is true when the check passes.
    pub title: &'static str,
    /// What is looked at.
    pub observed: &'static str,
    /// What fails (F) and what warns (W); all else passes.
    pub rule: &'static str,
    /// What can happen to a shop whose vendor fails it, in a sentence or two for somebody who does not know the field.
    pub why: &'static str,
    /// How to repair it.
    pub recommendation: &'static str,
    /// The standard it rests on.
    pub reference: &'static str,
}

/// Everything a check may look at.
pub(crate) struct Case<'a> {
    pub(crate) seen: &'a DomainObservations,
    pub(crate) profile: &'a AssetProfile,
    pub(crate) config: &'a PostureConfig,
}

/// The page of the site: its last answer and what was read from it.
#[derive(Clone, Copy)]
pub(crate) struct PageView<'a> {
    pub(crate) hop: &'a Hop,
    pub(crate) facts: &'a WebFacts,
}

impl<'a> PageView<'a> {
    pub(crate) fn is_https(&self) -> bool {
        self.hop.url.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"))
    }

    /// What was read from the HTML; unknown when the page is HTML but was not read.
    pub(crate) fn html(&self) -> Result<Option<&'a PageFacts>, Skip> {
        match &self.facts.page {
            Some(page) => Ok(Some(page)),
            None if self.says_html() && self.facts.body.is_some() => unknown("the page was not read as HTML"),
            None => Ok(None),
        }
    }

    /// Whether the content type names HTML, or nothing.
    pub(crate) fn says_html(&self) -> bool {
        let mime = self.hop.header("content-type").unwrap_or("").split(';').next().unwrap_or("").trim();
        mime.is_empty() || mime.eq_ignore_ascii_case("text/html") || mime.eq_ignore_ascii_case("application/xhtml+xml")
    }
}

impl<'a> Case<'a> {
    pub(crate) fn domain(&self) -> &'a str {
        self.seen.domain.as_str()
    }

    /// The records of a question: empty when there are none, unknown when it was not answered.
    pub(crate) fn records(&self, name: &str, kind: &str) -> Result<&'a [String], Skip> {
        match self.seen.dns.answer(name, kind) {
            Some(DnsAnswer::Records(records)) => Ok(records),
            Some(DnsAnswer::NoData | DnsAnswer::NxDomain) => Ok(&[]),
            Some(DnsAnswer::Failed(failure)) => unknown(format!("{kind} of {name}: {}", describe(failure))),
            None => unknown(format!("{kind} of {name} was not asked")),
        }
    }

    /// Whether DNS says for sure that the domain has no address, so that nothing can be served there.
    fn has_no_address(&self) -> bool {
        let none = |kind: &str| {
            matches!(self.seen.dns.answer(self.domain(), kind), Some(DnsAnswer::NoData | DnsAnswer::NxDomain))
        };
        // The site may stand at another host of the domain (`www.`), and then something did answer.
        let answered = |web: &Option<WebFacts>| web.as_ref().is_some_and(|web| !web.hops.is_empty());
        none("A")
            && none("AAAA")
            && !answered(&self.seen.https)
            && !answered(&self.seen.http)
            && self.seen.tls.iter().all(|tls| matches!(tls.failure, Some(ProbeFailure::Unresolved)))
    }

    /// The page as a browser gets it.
    ///
    /// Unknown when it was not fetched, a bot wall stood before it, or the last answer is no page (404, 500); does not
    /// apply to a name without addresses.
    pub(crate) fn page(&self) -> Result<PageView<'a>, Skip> {
        if self.has_no_address() {
            return Err(Skip::NotApplicable);
        }
        let Some(facts) = &self.seen.https else { return unknown("the page was not fetched") };
        match &self.seen.http {
            // A site that refuses HTTPS and serves its page in clear is judged by that page.
            Some(http) if matches!(facts.failure, Some(ProbeFailure::Refused(_))) && page_of(http).is_ok() => {
                page_of(http)
            }
            _ => page_of(facts),
        }
    }

    /// The endpoint the page is served from: the domain's own on 443, or the first.
    pub(crate) fn main_endpoint(&self) -> Option<&'a TlsFacts> {
        let own = |tls: &&TlsFacts| tls.port == 443 && tls.host.eq_ignore_ascii_case(self.domain());
        self.seen.tls.iter().find(own).or_else(|| self.seen.tls.iter().find(|tls| tls.port == 443))
    }

    /// Whether browsers refuse the certificate of the page.
    ///
    /// An intermediate that the server forgets they fetch or remember. A good certificate of the site itself does not help
    /// a page that redirects to a place with a bad one.
    pub(crate) fn certificate_refused(&self) -> bool {
        match self.main_endpoint().and_then(|tls| tls.handshake.as_ref()) {
            Some(shaken) if !shaken.hostname_matches => true,
            Some(Handshake { trust: Err(reason), .. }) => !is_incomplete(reason),
            _ => self.seen.https.as_ref().is_some_and(|web| web.peer == Peer::Unverified),
        }
    }

    /// A verdict by the page, with less confidence and a note in the evidence when the page may be another's.
    pub(crate) fn by_page(&self, mut verdict: Verdict) -> Verdict {
        if self.page().is_ok_and(|page| page.facts.peer == Peer::Unverified) {
            verdict.confidence *= self.config.page.unverified_confidence;
            if let Some(evidence) = verdict.evidence.as_object_mut() {
                evidence.insert("peer".to_owned(), Value::from(UNVERIFIED));
            }
        }
        verdict
    }

    /// The TLS endpoints, or why there are none.
    pub(crate) fn endpoints(&self) -> Result<&'a [TlsFacts], Skip> {
        if self.has_no_address() {
            return Err(Skip::NotApplicable);
        }
        if self.seen.tls.is_empty() { unknown("TLS was not probed") } else { Ok(&self.seen.tls) }
    }
}

/// The page of a fetch, or why there is none.
pub(crate) fn page_of(facts: &WebFacts) -> Result<PageView<'_>, Skip> {
    if let Some(failure) = &facts.failure {
        return unknown(describe(failure));
    }
    let Some(hop) = facts.last() else { return unknown("no answer") };
    match hop.status {
        200..=399 | 401 | 403 => Ok(PageView { hop, facts }),
        429 => unknown("the site limits the rate of requests (429)"),
        status => unknown(format!("the page answered with status {status}")),
    }
}

/// The completed handshake of an endpoint, or why there is none.
pub(crate) fn handshake(tls: &TlsFacts) -> Result<&Handshake, Skip> {
    match (&tls.handshake, &tls.failure) {
        (Some(handshake), _) => Ok(handshake),
        (None, Some(failure)) => unknown(describe(failure)),
        (None, None) => unknown("no handshake could be completed"),
    }
}

/// Whether a chain is untrusted only because the server does not send all of it.
pub(crate) fn is_incomplete(reason: &str) -> bool {
    let words = reason.to_ascii_lowercase();
    words.contains("incomplete") || words.contains("missing intermediate")
}

/// A failed probe in words.
pub(crate) fn describe(failure: &ProbeFailure) -> String {
    match failure {
        ProbeFailure::Timeout => "timed out".to_owned(),
        ProbeFailure::Refused(detail) => format!("connection refused or reset: {}", cut(detail)),
        ProbeFailure::Unresolved => "the name does not resolve".to_owned(),
        ProbeFailure::ResolverFailed(detail) => format!("the DNS server failed: {}", cut(detail)),
        ProbeFailure::Forbidden(detail) => format!("not probed, forbidden target: {}", cut(detail)),
        ProbeFailure::BotWall(status) => format!("a bot wall answered (status {status})"),
        ProbeFailure::TlsFailed(detail) => format!("TLS failed: {}", cut(detail)),
        ProbeFailure::TooLarge(size) => format!("larger than is read ({size} bytes)"),
        ProbeFailure::TooManyRedirects => "too many redirects".to_owned(),
        ProbeFailure::Protocol(detail) => format!("protocol error: {}", cut(detail)),
    }
}

/// A text from outside, cut for evidence.
pub(crate) fn cut(text: &str) -> String {
    match text.char_indices().nth(EVIDENCE_CHARS_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// Evidence that only says what is wrong (or right).
pub(crate) fn says(text: impl AsRef<str>) -> Value {
    json!({ "observed": cut(text.as_ref()) })
}
