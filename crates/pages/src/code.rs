//! Facts of the scripts of a page whose text is at hand. It must *not* fetch any.

use riskgraph_domain::observation::CodeFacts;

use crate::html::{Page, sha256};
use crate::retire::{Repository, Script};
use crate::script;

/// Scripts of one page that are read.
const SCRIPTS_MAX: usize = 200;

/// Reads every script of a page: inline ones, and those of which `body_of` has the text. With a repository, libraries are
/// recognised also by the addresses of the others.
#[must_use]
pub fn read<'a>(
    page: &Page,
    body_of: impl Fn(&str) -> Option<&'a str>,
    repository: Option<&Repository>,
) -> Vec<CodeFacts> {
    let mut all = Vec::new();
    let mut inline = page.inline.iter();
    for tag in page.facts.scripts.iter().take(SCRIPTS_MAX) {
        let text = match (&tag.src, &tag.url) {
            (None, _) => inline.next().map(String::as_str).filter(|text| !text.trim().is_empty()),
            (Some(_), Some(url)) => body_of(url),
            (Some(_), None) => None,
        };
        let url = tag.url.as_deref();
        let libraries = repository.map(|known| known.scan(Script { url, text })).unwrap_or_default();
        if text.is_none() && libraries.is_empty() {
            continue;
        }
        all.push(CodeFacts {
            url: tag.url.clone(),
            sha256: text.map(|text| sha256(text.as_bytes())).unwrap_or_default(),
            size_bytes: text.map_or(0, str::len) as u64,
            behaviour: text.map(script::read).unwrap_or_default(),
            libraries,
        });
    }
    all
}

/// Reads one script that has an address; `None` when there is nothing to say of it.
#[must_use]
pub fn external(url: &str, text: Option<&str>, repository: Option<&Repository>) -> Option<CodeFacts> {
    let libraries = repository.map(|known| known.scan(Script { url: Some(url), text })).unwrap_or_default();
    if text.is_none() && libraries.is_empty() {
        return None;
    }
    Some(CodeFacts {
        url: Some(url.to_owned()),
        sha256: text.map(|text| sha256(text.as_bytes())).unwrap_or_default(),
        size_bytes: text.map_or(0, str::len) as u64,
        behaviour: text.map(script::read).unwrap_or_default(),
        libraries,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::html;

    #[test]
    fn reads_inline_and_fetched_scripts() {
        let html =
            "<script>fetch('/a')</script><script src=/b.js></script><script src=/c.js></script><script> </script>";
        let page = html::read(html, "https://shop.example/").expect("a page");
        let code = read(&page, |url| (url == "https://shop.example/b.js").then_some("document.cookie"), None);
        let got: Vec<_> = code.iter().map(|code| (code.url.is_some(), code.size_bytes)).collect();
        assert_eq!(got, [(false, 11), (true, 15)]);
        assert_eq!(code[0].behaviour.sinks, ["fetch"]);
    }
}
