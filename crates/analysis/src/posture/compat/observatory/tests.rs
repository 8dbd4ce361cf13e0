//! Recorded cases of Observatory's own tests, when they are at hand, and the places where it must be wrong like it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use riskgraph_domain::observation::*;
use serde_json::Value;

use super::{Algorithm, PreloadList};
use crate::posture::fixtures::*;

fn verdict(seen: &DomainObservations) -> Option<Value> {
    super::verdict(seen, Algorithm::Six, None)
}

fn result(seen: &DomainObservations, test: &str) -> String {
    let verdict = verdict(seen).expect("a page");
    verdict["tests"][test]["result"].as_str().expect("a result").to_owned()
}

#[test]
fn is_wrong_where_observatory_is_wrong() {
    let check = |header: (&str, &str), test: &str, expected: &str| {
        assert_eq!(result(&page_with(&[header]), test), expected, "{header:?}");
    };
    let hsts = "strict-transport-security";
    check((hsts, "max-age=abc"), hsts, "hsts-implemented-max-age-at-least-six-months");
    check((hsts, "max-age=\"31536000\""), hsts, "hsts-implemented-max-age-at-least-six-months");
    check(("content-security-policy", "frame-ancestors *"), "x-frame-options", "x-frame-options-implemented-via-csp");
    let csp = "content-security-policy";
    check((csp, "default-src 'self'; script-src blob:"), csp, "csp-implemented-with-no-unsafe");
    check((csp, "default-src *.com"), csp, "csp-implemented-with-no-unsafe");
    let mut page = page_with(&[]);
    let html = page.https.as_mut().and_then(|web| web.page.as_mut()).expect("a page");
    for src in ["HTTPS://evil.net/x.js", " https://evil.net/x.js", "/\\evil/x.js"] {
        html.scripts.push(ScriptTag {
            src: Some(src.into()),
            url: None,
            integrity: None,
            crossorigin: None,
            inline_sha256: None,
        });
    }
    let expected = "sri-not-implemented-but-all-scripts-loaded-from-secure-origin";
    assert_eq!(result(&page, "subresource-integrity"), expected);
}

/// Hosts of the cases that are on browsers' lists.
const PRELOADED: &str = r#"{"bugzilla.mozilla.org":{"mode":"force-https","includeSubDomains":true},
    "facebook.com":{"mode":"force-https"},"www.facebook.com":{"mode":"force-https"},
    "cloudflare.com":{"mode":"force-https","includeSubDomains":true},"pokeinthe.io":{"mode":"force-https","includeSubDomains":true}}"#;

/// The recorded cases, when the folder of development data is there.
fn recorded() -> Option<String> {
    let root = std::env::var_os("RISKGRAPH_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    std::fs::read_to_string(root.join("posture/observatory_v6_cases.jsonl")).ok()
}

fn headers(response: &Value) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (name, value) in response["headers"].as_object().into_iter().flatten() {
        let values: Vec<&str> = match value {
            Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
            other => other.as_str().into_iter().collect(),
        };
        all.extend(values.into_iter().map(|value| (name.to_lowercase(), value.to_owned())));
    }
    all
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!("{name}=\""))? + name.len() + 2;
    tag[start..].find('"').map(|end| tag[start..start + end].to_owned())
}

/// Scripts of the small pages in the cases.
fn page_of(body: &str, equiv: &Value) -> PageFacts {
    let mut page = PageFacts::default();
    for tag in body.split("<script").skip(1) {
        let tag = tag.split('>').next().unwrap_or("");
        page.scripts.push(ScriptTag {
            src: attribute(tag, "src"),
            url: None,
            integrity: attribute(tag, "integrity"),
            crossorigin: None,
            inline_sha256: None,
        });
    }
    for (name, values) in equiv.as_object().into_iter().flatten() {
        let name = if name == "referrer-policy" { "referrer" } else { name };
        for value in values.as_array().into_iter().flatten().filter_map(Value::as_str) {
            page.metas.push((name.to_owned(), value.to_owned()));
        }
    }
    page
}

/// Observations that show what a case's session saw.
fn observations(input: &Value) -> DomainObservations {
    let hostname = input["site"]["hostname"].as_str().unwrap_or("example.com");
    let mut seen = blank(hostname);
    let auto = &input["auto"];
    let mut fetched_page = fetched(vec![]);
    let session = input["sessionUrl"].as_str().unwrap_or("https://mozilla.org/");
    let mut all = headers(auto);
    // Each test reads one response: where the https one has its own HSTS header, it is the page's.
    let transport = |pair: &(String, String)| pair.0 == "strict-transport-security";
    let own: Vec<(String, String)> = headers(&input["https"]).into_iter().filter(transport).collect();
    all.retain(|pair| own.is_empty() || !transport(pair));
    all.extend(own);
    fetched_page.hops = vec![Hop { url: session.to_owned(), status: 200, headers: all }];
    fetched_page.page = Some(page_of(input["body"].as_str().unwrap_or(""), &auto["httpEquiv"]));
    if input["https"].is_null() {
        seen.http = Some(fetched_page);
        return seen;
    }
    seen.https = Some(fetched_page);
    if input["https"]["verified"] == Value::Bool(false) {
        let mut tls = endpoint();
        tls.handshake.as_mut().expect("a handshake").trust = Err("unknown issuer".into());
        seen.tls = vec![tls];
    }
    if !input["http"].is_null() {
        let hops =
            input["httpRedirects"].as_array().into_iter().flatten().map(|step| {
                hop(step["url"].as_str().unwrap_or(""), step["status"].as_u64().unwrap_or(200) as u16, &[])
            });
        seen.http = Some(fetched(hops.collect()));
    }
    seen.cors = Some(fetched(vec![Hop { url: session.to_owned(), status: 200, headers: headers(&input["cors"]) }]));
    seen
}

#[test]
fn agrees_with_the_recorded_cases() {
    let Some(cases) = recorded() else {
        println!("skipped: no recorded cases (set RISKGRAPH_DATA)");
        return;
    };
    let names: BTreeMap<&str, &str> = BTreeMap::from([
        ("contentSecurityPolicyTest", "content-security-policy"),
        ("cookiesTest", "cookies"),
        ("crossOriginResourceSharingTest", "cross-origin-resource-sharing"),
        ("redirectionTest", "redirection"),
        ("referrerPolicyTest", "referrer-policy"),
        ("strictTransportSecurityTest", "strict-transport-security"),
        ("subresourceIntegrityTest", "subresource-integrity"),
        ("xContentTypeOptionsTest", "x-content-type-options"),
        ("xFrameOptionsTest", "x-frame-options"),
        ("crossOriginResourcePolicyTest", "cross-origin-resource-policy"),
        ("crossOriginEmbedderPolicyTest", "cross-origin-embedder-policy"),
        ("crossOriginOpenerPolicyTest", "cross-origin-opener-policy"),
    ]);
    let (mut right, mut wrong) = (0, Vec::new());
    for line in cases.lines() {
        let case: Value = serde_json::from_str(line).expect("a case");
        let name = names[case["test"].as_str().expect("a test")];
        let expected = case["expected"]["result"].as_str().expect("a result");
        // The hosts that Observatory's own tests need on the list.
        let listed = PreloadList::read(PRELOADED).expect("a list");
        let preloaded = expected.contains("preloaded").then_some(&listed);
        let seen = observations(&case["input"]);
        let got = super::verdict(&seen, Algorithm::Six, preloaded).expect("a page")["tests"][name].clone();
        if got["result"] == expected && got["pass"] == case["expected"]["pass"] {
            right += 1;
        } else {
            wrong.push(format!("{name}: {expected}, got {got}"));
        }
    }
    println!("{right} right, {} wrong\n{}", wrong.len(), wrong.join("\n"));
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), right + wrong.len(), wrong.join("\n"));
}
