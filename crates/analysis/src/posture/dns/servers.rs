//! What each name server does besides answering: recursion, transfers, EDNS, its version; names that can be registered.

use riskgraph_domain::observation::{DnsAnswer, Edns, EdnsReply, NameServer, ProbeFailure, ServerProbes};
use serde_json::{Value, json};

use super::{asked, listed, zone_servers};
use crate::posture::check::{Case, Judged, Skip, Verdict, cut, describe, unknown};
use crate::posture::mail::mx_records;
use crate::posture::names::registrable;

/// The servers and their further probes; unknown when none was asked.
fn probed<'a>(case: &Case<'a>) -> Result<Vec<(&'a NameServer, &'a ServerProbes)>, Skip> {
    let servers = asked(case)?;
    let probed: Vec<_> = servers.iter().filter_map(|s| s.probes.as_ref().map(|probes| (s, probes))).collect();
    if probed.is_empty() { unknown("the name servers were asked for the SOA only") } else { Ok(probed) }
}

/// Why no server told; unknown.
fn untold(failures: &[String]) -> Judged {
    unknown(failures.first().map_or_else(|| "no name server was asked".to_owned(), Clone::clone))
}

/// DNS-09: the names of the name servers exist, so that nobody can register them and answer for the zone.
pub(in crate::posture) fn registered(case: &Case<'_>) -> Judged {
    let (mut free, mut missing, mut untold) = (Vec::new(), Vec::new(), None);
    let servers = zone_servers(case)?;
    if servers.is_empty() {
        return Err(Skip::NotApplicable);
    }
    for name in &servers {
        if case.seen.dns.answer(name, "A") != Some(&DnsAnswer::NxDomain) {
            if case.seen.dns.answer(name, "A").is_none() {
                untold = Some(format!("A of {name} was not asked"));
            }
            continue;
        }
        missing.push(name.as_str());
        let Some(zone) = registrable(name) else { continue };
        match case.seen.dns.answer(zone, "SOA") {
            Some(DnsAnswer::NxDomain) => free.push(json!({ "name_server": name, "unregistered": zone })),
            Some(_) => {}
            None => untold = Some(format!("SOA of {zone} was not asked")),
        }
    }
    if !free.is_empty() {
        return Ok(Verdict::fail(json!({ "hijackable": free })));
    }
    if let Some(reason) = untold {
        return unknown(reason);
    }
    let evidence = json!({ "name_servers": listed(servers.iter().map(String::as_str)), "nonexistent": listed(missing.iter().copied()) });
    Ok(if missing.is_empty() { Verdict::pass(evidence) } else { Verdict::warn(evidence) })
}

/// DNS-11: no name server resolves foreign names for strangers.
pub(in crate::posture) fn recursion(case: &Case<'_>) -> Judged {
    let servers = asked(case)?;
    let (mut open, mut closed, mut failures) = (Vec::new(), 0, Vec::new());
    for server in servers {
        match server.probes.as_ref().and_then(|probes| probes.recursion.as_ref()) {
            // A recursor knows that the name does not exist; anybody else refuses or refers.
            Some(Ok(reply)) if reply.available && matches!(reply.rcode.as_str(), "NOERROR" | "NXDOMAIN") => {
                open.push(json!({ "server": server.name, "question": reply.name, "rcode": reply.rcode }));
            }
            Some(Ok(_)) => closed += 1,
            Some(Err(failure)) => failures.push(format!("{}: {}", server.name, describe(failure))),
            None => {}
        }
    }
    if !open.is_empty() {
        return Ok(Verdict::fail(json!({ "open": open })));
    }
    if closed > 0 {
        return Ok(Verdict::pass(json!({ "refuse": closed, "silent": failures })));
    }
    if !failures.is_empty() {
        return untold(&failures);
    }
    super::recursion_flag(case)
}

/// DNS-12: no name server gives the whole zone to strangers.
pub(in crate::posture) fn transfer(case: &Case<'_>) -> Judged {
    let (mut open, mut closed, mut failures) = (Vec::new(), 0, Vec::new());
    for (server, probes) in probed(case)? {
        match &probes.transfer {
            Some(Ok(first)) if first.began && first.rcode.as_str() == "NOERROR" => {
                open.push(json!({ "server": server.name, "records_in_first_message": first.n_records }));
            }
            Some(Ok(_)) => closed += 1,
            // Closing the connection at once is a refusal too.
            Some(Err(ProbeFailure::Refused(_) | ProbeFailure::Protocol(_))) if matches!(server.tcp, Some(Ok(_))) => {
                closed += 1
            }
            Some(Err(failure)) => failures.push(format!("{}: {}", server.name, describe(failure))),
            None => {}
        }
    }
    if !open.is_empty() {
        return Ok(Verdict::fail(
            json!({ "transfer": open, "reproduce": format!("dig @SERVER {} AXFR", case.domain()) }),
        ));
    }
    if closed == 0 { untold(&failures) } else { Ok(Verdict::pass(json!({ "refuse": closed, "silent": failures }))) }
}

/// What a server does wrong with EDNS, in words.
fn faults(edns: &Edns) -> Vec<&'static str> {
    let mut faults = Vec::new();
    let broken = |reply: &EdnsReply| matches!(reply.rcode.as_str(), "FORMERR" | "NOTIMP" | "SERVFAIL");
    match &edns.version_0 {
        Ok(reply) if broken(reply) || reply.version.is_none() => faults.push("no EDNS"),
        Err(ProbeFailure::Timeout) => faults.push("silent to EDNS"),
        Ok(reply) if reply.version != Some(0) => faults.push("answers with another EDNS version"),
        _ => {}
    }
    if !faults.is_empty() {
        return faults;
    }
    match &edns.version_1 {
        Ok(reply) if reply.rcode.as_str() != "BADVERS" => faults.push("does not refuse an unknown EDNS version"),
        Err(ProbeFailure::Timeout) => faults.push("silent to an unknown EDNS version"),
        _ => {}
    }
    match &edns.unknown {
        Ok(reply) if reply.echoes => faults.push("sends an unknown option or flag back"),
        Ok(reply) if reply.rcode.as_str() != "NOERROR" => faults.push("stumbles over an unknown option or flag"),
        Err(ProbeFailure::Timeout) => faults.push("silent to an unknown option or flag"),
        _ => {}
    }
    faults
}

/// DNS-13: name servers speak EDNS and ignore what they do not know.
pub(in crate::posture) fn edns(case: &Case<'_>) -> Judged {
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for (server, probes) in probed(case)? {
        let Some(edns) = &probes.edns else { continue };
        seen += 1;
        let faults = faults(edns);
        if !faults.is_empty() {
            wrong.push(json!({ "server": server.name, "faults": faults }));
        }
    }
    match (seen, wrong.is_empty()) {
        (0, _) => unknown("no name server was asked with EDNS"),
        (_, true) => Ok(Verdict::pass(json!({ "asked": seen }))),
        _ => Ok(Verdict::warn(json!({ "wrong": wrong }))),
    }
}

/// DNS-14: name servers do not tell which version of which software they are.
pub(in crate::posture) fn version(case: &Case<'_>) -> Judged {
    let (mut told, mut quiet, mut failures): (Vec<Value>, usize, Vec<String>) = (Vec::new(), 0, Vec::new());
    for (server, probes) in probed(case)? {
        match &probes.version {
            Some(Ok(version)) => {
                let tells = |text: &&String| text.chars().any(|c| c.is_ascii_digit());
                match version.texts.iter().find(tells) {
                    Some(text) => told.push(json!({ "server": server.name, "version.bind": cut(text) })),
                    None => quiet += 1,
                }
            }
            Some(Err(failure)) => failures.push(format!("{}: {}", server.name, describe(failure))),
            None => {}
        }
    }
    if !told.is_empty() {
        return Ok(Verdict::warn(json!({ "told": told })));
    }
    if quiet == 0 { untold(&failures) } else { Ok(Verdict::pass(json!({ "withhold": quiet }))) }
}

/// DNS-21: unknown names do not get mail.
pub(in crate::posture) fn wildcard(case: &Case<'_>) -> Judged {
    zone_servers(case)?;
    let name = format!("{}.{}", super::WILDCARD_LABEL, case.domain());
    let mail = case.records(&name, "MX")?;
    let evidence = json!({ "asked": name, "mx": listed(mail.iter().map(String::as_str)), "a": case.records(&name, "A").map(<[_]>::len).ok() });
    let takes_mail = mx_records(mail).iter().any(|mx| !mx.host.is_empty());
    Ok(if takes_mail { Verdict::warn(evidence) } else { Verdict::pass(evidence) })
}
