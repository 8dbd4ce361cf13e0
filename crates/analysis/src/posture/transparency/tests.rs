use riskgraph_domain::observation::ProbeFailure;
use riskgraph_domain::posture::CheckResult::{self, Fail, Pass, Unknown, Warn};

use super::*;
use crate::posture::fixtures::*;

const URL: &str = "https://shop.example.com/.well-known/security.txt";

fn good() -> String {
    let soon = (NOW + 90 * DAY_MS).to_rfc3339();
    format!(
        "Contact: mailto:security@example.com\nExpires: {soon}\nCanonical: {URL}\nEncryption: https://example.com/key\n"
    )
}

#[test]
fn codes() {
    let check = |text: &str, expected: &[&str]| {
        let mut report = Report::default();
        examine_text(text, &[URL], (NOW, 398.0), &mut report);
        assert_eq!(report.errors, expected, "{text}");
    };
    let day = |days: i64| (NOW + days * DAY_MS).to_rfc3339();
    check(&good(), &[]);
    check(&good().replace('\n', "\r\n"), &[]);
    check("", &["no_expire", "no_contact"]);
    check(&format!("{}Expires: {}\n", good(), day(10)), &["multi_expire"]);
    check(&good().replace(&day(90), &day(-1)), &["expired"]);
    check(&good().replace(&day(90), "tomorrow"), &["invalid_expiry"]);
    check(&good().replace("Contact:", "Contact :"), &["prec_ws"]);
    check(&good().replace("Contact: ", "Contact:"), &["no_space"]);
    check(&good().replace("mailto:security", "security"), &["no_uri"]);
    check(&good().replace("https://example.com/key", "http://example.com/key"), &["no_https"]);
    check(&good().replace("shop.example.com", "www.example.com"), &["no_canonical_match"]);
    check(&format!("{}nonsense\n", good()), &["invalid_line"]);
    check(&format!("{}: x\n", good()), &["empty_key"]);
    check(&format!("{}Policy:\n", good()), &["empty_value"]);
    check(&format!("{}Preferred-Languages: en\nPreferred-Languages: de\n", good()), &["multi_lang"]);
    check(&format!("{}Preferred-Languages: en, x_y\n", good()), &["invalid_lang"]);
    check(&format!("\u{feff}{}", good()), &["bom_in_file"]);
    let signed = format!(
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n{}-----BEGIN PGP SIGNATURE-----\nx\n-----END PGP SIGNATURE-----\n",
        good()
    );
    check(&signed, &[]);
    check(&format!("{signed}more\n"), &["data_after_sig"]);
    check(&signed.replace("-----END PGP SIGNATURE-----\n", ""), &["pgp_data_error"]);
}

#[test]
fn verdicts() {
    let check = |file: WebFacts, result: CheckResult| {
        let mut seen = page_with(&[]);
        seen.files = vec![file];
        expect(&seen, "TRAN-01", result);
    };
    check(file(URL, 200, &good()), Pass);
    check(file(URL, 404, ""), Warn);
    check(file(URL, 503, ""), Unknown);
    check(file(URL, 403, ""), Unknown);
    check(unfetched(URL, ProbeFailure::Timeout), Unknown);
    check(file(URL, 200, "Contact: mailto:a@example.com\n"), Fail);
    check(file(URL, 200, &good().replace("Contact: ", "Contact:")), Warn);
    // A page that says "not found" with status 200.
    let mut soft = file(URL, 200, "<html>");
    soft.hops[0].headers = vec![("content-type".into(), "text/html".into())];
    check(soft, Warn);
    expect(&page_with(&[]), "TRAN-01", Unknown);
}
