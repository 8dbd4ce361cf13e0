//! Questions straight to a zone's own name servers, over UDP and TCP.
//!
//! What a server does with any zone (recursion, EDNS, its version) is asked once and remembered for a while: one server
//! may hold the zones of a whole portfolio.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hickory_resolver::proto::op::Message;
use hickory_resolver::proto::rr::rdata::opt::EdnsCode;
use hickory_resolver::proto::rr::{RData, RecordType};
use riskgraph_domain::Text;
use riskgraph_domain::observation::{
    Edns, EdnsReply, Probe, ProbeFailure, Recursion as RecursionReply, ServerProbes, ServerReply, ServerVersion,
    Transfer,
};
use tokio::time::Instant;

use super::ask::rcode_name;
use super::site::Site;
use super::wire::{self, Answer, Opt, Question, UNKNOWN_OPTION};

/// Where name servers listen.
pub(super) const PORT: u16 = 53;
/// Type of a zone transfer.
const AXFR: u16 = 252;
/// `DO`: signatures are wanted.
const DNSSEC_OK: u16 = 0x8000;
/// A flag nobody assigned.
const UNKNOWN_FLAG: u16 = 0x0001;
/// Names of NS records kept.
const NAMES_MAX: usize = 32;
/// Texts of `version.bind` kept, and their length.
const TEXTS_MAX: usize = 4;
const TEXT_CHARS_MAX: usize = 120;
/// A name below a top-level domain that is never delegated (RFC 6761 6.4): only a recursor has an answer for it.
const FOREIGN_NAME: &str = "recursion-probe.riskgraph.invalid";
/// How long what a server does with any zone is remembered.
const MANNERS_TTL: Duration = Duration::from_secs(600);
/// Servers remembered, at most; then all are forgotten.
const MANNERS_MAX: usize = 10_000;

/// What one server says; probes are `None` when it has no address to ask.
#[derive(Default)]
pub(super) struct Replies {
    pub(super) udp: Probe<ServerReply>,
    pub(super) tcp: Probe<ServerReply>,
    pub(super) probes: ServerProbes,
}

/// What a server does whatever the zone.
#[derive(Clone)]
struct Manners {
    recursion: Probe<RecursionReply>,
    edns: Option<Edns>,
    version: Probe<ServerVersion>,
}

/// Manners of servers asked lately, over all crawls.
#[derive(Default)]
pub(super) struct KnownServers(Mutex<HashMap<SocketAddr, (Instant, Manners)>>);

impl KnownServers {
    fn get(&self, server: SocketAddr) -> Option<Manners> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&server).filter(|(at, _)| at.elapsed() < MANNERS_TTL).map(|(_, manners)| manners.clone())
    }

    fn put(&self, server: SocketAddr, manners: Manners) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MANNERS_MAX {
            known.clear();
        }
        known.insert(server, (Instant::now(), manners));
    }
}

/// Where to reach the server of this name: the operator's rule, or its first address the guard lets pass.
pub(super) fn address_of(site: &Site<'_>, server: &str, found: &[IpAddr]) -> Option<Result<SocketAddr, ProbeFailure>> {
    match site.tools.connect.iter().find(|rule| rule.covers(server, PORT)) {
        Some(rule) => Some(Ok(rule.to)),
        None if found.is_empty() => None,
        None => Some(site.checked(found).map(|ips| SocketAddr::new(ips[0], PORT))),
    }
}

/// Asks the server of this name and these addresses about the zone, without recursion.
pub(super) async fn ask_server(site: &Site<'_>, zone: &str, server: &str, found: &[IpAddr]) -> Replies {
    let to = match address_of(site, server, found) {
        None => return Replies::default(),
        Some(Ok(to)) => to,
        Some(Err(failure)) => {
            return Replies { udp: Some(Err(failure.clone())), tcp: Some(Err(failure)), ..Replies::default() };
        }
    };
    let soa = Question::plain(zone, RecordType::SOA.into());
    let (udp, tcp) = tokio::join!(udp(site, to, &soa), tcp(site, to, &soa));
    let mut probes = ServerProbes {
        soa: udp.as_ref().ok().and_then(|answer| shown_soa(&answer.message)),
        ..ServerProbes::default()
    };
    // A server that says nothing at all is not asked further.
    if udp.is_ok() || tcp.is_ok() {
        let names = Question::plain(zone, RecordType::NS.into());
        let whole = Question::plain(zone, AXFR);
        let (names, transfer, manners) =
            tokio::join!(udp_then_tcp(site, to, &names), self::tcp(site, to, &whole), manners(site, zone, to));
        probes.ns = Some(names.map(|answer| names_of(&answer.message, zone)));
        probes.transfer = Some(transfer.map(|answer| began(&answer.message)));
        probes.recursion = manners.recursion;
        probes.edns = manners.edns;
        probes.version = manners.version;
    }
    let reply = |answer: Answer| replied(&answer.message);
    Replies { udp: Some(udp.map(reply)), tcp: Some(tcp.map(reply)), probes }
}

async fn udp(site: &Site<'_>, to: SocketAddr, question: &Question<'_>) -> Result<Answer, ProbeFailure> {
    let _permit = site.turn(None).await;
    wire::over_udp(to, question, site.tools.limits.dns).await
}

async fn tcp(site: &Site<'_>, to: SocketAddr, question: &Question<'_>) -> Result<Answer, ProbeFailure> {
    let _permit = site.turn(None).await;
    wire::over_tcp(to, question, site.tools.limits.dns).await
}

async fn udp_then_tcp(site: &Site<'_>, to: SocketAddr, question: &Question<'_>) -> Result<Answer, ProbeFailure> {
    let _permit = site.turn(None).await;
    wire::ask(to, question, site.tools.limits.dns).await
}

/// What the server does whatever the zone, from memory when it was asked lately.
async fn manners(site: &Site<'_>, zone: &str, to: SocketAddr) -> Manners {
    if let Some(known) = site.tools.servers.get(to) {
        return known;
    }
    let soa = || Question::plain(zone, RecordType::SOA.into());
    let foreign = Question::plain(FOREIGN_NAME, RecordType::A.into()).recursive();
    let version_0 = soa().with(Opt { version: 0, flags: DNSSEC_OK, option: None });
    let version_1 = soa().with(Opt { version: 1, flags: 0, option: None });
    let unknown = soa().with(Opt { version: 0, flags: UNKNOWN_FLAG, option: Some(UNKNOWN_OPTION) });
    let software = Question::version();
    let (recursion, version_0, version_1, unknown, version) = tokio::join!(
        udp(site, to, &foreign),
        udp(site, to, &version_0),
        udp(site, to, &version_1),
        udp(site, to, &unknown),
        udp(site, to, &software),
    );
    let manners = Manners {
        recursion: Some(recursion.map(|answer| RecursionReply {
            name: Text::from(FOREIGN_NAME),
            available: answer.message.metadata.recursion_available,
            rcode: rcode(&answer.message),
        })),
        edns: Some(Edns {
            version_0: version_0.map(|answer| edns(&answer.message)),
            version_1: version_1.map(|answer| edns(&answer.message)),
            unknown: unknown.map(|answer| edns(&answer.message)),
        }),
        version: Some(version.map(|answer| software_of(&answer.message))),
    };
    site.tools.servers.put(to, manners.clone());
    manners
}

fn rcode(message: &Message) -> Text {
    Text::from(rcode_name(message.metadata.response_code))
}

fn replied(message: &Message) -> ServerReply {
    let serial = message.answers.iter().find_map(|record| match &record.data {
        RData::SOA(soa) => Some(soa.serial),
        _ => None,
    });
    ServerReply {
        authoritative: message.metadata.authoritative,
        recursion_available: message.metadata.recursion_available,
        rcode: rcode(message),
        serial,
    }
}

fn shown_soa(message: &Message) -> Option<String> {
    message.answers.iter().find(|record| record.record_type() == RecordType::SOA).map(|record| record.data.to_string())
}

/// The zone's NS names in any section: an answer gives them there, a referral as authority.
pub(super) fn names_of(message: &Message, zone: &str) -> Vec<Text> {
    let of_zone = message
        .answers
        .iter()
        .chain(&message.authorities)
        .filter(|record| record.name.to_string().trim_end_matches('.').eq_ignore_ascii_case(zone));
    let mut names: Vec<Text> = of_zone
        .filter_map(|record| match &record.data {
            RData::NS(name) => Some(Text::from(name.to_string().trim_end_matches('.').to_ascii_lowercase())),
            _ => None,
        })
        .take(NAMES_MAX)
        .collect();
    names.sort();
    names.dedup();
    names
}

fn began(message: &Message) -> Transfer {
    Transfer {
        began: message.answers.first().is_some_and(|record| record.record_type() == RecordType::SOA),
        rcode: rcode(message),
        n_records: u32::try_from(message.answers.len()).unwrap_or(u32::MAX),
    }
}

fn edns(message: &Message) -> EdnsReply {
    let opt = message.edns.as_ref();
    let echoed = |opt: &hickory_resolver::proto::op::Edns| {
        opt.option(EdnsCode::from(UNKNOWN_OPTION)).is_some() || opt.flags().z & UNKNOWN_FLAG != 0
    };
    EdnsReply {
        rcode: rcode(message),
        version: opt.map(|opt| opt.version()),
        has_answer: !message.answers.is_empty(),
        echoes: opt.is_some_and(echoed),
    }
}

fn software_of(message: &Message) -> ServerVersion {
    let texts = message.answers.iter().filter_map(|record| match &record.data {
        RData::TXT(text) => {
            Some(String::from_utf8_lossy(&text.txt_data.concat()).chars().take(TEXT_CHARS_MAX).collect())
        }
        _ => None,
    });
    ServerVersion { rcode: rcode(message), texts: texts.take(TEXTS_MAX).collect() }
}
