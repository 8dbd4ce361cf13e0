use serde_json::{Value, json};

use super::*;

fn entry(url: &str, status: u16, headers: &[(&str, &str)], body: &str) -> Value {
    let headers: Vec<Value> = headers.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
    json!({
        "startedDateTime": "2026-03-01T10:00:00.000Z",
        "request": { "method": "GET", "url": url, "headers": [] },
        "response": { "status": status, "headers": headers, "content": { "text": body, "mimeType": "x" } },
    })
}

fn read(entries: Vec<Value>) -> Result<Recording, BadHar> {
    Recording::read(json!({ "log": { "entries": entries } }).to_string().as_bytes())
}

const HTML: (&str, &str) = ("Content-Type", "text/html; charset=utf-8");

#[test]
fn reads_a_visit_with_its_redirects() {
    let recording = read(vec![
        entry("http://shop.example/", 301, &[("Location", "https://shop.example/")], ""),
        entry("https://shop.example/", 302, &[("location", "/start"), ("set-cookie", "a=1\nb=2")], ""),
        entry("https://shop.example/start", 200, &[HTML], "<script src=a.js></script>"),
        entry("https://shop.example/a.js", 200, &[("content-type", "text/javascript")], "1"),
    ])
    .expect("a recording");
    let seen = recording.observations(Timestamp(5));
    assert_eq!(seen.domain.as_str(), "shop.example");
    assert_eq!(seen.started_at.to_rfc3339(), "2026-03-01T10:00:00.000Z");
    let hops = |web: &Option<WebFacts>| web.as_ref().map_or(0, |web| web.hops.len());
    assert_eq!((hops(&seen.http), hops(&seen.https)), (3, 2));
    let https = seen.https.expect("a page");
    assert_eq!(https.hops[0].headers_named("set-cookie").count(), 2);
    let scripts = https.page.expect("HTML").scripts;
    assert_eq!(scripts[0].url.as_deref(), Some("https://shop.example/a.js"));
    assert_eq!(recording.body_of("https://shop.example/a.js"), Some("1"));
}

#[test]
fn finds_the_page_among_other_answers() {
    let check = |entries: Vec<Value>, want: Result<&str, BadHar>| {
        let got = read(entries).map(|recording| recording.page().url.clone());
        assert_eq!(got, want.map(str::to_owned));
    };
    let page = || entry("https://shop.example/pay", 200, &[HTML], "x");
    let pixel = entry("https://t.example/p", 302, &[("location", "https://t.example/q")], "");
    check(vec![pixel.clone(), page()], Ok("https://shop.example/pay"));
    check(
        vec![entry("https://shop.example/a.js", 200, &[("content-type", "text/javascript")], ""), page()],
        Ok("https://shop.example/pay"),
    );
    check(vec![entry("https://shop.example/x", 0, &[], ""), page()], Ok("https://shop.example/pay"));
    check(
        vec![entry("https://shop.example/api", 200, &[("content-type", "application/json")], "{}")],
        Ok("https://shop.example/api"),
    );
    check(vec![], Err(BadHar::NoPage));
    assert!(matches!(Recording::read(b"{}"), Err(BadHar::Unreadable(_))));
}

#[test]
fn plain_and_cross_origin_visits_are_found() {
    let mut probe = entry("https://shop.example/", 200, &[("access-control-allow-origin", "https://a.example")], "");
    probe["request"]["method"] = json!("OPTIONS");
    probe["request"]["headers"] = json!([{ "name": "Origin", "value": "https://a.example" }]);
    let seen = read(vec![
        entry("https://shop.example/", 200, &[HTML], ""),
        entry("http://shop.example/", 200, &[HTML], ""),
        probe,
    ])
    .expect("a recording")
    .observations(Timestamp(0));
    assert_eq!(seen.http.map(|web| web.hops.len()), Some(1));
    let cors = seen.cors.expect("a probe");
    assert_eq!(cors.hops[0].header("origin"), Some("https://a.example"));
    let plain = read(vec![entry("http://shop.example/", 200, &[HTML], "")]).expect("a recording");
    let seen = plain.observations(Timestamp(0));
    assert!(seen.https.is_some_and(|web| web.failure.is_some()) && seen.http.is_some());
}

#[test]
fn reads_encoded_bodies() {
    let mut page = entry("https://shop.example/", 200, &[HTML], "PHA+aGk8L3A+");
    page["response"]["content"]["encoding"] = json!("base64");
    let recording = read(vec![page]).expect("a recording");
    assert_eq!(recording.page().body.as_deref(), Some("<p>hi</p>"));
}
