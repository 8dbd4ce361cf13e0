//! MDN HTTP Observatory, algorithms 4, 5 and 6: its tests, score and grade, with its own words.
//!
//! The rules are Observatory's, also where we judge otherwise. Algorithm 4 is what its package 1.4.8 computes, 5 and 6 what
//! its source does after that. Without the list of preloaded hosts nothing counts as preloaded.

mod chart;
mod csp;
mod preload;

pub use preload::{BadPreloadList, PreloadList};

use riskgraph_domain::observation::{DomainObservations, Hop, PageFacts, Peer, ProbeFailure, WebFacts};
use serde_json::{Map, Value, json};

use crate::posture::headers;
use crate::posture::names::{bare, host_of};

/// The versions of Observatory's scoring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Algorithm {
    Four = 4,
    Five = 5,
    Six = 6,
}

/// Whether the page came over https.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

/// 180 days, where Observatory says six months.
const SIX_MONTHS_S: f64 = 15_552_000.0;
/// What Observatory itself sends as a foreign origin.
const ITS_ORIGIN: &str = "https://http-observatory.security.mozilla.org";
/// What our crawler sends in its place.
const OUR_ORIGIN: &str = "https://cors-probe.riskgraph.invalid";

/// Everything the tests look at.
struct Scan<'a> {
    hostname: &'a str,
    page: &'a WebFacts,
    last: &'a Hop,
    scheme: Scheme,
    https: Option<&'a Hop>,
    http: Option<&'a WebFacts>,
    verified: Verified,
    cors: Option<&'a Hop>,
    algorithm: Algorithm,
    preloaded: Option<&'a PreloadList>,
}

/// Whether the certificate is one browsers trust.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verified {
    Yes,
    No,
}

impl<'a> Scan<'a> {
    fn of(seen: &'a DomainObservations, algorithm: Algorithm, preloaded: Option<&'a PreloadList>) -> Option<Self> {
        let answered =
            |web: &'a Option<WebFacts>| web.as_ref().filter(|web| web.failure.is_none() && web.last().is_some());
        // Observatory reads pages behind any certificate; where ours could not be read even so, there is no verdict.
        let refused_page =
            |web: &WebFacts| matches!(web.failure, Some(ProbeFailure::TlsFailed(_) | ProbeFailure::BotWall(_)));
        if seen.https.as_ref().is_some_and(refused_page) {
            return None;
        }
        let (https, http) = (answered(&seen.https), answered(&seen.http));
        let page = https.or(http)?;
        let last = page.last()?;
        let readable =
            page.page.is_some() || !is_html(last) || page.body.as_ref().is_none_or(|body| body.size_bytes == 0);
        if !matches!(last.status, 200..=399 | 401 | 403) || !readable {
            return None;
        }
        let own = seen.tls.iter().find(|tls| tls.port == 443);
        let refused =
            own.and_then(|tls| tls.handshake.as_ref()).is_some_and(|h| h.trust.is_err() || !h.hostname_matches)
                || https.is_some_and(|web| web.peer == Peer::Unverified);
        Some(Self {
            hostname: &seen.domain,
            page,
            last,
            scheme: if https.is_some() { Scheme::Https } else { Scheme::Http },
            https: https.and_then(WebFacts::last),
            http: seen.http.as_ref().filter(|web| !web.hops.is_empty()),
            verified: if refused { Verified::No } else { Verified::Yes },
            cors: seen.cors.as_ref().filter(|web| web.failure.is_none()).and_then(WebFacts::last),
            algorithm,
            preloaded,
        })
    }

    /// A header as Node's client hands it out: several of one name are one text with commas. `None` when it is empty.
    fn joined(&self, name: &str) -> Option<String> {
        join(self.last, name).filter(|value| !value.is_empty())
    }

    /// `<meta http-equiv>` of this name; facts that do not tell the kinds apart are taken by name.
    fn equivs(&self, name: &str) -> Vec<&'a str> {
        let Some(page) = self.html() else { return Vec::new() };
        let all = page.http_equivs.as_ref().unwrap_or(&page.metas).iter();
        let named = all.filter(|(key, value)| key.trim().eq_ignore_ascii_case(name) && !value.is_empty());
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// The last `<meta name=referrer>`.
    fn meta_referrer(&self) -> Option<&'a str> {
        let page = self.html()?;
        let equiv = |pair: &(String, String)| page.http_equivs.as_ref().is_some_and(|known| known.contains(pair));
        let named = |pair: &&(String, String)| pair.0.trim().eq_ignore_ascii_case("referrer") && !pair.1.is_empty();
        page.metas.iter().rev().filter(named).find(|pair| !equiv(pair)).map(|(_, value)| value.as_str())
    }

    /// What was read of the page; its `<meta>` count only where the answer says that it is HTML.
    fn html(&self) -> Option<&'a PageFacts> {
        let mime = self.last.header("content-type").and_then(|value| value.split(';').next());
        let named = matches!(mime, Some("text/html" | "application/xhtml+xml"));
        self.page.page.as_ref().filter(|_| named)
    }
}

/// Header values as one text; of `Set-Cookie` and those that Node takes once this must not be asked.
fn join(hop: &Hop, name: &str) -> Option<String> {
    let mut values = hop.headers_named(name).map(str::trim);
    let first = values.next()?.to_owned();
    Some(values.fold(first, |all, value| format!("{all}, {value}")))
}

fn is_html(hop: &Hop) -> bool {
    let mime = hop.header("content-type").unwrap_or("").split(';').next().unwrap_or("");
    mime.is_empty() || mime == "text/html" || mime == "application/xhtml+xml"
}

/// The verdict; `None` when the site gave no page to judge.
pub(super) fn verdict(
    seen: &DomainObservations,
    algorithm: Algorithm,
    preloaded: Option<&PreloadList>,
) -> Option<Value> {
    let scan = Scan::of(seen, algorithm, preloaded)?;
    let csp = policy(&scan);
    let hsts = hsts(&scan);
    let mut results = vec![
        ("content-security-policy", csp.result),
        ("cookies", cookies(&scan, hsts)),
        ("cross-origin-resource-sharing", cors(&scan)),
        ("redirection", redirection(&scan)),
        ("referrer-policy", referrer(&scan)),
        ("strict-transport-security", hsts),
        ("subresource-integrity", integrity(&scan)),
        ("x-content-type-options", sniffing(&scan)),
        ("x-frame-options", framing(&scan, csp.frame_ancestors)),
        ("cross-origin-resource-policy", resource_policy(&scan)),
    ];
    if algorithm >= Algorithm::Six {
        results.push(("cross-origin-embedder-policy", embedder_policy(&scan)));
        results.push(("cross-origin-opener-policy", opener_policy(&scan)));
    }
    let (mut with_bonus, mut plain, mut tests) = (100, 100, Map::new());
    for (name, result) in results {
        let modifier = chart::modifier(result, algorithm);
        with_bonus += modifier;
        plain += modifier.min(0);
        let pass = modifier >= 0 || chart::PASSES_BELOW_ZERO.contains(&result);
        tests.insert(name.to_owned(), json!({ "result": result, "modifier": modifier, "pass": pass }));
    }
    let score = if plain >= chart::EXTRA_CREDIT_FROM { with_bonus } else { plain }.max(0);
    Some(json!({ "algorithm": algorithm as u8, "score": score, "grade": chart::grade(score), "tests": tests }))
}

fn policy(scan: &Scan<'_>) -> csp::CspResult {
    let header: Vec<String> = join(scan.last, "content-security-policy").into_iter().collect();
    let report_only = scan.joined("content-security-policy-report-only");
    let metas = scan.equivs("content-security-policy");
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    csp::judge(csp::Sent { header: &header, meta: &metas }, report_only.as_deref(), scan.scheme, scan.algorithm)
}

fn hsts(scan: &Scan<'_>) -> &'static str {
    let Some(hop) = scan.https else { return "hsts-not-implemented-no-https" };
    if scan.preloaded.is_some_and(|list| list.holds(scan.hostname)) {
        return "hsts-preloaded";
    }
    if scan.verified == Verified::No {
        return "hsts-invalid-cert";
    }
    let Some(header) = join(hop, "strict-transport-security") else { return "hsts-not-implemented" };
    let header: String = header.chars().take(1024).collect::<String>().to_lowercase();
    let mut ages = header.split(';').rev().filter_map(|part| part.trim().strip_prefix("max-age=").map(leading_number));
    match ages.next() {
        _ if header.contains(',') => "hsts-header-invalid",
        None => "hsts-header-invalid",
        Some(Some(age)) if age < SIX_MONTHS_S => "hsts-implemented-max-age-less-than-six-months",
        // No number at all compares as "not less": Observatory takes it for long enough.
        Some(_) => "hsts-implemented-max-age-at-least-six-months",
    }
}

/// JavaScript's `parseInt`.
fn leading_number(text: &str) -> Option<f64> {
    let text = text.trim_start();
    let end = text.char_indices().find(|&(i, c)| !(c.is_ascii_digit() || (i == 0 && (c == '-' || c == '+'))));
    text[..end.map_or(text.len(), |(i, _)| i)].parse().ok()
}

fn redirection(scan: &Scan<'_>) -> &'static str {
    let Some(http) = scan.http else { return "redirection-not-needed-no-http" };
    let is_https = |url: &str| url.starts_with("https:");
    let broken = matches!(http.failure, Some(ProbeFailure::TlsFailed(_)));
    if scan.verified == Verified::No && (broken || http.hops.iter().any(|hop| is_https(&hop.url))) {
        return "redirection-invalid-cert";
    }
    let url = |place: usize| http.hops.get(place).map_or("", |hop| hop.url.as_str());
    let preloaded =
        |list: &PreloadList| http.hops.iter().all(|hop| host_of(&hop.url).is_some_and(|host| list.holds(&host)));
    if scan.preloaded.is_some_and(preloaded) {
        "redirection-all-redirects-preloaded"
    } else if http.hops.len() == 1 {
        "redirection-missing"
    } else if !http.last().is_some_and(|hop| is_https(&hop.url)) {
        "redirection-not-to-https"
    } else if url(1).starts_with("http:") {
        "redirection-not-to-https-on-initial-redirection"
    } else if url(0).starts_with("http:") && is_https(url(1)) && host_of(url(0)) != host_of(url(1)) {
        "redirection-off-host-from-http"
    } else {
        "redirection-to-https"
    }
}

fn referrer(scan: &Scan<'_>) -> &'static str {
    let header: Vec<&str> = scan.last.headers_named("referrer-policy").collect();
    let values: Vec<&str> = header.into_iter().chain(scan.meta_referrer()).collect();
    if values.is_empty() {
        return "referrer-policy-not-implemented";
    }
    let tokens = values.iter().flat_map(|value| value.split(',')).map(|token| token.trim().to_lowercase());
    let mut graded = tokens.rev().filter_map(|token| match token.as_str() {
        "no-referrer" | "same-origin" | "strict-origin" | "strict-origin-when-cross-origin" => {
            Some("referrer-policy-private")
        }
        "origin" | "origin-when-cross-origin" | "unsafe-url" | "no-referrer-when-downgrade" => {
            Some("referrer-policy-unsafe")
        }
        _ => None,
    });
    graded.next().unwrap_or("referrer-policy-header-invalid")
}

fn sniffing(scan: &Scan<'_>) -> &'static str {
    match scan.joined("x-content-type-options") {
        None => "x-content-type-options-not-implemented",
        Some(value) if value.trim().eq_ignore_ascii_case("nosniff") => "x-content-type-options-nosniff",
        Some(_) => "x-content-type-options-header-invalid",
    }
}

fn framing(scan: &Scan<'_>, frame_ancestors: bool) -> &'static str {
    if frame_ancestors {
        return "x-frame-options-implemented-via-csp";
    }
    match scan.joined("x-frame-options").map(|value| value.trim().to_lowercase()) {
        None => "x-frame-options-not-implemented",
        Some(value) if value == "deny" || value == "sameorigin" => "x-frame-options-sameorigin-or-deny",
        Some(value) if value.starts_with("allow-from") => "x-frame-options-allow-from-origin",
        Some(_) => "x-frame-options-header-invalid",
    }
}

fn cors(scan: &Scan<'_>) -> &'static str {
    let header = |name: &str| scan.cors.and_then(|hop| join(hop, name)).filter(|value| !value.is_empty());
    let Some(origin) = header("access-control-allow-origin") else {
        return "cross-origin-resource-sharing-not-implemented";
    };
    let credentials = header("access-control-allow-credentials").is_some_and(|v| v.trim().eq_ignore_ascii_case("true"));
    // Recordings bring the origin that was sent.
    let reflected =
        [ITS_ORIGIN, OUR_ORIGIN].contains(&origin.as_str()) || header("origin").is_some_and(|sent| sent == origin);
    if origin.trim() == "*" {
        "cross-origin-resource-sharing-implemented-with-public-access"
    } else if reflected && credentials {
        "cross-origin-resource-sharing-implemented-with-universal-access"
    } else {
        "cross-origin-resource-sharing-implemented-with-restricted-access"
    }
}

fn resource_policy(scan: &Scan<'_>) -> &'static str {
    let Some(value) = scan.joined("cross-origin-resource-policy") else { return "corp-not-implemented" };
    match value.trim().to_lowercase().as_str() {
        "same-site" => "corp-implemented-with-same-site",
        "same-origin" => "corp-implemented-with-same-origin",
        "cross-origin" => "corp-implemented-with-cross-origin",
        _ => "corp-header-invalid",
    }
}

/// The structured-field token of a header: `Ok(None)` when absent, `Err` when no token or sent twice.
fn token<'a>(scan: &Scan<'a>, name: &'a str) -> Result<Option<&'a str>, ()> {
    let mut values = scan.last.headers_named(name);
    match (values.next(), values.next()) {
        (None | Some(""), None) => Ok(None),
        (Some(value), None) => headers::structured::token(value).map(Some).ok_or(()),
        _ => Err(()),
    }
}

fn embedder_policy(scan: &Scan<'_>) -> &'static str {
    match token(scan, "cross-origin-embedder-policy") {
        Ok(None) => "coep-not-implemented",
        Ok(Some("require-corp")) => "coep-implemented-with-require-corp",
        Ok(Some("credentialless")) => "coep-implemented-with-credentialless",
        Ok(Some("unsafe-none")) => "coep-implemented-with-unsafe-none",
        _ => "coep-header-invalid",
    }
}

fn opener_policy(scan: &Scan<'_>) -> &'static str {
    match token(scan, "cross-origin-opener-policy") {
        Ok(None) => "coop-not-implemented",
        Ok(Some("same-origin")) => "coop-implemented-with-same-origin",
        Ok(Some("same-origin-allow-popups")) => "coop-implemented-with-same-origin-allow-popups",
        Ok(Some("noopener-allow-popups")) => "coop-implemented-with-noopener-allow-popups",
        Ok(Some("unsafe-none")) => "coop-implemented-with-unsafe-none",
        _ => "coop-header-invalid",
    }
}

mod cookies;
mod integrity;

use cookies::cookies;
use integrity::integrity;

#[cfg(test)]
mod tests;
