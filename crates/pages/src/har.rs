//! Recorded visits (HTTP Archive 1.2) as observations. It must *not* fetch or judge anything.
//!
//! A recording is whatever a browser or a proxy wrote down: pages behind a login, checkouts with a filled basket. What it
//! does not hold (DNS, certificates) stays unseen.

use riskgraph_domain::observation::{BodyFacts, DnsFacts, DomainObservations, Hop, Peer, ProbeFailure, WebFacts};
use riskgraph_domain::{Text, Timestamp};
use serde::Deserialize;
use url::Url;

use crate::retire::Repository;
use crate::{base64, code, html, tokens};

/// Longest recording read: half an hour of a busy shop with all bodies is below this.
pub const BYTES_MAX: usize = 128 << 20;
/// Entries read of a recording.
const ENTRIES_MAX: usize = 10_000;
/// Redirects followed inside a recording.
const REDIRECTS_MAX: usize = 10;
/// Headers read of one answer.
const HEADERS_MAX: usize = 200;
/// Bytes kept of one body, the crawler's own limit for pages.
const BODY_MAX_BYTES: usize = 2 << 20;

/// Why a recording cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadHar {
    #[error("it has {0} bytes; at most {BYTES_MAX} are read")]
    TooLarge(usize),
    #[error("it is no HTTP Archive: {0}")]
    Unreadable(String),
    #[error("it holds no page: no answer is a document")]
    NoPage,
}

/// One answer of a recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub url: String,
    pub status: u16,
    pub method: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub request_headers: Vec<(String, String)>,
    pub at: Option<Timestamp>,
    pub body: Option<String>,
    /// Whether the recorder says that this is a document, or something else.
    pub is_document: bool,
    pub is_resource: bool,
    /// `GET` of a frame or of the page itself, as the recorder numbers pages.
    pub page: String,
}

impl Answer {
    /// The first value of this header (name in lower case).
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether it is surely something that pages load and no page itself.
    fn is_part(&self) -> bool {
        let mime = self.header("content-type").unwrap_or("").to_ascii_lowercase();
        let part = ["image/", "font/", "audio/", "video/", "text/css", "text/javascript", "application/javascript"];
        self.is_resource || part.iter().any(|start| mime.starts_with(start))
    }

    fn is_html(&self) -> bool {
        let mime = self.header("content-type").unwrap_or("").split(';').next().unwrap_or("").trim();
        mime.eq_ignore_ascii_case("text/html") || mime.eq_ignore_ascii_case("application/xhtml+xml")
    }

    fn hop(&self) -> Hop {
        Hop { url: self.url.clone(), status: self.status, headers: self.headers.clone() }
    }

    fn location(&self) -> Option<String> {
        if !matches!(self.status, 301 | 302 | 303 | 307 | 308) {
            return None;
        }
        Url::parse(&self.url).ok()?.join(self.header("location")?).ok().map(|url| url.to_string())
    }
}

/// A recording: the page that was visited and everything it loaded.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    pub answers: Vec<Answer>,
    /// Places in `answers` of the visit's redirects, the page last.
    route: Vec<usize>,
}

impl Recording {
    /// Reads a recording.
    ///
    /// # Errors
    /// When it is too large, not in the format, or holds no document.
    pub fn read(bytes: &[u8]) -> Result<Self, BadHar> {
        if bytes.len() > BYTES_MAX {
            return Err(BadHar::TooLarge(bytes.len()));
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let file: File = serde_json::from_slice(bytes).map_err(|error| BadHar::Unreadable(error.to_string()))?;
        let answers: Vec<Answer> = file.log.entries.into_iter().take(ENTRIES_MAX).filter_map(answer).collect();
        let start = start(&answers).ok_or(BadHar::NoPage)?;
        let route = route(&answers, start);
        Ok(Self { answers, route })
    }

    /// The answer that is the page.
    #[must_use]
    pub fn page(&self) -> &Answer {
        let place = self.route.last().copied().unwrap_or(0);
        &self.answers[place.min(self.answers.len().saturating_sub(1))]
    }

    /// The host of the page.
    #[must_use]
    pub fn host(&self) -> String {
        host(&self.page().url)
    }

    /// When the page was asked for.
    #[must_use]
    pub fn at(&self) -> Option<Timestamp> {
        self.page().at
    }

    /// The page's HTML, read.
    #[must_use]
    pub fn html(&self) -> Option<html::Page> {
        let page = self.page();
        html::read(page.body.as_deref()?, &page.url)
    }

    /// The body recorded of a URL; of several the last that has one.
    #[must_use]
    pub fn body_of(&self, url: &str) -> Option<&str> {
        self.answers.iter().rev().find(|answer| answer.url == url && answer.body.is_some())?.body.as_deref()
    }

    /// What a crawler would have written down of this visit; `now` where the recording names no time. Libraries are looked
    /// for when there is a repository.
    #[must_use]
    pub fn observations_with(&self, now: Timestamp, repository: Option<&Repository>) -> DomainObservations {
        let mut seen = self.observations(now);
        if let Some(html) = self.html() {
            let read = code::read(&html, |url| self.body_of(url), repository);
            for page in [&mut seen.https, &mut seen.http].into_iter().flatten().filter_map(|web| web.page.as_mut()) {
                page.code.clone_from(&read);
                page.libraries_read = repository.is_some();
            }
        }
        seen
    }

    /// The same without what scripts say.
    #[must_use]
    pub fn observations(&self, now: Timestamp) -> DomainObservations {
        let at = self.at().unwrap_or(now);
        let (mut http, mut https) = (None, None);
        let is_https = |place: &&usize| is_https(&self.answers[**place].url);
        let secure: Vec<usize> = self.route.iter().skip_while(|place| !is_https(place)).copied().collect();
        let starts_plain = self.route.first().is_some_and(|place| !is_https(&place));
        if starts_plain {
            http = Some(self.fetched(&self.route));
        } else if let Some(plain) = self.plain_visit() {
            http = Some(self.fetched(&route(&self.answers, plain)));
        }
        if secure.is_empty() {
            https = Some(unseen(&format!("https://{}/", self.host())));
        }
        DomainObservations {
            domain: Text::from(self.host()),
            started_at: at,
            finished_at: at,
            dns: DnsFacts::unasked("a recording holds no DNS"),
            tls: Vec::new(),
            https: https.or_else(|| Some(self.fetched(&secure))),
            http,
            files: Vec::new(),
            cors: self.cors(),
            lookalikes: None,
            known: None,
            mail_hosts: Vec::new(),
            aliases: Vec::new(),
        }
    }

    /// A visit of the page's host in clear that is not the recorded route.
    fn plain_visit(&self) -> Option<usize> {
        let host = self.host();
        let first = self.route.first().map(|place| host_of(&self.answers[*place])).unwrap_or_default();
        let wanted = |answer: &Answer| {
            let own = host_of(answer);
            answer.url.starts_with("http://") && answer.method == "GET" && (own == host || own == first)
        };
        self.answers.iter().position(wanted)
    }

    /// The answer to a request that named its origin, as the CORS probe does.
    fn cors(&self) -> Option<WebFacts> {
        let host = self.host();
        let sent = |answer: &&Answer| answer.request_headers.iter().any(|(name, _)| name == "origin");
        let own = || self.answers.iter().filter(|answer| host_of(answer) == host).filter(sent);
        let answer = own()
            .find(|answer| answer.method == "OPTIONS")
            .or_else(|| own().find(|answer| answer.url == self.page().url))?;
        let mut hop = answer.hop();
        hop.headers.extend(answer.request_headers.iter().find(|(name, _)| name == "origin").cloned());
        Some(WebFacts { hops: vec![hop], ..bare(&answer.url) })
    }

    fn fetched(&self, places: &[usize]) -> WebFacts {
        let answers = || places.iter().map(|place| &self.answers[*place]);
        let first = answers().next().map_or("", |answer| answer.url.as_str());
        let mut facts = WebFacts { hops: answers().map(Answer::hop).collect(), ..bare(first) };
        let Some(last) = answers().next_back() else { return facts };
        let text = last.body.as_deref().unwrap_or("");
        facts.body = Some(BodyFacts {
            sha256: html::sha256(text.as_bytes()),
            size_bytes: text.len() as u64,
            truncated: text.len() >= BODY_MAX_BYTES,
            content_type: last.header("content-type").map(str::to_owned),
            text: None,
        });
        if last.is_html() || last.header("content-type").is_none_or(str::is_empty) {
            facts.page = html::read(text, &last.url).map(|page| page.facts);
        }
        facts
    }
}

fn bare(url: &str) -> WebFacts {
    WebFacts { url: url.to_owned(), peer: Peer::Verified, hops: Vec::new(), failure: None, body: None, page: None }
}

fn unseen(url: &str) -> WebFacts {
    WebFacts { failure: Some(ProbeFailure::Refused("not in the recording".to_owned())), ..bare(url) }
}

fn is_https(url: &str) -> bool {
    url.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"))
}

fn host(url: &str) -> String {
    Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_ascii_lowercase)).unwrap_or_default()
}

fn host_of(answer: &Answer) -> String {
    host(&answer.url)
}

/// Where the visit begins: the first document or redirect of the first page, or the first HTML.
fn start(answers: &[Answer]) -> Option<usize> {
    let first_page = answers.first().map(|answer| answer.page.as_str());
    let opens = |answer: &Answer| {
        Some(answer.page.as_str()) == first_page
            && answer.method != "OPTIONS"
            && (answer.is_document || answer.is_html() || answer.location().is_some())
    };
    let begins = answers.iter().position(opens);
    // A redirect that leads to no document is a tracker's.
    let leads = |place: &usize| {
        let route = route(answers, *place);
        route.last().is_some_and(|last| answers[*last].is_document || answers[*last].is_html())
    };
    // What comes first was asked for by name, whatever its type, if it is not plainly a part of a page.
    let asked = answers.first().filter(|first| first.method == "GET" && !first.is_part()).map(|_| 0);
    // A redirect that leads to another host's part is a tracker's, whatever comes first.
    let stays = |place: &usize| {
        let route = route(answers, *place);
        let last = route.last().map_or(*place, |last| *last);
        let end = &answers[last];
        // One that leads out of the recording leads nowhere.
        let ends = end.location().is_none() && !end.is_part();
        end.is_html() || (ends && host_of(end) == host_of(&answers[*place]))
    };
    asked
        .filter(|place| answers[*place].location().is_none() || stays(place))
        .or_else(|| begins.filter(leads))
        .or_else(|| answers.iter().position(|answer| answer.is_document || answer.is_html()))
        .or_else(|| answers.iter().position(|answer| answer.method == "GET"))
}

fn route(answers: &[Answer], start: usize) -> Vec<usize> {
    let mut route = vec![start];
    while route.len() <= REDIRECTS_MAX {
        let Some(&last) = route.last() else { break };
        let Some(next) = answers[last].location() else { break };
        // Browsers keep the fragment to themselves.
        let next = next.split('#').next().unwrap_or("").to_owned();
        let mut order = (last + 1..answers.len()).chain(0..last);
        match order.find(|place| answers[*place].url == next && !route.contains(place)) {
            Some(place) => route.push(place),
            None => break,
        }
    }
    route
}

#[derive(Deserialize)]
struct File {
    log: Log,
}

#[derive(Deserialize)]
struct Log {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(default)]
    started_date_time: Option<String>,
    #[serde(default)]
    pageref: Option<String>,
    request: Request,
    response: Response,
    #[serde(default, rename = "_resourceType")]
    resource_type: Option<String>,
}

#[derive(Deserialize)]
struct Request {
    #[serde(default)]
    method: Option<String>,
    url: String,
    #[serde(default)]
    headers: Vec<Header>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    #[serde(default)]
    status: i64,
    #[serde(default)]
    headers: Vec<Header>,
    #[serde(default)]
    content: Option<Content>,
    #[serde(default, rename = "redirectURL")]
    redirect_url: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    name: String,
    #[serde(default)]
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    #[serde(default)]
    mime_type: Option<String>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    encoding: Option<String>,
}

/// An entry as an answer; `None` when there was none (blocked, cancelled) or its URL is none.
fn answer(entry: Entry) -> Option<Answer> {
    let status = u16::try_from(entry.response.status).ok().filter(|status| *status >= 100)?;
    let url = Url::parse(&entry.request.url).ok()?;
    if !matches!(url.scheme(), "http" | "https") {
        return None;
    }
    let mut headers = headers(entry.response.headers);
    let missing = |headers: &[(String, String)], name: &str| !headers.iter().any(|(key, _)| key == name);
    if let Some(to) = entry.response.redirect_url.filter(|to| !to.is_empty() && missing(&headers, "location")) {
        headers.push(("location".to_owned(), to));
    }
    let content = entry.response.content.unwrap_or(Content { mime_type: None, text: None, encoding: None });
    // Recorders without headers still name the type; with headers, an absent one was absent.
    if headers.is_empty()
        && let Some(mime) = content.mime_type.filter(|mime| mime.contains('/') && mime != "x-unknown")
    {
        headers.push(("content-type".to_owned(), mime));
    }
    let url = url.as_str().split('#').next().unwrap_or("").to_owned();
    Some(Answer {
        url,
        status,
        method: entry.request.method.unwrap_or_else(|| "GET".to_owned()).to_ascii_uppercase(),
        headers,
        request_headers: self::headers(entry.request.headers),
        at: entry.started_date_time.as_deref().and_then(Timestamp::parse_rfc3339),
        body: body(content.text, content.encoding.as_deref()),
        is_document: entry.resource_type.as_deref() == Some("document"),
        is_resource: entry.resource_type.as_deref().is_some_and(|kind| !kind.is_empty() && kind != "document"),
        page: entry.pageref.unwrap_or_default(),
    })
}

/// Header lines; recorders put several of one name into one value with line breaks, and HTTP/2's own names among them.
fn headers(raw: Vec<Header>) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for header in raw.into_iter().take(HEADERS_MAX).filter(|header| !header.name.starts_with(':')) {
        let name = header.name.to_ascii_lowercase();
        all.extend(header.value.split('\n').map(|value| (name.clone(), value.trim().to_owned())));
    }
    all
}

fn body(text: Option<String>, encoding: Option<&str>) -> Option<String> {
    let text = text?;
    let text = match encoding {
        Some(encoding) if encoding.eq_ignore_ascii_case("base64") => {
            String::from_utf8_lossy(&base64::decode(&text)?).into_owned()
        }
        _ => text,
    };
    Some(tokens::cut(&text, BODY_MAX_BYTES).to_owned())
}

#[cfg(test)]
mod tests;
