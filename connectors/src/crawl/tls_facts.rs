//! What TLS on one host shows: versions and suites by hand-made hellos, the chain by one real handshake.

use std::net::SocketAddr;

use riskgraph_domain::Text;
use riskgraph_domain::observation::{ProbeFailure, TlsFacts, VersionProbe};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::fetch::Fetcher;
use super::handshake::{self, Trust};
use super::hello::{self, RECORD_MAX_BYTES, Reply, Version};
use super::site::{Site, refused};
use super::suites;

/// Suites named for one version: the preferred one and one of each group.
const CIPHERS_MAX: usize = suites::GROUPS.len() + 1;

/// Examines one host and port.
pub(super) async fn observe(site: &Site<'_>, tools: (&Trust, &Fetcher), host: &str, port: u16) -> TlsFacts {
    let mut facts =
        TlsFacts { host: Text::from(host), port, address: None, failure: None, versions: Vec::new(), handshake: None };
    // One address for all probes: servers behind one name may differ, and the findings must be of one.
    let address = match reachable(site, host, port).await {
        Ok(address) => address,
        Err(failure) => {
            facts.failure = Some(failure);
            return facts;
        }
    };
    facts.address = Some(Text::from(address.ip().to_string()));
    let (handshake, versions) =
        tokio::join!(handshake::perform(site, tools, host, address), probe(site, host, address));
    facts.versions = versions;
    match handshake {
        Ok(handshake) => facts.handshake = Some(handshake),
        // A server that speaks only old versions is connected all the same.
        Err(failure) if facts.versions.iter().all(|probe| probe.accepted != Some(true)) => {
            facts.failure = Some(failure)
        }
        Err(_) => {}
    }
    facts
}

async fn reachable(site: &Site<'_>, host: &str, port: u16) -> Result<SocketAddr, ProbeFailure> {
    let addresses = site.addresses(host, port).await?;
    let _permit = site.turn(Some(host)).await;
    let stream = site.open(&addresses).await?;
    stream.peer_addr().map_err(|error| refused(&error))
}

/// What one hello brought.
enum Outcome {
    Reply(Reply),
    /// The connection was closed or reset without a word.
    Closed,
    Failed,
}

async fn probe(site: &Site<'_>, host: &str, address: SocketAddr) -> Vec<VersionProbe> {
    let ask = |version| probe_version(site, host, address, version);
    let [ssl3, tls10, tls11, tls12, tls13] = Version::ALL;
    let (a, b, c, d, e) = tokio::join!(ask(ssl3), ask(tls10), ask(tls11), ask(tls12), ask(tls13));
    let mut found = vec![a, b, c, d, e];
    // A connection closed without a word is a refusal when the same server accepts another version; else it says nothing.
    let speaks_tls = found.iter().any(|(probe, _)| probe.accepted == Some(true));
    for (probe, closed) in &mut found {
        if *closed && speaks_tls {
            probe.accepted = Some(false);
        }
    }
    found.into_iter().map(|(probe, _)| probe).collect()
}

/// The probe, and whether the server just closed the connection.
async fn probe_version(site: &Site<'_>, host: &str, address: SocketAddr, version: Version) -> (VersionProbe, bool) {
    let mut probe = VersionProbe { version: Text::from(version.name()), accepted: None, ciphers: Vec::new() };
    let all: Vec<u16> = match version {
        Version::Tls13 => suites::TLS13.to_vec(),
        Version::Tls12 => suites::all(),
        _ => suites::all().into_iter().filter(|suite| !suites::needs_tls12(*suite)).collect(),
    };
    let reply = match exchange(site, host, address, version, &all).await {
        Outcome::Reply(reply) => reply,
        Outcome::Closed => return (probe, true),
        Outcome::Failed => return (probe, false),
    };
    let Some(preferred) = reply.suite_of(version) else {
        probe.accepted = match reply {
            Reply::Chosen { .. } | Reply::Alert(_) => Some(false),
            Reply::NotTls | Reply::Incomplete => None,
        };
        return (probe, false);
    };
    probe.accepted = Some(true);
    let mut found = vec![preferred];
    if version != Version::Tls13 {
        for group in suites::GROUPS.iter().filter(|group| !group.contains(&preferred)) {
            let offer: Vec<u16> = group.iter().copied().filter(|suite| all.contains(suite)).collect();
            if offer.is_empty() {
                continue;
            }
            if let Outcome::Reply(reply) = exchange(site, host, address, version, &offer).await
                && let Some(suite) = reply.suite_of(version)
            {
                found.push(suite);
            }
        }
    }
    probe.ciphers = found.into_iter().take(CIPHERS_MAX).map(|suite| Text::from(suites::name(suite))).collect();
    (probe, false)
}

/// Sends one hello and reads the first record of the answer.
async fn exchange(site: &Site<'_>, host: &str, address: SocketAddr, version: Version, suites: &[u16]) -> Outcome {
    let _permit = site.turn(Some(host)).await;
    let mut random = [0; 64];
    if rustls::crypto::aws_lc_rs::default_provider().secure_random.fill(&mut random).is_err() {
        return Outcome::Failed;
    }
    let hello = hello::client_hello(version, suites, host, &random);
    let talk = async {
        let mut stream = site.open(&[address]).await.map_err(|_| Outcome::Failed)?;
        if stream.write_all(&hello).await.is_err() {
            return Err(Outcome::Closed);
        }
        let mut answer = Vec::with_capacity(4_096);
        loop {
            match stream.read_buf(&mut answer).await {
                Ok(0) | Err(_) => return Err(Outcome::Closed),
                Ok(_) => {}
            }
            match hello::read_reply(&answer) {
                Reply::Incomplete if answer.len() < RECORD_MAX_BYTES => {}
                reply => return Ok(Outcome::Reply(reply)),
            }
        }
    };
    match tokio::time::timeout(site.time_left(site.tools.limits.read), talk).await {
        Ok(Ok(outcome) | Err(outcome)) => outcome,
        Err(_) => Outcome::Failed,
    }
}
