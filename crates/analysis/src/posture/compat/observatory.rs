//! MDN HTTP Observatory, algorithm 6: twelve tests, score and grade, with its own words.
//!
//! The rules are Observatory's, also where we judge otherwise. The HSTS preload list is not known here, so nothing counts
//! as preloaded.

mod csp;

use riskgraph_domain::observation::{DomainObservations, Hop, PageFacts, Peer, ProbeFailure, WebFacts};
use serde_json::{Map, Value, json};

use crate::posture::headers;
use crate::posture::names::{bare, host_of, same_site};

/// Whether the page came over https.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Http,
    Https,
}

/// 180 days, where Observatory says six months.
const SIX_MONTHS_S: f64 = 15_552_000.0;
/// From here on bonuses count.
const EXTRA_CREDIT_FROM: i32 = 90;
/// What Observatory itself sends as a foreign origin.
const ITS_ORIGIN: &str = "https://http-observatory.security.mozilla.org";

/// Results and their modifiers; what is not listed is 0.
const MODIFIERS: &[(&str, i32)] = &[
    ("csp-implemented-with-no-unsafe-default-src-none", 10),
    ("csp-implemented-with-no-unsafe", 5),
    ("csp-implemented-with-insecure-scheme-in-passive-content-only", -10),
    ("csp-implemented-with-unsafe-eval", -10),
    ("csp-implemented-with-unsafe-inline", -20),
    ("csp-implemented-with-insecure-scheme", -20),
    ("csp-header-invalid", -25),
    ("csp-not-implemented", -25),
    ("csp-not-implemented-but-reporting-enabled", -25),
    ("cookies-secure-with-httponly-sessions-and-samesite", 5),
    ("cookies-without-secure-flag-but-protected-by-hsts", -5),
    ("cookies-session-without-secure-flag-but-protected-by-hsts", -10),
    ("cookies-without-secure-flag", -20),
    ("cookies-samesite-flag-invalid", -20),
    ("cookies-anticsrf-without-samesite-flag", -20),
    ("cookies-session-without-httponly-flag", -30),
    ("cookies-session-without-secure-flag", -40),
    ("cross-origin-resource-sharing-implemented-with-universal-access", -50),
    ("redirection-off-host-from-http", -5),
    ("redirection-not-to-https-on-initial-redirection", -10),
    ("redirection-not-to-https", -20),
    ("redirection-missing", -20),
    ("redirection-invalid-cert", -20),
    ("referrer-policy-private", 5),
    ("referrer-policy-unsafe", -5),
    ("referrer-policy-header-invalid", -5),
    ("hsts-implemented-max-age-less-than-six-months", -10),
    ("hsts-not-implemented", -20),
    ("hsts-header-invalid", -20),
    ("hsts-not-implemented-no-https", -20),
    ("hsts-invalid-cert", -20),
    ("sri-implemented-and-all-scripts-loaded-securely", 5),
    ("sri-implemented-and-external-scripts-loaded-securely", 5),
    ("sri-not-implemented-but-external-scripts-loaded-securely", -5),
    ("sri-implemented-but-external-scripts-not-loaded-securely", -20),
    ("sri-not-implemented-and-external-scripts-not-loaded-securely", -50),
    ("x-content-type-options-not-implemented", -5),
    ("x-content-type-options-header-invalid", -5),
    ("x-frame-options-implemented-via-csp", 5),
    ("x-frame-options-sameorigin-or-deny", 5),
    ("x-frame-options-not-implemented", -20),
    ("x-frame-options-header-invalid", -20),
    ("corp-implemented-with-same-origin", 10),
    ("corp-implemented-with-same-site", 10),
    ("corp-header-invalid", -5),
    ("coep-implemented-with-require-corp", 10),
    ("coep-implemented-with-credentialless", 10),
    ("coep-header-invalid", -5),
    ("coop-implemented-with-same-origin", 10),
    ("coop-implemented-with-same-origin-allow-popups", 10),
    ("coop-implemented-with-noopener-allow-popups", 10),
    ("coop-header-invalid", -5),
];

/// Failing results with a modifier of 0 or above do not exist; passing ones below 0 do.
const PASSES_BELOW_ZERO: &[&str] = &["csp-implemented-with-insecure-scheme-in-passive-content-only"];

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
}

/// Whether the certificate is one browsers trust.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verified {
    Yes,
    No,
}

impl<'a> Scan<'a> {
    fn of(seen: &'a DomainObservations) -> Option<Self> {
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
        })
    }

    fn first(&self, name: &str) -> Option<&'a str> {
        self.last.header(name).filter(|value| !value.is_empty())
    }

    fn metas(&self, name: &str) -> Vec<&'a str> {
        if !is_html(self.last) {
            return Vec::new();
        }
        let all = self.page.page.iter().flat_map(|page| &page.metas);
        all.filter(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str()).collect()
    }
}

fn is_html(hop: &Hop) -> bool {
    let mime = hop.header("content-type").unwrap_or("").split(';').next().unwrap_or("");
    mime.is_empty() || mime == "text/html" || mime == "application/xhtml+xml"
}

/// The verdict; `None` when the site gave no page to judge.
pub(super) fn verdict(seen: &DomainObservations) -> Option<Value> {
    let scan = Scan::of(seen)?;
    let csp = policy(&scan);
    let hsts = hsts(&scan);
    let results = [
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
        ("cross-origin-embedder-policy", embedder_policy(&scan)),
        ("cross-origin-opener-policy", opener_policy(&scan)),
    ];
    let (mut with_bonus, mut plain, mut tests) = (100, 100, Map::new());
    for (name, result) in results {
        let modifier = modifier(result);
        with_bonus += modifier;
        plain += modifier.min(0);
        let pass = modifier >= 0 || PASSES_BELOW_ZERO.contains(&result);
        tests.insert(name.to_owned(), json!({ "result": result, "modifier": modifier, "pass": pass }));
    }
    let score = if plain >= EXTRA_CREDIT_FROM { with_bonus } else { plain }.max(0);
    Some(json!({ "algorithm": 6, "score": score, "grade": grade(score), "tests": tests }))
}

fn modifier(result: &str) -> i32 {
    MODIFIERS.iter().find(|(known, _)| *known == result).map_or(0, |(_, modifier)| *modifier)
}

fn grade(score: i32) -> &'static str {
    match (score - score % 5).min(100) {
        100.. => "A+",
        90.. => "A",
        85.. => "A-",
        80.. => "B+",
        70.. => "B",
        65.. => "B-",
        60.. => "C+",
        50.. => "C",
        45.. => "C-",
        40.. => "D+",
        30.. => "D",
        25.. => "D-",
        _ => "F",
    }
}

fn policy(scan: &Scan<'_>) -> csp::CspResult {
    let header: Vec<&str> = scan.last.headers_named("content-security-policy").collect();
    let report_only = scan.first("content-security-policy-report-only");
    csp::judge(&header, &scan.metas("content-security-policy"), report_only, scan.scheme)
}

fn hsts(scan: &Scan<'_>) -> &'static str {
    let Some(hop) = scan.https else { return "hsts-not-implemented-no-https" };
    if scan.verified == Verified::No {
        return "hsts-invalid-cert";
    }
    let Some(header) = hop.header("strict-transport-security") else { return "hsts-not-implemented" };
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
    if http.hops.len() == 1 {
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
    let metas = scan.metas("referrer");
    let values: Vec<&str> = header.into_iter().chain(metas.last().copied()).collect();
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
    match scan.first("x-content-type-options") {
        None => "x-content-type-options-not-implemented",
        Some(value) if value.trim().eq_ignore_ascii_case("nosniff") => "x-content-type-options-nosniff",
        Some(_) => "x-content-type-options-header-invalid",
    }
}

fn framing(scan: &Scan<'_>, frame_ancestors: bool) -> &'static str {
    if frame_ancestors {
        return "x-frame-options-implemented-via-csp";
    }
    match scan.first("x-frame-options").map(|value| value.trim().to_lowercase()) {
        None => "x-frame-options-not-implemented",
        Some(value) if value == "deny" || value == "sameorigin" => "x-frame-options-sameorigin-or-deny",
        Some(value) if value.starts_with("allow-from") => "x-frame-options-allow-from-origin",
        Some(_) => "x-frame-options-header-invalid",
    }
}

fn cors(scan: &Scan<'_>) -> &'static str {
    let header = |name: &str| scan.cors.and_then(|hop| hop.header(name)).filter(|value| !value.is_empty());
    let Some(origin) = header("access-control-allow-origin") else {
        return "cross-origin-resource-sharing-not-implemented";
    };
    let credentials = header("access-control-allow-credentials").is_some_and(|v| v.trim().eq_ignore_ascii_case("true"));
    let reflected = origin == ITS_ORIGIN || host_of(origin).is_some_and(|host| !same_site(&host, scan.hostname));
    if origin.trim() == "*" {
        "cross-origin-resource-sharing-implemented-with-public-access"
    } else if reflected && credentials {
        "cross-origin-resource-sharing-implemented-with-universal-access"
    } else {
        "cross-origin-resource-sharing-implemented-with-restricted-access"
    }
}

fn resource_policy(scan: &Scan<'_>) -> &'static str {
    let values: Vec<&str> = scan.last.headers_named("cross-origin-resource-policy").filter(|v| !v.is_empty()).collect();
    match values.as_slice() {
        [] => "corp-not-implemented",
        [value] => match value.trim().to_lowercase().as_str() {
            "same-site" => "corp-implemented-with-same-site",
            "same-origin" => "corp-implemented-with-same-origin",
            "cross-origin" => "corp-implemented-with-cross-origin",
            _ => "corp-header-invalid",
        },
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
