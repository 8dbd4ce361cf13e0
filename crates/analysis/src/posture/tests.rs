use std::collections::BTreeSet;

use riskgraph_domain::observation::{DnsAnswer, Dnssec, Handshake, Peer, ProbeFailure};
use riskgraph_domain::posture::{CheckResult, Grade};
use riskgraph_domain::time::DAY_MS;

use super::fixtures::*;
use super::*;

#[test]
fn the_catalogue_is_well_formed() {
    let ids: BTreeSet<&str> = catalogue().map(|check| check.id).collect();
    assert_eq!(ids.len(), catalogue().count());
    for check in catalogue() {
        assert!(Factor::of_check(check.id).is_some(), "{}", check.id);
        assert!(!check.title.is_empty() && check.recommendation.ends_with('.'), "{}", check.id);
        assert!(!check.reference.is_empty(), "{}", check.id);
    }
}

#[test]
fn nothing_seen_is_unknown_and_not_rated() {
    let config = config();
    let mut silent = blank("example.com");
    for kind in ["A", "AAAA", "NS", "MX", "TXT", "SOA", "CAA"] {
        silent.dns.lookups.push(answered("example.com", kind, DnsAnswer::Failed(ProbeFailure::Timeout)));
    }
    silent.https = Some(unfetched("https://example.com/", ProbeFailure::Timeout));
    silent.http = Some(unfetched("http://example.com/", ProbeFailure::Timeout));
    for seen in [blank("example.com"), silent] {
        let outcomes = judge(&seen, &AssetProfile::default(), &config);
        for outcome in &outcomes {
            assert_eq!(outcome.result, CheckResult::Unknown, "{outcome:?}");
            assert!(outcome.evidence["reason"].is_string(), "{outcome:?}");
        }
        let posture = score(&outcomes, &Profiles::default(), &[], &config, NOW);
        assert_eq!((posture.score, posture.grade, posture.coverage), (None, Grade::NR, 0.0));
    }
}

/// A domain with everything in place.
fn exemplary() -> DomainObservations {
    let mut seen = page_with(&[
        ("content-security-policy", "default-src 'none'; script-src 'self'; base-uri 'none'; frame-ancestors 'none'"),
        ("strict-transport-security", "max-age=63072000; includeSubDomains; preload"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("set-cookie", "__Host-session=1; Secure; HttpOnly; SameSite=Lax; Path=/"),
    ]);
    let secure = "https://shop.example.com/.well-known/security.txt";
    let expires = (NOW + 90 * riskgraph_domain::time::DAY_MS).to_rfc3339();
    seen.files = vec![
        file(secure, 200, &format!("Contact: https://shop.example.com/report\nExpires: {expires}\n")),
        file(
            "https://mta-sts.shop.example.com/.well-known/mta-sts.txt",
            200,
            "version: STSv1\nmode: enforce\nmx: mx.shop.example.com\nmax_age: 1209600\n",
        ),
    ];
    seen.http =
        Some(fetched(vec![hop("http://shop.example.com/", 301, &[]), hop("https://shop.example.com/", 200, &[])]));
    seen.cors = Some(fetched(vec![hop("https://shop.example.com/", 200, &[])]));
    seen.dns.dnssec = Dnssec::Secure;
    seen.dns.name_servers = vec![server("ns1.example.net", "198.51.100.1"), server("ns2.example.org", "203.0.113.1")];
    seen.dns.lookups.extend([
        records(DOMAIN, "NS", &["ns1.example.net.", "ns2.example.org."]),
        records(DOMAIN, "SOA", &["ns1.example.net. admin.example.com. 1 7200 3600 1209600 3600"]),
        records(DOMAIN, "CAA", &["0 issue \"letsencrypt.org\""]),
        records(DOMAIN, "MX", &["10 mx.shop.example.com."]),
        records(DOMAIN, "TXT", &["v=spf1 mx -all"]),
        records("_dmarc.shop.example.com", "TXT", &["v=DMARC1; p=reject; rua=mailto:d@shop.example.com"]),
        records("_mta-sts.shop.example.com", "TXT", &["v=STSv1; id=1"]),
        records("_smtp._tls.shop.example.com", "TXT", &["v=TLSRPTv1; rua=mailto:d@shop.example.com"]),
    ]);
    seen.dns.lookups.extend(quiet_lookups());
    seen.dns.signatures = vec![signature("SOA", 14)];
    seen.mail_hosts = vec![mail_host("mx.shop.example.com")];
    seen
}

/// Answers behind which nothing is wrong.
fn quiet_lookups() -> Vec<riskgraph_domain::observation::Lookup> {
    let none = |name: &str, kind: &str| answered(name, kind, DnsAnswer::NxDomain);
    vec![
        records(DOMAIN, "DNSKEY", &["257 3 13 AAAA"]),
        records(DOMAIN, "DS", &["1 13 2 AA"]),
        records("ns1.example.net", "A", &["198.51.100.1"]),
        records("ns2.example.org", "A", &["203.0.113.1"]),
        records("mx.shop.example.com", "A", &["203.0.113.8"]),
        records("8.113.0.203.in-addr.arpa", "PTR", &["mx.shop.example.com."]),
        records(
            "default._domainkey.shop.example.com",
            "TXT",
            &["v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="],
        ),
        none("riskgraph-no-such-name.shop.example.com", "A"),
        none("riskgraph-no-such-name.shop.example.com", "MX"),
        none("default._bimi.shop.example.com", "TXT"),
        none("_25._tcp.mx.shop.example.com", "TLSA"),
    ]
}

fn posture_of(seen: &DomainObservations) -> riskgraph_domain::posture::Posture {
    let config = config();
    score(&judge(seen, &AssetProfile::default(), &config), &Profiles::default(), &[], &config, NOW)
}

#[test]
fn an_exemplary_domain_loses_nothing() {
    let posture = posture_of(&exemplary());
    assert_eq!((posture.score, posture.grade, posture.coverage), (Some(100.0), Grade::A, 1.0), "{posture:?}");
    assert!(posture.waterfall.is_empty());
    let shown: Vec<(&str, f64)> = posture.factors.iter().map(|f| (f.name.as_str(), f.coverage)).collect();
    assert!(shown.contains(&("tls", 1.0)) && shown.contains(&("patching", 0.0)), "{shown:?}");
    // The same observations give the same bytes.
    let bytes = |seen: &DomainObservations| serde_json::to_string(&(posture_of(seen), compat(seen))).expect("writes");
    assert_eq!(bytes(&exemplary()), bytes(&exemplary()));
}

#[test]
fn a_neglected_domain_is_bad_and_an_http_only_one_worse() {
    let mut neglected = exemplary();
    neglected.https.as_mut().expect("a fetch").hops[0].headers.truncate(1);
    neglected.dns.lookups.retain(|lookup| !lookup.name.starts_with('_'));
    for name in
        ["_dmarc.shop.example.com", "_mta-sts.shop.example.com", "_smtp._tls.shop.example.com", "_dmarc.example.com"]
    {
        neglected.dns.lookups.push(answered(name, "TXT", DnsAnswer::NxDomain));
    }
    neglected.tls[0].versions[1].accepted = Some(true);
    neglected.https.as_mut().expect("a fetch").page.as_mut().expect("a page").title = Some("Welcome to nginx!".into());
    let posture = posture_of(&neglected);
    assert!(posture.score.is_some_and(|score| (40.0..90.0).contains(&score)), "{posture:?}");
    let mut plain = neglected.clone();
    plain.https = Some(unfetched("https://shop.example.com/", ProbeFailure::Refused("refused".into())));
    plain.http = Some(fetched(vec![hop("http://shop.example.com/", 200, &[("content-type", "text/html")])]));
    plain.tls[0].failure = Some(ProbeFailure::Refused("refused".into()));
    plain.tls[0].handshake = None;
    plain.tls[0].versions.clear();
    let worse = posture_of(&plain);
    assert!(worse.score.is_some() && worse.score < posture.score, "{worse:?}");
    assert_eq!(worse.grade, Grade::D);
    let tls = worse.factors.iter().find(|factor| factor.name.as_str() == "tls");
    assert_eq!(tls.map(|factor| (factor.score, factor.coverage)), Some((Some(0.0), 1.0)));
}

/// The exemplary domain as the crawler sees it once this is wrong with its certificate.
fn refused(wrong: &dyn Fn(&mut Handshake)) -> DomainObservations {
    let mut seen = exemplary();
    wrong(seen.tls[0].handshake.as_mut().expect("a handshake"));
    seen.https.as_mut().expect("a fetch").peer = Peer::Unverified;
    seen.cors = None;
    for file in &mut seen.files {
        *file = unfetched(&file.url, ProbeFailure::TlsFailed("refused".into()));
    }
    let plain = seen.http.as_mut().expect("a fetch");
    plain.hops.truncate(1);
    plain.failure = Some(ProbeFailure::TlsFailed("refused".into()));
    seen
}

const WRONG_CERTIFICATES: [fn(&mut Handshake); 4] = [
    |shaken| {
        shaken.trust = Err("expired".into());
        shaken.chain[0].not_after = NOW - DAY_MS;
    },
    |shaken| {
        shaken.trust = Err("self-signed".into());
        shaken.chain[0].self_signed = true;
    },
    |shaken| shaken.trust = Err("unknown issuer".into()),
    |shaken| shaken.hostname_matches = false,
];

#[test]
fn a_refused_certificate_is_rated_and_never_better_than_d() {
    for wrong in WRONG_CERTIFICATES {
        let seen = refused(&wrong);
        let posture = posture_of(&seen);
        assert_eq!(posture.grade, Grade::D, "{posture:?}");
        assert!(posture.coverage >= 0.8, "{}", posture.coverage);
        assert!(posture.waterfall.iter().any(|row| row.reason.contains("browsers refuse the certificate")));
        for id in ["HTTP-02", "HTTP-03"] {
            let outcome = outcome_of(&seen, &AssetProfile::default(), id).expect("applies");
            assert_eq!((outcome.result, outcome.confidence), (CheckResult::Fail, 1.0), "{outcome:?}");
        }
        for (id, result) in
            [("HTTP-01", CheckResult::Pass), ("HTTP-08", CheckResult::Pass), ("HTTP-11", CheckResult::Pass)]
        {
            let outcome = outcome_of(&seen, &AssetProfile::default(), id).expect("applies");
            assert_eq!((outcome.result, outcome.confidence), (result, 0.7), "{outcome:?}");
            assert!(outcome.evidence["peer"].as_str().is_some_and(|peer| peer.starts_with("unverified")));
        }
        for id in ["HTTP-07", "TRAN-01", "MAIL-16", "MAIL-17"] {
            expect(&seen, id, CheckResult::Unknown);
        }
        // Where the whole site is neglected besides, it is worse still.
        let mut neglected = seen.clone();
        neglected.https.as_mut().expect("a fetch").hops[0].headers.truncate(1);
        neglected.dns.lookups.retain(|lookup| lookup.kind.as_str() != "TXT");
        neglected.dns.lookups.push(records(DOMAIN, "TXT", &["v=spf1 +all"]));
        let names = ["_dmarc.shop.example.com", "_dmarc.example.com", "_mta-sts.shop.example.com"];
        neglected.dns.lookups.extend(names.map(|name| answered(name, "TXT", DnsAnswer::NxDomain)));
        let worse = posture_of(&neglected);
        assert!(matches!(worse.grade, Grade::D | Grade::F) && worse.score < posture.score, "{worse:?}");
    }
}

#[test]
fn nothing_on_an_unverified_page_is_a_confirmed_failure() {
    use riskgraph_domain::observation::FormTag;
    let mut seen = refused(&WRONG_CERTIFICATES[0]);
    let web = seen.https.as_mut().expect("a fetch");
    web.hops[0].headers.retain(|(name, _)| name == "content-type");
    let page = web.page.as_mut().expect("a page");
    let action = "http://elsewhere.net/".to_owned();
    page.forms.push(FormTag { action, method: "post".into(), has_password: false, has_card: true });
    let config = config();
    let judged = judge(&seen, &AssetProfile::default(), &config);
    let heard: Vec<_> = judged.iter().filter(|o| o.evidence.get("peer").is_some()).collect();
    assert!(heard.iter().any(|o| o.check.as_str() == "PAY-08" && o.result == CheckResult::Fail), "{judged:?}");
    assert!(heard.iter().all(|o| o.confidence < config.score.caps.confirmed_confidence), "{heard:?}");
    // The same site with a good certificate says nothing about its peer.
    let good = judge(&exemplary(), &AssetProfile::default(), &config);
    assert!(good.iter().all(|outcome| outcome.evidence.get("peer").is_none()));
}

#[test]
fn a_forgotten_intermediate_is_no_refused_certificate() {
    let seen = refused(&|shaken| shaken.trust = Err("incomplete chain: the intermediate is missing".into()));
    let posture = posture_of(&seen);
    assert!(matches!(posture.grade, Grade::A | Grade::B), "{posture:?}");
    let hsts = outcome_of(&seen, &AssetProfile::default(), "HTTP-03").expect("applies");
    assert_eq!((hsts.result, hsts.confidence), (CheckResult::Pass, 0.7), "{hsts:?}");
}

#[test]
fn a_wall_or_silence_behind_a_bad_certificate_is_not_rated() {
    for failure in [ProbeFailure::BotWall(429), ProbeFailure::TlsFailed("expired".into()), ProbeFailure::Timeout] {
        let mut seen = blank(DOMAIN);
        seen.tls = refused(&WRONG_CERTIFICATES[0]).tls;
        seen.https = Some(unfetched("https://shop.example.com/", failure));
        seen.https.as_mut().expect("a fetch").peer = Peer::Unverified;
        for id in ["HTTP-01", "HTTP-03", "HTTP-12"] {
            expect(&seen, id, CheckResult::Unknown);
        }
        assert_eq!(posture_of(&seen).grade, Grade::NR);
    }
}

#[test]
fn the_documentation_lists_every_check() {
    let page = include_str!("../../../../docs/checks.md");
    for check in catalogue() {
        let letter = &check.severity.as_str()[..1];
        let row = page.lines().find(|line| line.starts_with(&format!("| {} |", check.id)));
        assert!(row.is_some_and(|row| row.ends_with(&format!("| {letter} |"))), "{}: {row:?}", check.id);
    }
}

#[test]
fn hostile_text_never_panics() {
    const PARTS: &[&str] = &[
        "v=spf1", "v=DMARC1", "v=STSv1", "p=", "include:", "%{", "}", "%", "\"", "\\", ";", ",", "=", ":", "/", "//",
        " ", "\t", "\n", "max-age", "1", "é", "😀", "\u{0}", "-", "*", "'nonce-", "https://", "..", ".", "all", "a",
        "ip6:", "Contact:", "0 issue", "Set", "Domain=", "\u{feff}", "%zz",
    ];
    let config = config();
    let mut state = 1_u64;
    let mut next = |n: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n
    };
    for _ in 0..300 {
        let mut text = || (0..next(12)).map(|_| PARTS[next(PARTS.len())]).collect::<String>();
        let names = [
            "content-security-policy",
            "strict-transport-security",
            "set-cookie",
            "referrer-policy",
            "x-frame-options",
            "cross-origin-opener-policy",
            "cross-origin-embedder-policy",
            "content-type",
            "server",
        ];
        let headers: Vec<(&str, String)> = names.iter().map(|&name| (name, text())).collect();
        let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut seen = page_with(&headers);
        for kind in ["TXT", "MX", "NS", "CAA", "SOA", "A", "CNAME"] {
            let values = [text(), text()];
            seen.dns.lookups.push(records(DOMAIN, kind, &[&values[0], &values[1]]));
        }
        for name in ["_dmarc.shop.example.com", "_mta-sts.shop.example.com", "_smtp._tls.shop.example.com"] {
            let value = text();
            seen.dns.lookups.push(records(name, "TXT", &[&value]));
        }
        seen.files = vec![file("https://mta-sts.shop.example.com/.well-known/mta-sts.txt", 200, &text())];
        seen.files.push(file("https://shop.example.com/.well-known/security.txt", 200, &text()));
        let outcomes = judge(&seen, &AssetProfile::default(), &config);
        assert!(outcomes.len() > 30);
        assert!(compat(&seen).is_object());
        let vendor = riskgraph_domain::EntityKey::new(riskgraph_domain::EntityKind::Vendor, "v");
        assert!(!relations(&vendor, &seen).is_empty());
    }
}
