//! One look at a payment page: every script, frame, form target and security header, as tokens say. It must *not* know what
//! was there before.

use std::collections::{BTreeMap, BTreeSet};

use riskgraph_domain::observation::Behaviour;
use riskgraph_domain::{Text, Timestamp};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::har::Recording;
use crate::html::{self, Page, resolve, sha256};
use crate::tokens::Element;
use crate::{churn, headers, script};

/// Items of one kind kept of a page.
const ITEMS_MAX: usize = 500;
/// Handlers in attributes kept as one script.
const HANDLERS_MAX: usize = 200;

/// How a script's content is held to what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Integrity {
    None,
    /// A nonce of the page's policy: the page's author meant the tag, whatever it brings.
    Nonce,
    /// A hash in the page's policy.
    PolicyHash,
    /// `integrity=`.
    Sri,
}

impl Integrity {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Nonce => "nonce",
            Self::PolicyHash => "policy-hash",
            Self::Sri => "sri",
        }
    }
}

/// What kind of code it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScriptKind {
    External,
    Inline,
    /// `onclick=` and its like, and `javascript:` addresses, all of a page together.
    Handlers,
    /// Loaded by another script, as a recording shows.
    Injected,
}

/// One script of a page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SeenScript {
    pub kind: ScriptKind,
    /// Stays the same over builds; for inline code its shape.
    pub identity: String,
    pub url: Option<String>,
    pub host: Option<String>,
    pub integrity: Integrity,
    /// `None` when its text was not read.
    pub sha256: Option<Text>,
    pub size_bytes: u64,
    pub behaviour: Option<Behaviour>,
}

/// A frame or the target of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenTarget {
    pub identity: String,
    pub url: String,
    pub host: Option<String>,
    /// Of a form: takes a card or a password. Of a frame: is not sandboxed.
    pub sensitive: bool,
}

/// One look.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Name of the page, without what tells sessions apart.
    pub page: String,
    pub url: String,
    pub at: Timestamp,
    pub scripts: Vec<SeenScript>,
    pub frames: Vec<SeenTarget>,
    pub forms: Vec<SeenTarget>,
    /// Hosts that the page contacts otherwise (images, styles, connections).
    pub hosts: BTreeSet<String>,
    /// Normal form of the impacting headers and of policies in `<meta>`.
    pub headers: BTreeMap<String, String>,
    /// `<base href>` and `<meta http-equiv=refresh>`: they move everything else.
    pub moves: BTreeSet<String>,
    /// Why the page could not be judged this time; everything else is empty then.
    pub unseen: Option<String>,
}

/// An answer that holds a page.
#[derive(Debug, Clone, Copy)]
pub struct Visit<'a> {
    pub url: &'a str,
    pub at: Timestamp,
    pub status: u16,
    /// Names in lower case.
    pub headers: &'a [(String, String)],
    pub html: &'a str,
}

impl Snapshot {
    /// Of a page that could not be read.
    #[must_use]
    pub fn unseen(url: &str, at: Timestamp, why: impl Into<String>) -> Self {
        Self {
            page: churn::page(url),
            url: url.to_owned(),
            at,
            scripts: Vec::new(),
            frames: Vec::new(),
            forms: Vec::new(),
            hosts: BTreeSet::new(),
            headers: BTreeMap::new(),
            moves: BTreeSet::new(),
            unseen: Some(why.into()),
        }
    }

    /// Reads a visit; `body_of` gives the text of scripts that were fetched.
    #[must_use]
    pub fn read<'a>(visit: Visit<'_>, body_of: impl Fn(&str) -> Option<&'a str>) -> Self {
        if !(200..300).contains(&visit.status) {
            return Self::unseen(visit.url, visit.at, format!("the page answered with status {}", visit.status));
        }
        let Some(page) = html::read(visit.html, visit.url) else {
            return Self::unseen(visit.url, visit.at, "the address is none");
        };
        if page.elements.is_empty() {
            return Self::unseen(visit.url, visit.at, "the answer is no page");
        }
        let mut this = Self { unseen: None, ..Self::unseen(visit.url, visit.at, "") };
        this.take_headers(visit.headers, &page);
        this.take_scripts(&page, body_of);
        this.take_handlers(&page);
        this.take_targets(&page);
        this
    }

    /// Reads a recording: what scripts loaded themselves is in it too.
    #[must_use]
    pub fn of_recording(recording: &Recording, now: Timestamp) -> Self {
        let page = recording.page();
        let at = page.at.unwrap_or(now);
        let visit = Visit {
            url: &page.url,
            at,
            status: page.status,
            headers: &page.headers,
            html: page.body.as_deref().unwrap_or(""),
        };
        let mut this = Self::read(visit, |url| recording.body_of(url));
        if this.unseen.is_some() {
            return this;
        }
        let known: BTreeSet<String> = this.scripts.iter().filter_map(|script| script.url.clone()).collect();
        for answer in recording.answers.iter().take(ITEMS_MAX * 4) {
            let mime = answer.header("content-type").unwrap_or("").to_ascii_lowercase();
            let path = answer.url.split(['?', '#']).next().unwrap_or("");
            let is_script = mime.contains("javascript") || mime.contains("ecmascript") || path.ends_with(".js");
            if answer.url == page.url || known.contains(&answer.url) {
                continue;
            }
            if is_script && this.scripts.len() < ITEMS_MAX {
                let script = external(ScriptKind::Injected, &answer.url, Integrity::None, answer.body.as_deref());
                this.scripts.push(script);
            } else if let Some(host) = host(&answer.url) {
                this.hosts.insert(host);
            }
        }
        this.settle();
        this
    }

    fn take_headers(&mut self, raw: &[(String, String)], page: &Page) {
        self.headers = headers::read(raw);
        let metas = page.facts.http_equivs.iter().flatten();
        for (name, value) in metas {
            let name = name.trim();
            if name.eq_ignore_ascii_case("content-security-policy") {
                let normal = headers::normal("content-security-policy", value);
                let all = self.headers.entry("meta content-security-policy".to_owned()).or_default();
                if !all.is_empty() {
                    all.push_str(", ");
                }
                all.push_str(&normal);
            } else if name.eq_ignore_ascii_case("refresh") {
                // Without the seconds; a reload of the page itself moves nothing.
                let to = value.split_once(['=']).map_or("", |(_, to)| to.trim().trim_matches(['"', '\'']));
                if !to.is_empty() {
                    self.moves.insert(format!("refresh to {}", churn::identity(&self.absolute(to))));
                }
            }
        }
        if let Some(base) = &page.facts.base {
            let identity = churn::identity(&self.absolute(base));
            self.moves.insert(format!("base {identity}"));
        }
    }

    fn absolute(&self, reference: &str) -> String {
        let base = Url::parse(&self.url).ok();
        base.and_then(|base| base.join(reference).ok()).map_or_else(|| reference.to_owned(), |url| url.to_string())
    }

    fn take_scripts<'a>(&mut self, page: &Page, body_of: impl Fn(&str) -> Option<&'a str>) {
        let policy = self.headers.get("content-security-policy").cloned().unwrap_or_default();
        let tags = page.elements.iter().filter(|element| element.name == "script" && !element.is_end);
        for (tag, facts) in tags.zip(&page.facts.scripts).take(ITEMS_MAX) {
            if !is_code(tag.get("type")) {
                continue;
            }
            let held = integrity(tag, &policy);
            match (&facts.url, &facts.src) {
                (Some(url), _) if url.starts_with("http") => {
                    self.scripts.push(external(ScriptKind::External, url, held, body_of(url)));
                }
                // `data:` and `blob:` bring their code along; the address as written says which.
                (_, Some(src)) => self.scripts.push(inline(ScriptKind::Inline, src, held)),
                (_, None) if !tag.text.trim().is_empty() => {
                    self.scripts.push(inline(ScriptKind::Inline, &tag.text, held));
                }
                _ => {}
            }
        }
        for link in page.elements.iter().filter(|element| element.name == "link") {
            let preloads = link.get("rel").is_some_and(|rel| rel.to_ascii_lowercase().contains("modulepreload"));
            let url = link.get("href").map(|href| self.absolute(href));
            if let Some(url) = url.filter(|url| preloads && url.starts_with("http")) {
                let held = integrity(link, &policy);
                self.scripts.push(external(ScriptKind::External, &url, held, body_of(&url)));
            }
        }
        // `srcdoc` is a page of its own within this one.
        for frame in page.elements.iter().filter_map(|element| element.get("srcdoc")).take(20) {
            if let Some(inner) = html::read(frame, &self.url) {
                for text in inner.inline.iter().filter(|text| !text.trim().is_empty()) {
                    self.scripts.push(inline(ScriptKind::Inline, text, Integrity::None));
                }
                for url in inner.facts.scripts.iter().filter_map(|script| script.url.as_deref()) {
                    self.scripts.push(external(ScriptKind::External, url, Integrity::None, body_of(url)));
                }
            }
        }
        self.settle();
    }

    fn take_handlers(&mut self, page: &Page) {
        let mut code: BTreeSet<&str> = BTreeSet::new();
        for element in &page.elements {
            for (name, value) in &element.attributes {
                let runs = value.trim_start().get(..11).is_some_and(|start| start.eq_ignore_ascii_case("javascript:"));
                if (name.starts_with("on") || runs) && code.len() < HANDLERS_MAX && !value.trim().is_empty() {
                    code.insert(value.trim());
                }
            }
        }
        for text in code {
            self.scripts.push(inline(ScriptKind::Handlers, text, Integrity::None));
        }
        self.settle();
    }

    fn take_targets(&mut self, page: &Page) {
        let base = page.facts.base.as_deref().map_or_else(|| self.url.clone(), |base| self.absolute(base));
        let base = Url::parse(&base).ok();
        for element in page
            .elements
            .iter()
            .filter(|element| matches!(element.name.as_str(), "iframe" | "frame" | "object" | "embed"))
        {
            let source = element.get("src").or_else(|| element.get("data"));
            let url = source.and_then(|source| base.as_ref().and_then(|base| resolve(base, source)));
            if let Some(url) = url.filter(|url| url.starts_with("http") && self.frames.len() < ITEMS_MAX) {
                self.frames.push(target(&url, element.get("sandbox").is_none()));
            }
        }
        for form in &page.facts.forms {
            self.forms.push(target(&form.action, form.has_card || form.has_password));
        }
        let buttons = page.elements.iter().filter_map(|element| element.get("formaction"));
        for action in buttons.take(ITEMS_MAX) {
            if let Some(url) = base.as_ref().and_then(|base| resolve(base, action)) {
                self.forms.push(target(&url, true));
            }
        }
        let own = host(&self.url);
        let resources = page.facts.resources.iter().filter_map(|url| host(url));
        self.hosts.extend(resources.filter(|host| Some(host) != own.as_ref()));
        let hints = page.elements.iter().filter(|element| {
            element.name == "link"
                && element.get("rel").is_some_and(|rel| rel.to_ascii_lowercase().contains("preconnect"))
        });
        let hinted: Vec<String> = hints.filter_map(|link| host(&self.absolute(link.get("href")?))).collect();
        self.hosts.extend(hinted);
        self.frames.dedup();
        self.forms.dedup();
    }

    /// One entry for each script, in an order that does not depend on the page's.
    fn settle(&mut self) {
        self.scripts.sort_by(|a, b| (&a.identity, &a.url, &a.sha256).cmp(&(&b.identity, &b.url, &b.sha256)));
        self.scripts.dedup_by(|a, b| a.identity == b.identity && a.url == b.url && a.sha256 == b.sha256);
        self.scripts.truncate(ITEMS_MAX);
    }
}

/// Whether a browser runs a script of this type; data blocks are no code.
fn is_code(kind: Option<&str>) -> bool {
    let kind = kind.unwrap_or("").split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    kind.is_empty()
        || kind == "module"
        || kind == "importmap"
        || kind.contains("javascript")
        || kind.contains("ecmascript")
        || kind == "text/jscript"
}

fn integrity(tag: &Element, policy: &str) -> Integrity {
    if tag.get("integrity").is_some_and(|value| value.contains("sha")) {
        Integrity::Sri
    } else if tag.get("nonce").is_some() && policy.contains("'nonce-*'") {
        Integrity::Nonce
    } else if tag.get("src").is_none() && policy.contains("-*'") && policy.contains("'sha") {
        Integrity::PolicyHash
    } else {
        Integrity::None
    }
}

fn external(kind: ScriptKind, url: &str, integrity: Integrity, text: Option<&str>) -> SeenScript {
    SeenScript {
        kind,
        identity: churn::identity(url),
        url: Some(url.to_owned()),
        host: host(url),
        integrity,
        sha256: text.map(|text| sha256(text.as_bytes())),
        size_bytes: text.map_or(0, str::len) as u64,
        behaviour: text.map(script::read),
    }
}

fn inline(kind: ScriptKind, text: &str, integrity: Integrity) -> SeenScript {
    let behaviour = script::read(text);
    let name = match kind {
        ScriptKind::Handlers => "handler",
        _ => "inline",
    };
    SeenScript {
        kind,
        identity: format!("{name}:{}", behaviour.shape.get(..16).unwrap_or("")),
        url: None,
        host: None,
        integrity,
        sha256: Some(sha256(text.as_bytes())),
        size_bytes: text.len() as u64,
        behaviour: Some(behaviour),
    }
}

fn target(url: &str, sensitive: bool) -> SeenTarget {
    SeenTarget { identity: churn::identity(url), url: url.to_owned(), host: host(url), sensitive }
}

/// The host of an address, in lower case.
#[must_use]
pub fn host(url: &str) -> Option<String> {
    Url::parse(url).ok()?.host_str().map(str::to_ascii_lowercase)
}
