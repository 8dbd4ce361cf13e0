//! The request line and the peer, as far as a log tells them.

use std::net::{IpAddr, SocketAddr};

use riskgraph_domain::Text;
use riskgraph_domain::event::{Event, Forwarded, Http};

use super::escape;

/// Longest method that is taken as one; WebDAV's longest registered is 17 (RFC 3253 `BASELINE-CONTROL`).
const METHOD_MAX_BYTES: usize = 24;
/// Most addresses taken from one `X-Forwarded-For`; longer chains are forged.
const FORWARDED_MAX: usize = 16;

/// Adds a label.
pub(super) fn label(event: &mut Event, name: &str, value: impl Into<Text>) {
    event.labels.0.push((Text::from(name), value.into()));
}

/// Fills method, host and path from `GET /path HTTP/1.1` and tells by the label `request` when it is not of that form:
/// `empty`, `binary` (such as TLS spoken to the plain port), `no_protocol` (HTTP/0.9 or cut) or `malformed`. What could
/// not be read stays in `message`: an odd request is what a scanner sends, so the line is never dropped.
pub(super) fn read_line(event: &mut Event, http: &mut Http, raw: &[u8]) {
    if raw.is_empty() || raw == b"-" {
        label(event, "request", "empty");
        return;
    }
    let Some((method, rest)) =
        memchr::memchr(b' ', raw).map(|at| (&raw[..at], &raw[at + 1..])).filter(|(method, _)| is_method(method))
    else {
        let odd = if raw.starts_with(b"\\x") || raw.iter().any(|byte| byte.is_ascii_control()) {
            "binary"
        } else {
            "malformed"
        };
        label(event, "request", odd);
        event.message = Some(escape::decode(raw));
        return;
    };
    http.method = Some(escape::decode(method));
    let (target, protocol) = match memchr::memrchr(b' ', rest) {
        Some(at) if rest[at + 1..].starts_with(b"HTTP/") => (&rest[..at], Some(&rest[at + 1..])),
        None if rest.starts_with(b"HTTP/") => (&rest[..0], Some(rest)),
        _ => (rest, None),
    };
    let target = target.trim_ascii();
    if target.is_empty() {
        label(event, "request", "malformed");
        event.message = Some(escape::decode(raw));
    } else if protocol.is_none() {
        label(event, "request", "no_protocol");
    }
    read_target(http, method, target);
}

/// Splits the target in host and path: origin form, absolute form and CONNECT's authority form (RFC 9112 3.2).
pub(super) fn read_target(http: &mut Http, method: &[u8], target: &[u8]) {
    if target.is_empty() {
        return;
    }
    let after_scheme = ["http://", "https://"]
        .iter()
        .find(|scheme| target.len() > scheme.len() && target[..scheme.len()].eq_ignore_ascii_case(scheme.as_bytes()))
        .map(|scheme| &target[scheme.len()..]);
    if let Some(rest) = after_scheme {
        let end = memchr::memchr3(b'/', b'?', b'#', rest).unwrap_or(rest.len());
        set_host(http, &rest[..end]);
        http.path = Some(if end == rest.len() { Text::from("/") } else { escape::decode(&rest[end..]) });
    } else if method == b"CONNECT" {
        set_host(http, target);
    } else {
        http.path = Some(escape::decode(target));
    }
}

/// Sets the host, in lower case, unless it is empty or a dash.
pub(super) fn set_host(http: &mut Http, raw: &[u8]) {
    if !raw.is_empty() && raw != b"-" {
        http.host = Some(Text::from(escape::decode(raw).to_lowercase()));
    }
}

/// The peer: an address (also in brackets or with a port) goes to `client.ip`, a name (`HostnameLookups On`) or socket
/// to the label `host`.
pub(super) fn read_peer(event: &mut Event, raw: &[u8]) {
    if raw.is_empty() || raw == b"-" {
        return;
    }
    match parse_ip(raw) {
        Some(ip) => event.client.ip = Some(ip_text(ip)),
        None => label(event, "host", Text::from(escape::decode(raw).to_lowercase())),
    }
}

/// `X-Forwarded-For` into `client.forwarded` and the label `x_forwarded_for`; whether it was one.
pub(super) fn read_forwarded(event: &mut Event, raw: &[u8]) -> bool {
    let mut addresses = Vec::new();
    for part in raw.split(|&byte| byte == b',').take(FORWARDED_MAX) {
        match parse_ip(part.trim_ascii()) {
            Some(ip) => addresses.push(ip_text(ip)),
            None if part.trim_ascii().eq_ignore_ascii_case(b"unknown") => {}
            None => return false,
        }
    }
    if addresses.is_empty() {
        return false;
    }
    label(event, "x_forwarded_for", escape::decode(raw));
    event.client.forwarded = Some(Forwarded::Many(addresses));
    true
}

/// An address in any usual spelling; IPv4-mapped IPv6 reads as the IPv4 it stands for.
fn parse_ip(raw: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(raw).ok()?;
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let without_zone = bare.split_once('%').map_or(bare, |(address, _)| address);
    let ip = without_zone.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|peer| peer.ip()))?;
    Some(ip.to_canonical())
}

fn ip_text(ip: IpAddr) -> Text {
    Text::from(ip.to_string())
}

fn is_method(raw: &[u8]) -> bool {
    let token = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_');
    !raw.is_empty() && raw.len() <= METHOD_MAX_BYTES && raw.iter().all(token)
}
