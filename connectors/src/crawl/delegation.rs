//! What stands above a zone and around it: the parent's delegation, the zone's signatures, what its registry says.

use std::net::{IpAddr, SocketAddr};

use hickory_resolver::proto::dnssec::rdata::{DNSKEY, DNSSECRData};
use hickory_resolver::proto::dnssec::{DigestType, PublicKey as _, Verifier as _};
use hickory_resolver::proto::rr::{DNSClass, Name, RData, Record, RecordType};
use riskgraph_domain::observation::{Delegation, Probe, ProbeFailure, Signature};
use riskgraph_domain::{Text, Timestamp};
use rustls::pki_types::UnixTime;

use super::book::{Book, Kind};
use super::name_server::{address_of, names_of};
use super::site::Site;
use super::wire::{self, Opt, Question};

/// Parent zones looked for above the domain: a registry's zone is at most two labels up.
const PARENTS_MAX: usize = 3;
/// Servers of the parent that are tried.
const PARENT_SERVERS_MAX: usize = 3;
/// Glue records kept.
const GLUE_MAX: usize = 32;
/// Signatures kept.
const SIGNATURES_MAX: usize = 16;

/// Asks the parent's servers for the delegation of the domain; `None` when no parent could be found.
pub(super) async fn ask(site: &Site<'_>, book: &Book, domain: &str) -> Probe<Delegation> {
    let (parent, servers) = parent_of(site, book, domain).await?;
    let mut failure = ProbeFailure::Unresolved;
    for server in servers.into_iter().take(PARENT_SERVERS_MAX) {
        let found = addresses(site, book, &server).await;
        match address_of(site, &server, &found) {
            Some(Ok(to)) => match referral(site, to, domain).await {
                Ok(mut delegation) => {
                    (delegation.parent, delegation.server) = (Text::from(parent), Text::from(server));
                    return Some(Ok(delegation));
                }
                Err(reason) => failure = reason,
            },
            Some(Err(reason)) => failure = reason,
            None => {}
        }
    }
    Some(Err(failure))
}

async fn parent_of(site: &Site<'_>, book: &Book, domain: &str) -> Option<(String, Vec<String>)> {
    let mut name = domain;
    for _ in 0..PARENTS_MAX {
        name = name.split_once('.')?.1;
        let mut servers: Vec<String> = book.records(site, name, Kind::Ns).await.iter().map(|n| bare(n)).collect();
        if !servers.is_empty() {
            servers.sort();
            return Some((name.to_owned(), servers));
        }
    }
    None
}

fn bare(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

async fn addresses(site: &Site<'_>, book: &Book, host: &str) -> Vec<IpAddr> {
    let (v4, v6) = tokio::join!(book.records(site, host, Kind::A), book.records(site, host, Kind::Aaaa));
    v4.iter().chain(&v6).filter_map(|text| text.parse().ok()).collect()
}

/// The referral to the zone. A server that holds both zones answers for the child and shows no delegation.
async fn referral(site: &Site<'_>, to: SocketAddr, domain: &str) -> Result<Delegation, ProbeFailure> {
    let question = Question::plain(domain, RecordType::NS.into());
    let answer = {
        let _permit = site.turn(None).await;
        wire::ask(to, &question, site.tools.limits.dns).await?
    };
    let message = &answer.message;
    if message.metadata.authoritative || !message.answers.is_empty() {
        return Err(ProbeFailure::Protocol(
            "the parent's server holds the zone itself: no delegation is seen".to_owned(),
        ));
    }
    let names = names_of(message, domain);
    if names.is_empty() {
        return Err(ProbeFailure::Protocol("the parent's server gave no delegation".to_owned()));
    }
    let glue = message.additionals.iter().filter_map(|record| {
        let address: IpAddr = match &record.data {
            RData::A(a) => a.0.into(),
            RData::AAAA(aaaa) => aaaa.0.into(),
            _ => return None,
        };
        Some((Text::from(bare(&record.name.to_string())), Text::from(address.to_string())))
    });
    let mut glue: Vec<(Text, Text)> = glue.take(GLUE_MAX).collect();
    glue.sort();
    Ok(Delegation {
        parent: Text::default(),
        server: Text::default(),
        names,
        glue,
        bytes: u32::try_from(answer.bytes).unwrap_or(u32::MAX),
    })
}

/// What the zone's own signatures show.
#[derive(Default)]
pub(super) struct Signed {
    pub(super) signatures: Vec<Signature>,
    pub(super) keys_match_ds: Option<bool>,
}

/// Signatures over the zone's SOA and keys, from the first server that answers, and whether the parent's DS records
/// (presentation form) vouch for the keys.
pub(super) async fn signed(site: &Site<'_>, domain: &str, servers: &[SocketAddr], ds: &[String]) -> Signed {
    let mut found = Signed::default();
    for kind in [RecordType::SOA, RecordType::DNSKEY] {
        for to in servers {
            let signed = Opt { version: 0, flags: 0x8000, option: None };
            let question = Question::plain(domain, kind.into()).with(signed);
            let answer = {
                let _permit = site.turn(None).await;
                wire::ask(*to, &question, site.tools.limits.dns).await
            };
            let Ok(answer) = answer else { continue };
            found.signatures.extend(answer.message.answers.iter().filter_map(|record| signature(&record.data)));
            if kind == RecordType::DNSKEY && !ds.is_empty() {
                found.keys_match_ds = Some(vouched(&answer.message.answers, ds));
            }
            break;
        }
    }
    found.signatures.truncate(SIGNATURES_MAX);
    found
}

/// Whether a key that a DS record names signs the set of keys (RFC 4035 5.2).
fn vouched(answers: &[Record], ds: &[String]) -> bool {
    let now = UnixTime::now().as_secs();
    let keys = || answers.iter().filter(|record| record.record_type() == RecordType::DNSKEY);
    keys().any(|record| {
        let RData::DNSSEC(DNSSECRData::DNSKEY(key)) = &record.data else { return false };
        let tag = key.calculate_key_tag().ok();
        ds.iter().any(|ds| names(ds, &record.name, key))
            && answers.iter().any(|signature| match &signature.data {
                RData::DNSSEC(DNSSECRData::RRSIG(rrsig)) => {
                    let input = rrsig.input();
                    let valid = u64::from(input.sig_inception.get())..=u64::from(input.sig_expiration.get());
                    input.type_covered == RecordType::DNSKEY
                        && Some(input.key_tag) == tag
                        && valid.contains(&now)
                        && key.verify_rrsig(&record.name, DNSClass::IN, rrsig, keys()).is_ok()
                }
                _ => false,
            })
    })
}

/// Whether a DS record, `tag algorithm digest-type digest`, names the key.
fn names(ds: &str, zone: &Name, key: &DNSKEY) -> bool {
    let mut fields = ds.split_whitespace().skip(1);
    let mut number = || fields.next()?.parse::<u8>().ok();
    let (Some(algorithm), Some(digest)) = (number(), number()) else { return false };
    let wanted: String = fields.collect::<String>().to_ascii_lowercase();
    if algorithm != u8::from(key.public_key().algorithm()) || !key.zone_key() {
        return false;
    }
    key.to_digest(zone, DigestType::from(digest))
        .is_ok_and(|digest| digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>() == wanted)
}

fn signature(data: &RData) -> Option<Signature> {
    let RData::DNSSEC(DNSSECRData::RRSIG(rrsig)) = data else { return None };
    let input = rrsig.input();
    let at = |seconds: u32| Timestamp(i64::from(seconds) * 1_000);
    Some(Signature {
        covered: Text::from(input.type_covered.to_string()),
        algorithm: u8::from(input.algorithm),
        key_tag: input.key_tag,
        inception: at(input.sig_inception.get()),
        expiration: at(input.sig_expiration.get()),
    })
}
