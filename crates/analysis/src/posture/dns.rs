//! Health of the zone: delegation, name servers, SOA, DNSSEC, CAA. Knows nothing of mail or the web.

pub(super) mod servers;
pub(super) mod signing;
pub(super) mod takeover;

use std::collections::BTreeSet;
use std::net::IpAddr;

use riskgraph_domain::observation::{DnsAnswer, Dnssec, NameServer, ProbeFailure, ServerReply};
use serde_json::json;

use super::check::{Case, Judged, Skip, Verdict, cut, describe, says, unknown};
use super::names::{bare, is_public, registrable};

/// The label under which the crawler asks for a name that nobody made.
pub(super) const WILDCARD_LABEL: &str = "riskgraph-no-such-name";
/// Names listed in evidence, at most.
const LISTED_MAX: usize = 10;

/// The NS names of the zone; does not apply to a plain host inside a zone.
fn zone_servers(case: &Case<'_>) -> Result<Vec<String>, Skip> {
    let names: Vec<String> = case.records(case.domain(), "NS")?.iter().map(|record| bare(record)).collect();
    if names.is_empty() && registrable(case.domain()) != Some(case.domain()) {
        return Err(Skip::NotApplicable);
    }
    Ok(names)
}

/// The name servers that were asked.
fn asked<'a>(case: &Case<'a>) -> Result<&'a [NameServer], Skip> {
    zone_servers(case)?;
    if case.seen.dns.name_servers.is_empty() {
        unknown("no name server was asked")
    } else {
        Ok(&case.seen.dns.name_servers)
    }
}

fn replies(server: &NameServer) -> impl Iterator<Item = &ServerReply> {
    [&server.udp, &server.tcp].into_iter().filter_map(|reply| reply.as_ref().and_then(|r| r.as_ref().ok()))
}

fn serves(server: &NameServer) -> bool {
    replies(server).any(|reply| reply.authoritative && reply.rcode.eq_ignore_ascii_case("NOERROR"))
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    names.take(LISTED_MAX).map(cut).collect()
}

/// DNS-01: the delegation exists and at least one server serves the zone.
pub(super) fn delegation(case: &Case<'_>) -> Judged {
    if case.seen.dns.answer(case.domain(), "NS") == Some(&DnsAnswer::NxDomain) {
        return Ok(Verdict::fail(says("the domain does not exist")));
    }
    let names = zone_servers(case)?;
    if names.is_empty() {
        return Ok(Verdict::fail(says("the domain has no NS records")));
    }
    let evidence = json!({ "name_servers": listed(names.iter().map(String::as_str)) });
    let servers = asked(case)?;
    if servers.iter().any(serves) {
        Ok(Verdict::pass(evidence))
    } else if servers.iter().all(|server| replies(server).any(|r| !r.rcode.eq_ignore_ascii_case("SERVFAIL"))) {
        Ok(Verdict::fail(json!({ "observed": "no name server answers for the zone", "evidence": evidence })))
    } else {
        unknown("no name server could be reached that answers for the zone")
    }
}

/// DNS-02: enough name servers at different addresses.
pub(super) fn redundancy(case: &Case<'_>) -> Judged {
    let names: BTreeSet<String> = zone_servers(case)?.into_iter().collect();
    if names.is_empty() {
        return unknown("no NS records");
    }
    let addresses: BTreeSet<&str> =
        case.seen.dns.name_servers.iter().flat_map(|s| s.addresses.iter().map(|a| a.as_str())).collect();
    let evidence = json!({ "name_servers": names.len(), "addresses": addresses.len() });
    Ok(if names.len() < case.config.dns.name_servers_min {
        Verdict::fail(evidence)
    } else if addresses.len() == 1 {
        Verdict::warn(evidence)
    } else {
        Verdict::pass(evidence)
    })
}

/// DNS-03: servers that answer over UDP also answer over TCP. Silence is unknown, never a failure.
pub(super) fn transports(case: &Case<'_>) -> Judged {
    let servers = asked(case)?;
    let mut no_tcp = Vec::new();
    let mut untold = None;
    for server in servers {
        match (&server.udp, &server.tcp) {
            (Some(Ok(_)), Some(Ok(_))) => {}
            (Some(Ok(_)), Some(Err(ProbeFailure::Refused(_)))) => no_tcp.push(server.name.as_str()),
            (Some(Err(failure)), _) | (_, Some(Err(failure))) => {
                untold = Some(format!("{}: {}", server.name, describe(failure)));
            }
            _ => untold = Some(format!("{} was not asked over UDP and TCP", server.name)),
        }
    }
    match (no_tcp.is_empty(), untold) {
        (false, _) => Ok(Verdict::warn(json!({ "refuse_tcp": listed(no_tcp.into_iter()) }))),
        (true, Some(reason)) => unknown(reason),
        (true, None) => Ok(Verdict::pass(json!({ "asked": servers.len() }))),
    }
}

/// DNS-04: name servers in more than one network (IPv4 /24, IPv6 /48).
pub(super) fn networks(case: &Case<'_>) -> Judged {
    zone_servers(case)?;
    let prefixes: BTreeSet<String> = case
        .seen
        .dns
        .name_servers
        .iter()
        .flat_map(|server| &server.addresses)
        .filter_map(|address| address.parse::<IpAddr>().ok())
        .map(|address| match address {
            IpAddr::V4(v4) => format!("{}.{}.{}", v4.octets()[0], v4.octets()[1], v4.octets()[2]),
            IpAddr::V6(v6) => format!("{:x}:{:x}:{:x}", v6.segments()[0], v6.segments()[1], v6.segments()[2]),
        })
        .collect();
    let probes = case.seen.dns.name_servers.iter().filter_map(|server| server.probes.as_ref());
    let asns: BTreeSet<u32> = probes.flat_map(|probes| probes.asns.iter().copied()).collect();
    let evidence = json!({ "networks": prefixes.len(), "autonomous_systems": asns });
    match (prefixes.len(), asns.len()) {
        (0, _) => unknown("no address of a name server is known"),
        // No table of networks leaves the prefixes to judge by.
        (1, _) | (_, 1) => Ok(Verdict::warn(evidence)),
        _ => Ok(Verdict::pass(evidence)),
    }
}

/// DNS-05: no name server is an alias.
pub(super) fn aliases(case: &Case<'_>) -> Judged {
    let aliases = listed(asked(case)?.iter().filter(|server| server.is_alias).map(|server| server.name.as_str()));
    Ok(if aliases.is_empty() { Verdict::pass(json!({})) } else { Verdict::fail(json!({ "aliases": aliases })) })
}

/// DNS-06: the parent and the zone list the same servers.
pub(super) fn parent_and_child(case: &Case<'_>) -> Judged {
    let own: BTreeSet<String> = zone_servers(case)?.into_iter().collect();
    let servers = asked(case)?;
    let parent: BTreeSet<String> = match &case.seen.dns.delegation {
        Some(Ok(delegation)) => delegation.names.iter().map(|name| bare(name)).collect(),
        // Without the parent's word at least every server that was asked should be in the zone.
        _ => servers.iter().map(|server| bare(&server.name)).collect(),
    };
    let only_parent: Vec<&str> = parent.difference(&own).map(String::as_str).collect();
    let only_zone: Vec<&str> = match &case.seen.dns.delegation {
        Some(Ok(_)) => own.difference(&parent).map(String::as_str).collect(),
        _ => Vec::new(),
    };
    // Each server should give the same list.
    let mut lists: BTreeSet<Vec<String>> = BTreeSet::new();
    for server in servers {
        if let Some(Ok(names)) = server.probes.as_ref().and_then(|probes| probes.ns.as_ref())
            && !names.is_empty()
        {
            lists.insert(names.iter().map(|name| bare(name)).collect());
        }
    }
    let evidence = json!({
        "not_in_zone": listed(only_parent.iter().copied()), "not_at_parent": listed(only_zone.iter().copied()),
        "lists": lists.len(),
    });
    let same = only_parent.is_empty() && only_zone.is_empty() && lists.len() <= 1;
    Ok(if same { Verdict::pass(evidence) } else { Verdict::warn(evidence) })
}

/// DNS-07: the addresses the parent gives for servers inside the zone are those the zone itself gives.
pub(super) fn glue(case: &Case<'_>) -> Judged {
    let suffix = format!(".{}", case.domain());
    let servers = asked(case)?;
    let glue: Vec<(String, &str)> = match &case.seen.dns.delegation {
        Some(Ok(delegation)) => delegation.glue.iter().map(|(name, address)| (bare(name), address.as_str())).collect(),
        _ => servers.iter().flat_map(|s| s.addresses.iter().map(|address| (bare(&s.name), address.as_str()))).collect(),
    };
    let (mut compared, mut differ) = (0, Vec::new());
    for (name, address) in glue.iter().filter(|(name, _)| name.ends_with(&suffix)) {
        let own: BTreeSet<&str> =
            ["A", "AAAA"].iter().flat_map(|kind| case.seen.dns.records(name, kind)).map(String::as_str).collect();
        if own.is_empty() {
            continue;
        }
        compared += 1;
        if !own.contains(address) {
            differ.push(json!({ "server": name, "parent": address, "zone": own }));
        }
    }
    match (compared, differ.is_empty()) {
        (0, _) => Err(Skip::NotApplicable),
        (_, true) => Ok(Verdict::pass(json!({ "compared": compared }))),
        _ => Ok(Verdict::warn(json!({ "glue_differs": differ }))),
    }
}

/// DNS-08: every server that answers is authoritative. That one is, shows that the question was right.
pub(super) fn lame(case: &Case<'_>) -> Judged {
    let servers = asked(case)?;
    if !servers.iter().any(serves) {
        return unknown("no name server answered for the zone");
    }
    let is_lame = |server: &&NameServer| {
        let failed = |reply: &ServerReply| reply.rcode.eq_ignore_ascii_case("SERVFAIL");
        !serves(server) && replies(server).next().is_some() && !replies(server).any(failed)
    };
    let lame = listed(servers.iter().filter(is_lame).map(|server| server.name.as_str()));
    if !lame.is_empty() {
        return Ok(Verdict::fail(json!({ "lame": lame })));
    }
    match servers.iter().find(|server| !serves(server)) {
        Some(silent) => unknown(format!("{} gave no usable answer", silent.name)),
        None => Ok(Verdict::pass(json!({ "authoritative": servers.len() }))),
    }
}

/// DNS-10: all servers hold the same serial and the SOA timers are sane.
pub(super) fn soa(case: &Case<'_>) -> Judged {
    zone_servers(case)?;
    let records = case.records(case.domain(), "SOA")?;
    let serials: BTreeSet<u32> =
        case.seen.dns.name_servers.iter().flat_map(replies).filter_map(|reply| reply.serial).collect();
    let Some(record) = records.first() else { return unknown("no SOA record was seen") };
    let fields: Vec<&str> = record.split_whitespace().collect();
    let timer = |place: usize| fields.get(place).and_then(|field| field.parse::<u32>().ok());
    let (Some(refresh), Some(retry), Some(expire), Some(minimum)) = (timer(3), timer(4), timer(5), timer(6)) else {
        return unknown(format!("the SOA record could not be read: {}", cut(record)));
    };
    let rules = &case.config.dns;
    let mut wrong = Vec::new();
    if serials.len() > 1 {
        wrong.push("servers hold different serials");
    }
    if refresh < rules.soa_refresh_min_s || refresh > rules.soa_refresh_max_s {
        wrong.push("refresh out of range");
    }
    if retry < rules.soa_retry_min_s || retry >= refresh {
        wrong.push("retry out of range or not below refresh");
    }
    if expire < rules.soa_expire_min_s {
        wrong.push("expire too short");
    }
    if minimum > rules.soa_minimum_max_s {
        wrong.push("negative caching longer than a day");
    }
    let evidence = json!({ "soa": cut(record), "wrong": wrong });
    Ok(if wrong.is_empty() { Verdict::pass(evidence) } else { Verdict::warn(evidence) })
}

/// Whether a server says that it offers recursion. Only the flag is seen, so the confidence is not full.
fn recursion_flag(case: &Case<'_>) -> Judged {
    let servers = asked(case)?;
    if servers.iter().all(|server| replies(server).next().is_none()) {
        return unknown("no name server answered");
    }
    let open = listed(
        servers.iter().filter(|s| replies(s).any(|reply| reply.recursion_available)).map(|server| server.name.as_str()),
    );
    Ok(if open.is_empty() {
        Verdict::pass(json!({}))
    } else {
        Verdict::fail(json!({ "recursion_available": open })).confidence(0.7)
    })
}

/// DNS-15: the zone is signed and its parent knows.
pub(super) fn signed(case: &Case<'_>) -> Judged {
    match &case.seen.dns.dnssec {
        Dnssec::Secure | Dnssec::Bogus(_) => Ok(Verdict::pass(json!({ "signed": true }))),
        Dnssec::Insecure => Ok(Verdict::warn(json!({ "signed": false }))),
        Dnssec::Unknown(reason) => unknown(reason.as_str()),
    }
}

/// DNS-16: the chain of trust holds.
pub(super) fn chain(case: &Case<'_>) -> Judged {
    match &case.seen.dns.dnssec {
        Dnssec::Secure => Ok(Verdict::pass(json!({ "state": "secure" }))),
        Dnssec::Bogus(reason) => Ok(Verdict::fail(json!({ "state": "bogus", "observed": cut(reason) }))),
        Dnssec::Insecure => Err(Skip::NotApplicable),
        Dnssec::Unknown(reason) => unknown(reason.as_str()),
    }
}

/// DNS-20: CAA, looked for from the domain up to its registrable domain (RFC 8659 3), is there and valid.
pub(super) fn caa(case: &Case<'_>) -> Judged {
    let mut name = case.domain();
    let top = registrable(name).unwrap_or(name);
    let mut found: &[String] = &[];
    loop {
        match case.records(name, "CAA") {
            Ok(records) => found = records,
            // A parent that was not asked only matters when the domain itself has none.
            Err(skip) if name == case.domain() || found.is_empty() => return Err(skip),
            Err(_) => {}
        }
        if !found.is_empty() || name == top {
            break;
        }
        match name.split_once('.') {
            Some((_, parent)) => name = parent,
            None => break,
        }
    }
    if found.is_empty() {
        return Ok(Verdict::warn(says("no CAA record")));
    }
    let wrong: Vec<String> =
        found.iter().filter_map(|r| caa_error(r).map(|why| format!("{}: {why}", cut(r)))).take(LISTED_MAX).collect();
    let evidence = json!({ "at": name, "records": listed(found.iter().map(String::as_str)), "wrong": wrong });
    Ok(if wrong.is_empty() { Verdict::pass(evidence) } else { Verdict::fail(evidence) })
}

/// What is wrong with a CAA record in presentation form (`0 issue "ca.example"`).
pub(super) fn caa_error(record: &str) -> Option<&'static str> {
    let mut fields = record.trim().splitn(3, char::is_whitespace);
    let (Some(flags), Some(tag), Some(value)) = (fields.next(), fields.next(), fields.next()) else {
        return Some("not flags, tag and value");
    };
    let Ok(flags) = flags.parse::<u8>() else { return Some("flags are no number of one byte") };
    if flags & 0x7f != 0 {
        return Some("reserved flags are set");
    }
    if tag.is_empty() || tag.len() > 15 || !tag.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Some("the tag is not alphanumeric");
    }
    let value = value.trim().trim_matches('"').trim();
    match tag.to_ascii_lowercase().as_str() {
        "issue" | "issuewild" | "issuemail" | "issuevmc" => issuer_error(value),
        "iodef" => {
            let lower = value.to_ascii_lowercase();
            let known = ["mailto:", "http://", "https://"].iter().any(|scheme| lower.starts_with(scheme));
            (!known || lower.contains(char::is_whitespace)).then_some("iodef is no mailto, http or https URL")
        }
        "contactemail" | "contactphone" => value.is_empty().then_some("the contact is empty"),
        _ => (flags & 0x80 != 0).then_some("an unknown tag is marked critical: nobody may issue"),
    }
}

/// `issuer-domain *(; parameter=value)`; an empty issuer forbids issuing.
fn issuer_error(value: &str) -> Option<&'static str> {
    let mut parts = value.split(';');
    let issuer = parts.next().unwrap_or("").trim();
    let label = |l: &str| {
        !l.is_empty()
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if !issuer.is_empty() && !issuer.split('.').all(label) {
        return Some("the issuer is no domain name");
    }
    let parameter = |text: &str| {
        let text = text.trim();
        text.is_empty()
            || text.split_once('=').is_some_and(|(name, value)| {
                let name = name.trim();
                !name.is_empty()
                    && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                    && value.trim().bytes().all(|b| (0x21..=0x7e).contains(&b))
            })
    };
    (!parts.all(parameter)).then_some("a parameter is not name=value")
}

/// DNS-23: public names do not point into private networks.
pub(super) fn private_addresses(case: &Case<'_>) -> Judged {
    let v4 = case.records(case.domain(), "A");
    let v6 = case.records(case.domain(), "AAAA");
    let (Ok(v4), Ok(v6)) = (&v4, &v6) else {
        return v4.and(v6).map(|_| Verdict::pass(json!({})));
    };
    let private: Vec<&str> = v4
        .iter()
        .chain(v6.iter())
        .map(String::as_str)
        .filter(|address| address.parse::<IpAddr>().is_ok_and(|ip| !is_public(ip)))
        .collect();
    Ok(if private.is_empty() {
        Verdict::pass(json!({ "addresses": v4.len() + v6.len() }))
    } else {
        Verdict::warn(json!({ "private": listed(private.into_iter()) }))
    })
}

#[cfg(test)]
mod tests;
