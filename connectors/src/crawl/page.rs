//! What is read from an HTML page: scripts, frames, forms, resources. Facts only; it must *not* judge or fetch anything.

use riskgraph_domain::observation::{FormTag, PageFacts, ScriptTag};
use scraper::{ElementRef, Html, Selector};
use sha2::{Digest, Sha256};
use url::Url;

use super::hex;
use super::{sketch, tree};

/// Elements of one kind kept of a page. Real shops have up to 200 scripts and some hundred images.
const SCRIPTS_MAX: usize = 500;
const RESOURCES_MAX: usize = 1_000;
const FRAMES_MAX: usize = 200;
const FORMS_MAX: usize = 100;
const METAS_MAX: usize = 200;
/// `<noscript>` parts whose content is read as well.
const NOSCRIPTS_MAX: usize = 50;
/// Longest attribute and title kept, in characters.
const TEXT_MAX_CHARS: usize = 4_096;
const TITLE_MAX_CHARS: usize = 300;

/// Parts of field names that ask for a card number.
const CARD_NAMES: [&str; 8] =
    ["cardnumber", "card_number", "card-number", "cardno", "ccnumber", "cc-number", "cc_number", "ccnum"];

/// Reads a page that came from this URL; `None` when the URL is none.
pub(super) fn read(bytes: &[u8], url: &str) -> Option<PageFacts> {
    let page_url = Url::parse(url).ok()?;
    let document = tree::parse(&String::from_utf8_lossy(bytes));
    let mut facts = PageFacts::default();
    let base = each(&document, "base[href]").next().and_then(|tag| attribute(tag, "href"));
    let base_url = base.as_deref().and_then(|href| page_url.join(href).ok()).unwrap_or(page_url);
    facts.base = base;
    facts.title = each(&document, "title").next().map(|tag| {
        let text: String = tag.text().collect();
        text.trim().chars().take(TITLE_MAX_CHARS).collect()
    });
    read_part(&document, &base_url, &mut facts);
    facts.sketch = sketch::of(&document);
    // With scripting on, the content of <noscript> is text to the parser; visitors without scripts get it as HTML.
    for hidden in each(&document, "noscript").take(NOSCRIPTS_MAX) {
        let inner: String = hidden.text().collect();
        read_part(&tree::parse(&inner), &base_url, &mut facts);
    }
    Some(facts)
}

fn read_part(part: &Html, base: &Url, facts: &mut PageFacts) {
    for tag in each(part, "script").take(SCRIPTS_MAX.saturating_sub(facts.scripts.len())) {
        facts.scripts.push(script(tag, base));
    }
    for tag in each(part, "iframe[src], frame[src], object[data], embed[src]") {
        let source = attribute(tag, "src").or_else(|| attribute(tag, "data"));
        push(&mut facts.frames, FRAMES_MAX, source.and_then(|source| resolve(base, &source)));
    }
    for tag in each(part, "form").take(FORMS_MAX.saturating_sub(facts.forms.len())) {
        facts.forms.push(form(tag, base));
    }
    for tag in each(part, "link[href], img[src], source[src], video[src], audio[src], track[src], input[src]") {
        let linked = tag.value().name() == "link";
        if linked && !attribute(tag, "rel").is_some_and(|rel| loads(&rel)) {
            continue;
        }
        let source = attribute(tag, if linked { "href" } else { "src" });
        push(&mut facts.resources, RESOURCES_MAX, source.and_then(|source| resolve(base, &source)));
    }
    for tag in each(part, "meta[content]").take(METAS_MAX.saturating_sub(facts.metas.len())) {
        let name = attribute(tag, "http-equiv").or_else(|| attribute(tag, "name"));
        if let (Some(name), Some(content)) = (name, attribute(tag, "content")) {
            facts.metas.push((name.to_ascii_lowercase(), content));
        }
    }
}

fn script(tag: ElementRef<'_>, base: &Url) -> ScriptTag {
    let src = attribute(tag, "src");
    let inline = src.is_none().then(|| tag.text().collect::<String>());
    ScriptTag {
        url: src.as_deref().and_then(|src| resolve(base, src)),
        src,
        integrity: attribute(tag, "integrity"),
        crossorigin: attribute(tag, "crossorigin"),
        inline_sha256: inline.map(|text| hex(&Sha256::digest(text.as_bytes()))),
    }
}

fn form(tag: ElementRef<'_>, base: &Url) -> FormTag {
    let action = attribute(tag, "action").unwrap_or_default();
    let inputs = selector("input").map(|wanted| tag.select(&wanted).collect::<Vec<_>>()).unwrap_or_default();
    let is_password = |input: &ElementRef<'_>| {
        attribute(*input, "type").is_some_and(|kind| kind.trim().eq_ignore_ascii_case("password"))
    };
    FormTag {
        action: resolve(base, &action).unwrap_or(action),
        method: attribute(tag, "method").unwrap_or_else(|| "get".to_owned()).to_ascii_lowercase(),
        has_password: inputs.iter().any(is_password),
        has_card: inputs.iter().any(|input| asks_card(*input)),
    }
}

fn asks_card(input: ElementRef<'_>) -> bool {
    let has = |name: &str, test: &dyn Fn(&str) -> bool| {
        attribute(input, name).is_some_and(|value| test(&value.to_ascii_lowercase()))
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
fn resolve(base: &Url, reference: &str) -> Option<String> {
    let url = base.join(reference.trim()).ok()?;
    if url.scheme() == "data" {
        return Some("data:".to_owned());
    }
    Some(url.to_string())
}

fn attribute(tag: ElementRef<'_>, name: &str) -> Option<String> {
    tag.value().attr(name).map(|value| value.chars().take(TEXT_MAX_CHARS).collect())
}

fn each<'a>(document: &'a Html, css: &str) -> impl Iterator<Item = ElementRef<'a>> {
    let found: Vec<_> = selector(css).map(|wanted| document.select(&wanted).collect()).unwrap_or_default();
    found.into_iter()
}

/// Our own selectors always parse; a wrong one finds nothing rather than ending the crawl.
fn selector(css: &str) -> Option<Selector> {
    let parsed = Selector::parse(css).ok();
    debug_assert!(parsed.is_some(), "{css} is no selector");
    parsed
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
        let facts = read(html.as_bytes(), "https://shop.example/start/").expect("a page");
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
        let alert = hex(&Sha256::digest(b"alert(1)"));
        assert_eq!(facts.scripts[1].inline_sha256.as_ref(), Some(&alert));
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
    }

    #[test]
    fn bounds_hostile_pages() {
        let html = format!("{}{}", "<script src=a></script>".repeat(2_000), "<div>".repeat(20_000));
        let facts = read(html.as_bytes(), "https://shop.example/").expect("a page");
        assert_eq!(facts.scripts.len(), SCRIPTS_MAX);
        assert!(read(b"x", "no url").is_none());
    }

    proptest! {
        #[test]
        fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400), text in "[<>a-z/=\"' ]{0,200}") {
            read(&bytes, "https://shop.example/");
            read(text.as_bytes(), "https://shop.example/");
        }
    }
}
