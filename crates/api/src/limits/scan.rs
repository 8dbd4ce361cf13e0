//! Counts the tokens of a document without parsing it (GraphQL October 2021, section 2.1).

/// What a scan counted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Scanned {
    pub(super) tokens: usize,
    pub(super) directives: usize,
    /// Most brackets open at the same time.
    pub(super) brackets: usize,
}

/// Counts names, numbers, strings and punctuators. A document the parser would refuse is counted somehow.
pub(super) fn scan(query: &str) -> Scanned {
    let bytes = query.as_bytes();
    let mut scanned = Scanned::default();
    let mut open = 0_usize;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let start = at;
        at += match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' => 1,
            b'#' => bytes[at..].iter().position(|&b| b == b'\n').unwrap_or(bytes.len() - at),
            b'"' => string_length(&bytes[at..]),
            b'.' => bytes[at..].iter().take(3).take_while(|&&b| b == b'.').count(),
            b'-' | b'0'..=b'9' => bytes[at..].iter().take_while(|&&b| is_word(b) || b == b'.').count(),
            _ if is_word(byte) => bytes[at..].iter().take_while(|&&b| is_word(b)).count(),
            _ => 1,
        };
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' | b',' | b'#' => continue,
            b'{' | b'[' | b'(' => open += 1,
            b'}' | b']' | b')' => open = open.saturating_sub(1),
            b'@' => scanned.directives += 1,
            _ => {}
        }
        scanned.tokens += 1;
        scanned.brackets = scanned.brackets.max(open);
        debug_assert!(at > start, "a scan always moves on");
    }
    scanned
}

/// Bytes of names and of numbers such as `-1.5e+3`.
const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'+')
}

/// Length of the string or block string that begins here; up to the end when it is not closed.
fn string_length(rest: &[u8]) -> usize {
    if rest.starts_with(b"\"\"\"") {
        return block_length(rest);
    }
    let mut at = 1;
    while let Some(&byte) = rest.get(at) {
        match byte {
            b'\\' => at += 2,
            b'"' | b'\n' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

fn block_length(rest: &[u8]) -> usize {
    let mut at = 3;
    while at < rest.len() {
        if rest[at..].starts_with(b"\\\"\"\"") {
            at += 4;
        } else if rest[at..].starts_with(b"\"\"\"") {
            return at + 3;
        } else {
            at += 1;
        }
    }
    rest.len()
}
