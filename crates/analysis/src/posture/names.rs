//! Names and addresses: registrable domains, hosts of URLs, what is public. Knows no check.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A DNS name in lower case without its final dot.
pub(super) fn bare(name: &str) -> String {
    name.trim().trim_end_matches('.').to_ascii_lowercase()
}

/// The registrable domain (public suffix plus one label) of a name; `None` for a suffix or a bare label.
pub(super) fn registrable(name: &str) -> Option<&str> {
    let name = name.trim_end_matches('.');
    if name.parse::<IpAddr>().is_ok() { None } else { psl::domain_str(name) }
}

/// Whether two hosts belong to one registrable domain; hosts without one (addresses, test names) must be equal.
pub(super) fn same_site(a: &str, b: &str) -> bool {
    match (registrable(a), registrable(b)) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        _ => bare(a) == bare(b),
    }
}

/// The host of an absolute URL, in lower case; `None` when it has none.
pub(super) fn host_of(url: &str) -> Option<String> {
    url::Url::parse(url).ok()?.host_str().map(bare)
}

/// Whether an address can be reached from the internet (RFC 6890).
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_public_v4(v4),
            None => is_public_v6(v6),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, ..] = address.octets();
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_unspecified()
        || address.is_broadcast()
        || address.is_multicast()
        || a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a == 198 && (b == 18 || b == 19))
        || a >= 240)
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let first = address.segments()[0];
    !(address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || (first & 0xfe00) == 0xfc00
        || (first & 0xffc0) == 0xfe80)
}
