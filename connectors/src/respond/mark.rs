//! The mark we leave beside what we did on the other side, so that undo takes back ours and nothing else, and a repetition
//! after a crash knows its own work. It must *not* know where it is written.

use riskgraph_domain::Timestamp;
use riskgraph_domain::error::Fault;
use riskgraph_domain::respond::ActionRequest;
use sha2::{Digest, Sha256};

use super::fault::{bad_input, conflict};

/// Longest idempotency key, characters: the port's promise.
const KEY_MAX: usize = 64;
/// Runs that may hold one thing at once where their marks share a line of bounded length.
const HOLDERS_MAX: usize = 4;
/// Hexadecimal characters of a short key: 64 bits, no two runs of one installation meet.
const SHORT_CHARS: usize = 16;

/// Who holds a thing, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mark {
    pub keys: Vec<String>,
    /// When the last holder lets go; `None`: when it is undone.
    pub until: Option<Timestamp>,
}

impl Mark {
    pub(super) fn new(key: &str, until: Option<Timestamp>) -> Self {
        Self { keys: vec![key.to_owned()], until }
    }

    /// Reads a mark; `None` for whatever else is written there.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        if words.next()? != "riskgraph" {
            return None;
        }
        let keys: Vec<String> = words.next()?.split(',').map(str::to_owned).collect();
        if keys.iter().any(|key| !is_key(key)) || words.next()? != "until" {
            return None;
        }
        let until = match words.next()? {
            "undone" => None,
            time => Some(Timestamp::parse_rfc3339(time)?),
        };
        Some(Self { keys, until })
    }

    pub(super) fn holds(&self, key: &str) -> bool {
        self.keys.iter().any(|held| held == key)
    }

    /// The mark with one more holder; it lasts until the last of them lets go.
    ///
    /// # Errors
    /// When as many runs as its line has room for hold the thing already.
    pub(super) fn joined(&self, key: &str, until: Option<Timestamp>) -> Result<Self, Fault> {
        if self.holds(key) {
            return Ok(self.clone());
        }
        if self.keys.len() >= HOLDERS_MAX {
            return Err(conflict(format!("{HOLDERS_MAX} runs hold this already; it stays as it is")));
        }
        let mut keys = self.keys.clone();
        keys.push(key.to_owned());
        Ok(Self { keys, until: self.until.zip(until).map(|(a, b)| a.max(b)) })
    }

    /// The mark without this holder; `None` when nobody holds the thing any more.
    pub(super) fn without(&self, key: &str) -> Option<Self> {
        let keys: Vec<String> = self.keys.iter().filter(|held| *held != key).cloned().collect();
        (!keys.is_empty()).then_some(Self { keys, until: self.until })
    }
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let until = match self.until {
            Some(time) => time.floor(1_000).to_rfc3339().replace(".000Z", "Z"),
            None => "undone".to_owned(),
        };
        write!(f, "riskgraph {} until {until}", self.keys.join(","))
    }
}

/// The request's key, which goes into files, headers and paths.
///
/// # Errors
/// `BadInput` when it is longer or stranger than the port allows.
pub(super) fn key(request: &ActionRequest) -> Result<&str, Fault> {
    let key = request.idempotency_key.as_str();
    if is_key(key) {
        Ok(key)
    } else {
        Err(bad_input("the idempotency key must be 1 to 64 characters of A-Z a-z 0-9 _ -"))
    }
}

/// A short form of the key, for places with little room.
pub(super) fn short(key: &str) -> String {
    hex(&Sha256::digest(key.as_bytes()))[..SHORT_CHARS].to_owned()
}

fn is_key(key: &str) -> bool {
    (1..=KEY_MAX).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

/// Lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]]).map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_reads_as_it_is_written_and_nothing_else_does() {
        let until = Timestamp::parse_rfc3339("2026-05-01T10:00:00Z");
        let mark = Mark::new("run_1-a", until).joined("run_2", None).expect("room");
        assert_eq!(mark.to_string(), "riskgraph run_1-a,run_2 until undone");
        for mark in [Mark::new("k", until), mark] {
            assert_eq!(Mark::parse(&mark.to_string()), Some(mark));
        }
        for other in [
            "",
            "riskgraph",
            "riskgraph k",
            "riskgraph k until",
            "riskgraph k until noon",
            "blocked by riskgraph",
            "riskgraph ../k until undone",
            "riskgraph , until undone",
        ] {
            assert_eq!(Mark::parse(other), None, "{other}");
        }
    }

    #[test]
    fn the_last_holder_lets_go() {
        let (early, late) = (Timestamp(1_000_000), Timestamp(9_000_000));
        let both = Mark::new("a", Some(late)).joined("b", Some(early)).expect("room");
        assert_eq!(both.until, Some(late));
        let one = both.without("a").expect("b still holds");
        assert!(one.holds("b") && !one.holds("a") && one.without("b").is_none());
        let full = (0..HOLDERS_MAX - 1).try_fold(one, |mark, n| mark.joined(&format!("k{n}"), None)).expect("room");
        assert!(full.joined("one_more", None).is_err());
        assert_eq!(short("run_1").len(), SHORT_CHARS);
    }
}
