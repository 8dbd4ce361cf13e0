//! The grammar of SPF records (RFC 7208 sections 5 to 7 and 12). Knows no DNS.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::posture::mail::txt;

/// Terms of a record that are read, at most; a longer record is refused.
const TERMS_MAX: usize = 512;

/// What a mechanism says when it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Qualifier {
    Pass,
    Neutral,
    SoftFail,
    Fail,
}

impl Qualifier {
    /// In checkdmarc's words.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Neutral => "neutral",
            Self::SoftFail => "softfail",
            Self::Fail => "fail",
        }
    }
}

/// A domain-spec: a name, possibly with macros; `None` means the current domain.
pub(crate) type Target = Option<String>;

/// One mechanism.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mechanism {
    All,
    Include(String),
    A { target: Target, cidr4: u8, cidr6: u8 },
    Mx { target: Target, cidr4: u8, cidr6: u8 },
    Ptr(Target),
    Ip4(Ipv4Addr, u8),
    Ip6(Ipv6Addr, u8),
    Exists(String),
}

/// A mechanism and its qualifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) qualifier: Qualifier,
    pub(crate) mechanism: Mechanism,
}

/// A syntax error: RFC 7208 calls the result `permerror`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} in '{term}'")]
pub(crate) struct SyntaxError {
    pub(crate) term: String,
    pub(crate) what: &'static str,
}

/// A record that follows the grammar.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Record {
    pub(crate) terms: Vec<Term>,
    pub(crate) redirect: Option<String>,
    pub(crate) exp: Option<String>,
    /// Something stands behind `all` that will never count.
    pub(crate) text_after_all: bool,
}

impl Record {
    /// What `all` says, when there is one.
    pub(crate) fn all(&self) -> Option<Qualifier> {
        self.terms.iter().find(|term| term.mechanism == Mechanism::All).map(|term| term.qualifier)
    }

    /// The terms that count: those before `all`.
    pub(crate) fn effective(&self) -> impl Iterator<Item = &Term> {
        self.terms.iter().take_while(|term| term.mechanism != Mechanism::All)
    }

    /// Whether anyone may send: a mechanism that passes, or another record decides.
    pub(crate) fn names_senders(&self) -> bool {
        let passes = |term: &Term| term.qualifier != Qualifier::Fail;
        self.effective().any(passes)
            || (self.all().is_none() && self.redirect.is_some())
            || self.all().is_some_and(|all| all == Qualifier::Pass)
    }
}

/// The SPF records among TXT records: version exactly `v=spf1`, ended by a space or the end (RFC 7208 4.5).
pub(crate) fn find<'a>(records: impl Iterator<Item = &'a String>) -> Vec<String> {
    records.map(|record| txt(record)).filter(|text| is_spf(text)).collect()
}

/// Whether a text is an SPF record.
pub(crate) fn is_spf(text: &str) -> bool {
    text.get(..6).is_some_and(|version| version.eq_ignore_ascii_case("v=spf1"))
        && matches!(text.as_bytes().get(6), None | Some(b' '))
}

/// Reads a record.
///
/// # Errors
/// The first term that breaks the grammar.
pub(crate) fn parse(text: &str) -> Result<Record, SyntaxError> {
    let error = |term: &str, what| SyntaxError { term: term.chars().take(100).collect(), what };
    if !is_spf(text) {
        return Err(error(text, "no version v=spf1"));
    }
    if !text.is_ascii() {
        return Err(error(text, "characters outside ASCII"));
    }
    let mut record = Record::default();
    for (place, term) in text[6..].split(' ').filter(|term| !term.is_empty()).enumerate() {
        if place >= TERMS_MAX {
            return Err(error(term, "too many terms"));
        }
        if let Some((name, value)) = modifier(term) {
            match name.to_ascii_lowercase().as_str() {
                "redirect" if record.redirect.is_some() => return Err(error(term, "redirect appears twice")),
                "exp" if record.exp.is_some() => return Err(error(term, "exp appears twice")),
                "redirect" if domain_spec(value, Letters::Usual) => record.redirect = Some(value.to_owned()),
                "exp" if domain_spec(value, Letters::Usual) => record.exp = Some(value.to_owned()),
                "redirect" | "exp" => return Err(error(term, "no valid domain")),
                _ if macros(value, Letters::Explanation).is_some() => {}
                _ => return Err(error(term, "a broken macro")),
            }
        } else {
            let parsed = mechanism(term).map_err(|what| error(term, what))?;
            record.text_after_all |= record.all().is_some();
            record.terms.push(parsed);
        }
    }
    Ok(record)
}

/// `name=value` with a name that is no mechanism's.
fn modifier(term: &str) -> Option<(&str, &str)> {
    let (name, value) = term.split_once('=')?;
    let mut bytes = name.bytes();
    let starts = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic());
    let goes_on = bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    (starts && goes_on).then_some((name, value))
}

fn mechanism(term: &str) -> Result<Term, &'static str> {
    let (qualifier, rest) = match term.as_bytes().first() {
        Some(b'+') => (Qualifier::Pass, &term[1..]),
        Some(b'-') => (Qualifier::Fail, &term[1..]),
        Some(b'~') => (Qualifier::SoftFail, &term[1..]),
        Some(b'?') => (Qualifier::Neutral, &term[1..]),
        _ => (Qualifier::Pass, term),
    };
    let end = rest.find([':', '/']).unwrap_or(rest.len());
    let (name, argument) = rest.split_at(end);
    let mechanism = match name.to_ascii_lowercase().as_str() {
        "all" if argument.is_empty() => Mechanism::All,
        "all" => return Err("all takes nothing"),
        "include" => Mechanism::Include(required(argument)?),
        "exists" => Mechanism::Exists(required(argument)?),
        "a" => {
            let (target, cidr4, cidr6) = with_cidr(argument)?;
            Mechanism::A { target, cidr4, cidr6 }
        }
        "mx" => {
            let (target, cidr4, cidr6) = with_cidr(argument)?;
            Mechanism::Mx { target, cidr4, cidr6 }
        }
        "ptr" if argument.is_empty() => Mechanism::Ptr(None),
        "ptr" => Mechanism::Ptr(Some(required(argument)?)),
        "ip4" => {
            let (address, prefix) = network(argument, 32)?;
            Mechanism::Ip4(address.parse().map_err(|_| "no valid IPv4 address")?, prefix)
        }
        "ip6" => {
            let (address, prefix) = network(argument, 128)?;
            Mechanism::Ip6(address.parse().map_err(|_| "no valid IPv6 address")?, prefix)
        }
        _ => return Err("an unknown mechanism"),
    };
    Ok(Term { qualifier, mechanism })
}

/// `:domain-spec`, which must be there.
fn required(argument: &str) -> Result<String, &'static str> {
    match argument.strip_prefix(':') {
        Some(spec) if domain_spec(spec, Letters::Usual) => Ok(spec.to_owned()),
        _ => Err("no valid domain"),
    }
}

/// `[:domain-spec][/len4][//len6]`.
fn with_cidr(argument: &str) -> Result<(Target, u8, u8), &'static str> {
    let mut rest = argument;
    let (mut cidr4, mut cidr6) = (32, 128);
    if let Some((before, digits)) = rest.rsplit_once("//")
        && digits.bytes().all(|byte| byte.is_ascii_digit())
    {
        cidr6 = length(digits, 128)?;
        rest = before;
    }
    if let Some((before, digits)) = rest.rsplit_once('/')
        && digits.bytes().all(|byte| byte.is_ascii_digit())
    {
        cidr4 = length(digits, 32)?;
        rest = before;
    }
    let target = if rest.is_empty() { None } else { Some(required(rest)?) };
    Ok((target, cidr4, cidr6))
}

/// `:address[/length]`.
fn network(argument: &str, most: u8) -> Result<(&str, u8), &'static str> {
    let value = argument.strip_prefix(':').ok_or("no address")?;
    match value.split_once('/') {
        Some((address, digits)) => Ok((address, length(digits, most)?)),
        None => Ok((value, most)),
    }
}

/// A prefix length without leading zeros.
fn length(digits: &str, most: u8) -> Result<u8, &'static str> {
    let plain = !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits.len() == 1 || !digits.starts_with('0'));
    match digits.parse::<u8>() {
        Ok(length) if plain && length <= most => Ok(length),
        _ => Err("no valid prefix length"),
    }
}

/// Which macro letters may stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Letters {
    Usual,
    /// Also `c`, `r`, `t`, which only explanations may use.
    Explanation,
}

/// Whether a macro string ends as a domain-spec must: in a top label or a macro.
fn domain_spec(spec: &str, letters: Letters) -> bool {
    match macros(spec, letters) {
        None => false,
        Some(Ending::Macro) => true,
        Some(Ending::Literal) => {
            let name = spec.strip_suffix('.').unwrap_or(spec);
            // Within the last macro there is no end; behind it there must be a dot and a label.
            name.rsplit_once('.').is_some_and(|(_, label)| top_label(label))
        }
    }
}

/// Letters and digits with at least one letter, or with a hyphen inside.
fn top_label(label: &str) -> bool {
    let hyphens = label.contains('-');
    !label.is_empty()
        && label.len() <= 63
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
        && (hyphens || label.bytes().any(|byte| byte.is_ascii_alphabetic()))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Macro,
    Literal,
}

/// What a macro string ends in; `None` when it breaks the grammar or is empty.
fn macros(text: &str, letters: Letters) -> Option<Ending> {
    let bytes = text.as_bytes();
    let (mut place, mut ending) = (0, (letters == Letters::Explanation).then_some(Ending::Literal));
    while let Some(&byte) = bytes.get(place) {
        if byte != b'%' {
            if !(0x21..=0x7e).contains(&byte) {
                return None;
            }
            place += 1;
            ending = Some(Ending::Literal);
            continue;
        }
        match bytes.get(place + 1) {
            Some(b'%' | b'_' | b'-') => place += 2,
            Some(b'{') => {
                let length = bytes[place + 2..].iter().position(|&byte| byte == b'}')?;
                if !macro_body(&bytes[place + 2..place + 2 + length], letters) {
                    return None;
                }
                place += length + 3;
            }
            _ => return None,
        }
        ending = Some(Ending::Macro);
    }
    ending
}

/// `letter [digits] [r] delimiters`.
fn macro_body(body: &[u8], letters: Letters) -> bool {
    let Some((letter, rest)) = body.split_first() else { return false };
    let letter = letter.to_ascii_lowercase();
    let known = b"slodiphv".contains(&letter) || (letters == Letters::Explanation && b"crt".contains(&letter));
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let zero = digits > 0 && rest[..digits].iter().all(|&byte| byte == b'0');
    let mut rest = &rest[digits..];
    if rest.first().is_some_and(|byte| byte.eq_ignore_ascii_case(&b'r')) {
        rest = &rest[1..];
    }
    known && !zero && digits <= 3 && rest.iter().all(|byte| b".-+,/_=".contains(byte))
}
