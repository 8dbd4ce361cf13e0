//! Name servers that misbehave, what the parent says, mail exchangers, aliases and registrations.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hickory_server::proto::op::{Edns, Message, MessageType, ResponseCode};
use hickory_server::proto::rr::rdata::{A, NS, SOA, TXT};
use hickory_server::proto::rr::{Name, RData, Record, RecordType};
use riskgraph_connectors::crawl::CrawlerOptions;
use riskgraph_domain::observation::{DnsAnswer, DomainObservations, ProbeFailure, ServerProbes};
use riskgraph_domain::{Text, Timestamp};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio_rustls::TlsAcceptor;

use super::world::{Authority, always, http, observe, quick, rule, serve, serve_dns, serve_raw};

/// What a name server answers; `None` is silence.
type Answers = Arc<dyn Fn(&Message) -> Option<Message> + Send + Sync>;

/// A name server over UDP and TCP that answers as it likes.
async fn serve_answers(answers: Answers) -> SocketAddr {
    let (udp, tcp) = loop {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().expect("bound")).await {
            break (udp, tcp);
        }
    };
    let address = udp.local_addr().expect("bound");
    let over_tcp = Arc::clone(&answers);
    tokio::spawn(async move {
        let mut buffer = vec![0; 4_096];
        while let Ok((length, from)) = udp.recv_from(&mut buffer).await {
            if let Some(answer) = Message::from_vec(&buffer[..length]).ok().and_then(|question| answers(&question)) {
                let _ = udp.send_to(&answer.to_vec().expect("an answer"), from).await;
            }
        }
    });
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = tcp.accept().await {
            let Ok(length) = stream.read_u16().await else { continue };
            let mut question = vec![0; usize::from(length)];
            if stream.read_exact(&mut question).await.is_err() {
                continue;
            }
            let Some(answer) = Message::from_vec(&question).ok().and_then(|question| over_tcp(&question)) else {
                continue;
            };
            let bytes = answer.to_vec().expect("an answer");
            let _ = stream.write_u16(u16::try_from(bytes.len()).expect("short")).await;
            let _ = stream.write_all(&bytes).await;
        }
    });
    address
}

fn name(text: &str) -> Name {
    Name::from_ascii(text).expect("a name")
}

fn reply(question: &Message) -> Message {
    let mut message = Message::response(question.metadata.id, question.metadata.op_code);
    message.metadata.message_type = MessageType::Response;
    message.queries = question.queries.clone();
    message
}

fn soa() -> RData {
    RData::SOA(SOA::new(name("ns1.shop.example."), name("admin.shop.example."), 7, 3600, 600, 86400, 300))
}

const SHOP: &str = "@ NS ns1\nns1 A 127.0.0.1\n@ A 192.0.2.10\n@ MX 10 mx.shop.example.\nmx A 192.0.2.20\n\
                    blog CNAME shop.pages.other.example.\nhelp CNAME www.shop.example.\nwww A 192.0.2.10\n* MX 5 any";
const OTHER: &str = "@ NS ns1\nns1 A 127.0.0.1\nshop.pages A 192.0.2.80";

/// The options for a crawl in which `ns1.shop.example` is this server.
async fn options(server: SocketAddr) -> CrawlerOptions {
    let parent = "@ NS a.parent.example.\na.parent A 127.0.0.1\nshop NS ns1.shop\nns1.shop A 127.0.0.1";
    let dns = serve_dns(&[("example", parent), ("shop.example", SHOP), ("other.example", OTHER)]).await;
    CrawlerOptions {
        resolver: Some(dns),
        connect: vec![rule("ns1.shop.example", 53, server)],
        limits: quick(),
        ..CrawlerOptions::default()
    }
}

fn probes(seen: &DomainObservations) -> &ServerProbes {
    seen.dns.name_servers[0].probes.as_ref().expect("probed")
}

/// Answers the zone's SOA to everything, and gives everything away.
fn careless(question: &Message) -> Option<Message> {
    let asked = question.queries.first()?;
    let zone = name("shop.example.");
    let mut message = reply(question);
    message.metadata.authoritative = true;
    match asked.query_type() {
        _ if asked.name().to_string().ends_with("invalid.") => {
            message.metadata.authoritative = false;
            message.metadata.recursion_available = true;
            message.metadata.response_code = ResponseCode::NXDomain;
        }
        RecordType::TXT => {
            let text = RData::TXT(TXT::new(vec!["Careless 1.2.3".to_owned()]));
            message.answers.push(Record::from_rdata(asked.name().clone(), 0, text));
        }
        // Silence to EDNS of an unknown version; whatever comes is taken for version 0 elsewhere.
        _ if question.edns.as_ref().is_some_and(|edns| edns.version() > 0) => return None,
        RecordType::NS => message.answers.push(Record::from_rdata(zone, 300, RData::NS(NS(name("ns1.shop.example."))))),
        _ => message.answers.push(Record::from_rdata(zone, 300, soa())),
    }
    if question.edns.is_some() {
        message.edns = Some(Edns::new());
    }
    Some(message)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_careless_name_server_is_seen_through() {
    let server = serve_answers(Arc::new(careless)).await;
    let seen = observe(options(server).await, "shop.example").await;
    let probes = probes(&seen);
    let recursion = probes.recursion.as_ref().expect("asked").as_ref().expect("answered");
    assert!(recursion.available && recursion.rcode.as_str() == "NXDOMAIN", "{recursion:?}");
    let transfer = probes.transfer.as_ref().expect("asked").as_ref().expect("answered");
    assert!(transfer.began && transfer.n_records == 1, "{transfer:?}");
    let version = probes.version.as_ref().expect("asked").as_ref().expect("answered");
    assert_eq!(version.texts, ["Careless 1.2.3"]);
    let edns = probes.edns.as_ref().expect("asked");
    assert!(matches!(&edns.version_0, Ok(reply) if reply.version == Some(0) && reply.has_answer), "{edns:?}");
    assert_eq!(edns.version_1, Err(ProbeFailure::Timeout));
    assert_eq!(probes.ns, Some(Ok(vec![Text::from("ns1.shop.example")])));
    assert!(probes.soa.as_deref().is_some_and(|soa| soa.contains(" 7 3600 ")));
    assert!(matches!(seen.dns.answer("riskgraph-no-such-name.shop.example", "MX"), Some(DnsAnswer::Records(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_name_server_gives_nothing_away() {
    let server = serve_dns(&[("shop.example", SHOP)]).await;
    let seen = observe(options(server).await, "shop.example").await;
    let probes = probes(&seen);
    let recursion = probes.recursion.as_ref().expect("asked").as_ref().expect("answered");
    assert!(!recursion.available, "{recursion:?}");
    assert!(!matches!(&probes.transfer, Some(Ok(transfer)) if transfer.began), "{:?}", probes.transfer);
    let edns = probes.edns.as_ref().expect("asked");
    assert!(matches!(&edns.version_0, Ok(reply) if reply.rcode.as_str() == "NOERROR" && reply.version == Some(0)));
    assert!(matches!(&edns.version_1, Ok(reply) if reply.rcode.as_str() == "BADVERS"), "{edns:?}");
    assert!(matches!(&probes.version, Some(Ok(version)) if version.texts.is_empty()), "{:?}", probes.version);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parent_is_asked_for_its_delegation() {
    let refer: Answers = Arc::new(|question| {
        let mut message = reply(question);
        let names = ["ns1.shop.example.", "old.shop.example."];
        let zone = name("shop.example.");
        message.authorities =
            names.iter().map(|ns| Record::from_rdata(zone.clone(), 300, RData::NS(NS(name(ns))))).collect();
        message.additionals.push(Record::from_rdata(name(names[0]), 300, RData::A(A::new(192, 0, 2, 1))));
        Some(message)
    });
    let (server, parent) = (serve_answers(Arc::new(careless)).await, serve_answers(refer).await);
    let mut options = options(server).await;
    options.connect.push(rule("a.parent.example", 53, parent));
    let seen = observe(options, "shop.example").await;
    let delegation = seen.dns.delegation.as_ref().expect("asked").as_ref().expect("answered");
    assert_eq!((delegation.parent.as_str(), delegation.server.as_str()), ("example", "a.parent.example"));
    assert_eq!(delegation.names, ["ns1.shop.example", "old.shop.example"].map(Text::from));
    assert_eq!(delegation.glue, [(Text::from("ns1.shop.example"), Text::from("192.0.2.1"))]);
    // A server only the parent names is asked as well.
    let names: Vec<&str> = seen.dns.name_servers.iter().map(|server| server.name.as_str()).collect();
    assert_eq!(names, ["ns1.shop.example", "old.shop.example"]);
}

/// A mail server with these words for EHLO, and TLS behind STARTTLS.
async fn mail_server(ehlo: &'static str, authority: &Authority) -> SocketAddr {
    let tls = authority.server(&["mx.shop.example"], 2100);
    serve_raw(move |mut stream| {
        let tls = Arc::clone(&tls);
        async move {
            let _ = stream.write_all(b"220-mx.shop.example\r\n220 ready\r\n").await;
            let mut line = Vec::new();
            while let Ok(byte) = stream.read_u8().await {
                line.push(byte);
                if byte != b'\n' {
                    continue;
                }
                let said = String::from_utf8_lossy(&line).to_uppercase();
                line.clear();
                if said.starts_with("EHLO") {
                    let _ = stream.write_all(ehlo.as_bytes()).await;
                } else if said.starts_with("STARTTLS") {
                    let _ = stream.write_all(b"220 go ahead\r\n").await;
                    let _ = TlsAcceptor::from(tls).accept(stream).await;
                    return;
                } else {
                    let _ = stream.write_all(b"221 bye\r\n").await;
                    return;
                }
            }
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_exchangers_are_asked_for_starttls() {
    let authority = Authority::new("Mail authority");
    let look = async |ehlo: &'static str| {
        let server = serve_dns(&[("shop.example", SHOP)]).await;
        let mut options = options(server).await;
        options.extra_ca_pem = Some(authority.pem.clone());
        options.connect.push(rule("mx.shop.example", 25, mail_server(ehlo, &authority).await));
        let seen = observe(options, "shop.example").await;
        seen.mail_hosts[0].clone()
    };
    let host = look("250-mx.shop.example\r\n250-SIZE 1000\r\n250 STARTTLS\r\n").await;
    assert_eq!(host.host.as_str(), "mx.shop.example");
    let tls = host.starttls.expect("spoken to");
    let handshake = tls.handshake.expect("a handshake");
    assert!(tls.offered && handshake.hostname_matches && handshake.trust.is_ok(), "{handshake:?}");
    let plain = look("250-mx.shop.example\r\n250 SIZE 1000\r\n").await.starttls.expect("spoken to");
    assert!(!plain.offered && plain.handshake.is_none());
    let rude = look("554 no\r\n").await.starttls;
    assert!(matches!(rude, Err(ProbeFailure::Protocol(_))), "{rude:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn aliases_are_followed_to_their_ends() {
    let server = serve_dns(&[("shop.example", SHOP)]).await;
    let mut options = options(server).await;
    let answer = always(http("404 Not Found", &["Content-Type: text/html"], b"<p>No such app</p>"));
    let (web, _) = serve([127, 0, 0, 1], 0, None, answer).await;
    options.connect.push(rule("blog.shop.example", 80, web));
    let seen = observe(options, "shop.example").await;
    let [alias] = seen.aliases.as_slice() else { panic!("{:?}", seen.aliases) };
    assert_eq!(alias.host.as_str(), "blog.shop.example");
    assert_eq!(alias.chain, [Text::from("shop.pages.other.example")]);
    assert_eq!(alias.end, DnsAnswer::Records(vec!["192.0.2.80".to_owned()]));
    let page = alias.page.as_ref().expect("fetched").as_ref().expect("answered");
    assert!(page.status == 404 && page.text.contains("No such app"), "{page:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_registry_is_asked_when_a_service_is_named() {
    let server = serve_dns(&[("shop.example", SHOP)]).await;
    let text = br#"{"status":["client transfer prohibited"],"events":[
        {"eventAction":"expiration","eventDate":"2030-01-01T00:00:00Z"}]}"#;
    let (web, count) =
        serve([127, 0, 0, 1], 0, None, always(http("200 OK", &["Content-Type: application/json"], text))).await;
    let mut options = options(server).await;
    options.rdap = "http://rdap.example/".parse().ok();
    options.connect.push(rule("rdap.example", 80, web));
    let seen = observe(options, "shop.example").await;
    let registration = seen.dns.registration.as_ref().expect("asked").as_ref().expect("answered");
    assert_eq!(registration.expires_at, Timestamp::parse_rfc3339("2030-01-01T00:00:00Z"));
    assert_eq!(registration.statuses, [Text::from("client transfer prohibited")]);
    assert_eq!(count.load(std::sync::atomic::Ordering::SeqCst), 1);
}
