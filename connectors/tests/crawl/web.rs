//! What the crawler sees of web servers, good ones and those that misbehave.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use riskgraph_connectors::crawl::{CORS_ORIGIN, CrawlerOptions, Limits, USER_AGENT};
use riskgraph_domain::observation::{DomainObservations, ProbeFailure, WebFacts};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::world::{Answer, Authority, always, http, observe, path_of, quick, rule, serve, serve_dns, serve_raw};

const ZONE: &str = "@ NS ns1\nns1 A 192.0.2.1\n@ A 192.0.2.10\nwww A 192.0.2.10\nmta-sts A 192.0.2.10";

/// Crawls a shop whose HTTPS and HTTP servers answer like this.
async fn crawl(https: Answer, plain: Answer) -> DomainObservations {
    let dns = serve_dns(&[("shop.example", ZONE)]).await;
    let authority = Authority::new("Test Authority");
    let names = ["shop.example", "www.shop.example", "mta-sts.shop.example"];
    let (secure, _) = serve([127, 0, 0, 1], 0, Some(authority.server(&names, 2100)), https).await;
    let (plain, _) = serve([127, 0, 0, 1], 0, None, plain).await;
    let options = CrawlerOptions {
        resolver: Some(dns),
        extra_ca_pem: Some(authority.pem),
        connect: vec![rule("*", 443, secure), rule("*", 80, plain)],
        limits: quick(),
        ..CrawlerOptions::default()
    };
    observe(options, "shop.example").await
}

/// What the page over plain HTTP shows when the server answers like this.
async fn plain_page(answer: Answer) -> WebFacts {
    let dns = serve_dns(&[("shop.example", ZONE)]).await;
    let (plain, _) = serve([127, 0, 0, 1], 0, None, answer).await;
    let options = CrawlerOptions {
        resolver: Some(dns),
        connect: vec![rule("*", 80, plain)],
        limits: quick(),
        ..CrawlerOptions::default()
    };
    observe(options, "shop.example").await.http.expect("asked")
}

#[tokio::test(flavor = "multi_thread")]
async fn sees_a_good_shop_whole() {
    let https = Arc::new(|head: &str| {
        assert!(head.contains(USER_AGENT), "{head}");
        match path_of(head) {
            "/.well-known/security.txt" => {
                http("200 OK", &["Content-Type: text/plain"], b"Contact: mailto:s@shop.example\n")
            }
            "/.well-known/mta-sts.txt" => http("200 OK", &["Content-Type: text/plain"], b"version: STSv1\n"),
            "/" if head.contains(CORS_ORIGIN) => {
                let open = format!("Access-Control-Allow-Origin: {CORS_ORIGIN}");
                http("200 OK", &[&open, "Content-Type: text/html"], b"<p>")
            }
            _ => {
                let page = b"<title>Shop</title><script src='https://cdn.other.example/a.js'></script>";
                let headers = ["Strict-Transport-Security: max-age=1", "Content-Type: text/html", "X-A: 1", "X-A: 2"];
                http("200 OK", &headers, page)
            }
        }
    });
    let to_https = http("301 Moved Permanently", &["Location: https://shop.example/"], b"");
    let seen = crawl(https, always(to_https)).await;

    let page = seen.https.as_ref().expect("asked");
    assert_eq!(page.failure, None);
    let last = page.last().expect("answered");
    assert_eq!((last.status, last.header("strict-transport-security")), (200, Some("max-age=1")));
    assert_eq!(last.headers_named("x-a").collect::<Vec<_>>(), ["1", "2"]);
    let facts = page.page.as_ref().expect("a page");
    assert_eq!(facts.title.as_deref(), Some("Shop"));
    assert_eq!(facts.scripts[0].url.as_deref(), Some("https://cdn.other.example/a.js"));
    assert!(seen.dns.answer("cdn.other.example", "A").is_some());

    let plain = seen.http.as_ref().expect("asked");
    let hops: Vec<_> = plain.hops.iter().map(|hop| (hop.url.as_str(), hop.status)).collect();
    assert_eq!(hops, [("http://shop.example/", 301), ("https://shop.example/", 200)]);

    let texts: Vec<_> =
        seen.files.iter().map(|file| file.body.as_ref().and_then(|body| body.text.as_deref())).collect();
    assert_eq!(texts, [Some("Contact: mailto:s@shop.example\n"), Some("version: STSv1\n")]);
    assert_eq!(seen.files[1].url, "https://mta-sts.shop.example/.well-known/mta-sts.txt");
    let cors = seen.cors.as_ref().and_then(WebFacts::last).expect("asked");
    assert_eq!(cors.header("access-control-allow-origin"), Some(CORS_ORIGIN));
    let shaken = seen.tls[0].handshake.as_ref().expect("a handshake");
    assert_eq!((shaken.trust.as_ref(), shaken.hostname_matches), (Ok(&()), true));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_behind_a_redirect_is_not_followed() {
    let away = http("302 Found", &["Location: https://shop.example/other"], b"");
    let seen = crawl(always(away), always(http("200 OK", &[], b""))).await;
    assert_eq!((seen.files[1].hops.len(), seen.files[1].failure.as_ref()), (1, None));
    assert_eq!(seen.files[0].failure, Some(ProbeFailure::TooManyRedirects));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bot_wall_is_no_page() {
    let check = async |answer: Vec<u8>, want: Option<ProbeFailure>| {
        let web = plain_page(always(answer)).await;
        assert_eq!(web.failure, want, "{web:?}");
        assert_eq!(web.hops.len(), 1);
        assert!(want.is_none() || (web.page.is_none() && web.body.is_none()));
    };
    check(http("429 Too Many Requests", &["Retry-After: 60"], b""), Some(ProbeFailure::BotWall(429))).await;
    check(http("403 Forbidden", &[], b"<h1>Just a moment...</h1>"), Some(ProbeFailure::BotWall(403))).await;
    check(http("503 Unavailable", &["X-DataDome: x"], b""), Some(ProbeFailure::BotWall(503))).await;
    check(http("403 Forbidden", &[], b"<h1>no</h1>"), None).await;
    check(http("500 Oops", &[], b"<h1>no</h1>"), None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_are_cut() {
    const LIMIT: u64 = 2 << 20;
    let giant = vec![b'a'; 5 << 20];
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(&vec![b'a'; 100 << 20]).expect("memory");
    let bomb = packer.finish().expect("memory");
    assert!(bomb.len() < 1 << 20);
    for answer in [
        http("200 OK", &["Content-Type: text/html"], &giant),
        http("200 OK", &["Content-Type: text/html", "Content-Encoding: gzip"], &bomb),
    ] {
        let web = plain_page(always(answer)).await;
        let body = web.body.expect("a body");
        assert_eq!((body.size_bytes, body.truncated, web.failure), (LIMIT, true, None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_answer_is_a_failure() {
    let check = async |answer: &'static [u8], want: &str| {
        let web = plain_page(always(answer.to_vec())).await;
        let failure = format!("{:?}", web.failure);
        assert!(failure.starts_with(want), "{failure}");
    };
    check(b"", "Some(Protocol").await;
    check(b"SSH-2.0-OpenSSH_9.7\r\n", "Some(Protocol").await;
    check(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "Some(Protocol").await;
    check(b"HTTP/1.1 301 Moved\r\nLocation: http://[bad/\r\nContent-Length: 0\r\n\r\n", "Some(Protocol").await;
}

/// One header byte at a time, for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_server_is_given_up() {
    let slow = serve_raw(|mut stream| async move {
        // It waits for the request like a server, then drips.
        let _ = stream.read_u8().await;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nX: ").await;
        let mut pace = tokio::time::interval(Duration::from_millis(100));
        loop {
            pace.tick().await;
            if stream.write_all(b"a").await.is_err() {
                return;
            }
        }
    })
    .await;
    let dns = serve_dns(&[("shop.example", ZONE)]).await;
    let options = CrawlerOptions {
        resolver: Some(dns),
        connect: vec![rule("*", 80, slow), rule("*", 443, slow)],
        limits: Limits { fetch: Duration::from_secs(1), deadline: Duration::from_secs(5), ..quick() },
        ..CrawlerOptions::default()
    };
    let seen = observe(options, "shop.example").await;
    assert_eq!(seen.http.and_then(|web| web.failure), Some(ProbeFailure::Timeout));
    assert!(seen.tls[0].handshake.is_none());
    assert!(seen.tls[0].versions.iter().all(|probe| probe.accepted.is_none()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_port_is_refused() {
    let gone = serve_raw(|_| async {}).await;
    let dns = serve_dns(&[("shop.example", ZONE)]).await;
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let closed = free.local_addr().expect("bound");
    drop(free);
    let options = CrawlerOptions {
        resolver: Some(dns),
        connect: vec![rule("*", 80, closed), rule("*", 443, gone)],
        limits: quick(),
        ..CrawlerOptions::default()
    };
    let seen = observe(options, "shop.example").await;
    assert!(matches!(seen.http.and_then(|web| web.failure), Some(ProbeFailure::Refused(_))));
    assert!(seen.tls[0].versions.iter().all(|probe| probe.accepted.is_none()), "{:?}", seen.tls);
    assert!(seen.tls[0].failure.is_some() && seen.https.is_some_and(|web| web.failure.is_some()));
}
