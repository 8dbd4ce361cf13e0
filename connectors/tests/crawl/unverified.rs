//! What the crawler does at a server whose certificate it refuses.

use std::sync::{Arc, Mutex};

use riskgraph_connectors::crawl::CrawlerOptions;
use riskgraph_domain::observation::{DomainObservations, Peer, ProbeFailure, WebFacts};
use rustls::ServerConfig;

use super::world::{
    Answer, Authority, always, http, observe, path_of, quick, rule, self_signed, serve, serve_dns, serve_raw,
};

const ZONE: &str = "@ NS ns1\nns1 A 192.0.2.1\n@ A 192.0.2.10\nelsewhere A 192.0.2.11\nmta-sts A 192.0.2.10";
const NAMES: [&str; 3] = ["shop.example", "mta-sts.shop.example", "elsewhere.shop.example"];

/// Crawls a shop whose host, policy host and plain HTTP are served by one server each.
async fn crawl(authority: &Authority, config: Arc<ServerConfig>, answer: Answer) -> DomainObservations {
    let dns = serve_dns(&[("shop.example", ZONE)]).await;
    let (secure, _) = serve([127, 0, 0, 1], 0, Some(config), answer).await;
    let to_https = http("301 Moved Permanently", &["Location: https://shop.example/"], b"");
    let (plain, _) = serve([127, 0, 0, 1], 0, None, always(to_https)).await;
    let (elsewhere, _) = serve([127, 0, 0, 1], 0, Some(self_signed(&NAMES)), always(html("Elsewhere"))).await;
    let options = CrawlerOptions {
        resolver: Some(dns),
        extra_ca_pem: Some(authority.pem.clone()),
        connect: vec![
            rule("shop.example", 443, secure),
            rule("mta-sts.shop.example", 443, secure),
            rule("elsewhere.shop.example", 443, elsewhere),
            rule("*", 80, plain),
        ],
        limits: quick(),
        ..CrawlerOptions::default()
    };
    observe(options, "shop.example").await
}

fn html(title: &str) -> Vec<u8> {
    let headers = ["Content-Type: text/html", "Strict-Transport-Security: max-age=9", "Set-Cookie: a=b"];
    http("200 OK", &headers, format!("<title>{title}</title>").as_bytes())
}

fn title(web: &WebFacts) -> Option<&str> {
    web.page.as_ref().and_then(|page| page.title.as_deref())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_alone_is_asked_of_an_unverified_peer() {
    let ours = Authority::new("Test Authority");
    let theirs = Authority::new("Other Authority");
    let bad = [
        (ours.server(&NAMES, 2021), "expired"),
        (ours.server(&["other.example"], 2100), "for another name"),
        (theirs.server(&NAMES, 2100), "unknown issuer"),
        (self_signed(&NAMES), ""),
    ];
    for (config, reason) in bad {
        let heads: Arc<Mutex<Vec<String>>> = Arc::default();
        let noted = Arc::clone(&heads);
        let answer: Answer = Arc::new(move |head| {
            noted.lock().expect("whole").push(head.to_owned());
            if path_of(head) == "/" { html("Shop") } else { http("200 OK", &[], b"version: STSv1\n") }
        });
        let seen = crawl(&ours, config, answer).await;
        let page = seen.https.as_ref().expect("asked");
        assert_eq!((page.failure.as_ref(), page.peer, title(page)), (None, Peer::Unverified, Some("Shop")), "{page:?}");
        assert_eq!(page.last().and_then(|hop| hop.header("strict-transport-security")), Some("max-age=9"));
        assert_eq!(seen.cors, None);
        assert_eq!(seen.files.len(), 2);
        for web in seen.files.iter().chain(&seen.http) {
            assert!(matches!(&web.failure, Some(ProbeFailure::TlsFailed(why)) if why.contains(reason)), "{web:?}");
            assert_eq!((web.peer, web.body.as_ref()), (Peer::Verified, None));
        }
        let heads = heads.lock().expect("whole");
        let requests: Vec<_> = heads.iter().filter_map(|head| head.lines().next()).collect();
        assert_eq!(requests, ["GET / HTTP/1.1"], "{heads:?}");
        assert!(!heads[0].to_ascii_lowercase().contains("\r\norigin:") && !heads[0].contains("ookie"), "{heads:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_good_site_that_leads_to_a_bad_certificate_is_unverified_as_a_whole() {
    let ours = Authority::new("Test Authority");
    let away = http("302 Found", &["Location: https://elsewhere.shop.example/"], b"");
    let seen = crawl(&ours, ours.server(&NAMES, 2100), always(away)).await;
    let page = seen.https.as_ref().expect("asked");
    assert_eq!((page.failure.as_ref(), page.peer, title(page)), (None, Peer::Unverified, Some("Elsewhere")));
    assert_eq!(page.hops.len(), 2);
    let shaken = seen.tls[0].handshake.as_ref().expect("a handshake");
    assert_eq!((shaken.trust.as_ref(), shaken.hostname_matches), (Ok(&()), true));
}

#[tokio::test(flavor = "multi_thread")]
async fn guard_and_bot_walls_hold_behind_a_bad_certificate() {
    let ours = Authority::new("Test Authority");
    let check = async |answer: Vec<u8>, want: &str| {
        let page = crawl(&ours, self_signed(&NAMES), always(answer)).await.https.expect("asked");
        assert!(format!("{:?}", page.failure).starts_with(want), "{page:?}");
        assert_eq!((page.peer, page.hops.len(), page.body.as_ref()), (Peer::Unverified, 1, None));
    };
    check(http("302 Found", &["Location: https://127.0.0.1/"], b""), "Some(Forbidden").await;
    check(http("302 Found", &["Location: http://169.254.169.254/latest"], b""), "Some(Forbidden").await;
    check(http("302 Found", &["Location: file:///etc/passwd"], b""), "Some(Forbidden").await;
    check(http("429 Too Many Requests", &[], b""), "Some(BotWall(429))").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_failures_are_not_tried_without_verification() {
    let dns = serve_dns(&[("shop.example", ZONE)]).await;
    let gone = serve_raw(|_| async {}).await;
    let (no_tls, _) = serve([127, 0, 0, 1], 0, None, always(http("200 OK", &[], b"<p>"))).await;
    for (to, what) in [(gone, "closes"), (no_tls, "speaks no TLS")] {
        let options = CrawlerOptions {
            resolver: Some(dns),
            connect: vec![rule("*", 443, to)],
            limits: quick(),
            ..CrawlerOptions::default()
        };
        let page = observe(options, "shop.example").await.https.expect("asked");
        assert!(page.failure.is_some() && page.hops.is_empty(), "{what}: {page:?}");
        assert_eq!(page.peer, Peer::Verified, "{what}");
    }
}
