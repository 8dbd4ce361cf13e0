//! Message tags of Zonemaster (engine 4.6.2) for the test cases our facts can tell.
//!
//! A tag stands here when that engine emits it for what was seen. Test cases that need more than was asked give no tag, and
//! debugging tags (`TEST_CASE_START` and the like) are left out.

mod dnssec;
mod soa;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::net::IpAddr;

use riskgraph_domain::observation::{
    DnsAnswer, DomainObservations, Edns, NameServer, Probe, ProbeFailure, ServerProbes, ServerReply,
};
use serde_json::{Value, json};

use crate::posture::mail::mx_records;
use crate::posture::names::bare;

/// The version whose tags these are.
const VERSION: &str = "4.6.2";
/// DELEGATION01: name servers a zone should have.
const SERVERS_MIN: usize = 2;

/// Tags found, each once.
pub(super) struct Tags(BTreeSet<&'static str>);

impl Tags {
    fn add(&mut self, tag: &'static str) {
        self.0.insert(tag);
    }

    /// One tag or the other.
    fn either(&mut self, holds: Holds, yes: &'static str, no: &'static str) {
        self.add(if holds == Holds::Yes { yes } else { no });
    }
}

/// Whether something holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Yes,
    No,
}

impl From<bool> for Holds {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

/// The tags for a zone; `None` for a plain host or when no server was asked.
pub(super) fn tags(seen: &DomainObservations) -> Option<Value> {
    let mut tags = Tags(BTreeSet::new());
    let own: BTreeSet<String> = match seen.dns.answer(&seen.domain, "NS")? {
        DnsAnswer::Records(records) => records.iter().map(|name| bare(name)).collect(),
        DnsAnswer::NxDomain => {
            tags.add("B02_NO_DELEGATION");
            return Some(json!({ "version": VERSION, "tags": tags.0 }));
        }
        _ => return None,
    };
    if seen.dns.name_servers.is_empty() {
        return None;
    }
    name(&mut tags, &seen.domain);
    basic(&mut tags, &seen.dns.name_servers);
    connectivity(&mut tags, &seen.dns.name_servers);
    consistency(&mut tags, seen);
    delegation(&mut tags, seen, &own);
    servers(&mut tags, &seen.dns.name_servers);
    soa::tags(&mut tags, seen);
    mail(&mut tags, seen);
    dnssec::tags(&mut tags, seen);
    Some(json!({ "version": VERSION, "tags": tags.0 }))
}

fn ok(probe: &Probe<ServerReply>) -> Option<&ServerReply> {
    probe.as_ref().and_then(|reply| reply.as_ref().ok())
}

fn probes(servers: &[NameServer]) -> impl Iterator<Item = &ServerProbes> {
    servers.iter().filter_map(|server| server.probes.as_ref())
}

/// Syntax of the domain's own name.
fn name(tags: &mut Tags, domain: &str) {
    let labels: Vec<&str> = domain.split('.').collect();
    let plain = |label: &&str| label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    tags.either(labels.iter().all(plain).into(), "ONLY_ALLOWED_CHARS", "NON_ALLOWED_CHARS");
    let starts = labels.iter().any(|label| label.starts_with('-'));
    let ends = labels.iter().any(|label| label.ends_with('-'));
    if starts {
        tags.add("INITIAL_HYPHEN");
    }
    if ends {
        tags.add("TERMINAL_HYPHEN");
    }
    if !starts && !ends {
        tags.add("NO_ENDING_HYPHENS");
    }
    let dashed = |label: &&str| label.get(2..4) == Some("--") && !label.starts_with("xn");
    tags.either(labels.iter().any(dashed).into(), "DISCOURAGED_DOUBLE_DASH", "NO_DOUBLE_DASH");
}

fn basic(tags: &mut Tags, servers: &[NameServer]) {
    let works = |server: &NameServer| ok(&server.udp).is_some_and(|r| r.authoritative && r.serial.is_some());
    if servers.iter().any(works) {
        tags.add("B02_AUTH_RESPONSE_SOA");
        return;
    }
    tags.add("B02_NO_WORKING_NS");
    for server in servers {
        match (&server.udp, ok(&server.udp)) {
            (None, _) => tags.add("B02_NS_NO_IP_ADDR"),
            (_, None) => tags.add("B02_NS_NO_RESPONSE"),
            (_, Some(reply)) if reply.rcode.as_str() != "NOERROR" => tags.add("B02_UNEXPECTED_RCODE"),
            (_, Some(reply)) if !reply.authoritative => tags.add("B02_NS_NOT_AUTH"),
            _ => tags.add("B02_NS_BROKEN"),
        }
    }
}

/// CONNECTIVITY01 to 03.
fn connectivity(tags: &mut Tags, servers: &[NameServer]) {
    let udp = [
        "CN01_NO_RESPONSE_UDP",
        "CN01_UNEXPECTED_RCODE_SOA_QUERY_UDP",
        "CN01_MISSING_SOA_RECORD_UDP",
        "CN01_SOA_RECORD_NOT_AA_UDP",
    ];
    let tcp = [
        "CN02_NO_RESPONSE_TCP",
        "CN02_UNEXPECTED_RCODE_SOA_QUERY_TCP",
        "CN02_MISSING_SOA_RECORD_TCP",
        "CN02_SOA_RECORD_NOT_AA_TCP",
    ];
    for server in servers {
        for (probe, [silent, rcode, missing, not_aa]) in [(&server.udp, udp), (&server.tcp, tcp)] {
            match probe {
                // What our own guard forbade says nothing of the server.
                None | Some(Err(ProbeFailure::Forbidden(_))) => {}
                Some(Err(_)) => tags.add(silent),
                Some(Ok(reply)) if reply.rcode.as_str() != "NOERROR" => tags.add(rcode),
                Some(Ok(reply)) if reply.serial.is_none() => tags.add(missing),
                Some(Ok(reply)) if !reply.authoritative => tags.add(not_aa),
                Some(Ok(_)) => {}
            }
        }
        if let Some(Ok(names)) = server.probes.as_ref().and_then(|probes| probes.ns.as_ref())
            && names.is_empty()
        {
            tags.add("CN01_MISSING_NS_RECORD_UDP");
        }
    }
    let asns: BTreeSet<u32> = probes(servers).flat_map(|probes| probes.asns.iter().copied()).collect();
    match asns.len() {
        0 => {}
        1 => tags.add("IPV4_ONE_ASN"),
        _ => tags.add("IPV4_DIFFERENT_ASN"),
    }
}

/// CONSISTENCY01 to 06.
fn consistency(tags: &mut Tags, seen: &DomainObservations) {
    let servers = &seen.dns.name_servers;
    let lists: BTreeSet<Vec<String>> = probes(servers)
        .filter_map(|probes| probes.ns.as_ref()?.as_ref().ok())
        .filter(|names| !names.is_empty())
        .map(|names| names.iter().map(|name| bare(name)).collect())
        .collect();
    match lists.len() {
        0 => {}
        1 => tags.add("ONE_NS_SET"),
        _ => {
            tags.add("MULTIPLE_NS_SET");
            tags.add("NS_SET");
        }
    }
    let Some(Ok(delegation)) = &seen.dns.delegation else { return };
    let suffix = format!(".{}", seen.domain);
    let (mut mismatch, mut extra, mut compared) = (false, false, false);
    for name in delegation.names.iter().filter(|name| name.ends_with(&suffix)) {
        let own: BTreeSet<&str> =
            ["A", "AAAA"].iter().flat_map(|kind| seen.dns.records(name, kind)).map(String::as_str).collect();
        let glue: BTreeSet<&str> =
            delegation.glue.iter().filter(|(owner, _)| owner == name).map(|(_, address)| address.as_str()).collect();
        if own.is_empty() || glue.is_empty() {
            continue;
        }
        compared = true;
        mismatch |= glue.difference(&own).next().is_some();
        extra |= own.difference(&glue).next().is_some();
    }
    if mismatch {
        tags.add("IN_BAILIWICK_ADDR_MISMATCH");
    }
    if extra {
        tags.add("EXTRA_ADDRESS_CHILD");
    }
    if compared && !mismatch && !extra {
        tags.add("ADDRESSES_MATCH");
    }
}

/// DELEGATION01, 02, 04 to 07.
fn delegation(tags: &mut Tags, seen: &DomainObservations, own: &BTreeSet<String>) {
    let servers = &seen.dns.name_servers;
    tags.either((own.len() >= SERVERS_MIN).into(), "ENOUGH_NS_CHILD", "NOT_ENOUGH_NS_CHILD");
    let of_zone: Vec<&NameServer> = servers.iter().filter(|server| own.contains(&bare(&server.name))).collect();
    let with = |wanted: fn(&IpAddr) -> bool| {
        let has = |server: &&&NameServer| {
            server.addresses.iter().filter_map(|address| address.parse().ok()).any(|ip| wanted(&ip))
        };
        of_zone.iter().filter(has).count()
    };
    tags.add(["NO_IPV4_NS_CHILD", "NOT_ENOUGH_IPV4_NS_CHILD", "ENOUGH_IPV4_NS_CHILD"][with(IpAddr::is_ipv4).min(2)]);
    tags.add(["NO_IPV6_NS_CHILD", "NOT_ENOUGH_IPV6_NS_CHILD", "ENOUGH_IPV6_NS_CHILD"][with(IpAddr::is_ipv6).min(2)]);
    let addresses: Vec<&str> =
        of_zone.iter().flat_map(|s| s.addresses.iter().map(|address| address.as_str())).collect();
    let distinct: BTreeSet<&str> = addresses.iter().copied().collect();
    if !addresses.is_empty() {
        tags.either((distinct.len() == addresses.len()).into(), "CHILD_DISTINCT_NS_IP", "CHILD_NS_SAME_IP");
    }
    let replies: Vec<&ServerReply> = servers.iter().flat_map(|s| [ok(&s.udp), ok(&s.tcp)]).flatten().collect();
    if replies.iter().any(|reply| !reply.authoritative) {
        tags.add("IS_NOT_AUTHORITATIVE");
    } else if !replies.is_empty() {
        tags.add("ARE_AUTHORITATIVE");
    }
    tags.either(servers.iter().any(|server| server.is_alias).into(), "NS_IS_CNAME", "NO_NS_CNAME");
    if replies.iter().any(|reply| reply.rcode.as_str() == "NOERROR" && reply.serial.is_none()) {
        tags.add("SOA_NOT_EXISTS");
    } else if !replies.is_empty() {
        tags.add("SOA_EXISTS");
    }
    let Some(Ok(delegation)) = &seen.dns.delegation else { return };
    let parent: BTreeSet<String> = delegation.names.iter().map(|name| bare(name)).collect();
    tags.either((parent.len() >= SERVERS_MIN).into(), "ENOUGH_NS_DEL", "NOT_ENOUGH_NS_DEL");
    let (only_parent, only_own) = (parent.difference(own).count(), own.difference(&parent).count());
    if only_parent > 0 {
        tags.add("EXTRA_NAME_PARENT");
    }
    if only_own > 0 {
        tags.add("EXTRA_NAME_CHILD");
    }
    if only_parent == 0 && only_own == 0 {
        tags.add("NAMES_MATCH");
    }
    if parent.intersection(own).next().is_none() {
        tags.add("TOTAL_NAME_MISMATCH");
    }
}

/// NAMESERVER01 to 03, 10, 11, 15.
fn servers(tags: &mut Tags, servers: &[NameServer]) {
    let mut supported = None;
    for probes in probes(servers) {
        if let Some(Ok(reply)) = &probes.recursion {
            let recursor = reply.available || reply.rcode.as_str() == "NXDOMAIN";
            tags.either(recursor.into(), "IS_A_RECURSOR", "NO_RECURSOR");
        }
        match &probes.transfer {
            Some(Ok(first)) => tags.either(first.began.into(), "AXFR_AVAILABLE", "AXFR_FAILURE"),
            Some(Err(ProbeFailure::Forbidden(_))) | None => {}
            Some(Err(_)) => tags.add("AXFR_FAILURE"),
        }
        if let Some(edns) = &probes.edns {
            let fine = edns_tags(tags, edns);
            supported = Some(supported.unwrap_or(true) && fine == Holds::Yes);
        }
        match &probes.version {
            Some(Ok(version)) if version.rcode.as_str() == "SERVFAIL" => tags.add("N15_ERROR_ON_VERSION_QUERY"),
            Some(Ok(version)) if version.texts.iter().any(|text| !text.is_empty()) => tags.add("N15_SOFTWARE_VERSION"),
            Some(Ok(_)) => tags.add("N15_NO_VERSION_REVEALED"),
            Some(Err(ProbeFailure::Timeout)) => tags.add("N15_ERROR_ON_VERSION_QUERY"),
            _ => {}
        }
    }
    if supported == Some(true) {
        tags.add("EDNS0_SUPPORT");
    }
}

/// Whether EDNS works, and what does not.
fn edns_tags(tags: &mut Tags, edns: &Edns) -> Holds {
    match &edns.version_0 {
        Ok(reply) if reply.rcode.as_str() == "FORMERR" && reply.version.is_none() => tags.add("NO_EDNS_SUPPORT"),
        Ok(reply) if reply.rcode.as_str() != "NOERROR" => tags.add("NS_ERROR"),
        Ok(reply) if reply.version.is_none() => tags.add("EDNS_RESPONSE_WITHOUT_EDNS"),
        Ok(reply) if reply.version != Some(0) => tags.add("EDNS_VERSION_ERROR"),
        Ok(reply) if reply.has_answer => {
            later_edns(tags, edns);
            return Holds::Yes;
        }
        Ok(_) => tags.add("NS_ERROR"),
        Err(ProbeFailure::Timeout) => tags.add("BREAKS_ON_EDNS"),
        Err(_) => {}
    }
    Holds::No
}

fn later_edns(tags: &mut Tags, edns: &Edns) {
    match &edns.version_1 {
        Ok(reply) if reply.rcode.as_str() == "BADVERS" && reply.version == Some(0) && !reply.has_answer => {}
        Ok(reply) if matches!(reply.rcode.as_str(), "NOERROR" | "BADVERS") => tags.add("N10_EDNS_RESPONSE_ERROR"),
        Ok(_) => tags.add("N10_UNEXPECTED_RCODE"),
        Err(ProbeFailure::Timeout) => tags.add("N10_NO_RESPONSE_EDNS1_QUERY"),
        Err(_) => {}
    }
    match &edns.unknown {
        Ok(reply) if reply.rcode.as_str() != "NOERROR" => tags.add("N11_UNEXPECTED_RCODE"),
        Ok(reply) if reply.version.is_none() => tags.add("N11_NO_EDNS"),
        Ok(reply) if reply.echoes => tags.add("N11_RETURNS_UNKNOWN_OPTION_CODE"),
        Ok(reply) if !reply.has_answer => tags.add("N11_UNEXPECTED_ANSWER_SECTION"),
        Err(ProbeFailure::Timeout) => tags.add("N11_NO_RESPONSE"),
        _ => {}
    }
}

/// ZONE09.
fn mail(tags: &mut Tags, seen: &DomainObservations) {
    let records = match seen.dns.answer(&seen.domain, "MX") {
        Some(DnsAnswer::Records(records)) => mx_records(records),
        Some(DnsAnswer::NoData) => Vec::new(),
        _ => return,
    };
    let null = records.iter().filter(|mx| mx.host.is_empty()).count();
    if records.is_empty() {
        tags.add("Z09_MISSING_MAIL_TARGET");
    } else if null == 0 {
        tags.add("Z09_MX_DATA");
    } else {
        if records.len() > null {
            tags.add("Z09_NULL_MX_WITH_OTHER_MX");
        }
        if records.iter().any(|mx| mx.host.is_empty() && mx.preference != 0) {
            tags.add("Z09_NULL_MX_NON_ZERO_PREF");
        }
    }
}
