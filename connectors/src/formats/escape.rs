//! What web servers write for bytes they do not log as they are.

use riskgraph_domain::Text;

/// Undoes `\"`, `\\`, `\xHH` and the C escapes of Apache, and makes the result safe text.
///
/// Bytes that are no UTF-8 become U+FFFD. Control characters stay written as `\xHH`: a log line must not be able to move
/// a terminal's cursor or split a later line. Unknown escapes are kept as written.
pub(super) fn decode(raw: &[u8]) -> Text {
    let plain = memchr::memchr(b'\\', raw).is_none() && !raw.iter().any(|byte| byte.is_ascii_control());
    if plain {
        return match std::str::from_utf8(raw) {
            Ok(text) => Text::from(text),
            Err(_) => Text::from(String::from_utf8_lossy(raw).into_owned()),
        };
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let [first, tail @ ..] = rest {
        let (byte, tail) = match (*first, tail) {
            (b'\\', [mark @ (b'"' | b'\\'), tail @ ..]) => (*mark, tail),
            (b'\\', [b'x' | b'X', high, low, tail @ ..]) if hex(*high).is_some() && hex(*low).is_some() => {
                (hex(*high).unwrap_or(0) << 4 | hex(*low).unwrap_or(0), tail)
            }
            (b'\\', [b't', tail @ ..]) => (b'\t', tail),
            (b'\\', [b'n', tail @ ..]) => (b'\n', tail),
            (b'\\', [b'r', tail @ ..]) => (b'\r', tail),
            (byte, tail) => (byte, tail),
        };
        push(&mut bytes, byte);
        rest = tail;
    }
    Text::from(String::from_utf8_lossy(&bytes).into_owned())
}

fn push(bytes: &mut Vec<u8>, byte: u8) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    if byte.is_ascii_control() {
        bytes.extend_from_slice(&[b'\\', b'x', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    } else {
        bytes.push(byte);
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn decodes_escapes_to_safe_text() {
        let check = |raw: &[u8], want: &str| assert_eq!(decode(raw).as_str(), want);
        check(b"plain", "plain");
        check(br#"a \"quoted\" word"#, r#"a "quoted" word"#);
        check(br"back\\slash", r"back\slash");
        check(br"\xC3\xA9t\xc3\xa9", "été");
        check(br"\x16\x03\x01", r"\x16\x03\x01");
        check(br"a\nb\tc", r"a\x0Ab\x09c");
        check(b"a\x1b[2Jb", r"a\x1B[2Jb");
        check(br"\u00e9 \q \x4", r"\u00e9 \q \x4");
        check(b"\xff\xfe", "\u{fffd}\u{fffd}");
        check(br"\xff", "\u{fffd}");
        check(b"\\", "\\");
        check(b"", "");
    }
}
