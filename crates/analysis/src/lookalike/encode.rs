//! Unicode names as DNS has them: IDNA 2008 (RFC 5891 to 5893) without any mapping. Knows no fuzzer.
//!
//! A registry takes only names that are valid as they stand; mapping (UTS 46) is a help for typists. So a permutation that
//! would need mapping is no name anybody can register.

use std::sync::LazyLock;

use regex::Regex;

use super::tables::{BY_SUFFIX, CYRILLIC, UNICODE};

const LABEL_MAX: usize = 63;
const NAME_MAX: usize = 253;
const ACE: &str = "xn--";

/// Code points of IDNA 2008 by their general category (RFC 5892 2.1 to 2.6), without the exceptions.
static LETTERS: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[\p{Ll}\p{Lo}\p{Lm}\p{Mn}\p{Mc}\p{Nd}]$").ok());
/// Characters of the tables, sorted: valid everywhere, written from left to right, and nothing composes with them.
static PLAIN: LazyLock<Vec<char>> = LazyLock::new(|| {
    let tables = BY_SUFFIX.iter().map(|(_, glyphs)| *glyphs).chain([UNICODE]);
    let mut all: Vec<char> = tables.flatten().flat_map(|(_, glyphs)| glyphs.chars()).collect();
    all.extend(CYRILLIC.iter().map(|&(_, letter)| letter));
    all.sort_unstable();
    all.dedup();
    all
});

/// The ASCII form of a name of several labels; `None` when it is no valid name.
pub(super) fn to_ascii(name: &str) -> Option<String> {
    let mut out = String::with_capacity(name.len() + 16);
    push_ascii(name, &mut out).then_some(out)
}

/// Appends the ASCII form; whether the name was valid (else what was appended is of no use).
pub(super) fn push_ascii(name: &str, out: &mut String) -> bool {
    let start = out.len();
    let name = name.strip_suffix(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}']).unwrap_or(name);
    let is_dot = |c: char| matches!(c, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}');
    let valid = if name.is_ascii() {
        out.push_str(name);
        name.split('.').all(is_valid_ascii)
    } else {
        name.split(is_dot).enumerate().all(|(n, label)| {
            if n > 0 {
                out.push('.');
            }
            push_label(label, out)
        })
    };
    valid && out.len() - start <= NAME_MAX
}

/// Whether an ASCII name can stand in DNS: two labels or more, the last of at least two characters.
pub(super) fn is_fully_qualified(ascii: &str) -> bool {
    let last = ascii.rsplit_once('.').map(|(_, last)| last.len());
    (4..=NAME_MAX).contains(&ascii.len()) && last.is_some_and(|length| length >= 2)
}

/// The Unicode form of one valid ASCII label.
pub(super) fn to_unicode(label: &str) -> Option<String> {
    match label.strip_prefix(ACE) {
        Some(code) => decode(code),
        None => Some(label.to_owned()),
    }
}

fn push_label(label: &str, out: &mut String) -> bool {
    if label.is_ascii() {
        out.push_str(label);
        return is_valid_ascii(label);
    }
    let start = out.len();
    out.push_str(ACE);
    if !is_valid_unicode(label) || !encode_into(label, out) {
        return false;
    }
    out.len() - start <= LABEL_MAX
}

/// Letters, digits and hyphens in lower case; no hyphen at the ends or third and fourth (RFC 5891 4.2.3.1), except in an
/// encoded label that is the canonical code of a valid one.
fn is_valid_ascii(label: &str) -> bool {
    let bytes = label.as_bytes();
    if bytes.is_empty() || bytes.len() > LABEL_MAX {
        return false;
    }
    let is_plain = |byte: &u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    if !bytes.iter().all(is_plain) || bytes[0] == b'-' || bytes[bytes.len() - 1] == b'-' {
        return false;
    }
    match label.strip_prefix(ACE) {
        Some(code) => decode(code).is_some(),
        None => bytes.get(2..4) != Some(b"--"),
    }
}

/// The label behind a canonical code, when it is valid.
fn decode(code: &str) -> Option<String> {
    if code.is_empty() || code.ends_with('-') {
        return None;
    }
    let label = idna::punycode::decode_to_string(code)?;
    let mut again = String::with_capacity(code.len());
    (encode_into(&label, &mut again) && again == code && !label.is_empty() && is_valid_unicode(&label)).then_some(label)
}

fn is_valid_unicode(label: &str) -> bool {
    let mut chars = label.chars();
    if label.starts_with('-') || label.ends_with('-') || chars.by_ref().skip(2).take(2).eq("--".chars()) {
        return false;
    }
    let is_plain = |c: char| if c.is_ascii() { is_plain_ascii(c) } else { PLAIN.binary_search(&c).is_ok() };
    label.chars().all(is_plain) || is_valid_in_full(label)
}

fn is_plain_ascii(c: char) -> bool {
    matches!(c, 'a'..='z' | '0'..='9' | '-')
}

/// The whole rule: every code point by its class and context, the label normalised, and its writing directions in order.
fn is_valid_in_full(label: &str) -> bool {
    let chars: Vec<char> = label.chars().collect();
    let classes = chars.iter().enumerate().all(|(at, &c)| is_plain_ascii(c) || is_permitted(&chars, at, c));
    // What mapping leaves alone is normalised; the same step checks marks at the start, joiners and directions.
    classes && matches!(idna::domain_to_unicode(label), (same, Ok(())) if same == label)
}

fn is_permitted(label: &[char], at: usize, c: char) -> bool {
    let before = at.checked_sub(1).map(|at| label[at]);
    let after = label.get(at + 1).copied();
    match c {
        // Exceptions of RFC 5892 2.6, permitted and not.
        '\u{df}' | '\u{3c2}' | '\u{6fd}' | '\u{6fe}' | '\u{f0b}' | '\u{3007}' => true,
        '\u{640}' | '\u{7fa}' | '\u{302e}' | '\u{302f}' | '\u{3031}'..='\u{3035}' | '\u{303b}' => false,
        // Old Hangul (RFC 5892 2.9).
        '\u{1100}'..='\u{11ff}' | '\u{a960}'..='\u{a97c}' | '\u{d7b0}'..='\u{d7fb}' => false,
        // By context (RFC 5892 A.1 to A.9); joiners are checked with the whole label.
        '\u{200c}' | '\u{200d}' => true,
        '\u{b7}' => before == Some('l') && after == Some('l'),
        '\u{375}' => after.is_some_and(is_greek),
        '\u{5f3}' | '\u{5f4}' => before.is_some_and(|c| matches!(c, '\u{591}'..='\u{5f4}' | '\u{fb1d}'..='\u{fb4f}')),
        '\u{30fb}' => label.iter().any(|&c| c != '\u{30fb}' && is_japanese(c)),
        '\u{660}'..='\u{669}' => !label.iter().any(|c| matches!(c, '\u{6f0}'..='\u{6f9}')),
        '\u{6f0}'..='\u{6f9}' => !label.iter().any(|c| matches!(c, '\u{660}'..='\u{669}')),
        _ => {
            let mut buffer = [0; 4];
            LETTERS.as_ref().is_some_and(|letters| letters.is_match(c.encode_utf8(&mut buffer)))
        }
    }
}

fn is_greek(c: char) -> bool {
    matches!(c, '\u{370}'..='\u{3e1}' | '\u{3f0}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}')
}

fn is_japanese(c: char) -> bool {
    matches!(c, '\u{3005}' | '\u{3007}' | '\u{3021}'..='\u{3029}' | '\u{3038}'..='\u{303b}' | '\u{3041}'..='\u{30ff}'
        | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{323af}')
}

/// Appends the Punycode of a label (RFC 3492 6.3); false when a number overflows.
fn encode_into(label: &str, out: &mut String) -> bool {
    const DIGITS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    out.extend(label.chars().filter(char::is_ascii));
    let n_basic = label.bytes().filter(u8::is_ascii).count();
    let n_chars = label.chars().count();
    if n_basic > 0 {
        out.push('-');
    }
    let (mut least, mut delta, mut bias, mut done) = (128_u32, 0_u32, 72_u32, n_basic);
    while done < n_chars {
        let Some(next) = label.chars().map(u32::from).filter(|&c| c >= least).min() else { return false };
        let Some(step) = u32::try_from(done + 1).ok().and_then(|count| (next - least).checked_mul(count)) else {
            return false;
        };
        let Some(sum) = delta.checked_add(step) else { return false };
        (delta, least) = (sum, next);
        for c in label.chars().map(u32::from) {
            if c < least {
                delta = delta.saturating_add(1);
            }
            if c == least {
                let mut rest = delta;
                for k in (36_u32..).step_by(36) {
                    let threshold = k.saturating_sub(bias).clamp(1, 26);
                    if rest < threshold {
                        break;
                    }
                    let digit = threshold + (rest - threshold) % (36 - threshold);
                    out.push(char::from(DIGITS[digit as usize % 36]));
                    rest = (rest - threshold) / (36 - threshold);
                }
                out.push(char::from(DIGITS[rest as usize % 36]));
                bias = adapt(delta, done, n_basic);
                delta = 0;
                done += 1;
            }
        }
        delta = delta.saturating_add(1);
        least += 1;
    }
    true
}

/// The next bias (RFC 3492 6.1).
fn adapt(delta: u32, done: usize, n_basic: usize) -> u32 {
    let mut delta = if done == n_basic { delta / 700 } else { delta / 2 };
    delta += delta / u32::try_from(done + 1).unwrap_or(u32::MAX);
    let mut k = 0;
    while delta > 455 {
        delta /= 35;
        k += 36;
    }
    k + 36 * delta / (delta + 38)
}
