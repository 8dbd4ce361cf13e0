//! Where a request came from: its address, its host, and whether it was encrypted on the way. It must *not* know who
//! sent it.
//!
//! Headers can say anything, so what a proxy adds (`X-Forwarded-For`, `-Proto`, `-Host`) is believed only from the
//! networks named as proxies. Of `X-Forwarded-For` the last address that is no proxy counts: those before it are what
//! the sender wrote.

use std::net::{IpAddr, SocketAddr};

use axum::extract::Request;
use axum::http::{HeaderMap, header};
use riskgraph_domain::error::{Fault, FaultCode};

const FORWARDED_FOR: &str = "x-forwarded-for";
const FORWARDED_PROTO: &str = "x-forwarded-proto";
const FORWARDED_HOST: &str = "x-forwarded-host";
/// Addresses of `X-Forwarded-For` that are looked at, from the last on.
const HOPS_MAX: usize = 16;

/// The other end of the connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) SocketAddr);

/// How a request arrived.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arrival {
    /// The sender's address; unknown when the router is not served by [`super::serve`].
    pub(crate) address: Option<IpAddr>,
    pub(super) transport: Transport,
    /// Host and port the sender asked for, in lower case.
    pub(super) host: Option<String>,
}

/// Whether the way was encrypted, as far as we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Transport {
    #[default]
    Plain,
    Encrypted,
}

impl Arrival {
    pub(super) fn of(request: &Request, proxies: &Networks) -> Self {
        let headers = request.headers();
        let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip().to_canonical());
        let named = request.uri().authority().map(|authority| authority.as_str());
        let host = text(headers, header::HOST.as_str()).or(named).map(str::to_ascii_lowercase);
        if !peer.is_some_and(|peer| proxies.contain(peer)) {
            return Self { address: peer, transport: Transport::Plain, host };
        }
        let encrypted = last(headers, FORWARDED_PROTO).is_some_and(|proto| proto.eq_ignore_ascii_case("https"));
        Self {
            address: sender(headers, proxies).or(peer),
            transport: if encrypted { Transport::Encrypted } else { Transport::Plain },
            host: last(headers, FORWARDED_HOST).map(str::to_ascii_lowercase).or(host),
        }
    }
}

/// The last forwarded address that is no proxy.
fn sender(headers: &HeaderMap, proxies: &Networks) -> Option<IpAddr> {
    let lines: Vec<&str> = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok()).collect();
    let hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
    // A hop that is no address hides what is before it.
    let known = hops.take(HOPS_MAX).map_while(|hop| hop.trim().parse::<IpAddr>().ok());
    known.map(|address| address.to_canonical()).find(|&address| !proxies.contain(address))
}

/// The last of a header's values: the one the nearest proxy wrote.
fn last<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    value.rsplit(',').next().map(str::trim).filter(|value| !value.is_empty())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Networks of addresses.
#[derive(Debug, Clone, Default)]
pub struct Networks(Vec<(IpAddr, u32)>);

impl Networks {
    /// Reads networks such as `10.20.0.0/16`, or single addresses.
    ///
    /// # Errors
    /// When one is no network; the message names `key`.
    pub fn parse(key: &str, networks: &[String]) -> Result<Self, Fault> {
        let read = |text: &String| {
            network(text).ok_or_else(|| {
                let message = format!("{key}: '{text}' is no network such as 10.20.0.0/16");
                Fault::new(FaultCode::Configuration, message)
            })
        };
        networks.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|&(network, bits)| match (network, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                prefix(u128::from(network.to_bits()) << 96, bits) == prefix(u128::from(address.to_bits()) << 96, bits)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                prefix(network.to_bits(), bits) == prefix(address.to_bits(), bits)
            }
            _ => false,
        })
    }
}

fn network(text: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let address: IpAddr = address.trim().parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Some(most), |bits| bits.trim().parse().ok()).filter(|&bits| bits <= most)?;
    Some((address, bits))
}

/// The first bits of an address that lies at the top of 128.
const fn prefix(address: u128, bits: u32) -> u128 {
    match bits {
        0 => 0,
        bits => address >> (128 - bits),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(peer: &str, headers: &[(&str, &str)]) -> Arrival {
        let proxies = ["10.0.0.0/8", "::1", "127.0.0.1/32"].map(str::to_owned);
        let proxies = Networks::parse("k", &proxies).expect("networks");
        let mut request = Request::builder().uri("/x");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(axum::body::Body::empty()).expect("a request");
        request.extensions_mut().insert(Peer(SocketAddr::new(peer.parse().expect("an address"), 1)));
        Arrival::of(&request, &proxies)
    }

    #[test]
    fn only_proxies_are_believed() {
        let check = |peer: &str, headers: &[(&str, &str)], address: &str, transport: Transport, host: &str| {
            let found = arrival(peer, headers);
            let expected = (address.parse().ok(), transport, Some(host));
            assert_eq!((found.address, found.transport, found.host.as_deref()), expected, "{peer} {headers:?}");
        };
        let forwarded = [
            ("host", "Rg.example:8480"),
            ("x-forwarded-for", "1.1.1.1, 198.51.100.9"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "risk.example"),
        ];
        check("203.0.113.5", &forwarded, "203.0.113.5", Transport::Plain, "rg.example:8480");
        check("10.1.2.3", &forwarded, "198.51.100.9", Transport::Encrypted, "risk.example");
        check("::ffff:10.1.2.3", &forwarded, "198.51.100.9", Transport::Encrypted, "risk.example");
        let chain = [("host", "h"), ("x-forwarded-for", "6.6.6.6, 198.51.100.9, 10.9.9.9"), ("x-forwarded-for", "::1")];
        check("127.0.0.1", &chain, "198.51.100.9", Transport::Plain, "h");
        let odd =
            [("host", "h"), ("x-forwarded-for", "6.6.6.6, unknown, 10.1.1.1"), ("x-forwarded-proto", "https,http")];
        check("127.0.0.1", &odd, "127.0.0.1", Transport::Plain, "h");
    }

    #[test]
    fn a_wrong_network_names_its_key() {
        for wrong in ["", "10.0.0.0/33", "::/129", "ten", "10.0.0.0/", "10.0.0.0/-1"] {
            let fault = Networks::parse("server.trusted_proxies", &[wrong.to_owned()]).expect_err(wrong);
            assert!(fault.message.contains("server.trusted_proxies"), "{fault}");
        }
    }
}
