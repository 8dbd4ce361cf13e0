use riskgraph_domain::observation::{DomainObservations, FormTag, PageFacts, ScriptTag};
use riskgraph_domain::posture::CheckResult::{self, Fail, Pass, Unknown, Warn};

use super::valid_integrity;
use crate::posture::fixtures::*;

const SRI: &str = "sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC";

fn script(src: &str, integrity: Option<&str>) -> ScriptTag {
    ScriptTag {
        src: Some(src.to_owned()),
        url: None,
        integrity: integrity.map(str::to_owned),
        crossorigin: None,
        inline_sha256: None,
    }
}

fn page(change: impl FnOnce(&mut PageFacts)) -> DomainObservations {
    let mut seen = page_with(&[]);
    change(seen.https.as_mut().and_then(|web| web.page.as_mut()).expect("a page"));
    seen
}

#[track_caller]
fn check(id: &str, src: &str, integrity: Option<&str>, result: CheckResult) {
    expect(&page(|p| p.scripts.push(script(src, integrity))), id, result);
}

#[test]
fn third_party_scripts() {
    for own in [
        "/app.js",
        "app.js",
        "https://cdn.example.com/x.js",
        "HTTPS://SHOP.EXAMPLE.COM/x.js",
        "//shop.example.com/x.js",
    ] {
        check("HTTP-11", own, None, Pass);
    }
    for foreign in [
        "https://evil.net/x.js",
        "HTTPS://evil.net/x.js",
        " https://evil.net/x.js",
        "\n\thttps://evil.net/x.js",
        "https:\\\\evil.net/x.js",
    ] {
        check("HTTP-11", foreign, None, Warn);
        check("HTTP-11", foreign, Some(SRI), Pass);
    }
    for insecure in ["http://evil.net/x.js", "//evil.net/x.js", "/\\evil.net/x.js", "\\\\evil.net/x.js"] {
        check("HTTP-11", insecure, None, Fail);
        check("HTTP-11", insecure, Some(SRI), Fail);
    }
    check("HTTP-11", "https://evil.net/x.js", Some("sha384-short"), Warn);
    check("HTTP-11", "https://evil.net/x.js", Some(""), Warn);
    // Suffixes of others are other sites.
    check("HTTP-11", "https://notexample.com/x.js", None, Warn);
    check("HTTP-11", "data:text/javascript,1", None, Pass);
    let moved = page(|p| {
        p.base = Some("https://evil.net/".into());
        p.scripts.push(script("x.js", None));
    });
    expect(&moved, "HTTP-11", Warn);
    assert!(valid_integrity(&format!("md5-x {SRI}?opt")));
    assert!(!valid_integrity("sha1-abc"));
}

#[test]
fn pages_that_were_not_read() {
    let mut seen = page_with(&[]);
    seen.https.as_mut().expect("a fetch").page = None;
    expect(&seen, "HTTP-11", Unknown);
    let mut json = page_with(&[]);
    let web = json.https.as_mut().expect("a fetch");
    web.page = None;
    web.hops[0].headers = vec![("content-type".into(), "application/json".into())];
    for id in ["HTTP-11", "HTTP-24", "PAY-08"] {
        expect(&json, id, None);
    }
}

#[test]
fn mixed_content() {
    check("HTTP-24", "http://shop.example.com/x.js", None, Fail);
    check("HTTP-24", "HTTP://evil.net/x.js", None, Fail);
    check("HTTP-24", "https://evil.net/x.js", None, Pass);
    expect(&page(|p| p.frames.push("http://frames.example/".into())), "HTTP-24", Fail);
    expect(&page(|p| p.resources.push("http://a.example/s.css?v=1".into())), "HTTP-24", Fail);
    expect(&page(|p| p.resources.push("http://a.example/i.png".into())), "HTTP-24", Pass);
    let mut upgraded = page_with(&[("content-security-policy", "upgrade-insecure-requests")]);
    upgraded.https.as_mut().and_then(|w| w.page.as_mut()).expect("a page").frames.push("http://x.example/".into());
    expect(&upgraded, "HTTP-24", Pass);
}

#[test]
fn forms() {
    let check = |action: &str, has_card: bool, has_password: bool, result: CheckResult| {
        let form = FormTag { action: action.into(), method: "post".into(), has_password, has_card };
        expect(&page(|p| p.forms.push(form)), "PAY-08", result);
    };
    check("https://shop.example.com/pay", true, false, Pass);
    check("/pay", true, true, Pass);
    check("http://shop.example.com/pay", true, false, Fail);
    check("https://collect.evil.net/pay", true, false, Fail);
    check("https://login.example.net/", false, true, Warn);
    check("http://shop.example.com/login", false, true, Fail);
    check("http://search.example.net/", false, false, Pass);
    check("javascript:pay()", true, false, Fail);
    expect(&page_with(&[]), "PAY-08", Pass);
}
