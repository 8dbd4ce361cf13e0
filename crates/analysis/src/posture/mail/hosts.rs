//! The mail exchangers themselves: STARTTLS, DANE, reverse names.

use std::net::IpAddr;

use riskgraph_domain::observation::{CertificateFacts, DnsAnswer, Handshake, MailHost};
use serde_json::{Value, json};

use super::spf::expand::reverse;
use super::{Role, exchangers, role};
use crate::posture::check::{Case, Judged, Skip, Verdict, cut, describe, unknown};
use crate::posture::names::bare;

/// Exchangers looked at; the crawler speaks to as many.
const HOSTS_MAX: usize = 4;
/// Addresses of one exchanger, and names of one address, that are looked at.
const NAMES_MAX: usize = 4;

/// The exchangers that were spoken to, of a domain that receives mail.
fn spoken<'a>(case: &Case<'a>) -> Result<&'a [MailHost], Skip> {
    if role(case)? != Role::Receives {
        return Err(Skip::NotApplicable);
    }
    if case.seen.mail_hosts.is_empty() { unknown("no mail server was spoken to") } else { Ok(&case.seen.mail_hosts) }
}

/// MAIL-20: mail can arrive encrypted, under a certificate that says whose server it is.
pub(in crate::posture) fn starttls(case: &Case<'_>) -> Judged {
    let (mut none, mut weak, mut fine, mut untold) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for server in spoken(case)? {
        match &server.starttls {
            Err(failure) => untold.push(format!("{}: {}", server.host, describe(failure))),
            Ok(tls) if !tls.offered => none.push(server.host.as_str()),
            Ok(tls) => match (&tls.handshake, &tls.failure) {
                (Some(shaken), _) => match distrust(shaken) {
                    Some(why) => weak.push(json!({ "host": server.host, "certificate": why })),
                    None => fine.push(json!({ "host": server.host, "version": shaken.version })),
                },
                (None, Some(failure)) => {
                    weak.push(json!({ "host": server.host, "handshake": describe(failure) }));
                }
                (None, None) => untold.push(format!("{}: no handshake", server.host)),
            },
        }
    }
    let evidence = json!({ "without_starttls": none, "weak": weak, "good": fine, "untold": untold });
    if !none.is_empty() {
        return Ok(Verdict::fail(evidence));
    }
    if !weak.is_empty() {
        return Ok(Verdict::warn(evidence));
    }
    match untold.first() {
        Some(reason) => unknown(reason.as_str()),
        None => Ok(Verdict::pass(evidence)),
    }
}

/// Why a certificate does not prove the host.
fn distrust(shaken: &Handshake) -> Option<String> {
    match &shaken.trust {
        Err(reason) => Some(cut(reason)),
        Ok(()) if !shaken.hostname_matches => Some("for another host".to_owned()),
        Ok(()) => None,
    }
}

/// One TLSA record.
struct Tlsa {
    usage: u8,
    selector: u8,
    matching: u8,
    data: String,
}

/// Reads `usage selector matching data`.
fn tlsa(record: &str) -> Option<Tlsa> {
    let mut fields = record.split_whitespace();
    let mut number = || fields.next()?.parse().ok();
    let (usage, selector, matching) = (number()?, number()?, number()?);
    let data = fields.collect::<String>().to_ascii_lowercase();
    Some(Tlsa { usage, selector, matching, data })
}

/// Whether a record matches a certificate; `None` for a digest that was not kept.
fn matches(record: &Tlsa, certificate: &CertificateFacts) -> Option<bool> {
    match (record.selector, record.matching) {
        (0, 1) => Some(record.data == certificate.sha256.as_str()),
        (1, 1) => Some(record.data == certificate.spki_sha256.as_str()),
        _ => None,
    }
}

/// What DANE says of one exchanger.
enum Dane {
    Absent,
    Good,
    Unsigned,
    Mismatch,
    Untold(String),
}

fn dane_of(case: &Case<'_>, server: &MailHost) -> Dane {
    let name = format!("_25._tcp.{}", bare(&server.host));
    let records: Vec<Tlsa> = match case.records(&name, "TLSA") {
        Ok(records) => records.iter().filter_map(|record| tlsa(record)).collect(),
        Err(_) => return Dane::Untold(format!("TLSA of {name} was not answered")),
    };
    // RFC 7672 3.1: only usages 2 and 3 count between mail servers.
    let usable: Vec<&Tlsa> = records.iter().filter(|record| matches!(record.usage, 2 | 3)).collect();
    match (records.is_empty(), server.tlsa_secure) {
        (true, _) => return Dane::Absent,
        (false, Some(false)) => return Dane::Unsigned,
        (false, None) => return Dane::Untold("whether the TLSA records are signed could not be told".to_owned()),
        _ => {}
    }
    let chain = match server.starttls.as_ref().map(|tls| tls.handshake.as_ref().map(|shaken| &shaken.chain)) {
        Ok(Some(chain)) if !chain.is_empty() => chain,
        Ok(_) => return Dane::Untold("no certificate was seen".to_owned()),
        Err(failure) => return Dane::Untold(describe(failure)),
    };
    let mut unknown_digest = false;
    for record in &usable {
        let candidates = if record.usage == 3 { &chain[..1] } else { &chain[..] };
        for certificate in candidates {
            match matches(record, certificate) {
                Some(true) => return Dane::Good,
                Some(false) => {}
                None => unknown_digest = true,
            }
        }
    }
    if unknown_digest { Dane::Untold("a digest that was not computed".to_owned()) } else { Dane::Mismatch }
}

/// MAIL-19: where DANE is published, it is signed and fits the certificate.
pub(in crate::posture) fn dane(case: &Case<'_>) -> Judged {
    let (mut good, mut wrong, mut untold) = (Vec::new(), Vec::<Value>::new(), None);
    for server in spoken(case)? {
        match dane_of(case, server) {
            Dane::Absent => {}
            Dane::Good => good.push(server.host.as_str()),
            Dane::Mismatch => wrong.push(json!({ "host": server.host, "fault": "no record fits the certificate" })),
            Dane::Unsigned => {
                wrong.push(json!({ "host": server.host, "fault": "the records are not signed by DNSSEC" }))
            }
            Dane::Untold(reason) => untold = Some(format!("{}: {reason}", server.host)),
        }
    }
    let evidence = json!({ "good": good, "wrong": wrong });
    match (wrong.is_empty(), untold, good.is_empty()) {
        (false, ..) => Ok(Verdict::fail(evidence)),
        (true, Some(reason), _) => unknown(reason),
        (true, None, true) => Err(Skip::NotApplicable),
        (true, None, false) => Ok(Verdict::pass(evidence)),
    }
}

/// MAIL-23: the addresses of mail exchangers have names that lead back to them.
pub(in crate::posture) fn reverse_names(case: &Case<'_>) -> Judged {
    if role(case)? != Role::Receives {
        return Err(Skip::NotApplicable);
    }
    let (mut wrong, mut fine, mut untold) = (Vec::new(), 0, None);
    for mx in exchangers(case)?.iter().take(HOSTS_MAX) {
        let addresses = ["A", "AAAA"].into_iter().flat_map(|kind| case.seen.dns.records(&mx.host, kind));
        for address in addresses.filter_map(|text| text.parse::<IpAddr>().ok()).take(NAMES_MAX) {
            match confirmed(case, address) {
                Ok(()) => fine += 1,
                Err(Skip::Unknown(reason)) => untold = Some(reason),
                Err(Skip::NotApplicable) => {
                    wrong.push(json!({ "host": mx.host, "address": address, "ptr": reverse(address) }));
                }
            }
        }
    }
    if !wrong.is_empty() {
        return Ok(Verdict::warn(json!({ "unconfirmed": wrong })));
    }
    match (untold, fine) {
        (Some(reason), _) => unknown(reason),
        (None, 0) => unknown("no address of a mail server is known"),
        (None, _) => Ok(Verdict::pass(json!({ "confirmed": fine }))),
    }
}

/// Whether a name of the address has the address; `NotApplicable` stands for a clear no.
fn confirmed(case: &Case<'_>, address: IpAddr) -> Result<(), Skip> {
    let names = case.records(&reverse(address), "PTR")?;
    let kind = if address.is_ipv4() { "A" } else { "AAAA" };
    let mut untold = None;
    for name in names.iter().take(NAMES_MAX) {
        match case.seen.dns.answer(&bare(name), kind) {
            Some(DnsAnswer::Records(found)) if found.iter().any(|text| text.parse() == Ok(address)) => return Ok(()),
            Some(DnsAnswer::Failed(_)) | None => untold = Some(format!("{kind} of {name} was not answered")),
            _ => {}
        }
    }
    match untold {
        Some(reason) => unknown(reason),
        None => Err(Skip::NotApplicable),
    }
}
