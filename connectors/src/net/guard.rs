//! Which addresses and ports may be connected to on somebody else's word.
//!
//! A vendor's domain, every redirect and a channel's URL are chosen by others. Without this guard they could make riskgraph
//! speak to the operator's own machines (server-side request forgery). The guard judges the address that is really
//! connected, after name resolution, on every hop; so neither DNS rebinding nor redirects nor odd spellings pass. Must
//! *not* resolve names or open connections itself.
//!
//! Sources: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890), RFC 6052 (NAT64), RFC 5214 (ISATAP).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;
use riskgraph_domain::observation::ProbeFailure;

/// Ports on which the web is spoken. Others would make the crawler a port scanner and let it talk to mail or databases.
pub const WEB_PORTS: [u16; 4] = [80, 443, 8080, 8443];

/// Networks of IPv4 that are nobody's public server, and why.
const FORBIDDEN_V4: [([u8; 4], u8, &str); 17] = [
    ([0, 0, 0, 0], 8, "this network"),
    ([10, 0, 0, 0], 8, "private"),
    ([100, 64, 0, 0], 10, "carrier NAT"),
    ([127, 0, 0, 0], 8, "loopback"),
    // The metadata service that answers from inside Azure machines; a public address, but never a vendor's.
    ([168, 63, 129, 16], 32, "cloud metadata"),
    ([169, 254, 0, 0], 16, "link-local or cloud metadata"),
    ([172, 16, 0, 0], 12, "private"),
    ([192, 0, 0, 0], 24, "protocol assignments"),
    ([192, 0, 2, 0], 24, "documentation"),
    ([192, 31, 196, 0], 24, "AS112"),
    ([192, 88, 99, 0], 24, "6to4 relay"),
    ([192, 168, 0, 0], 16, "private"),
    ([198, 18, 0, 0], 15, "benchmarking"),
    ([198, 51, 100, 0], 24, "documentation"),
    ([203, 0, 113, 0], 24, "documentation"),
    ([224, 0, 0, 0], 4, "multicast"),
    ([240, 0, 0, 0], 4, "reserved or broadcast"),
];

/// Judges addresses and ports.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    allow_networks: Vec<IpNet>,
    allow_ports: Vec<u16>,
}

impl Guard {
    /// A guard that lets the operator's listed networks and ports pass beside the public internet's.
    #[must_use]
    pub fn new(allow_networks: Vec<IpNet>, allow_ports: Vec<u16>) -> Self {
        Self { allow_networks, allow_ports }
    }

    /// Whether this address may be connected.
    ///
    /// # Errors
    /// `ProbeFailure::Forbidden` with the reason.
    pub fn check_address(&self, ip: IpAddr) -> Result<(), ProbeFailure> {
        let ip = ip.to_canonical();
        if self.is_listed(ip) {
            return Ok(());
        }
        match forbidden(ip) {
            Some(reason) => Err(ProbeFailure::Forbidden(format!("{ip} is not a public address ({reason})"))),
            None => Ok(()),
        }
    }

    /// Whether the operator listed a network with this address.
    #[must_use]
    pub fn is_listed(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        self.allow_networks.iter().any(|network| network.contains(&ip))
    }

    /// Whether the web may be spoken on this port.
    ///
    /// # Errors
    /// `ProbeFailure::Forbidden`.
    pub fn check_port(&self, port: u16) -> Result<(), ProbeFailure> {
        if WEB_PORTS.contains(&port) || self.allow_ports.contains(&port) {
            return Ok(());
        }
        Err(ProbeFailure::Forbidden(format!("port {port} is not a web port")))
    }
}

/// Why nobody's public server is at this address.
fn forbidden(ip: IpAddr) -> Option<&'static str> {
    match ip {
        IpAddr::V4(ip) => forbidden_v4(ip),
        IpAddr::V6(ip) => forbidden_v6(ip),
    }
}

fn forbidden_v4(ip: Ipv4Addr) -> Option<&'static str> {
    let bits = ip.to_bits();
    FORBIDDEN_V4
        .iter()
        .find(|(network, length, _)| (bits ^ Ipv4Addr::from(*network).to_bits()) >> (32 - u32::from(*length)) == 0)
        .map(|(_, _, reason)| *reason)
}

fn forbidden_v6(ip: Ipv6Addr) -> Option<&'static str> {
    let parts = ip.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match parts {
        [0, 0, 0, 0, 0, 0xffff, high, low] => return forbidden_v4(v4(high, low)),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => return forbidden_v4(v4(high, low)),
        [0, 0, 0, 0, 0, 0, 0, 0] => return Some("unspecified"),
        [0, 0, 0, 0, 0, 0, 0, 1] => return Some("loopback"),
        _ => {}
    }
    // Only 2000::/3 is assigned to public servers: this leaves out IPv4-compatible, local NAT64, discard-only, unique
    // local, link-local, site-local and multicast addresses in one stroke.
    if parts[0] >> 13 != 1 {
        return Some(match parts[0] {
            0xfc00..=0xfdff => "unique local",
            0xfe80..=0xfebf => "link-local",
            0xfec0..=0xfeff => "site-local",
            0xff00..=0xffff => "multicast",
            _ => "outside the public range 2000::/3",
        });
    }
    match parts {
        [0x2001, 0, ..] => Some("Teredo"),
        [0x2001, second, ..] if second < 0x200 => Some("protocol assignments"),
        [0x2001, 0xdb8, ..] => Some("documentation"),
        [0x2002, ..] => Some("6to4"),
        [0x3fff, second, ..] if second < 0x1000 => Some("documentation"),
        [_, _, _, _, 0 | 0x200, 0x5efe, high, low] => forbidden_v4(v4(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lets_only_public_addresses_pass() {
        let guard = Guard::default();
        let check = |address: &str, want: bool| {
            let ip: IpAddr = address.parse().expect("an address");
            assert_eq!(guard.check_address(ip).is_ok(), want, "{address}");
        };
        for public in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.15",
            "168.63.129.17",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "198.51.101.0",
            "203.0.112.255",
            "203.0.114.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2600::5efe:101:101",
            "3ffe::1",
            "3fff:1000::1",
        ] {
            check(public, true);
        }
        for private in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.255",
            "168.63.129.16",
            "169.254.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.31.196.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::2",
            "::127.0.0.1",
            "::10.0.0.1",
            "::1.1.1.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:0:127.0.0.1",
            "64:ff9b::127.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1.1.1.1",
            "100::1",
            "2001::1",
            "2001:0:7f00:1::1",
            "2001:2::1",
            "2001:10::1",
            "2001:20::1",
            "2001:1ff::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:a00:1::1",
            "2002:101:101::1",
            "2600::5efe:7f00:1",
            "2600::200:5efe:a00:1",
            "3fff::1",
            "3fff:fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
        ] {
            check(private, false);
        }
    }

    #[test]
    fn lets_listed_networks_pass() {
        let nets = ["10.1.0.0/16", "fd00::/8"].map(|net| net.parse().expect("a network"));
        let guard = Guard::new(nets.to_vec(), vec![4_711]);
        let ok = |address: &str| guard.check_address(address.parse().expect("an address")).is_ok();
        assert!(ok("10.1.2.3") && ok("::ffff:10.1.2.3") && ok("fd12::1"));
        assert!(guard.check_port(4_711).is_ok() && guard.check_port(4_712).is_err());
        assert!(!ok("10.2.0.1") && !ok("127.0.0.1") && !ok("fe80::1"));
    }

    #[test]
    fn knows_every_network_edge() {
        for (network, length, reason) in FORBIDDEN_V4 {
            let first = Ipv4Addr::from(network).to_bits();
            let last = first | u32::MAX.checked_shr(u32::from(length)).unwrap_or(0);
            assert!(forbidden_v4(Ipv4Addr::from_bits(first)).is_some(), "{reason}");
            assert!(forbidden_v4(Ipv4Addr::from_bits(last)).is_some(), "{reason}");
        }
    }

    #[test]
    fn speaks_only_on_web_ports() {
        let guard = Guard::default();
        assert!(WEB_PORTS.iter().all(|port| guard.check_port(*port).is_ok()));
        assert!([0, 22, 25, 53, 3306, 6379, 8081, 65535].iter().all(|port| guard.check_port(*port).is_err()));
    }
}
