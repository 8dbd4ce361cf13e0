//! The keys of an event's natural names, hashed once and used by every detector that needs them.

use std::net::IpAddr;

use riskgraph_domain::event::{Client, Event};

use crate::keyed::{Key, key};

/// Longest user agent looked at; the rest tells nothing more and may be hostile.
const USER_AGENT_MAX: usize = 256;

/// Who and where, as keys; `None` where the event does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Keys {
    /// The customer or staff member.
    pub person: Option<Key>,
    /// IPv4 address, or the /64 of an IPv6 address: what one line of one household or server is given.
    pub address: Option<Key>,
    /// The /24 or /48 around the address.
    pub place: Option<Key>,
    /// The autonomous system; the place when it is not given.
    pub network: Option<Key>,
    /// Whether `network` is a real autonomous system.
    pub asn: Option<u32>,
    pub device: Option<Key>,
    /// TLS client fingerprint.
    pub ja4: Option<Key>,
    /// User agent without its digits: a browser update does not change it.
    pub agent: Option<Key>,
    /// Country in two letters.
    pub country: Option<[u8; 2]>,
}

impl Keys {
    /// The keys of this event.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        let client = &event.client;
        let address = client.ip.as_deref().and_then(|text| text.parse::<IpAddr>().ok()).map(|ip| ip.to_canonical());
        let place = address.map(|ip| network_key("place", ip, 24, 48));
        Self {
            person: person_key(event),
            address: address.map(|ip| network_key("address", ip, 32, 64)),
            place,
            network: client.asn.map(|asn| mix(u64::from(asn))).or(place),
            asn: client.asn,
            device: client.device.as_deref().map(device_key),
            ja4: client.ja4.as_deref().map(|ja4| key(&["ja4", ja4])),
            agent: agent_key(client),
            country: client.country.as_deref().and_then(country_code),
        }
    }
}

/// The key of a device's name.
#[must_use]
pub fn device_key(device: &str) -> Key {
    key(&["device", device])
}

/// The key of the person who acted; customers and staff of the same login name are two people.
#[must_use]
pub fn person_key(event: &Event) -> Option<Key> {
    match (&event.actor.user, &event.actor.staff) {
        (Some(user), _) => Some(key(&["user", user])),
        (None, Some(staff)) => Some(key(&["staff", staff])),
        (None, None) => None,
    }
}

fn network_key(kind: &str, ip: IpAddr, v4_bits: u32, v6_bits: u32) -> Key {
    let (family, bits) = match ip {
        IpAddr::V4(ip) => (4, u128::from(u32::from(ip) >> (32 - v4_bits))),
        IpAddr::V6(ip) => (6, u128::from(ip) >> (128 - v6_bits)),
    };
    mix((bits as u64) ^ ((bits >> 64) as u64).rotate_left(32) ^ ((kind.len() as u64) << 56) ^ (family << 48))
}

/// Spreads the bits of a number over a key (SplitMix64): cheap, and numbers from the network are no secret.
#[must_use]
pub const fn mix(number: u64) -> Key {
    let z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn agent_key(client: &Client) -> Option<Key> {
    let agent = client.user_agent.as_deref().filter(|agent| !agent.is_empty())?;
    let mut class = [0_u8; USER_AGENT_MAX];
    let mut n = 0;
    for byte in agent.bytes().filter(|byte| !byte.is_ascii_digit()).take(USER_AGENT_MAX) {
        class[n] = byte;
        n += 1;
    }
    Some(key(&["agent", &String::from_utf8_lossy(&class[..n])]))
}

fn country_code(text: &str) -> Option<[u8; 2]> {
    match text.as_bytes() {
        [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
            Some([a.to_ascii_uppercase(), b.to_ascii_uppercase()])
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use riskgraph_domain::{EventKind, Timestamp};

    fn keys(ip: &str, agent: &str) -> Keys {
        let mut event = Event::new("e", Timestamp(0), EventKind::AuthLogin);
        event.client.ip = Some(ip.into());
        event.client.user_agent = Some(agent.into());
        Keys::of(&event)
    }

    #[test]
    fn neighbours_share_what_they_should() {
        let check = |a: &str, b: &str, address: bool, place: bool| {
            let (a, b) = (keys(a, "x"), keys(b, "x"));
            assert_eq!((a.address == b.address, a.place == b.place), (address, place));
        };
        check("198.51.100.1", "198.51.100.1", true, true);
        check("198.51.100.1", "198.51.100.9", false, true);
        check("198.51.100.1", "198.51.101.1", false, false);
        check("::ffff:198.51.100.1", "198.51.100.1", true, true);
        check("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true, true);
        check("2001:db8:1:2::1", "2001:db8:1:3::1", false, true);
        check("2001:db8:1:2::1", "2001:db8:2:2::1", false, false);
        assert_eq!(keys("nonsense", "Chrome/120.1").address, None);
        assert_eq!(keys("::1", "Chrome/120.1").agent, keys("::1", "Chrome/121.0").agent);
        assert_ne!(keys("::1", "Chrome/120.1").agent, keys("::1", "Firefox/121.0").agent);
    }
}
