//! Abilities that a server shows in its hello: compression, renegotiation, tickets, ALPN, fallback, Diffie-Hellman groups.

use riskgraph_domain::Text;
use riskgraph_domain::observation::{DhGroup, FallbackProbe, TlsFeatures};
use sha2::{Digest, Sha256};

use super::super::hex;
use super::flight::{Flight, ServerKey};
use super::hello::{ALPN, Extra, MASTER_SECRET, Offer, RENEGOTIATION, TICKET, TIMESTAMPS, Version};
use super::talk::{Answer, Talker};
use super::versions::{Seen, bits_of};
use super::wire::Cursor;
use super::{primes, suites};

/// Protocols offered by ALPN, best first.
const PROTOCOLS: &[&str] = &["h2", "http/1.1", "http/1.0", "spdy/3.1"];
/// What one hello asks for, and what is left out when a server refuses to talk about it.
const EVERYTHING: &[Extra] =
    &[Extra::Compression, Extra::Ticket, Extra::Status, Extra::Timestamps, Extra::MasterSecret, Extra::Alpn(PROTOCOLS)];
const LESS: &[Extra] = &[Extra::Ticket, Extra::Status, Extra::Timestamps, Extra::MasterSecret];
/// Different groups kept.
const DH_GROUPS_MAX: usize = 8;
/// Alert of a server that sees a fallback (RFC 7507).
const INAPPROPRIATE_FALLBACK: u8 = 86;

/// Asks the highest version below TLS 1.3 for what it can do. The flight brings the staple too.
pub(super) async fn ask(talker: &Talker<'_>, seen: &Seen) -> (TlsFeatures, Option<Flight>) {
    let mut features = TlsFeatures { asked_in: Some(Text::from(seen.version.name())), ..TlsFeatures::default() };
    // A suite without a certificate would hide the staple and the timestamps.
    let suites = suites::with_certificate(&seen.suites);
    let hello = async |extras| match talker.ask(&Offer { extras, ..Offer::new(seen.version, &suites) }).await {
        Answer::Chosen(flight) if flight.hello.version == seen.version.number() => Some(*flight),
        _ => None,
    };
    let (flight, compression) = match hello(EVERYTHING).await {
        Some(flight) => {
            let compression = Some(flight.hello.compression != 0);
            (flight, compression)
        }
        None => match hello(LESS).await {
            Some(flight) => (flight, None),
            None => return (features, None),
        },
    };
    let shows = |kind: u16| Some(flight.hello.extension(kind).is_some());
    features.compression = compression;
    features.secure_renegotiation = shows(RENEGOTIATION);
    features.extended_master_secret = shows(MASTER_SECRET);
    features.session_tickets = shows(TICKET);
    features.session_ids = Some(flight.hello.names_session);
    features.client_certificate = Some(flight.asks_certificate);
    features.n_scts_in_handshake = Some(flight.hello.extension(TIMESTAMPS).map_or(0, n_timestamps));
    features.alpn = protocols(talker, seen, chosen_protocol(&flight)).await;
    (features, Some(flight))
}

/// Which protocols are taken, one after the other.
async fn protocols(talker: &Talker<'_>, seen: &Seen, first: Option<String>) -> Vec<Text> {
    const WITHOUT: [(&str, &[Extra]); 3] = [
        ("h2", &[Extra::Alpn(&["http/1.1", "http/1.0", "spdy/3.1"])]),
        ("http/1.1", &[Extra::Alpn(&["h2", "http/1.0", "spdy/3.1"])]),
        ("http/1.0", &[Extra::Alpn(&["h2", "http/1.1", "spdy/3.1"])]),
    ];
    let mut found: Vec<Text> = Vec::new();
    let mut next = first;
    // Two questions tell what matters: what is chosen, and what is chosen without it.
    if let Some(first) = next.take() {
        let extras = WITHOUT.iter().find(|(name, _)| *name == first).map(|(_, extras)| *extras);
        found.push(Text::from(first));
        if let Some(extras) = extras
            && let Answer::Chosen(flight) =
                talker.ask(&Offer { extras, ..Offer::new(seen.version, &seen.suites) }).await
            && let Some(second) = chosen_protocol(&flight)
            && found.iter().all(|known| known.as_str() != second)
        {
            found.push(Text::from(second));
        }
    }
    found
}

fn chosen_protocol(flight: &Flight) -> Option<String> {
    let mut list = Cursor(Cursor(flight.hello.extension(ALPN)?).block16()?);
    let name = String::from_utf8(list.block8()?.to_vec()).ok()?;
    PROTOCOLS.contains(&name.as_str()).then_some(name)
}

/// Timestamps in a list (RFC 6962 3.3).
pub(super) fn n_timestamps(list: &[u8]) -> u32 {
    let mut rest = Cursor(list).block16().map(Cursor);
    let mut count = 0;
    while let Some(list) = rest.as_mut()
        && list.block16().is_some()
    {
        count += 1;
    }
    count
}

/// Feigns a fallback to a version that the server speaks although it speaks a newer one.
pub(super) async fn fallback(talker: &Talker<'_>, seen: &Seen) -> FallbackProbe {
    let offer = Offer { extras: &[Extra::Fallback], ..Offer::new(seen.version, &seen.suites) };
    let refused = match talker.ask(&offer).await {
        Answer::Chosen(flight) => (flight.hello.version == seen.version.number()).then_some(false),
        Answer::Alert(INAPPROPRIATE_FALLBACK) => Some(true),
        // The version is spoken and the suites are accepted: the signal is what was refused.
        Answer::Alert(_) | Answer::Closed => Some(true),
        Answer::NotTls | Answer::Silent => None,
    };
    FallbackProbe { version: Text::from(seen.version.name()), refused }
}

/// The prime fields seen in all versions.
pub(super) fn dh_groups<'a>(flights: impl Iterator<Item = &'a Flight>) -> Vec<DhGroup> {
    let mut found: Vec<DhGroup> = Vec::new();
    let mut values: Vec<&[u8]> = Vec::new();
    for flight in flights {
        let Some(ServerKey::Field { prime, public }) = &flight.key else { continue };
        let sha256 = hex(&Sha256::digest(prime));
        let reused = values.contains(&public.as_slice());
        values.push(public);
        if let Some(known) = found.iter_mut().find(|known| known.prime_sha256 == sha256) {
            known.reused_key |= reused;
        } else if found.len() < DH_GROUPS_MAX {
            let known_as = primes::known(&sha256).map(Text::from);
            found.push(DhGroup { bits: bits_of(prime), prime_sha256: sha256, known_as, reused_key: false });
        }
    }
    found
}

/// Versions in which a fallback is worth feigning: every one below the highest, newest first.
pub(super) fn fallen(accepted: &[Version]) -> Vec<Version> {
    let mut older: Vec<Version> = accepted.to_vec();
    older.sort_unstable();
    older.pop();
    older.reverse();
    older.truncate(2);
    older
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_timestamps() {
        assert_eq!(n_timestamps(&[0, 7, 0, 2, 1, 1, 0, 1, 9]), 2);
        assert_eq!(n_timestamps(&[0, 9, 0, 2]), 0);
        assert_eq!(n_timestamps(&[]), 0);
    }

    #[test]
    fn feigns_only_below_the_highest() {
        use Version::{Ssl3, Tls10, Tls12, Tls13};
        assert_eq!(fallen(&[Tls12]), []);
        assert_eq!(fallen(&[]), []);
        assert_eq!(fallen(&[Tls12, Tls13]), [Tls12]);
        assert_eq!(fallen(&[Ssl3, Tls10, Tls12, Tls13]), [Tls12, Tls10]);
    }

    #[test]
    fn groups_are_told_by_their_prime() {
        let flight = |public: u8| Flight {
            key: Some(ServerKey::Field { prime: vec![0x7f; 128], public: vec![public] }),
            ..Flight::default()
        };
        let check = |publics: &[u8], reused: bool| {
            let flights: Vec<Flight> = publics.iter().map(|public| flight(*public)).collect();
            let found = dh_groups(flights.iter());
            assert_eq!(found.len(), 1);
            assert_eq!((found[0].bits, found[0].reused_key), (1_023, reused));
            assert_eq!(found[0].prime_sha256.len(), 64);
        };
        check(&[1, 2, 3], false);
        check(&[1, 2, 1], true);
        assert_eq!(dh_groups([].into_iter()), []);
    }
}
