//! Nothing private is ever reached: not by redirects, not by odd spellings, not by names that change their address.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hickory_server::proto::op::{Message, MessageType};
use hickory_server::proto::rr::rdata::A;
use hickory_server::proto::rr::{RData, Record, RecordType};
use riskgraph_connectors::crawl::CrawlerOptions;
use riskgraph_domain::observation::ProbeFailure;
use tokio::net::UdpSocket;

use super::world::{always, http, observe, path_of, quick, rule, serve, serve_dns};

const ZONE: &str = "@ NS ns1\nns1 A 192.0.2.1\n@ A 192.0.2.10\nwww A 192.0.2.10\nlocal A 127.0.0.1\nmixed A 10.0.0.1\n\
                    metadata A 169.254.169.254\nmapped AAAA ::ffff:127.0.0.1\nsix AAAA ::1";

#[tokio::test(flavor = "multi_thread")]
async fn redirects_do_not_reach_private_addresses() {
    let dns = serve_dns(&[("shop.example", ZONE)]).await;
    let (canary, reached) = serve([127, 0, 0, 1], 0, None, always(http("200 OK", &[], b"secret"))).await;
    let port = canary.port();
    let targets = [
        format!("http://127.0.0.1:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0177.0.0.1:{port}/"),
        format!("http://0x7f.1:{port}/"),
        format!("http://127.1:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://[::ffff:7f00:1]:{port}/"),
        format!("http://[64:ff9b::7f00:1]:{port}/"),
        format!("http://0.0.0.0:{port}/"),
        format!("http://①②⑦.0.0.1:{port}/"),
        format!("http://local.shop.example:{port}/"),
        format!("http://mapped.shop.example:{port}/"),
        format!("http://six.shop.example:{port}/"),
        "http://metadata.shop.example/latest/meta-data/".to_owned(),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://mixed.shop.example/".to_owned(),
        "http://[fd00:ec2::254]/".to_owned(),
        "http://[2002:7f00:1::]/".to_owned(),
        "http://192.0.2.10:22/".to_owned(),
        "ftp://192.0.2.10/".to_owned(),
        "file:///etc/passwd".to_owned(),
        "gopher://127.0.0.1:6379/_INFO".to_owned(),
    ];
    for target in targets {
        let location = format!("Location: {target}");
        let (door, _) = serve([127, 0, 0, 1], 0, None, always(http("302 Found", &[&location], b""))).await;
        let options = CrawlerOptions {
            resolver: Some(dns),
            connect: vec![rule("shop.example", 80, door)],
            // The port is open on purpose: only the address may keep the canary safe.
            allow_ports: vec![port],
            limits: quick(),
            ..CrawlerOptions::default()
        };
        let seen = observe(options, "shop.example").await;
        let web = seen.http.expect("asked");
        assert_eq!(web.hops.len(), 1, "{target}: {web:?}");
        assert!(matches!(web.failure, Some(ProbeFailure::Forbidden(_))), "{target}: {:?}", web.failure);
    }
    assert_eq!(reached.load(Ordering::SeqCst), 0);
}

/// A DNS server of which every A answer differs: these addresses in turn, the last one for ever.
async fn serve_rebinding(addresses: Vec<Ipv4Addr>) -> (SocketAddr, Arc<AtomicUsize>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    let local = socket.local_addr().expect("bound");
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    tokio::spawn(async move {
        let mut buffer = [0; 1_024];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            let Ok(mut message) = Message::from_vec(&buffer[..length]) else { continue };
            message.metadata.message_type = MessageType::Response;
            let query = message.queries.first().cloned();
            if let Some(query) = query.filter(|query| query.query_type() == RecordType::A) {
                let turn = counted.fetch_add(1, Ordering::SeqCst).min(addresses.len() - 1);
                message.add_answer(Record::from_rdata(query.name().clone(), 0, RData::A(A(addresses[turn]))));
            }
            let _ = socket.send_to(&message.to_vec().expect("a message"), from).await;
        }
    });
    (local, asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_changes_its_address_is_caught() {
    let good = Ipv4Addr::new(127, 0, 0, 1);
    let bad = Ipv4Addr::new(127, 0, 0, 2);
    // Only 127.0.0.1 is public in this world. The page there redirects to itself, and the name then points elsewhere.
    let hop = http("302 Found", &["Location: /again"], b"");
    let (page, visits) = serve([127, 0, 0, 1], 0, None, always(hop)).await;
    let (_, reached) = serve([127, 0, 0, 2], page.port(), None, always(http("200 OK", &[], b"secret"))).await;
    let (dns, asked) = serve_rebinding(vec![good, bad]).await;
    let start = format!("Location: http://rebind.example:{}/", page.port());
    let (door, _) = serve([127, 0, 0, 1], 0, None, always(http("302 Found", &[&start], b""))).await;
    let (resolver, _) = (dns, ());
    let options = CrawlerOptions {
        resolver: Some(resolver),
        connect: vec![rule("shop.example", 80, door), rule("shop.example", 443, door)],
        allow_networks: vec!["127.0.0.1/32".parse().expect("a network")],
        allow_ports: vec![page.port()],
        limits: quick(),
        ..CrawlerOptions::default()
    };
    let seen = observe(options, "shop.example").await;
    let web = seen.http.expect("asked");
    assert!(matches!(web.failure, Some(ProbeFailure::Forbidden(_))), "{web:?}");
    assert!(asked.load(Ordering::SeqCst) >= 2);
    assert!(visits.load(Ordering::SeqCst) <= 1);
    assert_eq!(reached.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_domain_in_a_private_network_is_left_alone() {
    let zone = "@ NS ns1\nns1 A 127.0.0.1\n@ A 127.0.0.1\n@ MX 0 .";
    let dns = serve_dns(&[("inner.example", zone)]).await;
    let options = CrawlerOptions { resolver: Some(dns), limits: quick(), ..CrawlerOptions::default() };
    let seen = observe(options, "inner.example").await;
    for web in [&seen.https, &seen.http] {
        let web = web.as_ref().expect("asked");
        assert!(matches!(web.failure, Some(ProbeFailure::Forbidden(_))), "{web:?}");
    }
    assert!(matches!(seen.tls[0].failure, Some(ProbeFailure::Forbidden(_))));
    // The names themselves are public facts all the same.
    assert_eq!(seen.dns.records("inner.example", "A"), ["127.0.0.1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn redirect_loops_end() {
    let dns = serve_dns(&[("shop.example", ZONE)]).await;
    let round = Arc::new(|head: &str| {
        let location = format!("Location: {}x", path_of(head));
        http("301 Moved Permanently", &[&location], b"")
    });
    let (door, visits) = serve([127, 0, 0, 1], 0, None, round).await;
    let options = CrawlerOptions {
        resolver: Some(dns),
        connect: vec![rule("shop.example", 80, door)],
        limits: quick(),
        ..CrawlerOptions::default()
    };
    let seen = observe(options, "shop.example").await;
    let web = seen.http.expect("asked");
    assert_eq!(web.failure, Some(ProbeFailure::TooManyRedirects));
    assert_eq!((web.hops.len(), visits.load(Ordering::SeqCst)), (6, 6));
}
