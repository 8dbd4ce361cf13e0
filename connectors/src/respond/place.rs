//! The address or network an action is aimed at. It must *not* know who blocks it, or how.

use std::net::IpAddr;

use ipnet::IpNet;
use riskgraph_domain::EntityKind;
use riskgraph_domain::error::Fault;
use riskgraph_domain::respond::ActionRequest;

use super::fault::bad_input;

/// Shortest prefixes taken: a /8 is the largest block one operator holds, a /19 the largest IPv6 allocation in use. Anything
/// wider is a slip of the hand that would cut the shop off.
const PREFIX_MIN_V4: u8 = 8;
const PREFIX_MIN_V6: u8 = 19;

/// The network of the request; an address is a network of one.
///
/// The parameter `network` (or `address`) goes before the target: an autonomous system is no list of networks by itself.
///
/// # Errors
/// `BadInput` when there is none, or one that must not be blocked whoever asks.
pub(super) fn of(request: &ActionRequest) -> Result<IpNet, Fault> {
    let parameter = ["network", "address"].iter().find_map(|name| request.parameters.get(*name));
    let text = match (parameter, &request.target) {
        (Some(serde_json::Value::String(text)), _) => text.as_str(),
        (Some(_), _) => return Err(bad_input("the parameter 'network' must be a text such as 198.51.100.0/24")),
        (None, Some(target)) if matches!(target.kind, EntityKind::Address | EntityKind::Network) => target.key.as_str(),
        (None, _) => return Err(bad_input("the action needs an address or a network as its target")),
    };
    parse(text)
}

/// Reads an address or a network in CIDR form.
///
/// # Errors
/// `BadInput`, as [`of`].
pub(super) fn parse(text: &str) -> Result<IpNet, Fault> {
    let text = text.trim();
    let net = match (text.parse::<IpAddr>(), text.parse::<IpNet>()) {
        (Ok(ip), _) => IpNet::from(ip.to_canonical()),
        (_, Ok(net)) => net.trunc(),
        _ => {
            let shown: String = text.chars().take(60).collect();
            return Err(bad_input(format!(
                "'{shown}' is no address or network such as 203.0.113.7 or 198.51.100.0/24; for an autonomous system name its \
                 networks with the parameter 'network'"
            )));
        }
    };
    let min = if net.addr().is_ipv4() { PREFIX_MIN_V4 } else { PREFIX_MIN_V6 };
    if net.prefix_len() < min {
        return Err(bad_input(format!("{net} is too wide to be blocked at once: at most a /{min}")));
    }
    if net.addr().is_loopback() || net.addr().is_unspecified() || net.addr().is_multicast() {
        return Err(bad_input(format!("{net} is no address a client comes from")));
    }
    Ok(net)
}

/// The network as people write it: an address alone without its prefix length.
pub(super) fn show(net: &IpNet) -> String {
    if net.prefix_len() == net.max_prefix_len() { net.addr().to_string() } else { net.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_places_and_refuses_what_would_cut_everybody_off() {
        let check = |text: &str, want: Option<&str>| {
            assert_eq!(parse(text).ok().map(|net| show(&net)).as_deref(), want, "{text}");
        };
        check("203.0.113.7", Some("203.0.113.7"));
        check(" 203.0.113.7 ", Some("203.0.113.7"));
        check("203.0.113.7/32", Some("203.0.113.7"));
        check("203.0.113.7/24", Some("203.0.113.0/24"));
        check("::ffff:203.0.113.7", Some("203.0.113.7"));
        check("2001:DB8::1", Some("2001:db8::1"));
        check("2001:db8::/32", Some("2001:db8::/32"));
        for bad in [
            "",
            "AS64512",
            "203.0.113",
            "203.0.113.7;",
            "203.0.113.7 deny",
            "0.0.0.0/0",
            "12.0.0.0/7",
            "2000::/3",
            "::/0",
            "127.0.0.1",
            "127.0.0.0/8",
            "::1",
            "0.0.0.0",
            "224.0.0.1",
            "ff02::1",
            "1.2.3.4/33",
            "allow all; #",
        ] {
            check(bad, None);
        }
    }
}
