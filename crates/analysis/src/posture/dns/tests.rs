use riskgraph_domain::Text;
use riskgraph_domain::observation::*;
use riskgraph_domain::posture::CheckResult::{self, Fail, Pass, Unknown, Warn};

use super::caa_error;
use crate::posture::fixtures::*;

const ZONE: &str = "example.com";

/// A zone with two good servers in two networks.
fn zone() -> DomainObservations {
    let mut seen = blank(ZONE);
    seen.dns.lookups = vec![
        records(ZONE, "NS", &["ns1.example.net.", "ns2.example.org."]),
        records(ZONE, "SOA", &["ns1.example.net. admin.example.com. 1 7200 3600 1209600 3600"]),
        records(ZONE, "A", &["93.184.216.34"]),
        answered(ZONE, "AAAA", DnsAnswer::NoData),
        records(ZONE, "CAA", &["0 issue \"letsencrypt.org\""]),
    ];
    seen.dns.name_servers = vec![server("ns1.example.net", "198.51.100.1"), server("ns2.example.org", "203.0.113.1")];
    seen.dns.dnssec = Dnssec::Secure;
    seen
}

#[track_caller]
fn check(id: &str, result: impl Into<Option<CheckResult>>, change: impl FnOnce(&mut DomainObservations)) {
    let mut seen = zone();
    change(&mut seen);
    expect(&seen, id, result);
}

fn answer(seen: &mut DomainObservations, kind: &str, answer: DnsAnswer) {
    seen.dns.lookups.retain(|lookup| lookup.kind.as_str() != kind);
    seen.dns.lookups.push(answered(ZONE, kind, answer));
}

#[test]
fn a_good_zone_passes_everything() {
    for id in ["12", "13", "14", "01", "02", "03", "04", "05", "06", "08", "10", "11", "15", "16", "20", "23"] {
        check(&format!("DNS-{id}"), Pass, |_| {});
    }
}

#[test]
fn delegation() {
    check("DNS-01", Fail, |s| answer(s, "NS", DnsAnswer::NxDomain));
    check("DNS-01", Fail, |s| answer(s, "NS", DnsAnswer::NoData));
    check("DNS-01", Unknown, |s| answer(s, "NS", DnsAnswer::Failed(ProbeFailure::Timeout)));
    check("DNS-01", Unknown, |s| answer(s, "NS", DnsAnswer::Failed(ProbeFailure::ResolverFailed("SERVFAIL".into()))));
    check("DNS-01", Unknown, |s| s.dns.name_servers.clear());
    check("DNS-01", Unknown, |s| {
        for server in &mut s.dns.name_servers {
            server.udp = Some(Err(ProbeFailure::Timeout));
            server.tcp = None;
        }
    });
    check("DNS-01", Fail, |s| {
        for server in &mut s.dns.name_servers {
            server.udp = Some(Ok(ServerReply { authoritative: false, ..reply(1) }));
            server.tcp = None;
        }
    });
    // A host inside a zone has no delegation of its own.
    let mut host = blank("www.example.com");
    host.dns.lookups = vec![answered("www.example.com", "NS", DnsAnswer::NoData)];
    for id in ["DNS-01", "DNS-02", "DNS-05", "DNS-08", "DNS-10", "DNS-11"] {
        expect(&host, id, None);
    }
}

#[test]
fn servers() {
    check("DNS-02", Fail, |s| answer(s, "NS", DnsAnswer::Records(vec!["ns1.example.net.".into()])));
    check("DNS-02", Warn, |s| s.dns.name_servers[1].addresses = vec![Text::from("198.51.100.1")]);
    check("DNS-03", Unknown, |s| s.dns.name_servers[1].udp = Some(Err(ProbeFailure::Timeout)));
    check("DNS-03", Unknown, |s| s.dns.name_servers[1].tcp = Some(Err(ProbeFailure::Timeout)));
    check("DNS-03", Unknown, |s| s.dns.name_servers[1].tcp = None);
    check("DNS-03", Warn, |s| s.dns.name_servers[1].tcp = Some(Err(ProbeFailure::Refused(String::new()))));
    check("DNS-04", Warn, |s| s.dns.name_servers[1].addresses = vec![Text::from("198.51.100.2")]);
    check("DNS-05", Fail, |s| s.dns.name_servers[0].is_alias = true);
    check("DNS-06", Warn, |s| s.dns.name_servers[0].name = Text::from("old.example.net"));
    check("DNS-07", None, |_| {});
    let inside = |s: &mut DomainObservations, address: &str| {
        s.dns.name_servers[0].name = Text::from("ns1.example.com");
        s.dns.lookups.push(records("ns1.example.com", "A", &[address]));
    };
    check("DNS-07", Pass, |s| inside(s, "198.51.100.1"));
    check("DNS-07", Warn, |s| inside(s, "198.51.100.9"));
    check("DNS-08", Fail, |s| {
        s.dns.name_servers[1].udp = Some(Ok(ServerReply { authoritative: false, ..reply(1) }));
        s.dns.name_servers[1].tcp = None;
    });
    check("DNS-08", Unknown, |s| {
        s.dns.name_servers[1].udp =
            Some(Ok(ServerReply { rcode: Text::from("SERVFAIL"), authoritative: false, ..reply(1) }));
        s.dns.name_servers[1].tcp = None;
    });
    check("DNS-11", Fail, |s| {
        s.dns.name_servers.iter_mut().for_each(|server| server.probes = None);
        s.dns.name_servers[0].udp = Some(Ok(ServerReply { recursion_available: true, ..reply(1) }))
    });
}

#[test]
fn soa() {
    let with = |record: &'static str| {
        move |s: &mut DomainObservations| answer(s, "SOA", DnsAnswer::Records(vec![record.into()]))
    };
    check("DNS-10", Warn, |s| s.dns.name_servers[1].udp = Some(Ok(reply(2))));
    check("DNS-10", Warn, with("a. b. 1 60 3600 1209600 3600"));
    check("DNS-10", Warn, with("a. b. 1 7200 7200 1209600 3600"));
    check("DNS-10", Warn, with("a. b. 1 7200 3600 3600 3600"));
    check("DNS-10", Warn, with("a. b. 1 7200 3600 1209600 604800"));
    check("DNS-10", Unknown, with("garbage"));
    check("DNS-10", Unknown, |s| answer(s, "SOA", DnsAnswer::Failed(ProbeFailure::Timeout)));
}

#[test]
fn dnssec() {
    check("DNS-15", Warn, |s| s.dns.dnssec = Dnssec::Insecure);
    check("DNS-16", None, |s| s.dns.dnssec = Dnssec::Insecure);
    check("DNS-16", Fail, |s| s.dns.dnssec = Dnssec::Bogus("signature expired".into()));
    check("DNS-15", Unknown, |s| s.dns.dnssec = Dnssec::Unknown("timed out".into()));
    check("DNS-16", Unknown, |s| s.dns.dnssec = Dnssec::Unknown("timed out".into()));
}

#[test]
fn caa() {
    check("DNS-20", Warn, |s| answer(s, "CAA", DnsAnswer::NoData));
    check("DNS-20", Unknown, |s| answer(s, "CAA", DnsAnswer::Failed(ProbeFailure::Timeout)));
    check("DNS-20", Fail, |s| answer(s, "CAA", DnsAnswer::Records(vec!["1 issue \"ca.example\"".into()])));
    // Looked for at the parent when the host has none.
    let mut host = blank("www.example.com");
    host.dns.lookups =
        vec![answered("www.example.com", "CAA", DnsAnswer::NoData), records("example.com", "CAA", &["0 issue \";\""])];
    expect(&host, "DNS-20", Pass);
    for (record, valid) in [
        ("0 issue \"letsencrypt.org\"", true),
        ("0 issue \";\"", true),
        ("0 issue \"\"", true),
        ("128 issuewild \"ca.example; accounturi=https://x.example/1; policy=ev\"", true),
        ("0 iodef \"mailto:sec@example.com\"", true),
        ("0 iodef \"https://example.com/report\"", true),
        ("0 tbs \"anything\"", true),
        ("128 tbs \"anything\"", false),
        ("2 issue \"ca.example\"", false),
        ("256 issue \"ca.example\"", false),
        ("0 is-sue \"ca.example\"", false),
        ("0 issue \"ca example\"", false),
        ("0 issue \"ca..example\"", false),
        ("0 issue \"ca.example; accounturi\"", false),
        ("0 iodef \"sec@example.com\"", false),
        ("0 issue", false),
    ] {
        assert_eq!(caa_error(record).is_none(), valid, "{record}");
    }
}

#[test]
fn private_addresses() {
    for (address, result) in [
        ("10.1.2.3", Warn),
        ("127.0.0.1", Warn),
        ("169.254.1.1", Warn),
        ("100.64.0.1", Warn),
        ("192.168.1.1", Warn),
        ("8.8.8.8", Pass),
    ] {
        check("DNS-23", result, |s| answer(s, "A", DnsAnswer::Records(vec![address.into()])));
    }
    check("DNS-23", Warn, |s| answer(s, "AAAA", DnsAnswer::Records(vec!["fd00::1".into()])));
    check("DNS-23", Unknown, |s| answer(s, "AAAA", DnsAnswer::Failed(ProbeFailure::Timeout)));
}
