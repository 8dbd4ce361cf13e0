use riskgraph_domain::Text;
use riskgraph_domain::observation::*;
use serde_json::Value;

use super::tags;
use crate::posture::fixtures::*;

const ZONE: &str = "example.com";

fn zone() -> DomainObservations {
    let mut seen = blank(ZONE);
    seen.dns.lookups = vec![
        records(ZONE, "NS", &["ns1.example.com.", "ns2.example.org."]),
        records(ZONE, "SOA", &["ns1.example.com. admin.example.com. 1 14400 3600 1209600 3600"]),
        records("ns1.example.com", "A", &["198.51.100.1"]),
        records(ZONE, "MX", &["10 mail.example.com."]),
        answered(ZONE, "DS", DnsAnswer::NoData),
        answered(ZONE, "DNSKEY", DnsAnswer::NoData),
    ];
    seen.dns.name_servers = vec![server("ns1.example.com", "198.51.100.1"), server("ns2.example.org", "203.0.113.1")];
    seen
}

#[track_caller]
fn check(has: &[&str], lacks: &[&str], change: impl FnOnce(&mut DomainObservations)) {
    let mut seen = zone();
    change(&mut seen);
    let verdict = tags(&seen).expect("tags");
    let found: Vec<&str> = verdict["tags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for tag in has {
        assert!(found.contains(tag), "{tag} is missing: {found:?}");
    }
    for tag in lacks {
        assert!(!found.contains(tag), "{tag} is too much: {found:?}");
    }
}

#[test]
fn tags_of_a_zone() {
    let good = [
        "B02_AUTH_RESPONSE_SOA",
        "ENOUGH_NS_CHILD",
        "ENOUGH_IPV4_NS_CHILD",
        "NO_IPV6_NS_CHILD",
        "CHILD_DISTINCT_NS_IP",
        "ARE_AUTHORITATIVE",
        "NO_NS_CNAME",
        "SOA_EXISTS",
        "NO_RECURSOR",
        "AXFR_FAILURE",
        "EDNS0_SUPPORT",
        "N15_NO_VERSION_REVEALED",
        "NEITHER_DNSKEY_NOR_DS",
        "Z09_MX_DATA",
        "REFRESH_MINIMUM_VALUE_OK",
        "ONE_SOA_SERIAL",
    ];
    check(&good, &["NAMES_MATCH", "IS_A_RECURSOR", "MULTIPLE_SOA_SERIALS"], |_| {});
    check(&["B02_NO_DELEGATION"], &["SOA_EXISTS"], |s| s.dns.lookups = vec![answered(ZONE, "NS", DnsAnswer::NxDomain)]);
    check(&["CN02_NO_RESPONSE_TCP"], &["CN01_NO_RESPONSE_UDP"], |s| {
        s.dns.name_servers[0].tcp = Some(Err(ProbeFailure::Timeout));
    });
    check(&["CN01_UNEXPECTED_RCODE_SOA_QUERY_UDP", "IS_NOT_AUTHORITATIVE"], &["ARE_AUTHORITATIVE"], |s| {
        let refused = ServerReply { authoritative: false, rcode: Text::from("REFUSED"), serial: None, ..reply(1) };
        s.dns.name_servers[0].udp = Some(Ok(refused));
    });
    check(&["CHILD_NS_SAME_IP"], &["CHILD_DISTINCT_NS_IP"], |s| {
        s.dns.name_servers[1].addresses = s.dns.name_servers[0].addresses.clone();
    });
    check(&["MULTIPLE_SOA_SERIALS", "SOA_SERIAL_VARIATION", "ONE_SOA_RNAME"], &["ONE_SOA_SERIAL"], |s| {
        for (server, serial) in s.dns.name_servers.iter_mut().zip(1..) {
            server.probes.as_mut().expect("probes").soa =
                Some(format!("ns1.example.com. admin.example.com. {serial} 14400 3600 1209600 3600"));
        }
    });
    check(&["NAMES_MATCH", "ENOUGH_NS_DEL", "ADDRESSES_MATCH"], &["EXTRA_NAME_PARENT"], |s| {
        s.dns.delegation = Some(Ok(delegation(&["ns1.example.com", "ns2.example.org"], "198.51.100.1")));
    });
    check(&["EXTRA_NAME_PARENT", "IN_BAILIWICK_ADDR_MISMATCH"], &["NAMES_MATCH"], |s| {
        s.dns.delegation =
            Some(Ok(delegation(&["ns1.example.com", "ns2.example.org", "ns3.example.org"], "192.0.2.1")));
    });
    check(&["IS_A_RECURSOR", "AXFR_AVAILABLE", "N15_SOFTWARE_VERSION", "BREAKS_ON_EDNS"], &["EDNS0_SUPPORT"], |s| {
        let probes = s.dns.name_servers[0].probes.as_mut().expect("probes");
        probes.recursion.as_mut().expect("asked").as_mut().expect("answered").available = true;
        probes.transfer.as_mut().expect("asked").as_mut().expect("answered").began = true;
        probes.version.as_mut().expect("asked").as_mut().expect("answered").texts = vec!["9.18".into()];
        probes.edns.as_mut().expect("asked").version_0 = Err(ProbeFailure::Timeout);
    });
    check(&["DNSKEY_BUT_NOT_DS", "ALGORITHM_DEPRECATED"], &["ALGORITHM_OK"], |s| {
        s.dns.lookups.push(records(ZONE, "X", &[]));
        s.dns.lookups.retain(|lookup| lookup.kind.as_str() != "DNSKEY");
        s.dns.lookups.push(records(ZONE, "DNSKEY", &["257 3 5 AAAA"]));
    });
    assert!(tags(&blank("www.example.com")).is_none());
}

fn delegation(names: &[&str], address: &str) -> Delegation {
    Delegation {
        parent: Text::from("com"),
        server: Text::from("a.gtld.example"),
        names: names.iter().map(|name| Text::from(*name)).collect(),
        glue: vec![(Text::from("ns1.example.com"), Text::from(address))],
        bytes: 100,
    }
}
