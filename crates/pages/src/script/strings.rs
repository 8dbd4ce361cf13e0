//! Texts in scripts, also those that are put together or encoded, and the hosts in them. It must *not* weigh them.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::lexer::{Kind, Token};
use crate::base64;

/// Longest text kept of one string.
const TEXT_MAX_BYTES: usize = 256 << 10;
/// Strings read of one script.
const STRINGS_MAX: usize = 50_000;
/// Characters below which an encoded text says nothing.
const ENCODED_MIN: usize = 16;
/// Numbers in a row from which on they are characters.
const CODES_MIN: usize = 8;
/// Longest script that may be one encoded thing; above it are bundles with fonts and models in them.
const ENCODED_MAX: usize = 200_000;
/// Hosts taken from one text.
const HOSTS_MAX: usize = 50;

/// A text, and whether it could only be read by decoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) text: String,
    pub(super) hidden: bool,
}

/// Every text of a script: strings with `+` between them joined, escapes resolved, rows of character codes read.
pub(super) fn texts(tokens: &[Token<'_>]) -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
    let mut codes: Vec<u32> = Vec::new();
    let mut joins = false;
    for (place, token) in tokens.iter().enumerate() {
        if all.len() >= STRINGS_MAX {
            break;
        }
        match token.kind {
            Kind::String => {
                let (text, escaped) = unescape(token.text);
                match all.last_mut().filter(|last| joins && last.text.len() < TEXT_MAX_BYTES) {
                    Some(last) => {
                        last.text.push_str(&text);
                        last.hidden |= escaped || is_split_host(&last.text);
                    }
                    None => all.push(Found { text, hidden: escaped }),
                }
                flush(&mut codes, &mut all);
            }
            Kind::Number => match number(token.text) {
                Some(code) if code < 0x1_0000 => codes.push(code),
                _ => flush(&mut codes, &mut all),
            },
            Kind::Sign if token.text == "," => {}
            _ => flush(&mut codes, &mut all),
        }
        let next = tokens.get(place + 1);
        joins = (token.kind == Kind::String && next.is_some_and(|next| next.text == "+"))
            || (joins && token.text == "+" && next.is_some_and(|next| next.kind == Kind::String));
    }
    flush(&mut codes, &mut all);
    all
}

/// Nobody splits a short host by accident over three strings; two are style.
fn is_split_host(text: &str) -> bool {
    text.len() < 12 && text.contains("//")
}

fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

fn flush(codes: &mut Vec<u32>, all: &mut Vec<Found>) {
    if codes.len() >= CODES_MIN {
        let text: String = codes.iter().filter_map(|code| char::from_u32(*code)).collect();
        if is_readable(&text) {
            all.push(Found { text, hidden: true });
        }
    }
    codes.clear();
}

/// Resolves escapes; whether plain characters were written as such.
fn unescape(quoted: &str) -> (String, bool) {
    let inner = quoted.get(1..).unwrap_or("");
    let inner = inner.strip_suffix(['"', '\'', '`']).unwrap_or(inner);
    let (mut out, mut n_escaped) = (String::with_capacity(inner.len().min(TEXT_MAX_BYTES)), 0);
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let hex = |from: usize, to: usize| rest.get(from..to).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let (code, width) = match rest.bytes().next() {
            Some(b'x') => (hex(1, 3), 3),
            Some(b'u') if rest.starts_with("u{") => {
                let end = rest.find('}').unwrap_or(2);
                (hex(2, end), end + 1)
            }
            Some(b'u') => (hex(1, 5), 5),
            Some(b'n') => (Some(10), 1),
            Some(b't') => (Some(9), 1),
            _ => (None, 0),
        };
        match code.and_then(char::from_u32) {
            Some(c) => {
                n_escaped += usize::from(width > 1 && c.is_ascii_graphic());
                out.push(c);
                rest = rest.get(width..).unwrap_or("");
            }
            None => {
                let first = rest.chars().next();
                out.extend(first);
                rest = rest.get(first.map_or(0, char::len_utf8)..).unwrap_or("");
            }
        }
        if out.len() > TEXT_MAX_BYTES {
            return (out, n_escaped > 3);
        }
    }
    out.push_str(rest);
    let escaped = n_escaped > 3 && n_escaped * 2 > out.chars().count();
    (out, escaped)
}

/// Texts that a string holds in encoded form.
pub(super) fn opened(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let trimmed = text.trim();
    if trimmed.len() < ENCODED_MIN {
        return all;
    }
    let mut keep = |bytes: Option<Vec<u8>>| {
        let decoded = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        if let Some(decoded) = decoded.filter(|decoded| is_readable(decoded) && decoded != trimmed) {
            all.push(decoded);
        }
    };
    if trimmed.bytes().all(|byte| byte.is_ascii_hexdigit()) && trimmed.len().is_multiple_of(2) {
        let pairs = (0..trimmed.len()).step_by(2).map(|at| u8::from_str_radix(&trimmed[at..at + 2], 16).ok());
        keep(pairs.collect());
    } else if !trimmed.contains(' ') {
        keep(base64::decode(trimmed));
    }
    if trimmed.matches('%').count() * 6 > trimmed.len() {
        keep(percent(trimmed));
    }
    let reversed: String = trimmed.chars().rev().collect();
    if reversed.starts_with("http://") || reversed.starts_with("https://") || reversed.starts_with("//") {
        keep(Some(reversed.into_bytes()));
    }
    // Characters moved by a constant: told by what every page script says.
    if !trimmed.contains("http") && trimmed.len() < 20_000 {
        for shift in [1_i32, -1, 2, -2, 3, -3] {
            let moved =
                |c: char| u32::try_from(i32::try_from(u32::from(c)).ok()? + shift).ok().and_then(char::from_u32);
            let shifted: Option<String> = trimmed.chars().map(moved).collect();
            let tells = ["http://", "https://", "<script", "%3Cscript", "function", "document."];
            if let Some(shifted) = shifted.filter(|text| tells.iter().any(|tell| text.contains(tell))) {
                keep(Some(shifted.into_bytes()));
            }
        }
    }
    all
}

fn percent(text: &str) -> Option<Vec<u8>> {
    let (bytes, mut out, mut at) = (text.as_bytes(), Vec::new(), 0);
    while let Some(&byte) = bytes.get(at) {
        if byte == b'%' {
            out.push(u8::from_str_radix(text.get(at + 1..at + 3)?, 16).ok()?);
            at += 3;
        } else {
            out.push(byte);
            at += 1;
        }
    }
    Some(out)
}

/// Whether a text is one that people or programs write: nearly all of it printable ASCII.
fn is_readable(text: &str) -> bool {
    let n = text.chars().count();
    let plain = text.chars().filter(|c| c.is_ascii_graphic() || matches!(c, ' ' | '\n' | '\r' | '\t')).count();
    n >= 6 && plain * 20 >= n * 19
}

/// Whether a text looks like code.
pub(super) fn is_code(text: &str) -> bool {
    let signs = ["function", "var ", "document.", "window.", "=>", "eval(", "<script", ").value"];
    signs.iter().filter(|sign| text.contains(**sign)).count() >= 2 || text.contains("<script")
}

/// Hosts named in a text.
pub(super) fn hosts(text: &str) -> BTreeSet<String> {
    static HOST: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(
            r"(?i)(?:(?:https?|wss?):)?(?:\\?/){2}((?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{1,24})",
        )
        .ok()
    });
    static BARE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?i)^((?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,24})(?:/.*)?$").ok());
    let text = crate::tokens::cut(text, TEXT_MAX_BYTES);
    let mut all = BTreeSet::new();
    for pattern in HOST.iter() {
        all.extend(pattern.captures_iter(text).take(HOSTS_MAX).map(|caught| caught[1].to_ascii_lowercase()));
    }
    // A text that is a host and nothing else; `a.b` is a property more often than a host, so its suffix must exist.
    for pattern in BARE.iter().filter(|_| text.len() <= 120) {
        for caught in pattern.captures_iter(text).take(1) {
            let host = caught[1].to_ascii_lowercase();
            let known = psl::suffix(host.as_bytes()).is_some_and(|suffix| suffix.is_known());
            let file = [".js", ".css", ".html", ".php", ".png", ".json", ".map", ".id", ".name", ".py", ".sh", ".zip"];
            if known && !file.iter().any(|end| host.ends_with(end)) && host.len() >= 6 {
                all.insert(host);
            }
        }
    }
    all.retain(|host| !matches!(host.as_str(), "www.w3.org" | "schema.org" | "example.com"));
    all
}

/// How a script hides itself.
pub(super) fn obfuscation(text: &str, tokens: &[Token<'_>], texts: &[Found]) -> BTreeSet<&'static str> {
    let mut how = BTreeSet::new();
    let hex_name = |name: &str| {
        name.strip_prefix("_0x")
            .is_some_and(|digits| digits.len() >= 3 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    if tokens.iter().filter(|token| token.kind == Kind::Name && hex_name(token.text)).count() >= 3 {
        how.insert("hex-names");
    }
    if texts.iter().filter(|found| found.hidden).count() >= 3 {
        how.insert("escaped-strings");
    }
    let names = |wanted: &str| tokens.iter().any(|token| token.text.trim_matches(['"', '\'']) == wanted);
    if names("eval") || names("Function") {
        how.insert("eval");
    }
    if names("fromCharCode") && tokens.iter().filter(|token| token.kind == Kind::Number).count() >= 20 {
        how.insert("char-codes");
    }
    if names("atob") {
        how.insert("base64");
    }
    if text.contains("eval(function(p,a,c,k,e") {
        how.insert("packer");
    }
    let signs = text.bytes().filter(|byte| b"[]()!+".contains(byte)).count();
    if text.len() > 500 && signs * 10 > text.len() * 9 {
        how.insert("jsfuck");
    }
    if mostly_encoded(text, tokens) {
        how.insert("mostly-encoded");
    }
    let long = texts.iter().filter(|found| found.text.len() > 1_000 && !found.text.contains(' ')).count();
    if long > 0 {
        how.insert("long-string");
    }
    how
}

/// Whether most of a script is long texts without blanks or rows of numbers, and it holds what decodes them.
fn mostly_encoded(text: &str, tokens: &[Token<'_>]) -> bool {
    let decodes = ["fromCharCode", "charCodeAt", "atob", "unescape", "decodeURIComponent", "parseInt"];
    let named = |token: &Token<'_>| decodes.contains(&token.text.trim_matches(['"', '\'']));
    let encoded =
        |token: &&Token<'_>| token.kind == Kind::String && token.text.len() > 400 && !token.text.contains(' ');
    let in_texts: usize = tokens.iter().filter(encoded).map(|token| token.text.len()).sum();
    let numbers = tokens.iter().filter(|token| token.kind == Kind::Number).count();
    let mostly = in_texts * 5 > text.len() * 2 || (numbers > 200 && numbers * 3 > tokens.len());
    text.len() > 500 && text.len() < ENCODED_MAX && mostly && tokens.iter().any(named)
}

/// The code that Dean Edwards' packer put into a payload and a dictionary.
pub(super) fn unpacked(tokens: &[Token<'_>]) -> Option<String> {
    let place = tokens.windows(2).position(|pair| pair[0].text == "}" && pair[1].text == "(")?;
    let after = &tokens[place + 2..];
    let payload = after.iter().find(|token| token.kind == Kind::String)?;
    let base = after.iter().find(|token| token.kind == Kind::Number)?.text.parse::<u32>().ok()?;
    let words =
        after.iter().filter(|token| token.kind == Kind::String).find(|token| token.text.matches('|').count() > 3)?;
    let (payload, _) = unescape(payload.text);
    let (words, _) = unescape(words.text);
    let words: Vec<&str> = words.split('|').collect();
    let digit = |c: char| match c {
        '0'..='9' => Some(u32::from(c) - 48),
        'a'..='z' => Some(u32::from(c) - 87),
        'A'..='Z' => Some(u32::from(c) - 29),
        _ => None,
    };
    let index = |word: &str| {
        word.chars().try_fold(0_u32, |all, c| {
            let digit = digit(c).filter(|digit| *digit < base)?;
            all.checked_mul(base)?.checked_add(digit)
        })
    };
    let mut out = String::with_capacity(payload.len() * 2);
    let mut word = String::new();
    for c in payload.chars().chain([' ']) {
        if c.is_alphanumeric() || c == '_' {
            word.push(c);
            continue;
        }
        let known = index(&word).and_then(|index| words.get(index as usize)).filter(|known| !known.is_empty());
        out.push_str(known.copied().unwrap_or(&word));
        word.clear();
        out.push(c);
        if out.len() > TEXT_MAX_BYTES {
            break;
        }
    }
    Some(out)
}
