//! What checkdmarc accepts as the terms of an SPF record, before any lookup.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{marked, position, skip_space};

/// Mechanisms of RFC 7208.
const MECHANISMS: [&str; 8] = ["all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists"];
/// Reporting modifiers of RFC 6652.
pub(super) const REPORTING: [&str; 3] = ["ra", "rp", "rr"];

/// One term: `[qualifier]name[separator value]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) qualifier: Option<char>,
    /// In lower case.
    pub(super) name: String,
    pub(super) raw_name: String,
    pub(super) separator: Option<char>,
    /// In lower case.
    pub(super) value: String,
    pub(super) raw_value: String,
}

impl Term {
    /// The longest term at the start of a text, and its length in bytes.
    fn at(text: &str) -> Option<(Self, usize)> {
        let qualifier = text.chars().next().filter(|first| "+-~?".contains(*first));
        let rest = &text[usize::from(qualifier.is_some())..];
        if !rest.starts_with(|first: char| first.is_ascii_alphabetic()) {
            return None;
        }
        let in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        let name_length = rest.find(|c| !in_name(c)).unwrap_or(rest.len());
        let (raw_name, rest) = rest.split_at(name_length);
        let separator = rest.chars().next().filter(|next| matches!(next, ':' | '/' | '='));
        let value = separator.map_or("", |_| {
            let value = &rest[1..];
            &value[..value.find(|c: char| !c.is_ascii_graphic()).unwrap_or(value.len())]
        });
        let length = usize::from(qualifier.is_some()) + name_length + usize::from(separator.is_some()) + value.len();
        let term = Self {
            qualifier,
            name: raw_name.to_ascii_lowercase(),
            raw_name: raw_name.to_owned(),
            separator,
            value: value.to_ascii_lowercase(),
            raw_value: value.to_owned(),
        };
        Some((term, length))
    }

    /// A text that is exactly one term.
    pub(super) fn whole(text: &str) -> Option<Self> {
        Self::at(text).filter(|(_, length)| *length == text.len()).map(|(term, _)| term)
    }
}

/// Whether a text is an `all` mechanism.
pub(super) fn is_all(text: &str) -> bool {
    text.trim_start_matches(['+', '-', '~', '?']).eq_ignore_ascii_case("all")
        && text.len() - text.trim_start_matches(['+', '-', '~', '?']).len() <= 1
}

/// A qualified `all` that is glued to the term before it.
pub(super) fn glued_all(domain: &str, record: &str) -> Result<(), String> {
    let mut start = 0;
    for word in record.split(char::is_whitespace) {
        let lower = word.to_ascii_lowercase();
        if let Some(before) = lower.strip_suffix("all")
            && before.len() > 1
            && before.ends_with(['+', '-', '~', '?'])
        {
            let place = position(record, start + before.len() - 1);
            return Err(format!(
                "{domain}: Expected whitespace before 'all' at position {place} (marked with {}) in: {}",
                super::MARKER,
                marked(record, place)
            ));
        }
        start += word.len() + record[start + word.len()..].chars().next().map_or(0, char::len_utf8);
    }
    Ok(())
}

/// The record up to its first `all` that something follows, and what follows.
pub(super) fn split_at_all(record: &str) -> (&str, &str) {
    let mut start = 0;
    for word in record.split(char::is_whitespace) {
        let end = start + word.len();
        let rest = record[end..].trim_start();
        if is_all(word) && !rest.is_empty() {
            let tail = record.len() - rest.len();
            return (record[..tail].trim_end(), &record[tail..]);
        }
        start = end + record[end..].chars().next().map_or(0, char::len_utf8);
    }
    (record, "")
}

/// The whole record must be the version and terms.
pub(super) fn grammar(domain: &str, record: &str, read: &str) -> Result<(), String> {
    let expected = |what: &str, byte: usize| {
        let place = position(read, byte);
        Err(format!(
            "{domain}: Expected {what} at position {place} (marked with {}) in: {}",
            super::MARKER,
            marked(record, place)
        ))
    };
    if !read.starts_with("v=spf1") {
        return expected("version_tag", 0);
    }
    let mut at = skip_space(read, 6);
    let mut what = "end_of_statement or mechanism";
    while at < read.len() {
        let Some((_, length)) = Term::at(&read[at..]) else { return expected(what, at) };
        let end = at + length;
        at = skip_space(read, end);
        what = if at > end { "mechanism" } else { "end_of_statement or mechanism" };
    }
    Ok(())
}

/// Checks one mechanism or modifier that takes part in evaluation; warnings go to `warnings`.
pub(super) fn check(domain: &str, text: &str, term: &mut Term, warnings: &mut Vec<String>) -> Result<(), String> {
    let value = term.value.clone();
    if term.separator == Some('=') {
        if term.name == "redirect" {
            if value.is_empty() {
                return Err("The redirect modifier is missing a value".to_owned());
            }
            macros(&value, domain, Letters::Usual)?;
            warn_of_name("redirect", &value, warnings);
        } else if term.name == "exp" && value.is_empty() {
            return Err("The exp modifier is missing a value".to_owned());
        }
        return Ok(());
    }
    if !MECHANISMS.contains(&term.name.as_str()) {
        return Err(format!("{domain}: {} is not a valid SPF mechanism or modifier", term.raw_name));
    }
    match term.name.as_str() {
        "all" if term.separator.is_some() => {
            Err(format!("{domain}: The all mechanism does not accept a value (RFC 7208 § 12): {text}"))
        }
        "all" => Ok(()),
        "ip4" | "ip6" => network(domain, term),
        "include" | "exists" => {
            if term.separator != Some(':') || value.is_empty() {
                return Err(format!("{} must have a value", term.name));
            }
            macros(&value, domain, Letters::Usual)?;
            warn_of_name(&term.name, &value, warnings);
            Ok(())
        }
        "ptr" => {
            if term.separator == Some('/') {
                return Err(format!(
                    "{domain}: The ptr mechanism does not accept a CIDR prefix length (RFC 7208 § 12): {text}"
                ));
            }
            if term.separator == Some(':') && value.is_empty() {
                return Err("ptr must have a value after the :".to_owned());
            }
            macros(&value, domain, Letters::Usual)?;
            if !value.is_empty() {
                warn_of_name("ptr", &value, warnings);
            }
            Ok(())
        }
        _ => addresses(domain, term, warnings),
    }
}

/// `a` and `mx`.
fn addresses(domain: &str, term: &mut Term, warnings: &mut Vec<String>) -> Result<(), String> {
    let missing = || Err(format!("{} must have a value after the :", term.name));
    if term.separator == Some(':') && term.value.is_empty() {
        return missing();
    }
    if term.separator == Some('/') {
        term.value = format!("/{}", term.value);
    }
    macros(&term.value, domain, Letters::Usual)?;
    if !term.value.contains('%') {
        let name = split_cidr(domain, &term.value, &term.name)?;
        if name.is_empty() {
            if term.separator == Some(':') {
                return missing();
            }
        } else {
            warn_of_name(&term.name, name, warnings);
        }
    }
    Ok(())
}

/// The name before `/nn`, `//nn` or `/nn//nn`, whose lengths are checked.
pub(super) fn split_cidr<'a>(domain: &str, value: &'a str, mechanism: &str) -> Result<&'a str, String> {
    let Some((name, lengths)) = value.split_once('/') else { return Ok(value) };
    let broken = || {
        format!("{domain}: /{lengths} is not a valid CIDR prefix length for the {mechanism} mechanism (RFC 7208 § 12)")
    };
    let plain = |digits: &str| is_prefix(digits).then_some(()).ok_or_else(broken);
    let (v4, v6) = match lengths.strip_prefix('/') {
        Some(v6) => (None, Some(v6)),
        None => match lengths.split_once("//") {
            Some((v4, v6)) => (Some(v4), Some(v6)),
            None => (Some(lengths), None),
        },
    };
    v4.map_or(Ok(()), plain)?;
    v6.map_or(Ok(()), plain)?;
    let over = |digits: Option<&str>, most: u32| {
        digits.is_some_and(|digits| digits.parse::<u32>().map_or(true, |length| length > most))
    };
    if over(v4, 32) {
        return Err(format!(
            "{domain}: The IPv4 prefix length /{} in the {mechanism} mechanism must be between 0 and 32 (RFC 7208 § 12)",
            v4.unwrap_or("")
        ));
    }
    if over(v6, 128) {
        return Err(format!(
            "{domain}: The IPv6 prefix length //{} in the {mechanism} mechanism must be between 0 and 128 (RFC 7208 § 12)",
            v6.unwrap_or("")
        ));
    }
    Ok(name)
}

fn is_prefix(digits: &str) -> bool {
    !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits.len() == 1 || !digits.starts_with('0'))
}

/// `ip4:` and `ip6:`.
fn network(domain: &str, term: &Term) -> Result<(), String> {
    let (name, value) = (&term.name, &term.value);
    if term.separator != Some(':') || value.is_empty() {
        return Err(format!("{name} must have a value"));
    }
    if value.contains('%') {
        return Err(format!("{domain}: SPF macros are not allowed in {name} mechanisms: {value}"));
    }
    let (address, length) = value.split_once('/').map_or((value.as_str(), None), |(a, l)| (a, Some(l)));
    if length.is_some_and(|length| !is_prefix(length)) {
        return Err(format!(
            "{value} is not a valid {name} value. CIDR prefix lengths must not have leading zeros (RFC 7208 § 12)."
        ));
    }
    let (wanted, other) = if name == "ip4" { ("IPv4", "IPv6") } else { ("IPv6", "IPv4") };
    let fits = |most: u32| length.is_none_or(|length| length.parse::<u32>().is_ok_and(|length| length <= most));
    let found = if address.parse::<Ipv4Addr>().is_ok() && fits(32) {
        "IPv4"
    } else if address.parse::<Ipv6Addr>().is_ok() && fits(128) {
        "IPv6"
    } else {
        return Err(format!("{value} is not a valid {wanted} value."));
    };
    if found == wanted { Ok(()) } else { Err(format!("{value} is not a valid {wanted} value.\nLooks like {other}.")) }
}

/// A plain name should be one that can exist.
fn warn_of_name(term: &str, value: &str, warnings: &mut Vec<String>) {
    if value.contains('%') {
        return;
    }
    let labels: Vec<&str> = value.trim_end_matches('.').split('.').collect();
    if labels.len() < 2 || !labels.last().is_some_and(|label| is_top_label(label)) {
        warnings.push(format!(
            "The {term} value {value} is not a fully-qualified domain name ending in a valid top-level label (RFC 7208 § \
             12); receivers may treat it as a no-match (RFC 7208 § 4.8)."
        ));
    }
}

fn is_top_label(label: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = label.as_bytes();
    let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else { return false };
    let letters = bytes.iter().all(|&byte| plain(byte)) && bytes.iter().any(u8::is_ascii_lowercase);
    let hyphened =
        bytes.contains(&b'-') && plain(first) && plain(last) && bytes.iter().all(|&byte| plain(byte) || byte == b'-');
    letters || hyphened
}

/// Which macro letters may stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Letters {
    Usual,
    /// Also `c`, `r`, `t`, which only explanations may use.
    Explanation,
}

/// Macro syntax of a value; the error names the place.
pub(super) fn macros(value: &str, domain: &str, letters: Letters) -> Result<(), String> {
    let bad = |place: usize| {
        Err(format!(
            "{domain}: Invalid SPF macro syntax at position {place} (marked with {}) in value: {}",
            super::MARKER,
            marked(value, place)
        ))
    };
    let bytes = value.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] != b'%' {
            at += 1;
            continue;
        }
        match bytes.get(at + 1) {
            Some(b'%' | b'_' | b'-') => {
                at += 2;
                continue;
            }
            Some(b'{') => {}
            _ => return bad(at),
        }
        let Some(length) = bytes[at + 2..].iter().position(|&byte| byte == b'}') else { return bad(at) };
        let Some((letter, rest)) = bytes[at + 2..at + 2 + length].split_first() else { return bad(at) };
        let lower = letter.to_ascii_lowercase();
        if !b"slodiphcrtv".contains(&lower) {
            return bad(at + 2);
        }
        if letters == Letters::Usual && b"crt".contains(&lower) {
            return Err(format!(
                "{domain}: The macro letter {} is only allowed in exp explanation text (RFC 7208 § 7.2): {value}",
                char::from(*letter)
            ));
        }
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if digits > 0 && rest[..digits].iter().all(|&byte| byte == b'0') {
            return bad(at + 3);
        }
        let reversed = usize::from(rest.get(digits).is_some_and(|byte| byte.eq_ignore_ascii_case(&b'r')));
        let delimiters = &rest[digits + reversed..];
        if let Some(wrong) = delimiters.iter().position(|byte| !b".-+,/_=".contains(byte)) {
            return bad(at + 3 + digits + reversed + wrong);
        }
        at += length + 3;
    }
    Ok(())
}
