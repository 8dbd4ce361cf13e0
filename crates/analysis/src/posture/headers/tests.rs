use riskgraph_domain::observation::{DomainObservations, ProbeFailure};
use riskgraph_domain::posture::CheckResult::{self, Fail, Pass, Unknown, Warn};

use crate::posture::AssetProfile;
use crate::posture::fixtures::*;

#[track_caller]
fn check(id: &str, headers: &[(&str, &str)], result: impl Into<Option<CheckResult>>) {
    expect(&page_with(headers), id, result);
}

fn paying() -> AssetProfile {
    AssetProfile { payment_path: true, ..AssetProfile::default() }
}

#[test]
fn what_stands_before_the_page_is_unknown() {
    let ids = ["01", "03", "04", "05", "06", "08", "09", "10", "11", "12", "14", "15", "16", "17", "18", "24"];
    let check = |change: &dyn Fn(&mut DomainObservations)| {
        let mut seen = page_with(&[("content-security-policy", "default-src *")]);
        change(&mut seen);
        for id in ids {
            expect(&seen, &format!("HTTP-{id}"), Unknown);
        }
    };
    for failure in [
        ProbeFailure::Timeout,
        ProbeFailure::Refused("x".into()),
        ProbeFailure::BotWall(403),
        ProbeFailure::BotWall(429),
        ProbeFailure::TlsFailed("x".into()),
        ProbeFailure::TooManyRedirects,
    ] {
        check(&|s| s.https.as_mut().expect("a fetch").failure = Some(failure.clone()));
    }
    for status in [404, 429, 500, 503] {
        check(&|s| s.https.as_mut().expect("a fetch").hops[0].status = status);
    }
    check(&|s| s.https = None);
    // A login page is a page.
    let mut seen = page_with(&[]);
    seen.https.as_mut().expect("a fetch").hops[0].status = 401;
    expect(&seen, "HTTP-05", Fail);
}

#[test]
fn redirection() {
    let route = |urls: &[&str], result: CheckResult| {
        let mut seen = page_with(&[]);
        let last = urls.len() - 1;
        let hops = urls.iter().enumerate().map(|(i, url)| hop(url, if i == last { 200 } else { 301 }, &[]));
        seen.http = Some(fetched(hops.collect()));
        expect(&seen, "HTTP-02", result);
    };
    route(&["http://shop.example.com/", "https://shop.example.com/"], Pass);
    route(&["http://shop.example.com/", "https://shop.example.com/", "https://www.example.com/"], Pass);
    route(&["http://shop.example.com/", "https://www.example.com/"], Warn);
    route(&["http://shop.example.com/", "http://www.example.com/", "https://www.example.com/"], Warn);
    route(&["http://shop.example.com/"], Fail);
    route(&["http://shop.example.com/", "http://www.example.com/"], Fail);
    route(&["http://shop.example.com/", "https://shop.example.com/", "http://shop.example.com/x"], Fail);
    let failed = |failure: ProbeFailure, result: CheckResult| {
        let mut seen = page_with(&[]);
        seen.http = Some(unfetched("http://shop.example.com/", failure));
        expect(&seen, "HTTP-02", result);
    };
    failed(ProbeFailure::Refused("refused".into()), Pass);
    failed(ProbeFailure::Timeout, Unknown);
    failed(ProbeFailure::BotWall(403), Unknown);
    expect(&page_with(&[]), "HTTP-02", Unknown);
    let mut untrusted = page_with(&[]);
    untrusted.http =
        Some(fetched(vec![hop("http://shop.example.com/", 301, &[]), hop("https://shop.example.com/", 200, &[])]));
    untrusted.tls[0].handshake.as_mut().expect("a handshake").trust = Err("unknown issuer".into());
    expect(&untrusted, "HTTP-02", Fail);
}

#[test]
fn strict_transport() {
    let hsts = |value, result: CheckResult| check("HTTP-03", &[("strict-transport-security", value)], result);
    hsts("max-age=31536000; includeSubDomains", Pass);
    hsts("max-age=\"31536000\"", Pass);
    hsts("max-age=15552000", Warn);
    hsts("max-age=15551999", Fail);
    hsts("max-age=0", Fail);
    hsts("max-age=abc", Fail);
    hsts("max-age=31536000, max-age=31536000", Fail);
    check("HTTP-03", &[], Fail);
    let first = [("strict-transport-security", "max-age=1"), ("strict-transport-security", "max-age=31536000")];
    check("HTTP-03", &first, Fail);
    let form = |value, result: CheckResult| check("HTTP-17", &[("strict-transport-security", value)], result);
    form("max-age=63072000; includeSubDomains; preload", Pass);
    form("max-age=63072000; preload", Warn);
    form("max-age=abc", Warn);
    check("HTTP-17", &[], None);
    let mut untrusted = page_with(&[("strict-transport-security", "max-age=31536000")]);
    untrusted.tls[0].handshake.as_mut().expect("a handshake").hostname_matches = false;
    expect(&untrusted, "HTTP-03", Fail);
}

#[test]
fn framing() {
    let csp = "content-security-policy";
    let xfo = "x-frame-options";
    check("HTTP-04", &[], Fail);
    check("HTTP-04", &[(xfo, "DENY")], Pass);
    check("HTTP-04", &[(xfo, " SameOrigin ")], Pass);
    check("HTTP-04", &[(xfo, "ALLOW-FROM https://a.example")], Warn);
    check("HTTP-04", &[(xfo, "ALLOWALL")], Fail);
    check("HTTP-04", &[(xfo, "DENY, SAMEORIGIN")], Warn);
    check("HTTP-04", &[(xfo, "DENY"), (xfo, "DENY")], Pass);
    check("HTTP-04", &[(csp, "frame-ancestors 'none'")], Pass);
    check("HTTP-04", &[(csp, "frame-ancestors *")], Fail);
    check("HTTP-04", &[(csp, "frame-ancestors *"), (xfo, "DENY")], Fail);
    check("HTTP-04", &[(csp, "default-src 'self'"), (xfo, "DENY")], Pass);
    let mut meta = page_with(&[]);
    let page = meta.https.as_mut().and_then(|web| web.page.as_mut()).expect("a page");
    page.metas.push((csp.into(), "default-src 'self'; frame-ancestors 'none'".into()));
    expect(&meta, "HTTP-04", Fail);
}

#[test]
fn small_headers() {
    check("HTTP-05", &[], Fail);
    check("HTTP-05", &[("x-content-type-options", "NoSniff")], Pass);
    check("HTTP-05", &[("x-content-type-options", "nosniff, nosniff")], Pass);
    check("HTTP-05", &[("x-content-type-options", "sniff")], Fail);
    let referrer = |value, result: CheckResult| check("HTTP-06", &[("referrer-policy", value)], result);
    referrer("no-referrer", Pass);
    referrer("unsafe-url, Strict-Origin", Pass);
    referrer("strict-origin, unsafe-url", Fail);
    referrer("no-referrer-when-downgrade", Fail);
    referrer("nonsense", Warn);
    check("HTTP-06", &[], Pass);
    expect_for(&page_with(&[]), &paying(), "HTTP-06", Warn);
    check("HTTP-08", &[], Pass);
    check("HTTP-08", &[("cross-origin-resource-policy", "same-site")], Pass);
    check("HTTP-08", &[("cross-origin-resource-policy", "nobody")], Fail);
    let twice = [("cross-origin-resource-policy", "same-site"), ("cross-origin-resource-policy", "same-site")];
    check("HTTP-08", &twice, Fail);
    check("HTTP-09", &[("cross-origin-embedder-policy", "require-corp; report-to=\"x\"")], Pass);
    check("HTTP-09", &[("cross-origin-embedder-policy", "\"require-corp\"")], Fail);
    check("HTTP-10", &[("cross-origin-opener-policy", "same-origin")], Pass);
    check("HTTP-10", &[("cross-origin-opener-policy", "Same-Origin")], Fail);
    let open = page_with(&[("cross-origin-opener-policy", "unsafe-none")]);
    expect(&open, "HTTP-10", Pass);
    expect_for(&open, &paying(), "HTTP-10", Warn);
    check("HTTP-18", &[("server", "nginx")], Pass);
    check("HTTP-18", &[("server", "nginx/1.18.0")], Warn);
    check("HTTP-18", &[("x-powered-by", "PHP/8.1")], Warn);
}

#[test]
fn cors() {
    let check = |headers: &[(&str, &str)], result: CheckResult| {
        let mut seen = page_with(&[]);
        seen.cors = Some(fetched(vec![hop("https://shop.example.com/", 200, headers)]));
        expect(&seen, "HTTP-07", result);
    };
    let (origin, credentials) = ("access-control-allow-origin", ("access-control-allow-credentials", "true"));
    check(&[], Pass);
    check(&[(origin, "*")], Pass);
    check(&[(origin, "*"), credentials], Pass);
    check(&[(origin, "https://foreign.invalid")], Pass);
    check(&[(origin, "https://foreign.invalid"), credentials], Fail);
    check(&[(origin, "https://foreign.invalid"), ("access-control-allow-credentials", "false")], Pass);
    check(&[(origin, "null"), credentials], Fail);
    check(&[(origin, "https://www.example.com"), credentials], Pass);
    let mut seen = page_with(&[]);
    expect(&seen, "HTTP-07", Unknown);
    seen.cors = Some(unfetched("https://shop.example.com/", ProbeFailure::Timeout));
    expect(&seen, "HTTP-07", Unknown);
    seen.cors = Some(fetched(vec![hop("https://shop.example.com/", 429, &[])]));
    expect(&seen, "HTTP-07", Unknown);
}
