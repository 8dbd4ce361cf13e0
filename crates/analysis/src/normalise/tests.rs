use super::*;
use proptest::prelude::*;

const NOW: Timestamp = Timestamp(1_772_438_400_000);

fn check(line: &str, code: FaultCode, part: &str) {
    let (got, reason) = decode_line(line.as_bytes(), NOW).expect_err(line);
    assert_eq!(got, code, "{line}: {reason}");
    assert!(reason.contains(part), "{line}: {reason}");
}

#[test]
fn a_reject_names_the_place_and_the_remedy() {
    check("{", FaultCode::Syntax, "one event a line");
    check("hello", FaultCode::Syntax, "not a JSON object");
    check(r#"{"time":1772438400,"kind":"auth.logon"}"#, FaultCode::UnknownKind, "did you mean 'auth.login'");
    check(r#"{"time":1772438400,"kind":"payment"}"#, FaultCode::UnknownKind, "'payment.");
    check(r#"{"kind":"auth.login"}"#, FaultCode::Missing, "'time'");
    check(r#"{"time":1772438400}"#, FaultCode::Missing, "'kind'");
    check(r#"{"time":"soon","kind":"auth.login"}"#, FaultCode::Field, "'time'");
    check(r#"{"time":1772438400,"kind":"auth.login","http":{"status":"fine"}}"#, FaultCode::Field, "http");
    check(r#"{"time":1772438400,"kind":"auth.login","records":-4}"#, FaultCode::Field, "records");
    check(r#"{"time":1772438400,"kind":"auth.login","client":{"ip":"300.1.1.1"}}"#, FaultCode::Field, "client.ip");
    check(r#"{"time":4102444800,"kind":"auth.login"}"#, FaultCode::TimeOutOfRange, "clock");
    check(r#"{"time":1,"kind":"auth.login"}"#, FaultCode::TimeOutOfRange, "20 years");
    check(
        &format!(r#"{{"time":1772438400,"kind":"log.line","x":{}1{}}}"#, "[".repeat(40), "]".repeat(40)),
        FaultCode::TooDeep,
        "16",
    );
    check(
        &format!(r#"{{"time":1772438400,"kind":"log.line","message":"{}"}}"#, "x".repeat(LINE_BYTES_MAX)),
        FaultCode::LineTooLong,
        "65536",
    );
    let (code, _) =
        decode_line(b"{\"time\":1772438400,\"kind\":\"log.line\",\"message\":\"\xff\"}", NOW).expect_err("not text");
    assert_eq!(code, FaultCode::NotUtf8);
}

#[test]
fn a_reject_quotes_no_card_number() {
    let (_, reason) = decode_line(br#"{"time":"4111 1111 1111 1111","kind":"auth.login"}"#, NOW).expect_err("no time");
    assert!(!reason.contains("4111 1111 1111 1111"), "{reason}");
}

#[test]
fn the_same_bytes_are_the_same_event() {
    let line = br#"{"time":1772438400,"kind":"log.line","message":"a"}"#;
    let first = decode_line(line, NOW).expect("reads");
    assert_eq!(first.id, decode_line(line, NOW + 60_000).expect("reads").id);
    assert!(first.id.starts_with("b3:"));
}

#[test]
fn bodies_come_as_lines_or_as_an_array() {
    let collect = |body: &[u8]| -> Vec<(u64, String)> {
        lines_of(body).expect("body").map(|(n, l)| (n, String::from_utf8_lossy(l).into_owned())).collect()
    };
    assert_eq!(collect(b"{}\r\n\n {}\n"), vec![(1, "{}".to_owned()), (3, " {}".to_owned())]);
    assert_eq!(collect(b" [ {\"a\":[1]} , {} ]"), vec![(1, "{\"a\":[1]}".to_owned()), (2, "{}".to_owned())]);
    assert_eq!(collect(b"\xef\xbb\xbf{}"), vec![(1, "{}".to_owned())]);
    assert!(lines_of(b"[{},").is_err());
}

proptest! {
    #[test]
    fn never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = decode_line(&bytes, NOW);
        if let Ok(lines) = lines_of(&bytes) {
            let _ = lines.count();
        }
    }
}
