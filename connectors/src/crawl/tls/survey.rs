//! The examination of one host and port: versions and suites first, then what only those that are spoken can tell.

use std::net::SocketAddr;

use futures::future::join_all;
use riskgraph_domain::Text;
use riskgraph_domain::observation::{
    FallbackProbe, Handshake, Preference, ProbeFailure, RevocationProbe, ServedChain, TlsFacts, TlsFeatures,
    VersionProbe,
};
use rustls::pki_types::UnixTime;

use super::super::fetch::Fetcher;
use super::super::site::{Site, refused};
use super::flight::Flight;
use super::handshake::{self, Shaken};
use super::hello::Version;
use super::talk::{Answer, Talker};
use super::trust::{self, INCOMPLETE, Trust};
use super::versions::{self, Seen};
use super::{features, groups, revocation};

/// What is used to judge and to fetch.
pub(in crate::crawl) type Means<'a> = (&'a Trust, &'a Fetcher);

/// Examines one host and port.
pub(in crate::crawl) async fn observe(site: &Site<'_>, means: Means<'_>, host: &str, port: u16) -> TlsFacts {
    let mut facts = TlsFacts { host: Text::from(host), port, ..TlsFacts::default() };
    // One address for all probes: servers behind one name may differ, and the findings must be of one.
    let address = match reachable(site, host, port).await {
        Ok(address) => address,
        Err(failure) => {
            facts.failure = Some(failure);
            return facts;
        }
    };
    facts.address = Some(Text::from(address.ip().to_string()));
    let talker = Talker::new(site, host, address, means.0.provider());
    let (shaken, oldest, mut seen) = tokio::join!(
        handshake::perform(site, means.0, host, address),
        ssl2(&talker),
        join_all(Version::ALL.map(|version| versions::probe(&talker, version))),
    );
    let speaks = shaken.is_ok() || oldest.accepted == Some(true) || seen.iter().any(Seen::accepted);
    settle(&mut seen, speaks);
    let shaken = match shaken {
        Ok(shaken) => Some(shaken),
        Err(failure) => {
            // A server that speaks only what the library does not is connected all the same.
            facts.failure = (!speaks).then_some(failure);
            None
        }
    };
    facts.versions = vec![VersionProbe { accepted: oldest.accepted.filter(|yes| *yes || speaks), ..oldest }];
    if speaks {
        Examination { site, means, host, talker: &talker }.deepen(&mut facts, &mut seen, shaken).await;
    }
    facts.versions.extend(seen.into_iter().map(|seen| seen.probe));
    facts.features.n_connections = talker.n_connections() + 2;
    facts
}

async fn reachable(site: &Site<'_>, host: &str, port: u16) -> Result<SocketAddr, ProbeFailure> {
    let addresses = site.addresses(host, port).await?;
    let _permit = site.turn(Some(host)).await;
    let stream = site.open(&addresses).await?;
    stream.peer_addr().map_err(|error| refused(&error))
}

async fn ssl2(talker: &Talker<'_>) -> VersionProbe {
    let mut probe = VersionProbe { version: Text::from("SSLv2"), ..VersionProbe::default() };
    match talker.ask_ssl2().await {
        Ok(suites) => {
            probe.accepted = Some(!suites.is_empty());
            probe.complete = true;
            probe.ciphers = suites.into_iter().map(Text::from).collect();
        }
        // Whatever else a server of TLS says to this is a refusal.
        Err(Answer::Silent) => {}
        Err(_) => probe.accepted = Some(false),
    }
    probe
}

/// A connection closed without a word is a refusal when the same server accepts another version; else it says nothing.
fn settle(seen: &mut [Seen], speaks: bool) {
    for version in seen {
        if version.closed && speaks {
            version.probe.accepted = Some(false);
        }
    }
}

/// What the chains are judged from.
struct Found {
    /// The newest version below TLS 1.3.
    older: Option<usize>,
    shaken: Option<Shaken>,
    flight: Option<Flight>,
    /// The chain with what the server forgot.
    whole: Option<Vec<Vec<u8>>>,
}

struct Examination<'a> {
    site: &'a Site<'a>,
    means: Means<'a>,
    host: &'a str,
    talker: &'a Talker<'a>,
}

impl Examination<'_> {
    /// Asks what the spoken versions can tell.
    async fn deepen(&self, facts: &mut TlsFacts, seen: &mut [Seen], shaken: Option<Shaken>) {
        let (newest, older) = (seen.iter().position(|s| s.version == Version::Tls13), highest(seen));
        let flights: Vec<&Flight> = older.map(|at| seen[at].chains()).unwrap_or_default();
        let chains: Vec<Vec<Vec<u8>>> = flights.iter().map(|flight| flight.chain.clone()).collect();
        let curve = chains.first().and_then(|chain| trust::facts(chain).into_iter().next()).and_then(|leaf| leaf.curve);
        let curve = curve.and_then(|name| groups::number(&name));
        let clear = flights.first().map(|flight| flight.chain.as_slice());
        let ((whole, revoked), modern, old, feigned, (features, flight), preference) = tokio::join!(
            self.authority(shaken.as_ref(), clear),
            self.groups(newest.map(|at| &seen[at]), None),
            self.groups(older.map(|at| &seen[at]), curve),
            self.feign(seen),
            self.features(older.map(|at| &seen[at])),
            self.preference(older.or(newest).map(|at| &seen[at])),
        );
        facts.features = features;
        facts.features.fallback = feigned;
        facts.features.dh_groups = features::dh_groups(seen.iter().flat_map(|seen| &seen.flights));
        let alpn = shaken.as_ref().and_then(|shaken| shaken.alpn.clone());
        facts.features.alpn.extend(alpn.filter(|name| !facts.features.alpn.contains(name)));
        if let Some((tickets, early)) = shaken.as_ref().and_then(|shaken| shaken.tickets) {
            facts.features.tickets_13 = Some(tickets);
            facts.features.early_data_bytes_max = (tickets > 0).then_some(early);
        }
        facts.revocation = revoked;
        self.chains(facts, seen, Found { older, shaken, flight, whole }, chains);
        if let Some(at) = newest {
            note_groups(&mut seen[at].probe, modern);
        }
        if let Some(at) = older {
            note_groups(&mut seen[at].probe, old);
        }
        if let Some(at) = older.or(newest) {
            seen[at].probe.preference = preference;
        }
    }

    async fn groups(&self, seen: Option<&Seen>, last: Option<u16>) -> Option<(Vec<u16>, Option<Vec<u16>>)> {
        let seen = seen.filter(|seen| seen.accepted())?;
        let found = versions::groups(self.talker, seen, last).await?;
        let alone = match last {
            Some(_) if !found.is_empty() => Some(versions::groups_alone(self.talker, seen, &found).await),
            _ => None,
        };
        Some((found, alone))
    }

    async fn feign(&self, seen: &[Seen]) -> Vec<FallbackProbe> {
        let accepted: Vec<Version> = seen.iter().filter(|seen| seen.accepted()).map(|seen| seen.version).collect();
        let fallen = features::fallen(&accepted);
        let asked = seen.iter().filter(|seen| fallen.contains(&seen.version));
        join_all(asked.map(|seen| features::fallback(self.talker, seen))).await
    }

    async fn features(&self, seen: Option<&Seen>) -> (TlsFeatures, Option<Flight>) {
        match seen {
            Some(seen) => features::ask(self.talker, seen).await,
            None => (TlsFeatures::default(), None),
        }
    }

    async fn preference(&self, seen: Option<&Seen>) -> Option<Preference> {
        versions::preference(self.talker, seen?).await
    }

    /// What only the authority can tell: the certificate that the server forgot, and whether the leaf is revoked.
    async fn authority(
        &self,
        shaken: Option<&Shaken>,
        clear: Option<&[Vec<u8>]>,
    ) -> (Option<Vec<Vec<u8>>>, Vec<RevocationProbe>) {
        let (chain, verdict) = match (shaken, clear) {
            (Some(shaken), _) => (shaken.chain.as_slice(), shaken.facts.trust.clone()),
            (None, Some(chain)) => (chain, self.means.0.judge(chain, self.host, UnixTime::now()).trust),
            (None, None) => return (None, Vec::new()),
        };
        let whole = handshake::completed(self.site, self.means, self.host, chain, &verdict).await;
        let revoked = revocation::asked(self.site, self.means, whole.as_deref().unwrap_or(chain)).await;
        (whole, revoked)
    }

    /// Judges the chains: the library's handshake first, else the best flight that was read in clear.
    fn chains(&self, facts: &mut TlsFacts, seen: &[Seen], found: Found, mut chains: Vec<Vec<Vec<u8>>>) {
        // Suites without a certificate say nothing of the chain.
        let shows = |flight: &&Flight| !flight.chain.is_empty();
        let with_chain = |at: usize| seen[at].flights.iter().find(shows).or(seen[at].flights.first()).cloned();
        let flight = found.flight.filter(|flight| shows(&flight)).or_else(|| found.older.and_then(with_chain));
        let (mut handshake, chain, staple) = match (found.shaken, flight) {
            (Some(shaken), _) => (shaken.facts, shaken.chain, shaken.staple),
            (None, Some(flight)) => (self.by_flight(&flight), flight.chain, flight.staple),
            (None, None) => return,
        };
        if let Some(staple) = staple {
            let whole = found.whole.as_deref().unwrap_or(&chain);
            facts.revocation.insert(0, revocation::stapled(self.means.0, whole, &staple));
        }
        if found.whole.is_some() {
            handshake.trust = Err(INCOMPLETE.to_owned());
        }
        chains.retain(|other| other.first() != chain.first());
        for other in chains {
            let verdict = self.means.0.judge(&other, self.host, UnixTime::now());
            let chain = self.means.0.facts(&other);
            let (trust, hostname_matches) = (verdict.trust, verdict.hostname_matches);
            facts.other_chains.push(ServedChain { hostname_matches, trust, chain });
        }
        facts.handshake = Some(handshake);
    }

    /// What a handshake of the library would have told, from a flight in clear.
    fn by_flight(&self, flight: &Flight) -> Handshake {
        let verdict = self.means.0.judge(&flight.chain, self.host, UnixTime::now());
        let version = Version::ALL.into_iter().find(|version| version.number() == flight.hello.version);
        let group = match &flight.key {
            Some(super::flight::ServerKey::Curve(group)) => Some(groups::name(*group)),
            Some(super::flight::ServerKey::Field { .. }) => Some("DH".to_owned()),
            None => None,
        };
        Handshake {
            version: Text::from(version.map_or("", Version::name)),
            cipher: Text::from(super::suites::name(flight.hello.suite)),
            key_exchange: group.map(Text::from),
            ocsp_stapled: flight.staple.is_some(),
            hostname_matches: verdict.hostname_matches,
            trust: verdict.trust,
            chain: self.means.0.facts(&flight.chain),
        }
    }
}

/// The newest version below TLS 1.3 that is spoken.
fn highest(seen: &[Seen]) -> Option<usize> {
    seen.iter().rposition(|seen| seen.accepted() && seen.version < Version::Tls13)
}

fn note_groups(probe: &mut VersionProbe, found: Option<(Vec<u16>, Option<Vec<u16>>)>) {
    let names = |groups: Vec<u16>| groups.into_iter().map(|group| Text::from(groups::name(group))).collect();
    if let Some((found, alone)) = found {
        probe.groups = Some(names(found));
        probe.groups_alone = alone.map(names);
    }
}
