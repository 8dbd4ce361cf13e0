//! Base64 (RFC 4648 4 and 5), read leniently as browsers' `atob` does. It must *not* know what it decodes.

/// The bytes; blanks are skipped, padding may be missing. `None` when a character is no digit.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut n_bits) = (0_u32, 0_u32);
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => break,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(digit)) & 0xff_ffff;
        n_bits += 6;
        if n_bits >= 8 {
            n_bits -= 8;
            out.push((bits >> n_bits & 0xff) as u8);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn decodes_as_browsers_do() {
        let check = |text: &str, want: Option<&[u8]>| assert_eq!(decode(text).as_deref(), want, "{text}");
        check("aGVsbG8=", Some(b"hello"));
        check("aGVs bG8", Some(b"hello"));
        check("_-8=", Some(&[0xff, 0xef]));
        check("", Some(b""));
        check("a*b", None);
    }
}
