use riskgraph_domain::graph::EntityKey;
use riskgraph_domain::text::Text;
use serde_json::json;

use super::*;

fn request(target: &str) -> ActionRequest {
    ActionRequest {
        action: Text::from("freeze_account"),
        connector: Text::from("shop"),
        target: Some(EntityKey::new(EntityKind::User, target)),
        parameters: json!({"amount": 1200, "note": "a \"b\"\n{{key}}"}).as_object().cloned().unwrap_or_default(),
        idempotency_key: Text::from("run_1"),
        expires_at: None,
        reason: "al_1".into(),
    }
}

fn values(target: &str) -> Values {
    Values::new(&request(target), Some(Secret::new("s3cret")))
}

fn base() -> Url {
    Url::parse("https://shop.example/api/").expect("a URL")
}

#[test]
fn a_value_stays_one_segment_of_the_url() {
    let check = |target: &str, want: Option<&str>| {
        let call = CallTemplate::new("POST", "/admin/accounts/{{target}}/freeze?by={{ target }}");
        let url = call.render(Some(&base()), &values(target)).map(|call| call.url.to_string());
        assert_eq!(
            url.ok(),
            want.map(|id| format!("https://shop.example/api/admin/accounts/{id}/freeze?by={id}")),
            "{target}"
        );
    };
    check("alice", Some("alice"));
    check("a/b?c#d", Some("a%2Fb%3Fc%23d"));
    check("a b@c", Some("a%20b%40c"));
    check("../../orders/1", Some("..%2F..%2Forders%2F1"));
    check("é\u{202e}", Some("%C3%A9%E2%80%AE"));
    check("%2e%2e", Some("%252e%252e"));
    check("..", None);
    check(".", None);
    check("", None);
}

#[test]
fn nothing_filled_in_changes_where_the_call_goes() {
    let check = |url: &str, target: &str, good: bool| {
        let made = CallTemplate::new("GET", url).render(Some(&base()), &values(target));
        assert_eq!(made.is_ok(), good, "{url} with {target}");
    };
    check("https://other.example/x/{{target}}", "alice", true);
    check("https://other.example/x", "alice", true);
    check("https://{{target}}/x", "evil.example", false);
    check("https://other.example{{target}}", ".evil.example", false);
    check("https://other.example:80{{target}}/", "80", false);
    check("{{target}}", "https://evil.example/", false);
    check("//evil.example/{{target}}", "x", true); // a path below the base, nothing else
    check("ftp://other.example/x", "alice", false);
    check("https://user:pass@other.example/x", "alice", false);
    check("/x/{{target", "alice", false);
    check("/x/{{nobody}}", "alice", false);
    check("/x/{{secret}}", "alice", false);
}

#[test]
fn bodies_stay_the_json_they_were() {
    let mut call = CallTemplate::new("POST", "/x");
    call.body =
        Some(json!({"text": "for {{target}}: {{param.note}}", "n": "{{param.amount}}", "deep": [{"k": "{{key}}"}]}));
    let made = call.render(Some(&base()), &values("\",\"admin\":true,\"x\":\"")).expect("renders");
    let body: Value = serde_json::from_slice(&made.body).expect("JSON");
    assert_eq!(
        body,
        json!({"text": "for \",\"admin\":true,\"x\":\": a \"b\"\n{{key}}", "n": 1200, "deep": [{"k": "run_1"}]})
    );
    call.body = Some(json!("{\"text\": \"{{target}}\"}"));
    let made = call.render(Some(&base()), &values("a\"b")).expect("renders");
    assert_eq!(serde_json::from_slice::<Value>(&made.body).expect("JSON"), json!({"text": "a\"b"}));
    call.body = Some(json!("not json"));
    assert!(call.render(Some(&base()), &values("a")).is_err());
    call.body = Some(json!({"t": "{{secret}}"}));
    assert!(call.render(Some(&base()), &values("a")).is_err(), "secrets stand in headers only");
}

#[test]
fn headers_take_no_line_breaks_and_secrets_are_not_shown() {
    let mut call = CallTemplate::new("POST", "/x");
    call.headers =
        BTreeMap::from([("authorization".into(), "Bearer {{secret}}".into()), ("x-for".into(), "{{target}}".into())]);
    let made = call.render(Some(&base()), &values("alice")).expect("renders");
    assert_eq!(made.headers["authorization"], "Bearer s3cret");
    assert!(!format!("{:?}", made.headers).contains("s3cret"));
    assert!(call.render(Some(&base()), &values("a\r\nx-admin: 1")).is_err());
    assert!(!call.show(Some(&base()), &values("alice")).expect("shows").contains("s3cret"));
    call.form = BTreeMap::from([("to".into(), "{{target}}".into())]);
    assert_eq!(call.render(Some(&base()), &values("a&b=c")).expect("renders").body, b"to=a%26b%3Dc");
}

#[test]
fn expectations_look_at_one_place() {
    let answer = json!({"frozen": true, "by": ["run_1"], "n": 3, "none": null});
    let check = |expectation: Expectation, want: bool| {
        assert_eq!(expectation.met(&answer, &values("a")).expect("fits"), want, "{expectation:?}");
    };
    check(Expectation::is("/frozen", true), true);
    check(Expectation::is("/frozen", "true"), false);
    check(Expectation::is("/n", 3), true);
    check(Expectation::has("/by", "{{key}}"), true);
    check(Expectation::has("/frozen", "{{key}}"), false);
    let exists = |at: &str, exists| Expectation { at: at.into(), is: None, has: None, exists: Some(exists) };
    check(exists("/n", true), true);
    check(exists("/none", true), false);
    check(exists("/gone", false), true);
}
