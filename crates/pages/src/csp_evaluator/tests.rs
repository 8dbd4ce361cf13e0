use super::*;

#[track_caller]
fn check(policy: &str, want: &[(&str, &str, &str)]) {
    let found = findings(policy).expect("findings");
    let got: Vec<_> = found.iter().map(|f| (f.kind, f.directive.as_str(), f.value.as_deref().unwrap_or(""))).collect();
    assert_eq!(got, want, "{policy}");
}

#[test]
fn finds_what_the_tool_finds() {
    check("default-src 'none'", &[]);
    check("", &[("MISSING_DIRECTIVES", "object-src", ""), ("MISSING_DIRECTIVES", "script-src", "")]);
    check(
        "script-src 'unsafe-inline' 'unsafe-eval' data: *; object-src 'none'",
        &[
            ("SCRIPT_UNSAFE_INLINE", "script-src", "'unsafe-inline'"),
            ("SCRIPT_UNSAFE_EVAL", "script-src", "'unsafe-eval'"),
            ("PLAIN_URL_SCHEMES", "script-src", "data:"),
            ("PLAIN_WILDCARD", "script-src", "*"),
        ],
    );
    check(
        "script-src 'nonce-abcdefgh' 'unsafe-inline'; object-src 'none'; base-uri 'none'",
        &[("IGNORED", "script-src", "'unsafe-inline'"); 3],
    );
    check(
        "script-src https://www.google.com; object-src 'none'",
        &[("SCRIPT_ALLOWLIST_BYPASS", "script-src", "https://www.google.com")],
    );
    check(
        "script-src 'self' 127.0.0.1 object-src; object-src 'none'; foo-src x",
        &[
            ("SCRIPT_ALLOWLIST_BYPASS", "script-src", "'self'"),
            ("SCRIPT_ALLOWLIST_BYPASS", "script-src", "127.0.0.1"),
            ("IP_SOURCE", "script-src", "127.0.0.1"),
            ("UNKNOWN_DIRECTIVE", "foo-src", ""),
            ("MISSING_SEMICOLON", "script-src", "object-src"),
        ],
    );
    check(
        "script-src 'nonce-ab' none 'selfish'; object-src 'none'; base-uri 'self'",
        &[
            ("NONCE_LENGTH", "script-src", "'nonce-ab'"),
            ("INVALID_KEYWORD", "script-src", "none"),
            ("INVALID_KEYWORD", "script-src", "'selfish'"),
        ],
    );
    check(
        "default-src http://a.example; report-uri http://a.example/r",
        &[
            ("SCRIPT_ALLOWLIST_BYPASS", "default-src", "http://a.example"),
            ("SRC_HTTP", "default-src", "http://a.example"),
            ("SRC_HTTP", "report-uri", "http://a.example/r"),
        ],
    );
    assert_eq!(findings("script-src %.%"), None);
}

#[test]
fn names_hosts_that_let_everything_in() {
    assert_eq!(bypass_hosts("script-src https://www.google.com https://cdn.example"), ["https://www.google.com"]);
    assert!(bypass_hosts("script-src 'nonce-abcdefgh' 'strict-dynamic' https://www.google.com").is_empty());
}

/// Cases recorded from the tool itself: one JSON object `{csp, findings: [[type, severity, directive, value]]}` a line.
#[test]
fn agrees_with_recorded_cases() {
    let Some(path) = std::env::var_os("RISKGRAPH_CSP_CASES") else {
        println!("skipped: no recorded cases (set RISKGRAPH_CSP_CASES)");
        return;
    };
    let text = std::fs::read_to_string(path).expect("cases");
    let (mut n, mut wrong) = (0, Vec::new());
    for line in text.lines() {
        let case: serde_json::Value = serde_json::from_str(line).expect("a case");
        let policy = case["csp"].as_str().expect("a policy");
        let got = findings(policy).map(|all| {
            let pairs = all.iter().map(|f| serde_json::json!([f.kind, f.severity, f.directive, f.value]));
            serde_json::Value::Array(pairs.collect())
        });
        n += 1;
        let got = got.unwrap_or_default();
        if got != case["findings"] {
            wrong.push(format!("{policy}\n  want {}\n  got  {got}", case["findings"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {n}:\n{}", wrong.len(), wrong[..wrong.len().min(10)].join("\n"));
}
