//! Which versions, suites and groups a server takes.
//!
//! A server names one suite an answer, so all are offered, the chosen one is taken out, and the rest is offered again until
//! nothing is taken. In TLS 1.3 no key share is sent: the server then asks for one (HelloRetryRequest), naming suite and
//! group without having computed anything.

use futures::future::join_all;
use riskgraph_domain::Text;
use riskgraph_domain::observation::{KeyExchange, Preference, VersionProbe};

use super::flight::{Flight, ServerKey};
use super::groups;
use super::hello::{Extra, Offer, Version};
use super::suites::{self, Agreement};
use super::talk::{Answer, Talker};

/// Alert of a server that does not speak the version (RFC 8446 6.2).
const PROTOCOL_VERSION: u8 = 70;
/// Different chains kept of one version.
const CHAINS_MAX: usize = 4;

/// How a round of offers ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// Everything left was refused, or nothing was left.
    Refused,
    /// The version itself was refused.
    Version,
    /// Closed without a word.
    Closed,
    /// No TLS.
    Odd,
    Silent,
}

/// What one version showed.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) version: Version,
    pub(super) probe: VersionProbe,
    pub(super) suites: Vec<u16>,
    /// The connection was just closed: a refusal when the server speaks another version, else it says nothing.
    pub(super) closed: bool,
    pub(super) flights: Vec<Flight>,
    /// Servers of TLS 1.3 that want a share at once.
    shares: &'static [Extra],
}

impl Seen {
    pub(super) fn accepted(&self) -> bool {
        self.probe.accepted == Some(true)
    }

    /// Different chains, each with the first flight that brought it.
    pub(super) fn chains(&self) -> Vec<&Flight> {
        let mut found: Vec<&Flight> = Vec::new();
        for flight in self.flights.iter().filter(|flight| !flight.chain.is_empty()) {
            if found.len() < CHAINS_MAX && found.iter().all(|known| known.chain[0] != flight.chain[0]) {
                found.push(flight);
            }
        }
        found
    }
}

/// Asks for one version.
pub(super) async fn probe(talker: &Talker<'_>, version: Version) -> Seen {
    let batches = suites::batches(version);
    let mut shares: &'static [Extra] = &[];
    let mut all = Vec::new();
    let mut first = round(talker, version, &batches[0], shares).await;
    if version == Version::Tls13 && first.0.is_empty() && first.1 == End::Refused {
        shares = &[Extra::Share];
        first = round(talker, version, &batches[0], shares).await;
    }
    let given_up = first.0.is_empty() && !matches!(first.1, End::Refused | End::Closed);
    let mut ends = vec![first.1];
    all.extend(first.0);
    if !given_up {
        let others = batches[1..].iter().map(|batch| round(talker, version, batch, shares));
        for (flights, end) in join_all(others).await {
            all.extend(flights);
            ends.push(end);
        }
    }
    let accepted = match all.is_empty() {
        false => Some(true),
        true if ends.iter().all(|end| matches!(end, End::Refused | End::Version)) => Some(false),
        true => None,
    };
    let suites: Vec<u16> = all.iter().map(|flight| flight.hello.suite).collect();
    let probe = VersionProbe {
        version: Text::from(version.name()),
        accepted,
        ciphers: suites.iter().map(|suite| Text::from(suites::name(*suite))).collect(),
        complete: accepted == Some(true) && !ends.contains(&End::Silent),
        exchanges: all.iter().filter_map(exchange).collect(),
        ..VersionProbe::default()
    };
    // Some servers hang up where others send an alert; it is one when there was not a word of anything else.
    let closed = accepted.is_none() && ends.iter().all(|end| matches!(end, End::Closed | End::Refused | End::Version));
    Seen { version, probe, suites, closed, flights: all, shares }
}

/// Offers the batch until nothing of it is taken.
async fn round(talker: &Talker<'_>, version: Version, batch: &[u16], extras: &'static [Extra]) -> (Vec<Flight>, End) {
    let mut left = batch.to_vec();
    let mut taken = Vec::new();
    while !left.is_empty() {
        match talker.ask(&Offer { extras, ..Offer::new(version, &left) }).await {
            Answer::Chosen(flight) if flight.hello.version != version.number() => return (taken, End::Version),
            Answer::Chosen(flight) => {
                let Some(at) = left.iter().position(|suite| *suite == flight.hello.suite) else {
                    return (taken, End::Refused);
                };
                left.remove(at);
                taken.push(*flight);
            }
            Answer::Alert(PROTOCOL_VERSION) => return (taken, End::Version),
            Answer::Alert(_) => return (taken, End::Refused),
            Answer::Closed => return (taken, End::Closed),
            Answer::NotTls => return (taken, End::Odd),
            Answer::Silent => return (taken, End::Silent),
        }
    }
    (taken, End::Refused)
}

fn exchange(flight: &Flight) -> Option<KeyExchange> {
    let (group, bits) = match flight.key.as_ref()? {
        ServerKey::Curve(group) => (groups::name(*group), groups::bits(*group)),
        ServerKey::Field { prime, .. } => ("DH".to_owned(), bits_of(prime)),
    };
    Some(KeyExchange { suite: Text::from(suites::name(flight.hello.suite)), group: Text::from(group), bits })
}

/// The size of a big-endian number.
pub(super) fn bits_of(number: &[u8]) -> u32 {
    number.first().map_or(0, |top| u32::try_from(number.len()).unwrap_or(u32::MAX / 8) * 8 - top.leading_zeros())
}

/// Finds the groups of a version that is spoken; `None` where groups play no part.
pub(super) async fn groups(talker: &Talker<'_>, seen: &Seen, last: Option<u16>) -> Option<Vec<u16>> {
    let suites = with_groups(seen);
    if suites.is_empty() {
        return None;
    }
    let mut left: Vec<u16> = groups::of(seen.version).to_vec();
    // The curve of the certificate stays to the end: without it, servers may take none of its suites.
    if let Some(at) = last.and_then(|last| left.iter().position(|group| *group == last)) {
        let group = left.remove(at);
        left.push(group);
    }
    let mut found = Vec::new();
    while !left.is_empty() {
        let offer = Offer { groups: &left, extras: seen.shares, ..Offer::new(seen.version, &suites) };
        let Some(group) = group_of(&talker.ask(&offer).await, seen.version) else { break };
        let Some(at) = left.iter().position(|known| *known == group) else { break };
        found.push(left.remove(at));
    }
    Some(found)
}

/// Those of the groups that are taken when nothing else is offered.
pub(super) async fn groups_alone(talker: &Talker<'_>, seen: &Seen, found: &[u16]) -> Vec<u16> {
    let suites = with_groups(seen);
    let asked = found.iter().map(async |group| {
        let offer = Offer { groups: &[*group], extras: seen.shares, ..Offer::new(seen.version, &suites) };
        (group_of(&talker.ask(&offer).await, seen.version) == Some(*group)).then_some(*group)
    });
    join_all(asked).await.into_iter().flatten().collect()
}

/// The accepted suites whose key is agreed on in a group that the client may choose.
fn with_groups(seen: &Seen) -> Vec<u16> {
    let on_curves = |suite: &u16| suites::agreement(*suite) == Agreement::Curve;
    match seen.version {
        Version::Ssl3 => Vec::new(),
        Version::Tls13 => seen.suites.clone(),
        _ => suites::with_certificate(&seen.suites.iter().copied().filter(on_curves).collect::<Vec<_>>()),
    }
}

fn group_of(answer: &Answer, version: Version) -> Option<u16> {
    let Answer::Chosen(flight) = answer else { return None };
    match (&flight.key, version) {
        _ if flight.hello.version != version.number() => None,
        (_, Version::Tls13) => flight.hello.share_group(),
        (Some(ServerKey::Curve(group)), _) => Some(*group),
        _ => None,
    }
}

/// Whose order decides: asked with all accepted suites in one order and in the other.
pub(super) async fn preference(talker: &Talker<'_>, seen: &Seen) -> Option<Preference> {
    if seen.suites.len() < 2 {
        return None;
    }
    let backwards: Vec<u16> = seen.suites.iter().rev().copied().collect();
    let choice = async |suites: &[u16]| match talker
        .ask(&Offer { extras: seen.shares, ..Offer::new(seen.version, suites) })
        .await
    {
        Answer::Chosen(flight) => Some(flight.hello.suite),
        _ => None,
    };
    let (one, other) = tokio::join!(choice(&seen.suites), choice(&backwards));
    match (one?, other?) {
        (one, other) if one == other => Some(Preference::Server),
        _ => Some(Preference::Client),
    }
}
