//! Examples of the DNS checks.

use riskgraph_domain::observation::*;
use riskgraph_domain::time::DAY_MS;
use riskgraph_domain::{Text, Timestamp};

use super::parts::{DOMAIN, NOW, answered, records, reply, signature};
use super::{Example, Subject, fails, passes, warns};

/// Puts an answer in the place of what was there.
pub(super) fn put(subject: &mut Subject, lookup: Lookup) {
    let lookups = &mut subject.seen.dns.lookups;
    lookups.retain(|known| known.name != lookup.name || known.kind != lookup.kind);
    lookups.push(lookup);
}

/// Changes what the first server did when it was probed.
fn probe(subject: &mut Subject, change: impl FnOnce(&mut ServerProbes)) {
    if let Some(probes) = subject.seen.dns.name_servers.first_mut().and_then(|server| server.probes.as_mut()) {
        change(probes);
    }
}

/// An elliptic curve key, which is short by nature.
const CURVE_KEY: &str = "257 3 13 AAAA";

/// Signed with these keys and, at the parent, this digest.
fn sign(subject: &mut Subject, key: &str, digest: &str) {
    put(subject, records(DOMAIN, "DNSKEY", &[key]));
    put(subject, records(DOMAIN, "DS", &[digest]));
    expire(subject, 14);
}

/// A signature that ends in so many days.
fn expire(subject: &mut Subject, days: i64) {
    subject.seen.dns.signatures = vec![signature("SOA", days)];
}

/// An RSA key of 512, 1024 or 2048 bits in presentation form: exponent 3, then a modulus of ones.
fn rsa(bits: usize) -> String {
    // 0x01 0x03 and ones are "AQP/" and "////" in base64.
    format!("257 3 8 AQP/{}", "////".repeat((bits / 8 - 1).div_ceil(3)))
}

fn registered(subject: &mut Subject, days: i64, status: &str) {
    subject.seen.dns.registration = Some(Ok(Registration {
        source: "https://rdap.example/domain/shop.example.com".to_owned(),
        expires_at: Some(Timestamp(NOW.0 + days * DAY_MS)),
        statuses: vec![Text::from(status)],
    }));
}

/// A delegation to these servers, the first with this address.
fn delegate(subject: &mut Subject, names: &[&str], glue: &[(&str, &str)]) {
    subject.seen.dns.delegation = Some(Ok(Delegation {
        parent: Text::from("example.com"),
        server: Text::from("a.example"),
        names: names.iter().map(|name| Text::from(*name)).collect(),
        glue: glue.iter().map(|(name, address)| (Text::from(*name), Text::from(*address))).collect(),
        bytes: 120,
    }));
}

pub(super) const EXAMPLES: &[Example] = &[
    passes("DNS-01", "two servers that answer", |_| {}),
    fails("DNS-01", "the domain does not exist", |s| put(s, answered(DOMAIN, "NS", DnsAnswer::NxDomain))),
    passes("DNS-02", "two name servers at two addresses", |_| {}),
    fails("DNS-02", "one name server", |s| {
        s.seen.dns.name_servers.truncate(1);
        put(s, records(DOMAIN, "NS", &["ns1.example.net"]));
    }),
    warns("DNS-02", "two name servers at one address", |s| {
        let address = s.seen.dns.name_servers[0].addresses.clone();
        s.seen.dns.name_servers[1].addresses = address;
    }),
    passes("DNS-03", "UDP and TCP", |_| {}),
    warns("DNS-03", "TCP is refused", |s| {
        s.seen.dns.name_servers[0].tcp = Some(Err(ProbeFailure::Refused("connection refused".to_owned())));
    }),
    passes("DNS-04", "two networks", |_| {}),
    warns("DNS-04", "two addresses of one network", |s| {
        s.seen.dns.name_servers[1].addresses = vec![Text::from("192.0.2.54")];
    }),
    warns("DNS-04", "two prefixes of one autonomous system", |s| {
        for server in &mut s.seen.dns.name_servers {
            if let Some(probes) = &mut server.probes {
                probes.asns = vec![64_500];
            }
        }
    }),
    passes("DNS-05", "hosts with addresses", |_| {}),
    fails("DNS-05", "a name server that is a CNAME", |s| s.seen.dns.name_servers[0].is_alias = true),
    passes("DNS-06", "the parent lists the same servers", |s| {
        delegate(s, &["ns1.example.net", "ns2.example.org"], &[]);
    }),
    warns("DNS-06", "the parent still lists an old server", |s| {
        delegate(s, &["ns1.example.net", "ns2.example.org", "old.example.net"], &[]);
    }),
    warns("DNS-06", "one server gives another list", |s| {
        for (server, name) in s.seen.dns.name_servers.iter_mut().zip(["ns1.example.net", "ns9.example.net"]) {
            if let Some(probes) = &mut server.probes {
                probes.ns = Some(Ok(vec![Text::from(name)]));
            }
        }
    }),
    passes("DNS-07", "glue as in the zone", |s| {
        put(s, records("ns.shop.example.com", "A", &["192.0.2.60"]));
        delegate(s, &["ns.shop.example.com"], &[("ns.shop.example.com", "192.0.2.60")]);
    }),
    warns("DNS-07", "glue with an old address", |s| {
        put(s, records("ns.shop.example.com", "A", &["192.0.2.60"]));
        delegate(s, &["ns.shop.example.com"], &[("ns.shop.example.com", "192.0.2.1")]);
    }),
    passes("DNS-08", "every server is authoritative", |_| {}),
    fails("DNS-08", "a server that does not hold the zone", |s| {
        let refused = ServerReply { authoritative: false, rcode: Text::from("REFUSED"), serial: None, ..reply(1) };
        s.seen.dns.name_servers[0].udp = Some(Ok(refused.clone()));
        s.seen.dns.name_servers[0].tcp = Some(Ok(refused));
    }),
    passes("DNS-09", "the servers' names exist", |_| {}),
    fails("DNS-09", "a server under a domain nobody registered", |s| {
        put(s, answered("ns1.example.net", "A", DnsAnswer::NxDomain));
        put(s, answered("example.net", "SOA", DnsAnswer::NxDomain));
    }),
    warns("DNS-09", "a server that no longer exists", |s| {
        put(s, answered("ns1.example.net", "A", DnsAnswer::NxDomain));
        put(s, records("example.net", "SOA", &["a. b. 1 7200 3600 1209600 3600"]));
    }),
    passes("DNS-10", "equal serials, timers in range", |_| {}),
    warns("DNS-10", "a server with an older serial", |s| s.seen.dns.name_servers[1].udp = Some(Ok(reply(0)))),
    passes("DNS-11", "recursion refused", |_| {}),
    fails("DNS-11", "a server that resolves for everyone", |s| {
        probe(s, |probes| {
            probes.recursion = Some(Ok(Recursion {
                name: Text::from("recursion-probe.riskgraph.invalid"),
                available: true,
                rcode: Text::from("NXDOMAIN"),
            }));
        });
    }),
    passes("DNS-12", "transfers refused", |_| {}),
    fails("DNS-12", "a server that begins a transfer", |s| {
        probe(s, |p| p.transfer = Some(Ok(Transfer { began: true, rcode: Text::from("NOERROR"), n_records: 40 })));
    }),
    passes("DNS-13", "EDNS by the book", |_| {}),
    warns("DNS-13", "a server that does not answer EDNS", |s| {
        probe(s, |probes| {
            if let Some(edns) = &mut probes.edns {
                edns.version_0 = Err(ProbeFailure::Timeout);
            }
        });
    }),
    passes("DNS-14", "version withheld", |_| {}),
    warns("DNS-14", "version told", |s| {
        probe(s, |probes| {
            let texts = vec!["9.18.24-1".to_owned()];
            probes.version = Some(Ok(ServerVersion { rcode: Text::from("NOERROR"), texts }));
        });
    }),
    passes("DNS-15", "signed", |_| {}),
    warns("DNS-15", "not signed", |s| s.seen.dns.dnssec = Dnssec::Insecure),
    passes("DNS-16", "validated", |_| {}),
    fails("DNS-16", "signed by the wrong key", |s| s.seen.dns.dnssec = Dnssec::Bogus("no key for the DS".to_owned())),
    passes("DNS-17", "ECDSA with SHA-256", |s| sign(s, CURVE_KEY, "1 13 2 AA")),
    fails("DNS-17", "RSA with SHA-1", |s| sign(s, "257 3 5 AAAA", "1 5 2 AA")),
    fails("DNS-17", "only a SHA-1 digest", |s| sign(s, CURVE_KEY, "1 13 1 AA")),
    passes("DNS-18", "RSA of 2048 bits", |s| sign(s, &rsa(2048), "1 8 2 AA")),
    warns("DNS-18", "RSA of 1024 bits", |s| sign(s, &rsa(1024), "1 8 2 AA")),
    fails("DNS-18", "RSA of 512 bits", |s| sign(s, &rsa(512), "1 8 2 AA")),
    passes("DNS-19", "two weeks left", |s| sign(s, CURVE_KEY, "1 13 2 AA")),
    warns("DNS-19", "two days left", |s| {
        sign(s, CURVE_KEY, "1 13 2 AA");
        expire(s, 2);
    }),
    fails("DNS-19", "expired yesterday", |s| {
        sign(s, CURVE_KEY, "1 13 2 AA");
        expire(s, -1);
    }),
    passes("DNS-20", "one authority", |_| {}),
    warns("DNS-20", "no record", |s| {
        put(s, answered(DOMAIN, "CAA", DnsAnswer::NoData));
        put(s, answered("example.com", "CAA", DnsAnswer::NoData));
    }),
    fails("DNS-20", "reserved flags", |s| put(s, records(DOMAIN, "CAA", &["1 issue \"ca.example\""]))),
    passes("DNS-21", "no wildcard", |_| {}),
    warns("DNS-21", "any name gets mail", |s| {
        put(s, records("riskgraph-no-such-name.shop.example.com", "MX", &["10 mail.shop.example.com."]));
    }),
    passes("DNS-22", "a year left, locked", |s| registered(s, 365, "client transfer prohibited")),
    warns("DNS-22", "no lock", |s| registered(s, 365, "active")),
    fails("DNS-22", "ends in five days", |s| registered(s, 5, "client transfer prohibited")),
    passes("DNS-23", "a public address", |_| {}),
    warns("DNS-23", "an address of an office network", |s| put(s, records(DOMAIN, "A", &["10.1.2.3"]))),
];
