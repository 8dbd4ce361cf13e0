use proptest::prelude::*;
use riskgraph_domain::FaultCode;
use serde_json::{Value, json};

use super::{Format, decode_line};

/// The decoded events as JSON, or the code of the refusal.
fn decoded(format: Format, line: &str) -> Result<Vec<Value>, FaultCode> {
    let mut events = Vec::new();
    decode_line(format, line.as_bytes(), &mut events).map_err(|(code, reason)| {
        assert!(!reason.is_empty() && events.is_empty());
        code
    })?;
    Ok(events.iter().map(|event| serde_json::to_value(event).expect("an event is JSON")).collect())
}

/// Checks that one event comes out and has at least the wanted fields.
fn check(line: &str, want: Value) {
    let events = decoded(Format::Auto, line).unwrap_or_else(|code| panic!("{code:?} for {line}"));
    assert_eq!(events.len(), 1, "{line}");
    assert_eq!(events[0]["kind"], "http.request");
    for (pointer, value) in want.as_object().expect("an object") {
        let got = events[0].pointer(pointer).unwrap_or(&Value::Null);
        assert_eq!(got, value, "{pointer} of {line}\n{}", events[0]);
    }
}

const START: &str = r#"203.0.113.9 - - [17/May/2015:10:05:03 +0200] "#;

#[test]
fn reads_common_and_combined_lines() {
    check(
        r#"203.0.113.9 - mia [17/May/2015:10:05:03 +0200] "GET /a?b=1 HTTP/1.1" 200 512 "https://x.example/" "Mozilla/5.0 (X)""#,
        json!({"/time": "2015-05-17T08:05:03.000Z", "/client/ip": "203.0.113.9", "/actor/user": "mia",
            "/http/method": "GET", "/http/path": "/a?b=1", "/http/status": 200, "/http/bytes_out": 512,
            "/client/user_agent": "Mozilla/5.0 (X)", "/labels/referer": "https://x.example/", "/outcome": "success",
            "/id": ""}),
    );
    check(
        &format!(r#"{START}"POST /login HTTP/2.0" 401 -"#),
        json!({"/http/status": 401, "/outcome": "denied", "/http/bytes_out": 0, "/client/user_agent": null}),
    );
    check(&format!(r#"{START}"GET / HTTP/1.1" 404 1 "-" "-""#), json!({"/outcome": "failure", "/labels": null}));
    check(&format!(r#"{START}"GET / HTTP/1.1" 503 1"#), json!({"/outcome": "failure"}));
    check(&format!(r#"{START}"GET / HTTP/1.1" 304 -"#), json!({"/outcome": "success"}));
    check(&format!(r#"{START}"GET / HTTP/1.1" 000 0"#), json!({"/http/status": null, "/labels/status": "000"}));
}

#[test]
fn reads_every_form_of_peer() {
    let line = |who: &str| format!(r#"{who} [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 1"#);
    check(&line("2001:db8::7 - -"), json!({"/client/ip": "2001:db8::7"}));
    check(&line("[2001:DB8::7] - -"), json!({"/client/ip": "2001:db8::7"}));
    check(&line("[2001:db8::7]:4711 - -"), json!({"/client/ip": "2001:db8::7"}));
    check(&line("203.0.113.9:4711 - -"), json!({"/client/ip": "203.0.113.9"}));
    check(&line("::ffff:203.0.113.9 - -"), json!({"/client/ip": "203.0.113.9"}));
    check(&line("Crawl-1.Search.Example - -"), json!({"/client/ip": null, "/labels/host": "crawl-1.search.example"}));
    check(&line("unix: - -"), json!({"/client/ip": null, "/labels/host": "unix:"}));
    check(
        &line("shop.example:443 203.0.113.9 - -"),
        json!({"/client/ip": "203.0.113.9", "/http/host": "shop.example"}),
    );
    check(&line("203.0.113.9 - mia holm"), json!({"/actor/user": "mia holm"}));
    check(&line(r"203.0.113.9 - mia\x22holm"), json!({"/actor/user": "mia\"holm"}));
    check(&line("203.0.113.9 - \"\""), json!({"/actor/user": null}));
}

#[test]
fn keeps_lines_with_odd_requests() {
    let line = |request: &str| format!(r#"{START}"{request}" 400 150 "-" "-""#);
    check(&line(""), json!({"/labels/request": "empty", "/http/status": 400}));
    check(&line("-"), json!({"/labels/request": "empty"}));
    check(&line(r"\x16\x03\x01\x02"), json!({"/labels/request": "binary", "/message": r"\x16\x03\x01\x02"}));
    check(&line(r"\x16\x03 \xff"), json!({"/labels/request": "binary"}));
    check(&line("GET /cut"), json!({"/labels/request": "no_protocol", "/http/path": "/cut", "/http/method": "GET"}));
    check(&line("GET  HTTP/1.1"), json!({"/labels/request": "malformed", "/http/path": null}));
    check(&line("GET HTTP/1.1"), json!({"/labels/request": "malformed", "/http/path": null}));
    check(&line("nonsense"), json!({"/labels/request": "malformed", "/message": "nonsense"}));
    check(&line("GET /with space HTTP/1.1"), json!({"/http/path": "/with space", "/labels": null}));
    check(&line(r#"GET /\"quoted\" HTTP/1.1"#), json!({"/http/path": "/\"quoted\""}));
    check(&line("GET /caf\\xC3\\xA9 HTTP/1.1"), json!({"/http/path": "/café"}));
    check(&line("GET http://Other.example/x HTTP/1.1"), json!({"/http/host": "other.example", "/http/path": "/x"}));
    check(&line("CONNECT a.example:443 HTTP/1.1"), json!({"/http/host": "a.example:443", "/http/path": null}));
}

#[test]
fn accepts_cut_and_wrapped_lines() {
    let cut = json!({"/labels/truncated": "true", "/client/user_agent": "Mozilla/5.0 (comp", "/http/status": 200});
    check(&format!(r#"{START}"GET / HTTP/1.1" 200 1 "-" "Mozilla/5.0 (comp"#), cut.clone());
    check(&format!(r#"{START}"GET /long/pa"#), json!({"/labels/truncated": "true", "/http/path": "/long/pa"}));
    let wrapped = json!({"/client/ip": "203.0.113.9", "/client/user_agent": "UA x", "/labels": null});
    check(&format!(r#""{START}"GET / HTTP/1.1" 200 1 "-" "UA x"""#), wrapped);
    check(&format!(r#""{START}"GET / HTTP/1.1" 200 17""#), json!({"/http/bytes_out": 17, "/labels": null}));
    check(&format!(r#"{START}"GET / HTTP/1.1" 200 1 "-" "a "odd" ua""#), json!({"/http/status": 200}));
    check(
        &format!(r#"{START}"GET / HTTP/1.1" 200 1 "() {{ :; }}; echo -e \"a\\n\"" "UA""#),
        json!({"/labels/referer": r#"() { :; }; echo -e "a\n""#, "/client/user_agent": "UA"}),
    );
}

#[test]
fn keeps_extra_fields() {
    let line = |extra: &str| format!(r#"{START}"GET / HTTP/1.1" 200 1 "-" "UA" {extra}"#);
    check(
        &line(r#""198.51.100.4, 10.0.0.1" rt=0.250 uct="0.001" host=shop.example"#),
        json!({"/client/forwarded": ["198.51.100.4", "10.0.0.1"], "/labels/x_forwarded_for": "198.51.100.4, 10.0.0.1",
            "/labels/rt": "0.250", "/http/duration_ms": 250.0, "/labels/uct": "0.001", "/http/host": "shop.example"}),
    );
    check(&line(r#""-" "gold" 1234"#), json!({"/labels/extra2": "gold", "/labels/extra3": "1234"}));
    check(&line(r#"xff="198.51.100.4""#), json!({"/client/forwarded": ["198.51.100.4"]}));
}

#[test]
fn reads_nginx_json() {
    check(
        r#"{"time_iso8601":"2026-03-02T09:00:01+01:00","remote_addr":"203.0.113.9","remote_user":"","request":"GET /a?b=1 HTTP/1.1","status":"302","body_bytes_sent":"154","http_referer":"-","http_user_agent":"UA","request_time":"0.004","host":"Shop.example","http_x_forwarded_for":"198.51.100.4","upstream_addr":"10.0.0.1:80","http_cookie":"sid=secret","cookie_sid":"secret"}"#,
        json!({"/time": "2026-03-02T08:00:01.000Z", "/client/ip": "203.0.113.9", "/actor/user": null,
            "/http/method": "GET", "/http/path": "/a?b=1", "/http/status": 302, "/http/bytes_out": 154,
            "/http/duration_ms": 4.0, "/http/host": "shop.example", "/client/forwarded": ["198.51.100.4"],
            "/labels/upstream_addr": "10.0.0.1:80", "/labels/http_cookie": null, "/labels/cookie_sid": null,
            "/labels/referer": null, "/outcome": "success"}),
    );
    check(
        r#"{"msec":"1772438403.250","remote_addr":"::1","request_method":"POST","uri":"/x","args":"y=2","status":403,"bytes_sent":9,"server_name":"s.example"}"#,
        json!({"/time": "2026-03-02T08:00:03.250Z", "/http/method": "POST", "/http/path": "/x?y=2",
            "/outcome": "denied", "/http/bytes_out": 9, "/http/host": "s.example"}),
    );
    check(
        r#"{"time_local":"17/May/2015:10:05:03 +0200","remote_addr":"203.0.113.9","request":"","status":400}"#,
        json!({"/time": "2015-05-17T08:05:03.000Z", "/labels/request": "empty"}),
    );
}

#[test]
fn reads_status_snapshots() {
    let line = r#"{"version":6,"nginx_version":"1.9.4","address":"192.0.2.1","timestamp":1446249499322,"connections":{"accepted":7,"dropped":0,"active":2,"idle":1},"ssl":{"handshakes":5,"handshakes_failed":2},"requests":{"total":9,"current":1},"server_zones":{"a.example":{"processing":0,"requests":4,"responses":{"4xx":1,"5xx":2},"discarded":3}},"upstreams":{"b":{"peers":[{"id":0,"server":"10.0.0.1:80","state":"down","fails":4,"unavail":1,"downtime":20},{"id":1,"server":"10.0.0.1:80","state":"up","fails":0}]}},"caches":{"c":{"hit":{"responses":8},"miss":{"responses":1}}}}"#;
    let events = decoded(Format::Nginx, line).expect("a good snapshot");
    let find = |name: &str, label: &str, value: &str| {
        events
            .iter()
            .find(|e| e["name"] == name && (label.is_empty() || e["labels"][label] == value))
            .map(|e| &e["value"])
    };
    assert_eq!(find("nginx.requests.total", "", ""), Some(&json!(9.0)));
    assert_eq!(find("nginx.ssl.handshakes_failed", "server", "192.0.2.1"), Some(&json!(2.0)));
    assert_eq!(find("nginx.zone.discarded", "zone", "a.example"), Some(&json!(3.0)));
    assert_eq!(find("nginx.zone.responses.5xx", "zone", "a.example"), Some(&json!(2.0)));
    assert_eq!(find("nginx.peer.fails", "peer_id", "0"), Some(&json!(4.0)));
    assert_eq!(find("nginx.peer.up", "state", "down"), Some(&json!(0.0)));
    assert_eq!(find("nginx.cache.hit", "cache", "c"), Some(&json!(8.0)));
    let ids: std::collections::BTreeSet<_> = events.iter().map(|e| e["id"].as_str().expect("an id")).collect();
    assert_eq!(ids.len(), events.len());
    assert!(ids.iter().all(|id| id.starts_with("b3:")));
    assert_eq!(decoded(Format::Auto, line).as_deref(), Ok(&events[..]));
    assert_eq!(events[0]["time"], "2015-10-30T23:58:19.322Z");
}

#[test]
fn refuses_with_a_reason() {
    let check = |format, line: &str, code| assert_eq!(decoded(format, line), Err(code), "{line}");
    check(Format::Apache, "[Sun Dec 04 04:47:44 2005] [error] mod_jk child in error state 6", FaultCode::Field);
    check(Format::Nginx, "hello", FaultCode::Syntax);
    check(Format::Auto, "Mar 27 13:06:56 host sshd[1291]: Server listening", FaultCode::Syntax);
    check(Format::Nginx, r#"h - - [17/May/2015:10:05:03] "GET / HTTP/1.1" 200 1"#, FaultCode::Field);
    check(Format::Nginx, r#"h - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" ok 1"#, FaultCode::Field);
    check(Format::Nginx, "h - - [17/May/2015:10:05:03 +0000]", FaultCode::Syntax);
    check(Format::Nginx, "{\"remote_addr\":", FaultCode::Syntax);
    check(Format::Nginx, r#"{"remote_addr":"203.0.113.9"}"#, FaultCode::Missing);
    check(Format::Nginx, r#"{"msec":1772438403.5}"#, FaultCode::Missing);
    check(Format::Nginx, r#"{"connections":{"active":1},"requests":{"total":1}}"#, FaultCode::Missing);
    check(Format::Native, r#"{"kind":"http.request"}"#, FaultCode::Missing);
    check(Format::Native, r#"{"kind":"no.such","time":1772438403}"#, FaultCode::UnknownKind);
    check(Format::Apache, &"x".repeat(super::LINE_MAX_BYTES + 1), FaultCode::LineTooLong);
    assert_eq!(decoded(Format::Auto, "   "), Ok(Vec::new()));
}

#[test]
fn recognises_formats() {
    let check = |lines: &[&str], want| {
        assert_eq!(Format::detect(lines.iter().map(|line| line.as_bytes())), want, "{lines:?}");
    };
    let clf = r#"203.0.113.9 - - [17/May/2015:10:05:03 +0200] "GET / HTTP/1.1" 200 1"#;
    check(&[clf, "garbage", clf], Some(Format::Apache));
    check(&["", r#"{"kind":"auth.login","time":1}"#], Some(Format::Native));
    check(&[r#"{"remote_addr":"::1","status":200}"#], Some(Format::Nginx));
    check(&["hello", "world"], None);
    check(&[], None);
    for format in [Format::Native, Format::Nginx, Format::Apache, Format::Auto] {
        assert_eq!(Format::parse(format.name()), Some(format));
    }
    assert_eq!(Format::parse("zeek"), None);
}

/// Real logs are read whole when they are at hand (`RISKGRAPH_DATA`); none of them is part of the project.
#[test]
fn reads_real_logs_whole() {
    let root = std::env::var("RISKGRAPH_DATA").unwrap_or_else(|_| "../../shared/data".to_owned());
    let folder = std::path::Path::new(&root).join("logs");
    if !folder.is_dir() {
        eprintln!("skipped: no real logs at hand (set RISKGRAPH_DATA)");
        return;
    }
    for name in ["apache_logs", "scan_acunetix.txt", "scan_netsparker.txt", "nginxplus_json_logs"] {
        let Ok(bytes) = std::fs::read(folder.join(name)) else { continue };
        let mut events = Vec::new();
        let mut n_lines = 0;
        for line in bytes.split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
            n_lines += 1;
            let n_before = events.len();
            decode_line(Format::Auto, line, &mut events)
                .unwrap_or_else(|(code, reason)| panic!("{name}:{n_lines}: {code:?} {reason}"));
            assert!(events.len() > n_before, "{name}:{n_lines} made no event");
        }
        eprintln!("{name}: {n_lines} lines, {} events", events.len());
    }
}

proptest! {
    #[test]
    fn never_panics_on_bytes(line in proptest::collection::vec(any::<u8>(), 0..300)) {
        for format in [Format::Native, Format::Nginx, Format::Apache, Format::Auto] {
            let _ = decode_line(format, &line, &mut Vec::new());
        }
    }

    #[test]
    fn keeps_every_line_of_the_right_shape(
        request in "[^\r\n]{0,60}", agent in "[^\r\n]{0,60}", status in 100_u16..600, cut in 0_usize..400,
    ) {
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
        let line = format!(r#"{START}"{}" {status} 17 "-" "{}""#, quoted(&request), quoted(&agent));
        let mut events = Vec::new();
        prop_assert!(decode_line(Format::Nginx, line.as_bytes(), &mut events).is_ok());
        prop_assert_eq!(events[0].http.as_ref().and_then(|http| http.status), Some(status));
        // A cut anywhere behind the status is accepted too.
        let line = line.as_bytes();
        let whole = START.len() + quoted(&request).len() + 2 + 4;
        if whole + cut < line.len() {
            prop_assert!(decode_line(Format::Nginx, &line[..whole + cut], &mut events).is_ok());
        }
    }

    #[test]
    fn never_panics_near_the_formats(
        head in "[0-9a-f.:\\[\\] -]{0,30}", time in "[0-9A-Za-z/: +-]{0,30}", tail in "[ -~]{0,80}",
    ) {
        let line = format!("{head} [{time}] {tail}");
        let _ = decode_line(Format::Auto, line.as_bytes(), &mut Vec::new());
        let _ = decode_line(Format::Nginx, format!("{{\"msec\":\"{time}\",\"request\":\"{head}\"}}").as_bytes(), &mut Vec::new());
    }
}
