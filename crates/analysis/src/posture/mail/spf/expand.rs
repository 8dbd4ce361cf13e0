//! Macros of SPF (RFC 7208 7), expanded for one sender. Knows no DNS.

use std::net::IpAddr;

/// Longest name that is asked for; longer expansions lose labels on the left (RFC 7208 7.3).
const NAME_MAX: usize = 253;
/// Longest expansion of a text, in bytes; records are shorter, macros may repeat.
const TEXT_MAX: usize = 4_096;

/// What macros stand for.
#[derive(Debug, Clone)]
pub(crate) struct Macros<'a> {
    pub(crate) ip: IpAddr,
    /// The sender, `local@domain`.
    pub(crate) sender: &'a str,
    pub(crate) helo: &'a str,
    /// The domain whose record is read.
    pub(crate) domain: &'a str,
    /// The sender's host by reverse lookup, or `unknown`.
    pub(crate) validated: &'a str,
    /// Who evaluates.
    pub(crate) receiver: &'a str,
}

/// Where the text stands: explanations may use more letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Name,
    Explanation,
}

/// Whether a text uses the macro `p`, which costs lookups.
pub(crate) fn needs_validated(text: &str) -> bool {
    text.to_ascii_lowercase().contains("%{p")
}

/// Expands a text; `None` when it breaks the grammar or grows too long.
pub(crate) fn expand(text: &str, macros: &Macros<'_>, place: Place) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let next = rest.chars().next()?;
        rest = &rest[next.len_utf8()..];
        match next {
            '%' => out.push('%'),
            '_' => out.push(' '),
            '-' => out.push_str("%20"),
            '{' => {
                let (body, after) = rest.split_once('}')?;
                out.push_str(&value(body, macros, place)?);
                rest = after;
            }
            _ => return None,
        }
        if out.len() > TEXT_MAX {
            return None;
        }
    }
    out.push_str(rest);
    Some(out)
}

/// A name to ask for: expanded, cut from the left when too long, without its final dot.
pub(crate) fn name(text: &str, macros: &Macros<'_>) -> Option<String> {
    let expanded = expand(text, macros, Place::Name)?.to_ascii_lowercase();
    let mut name = expanded.trim_end_matches('.');
    while name.len() > NAME_MAX {
        name = name.split_once('.')?.1;
    }
    Some(name.to_owned())
}

/// `letter [digits] [r] delimiters`.
fn value(body: &str, macros: &Macros<'_>, place: Place) -> Option<String> {
    let letter = body.chars().next()?;
    let rest = &body[letter.len_utf8()..];
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let keep = if digits == 0 { usize::MAX } else { rest[..digits].parse().ok().filter(|&n: &usize| n > 0)? };
    let rest = &rest[digits..];
    let (reversed, delimiters) = match rest.strip_prefix(['r', 'R']) {
        Some(delimiters) => (true, delimiters),
        None => (false, rest),
    };
    if !delimiters.chars().all(|c| ".-+,/_=".contains(c)) {
        return None;
    }
    let plain = raw(letter.to_ascii_lowercase(), macros, place)?;
    let splits = |c: char| if delimiters.is_empty() { c == '.' } else { delimiters.contains(c) };
    let mut parts: Vec<&str> = plain.split(splits).collect();
    if reversed {
        parts.reverse();
    }
    let joined = parts[parts.len().saturating_sub(keep)..].join(".");
    Some(if letter.is_ascii_uppercase() { escaped(&joined) } else { joined })
}

fn raw(letter: char, macros: &Macros<'_>, place: Place) -> Option<String> {
    let (local, domain) = macros.sender.rsplit_once('@').unwrap_or(("postmaster", macros.sender));
    Some(match letter {
        's' => macros.sender.to_owned(),
        'l' => local.to_owned(),
        'o' => domain.to_owned(),
        'd' => macros.domain.to_owned(),
        'i' => dotted(macros.ip),
        'p' => macros.validated.to_owned(),
        'v' => if macros.ip.is_ipv4() { "in-addr" } else { "ip6" }.to_owned(),
        'h' => macros.helo.to_owned(),
        'c' if place == Place::Explanation => macros.ip.to_string(),
        'r' if place == Place::Explanation => macros.receiver.to_owned(),
        // Nothing here has a clock; an explanation without its time is still one.
        't' if place == Place::Explanation => "0".to_owned(),
        _ => return None,
    })
}

/// An address as in names: IPv6 nibble by nibble.
fn dotted(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => {
            let nibbles = v6.octets().into_iter().flat_map(|octet| [octet >> 4, octet & 15]);
            nibbles.map(|nibble| format!("{nibble:X}")).collect::<Vec<_>>().join(".")
        }
    }
}

/// Percent-encoded but for unreserved characters (RFC 3986 2.3).
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The name to ask for the hosts of an address.
pub(crate) fn reverse(ip: IpAddr) -> String {
    let plain = dotted(ip).to_ascii_lowercase();
    let labels: Vec<&str> = plain.split('.').rev().collect();
    format!("{}.{}.arpa", labels.join("."), if ip.is_ipv4() { "in-addr" } else { "ip6" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expands_the_examples_of_the_rfc() {
        let macros = Macros {
            ip: "192.0.2.3".parse().expect("an address"),
            sender: "strong-bad@email.example.com",
            helo: "mx.example.org",
            domain: "email.example.com",
            validated: "mx.example.org",
            receiver: "unknown",
        };
        let check =
            |text: &str, want: &str| assert_eq!(expand(text, &macros, Place::Name).as_deref(), Some(want), "{text}");
        check("%{s}", "strong-bad@email.example.com");
        check("%{o}", "email.example.com");
        check("%{d4}", "email.example.com");
        check("%{d2}", "example.com");
        check("%{dr}", "com.example.email");
        check("%{d2r}", "example.email");
        check("%{l-}", "strong.bad");
        check("%{lr-}", "bad.strong");
        check("%{l1r-}", "strong");
        check("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com");
        check("%{S}%%%_%-", "strong-bad%40email.example.com% %20");
        let six = Macros { ip: "2001:db8::cb01".parse().expect("an address"), ..macros.clone() };
        let want = "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com";
        assert_eq!(name("%{ir}.%{v}._spf.%{d2}", &six).as_deref(), Some(want));
        for broken in ["%{c}", "%{x}", "%{d0}", "%{d", "%x", "%", "%{d!}"] {
            assert_eq!(expand(broken, &macros, Place::Name), None, "{broken}");
        }
        let long = format!("{}.%{{d}}", "a.".repeat(130));
        assert!(name(&long, &macros).is_some_and(|name| name.len() <= 253 && name.ends_with("email.example.com")));
    }
}
