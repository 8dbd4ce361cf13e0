//! Servers that want the TLS prober to hang, to eat memory or to run in circles.

use std::time::Duration;

use riskgraph_connectors::crawl::{CrawlerOptions, HttpCrawler, Limits};
use riskgraph_domain::observation::TlsFacts;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::world::{quick, rule, serve_dns, serve_raw};

/// How a server misbehaves once a hello has come.
#[derive(Clone, Copy)]
enum Trick {
    Stall,
    /// A good beginning, then a byte now and then for ever.
    Drip,
    /// Records longer than any may be.
    Oversize,
    /// Messages that never come to a choice.
    Endless,
    /// A chain that never ends behind a good choice.
    Flood,
    Garbage,
}

async fn play(mut stream: TcpStream, trick: Trick) {
    let mut hello = [0; 4_096];
    if !matches!(stream.read(&mut hello).await, Ok(1..)) {
        return;
    }
    let requests = [&[22, 3, 3, 0, 4][..], &[0, 0, 0, 0]].concat().repeat(1_000);
    let mut choice = vec![22, 3, 3, 0, 42, 2, 0, 0, 38, 3, 3];
    choice.extend_from_slice(&[7; 32]);
    choice.extend_from_slice(&[0, 0xc0, 0x2f, 0]);
    let certificate = [&[22, 3, 3, 0x40, 0][..], &[11; 0x4000]].concat();
    match trick {
        Trick::Stall => {}
        Trick::Garbage => drop(stream.write_all(&[0xaa; 10_000]).await),
        Trick::Oversize => drop(stream.write_all(&[&[22, 3, 3, 255, 255][..], &[0; 70_000]].concat()).await),
        Trick::Endless => while stream.write_all(&requests).await.is_ok() {},
        Trick::Flood => {
            let _ = stream.write_all(&choice).await;
            while stream.write_all(&certificate).await.is_ok() {}
        }
        Trick::Drip => {
            let _ = stream.write_all(&[22, 3, 3, 0x40]).await;
            let mut ticks = tokio::time::interval(Duration::from_millis(5));
            while stream.write_all(&[0]).await.is_ok() {
                ticks.tick().await;
            }
        }
    }
    // Until the client has had enough.
    while matches!(stream.read(&mut hello).await, Ok(1..)) {}
}

async fn examine(trick: Trick) -> TlsFacts {
    let dns = serve_dns(&[("shop.example", "@ NS ns1\n@ A 192.0.2.10")]).await;
    let server = serve_raw(move |stream| play(stream, trick)).await;
    let wait = Duration::from_millis(250);
    let options = CrawlerOptions {
        resolver: Some(dns),
        connect: vec![rule("shop.example", 443, server)],
        limits: Limits { connect: wait, read: wait, ..quick() },
        ..CrawlerOptions::default()
    };
    HttpCrawler::new(options).expect("options").observe_tls("shop.example", 443).await
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_told_and_nothing_hangs() {
    for trick in [Trick::Stall, Trick::Drip, Trick::Oversize, Trick::Endless, Trick::Garbage] {
        let facts = examine(trick).await;
        assert!(facts.versions.iter().all(|probe| probe.accepted.is_none()), "{:?}", facts.versions);
        assert!(facts.handshake.is_none() && facts.failure.is_some());
        assert!(facts.features.n_connections < 60, "{}", facts.features.n_connections);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_counts_whatever_follows() {
    let facts = examine(Trick::Flood).await;
    let spoken: Vec<_> = facts.versions.iter().filter(|probe| probe.accepted == Some(true)).collect();
    assert_eq!((spoken.len(), spoken[0].version.as_str()), (1, "TLSv1.2"));
    assert_eq!(
        spoken[0].ciphers.iter().map(|suite| suite.as_str()).collect::<Vec<_>>(),
        ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"]
    );
}
