use riskgraph_domain::Text;
use riskgraph_domain::observation::*;
use serde_json::{Value, json};

use super::compat;
use crate::posture::fixtures::*;

fn part(seen: &DomainObservations, name: &str) -> Value {
    compat(seen).get(name).cloned().unwrap_or(Value::Null)
}

#[test]
fn what_was_not_seen_is_absent() {
    assert_eq!(compat(&blank("example.com")), json!({}));
}

#[test]
fn observatory_adds_up() {
    let check = |headers: &[(&str, &str)], score: i64, grade: &str| {
        let mut seen = page_with(headers);
        seen.http =
            Some(fetched(vec![hop("http://shop.example.com/", 301, &[]), hop("https://shop.example.com/", 200, &[])]));
        let verdict = part(&seen, "observatory");
        assert_eq!((verdict["score"].as_i64(), verdict["grade"].as_str()), (Some(score), Some(grade)), "{verdict}");
        assert_eq!(verdict["tests"].as_object().map(serde_json::Map::len), Some(12));
    };
    // -25 policy, -20 HSTS, -5 sniffing, -20 framing.
    check(&[], 30, "D");
    let good = [
        ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
        ("strict-transport-security", "max-age=31536000"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
    ];
    // +10 policy, +5 framing, +5 referrer.
    check(&good, 120, "A+");
    // The bonus counts only from 90 on: -20 HSTS leaves 80 without it.
    check(&[good[0], good[2], good[3]], 80, "B+");
}

#[test]
fn observatory_judges_pages_behind_refused_certificates() {
    let results = |seen: &DomainObservations| {
        let tests = &part(seen, "observatory")["tests"];
        let result = |test: &str| tests[test]["result"].as_str().unwrap_or("absent").to_owned();
        (result("strict-transport-security"), result("redirection"), result("content-security-policy"))
    };
    let mut seen = page_with(&[("strict-transport-security", "max-age=31536000")]);
    seen.tls[0].handshake.as_mut().expect("a handshake").trust = Err("expired".into());
    seen.https.as_mut().expect("a fetch").peer = Peer::Unverified;
    let mut plain = fetched(vec![hop("http://shop.example.com/", 301, &[])]);
    plain.failure = Some(ProbeFailure::TlsFailed("expired".into()));
    seen.http = Some(plain);
    let expected = |hsts: &str, redirection: &str| (hsts.into(), redirection.into(), "csp-not-implemented".into());
    assert_eq!(results(&seen), expected("hsts-invalid-cert", "redirection-invalid-cert"));
    // The site's own certificate is good, that of the place it redirects to is not.
    seen.tls = vec![endpoint()];
    assert_eq!(results(&seen), expected("hsts-invalid-cert", "redirection-invalid-cert"));
    // Plain HTTP that never leads to the bad certificate is judged for itself.
    seen.http = Some(fetched(vec![hop("http://shop.example.com/", 200, &[])]));
    assert_eq!(results(&seen), expected("hsts-invalid-cert", "redirection-missing"));
    // Could not be read even without verification.
    seen.https = Some(unfetched("https://shop.example.com/", ProbeFailure::TlsFailed("expired".into())));
    assert_eq!(part(&seen, "observatory"), Value::Null);
}

#[test]
fn ssllabs_grades() {
    let check = |score: u64, grade: &str, strict: &str, change: &dyn Fn(&mut TlsFacts)| {
        let mut seen = page_with(&[]);
        change(&mut seen.tls[0]);
        let (verdict, guide) = (part(&seen, "ssllabs"), part(&seen, "ssllabs-strict"));
        assert_eq!((verdict["score"].as_u64(), verdict["grade"].as_str()), (Some(score), Some(grade)), "{verdict}");
        assert_eq!(guide["grade"], strict);
    };
    let leaf = |tls: &mut TlsFacts, change: &dyn Fn(&mut CertificateFacts)| {
        change(&mut tls.handshake.as_mut().expect("a handshake").chain[0]);
    };
    check(100, "A+", "A", &|_| {});
    check(93, "A+", "A", &|t| {
        t.versions[3].ciphers.push(Text::from("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"));
        leaf(t, &|c| (c.key_kind, c.key_bits) = (Text::from("RSA"), 2048));
    });
    check(98, "B", "B", &|t| t.versions[1].accepted = Some(true));
    check(100, "A-", "A-", &|t| {
        t.versions[4].accepted = Some(false);
        t.handshake.as_mut().expect("a handshake").version = Text::from("TLSv1.2");
    });
    check(0, "T", "T", &|t| leaf(t, &|c| c.not_after = NOW));
    check(0, "M", "M", &|t| t.handshake.as_mut().expect("a handshake").hostname_matches = false);
    check(94, "B", "B", &|t| leaf(t, &|c| (c.key_kind, c.key_bits) = (Text::from("RSA"), 1024)));
    let mut seen = page_with(&[]);
    seen.tls[0].versions[1].accepted = None;
    assert_eq!(part(&seen, "ssllabs"), Value::Null);
}

#[test]
fn mail_verdicts() {
    let mut seen = blank("example.com");
    seen.dns.dnssec = Dnssec::Insecure;
    seen.dns.lookups = vec![
        records("example.com", "MX", &["10 mail.example.com."]),
        records("example.com", "TXT", &["v=spf1 a:gone.example ~all"]),
        answered("gone.example", "A", DnsAnswer::NxDomain),
        records("_dmarc.example.com", "TXT", &["v=DMARC1; p=none; pct=50"]),
        answered("_mta-sts.example.com", "TXT", DnsAnswer::NxDomain),
        records("_smtp._tls.example.com", "TXT", &["v=TLSRPTv1; rua=mailto:a@example.com"]),
    ];
    let all = compat(&seen);
    assert_eq!(all["dnssec"], json!(false));
    let spf = &all["spf"];
    assert_eq!(
        (&spf["valid"], &spf["dns_lookups"], &spf["dns_void_lookups"], &spf["error"]),
        (&json!(true), &json!(1), &json!(1), &Value::Null)
    );
    let dmarc = &all["dmarc"];
    assert_eq!(
        (&dmarc["valid"], &dmarc["tags"]["p"], &dmarc["tags"]["sp"]),
        (&json!(true), &json!("none"), &json!("none"))
    );
    assert_eq!(dmarc["location"], "_dmarc.example.com");
    assert_eq!(dmarc["warnings"].as_array().map(Vec::len), Some(3), "{dmarc}");
    assert_eq!(all["mta_sts"]["valid"], json!(false));
    assert_eq!(all["tls_rpt"]["valid"], json!(true));
    seen.dns.lookups[1] = records("example.com", "TXT", &["v=spf1 +all"]);
    assert_eq!(part(&seen, "spf")["valid"], json!(true));
    seen.dns.lookups[3] = records("_dmarc.example.com", "TXT", &["v=DMARC1; p=rejct"]);
    assert_eq!(part(&seen, "dmarc")["valid"], json!(false));
}
