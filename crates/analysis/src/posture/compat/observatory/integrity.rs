//! Observatory's test of subresource integrity, over script sources as written.

use std::borrow::Cow;

use url::Url;

use super::{Algorithm, PageFacts, Scan, Scheme, bare, host_of, is_html};

/// From best to worst; only a worse result replaces an earlier one.
const ORDER: &[&str] = &[
    "sri-implemented-and-all-scripts-loaded-securely",
    "sri-implemented-and-external-scripts-loaded-securely",
    "sri-implemented-but-external-scripts-not-loaded-securely",
    "sri-not-implemented-but-external-scripts-loaded-securely",
    "sri-not-implemented-and-external-scripts-not-loaded-securely",
];

pub(super) fn integrity(scan: &Scan<'_>) -> &'static str {
    // Algorithm 4 takes an answer that names no type for something else than a page.
    let unnamed = scan.last.header("content-type").is_none_or(|value| value.starts_with(';') || value.is_empty());
    if !is_html(scan.last) || (unnamed && scan.algorithm == Algorithm::Four) {
        return "sri-not-implemented-response-not-html";
    }
    let none = PageFacts::default();
    let page = scan.page.page.as_ref().unwrap_or(&none);
    if page.scripts.is_empty() {
        return "sri-not-implemented-but-no-scripts-loaded";
    }
    let (mut worst, mut foreign): (Option<usize>, bool) = (None, false);
    for script in &page.scripts {
        let Some(written) = script.src.as_deref() else { continue };
        let src = match scan.algorithm {
            Algorithm::Four => reflected(written, page.base.as_deref()),
            _ => Cow::Borrowed(written),
        };
        let src = src.as_ref();
        if src.is_empty() {
            continue;
        }
        let pinned = script.integrity.as_deref().is_some_and(|integrity| !integrity.is_empty());
        let relative_protocol = src.strip_prefix("//").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
        let full = src.starts_with("http://") || src.starts_with("https://");
        let relative = !relative_protocol && !full;
        let own = full && icann_domain(src) == icann_domain_of_host(scan.hostname);
        let secure = src.starts_with("https://") || (relative && scan.scheme == Scheme::Https);
        if relative || own {
            if pinned && secure && worst.is_none() {
                worst = Some(0);
            }
            continue;
        }
        foreign = true;
        let place = match (pinned, secure) {
            (true, true) => None,
            (true, false) => Some(2),
            (false, true) => Some(3),
            (false, false) => Some(4),
        };
        worst = worst.max(place);
    }
    match worst.and_then(|place| ORDER.get(place)) {
        Some(result) => result,
        None if foreign => "sri-implemented-and-external-scripts-loaded-securely",
        None => "sri-not-implemented-but-all-scripts-loaded-from-secure-origin",
    }
}

/// What the `src` property of a script says in a document without an address, which is what algorithm 4 reads: absolute
/// where it can be made so, else as written.
fn reflected<'a>(written: &'a str, base: Option<&str>) -> Cow<'a, str> {
    let base = base.and_then(|href| Url::parse(href.trim()).ok());
    let absolute = match base {
        Some(base) => base.join(written).ok(),
        None => Url::parse(written.trim_matches(|c: char| c <= ' ')).ok(),
    };
    absolute.map_or(Cow::Borrowed(written), |url| Cow::Owned(url.to_string()))
}

fn icann_domain(url: &str) -> Option<String> {
    host_of(url).and_then(|host| icann_domain_of_host(&host))
}

/// The registrable domain under the suffixes of registries alone, without those of companies (`github.io`).
fn icann_domain_of_host(host: &str) -> Option<String> {
    let host = bare(host);
    if host.parse::<std::net::IpAddr>().is_ok() {
        return None;
    }
    let mut suffix = psl::suffix_str(&host)?;
    while psl::suffix(suffix.as_bytes()).and_then(|found| found.typ()) == Some(psl::Type::Private) {
        let (_, parent) = suffix.split_once('.')?;
        suffix = psl::suffix_str(parent)?;
    }
    let before = host.strip_suffix(suffix)?.strip_suffix('.')?;
    let label = before.rsplit('.').next()?;
    Some(format!("{label}.{suffix}"))
}
