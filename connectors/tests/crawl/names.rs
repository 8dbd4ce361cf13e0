//! What the crawler sees of DNS.

use std::net::SocketAddr;
use std::time::Duration;

use riskgraph_connectors::crawl::{CrawlerOptions, Limits};
use riskgraph_domain::observation::{DnsAnswer, Dnssec, DomainObservations, ProbeFailure};
use tokio::net::UdpSocket;

use super::world::{Signed, observe, quick, rule, serve_dns, serve_signed};

const SHOP: &str = r#"
@ NS ns1
@ NS ns2.other.example.
ns1 A 127.0.0.1
www CNAME shop.example.
@ A 192.0.2.10
@ AAAA 2001:db8::10
@ MX 10 mx.mail.example.
@ TXT "v=spf1 include:_spf.mail.example include:gone.mail.example " "mx a:hosts.mail.example -all"
@ TXT "unrelated"
@ CAA 0 issue "ca.example"
_dmarc TXT "v=DMARC1; p=reject; rua=mailto:d@reports.example"
_mta-sts TXT "v=STSv1; id=1"
_smtp._tls TXT "v=TLSRPTv1; rua=mailto:t@shop.example"
"#;
const MAIL: &str = r#"
@ NS ns1
ns1 A 127.0.0.1
mx A 192.0.2.20
_spf TXT "v=spf1 ip4:192.0.2.0/24 redirect=_more.mail.example"
_more TXT "v=spf1 exists:%{i}.mail.example include:_spf.mail.example ~all"
hosts A 192.0.2.30
_25._tcp.mx TLSA 3 1 1 aabbccddaabbccddaabbccddaabbccddaabbccddaabbccddaabbccddaabbccdd
"#;

async fn shop() -> (DomainObservations, SocketAddr) {
    let dns = serve_dns(&[("shop.example", SHOP), ("mail.example", MAIL)]).await;
    let options = CrawlerOptions {
        resolver: Some(dns),
        connect: vec![rule("ns1.shop.example", 53, dns)],
        limits: quick(),
        ..CrawlerOptions::default()
    };
    (observe(options, "Shop.Example.").await, dns)
}

#[tokio::test(flavor = "multi_thread")]
async fn asks_all_that_checks_need() {
    let (seen, _) = shop().await;
    assert_eq!(seen.domain.as_str(), "shop.example");
    let check = |name: &str, kind: &str, want: &[&str]| {
        let mut got = seen.dns.records(name, kind).to_vec();
        got.sort();
        assert_eq!(got, want, "{name} {kind}: {:?}", seen.dns.answer(name, kind));
    };
    check("shop.example", "NS", &["ns1.shop.example.", "ns2.other.example."]);
    check("shop.example", "A", &["192.0.2.10"]);
    check("shop.example", "AAAA", &["2001:db8::10"]);
    check("shop.example", "MX", &["10 mx.mail.example."]);
    check("shop.example", "CAA", &["0 issue \"ca.example\""]);
    check("shop.example", "SOA", &["ns1.shop.example. admin.shop.example. 7 3600 600 86400 300"]);
    let spf = "v=spf1 include:_spf.mail.example include:gone.mail.example mx a:hosts.mail.example -all";
    check("shop.example", "TXT", &["unrelated", spf]);
    check("www.shop.example", "CNAME", &["shop.example."]);
    check("www.shop.example", "A", &["192.0.2.10"]);
    check("_dmarc.shop.example", "TXT", &["v=DMARC1; p=reject; rua=mailto:d@reports.example"]);
    check("_mta-sts.shop.example", "TXT", &["v=STSv1; id=1"]);
    check("_smtp._tls.shop.example", "TXT", &["v=TLSRPTv1; rua=mailto:t@shop.example"]);
    check("_spf.mail.example", "TXT", &["v=spf1 ip4:192.0.2.0/24 redirect=_more.mail.example"]);
    check("_more.mail.example", "TXT", &["v=spf1 exists:%{i}.mail.example include:_spf.mail.example ~all"]);
    check("hosts.mail.example", "A", &["192.0.2.30"]);
    check("mx.mail.example", "A", &["192.0.2.20"]);
    let tlsa = "3 1 1 aabbccddaabbccddaabbccddaabbccddaabbccddaabbccddaabbccddaabbccdd";
    check("_25._tcp.mx.mail.example", "TLSA", &[tlsa]);
}

#[tokio::test(flavor = "multi_thread")]
async fn tells_absence_from_failure() {
    let (seen, _) = shop().await;
    assert_eq!(seen.dns.answer("gone.mail.example", "TXT"), Some(&DnsAnswer::NxDomain));
    assert_eq!(seen.dns.answer("shop.example", "DS"), Some(&DnsAnswer::NoData));
    assert_eq!(seen.dns.answer("hosts.mail.example", "AAAA"), Some(&DnsAnswer::NoData));
    let refused = DnsAnswer::Failed(ProbeFailure::ResolverFailed("REFUSED".to_owned()));
    assert_eq!(seen.dns.answer("reports.example", "MX"), Some(&refused));
    assert_eq!(seen.dns.answer("shop.example._report._dmarc.reports.example", "TXT"), Some(&refused));
    assert_eq!(seen.dns.dnssec, Dnssec::Insecure);
}

#[tokio::test(flavor = "multi_thread")]
async fn asks_name_servers_themselves() {
    let (seen, _) = shop().await;
    let names: Vec<_> = seen.dns.name_servers.iter().map(|server| server.name.as_str()).collect();
    assert_eq!(names, ["ns1.shop.example", "ns2.other.example"]);
    let first = &seen.dns.name_servers[0];
    assert_eq!(first.addresses.len(), 1);
    for reply in [&first.udp, &first.tcp] {
        let reply = reply.as_ref().expect("asked").as_ref().expect("answered");
        assert!(reply.authoritative && !reply.recursion_available);
        assert_eq!((reply.rcode.as_str(), reply.serial), ("NOERROR", Some(7)));
    }
    let second = &seen.dns.name_servers[1];
    assert!(second.udp.is_none() && second.tcp.is_none() && !second.is_alias);
}

#[tokio::test(flavor = "multi_thread")]
async fn does_not_ask_private_name_servers() {
    let dns = serve_dns(&[("shop.example", SHOP)]).await;
    let options = CrawlerOptions { resolver: Some(dns), limits: quick(), ..CrawlerOptions::default() };
    let seen = observe(options, "shop.example").await;
    for reply in [&seen.dns.name_servers[0].udp, &seen.dns.name_servers[0].tcp] {
        assert!(matches!(reply, Some(Err(ProbeFailure::Forbidden(_)))), "{reply:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_of_the_resolver_is_a_failure() {
    // Bound and never answered.
    let silent = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    let options = CrawlerOptions {
        resolver: Some(silent.local_addr().expect("bound")),
        limits: Limits { dns: Duration::from_millis(50), deadline: Duration::from_secs(3), ..quick() },
        ..CrawlerOptions::default()
    };
    let seen = observe(options, "shop.example").await;
    assert!(!seen.dns.lookups.is_empty());
    for lookup in &seen.dns.lookups {
        assert!(matches!(lookup.answer, DnsAnswer::Failed(_)), "{lookup:?}");
    }
    assert!(matches!(seen.dns.dnssec, Dnssec::Unknown(_)));
    let failure = seen.https.as_ref().and_then(|web| web.failure.as_ref());
    assert!(matches!(failure, Some(ProbeFailure::Timeout | ProbeFailure::ResolverFailed(_))), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_cannot_exist_are_not_asked() {
    let dns = serve_dns(&[("shop.example", SHOP)]).await;
    for name in ["", "localhost", "127.0.0.1", "127.1", "0x7f.1", "2130706433", "[::1]", "a..example", "a b.example"] {
        let options = CrawlerOptions { resolver: Some(dns), limits: quick(), ..CrawlerOptions::default() };
        let seen = observe(options, name).await;
        assert!(seen.dns.lookups.is_empty(), "{name}");
        let failure = seen.https.as_ref().and_then(|web| web.failure.as_ref());
        assert!(matches!(failure, Some(ProbeFailure::Protocol(_))), "{name}: {failure:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn follows_the_chain_of_trust() {
    // A DS makes the crawler validate; that it stands in the zone itself does not matter to the asking.
    let text = "@ NS ns1\nns1 A 192.0.2.1\n@ A 192.0.2.10\n@ DS 1 15 2 \
                AABBCCDDAABBCCDDAABBCCDDAABBCCDDAABBCCDDAABBCCDDAABBCCDDAABBCCDD";
    let state = async |signed, anchored: bool| {
        let (dns, anchor) = serve_signed("signed.example", text, signed).await;
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("anchors");
        std::fs::write(&file, anchor).expect("a file");
        let options = CrawlerOptions {
            resolver: Some(dns),
            dnssec_anchors: anchored.then_some(file),
            limits: quick(),
            ..CrawlerOptions::default()
        };
        observe(options, "signed.example").await.dns.dnssec
    };
    assert_eq!(state(Signed::Whole, true).await, Dnssec::Secure);
    let spoilt = state(Signed::Spoilt, true).await;
    assert!(matches!(spoilt, Dnssec::Bogus(_)), "{spoilt:?}");
    let unknown = state(Signed::Whole, false).await;
    assert!(!matches!(unknown, Dnssec::Secure | Dnssec::Insecure), "{unknown:?}");
}
