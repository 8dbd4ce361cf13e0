//! How values lie in columns. It must not know any table.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

/// zstd level: 1 packs JSON lines about sixfold at several hundred MB/s, so it costs less than the bytes it saves.
const LEVEL: i32 = 1;
/// Characters of a text that an index holds: PostgreSQL refuses index rows above 2,704 bytes, and a character has at
/// most 4. Longer texts are found by their beginning.
const INDEXED_CHARS_MAX: usize = 256;
/// Begins a column text that is kept as JSON, because it has what PostgreSQL's TEXT cannot hold.
const QUOTED: &str = "\u{1}json:";

/// A count or position as the databases keep it; nothing of ours comes near 2^63.
pub(crate) fn big(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A size as the databases keep it.
pub(crate) fn big_len(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Reads what [`big`] wrote.
pub(crate) fn unsigned(value: i64, what: &'static str) -> Result<u64> {
    u64::try_from(value).map_err(|_| StoreError::Corrupt { what })
}

/// The value as JSON text.
pub(crate) fn to_json<T: Serialize>(value: &T, what: &'static str) -> Result<String> {
    serde_json::to_string(value).map_err(|_| StoreError::Unwritable { what })
}

/// Reads what [`to_json`] wrote.
pub(crate) fn from_json<T: DeserializeOwned>(text: &str, what: &'static str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| {
        tracing::error!(%error, what, "stored JSON does not read back");
        StoreError::Corrupt { what }
    })
}

/// Compresses.
pub(crate) fn pack(bytes: &[u8], what: &'static str) -> Result<Vec<u8>> {
    zstd::bulk::compress(bytes, LEVEL).map_err(|_| StoreError::Unwritable { what })
}

/// Decompresses to exactly `n_bytes`, the size stored beside: no more memory is ever taken.
pub(crate) fn unpack(packed: &[u8], n_bytes: i64, what: &'static str) -> Result<Vec<u8>> {
    let size = usize::try_from(n_bytes).map_err(|_| StoreError::Corrupt { what })?;
    match zstd::bulk::decompress(packed, size) {
        Ok(bytes) if bytes.len() == size => Ok(bytes),
        _ => Err(StoreError::Corrupt { what }),
    }
}

/// The text for a column, without loss: a NUL, which PostgreSQL refuses, makes it JSON.
pub(crate) fn column_text(text: &str) -> String {
    if text.contains('\0') || text.starts_with(QUOTED) {
        format!("{QUOTED}{}", serde_json::Value::from(text))
    } else {
        text.to_owned()
    }
}

/// Reads what [`column_text`] wrote.
pub(crate) fn read_text(column: String, what: &'static str) -> Result<String> {
    match column.strip_prefix(QUOTED) {
        Some(quoted) => from_json(quoted, what),
        None => Ok(column),
    }
}

/// The text as indexes hold it: cut, and without NUL. What is asked for goes through this too.
pub(crate) fn index_text(text: &str) -> String {
    text.chars().take(INDEXED_CHARS_MAX).map(|c| if c == '\0' { '\u{fffd}' } else { c }).collect()
}

/// Place of a word in the list of its kind, for columns that are compared and sorted.
pub(crate) fn rank<T: PartialEq>(all: &[T], word: &T) -> i16 {
    all.iter().position(|known| known == word).and_then(|place| i16::try_from(place).ok()).unwrap_or(i16::MAX)
}

/// The id behind the bytes of a column.
macro_rules! id_of {
    ($type:ty, $bytes:expr, $what:literal) => {
        <$type>::from_bytes($bytes).ok_or($crate::error::StoreError::Corrupt { what: $what })
    };
}
pub(crate) use id_of;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn column_texts_read_back() {
        for text in ["", "plain", "nul\0inside", "\u{1}json:\"x\"", "\u{1}json:", "\u{1}", "ünï\u{10ffff}"] {
            let column = column_text(text);
            assert!(!column.contains('\0'), "{text:?}");
            assert_eq!(read_text(column, "text").ok().as_deref(), Some(text), "{text:?}");
        }
    }

    #[test]
    fn packed_bytes_read_back_and_lies_about_their_size_do_not() {
        let bytes: Vec<u8> = (0..10_000_u32).map(|n| (n % 251) as u8).collect();
        let packed = pack(&bytes, "bytes").unwrap_or_default();
        assert_eq!(unpack(&packed, 10_000, "bytes").ok(), Some(bytes));
        for wrong in [9_999, 10_001, -1, 0] {
            assert!(unpack(&packed, wrong, "bytes").is_err(), "{wrong}");
        }
    }
}
