//! The lab's internet answers real DNS questions and real TLS handshakes as its vendors are said to.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::dnssec::{Proof, TrustAnchors};
use hickory_resolver::proto::rr::RecordType;
use riskgraph_lab::{Internet, InternetOptions, LabVendor, Profile, Shop, ShopOptions};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const DEADLINE: Duration = Duration::from_secs(20);

async fn start(seed: u64) -> Internet {
    Internet::start(InternetOptions { seed, ..InternetOptions::default() }).await.unwrap()
}

fn vendor(internet: &Internet, profile: Profile) -> LabVendor {
    internet.vendors.iter().find(|vendor| vendor.profile == profile).expect("a vendor of each profile").clone()
}

fn address(internet: &Internet, host_port: &str) -> SocketAddr {
    internet.connect.iter().find(|(name, _)| name == host_port).expect(host_port).1
}

fn resolver(internet: &Internet, validate: bool) -> TokioResolver {
    let mut connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()];
    for connection in &mut connections {
        connection.port = internet.resolver.port();
    }
    let server = NameServerConfig::new(internet.resolver.ip(), true, connections.to_vec());
    let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    builder.options_mut().validate = validate;
    if validate {
        let anchors: TrustAnchors = internet.dnssec_anchor.parse().unwrap();
        builder = builder.with_trust_anchor(Arc::new(anchors));
    }
    builder.build().unwrap()
}

async fn texts(resolver: &TokioResolver, name: &str) -> Vec<String> {
    match resolver.lookup(format!("{name}."), RecordType::TXT).await {
        Ok(found) => found.answers().iter().map(|record| record.data.to_string()).collect(),
        Err(error) if error.is_no_records_found() => Vec::new(),
        Err(error) => panic!("{name}: {error}"),
    }
}

#[tokio::test]
async fn dns_tells_of_every_vendor() {
    let internet = start(3).await;
    let resolver = resolver(&internet, false);
    for vendor in &internet.vendors {
        let ip = resolver.ipv4_lookup(format!("www.{}.", vendor.domain)).await.expect(&vendor.domain);
        assert!(ip.answers()[0].data.to_string().starts_with("127.53.0."), "{}", vendor.domain);
        for kind in [RecordType::SOA, RecordType::NS, RecordType::MX] {
            resolver.lookup(format!("{}.", vendor.domain), kind).await.expect(&vendor.domain);
        }
        let spf = texts(&resolver, &vendor.domain).await;
        assert_eq!(spf.iter().any(|text| text.contains("+all")), vendor.profile == Profile::OpenMail, "{spf:?}");
        let dmarc = texts(&resolver, &format!("_dmarc.{}", vendor.domain)).await.join("");
        assert_eq!(dmarc.contains("p=reject"), vendor.profile == Profile::Exemplary, "{dmarc}");
        assert_eq!(
            dmarc.is_empty(),
            matches!(vendor.profile, Profile::OpenMail | Profile::WeakHeaders | Profile::SelfSigned)
        );
    }
    let good = vendor(&internet, Profile::Exemplary).domain;
    assert!(texts(&resolver, &format!("_mta-sts.{good}")).await.join("").contains("STSv1"));
    resolver.lookup(format!("{good}."), RecordType::CAA).await.unwrap();
    assert!(resolver.ipv4_lookup("www.shop.example.").await.is_ok());
    for gone in ["assets.oldtag.example.", "no-such-name.invalid."] {
        let error = resolver.ipv4_lookup(gone).await.expect_err(gone);
        assert!(error.is_nx_domain(), "{gone}: {error}");
    }
}

#[tokio::test]
async fn the_signed_zone_validates_and_the_others_are_insecure() {
    let internet = start(4).await;
    let resolver = resolver(&internet, true);
    let proof = async |domain: &str| {
        let found = resolver.lookup(format!("{domain}."), RecordType::SOA).await.expect(domain);
        found.answers()[0].proof
    };
    assert_eq!(proof(&vendor(&internet, Profile::Exemplary).domain).await, Proof::Secure);
    assert_eq!(proof(&vendor(&internet, Profile::Average).domain).await, Proof::Insecure);
}

fn client(internet: &Internet) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(internet.ca_pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

async fn exchange<S: AsyncReadExt + AsyncWriteExt + Unpin>(mut stream: S, host: &str, path: &str) -> String {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = Vec::new();
    let mut chunk = [0_u8; 4_096];
    loop {
        let n = tokio::time::timeout(DEADLINE, stream.read(&mut chunk)).await.unwrap().unwrap_or(0);
        text.extend_from_slice(&chunk[..n]);
        let so_far = String::from_utf8_lossy(&text);
        let whole = so_far
            .split_once("\r\n\r\n")
            .is_some_and(|(head, body)| head.lines().any(|line| line == format!("content-length: {}", body.len())));
        if n == 0 || whole {
            return so_far.into_owned();
        }
    }
}

async fn https(internet: &Internet, host: &str, path: &str) -> std::io::Result<String> {
    let stream = TcpStream::connect(address(internet, &format!("{host}:443"))).await?;
    let name = ServerName::try_from(host.to_owned()).unwrap();
    let stream = tokio::time::timeout(DEADLINE, client(internet).connect(name, stream)).await??;
    Ok(exchange(stream, host, path).await)
}

async fn http(internet: &Internet, host: &str) -> String {
    let stream = TcpStream::connect(address(internet, &format!("{host}:80"))).await.unwrap();
    exchange(stream, host, "/").await
}

fn certificate_error(error: &std::io::Error) -> CertificateError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(why)) => why.clone(),
        other => panic!("no certificate error: {other:?}"),
    }
}

#[tokio::test]
async fn certificates_are_as_good_as_their_vendors() {
    let internet = start(5).await;
    for vendor in &internet.vendors {
        let result = https(&internet, &vendor.domain, "/").await;
        match vendor.profile {
            Profile::ExpiredCertificate => {
                let why = certificate_error(&result.unwrap_err());
                assert!(matches!(why, CertificateError::Expired | CertificateError::ExpiredContext { .. }), "{why:?}");
            }
            Profile::SelfSigned => {
                let why = certificate_error(&result.unwrap_err());
                assert!(matches!(why, CertificateError::UnknownIssuer | CertificateError::Other(_)), "{why:?}");
            }
            Profile::WrongName => {
                let why = certificate_error(&result.unwrap_err());
                assert!(matches!(why, CertificateError::NotValidForNameContext { .. }), "{why:?}");
            }
            Profile::Dead => assert_eq!(result.unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused),
            Profile::BotWall => assert!(result.unwrap().starts_with("HTTP/1.1 4")),
            _ => assert!(result.expect(&vendor.domain).starts_with("HTTP/1.1 200 OK"), "{}", vendor.domain),
        }
    }
}

#[tokio::test]
async fn sites_say_what_their_profile_says() {
    let internet = start(6).await;
    let good = vendor(&internet, Profile::Exemplary).domain;
    let text = https(&internet, &good, "/").await.unwrap();
    for header in [
        "strict-transport-security: max-age=63072000",
        "content-security-policy: default-src 'none'",
        "integrity=\"sha384-",
    ] {
        assert!(text.contains(header), "{header}: {text}");
    }
    assert!(https(&internet, &good, "/.well-known/security.txt").await.unwrap().contains("\nExpires: 2"));
    assert!(
        https(&internet, &format!("mta-sts.{good}"), "/.well-known/mta-sts.txt")
            .await
            .unwrap()
            .contains("mode: enforce")
    );
    assert!(http(&internet, &good).await.contains(&format!("location: https://{good}/")));

    let weak = vendor(&internet, Profile::WeakHeaders).domain;
    let text = http(&internet, &weak).await;
    assert!(text.starts_with("HTTP/1.1 200") && text.contains("set-cookie: PHPSESSID=8d1f0b2c; path=/\r\n"), "{text}");
    assert!(!https(&internet, &weak, "/").await.unwrap().contains("strict-transport-security"));
    let dead_server = address(&internet, &format!("ns9.{weak}:53"));
    assert!(TcpStream::connect(dead_server).await.is_err());

    let loose = https(&internet, &vendor(&internet, Profile::LooseScripts).domain, "/checkout").await.unwrap();
    assert!(loose.contains("https://assets.oldtag.example/") && !loose.contains("integrity="), "{loose}");
}

#[tokio::test]
async fn the_old_server_answers_old_hellos_and_new_ones() {
    let internet = start(7).await;
    let old = vendor(&internet, Profile::LegacyTls).domain;
    for minor in [1_u8, 2] {
        let mut hello = vec![0x16, 3, 1, 0, 45, 1, 0, 0, 41, 3, minor];
        hello.extend_from_slice(&[7; 32]);
        hello.extend_from_slice(&[0, 0, 2, 0, 0x2f, 1, 0]);
        let mut stream = TcpStream::connect(address(&internet, &format!("{old}:443"))).await.unwrap();
        stream.write_all(&hello).await.unwrap();
        let mut answer = [0_u8; 11];
        tokio::time::timeout(DEADLINE, stream.read_exact(&mut answer)).await.unwrap().unwrap();
        assert_eq!((answer[0], answer[5], &answer[9..]), (0x16, 2, &[3, minor][..]));
    }
    assert!(https(&internet, &old, "/").await.unwrap().starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn vendors_are_the_shops_partners_and_the_csv_lists_them() {
    let internet = start(8).await;
    let shop = Shop::new(ShopOptions { seed: 8, n_users: 10, ..ShopOptions::default() });
    let csv = internet.csv();
    assert!(csv.starts_with("name,domains,tier,owner,integrations\n"));
    assert_eq!(csv.lines().count(), 1 + internet.vendors.len());
    assert!(internet.vendors.len() >= 8);
    for company in shop.companies() {
        let vendor = internet.vendors.iter().find(|vendor| vendor.domain == company.domain).expect(&company.domain);
        assert_eq!((&vendor.name, &vendor.integrations), (&company.name, &company.integrations));
        assert!(csv.contains(&company.domain));
    }
    let resolver_address = internet.resolver;
    internet.stop().await;
    let gone = tokio::time::timeout(DEADLINE, async {
        while TcpStream::connect(resolver_address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    });
    gone.await.expect("the name server ends");
}
