//! What is read from an HTML page: scripts, frames, forms, resources. Facts only; it must *not* judge or fetch anything.

use riskgraph_domain::Text;
use riskgraph_domain::observation::{FormTag, PageFacts, ScriptTag};
use sha2::{Digest, Sha256};
use url::Url;

use crate::tokens::{self, Element};

/// Elements of one kind kept of a page. Real shops have up to 200 scripts and some hundred images.
const SCRIPTS_MAX: usize = 500;
const RESOURCES_MAX: usize = 1_000;
const FRAMES_MAX: usize = 200;
const FORMS_MAX: usize = 100;
const METAS_MAX: usize = 200;
/// Longest URL or title kept, in characters. A policy in `<meta>` is kept whole.
const TEXT_MAX_CHARS: usize = 4_096;
const TITLE_MAX_CHARS: usize = 300;

/// Parts of field names that ask for a card number.
const CARD_NAMES: [&str; 8] =
    ["cardnumber", "card_number", "card-number", "cardno", "ccnumber", "cc-number", "cc_number", "ccnum"];

/// A page as read: its facts and the texts of its inline scripts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    pub facts: PageFacts,
    /// In the order of the inline scripts among `facts.scripts`.
    pub inline: Vec<String>,
    /// Every kept tag, in order.
    pub elements: Vec<Element>,
}

/// Reads a page that came from this URL; `None` when the URL is none.
#[must_use]
pub fn read(text: &str, url: &str) -> Option<Page> {
    let page_url = Url::parse(url).ok()?;
    let elements = tokens::read(text);
    let base = elements.iter().filter(|element| element.name == "base").find_map(|element| element.get("href"));
    let base_url = base.and_then(|href| page_url.join(href.trim()).ok()).unwrap_or(page_url);
    let mut reader = Reader { base: base_url, facts: PageFacts::default(), inline: Vec::new(), in_form: false };
    reader.facts.base = base.map(short);
    reader.facts.http_equivs = Some(Vec::new());
    for element in &elements {
        reader.take(element);
    }
    Some(Page { facts: reader.facts, inline: reader.inline, elements })
}

struct Reader {
    base: Url,
    facts: PageFacts,
    inline: Vec<String>,
    in_form: bool,
}

impl Reader {
    fn take(&mut self, element: &Element) {
        match element.name.as_str() {
            "form" if element.is_end => self.in_form = false,
            "script" if self.facts.scripts.len() < SCRIPTS_MAX => self.script(element),
            "iframe" | "frame" | "object" | "embed" => {
                let source = element.get("src").or_else(|| element.get("data"));
                let url = source.and_then(|source| resolve(&self.base, source));
                push(&mut self.facts.frames, FRAMES_MAX, url);
            }
            "form" => self.form(element),
            "input" => {
                self.input(element);
                self.resource(element.get("src"));
            }
            "link" if element.get("rel").is_some_and(loads) => self.resource(element.get("href")),
            "img" | "source" | "video" | "audio" | "track" => self.resource(element.get("src")),
            "meta" if self.facts.metas.len() < METAS_MAX => self.meta(element),
            "title" if self.facts.title.is_none() => {
                self.facts.title = Some(element.text.trim().chars().take(TITLE_MAX_CHARS).collect());
            }
            _ => {}
        }
    }

    fn script(&mut self, element: &Element) {
        let src = element.get("src");
        if src.is_none() {
            self.inline.push(element.text.clone());
        }
        self.facts.scripts.push(ScriptTag {
            url: src.and_then(|src| resolve(&self.base, src)),
            src: src.map(short),
            integrity: element.get("integrity").map(short),
            crossorigin: element.get("crossorigin").map(short),
            inline_sha256: src.is_none().then(|| sha256(element.text.as_bytes())),
        });
    }

    fn form(&mut self, element: &Element) {
        self.in_form = self.facts.forms.len() < FORMS_MAX;
        if !self.in_form {
            return;
        }
        let action = element.get("action").unwrap_or_default();
        self.facts.forms.push(FormTag {
            action: resolve(&self.base, action).unwrap_or_else(|| short(action)),
            method: element.get("method").unwrap_or("get").to_ascii_lowercase(),
            has_password: false,
            has_card: false,
        });
    }

    fn input(&mut self, element: &Element) {
        if let Some(form) = self.facts.forms.last_mut().filter(|_| self.in_form) {
            let kind = element.get("type").unwrap_or("");
            form.has_password |= kind.trim().eq_ignore_ascii_case("password");
            form.has_card |= asks_card(element);
        }
    }

    fn resource(&mut self, source: Option<&str>) {
        let url = source.and_then(|source| resolve(&self.base, source));
        push(&mut self.facts.resources, RESOURCES_MAX, url);
    }

    fn meta(&mut self, element: &Element) {
        let Some(content) = element.get("content") else { return };
        if let Some(name) = element.get("http-equiv") {
            let pair = (name.to_ascii_lowercase(), content.to_owned());
            self.facts.http_equivs.get_or_insert_default().push(pair.clone());
            self.facts.metas.push(pair);
        } else if let Some(name) = element.get("name") {
            self.facts.metas.push((name.to_ascii_lowercase(), content.to_owned()));
        }
    }
}

/// Whether a field takes a card number, told by `autocomplete` or its name.
#[must_use]
pub fn asks_card(element: &Element) -> bool {
    let has = |name: &str, test: &dyn Fn(&str) -> bool| {
        element.get(name).is_some_and(|value| test(&value.to_ascii_lowercase()))
    };
    let named = |value: &str| CARD_NAMES.iter().any(|part| value.contains(part));
    has("autocomplete", &|value| value.split_ascii_whitespace().any(|token| token == "cc-number"))
        || has("name", &named)
        || has("id", &named)
}

/// Whether a `<link>` of this relation makes the browser load something.
fn loads(rel: &str) -> bool {
    rel.split_ascii_whitespace().any(|token| {
        ["stylesheet", "icon", "preload", "modulepreload", "manifest", "apple-touch-icon", "prefetch"]
            .iter()
            .any(|known| token.eq_ignore_ascii_case(known))
    })
}

fn push(list: &mut Vec<String>, max: usize, url: Option<String>) {
    if let Some(url) = url
        && list.len() < max
        && !list.contains(&url)
    {
        list.push(url);
    }
}

/// The absolute URL; `data:` URLs are cut to their kind, because their content would be the page again.
pub(crate) fn resolve(base: &Url, reference: &str) -> Option<String> {
    let url = base.join(reference.trim()).ok()?;
    if url.scheme() == "data" {
        return Some("data:".to_owned());
    }
    Some(short(url.as_str()))
}

fn short(text: &str) -> String {
    text.chars().take(TEXT_MAX_CHARS).collect()
}

/// Lower-case hex SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Text {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    Text::from(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_page_loads() {
        let html = r#"<!doctype html><html><head><title> A shop </title><base href="/assets/">
            <meta http-equiv="Content-Security-Policy" content="default-src 'self'"><meta name="Generator" content="X 1">
            <script src="app.js" integrity="sha384-abc" crossorigin="anonymous"></script>
            <script>alert(1)</script><script src="//cdn.example/x.js"></script>
            <link rel="stylesheet" href="https://cdn.example/s.css"><link rel="canonical" href="/c"></head>
            <body><img src="i.png"><img src="data:image/png;base64,AAAA"><iframe src="https://pay.example/f"></iframe>
            <form action="/login" method="POST"><input type="Password"></form>
            <form action="https://pay.example/pay"><input autocomplete="billing cc-number"></form>
            <form><input name="q"></form>
            <noscript><img src="https://track.example/p.gif"><script src="https://track.example/n.js"></script></noscript>
            </body></html>"#;
        let Page { facts, inline, .. } = read(html, "https://shop.example/start/").expect("a page");
        assert_eq!(facts.title.as_deref(), Some("A shop"));
        assert_eq!(facts.base.as_deref(), Some("/assets/"));
        let urls: Vec<_> = facts.scripts.iter().map(|script| script.url.as_deref()).collect();
        assert_eq!(
            urls,
            [
                Some("https://shop.example/assets/app.js"),
                None,
                Some("https://cdn.example/x.js"),
                Some("https://track.example/n.js"),
            ]
        );
        assert_eq!(facts.scripts[0].integrity.as_deref(), Some("sha384-abc"));
        assert_eq!(facts.scripts[1].inline_sha256, Some(sha256(b"alert(1)")));
        assert_eq!(inline, ["alert(1)"]);
        assert_eq!(facts.frames, ["https://pay.example/f"]);
        let forms: Vec<_> =
            facts.forms.iter().map(|f| (f.action.as_str(), f.method.as_str(), f.has_password, f.has_card)).collect();
        assert_eq!(
            forms,
            [
                ("https://shop.example/login", "post", true, false),
                ("https://pay.example/pay", "get", false, true),
                ("https://shop.example/assets/", "get", false, false),
            ]
        );
        let resources =
            ["https://cdn.example/s.css", "https://shop.example/assets/i.png", "data:", "https://track.example/p.gif"];
        assert_eq!(facts.resources, resources);
        assert_eq!(facts.metas[0], ("content-security-policy".to_owned(), "default-src 'self'".to_owned()));
        assert_eq!(facts.metas[1].0, "generator");
        assert_eq!(facts.http_equivs.as_ref().map(Vec::len), Some(1));
    }

    #[test]
    fn bounds_hostile_pages() {
        let html = format!("{}{}", "<script src=a></script>".repeat(2_000), "<div>".repeat(20_000));
        let page = read(&html, "https://shop.example/").expect("a page");
        assert_eq!(page.facts.scripts.len(), SCRIPTS_MAX);
        assert!(read("x", "no url").is_none());
    }
}
