//! What a crawler saw, as plain facts: no judgement. Checks read these; the crawler writes them.
//!
//! Every probe says what it got or why it got nothing. A check turns "got nothing" into `unknown`, never into `fail`.

mod aliases;
mod servers;

pub use aliases::{AliasFacts, AliasPage};
pub use servers::{
    Delegation, Edns, EdnsReply, MailHost, Probe, Recursion, Registration, ServerProbes, ServerVersion, Signature,
    StartTls, Transfer,
};

use serde::{Deserialize, Serialize};

use crate::known::KnownFacts;
use crate::lookalike::LookalikeFacts;
use crate::text::Text;
use crate::time::Timestamp;

mod tls;

pub use tls::{
    CertificateFacts, DhGroup, FallbackProbe, Handshake, KeyExchange, Preference, RevocationProbe, RevocationSource,
    RevocationState, ServedChain, TlsFacts, TlsFeatures, VersionProbe,
};

/// Everything one crawl of one domain saw.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DomainObservations {
    /// Registrable or host name as asked for, lower case, IDNA.
    pub domain: Text,
    pub started_at: Timestamp,
    pub finished_at: Timestamp,
    pub dns: DnsFacts,
    /// One per probed host and port.
    pub tls: Vec<TlsFacts>,
    /// The page over HTTPS, after redirects.
    pub https: Option<WebFacts>,
    /// The page over plain HTTP, after redirects.
    pub http: Option<WebFacts>,
    /// Small files at well-known places (`/.well-known/security.txt`, the MTA-STS policy), by URL.
    pub files: Vec<WebFacts>,
    /// The answer to a cross-origin request with a foreign `Origin`, for the CORS check.
    pub cors: Option<WebFacts>,
    /// Names that look like the domain; `None` when nobody looked for them.
    #[serde(default)]
    pub lookalikes: Option<LookalikeFacts>,
    /// What the operator's files say about the domain; `None` when nobody looked it up.
    #[serde(default)]
    pub known: Option<KnownFacts>,
    /// Mail exchangers that were spoken to, at most 4.
    #[serde(default)]
    pub mail_hosts: Vec<MailHost>,
    /// Hosts of the domain that are aliases of names elsewhere, at most 16.
    #[serde(default)]
    pub aliases: Vec<AliasFacts>,
}

/// Why a probe has no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "failure", content = "detail")]
pub enum ProbeFailure {
    Timeout,
    /// Connection refused or reset.
    Refused(String),
    /// The name does not resolve.
    Unresolved,
    /// The DNS server answered SERVFAIL, REFUSED or nothing usable.
    ResolverFailed(String),
    /// Our own guard: a private, loopback or otherwise forbidden target.
    Forbidden(String),
    /// 429, 403 or 503 with a bot wall's marks: the site does not let robots look.
    BotWall(u16),
    /// TLS handshake failed in a way that says nothing about the certificate.
    TlsFailed(String),
    /// Larger or slower than we read.
    TooLarge(u64),
    TooManyRedirects,
    Protocol(String),
}

/// The answer to one DNS question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer", content = "data")]
pub enum DnsAnswer {
    /// Record data in presentation form (TXT strings joined, in the resolver's order).
    Records(Vec<String>),
    NoData,
    NxDomain,
    Failed(ProbeFailure),
}

/// One DNS question and its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookup {
    /// Lower case, without the final dot.
    pub name: Text,
    /// `A`, `AAAA`, `NS`, `MX`, `TXT`, `CNAME`, `CAA`, `SOA`, `DS`, `DNSKEY`, `TLSA`, `PTR`.
    pub kind: Text,
    pub answer: DnsAnswer,
}

/// What DNS said about a domain. The crawler follows SPF includes and redirects (at most 30 names) and asks for the
/// DMARC, MTA-STS, TLS-RPT and MX names, so that mail policy can be judged from these lookups alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DnsFacts {
    pub lookups: Vec<Lookup>,
    pub name_servers: Vec<NameServer>,
    pub dnssec: Dnssec,
    /// What the parent says; `None` when it was not asked.
    #[serde(default)]
    pub delegation: Probe<Delegation>,
    /// Signatures over the zone's SOA and keys, at most 16.
    #[serde(default)]
    pub signatures: Vec<Signature>,
    /// Whether the zone's keys are those of the parent's DS and sign themselves; `None` without a DS or an answer.
    #[serde(default)]
    pub keys_match_ds: Option<bool>,
    /// What the registry says; `None` when no service to ask is configured.
    #[serde(default)]
    pub registration: Probe<Registration>,
}

impl DnsFacts {
    /// Nothing was asked, for this reason.
    #[must_use]
    pub fn unasked(reason: &str) -> Self {
        Self {
            lookups: Vec::new(),
            name_servers: Vec::new(),
            dnssec: Dnssec::Unknown(reason.to_owned()),
            delegation: None,
            signatures: Vec::new(),
            keys_match_ds: None,
            registration: None,
        }
    }
}

impl DnsFacts {
    /// The answer to this question, when it was asked.
    #[must_use]
    pub fn answer(&self, name: &str, kind: &str) -> Option<&DnsAnswer> {
        let name = name.trim_end_matches('.');
        self.lookups
            .iter()
            .find(|lookup| lookup.kind.as_str() == kind && lookup.name.eq_ignore_ascii_case(name))
            .map(|lookup| &lookup.answer)
    }

    /// The records of this question; empty when there are none or it was not answered.
    #[must_use]
    pub fn records(&self, name: &str, kind: &str) -> &[String] {
        match self.answer(name, kind) {
            Some(DnsAnswer::Records(records)) => records,
            _ => &[],
        }
    }
}

/// One name server of the zone, asked directly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameServer {
    pub name: Text,
    pub addresses: Vec<Text>,
    /// It is an alias (CNAME), which RFC 2181 10.3 forbids.
    pub is_alias: bool,
    /// `None` when it was not asked.
    pub udp: Option<Result<ServerReply, ProbeFailure>>,
    pub tcp: Option<Result<ServerReply, ProbeFailure>>,
    /// What more it was asked; `None` when it was asked for the SOA only.
    #[serde(default)]
    pub probes: Option<ServerProbes>,
}

/// What a name server answered to the zone's SOA.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerReply {
    pub authoritative: bool,
    pub recursion_available: bool,
    pub rcode: Text,
    pub serial: Option<u32>,
}

/// Whether the chain of trust holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "detail")]
pub enum Dnssec {
    Secure,
    /// No DS record at the parent.
    Insecure,
    Bogus(String),
    Unknown(String),
}

/// Whether the one that answered proved to be the host that was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Peer {
    /// By a certificate that verified; over plain HTTP there is nothing to verify.
    #[default]
    Verified,
    /// A certificate was refused and the fetch repeated without verification: the answer may be anybody's.
    Unverified,
}

/// What one HTTP fetch saw, hop by hop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WebFacts {
    /// URL asked for.
    pub url: String,
    /// Whether every answer is the named host's word. Facts from before this was noted were all verified.
    #[serde(default)]
    pub peer: Peer,
    /// Every answer on the way, the last is the page; empty when there was none.
    pub hops: Vec<Hop>,
    pub failure: Option<ProbeFailure>,
    pub body: Option<BodyFacts>,
    pub page: Option<PageFacts>,
}

impl WebFacts {
    /// The last answer.
    #[must_use]
    pub fn last(&self) -> Option<&Hop> {
        self.hops.last()
    }
}

/// One HTTP answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hop {
    pub url: String,
    pub status: u16,
    /// In the server's order, names in lower case.
    pub headers: Vec<(String, String)>,
}

impl Hop {
    /// The first value of this header (name in lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Every value of this header (name in lower case).
    pub fn headers_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// What is kept of a body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BodyFacts {
    pub sha256: Text,
    pub size_bytes: u64,
    /// The body was cut at our limit.
    pub truncated: bool,
    pub content_type: Option<String>,
    /// Text of small files (`security.txt`, policies); at most 64 KiB.
    pub text: Option<String>,
}

/// What is read from an HTML page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Default)]
pub struct PageFacts {
    pub title: Option<String>,
    /// `<base href>`.
    pub base: Option<String>,
    pub scripts: Vec<ScriptTag>,
    pub frames: Vec<String>,
    pub forms: Vec<FormTag>,
    /// Absolute URLs of stylesheets, images and media.
    pub resources: Vec<String>,
    /// `<meta http-equiv=... content=...>` and `<meta name=... content=...>`, names in lower case.
    pub metas: Vec<(String, String)>,
    /// Sketch of the visible text: the shares of two sketches that are equal estimate how much text two pages share.
    #[serde(default)]
    pub sketch: Vec<u32>,
    /// Those of `metas` that are `http-equiv`; `None` in facts from before they were told apart.
    #[serde(default)]
    pub http_equivs: Option<Vec<(String, String)>>,
    /// What is known of the code itself, of scripts whose text was read: inline ones and those that were fetched.
    #[serde(default)]
    pub code: Vec<CodeFacts>,
    /// Whether libraries were looked for in `code`.
    #[serde(default)]
    pub libraries_read: bool,
    /// What the ledger of a declared payment page says of it.
    #[serde(default)]
    pub standing: Option<PageStanding>,
}

/// How a declared payment page stands against its ledger.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PageStanding {
    pub n_scripts: u64,
    /// Came after the baseline and nobody authorised them.
    pub unlisted: Vec<String>,
    /// On the page without authorisation and reason.
    pub unauthorised: Vec<String>,
    /// Recent changes that a person must look at: check, subject, why.
    pub changes: Vec<(Text, String, String)>,
    /// Days since the last look, when more than the standard allows.
    pub overdue_days: Option<i64>,
}

/// What is known of the text of one script.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CodeFacts {
    /// Absolute URL; `None` of an inline script.
    pub url: Option<String>,
    pub sha256: Text,
    pub size_bytes: u64,
    pub behaviour: Behaviour,
    /// Libraries recognised in it, with what is wrong with them.
    #[serde(default)]
    pub libraries: Vec<LibraryFacts>,
}

/// What a script can do, read from its text without running it. Lists are sorted and bounded.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Behaviour {
    /// Hash of the token shape: equal for texts that differ only in literals, names of local variables and layout.
    pub shape: Text,
    /// Ways data can leave or code can come in: `fetch`, `beacon`, `websocket`, `eval`, ...
    pub sinks: Vec<String>,
    /// Where data is read: `card-fields`, `all-inputs`, `cookies`, `keystrokes`, ...
    pub sources: Vec<String>,
    /// Hosts named in it, also in encoded strings.
    pub hosts: Vec<String>,
    /// How it hides what it does: `hex-names`, `base64-code`, `char-codes`, ...
    pub obfuscation: Vec<String>,
    /// Signs of card theft, each with its weight in 0..1.
    pub indicators: Vec<(String, f64)>,
    /// Combined weight of the signs, 0..1.
    pub skimmer_score: f64,
}

/// A known library in a script.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LibraryFacts {
    pub component: String,
    pub version: String,
    /// What told it: `uri`, `filename`, `filecontent`, `hash`.
    pub detections: Vec<String>,
    pub vulnerabilities: Vec<LibraryFlaw>,
}

/// One known weakness of a library version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LibraryFlaw {
    /// `CVE-...`, `GHSA-...` and others, as the repository names them.
    pub ids: Vec<String>,
    /// `low`, `medium`, `high`, `critical`.
    pub severity: String,
    pub summary: String,
    pub at_or_above: Option<String>,
    pub below: Option<String>,
}

/// One `<script>`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScriptTag {
    /// As written.
    pub src: Option<String>,
    /// Resolved against the page and its base.
    pub url: Option<String>,
    pub integrity: Option<String>,
    pub crossorigin: Option<String>,
    /// SHA-256 of an inline script.
    pub inline_sha256: Option<Text>,
}

/// One `<form>`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FormTag {
    /// Resolved action.
    pub action: String,
    pub method: String,
    pub has_password: bool,
    /// Has a field that takes a card number (`autocomplete=cc-number` or by its name).
    pub has_card: bool,
}
