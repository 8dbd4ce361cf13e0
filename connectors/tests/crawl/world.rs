//! A small internet on loopback.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hickory_server::Server;
use hickory_server::dnssec::NxProofKind;
use hickory_server::proto::dnssec::crypto::Ed25519SigningKey;
use hickory_server::proto::dnssec::rdata::DNSKEY;
use hickory_server::proto::dnssec::{DnssecSigner, SigningKey};
use hickory_server::proto::rr::{LowerName, Name, RData, RecordSet, RecordType, RrKey};
use hickory_server::proto::serialize::txt::Parser;
use hickory_server::store::in_memory::InMemoryZoneHandler;
use hickory_server::zone_handler::{AxfrPolicy, Catalog, ZoneType};
use rcgen::{BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use riskgraph_connectors::crawl::{ConnectRule, CrawlerOptions, HttpCrawler, Limits};
use riskgraph_domain::Timestamp;
use riskgraph_domain::observation::DomainObservations;
use riskgraph_domain::ports::Crawler;
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_rustls::TlsAcceptor;

/// Limits that make a slow server fail a test quickly; still far above what loopback needs on a busy machine.
pub(crate) fn quick() -> Limits {
    Limits {
        connect: Duration::from_secs(2),
        read: Duration::from_secs(4),
        fetch: Duration::from_secs(6),
        host_rate_per_s: 1_000,
        host_burst: 1_000,
        ..Limits::default()
    }
}

/// Serves zones (origin and zone file text) over UDP and TCP on one port.
pub(crate) async fn serve_dns(zones: &[(&str, &str)]) -> SocketAddr {
    let mut catalog = Catalog::new();
    for (origin, text) in zones {
        let (name, records) = parse_zone(origin, text);
        let zone: InMemoryZoneHandler =
            InMemoryZoneHandler::new(name.clone(), records, ZoneType::Primary, AxfrPolicy::Deny, None)
                .expect("a zone with SOA");
        catalog.upsert(LowerName::new(&name), vec![Arc::new(zone)]);
    }
    serve_catalog(catalog).await
}

/// What of a signed zone is spoilt after signing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signed {
    Whole,
    Spoilt,
}

/// Serves a zone signed with an own key; returns the key as a trust anchor too.
pub(crate) async fn serve_signed(origin: &str, text: &str, signed: Signed) -> (SocketAddr, String) {
    let (name, records) = parse_zone(origin, text);
    let soa = records.values().find(|set| set.record_type() == RecordType::SOA).expect("a SOA").clone();
    let proof = Some(NxProofKind::Nsec);
    let mut zone: InMemoryZoneHandler =
        InMemoryZoneHandler::new(name.clone(), records, ZoneType::Primary, AxfrPolicy::Deny, proof).expect("a zone");
    let pkcs8 = Ed25519SigningKey::generate_pkcs8().expect("a key");
    let key = Ed25519SigningKey::from_pkcs8(&pkcs8).expect("a key");
    let public = DNSKEY::from_key(&key.to_public_key().expect("a key"));
    let life = Duration::from_secs(86_400);
    zone.add_zone_signing_key_mut(DnssecSigner::new(public.clone(), Box::new(key), name.clone(), life)).expect("a key");
    zone.secure_zone_mut().expect("a signed zone");
    if signed == Signed::Spoilt {
        let mut record = soa.records_without_rrsigs().next().expect("a SOA").clone();
        if let RData::SOA(soa) = &mut record.data {
            soa.serial += 100;
        }
        zone.upsert_mut(record, 0);
    }
    let mut catalog = Catalog::new();
    catalog.upsert(LowerName::new(&name), vec![Arc::new(zone)]);
    (serve_catalog(catalog).await, format!("{origin}. 300 IN DNSKEY {public}\n"))
}

fn parse_zone(origin: &str, text: &str) -> (Name, BTreeMap<RrKey, RecordSet>) {
    let name = Name::from_ascii(format!("{origin}.")).expect("a name");
    let text = format!("$TTL 300\n@ SOA ns1 admin 7 3600 600 86400 300\n{text}\n");
    let (_, records) = Parser::new(text, None, Some(name.clone())).parse().expect("a zone");
    (name, records)
}

async fn serve_catalog(catalog: Catalog) -> SocketAddr {
    let (udp, tcp) = same_port().await;
    let address = udp.local_addr().expect("bound");
    let mut server = Server::new(catalog);
    server.register_socket(udp);
    server.register_listener(tcp, Duration::from_secs(10), 16);
    tokio::spawn(async move { server.block_until_done().await });
    address
}

/// A UDP socket and a TCP listener on the same port.
async fn same_port() -> (UdpSocket, TcpListener) {
    for _ in 0..50 {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = udp.local_addr().expect("bound");
        if let Ok(tcp) = TcpListener::bind(address).await {
            return (udp, tcp);
        }
    }
    panic!("no port is free for both UDP and TCP");
}

/// A certificate authority.
pub(crate) struct Authority {
    pub(crate) pem: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("a certificate").pem().into_bytes();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// An authority below this one and its certificate.
    pub(crate) fn below(&self, name: &str) -> (Self, CertificateDer<'static>) {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        let der = certificate.der().clone();
        (Self { pem: certificate.pem().into_bytes(), issuer: Issuer::new(params, key) }, der)
    }

    /// A server configuration whose certificate says where its issuer's is.
    pub(crate) fn server_naming_issuer(&self, name: &str, url: &str) -> Arc<ServerConfig> {
        // AuthorityInfoAccess of one AccessDescription: id-ad-caIssuers and a URI.
        let nested =
            |tag: u8, content: Vec<u8>| [vec![tag, u8::try_from(content.len()).expect("short")], content].concat();
        let method = vec![0x06, 8, 0x2b, 6, 1, 5, 5, 7, 0x30, 2];
        let location = nested(0x86, url.as_bytes().to_vec());
        let access = nested(0x30, nested(0x30, [method, location].concat()));
        let mut params = leaf(&[name], 2100);
        params.custom_extensions.push(CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], access));
        let key = KeyPair::generate().expect("a key");
        let der = params.signed_by(&key, &self.issuer).expect("a certificate").der().clone();
        configured(der, &key)
    }

    /// A server configuration with a certificate for these names, valid until this year.
    pub(crate) fn server(&self, names: &[&str], until: i32) -> Arc<ServerConfig> {
        let key = KeyPair::generate().expect("a key");
        let der = leaf(names, until).signed_by(&key, &self.issuer).expect("a certificate").der().clone();
        configured(der, &key)
    }
}

/// A server configuration with a self-signed certificate.
pub(crate) fn self_signed(names: &[&str]) -> Arc<ServerConfig> {
    let key = KeyPair::generate().expect("a key");
    let der = leaf(names, 2100).self_signed(&key).expect("a certificate").der().clone();
    configured(der, &key)
}

fn leaf(names: &[&str], until: i32) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("parameters");
    params.distinguished_name.push(DnType::CommonName, "A vendor");
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(until, 1, 1);
    params
}

fn configured(der: CertificateDer<'static>, key: &KeyPair) -> Arc<ServerConfig> {
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![der], key.into())
        .expect("a certificate");
    Arc::new(config)
}

/// What a server does with a request: the head it read, the bytes it answers.
pub(crate) type Answer = Arc<dyn Fn(&str) -> Vec<u8> + Send + Sync>;

/// Counts the connections a server got.
pub(crate) type Count = Arc<AtomicUsize>;

/// An HTTP server on this loopback address, over TLS when a configuration is given.
pub(crate) async fn serve(
    ip: [u8; 4],
    port: u16,
    tls: Option<Arc<ServerConfig>>,
    answer: Answer,
) -> (SocketAddr, Count) {
    let listener = TcpListener::bind((IpAddr::from(ip), port)).await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    let count = Count::default();
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let (tls, answer) = (tls.clone(), Arc::clone(&answer));
            tokio::spawn(async move {
                match tls {
                    None => talk(stream, answer).await,
                    Some(config) => {
                        if let Ok(stream) = TlsAcceptor::from(config).accept(stream).await {
                            talk(stream, answer).await;
                        }
                    }
                }
            });
        }
    });
    (address, count)
}

/// A server that does as it likes with each connection.
pub(crate) async fn serve_raw<F, T>(behave: F) -> SocketAddr
where
    F: Fn(TcpStream) -> T + Send + 'static,
    T: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(behave(stream));
        }
    });
    address
}

async fn talk(mut stream: impl AsyncReadExt + AsyncWriteExt + Unpin, answer: Answer) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < 16_384 {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let bytes = answer(&String::from_utf8_lossy(&head));
    let _ = stream.write_all(&bytes).await;
    let _ = stream.shutdown().await;
}

/// An answer with this status line, these header lines and this body.
pub(crate) fn http(status: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut bytes =
        format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n", body.len()).into_bytes();
    for header in headers {
        bytes.extend_from_slice(format!("{header}\r\n").as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

pub(crate) fn always(bytes: Vec<u8>) -> Answer {
    Arc::new(move |_| bytes.clone())
}

/// The path of a request head.
pub(crate) fn path_of(head: &str) -> &str {
    head.split(' ').nth(1).unwrap_or_default()
}

pub(crate) fn rule(host: &str, port: u16, to: SocketAddr) -> ConnectRule {
    ConnectRule { host: host.to_owned(), port, to }
}

pub(crate) async fn observe(options: CrawlerOptions, domain: &str) -> DomainObservations {
    let crawler = HttpCrawler::new(options).expect("good options");
    let now = Timestamp::parse_rfc3339("2026-03-02T08:00:00Z").expect("a time");
    let seen = crawler.observe(domain, now).await;
    assert_eq!(seen.started_at, now);
    assert!(seen.finished_at >= now);
    seen
}
