use super::*;

fn read(json: &str) -> Event {
    serde_json::from_str(json).expect("the event reads")
}

#[test]
fn reads_the_contract_example() {
    let event = read(
        r#"{"id":"a2","time":"2026-03-02T08:00:02Z","kind":"api.call","source":"gateway","outcome":"success",
        "actor":{"integration":"acme-fulfilment","key":"ak_51d0"},"client":{"ip":"203.0.113.40","asn":64510,"country":"DE"},
        "http":{"method":"GET","host":"api.shop.example","path":"/v1/orders?page=2","route":"/v1/orders","status":200,
        "bytes_out":48120,"duration_ms":83},"records":200,"labels":{"fields":"id,status,address"}}"#,
    );
    assert_eq!(event.kind, EventKind::ApiCall);
    assert_eq!(event.actor.key.as_deref(), Some("ak_51d0"));
    assert_eq!(event.client.asn, Some(64510));
    assert_eq!(event.http.as_ref().and_then(|http| http.status), Some(200));
    assert_eq!(event.records, Some(200));
    assert_eq!(event.label("fields"), Some("id,status,address"));
}

#[test]
fn keeps_unknown_fields_wherever_they_stand() {
    let event = read(
        r#"{"time":1,"kind":"log.line","shop":{"floor":3},"client":{"ip":"192.0.2.1","region":"north"},"actor":null,
        "object":{"type":"order","id":7},"labels":{"n":5,"nothing":null}}"#,
    );
    let extra = event.extra.as_ref().expect("extra");
    assert_eq!(extra.get("shop"), Some(&serde_json::json!({"floor": 3})));
    assert_eq!(extra.get("client.region"), Some(&serde_json::json!("north")));
    assert_eq!(event.object_kind(), Some("order"));
    assert_eq!(event.object_id().map(Text::as_str), Some("7"));
    assert_eq!(event.label("n"), Some("5"));
}

#[test]
fn writes_what_it_read() {
    let json = r#"{"id":"x","time":"2026-03-02T08:00:01.120Z","kind":"payment.attempt","outcome":"failure","actor":{"user":"m"},"client":{"ip":"192.0.2.1"},"money":{"amount_minor":1999,"currency":"EUR"},"card":{"fingerprint":"c","bin":"411111","last4":"1111"},"object":{"type":"order","id":"o1"},"value":1.5,"labels":{"a":"b"},"client.region":"north"}"#;
    let event = read(json);
    assert_eq!(serde_json::to_string(&event).expect("writes"), json);
    assert_eq!(read(&serde_json::to_string(&event).expect("writes")), event);
}

#[test]
fn refuses_what_is_no_event() {
    let check = |json: &str, part: &str| {
        let error = serde_json::from_str::<Event>(json).expect_err("must not read").to_string();
        assert!(error.contains(part), "{json}: {error}");
    };
    check(r#"{"kind":"auth.login"}"#, "missing field 'time'");
    check(r#"{"time":1}"#, "missing field 'kind'");
    check(r#"{"time":1,"kind":"auth.logon"}"#, "unknown event kind 'auth.logon'");
    check(r#"{"time":"soon","kind":"auth.login"}"#, "is not an RFC 3339 time");
    check(r#"{"time":1,"kind":"auth.login","actor":"mia"}"#, "an object in field 'actor'");
    check("[]", "event object");
}
