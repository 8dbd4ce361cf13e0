use super::*;
use proptest::prelude::*;
use riskgraph_domain::Timestamp;

#[test]
fn every_pattern_compiles() {
    assert!(secret::all_patterns_compile());
}

#[test]
fn masks_card_numbers_however_they_are_written() {
    let check = |text: &str, want: &str| assert_eq!(mask_text(text), want, "{text}");
    check("4111111111111111", "411111******1111");
    check("card 4111 1111 1111 1111 declined", "card 4111 11** **** 1111 declined");
    check("5500-0000-0000-0004", "5500-00**-****-0004");
    check("3782.822463.10005", "3782.82****.*0005");
    check("pan=4111%201111%201111%201111&x", "pan=4111%2011**%20****%201111&x");
    check("2026-03-02 6011111111111117", "2026-03-02 601111******1117");
    check("a 4111\u{a0}1111\u{a0}1111\u{a0}1111", "a 4111\u{a0}11**\u{a0}****\u{a0}1111");
    check("6759649826438453", "675964******8453");
    check("4222222222222", "422222***2222");
    check("30569309025904", "305693****5904");
    check("x4111111111111111y5500000000000004", "x411111******1111y550000******0004");
}

#[test]
fn leaves_other_numbers_alone() {
    for text in [
        "4111111111111112", // Luhn fails
        "1772438403123",    // epoch milliseconds
        "0000000000000000",
        "order 9876543210987654321",
        "411111111111111141111111111111114111111111111111", // a trace id, no group of card length
        "+49 30 1234567 and 2026-03-02T08:00:01",
        "192.168.100.200:44300",
        "",
    ] {
        assert_eq!(mask_text(text), text);
    }
}

#[test]
fn masks_known_secret_shapes() {
    let check = |text: &str, secret: &str| {
        let masked = mask_text(text);
        assert!(!masked.contains(secret), "{text} -> {masked}");
        assert_eq!(mask_text(&masked), masked, "masking twice changes nothing");
    };
    check("key AKIAIOSFODNN7EXAMPLE used", "AKIAIOSFODNN7EXAMPLE");
    let live = ["sk", "live", "51Habcdefghijklmnopqrstuv"].join("_");
    check(&format!("charge with {live}"), &live);
    check("Authorization: Bearer abc.def-ghi_jkl", "abc.def-ghi_jkl");
    check("authorization: basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA");
    check("GET /login?user=a&password=hunter22&x=1", "hunter22");
    check("postgres://shop:s3cr3tpw@db/shop", "s3cr3tpw");
    check("{\"api_key\": \"0123456789abcdef0123\"}", "0123456789abcdef0123");
    check("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcDEF123", "eyJzdWIiOiIxMjM0In0");
    check("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----", "MIIEow");
    check("cvv=123 ok", "cvv=123");
    assert_eq!(mask_text("the password was changed"), "the password was changed");
    assert_eq!(mask_text("GET /tokens?page=2"), "GET /tokens?page=2");
}

#[test]
fn masks_every_field_of_an_event() {
    let json = r#"{"id":"pay-4111111111111111","time":1772438400,"kind":"payment.attempt","reason":"4111111111111111",
        "actor":{"user":"4111-1111-1111-1111","number":"4111111111111111"},"card":{"fingerprint":"4111111111111111"},
        "http":{"path":"/pay?card=4111+1111+1111+1111"},"object":{"id":4111111111111111},
        "client":{"forwarded":["4111111111111111"]},"message":"4111 1111 1111 1111",
        "labels":{"a":4111111111111111,"4111111111111111":"b","password":"x1y2z3"},
        "raw":{"deep":[{"pan":"not a number"},{"n":4111111111111111}],"4111111111111111":1,"s":"\u0034111111111111111"}}"#;
    let mut event: Event = serde_json::from_str(json).expect("reads");
    assert!(mask_event(&mut event) >= 12);
    let kept = serde_json::to_string(&event).expect("writes");
    assert!(
        !kept.contains("4111111111111111") && !kept.contains("1111-1111-1111") && !kept.contains("1111 1111 1111"),
        "{kept}"
    );
    assert!(!kept.contains("x1y2z3") && !kept.contains("not a number"), "{kept}");
    assert_eq!(mask_event(&mut event), 0, "masking twice changes nothing: {kept}");
}

#[test]
fn masked_ids_stay_apart() {
    let id = |user: &str| {
        let mut event = Event::new("o-4111111111111111", Timestamp(5), riskgraph_domain::EventKind::OrderCreated);
        event.actor.user = Some(user.into());
        mask_event(&mut event);
        event.id
    };
    assert_ne!(id("a"), id("b"));
    assert_eq!(id("a"), id("a"));
}

proptest! {
    #[test]
    fn never_panics_and_is_idempotent(text in "\\PC{0,200}") {
        let once = mask_text(&text).into_owned();
        prop_assert_eq!(mask_text(&once), once.as_str());
    }

    #[test]
    fn no_visa_number_survives(head in 400_000_000_000_000_u64..500_000_000_000_000, separator in "[ \\-.]?") {
        let check = (0..10).find(|digit| luhn_ok(&format!("{head}{digit}"))).expect("one digit fits");
        let pan = format!("{head}{check}");
        let written = pan.as_bytes().chunks(4).map(|part| String::from_utf8_lossy(part).into_owned()).collect::<Vec<_>>().join(&separator);
        let masked = mask_text(&written).into_owned();
        prop_assert_eq!(masked.matches('*').count(), 6, "{} -> {}", written, masked);
    }
}

fn luhn_ok(pan: &str) -> bool {
    let sum: u32 = pan
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, byte)| {
            let value = u32::from(byte - b'0') * if place % 2 == 1 { 2 } else { 1 };
            value / 10 + value % 10
        })
        .sum();
    sum.is_multiple_of(10)
}
