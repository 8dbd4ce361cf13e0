//! What the crawler sees of TLS: versions, suites, chains.

use std::sync::Arc;

use riskgraph_connectors::crawl::CrawlerOptions;
use riskgraph_domain::observation::{Peer, TlsFacts, WebFacts};
use rustls::ServerConfig;
use tls_parser::{TlsMessage, TlsMessageHandshake, parse_tls_plaintext};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::world::{Authority, always, http, observe, quick, rule, self_signed, serve, serve_dns, serve_raw};

const ZONE: &str = "@ NS ns1\nns1 A 192.0.2.1\n@ A 192.0.2.10";

async fn examine(authority: &Authority, config: Arc<ServerConfig>) -> (TlsFacts, WebFacts) {
    let dns = serve_dns(&[("shop.example", ZONE)]).await;
    let page = always(http("200 OK", &["Content-Type: text/html"], b"<p>"));
    let (secure, _) = serve([127, 0, 0, 1], 0, Some(config), page).await;
    let options = CrawlerOptions {
        resolver: Some(dns),
        extra_ca_pem: Some(authority.pem.clone()),
        connect: vec![rule("shop.example", 443, secure)],
        limits: quick(),
        ..CrawlerOptions::default()
    };
    let mut seen = observe(options, "shop.example").await;
    (seen.tls.remove(0), seen.https.expect("asked"))
}

#[tokio::test(flavor = "multi_thread")]
async fn judges_chains_honestly() {
    let ours = Authority::new("Test Authority");
    let theirs = Authority::new("Other Authority");
    let names = ["shop.example", "*.shop.example"];
    let check = async |config, trust: Result<(), &str>, matches: bool| {
        let (facts, page) = examine(&ours, config).await;
        let shaken = facts.handshake.expect("a handshake");
        assert_eq!(shaken.trust.as_ref().map_err(String::as_str), trust.as_ref().map_err(|text| *text));
        assert_eq!(shaken.hostname_matches, matches);
        let good = trust.is_ok() && matches;
        let peer = if good { Peer::Verified } else { Peer::Unverified };
        assert_eq!((page.failure.as_ref(), page.peer, page.hops.len()), (None, peer, 1), "{page:?}");
        shaken
    };
    let good = check(ours.server(&names, 2100), Ok(()), true).await;
    assert_eq!((good.version.as_str(), good.ocsp_stapled, good.chain.len()), ("TLSv1.3", false, 1));
    assert!(good.cipher.starts_with("TLS_") && good.key_exchange.is_some());
    let leaf = &good.chain[0];
    assert_eq!((leaf.key_kind.as_str(), leaf.key_bits, leaf.self_signed), ("EC", 256, false));
    assert_eq!(leaf.signature_algorithm.as_str(), "ecdsa-with-SHA256");
    assert_eq!(leaf.names.iter().map(|name| name.as_str()).collect::<Vec<_>>(), names);
    assert_eq!(leaf.not_before.to_rfc3339(), "2020-01-01T00:00:00.000Z");
    assert!(leaf.issuer.contains("Test Authority") && leaf.subject.contains("A vendor"));
    assert_eq!((leaf.sha256.len(), leaf.spki_sha256.len(), leaf.n_scts, leaf.must_staple), (64, 64, 0, false));

    check(ours.server(&names, 2021), Err("expired"), true).await;
    check(ours.server(&["other.example"], 2100), Ok(()), false).await;
    check(theirs.server(&names, 2100), Err("unknown issuer"), true).await;
    let own = check(self_signed(&names), Err("self-signed"), true).await;
    assert!(own.chain[0].self_signed);
}

#[tokio::test(flavor = "multi_thread")]
async fn tells_a_forgotten_intermediate_from_an_unknown_issuer() {
    let root = Authority::new("Test Authority");
    let (middle, der) = root.below("Test Intermediate");
    let (aia, _) = serve([127, 0, 0, 1], 0, None, always(http("200 OK", &[], &der))).await;
    let dns = serve_dns(&[("shop.example", "@ NS ns1\n@ A 192.0.2.10\naia A 192.0.2.11")]).await;
    let check = async |trusted: &Authority, want: &str| {
        let config = middle.server_naming_issuer("shop.example", "http://aia.shop.example/i.der");
        let (secure, _) = serve([127, 0, 0, 1], 0, Some(config), always(http("200 OK", &[], b""))).await;
        let options = CrawlerOptions {
            resolver: Some(dns),
            extra_ca_pem: Some(trusted.pem.clone()),
            connect: vec![rule("shop.example", 443, secure), rule("aia.shop.example", 80, aia)],
            limits: quick(),
            ..CrawlerOptions::default()
        };
        let shaken = observe(options, "shop.example").await.tls.remove(0).handshake.expect("a handshake");
        let reason = shaken.trust.expect_err("not trusted");
        assert!(reason.starts_with(want), "{reason}");
    };
    check(&root, "incomplete chain").await;
    check(&Authority::new("Other Authority"), "unknown issuer").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sees_the_versions_of_a_modern_server() {
    let authority = Authority::new("Test Authority");
    let (facts, _) = examine(&authority, authority.server(&["shop.example"], 2100)).await;
    let found: Vec<_> = facts.versions.iter().map(|probe| (probe.version.as_str(), probe.accepted)).collect();
    assert_eq!(
        found,
        [
            ("SSLv2", Some(false)),
            ("SSLv3", Some(false)),
            ("TLSv1.0", Some(false)),
            ("TLSv1.1", Some(false)),
            ("TLSv1.2", Some(true)),
            ("TLSv1.3", Some(true)),
        ]
    );
    let of = |at: usize| {
        let mut suites: Vec<_> = facts.versions[at].ciphers.iter().map(|suite| suite.as_str()).collect();
        suites.sort_unstable();
        suites
    };
    assert_eq!(of(5), ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]);
    // The server has an EC key and only good suites: nothing weak is found.
    let want = [
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    ];
    assert_eq!(of(4), want);
    assert!(facts.versions[4].complete && facts.versions[5].complete);
    let groups = |at: usize| facts.versions[at].groups.clone().unwrap_or_default();
    let has = |at: usize, name: &str| groups(at).iter().any(|group| group.as_str() == name);
    assert!(has(5, "X25519MLKEM768") && has(5, "x25519") && has(5, "secp256r1") && has(5, "secp384r1"));
    assert!(!has(4, "X25519MLKEM768") && has(4, "x25519") && has(4, "secp256r1"), "{:?}", groups(4));
    let features = &facts.features;
    assert_eq!((features.compression, features.secure_renegotiation), (Some(false), Some(true)));
    assert_eq!(features.extended_master_secret, Some(true));
    assert_eq!(features.tickets_13.map(|tickets| tickets > 0), Some(true));
    assert_eq!((features.early_data_bytes_max, features.client_certificate), (Some(0), Some(false)));
    assert!(features.dh_groups.is_empty() && features.n_connections > 20);
}

/// Answers hellos like an old server: these versions, these suites in its own order.
async fn old_server(mut stream: TcpStream, versions: &[u16], suites: &[u16]) {
    let mut hello = vec![0; 5];
    if stream.read_exact(&mut hello).await.is_err() {
        return;
    }
    let length = usize::from(u16::from_be_bytes([hello[3], hello[4]]));
    hello.resize(5 + length, 0);
    if stream.read_exact(&mut hello[5..]).await.is_err() {
        return;
    }
    let (_, record) = parse_tls_plaintext(&hello).expect("a record");
    let TlsMessage::Handshake(TlsMessageHandshake::ClientHello(offer)) = &record.msg[0] else { return };
    let version = versions.iter().copied().filter(|version| *version <= offer.version.0).max();
    let suite = suites.iter().copied().find(|suite| offer.ciphers.iter().any(|offered| offered.0 == *suite));
    let answer = match (version, suite) {
        (Some(version), Some(suite)) => {
            let mut body = version.to_be_bytes().to_vec();
            body.extend_from_slice(&[7; 32]);
            body.push(0);
            body.extend_from_slice(&suite.to_be_bytes());
            body.push(0);
            let mut answer = vec![22, 3, version.to_be_bytes()[1], 0, 42, 2, 0, 0, 38];
            answer.extend_from_slice(&body);
            answer
        }
        (None, _) => vec![21, 3, 1, 0, 2, 2, 70],
        (_, None) => vec![21, 3, 1, 0, 2, 2, 40],
    };
    let _ = stream.write_all(&answer).await;
}

async fn examine_old(versions: &'static [u16], suites: &'static [u16]) -> TlsFacts {
    let dns = serve_dns(&[("shop.example", ZONE)]).await;
    let old = serve_raw(move |stream| old_server(stream, versions, suites)).await;
    let options = CrawlerOptions {
        resolver: Some(dns),
        connect: vec![rule("shop.example", 443, old)],
        limits: quick(),
        ..CrawlerOptions::default()
    };
    observe(options, "shop.example").await.tls.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn sees_old_versions_and_weak_suites() {
    const RC4: u16 = 0x0005;
    const TRIPLE_DES: u16 = 0x000a;
    const EXPORT: u16 = 0x0008;
    const CBC: u16 = 0x002f;
    let facts = examine_old(&[0x0300, 0x0301], &[CBC, TRIPLE_DES, RC4, EXPORT]).await;
    let found: Vec<_> = facts.versions.iter().map(|probe| (probe.version.as_str(), probe.accepted)).collect();
    assert_eq!(
        found,
        [
            ("SSLv2", Some(false)),
            ("SSLv3", Some(true)),
            ("TLSv1.0", Some(true)),
            ("TLSv1.1", Some(false)),
            ("TLSv1.2", Some(false)),
            ("TLSv1.3", Some(false)),
        ]
    );
    let suites: Vec<_> = facts.versions[2].ciphers.iter().map(|suite| suite.as_str()).collect();
    assert_eq!(
        suites,
        [
            "TLS_RSA_WITH_AES_128_CBC_SHA",
            "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
            "TLS_RSA_WITH_RC4_128_SHA",
            "TLS_RSA_EXPORT_WITH_DES40_CBC_SHA",
        ]
    );
    let shaken = facts.handshake.expect("a handshake read in clear");
    assert_eq!((shaken.version.as_str(), shaken.chain.len()), ("TLSv1.0", 0));
    assert!(shaken.trust.is_err() && facts.failure.is_none());
    assert_eq!(facts.features.asked_in.as_ref().map(|version| version.as_str()), Some("TLSv1.0"));
    assert_eq!(facts.features.fallback[0].version.as_str(), "SSLv3");
    assert_eq!(facts.features.fallback[0].refused, Some(false));

    let facts = examine_old(&[0x0302], &[RC4]).await;
    let accepted: Vec<_> = facts.versions.iter().map(|probe| probe.accepted == Some(true)).collect();
    assert_eq!(accepted, [false, false, false, true, false, false]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_speaks_no_tls_tells_nothing() {
    let dns = serve_dns(&[("shop.example", ZONE)]).await;
    let (plain, _) = serve([127, 0, 0, 1], 0, None, always(http("400 Bad Request", &[], b""))).await;
    let options = CrawlerOptions {
        resolver: Some(dns),
        connect: vec![rule("shop.example", 443, plain)],
        limits: quick(),
        ..CrawlerOptions::default()
    };
    let facts = observe(options, "shop.example").await.tls.remove(0);
    assert!(facts.versions.iter().all(|probe| probe.accepted.is_none()));
    assert!(facts.handshake.is_none() && facts.failure.is_some());
}
