//! Names that can be claimed by others: aliases of abandoned services, delegations to hosts without the zone.
//!
//! Three confidences: `CONFIRMED` (alias, answer and status agree, or the name is free), `POTENTIAL` (it depends on the
//! service), `UNLIKELY` (a sign, no more). A generic "not found", or an address alone, is never a takeover: without an alias
//! into a service that is known, nothing is said.

mod services;

use riskgraph_domain::observation::{AliasFacts, AliasPage, DnsAnswer, NameServer, ProbeFailure};
use serde_json::{Value, json};

pub(in crate::posture) use services::TakeoverConfig;
use services::{Service, State};

use crate::posture::check::{Case, Judged, Skip, Verdict, cut, unknown};
use crate::posture::names::bare;

/// How sure it is that a name can be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Confidence {
    Confirmed,
    Potential,
    Unlikely,
}

impl Confidence {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "CONFIRMED",
            Self::Potential => "POTENTIAL",
            Self::Unlikely => "UNLIKELY",
        }
    }
}

/// The aliases; a domain without any has nothing to judge.
fn aliases<'a>(case: &Case<'a>) -> Result<&'a [AliasFacts], Skip> {
    if case.seen.aliases.is_empty() { Err(Skip::NotApplicable) } else { Ok(&case.seen.aliases) }
}

/// What the service at the end of an alias says of the host.
enum Answer {
    /// It is claimed, or says nothing of being free.
    Claimed,
    /// It says that nobody claimed the host; how it was told.
    Free(&'static str),
    /// Its words stand in a page that came with success: it may speak of others.
    Mentioned,
    Untold(String),
}

fn answer(service: &Service, alias: &AliasFacts) -> Answer {
    match (&alias.end, service.nxdomain) {
        (DnsAnswer::NxDomain, true) => return Answer::Free("the service's name for it does not exist"),
        (DnsAnswer::Failed(_), _) => return Answer::Untold(format!("the end of {} was not resolved", alias.host)),
        (_, true) => return Answer::Claimed,
        _ => {}
    }
    let page = match &alias.page {
        Some(Ok(page)) => page,
        Some(Err(_)) | None => return Answer::Untold(format!("{} gave no page", alias.host)),
    };
    if service.status.is_some_and(|status| status != page.status) {
        return Answer::Claimed;
    }
    let said = service.text.iter().any(|text| contains(page, text));
    match (said, service.text.is_empty(), page.status) {
        (_, true, _) if service.status.is_some() => Answer::Free("the service's status for a host nobody claimed"),
        (true, _, 400..=599) => Answer::Free("the service's words and status for a host nobody claimed"),
        (true, ..) => Answer::Mentioned,
        _ => Answer::Claimed,
    }
}

/// Words as they stand, whatever the white space.
fn contains(page: &AliasPage, text: &str) -> bool {
    page.text.contains(text) || page.text.split_whitespace().collect::<Vec<_>>().join(" ").contains(text)
}

fn found(alias: &AliasFacts, service: &str, confidence: Confidence, how: &str) -> Value {
    let page = alias.page.as_ref().and_then(|page| page.as_ref().ok());
    json!({
        "host": alias.host, "alias": alias.chain, "service": service, "confidence": confidence.as_str(), "how": how,
        "status": page.map(|page| page.status), "url": page.map(|page| cut(&page.url)),
    })
}

/// Judges the aliases into services of one state.
fn services(case: &Case<'_>, state: State) -> Judged {
    let (mut certain, mut possible, mut used, mut untold) = (Vec::new(), Vec::new(), 0, None);
    for alias in aliases(case)? {
        let Some(service) = case.config.takeover.service(&alias.chain).filter(|service| service.state == state) else {
            continue;
        };
        used += 1;
        match answer(service, alias) {
            Answer::Claimed => {}
            Answer::Free(how) if state == State::Open => {
                certain.push(found(alias, &service.name, Confidence::Confirmed, how));
            }
            Answer::Free(how) => possible.push(found(alias, &service.name, Confidence::Potential, how)),
            Answer::Mentioned => {
                let how = "the service's words stand in a page that was served with success";
                possible.push(found(alias, &service.name, Confidence::Unlikely, how));
            }
            Answer::Untold(reason) => untold = Some(reason),
        }
    }
    let evidence = json!({ "takeover": certain, "possible": possible, "services": used });
    match (certain.is_empty(), possible.is_empty(), untold) {
        (false, ..) => Ok(Verdict::fail(evidence)),
        (true, false, _) => Ok(Verdict::warn(evidence).confidence(case.config.takeover.potential_confidence)),
        (true, true, Some(reason)) => unknown(reason),
        (true, true, None) if used == 0 => Err(Skip::NotApplicable),
        _ => Ok(Verdict::pass(evidence)),
    }
}

/// TKO-01: no alias points to a service where the host can be claimed.
pub(in crate::posture) fn claimable(case: &Case<'_>) -> Judged {
    services(case, State::Open)
}

/// TKO-04: no alias points to an unclaimed host of a service that gives hosts away in some cases.
pub(in crate::posture) fn edge_cases(case: &Case<'_>) -> Judged {
    services(case, State::Edge)
}

/// TKO-02: no alias ends under a domain that nobody registered.
pub(in crate::posture) fn unregistered(case: &Case<'_>) -> Judged {
    let (mut free, mut untold) = (Vec::new(), None);
    for alias in aliases(case)? {
        match (&alias.end, &alias.end_zone) {
            (DnsAnswer::NxDomain, Some(DnsAnswer::NxDomain)) => {
                free.push(found(alias, "none", Confidence::Confirmed, "the domain at the end is not registered"));
            }
            (DnsAnswer::NxDomain, Some(DnsAnswer::Failed(_))) | (DnsAnswer::Failed(_), _) => {
                untold = Some(format!("the end of {} was not resolved", alias.host));
            }
            _ => {}
        }
    }
    match (free.is_empty(), untold) {
        (false, _) => Ok(Verdict::fail(json!({ "takeover": free }))),
        (true, Some(reason)) => unknown(reason),
        (true, None) => Ok(Verdict::pass(json!({ "aliases": case.seen.aliases.len() }))),
    }
}

/// Whether a server says clearly that it does not hold the zone.
fn disowns(server: &NameServer) -> Option<bool> {
    let reply = [&server.udp, &server.tcp].into_iter().find_map(|probe| probe.as_ref()?.as_ref().ok())?;
    Some(
        !reply.authoritative
            && reply.serial.is_none()
            && matches!(reply.rcode.as_str(), "REFUSED" | "SERVFAIL" | "NXDOMAIN"),
    )
}

/// TKO-03: the zone is not delegated to a service that does not hold it: whoever creates it there, owns the domain.
pub(in crate::posture) fn delegation(case: &Case<'_>) -> Judged {
    let servers = &case.seen.dns.name_servers;
    let hosted: Vec<&NameServer> =
        servers.iter().filter(|server| case.config.takeover.is_zone_host(&bare(&server.name))).collect();
    if hosted.is_empty() {
        return Err(Skip::NotApplicable);
    }
    let (mut free, mut untold) = (Vec::new(), None);
    for server in &hosted {
        match disowns(server) {
            Some(true) => free.push(server.name.as_str()),
            Some(false) => {}
            None => untold = Some(format!("{} gave no answer", server.name)),
        }
    }
    let evidence = |confidence: Confidence| json!({ "servers_without_the_zone": free, "of": hosted.len(), "confidence": confidence.as_str() });
    // One server of several that forgot the zone is lame (DNS-08); the service does not hold it when none of its does.
    if free.len() == servers.len() {
        return Ok(Verdict::fail(evidence(Confidence::Confirmed)));
    }
    if !free.is_empty() && free.len() == hosted.len() {
        let verdict = Verdict::warn(evidence(Confidence::Potential));
        return Ok(verdict.confidence(case.config.takeover.potential_confidence));
    }
    match untold {
        Some(reason) => unknown(reason),
        None => Ok(Verdict::pass(json!({ "hosted": hosted.len() }))),
    }
}

/// TKO-05: the domain does not point to an address of a cloud at which nobody of it is left.
pub(in crate::posture) fn released_address(case: &Case<'_>) -> Judged {
    let rented: Vec<(&str, &str)> = case
        .records(case.domain(), "A")?
        .iter()
        .filter_map(|address| {
            let ip = address.parse().ok()?;
            let names = case.seen.dns.records(&crate::posture::mail::spf::expand::reverse(ip), "PTR");
            let cloud = names.iter().find(|name| case.config.takeover.is_cloud_host(&bare(name)))?;
            Some((address.as_str(), cloud.as_str()))
        })
        .collect();
    if rented.is_empty() {
        return Err(Skip::NotApplicable);
    }
    let refused = |web: &Option<riskgraph_domain::observation::WebFacts>| {
        web.as_ref().is_some_and(|web| web.hops.is_empty() && matches!(web.failure, Some(ProbeFailure::Refused(_))))
    };
    let others = case
        .main_endpoint()
        .and_then(|tls| tls.handshake.as_ref())
        .is_some_and(|shaken| !shaken.hostname_matches && shaken.trust.is_ok());
    let (confidence, how) = match (others, refused(&case.seen.https) && refused(&case.seen.http)) {
        (true, _) => (Confidence::Potential, "the address serves another's certificate"),
        (false, true) => (Confidence::Unlikely, "nothing of the domain answers at the address"),
        (false, false) => return Ok(Verdict::pass(json!({ "addresses": rented }))),
    };
    let evidence = json!({ "addresses": rented, "confidence": confidence.as_str(), "how": how });
    let rules = &case.config.takeover;
    Ok(Verdict::warn(evidence).confidence(match confidence {
        Confidence::Unlikely => rules.unlikely_confidence,
        _ => rules.potential_confidence,
    }))
}

#[cfg(test)]
mod tests;
