//! Cuts a body into lines, or a JSON array into its elements.

use serde_json::value::RawValue;

/// The records of a body, each with its line number (from 1; in a JSON array, its place).
#[derive(Debug)]
pub enum Lines<'a> {
    /// Newline-separated records; empty lines are passed over.
    Text { rest: &'a [u8], line: u64 },
    /// Elements of a JSON array.
    Array(std::iter::Enumerate<std::vec::IntoIter<&'a RawValue>>),
}

/// Records of a native body: NDJSON, or one JSON array when it begins with `[`.
///
/// # Errors
/// When the body begins as an array but is none.
pub fn lines_of(body: &[u8]) -> Result<Lines<'_>, serde_json::Error> {
    let start = body.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
    if body.get(start) == Some(&b'[') {
        let elements: Vec<&RawValue> = serde_json::from_slice(body)?;
        return Ok(Lines::Array(elements.into_iter().enumerate()));
    }
    // A byte order mark is no part of the first line.
    let rest = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    Ok(Lines::Text { rest, line: 0 })
}

impl<'a> Iterator for Lines<'a> {
    type Item = (u64, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Array(elements) => elements.next().map(|(place, value)| (place as u64 + 1, value.get().as_bytes())),
            Self::Text { rest, line } => loop {
                if rest.is_empty() {
                    return None;
                }
                let (record, next) = match memchr::memchr(b'\n', rest) {
                    Some(end) => (&rest[..end], &rest[end + 1..]),
                    None => (*rest, &rest[rest.len()..]),
                };
                *rest = next;
                *line += 1;
                let record = record.strip_suffix(b"\r").unwrap_or(record);
                if !record.iter().all(u8::is_ascii_whitespace) {
                    return Some((*line, record));
                }
            },
        }
    }
}
