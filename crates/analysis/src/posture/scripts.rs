//! Code and forms of a page that lead elsewhere. Knows no header but what switches mixed content off.

use riskgraph_domain::Severity;
use riskgraph_domain::observation::{PageFacts, ScriptTag};
use serde_json::{Value, json};
use url::Url;

use super::check::{Case, Judged, PageView, Skip, Verdict, cut};
use super::csp::Policies;
use super::names::{bare, same_site};

/// Scripts, frames and forms that are read, at most.
const TAGS_MAX: usize = 2_000;
const LISTED_MAX: usize = 20;

/// Where a script comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    pub(super) url: Url,
    /// Written without a scheme (`//host/x.js`): whoever serves the page over http serves the script so.
    pub(super) scheme_relative: bool,
    pub(super) integrity: bool,
}

impl Source {
    pub(super) fn host(&self) -> String {
        self.url.host_str().map(bare).unwrap_or_default()
    }
}

/// The page's HTML; does not apply to other pages.
fn html<'a>(case: &Case<'a>) -> Result<(PageView<'a>, &'a PageFacts), Skip> {
    let page = case.page()?;
    match page.html()? {
        Some(html) => Ok((page, html)),
        None if page.says_html() => super::check::unknown("the page was not read"),
        None => Err(Skip::NotApplicable),
    }
}

/// The base of relative URLs: the page's own, changed by `<base href>`.
fn base_of(page_url: &str, html: &PageFacts) -> Option<Url> {
    let own = Url::parse(page_url).ok()?;
    let moved = html.base.as_deref().and_then(|href| own.join(href.trim()).ok());
    Some(moved.unwrap_or(own))
}

/// Every script with a source, resolved as browsers do: case of the scheme, blanks, backslashes and `<base>` included.
pub(super) fn sources(page_url: &str, html: &PageFacts) -> Vec<Source> {
    let base = base_of(page_url, html);
    let resolve = |tag: &ScriptTag| {
        let written = tag.src.as_deref().map(str::trim).filter(|src| !src.is_empty());
        let joined = written.and_then(|src| base.as_ref().and_then(|base| base.join(src).ok()));
        let url = joined.or_else(|| tag.url.as_deref().and_then(|url| Url::parse(url).ok()))?;
        let slash = |byte: &u8| matches!(byte, b'/' | b'\\');
        let start = written.map_or(&b""[..], str::as_bytes);
        let scheme_relative = start.iter().take(2).filter(|byte| slash(byte)).count() == 2;
        let integrity = tag.integrity.as_deref().is_some_and(valid_integrity);
        matches!(url.scheme(), "http" | "https").then_some(Source { url, scheme_relative, integrity })
    };
    html.scripts.iter().take(TAGS_MAX).filter_map(resolve).collect()
}

/// Whether an integrity attribute holds at least one hash that browsers check (W3C SRI 3.5).
fn valid_integrity(text: &str) -> bool {
    text.split_ascii_whitespace().any(|item| {
        let item = item.split('?').next().unwrap_or("");
        let Some((algorithm, hash)) = item.split_once('-') else { return false };
        let bytes = match algorithm.to_ascii_lowercase().as_str() {
            "sha256" => 32_usize,
            "sha384" => 48,
            "sha512" => 64,
            _ => return false,
        };
        let body = hash.trim_end_matches('=');
        let known = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte);
        body.len() == (bytes * 4).div_ceil(3) && body.bytes().all(known)
    })
}

fn listed<'a>(urls: impl Iterator<Item = &'a str>) -> Vec<String> {
    urls.take(LISTED_MAX).map(cut).collect()
}

/// HTTP-11: scripts from other sites are fetched over https and pinned by a hash.
pub(super) fn integrity(case: &Case<'_>) -> Judged {
    let (page, html) = html(case)?;
    let own = super::names::host_of(&page.hop.url).unwrap_or_else(|| case.domain().to_owned());
    let sources = sources(&page.hop.url, html);
    let foreign: Vec<&Source> = sources.iter().filter(|source| !same_site(&source.host(), &own)).collect();
    let insecure: Vec<&str> =
        foreign.iter().filter(|s| s.url.scheme() == "http" || s.scheme_relative).map(|s| s.url.as_str()).collect();
    let unpinned: Vec<&str> = foreign.iter().filter(|s| !s.integrity).map(|s| s.url.as_str()).collect();
    let evidence = json!({
        "third_party_scripts": foreign.len(),
        "insecure": listed(insecure.iter().copied()), "without_integrity": listed(unpinned.iter().copied()),
    });
    Ok(if !insecure.is_empty() {
        Verdict::fail(evidence)
    } else if !unpinned.is_empty() {
        Verdict::warn(evidence)
    } else {
        Verdict::pass(evidence)
    })
}

/// HTTP-24: an https page loads no scripts, frames or styles over http, not even from its own site.
pub(super) fn mixed_content(case: &Case<'_>) -> Judged {
    let (page, html) = html(case)?;
    if !page.is_https() {
        return Err(Skip::NotApplicable);
    }
    let plain = |url: &&str| url.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("http://"));
    let sources = sources(&page.hop.url, html);
    let scripts = sources.iter().map(|source| source.url.as_str());
    let frames = html.frames.iter().take(TAGS_MAX).map(|frame| frame.trim());
    let is_style =
        |url: &&str| url.split(['?', '#']).next().is_some_and(|path| path.to_ascii_lowercase().ends_with(".css"));
    let styles = html.resources.iter().take(TAGS_MAX).map(String::as_str).filter(is_style);
    let active: Vec<&str> = scripts.chain(frames).chain(styles).filter(plain).collect();
    let evidence = json!({ "over_http": listed(active.iter().copied()) });
    Ok(if active.is_empty() {
        Verdict::pass(evidence)
    } else if Policies::of(&page).has("upgrade-insecure-requests") {
        Verdict::pass(json!({ "upgraded": listed(active.iter().copied()) }))
    } else {
        Verdict::fail(evidence)
    })
}

/// PAY-08: forms with card numbers or passwords send them over https, and cards not to another site.
pub(super) fn forms(case: &Case<'_>) -> Judged {
    let (page, html) = html(case)?;
    let own = super::names::host_of(&page.hop.url).unwrap_or_else(|| case.domain().to_owned());
    let base = base_of(&page.hop.url, html);
    let (mut wrong, mut weak): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    for form in html.forms.iter().take(TAGS_MAX).filter(|form| form.has_card || form.has_password) {
        let Some(action) = base.as_ref().and_then(|base| base.join(form.action.trim()).ok()) else { continue };
        let shown = json!({ "action": cut(action.as_str()), "card": form.has_card });
        let host = action.host_str().map(bare).unwrap_or_default();
        if action.scheme() != "https" {
            wrong.push(shown);
        } else if !same_site(&host, &own) {
            if form.has_card { wrong.push(shown) } else { weak.push(shown) }
        }
    }
    let evidence = json!({ "forms": html.forms.len(), "wrong": wrong, "elsewhere": weak });
    Ok(if !wrong.is_empty() {
        // A payment provider's own page may be meant; the confidence is not full.
        Verdict::fail(evidence).confidence(0.8)
    } else if !weak.is_empty() {
        Verdict::warn(evidence).severity(Severity::Medium).confidence(0.5)
    } else {
        Verdict::pass(evidence)
    })
}

#[cfg(test)]
mod tests;
