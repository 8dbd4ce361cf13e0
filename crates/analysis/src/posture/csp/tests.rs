use riskgraph_domain::posture::CheckResult::{self, Fail, Pass, Warn};

use super::{is_broad, is_suffix_wildcard};
use crate::posture::fixtures::*;

/// Judges a page with these policies in headers.
#[track_caller]
fn check(id: &str, policies: &[&str], result: impl Into<Option<CheckResult>>) {
    let headers: Vec<(&str, &str)> = policies.iter().map(|&p| ("content-security-policy", p)).collect();
    expect(&page_with(&headers), id, result);
}

/// Judges a page with this policy in `<meta>`.
#[track_caller]
fn check_meta(id: &str, policy: &str, result: impl Into<Option<CheckResult>>) {
    let mut seen = page_with(&[]);
    let page = seen.https.as_mut().and_then(|web| web.page.as_mut()).expect("a page");
    page.metas.push(("content-security-policy".into(), policy.into()));
    expect(&seen, id, result);
}

#[test]
fn policies() {
    for (policy, result) in [
        ("default-src 'none'", Pass),
        ("default-src 'self'", Pass),
        ("DEFAULT-SRC 'SELF'", Pass),
        ("default-src 'self'; script-src 'self' 'unsafe-inline'", Fail),
        ("default-src 'self'; script-src 'unsafe-inline' 'nonce-abc123'", Pass),
        ("default-src 'self'; script-src 'unsafe-inline' 'sha256-47DEQpj8HBSa'", Pass),
        ("default-src 'self'; script-src 'unsafe-inline' 'nonce-'", Fail),
        ("default-src 'self'; script-src 'strict-dynamic' 'nonce-abc' https: http: 'unsafe-inline'", Pass),
        ("default-src 'self'; script-src 'strict-dynamic' https:", Warn),
        ("default-src 'self'; script-src *", Fail),
        ("default-src 'self'; script-src https:", Fail),
        ("default-src 'self'; script-src https://*", Fail),
        ("default-src 'self'; script-src https://*:443", Fail),
        ("default-src 'self'; script-src data:", Fail),
        ("default-src 'self'; script-src 'self' 'unsafe-eval'", Warn),
        ("default-src 'self'; style-src 'unsafe-inline'", Warn),
        ("default-src 'self'; script-src http://cdn.example", Warn),
        // Without script-src and default-src everything runs.
        ("img-src 'self'", Fail),
        ("frame-ancestors 'none'", Fail),
        ("nonsense", Fail),
        (";;", Fail),
        ("", Fail),
        // The first directive of a name counts.
        ("script-src 'self'; script-src *; style-src 'self'", Pass),
        ("script-src-elem 'self'; script-src 'unsafe-inline'; style-src 'self'", Fail),
    ] {
        check("HTTP-01", &[policy], result);
    }
    check("HTTP-01", &[], Fail);
    check_meta("HTTP-01", "default-src 'self'", Pass);
    expect(&page_with(&[("content-security-policy-report-only", "default-src 'self'")]), "HTTP-01", Warn);
}

#[test]
fn policies_are_intersected() {
    check("HTTP-01", &["script-src 'unsafe-inline'; style-src 'self'", "script-src 'self'"], Pass);
    check("HTTP-01", &["script-src 'unsafe-inline'; style-src 'self', script-src 'self'"], Pass);
    check("HTTP-01", &["script-src *; style-src 'self'", "img-src 'self'"], Fail);
    check("HTTP-01", &["default-src * 'unsafe-inline'", "default-src 'none'"], Pass);
    // Inline by the one and anywhere by the other: neither is allowed by both.
    check("HTTP-01", &["script-src 'unsafe-inline'; style-src 'self'", "script-src https:"], Pass);
}

#[test]
fn objects_and_base() {
    check("HTTP-14", &["default-src 'self'"], Warn);
    check("HTTP-14", &["script-src 'self'; base-uri 'none'"], Warn);
    check("HTTP-14", &["default-src 'none'; base-uri 'none'"], Pass);
    check("HTTP-14", &["default-src *; object-src 'none'; base-uri 'self'"], Pass);
    check("HTTP-14", &["default-src 'none'", "base-uri 'self'"], Pass);
    check("HTTP-14", &[], None);
}

#[test]
fn script_sources() {
    check("HTTP-15", &["default-src *.com"], Fail);
    check("HTTP-15", &["script-src https://*.co.uk/x"], Fail);
    check("HTTP-15", &["script-src data:"], Fail);
    check("HTTP-15", &["script-src blob:"], Warn);
    check("HTTP-15", &["script-src *.example.com"], Pass);
    check("HTTP-15", &["script-src *.com 'strict-dynamic' 'nonce-abc'"], Pass);
    check("HTTP-15", &["script-src *.com", "script-src 'self'"], Pass);
    check("HTTP-15", &["script-src *.com", "script-src https:"], Fail);
    check("HTTP-15", &["img-src data: blob:"], Pass);
    check("HTTP-15", &[], None);
    assert!(is_suffix_wildcard("*.io") && !is_suffix_wildcard("*") && !is_suffix_wildcard("io"));
    assert!(is_broad("https://*.*") && !is_broad("https://*.example.com"));
}

#[test]
fn frame_ancestors() {
    check("HTTP-16", &["frame-ancestors 'none'"], Pass);
    check("HTTP-16", &["frame-ancestors"], Pass);
    check("HTTP-16", &["frame-ancestors 'self' https://partner.example"], Pass);
    for anyone in ["*", "https:", "http:", "https://*", "*.com"] {
        check("HTTP-16", &[&format!("frame-ancestors {anyone}")], Fail);
    }
    check("HTTP-16", &["frame-ancestors *", "frame-ancestors 'self'"], Pass);
    check("HTTP-16", &["default-src 'self'"], None);
    check_meta("HTTP-16", "default-src 'self'; frame-ancestors 'none'", Fail);
}
