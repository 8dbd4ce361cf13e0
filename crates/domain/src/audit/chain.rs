//! The chain and its proof: `hash = SHA-256(previous hash || canonical JSON of the entry)`.
//!
//! What it proves: no entry between two known hashes was changed, taken out, put in or moved. What it cannot: that the
//! end is the end. Whoever may write the whole log can cut its tail or make it anew; then only a hash kept elsewhere
//! tells, which is why heads are noted outside.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{CUT, Head, Record, canonical};
use crate::digest::Sum;
use crate::time::Timestamp;

/// Heads to look for, at most: one an hour for a century.
const WANTED_MAX: usize = 1_000_000;

/// One entry as it is kept, nothing of it believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where it says it stands.
    pub sequence: u64,
    pub previous: Sum,
    pub hash: Sum,
    /// What is hashed.
    pub body: String,
    /// What is kept beside it to be found by; must say the same.
    pub beside: Option<Beside>,
}

/// Columns beside an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    pub at: Timestamp,
    pub actor: String,
    pub action: String,
}

impl Link {
    /// The link as one line of an export.
    #[must_use]
    pub fn line(&self) -> String {
        let mut object: Map<String, Value> = serde_json::from_str(&self.body).unwrap_or_default();
        object.insert("previous".to_owned(), self.previous.to_string().into());
        object.insert("hash".to_owned(), self.hash.to_string().into());
        canonical::text(&Value::Object(object))
    }

    /// Reads a line of an export; says what is wrong with one that is none.
    ///
    /// # Errors
    /// A few words for whoever looks at the line.
    pub fn read(line: &str) -> Result<Self, String> {
        let mut object: Map<String, Value> =
            serde_json::from_str(line).map_err(|error| format!("the line is no JSON object: {error}"))?;
        let mut sum = |name: &str| {
            let text = object.remove(name);
            text.as_ref()
                .and_then(Value::as_str)
                .and_then(|text| text.parse().ok())
                .ok_or(format!("'{name}' is no hash"))
        };
        let (previous, hash) = (sum("previous")?, sum("hash")?);
        let sequence = object.get("sequence").and_then(Value::as_u64).ok_or("'sequence' is no number")?;
        Ok(Self { sequence, previous, hash, body: canonical::text(&Value::Object(object)), beside: None })
    }
}

/// The hash of an entry after `previous`.
#[must_use]
pub fn hash(previous: Sum, body: &str) -> Sum {
    Sum::of(&[&previous.0, body.as_bytes()])
}

/// Where the chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("entry {sequence}: {reason}")]
pub struct Broken {
    /// Place of the first entry that does not fit.
    pub sequence: u64,
    pub reason: String,
}

/// Where a chain may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// With entry 1, or behind this anchor when older entries were cut off.
    Whole { anchor: Option<(u64, Sum)> },
    /// Anywhere: it is a part, and proves nothing of what is before it.
    Part,
}

/// Walks a chain link by link.
#[derive(Debug, Clone)]
pub struct Verifier {
    beginning: Beginning,
    /// The last link that held.
    last: Option<(u64, Sum, Timestamp)>,
    n_entries: u64,
    /// Hashes that must be met.
    wanted: BTreeSet<Sum>,
    /// The anchor the chain began behind, until the entry that tells of the cut is met.
    untold_cut: Option<(u64, Sum)>,
}

impl Verifier {
    #[must_use]
    pub fn new(beginning: Beginning) -> Self {
        Self { beginning, last: None, n_entries: 0, wanted: BTreeSet::new(), untold_cut: None }
    }

    /// A hash that must be in the chain, or be the anchor it begins behind.
    pub fn want(&mut self, head: Sum) {
        if self.wanted.len() < WANTED_MAX {
            self.wanted.insert(head);
        }
    }

    /// Looks at the next link.
    ///
    /// # Errors
    /// [`Broken`], when it does not fit; nothing after it can be judged.
    pub fn push(&mut self, link: &Link) -> Result<(), Broken> {
        let broken = |sequence: u64, reason: String| Broken { sequence, reason };
        self.place(link)?;
        let record = Record::read(&link.body);
        let Some((sequence, record)) = record else {
            return Err(broken(link.sequence, "it is no entry of the log".to_owned()));
        };
        if sequence != link.sequence {
            return Err(broken(link.sequence, format!("it was recorded as entry {sequence}: it was moved")));
        }
        let expected = hash(link.previous, &link.body);
        if expected != link.hash {
            return Err(broken(
                sequence,
                format!("its content hashes to {expected}, but {} is kept: it was changed", link.hash),
            ));
        }
        if let Some(beside) = &link.beside {
            // A database may not be able to hold a NUL.
            let plain = |text: &str| text.replace('\0', "");
            let same = beside.at == record.at
                && beside.actor == plain(&record.actor)
                && beside.action == plain(&record.action);
            if !same {
                return Err(broken(sequence, "the columns beside it say something else: they were changed".to_owned()));
            }
        }
        if &*record.action == CUT && self.untold_cut.is_some_and(|(cut, hash)| tells_of(&record.detail, cut, hash)) {
            self.untold_cut = None;
        }
        self.wanted.remove(&link.hash);
        self.last = Some((sequence, link.hash, record.at));
        self.n_entries += 1;
        Ok(())
    }

    /// Whether the link stands where it belongs.
    fn place(&mut self, link: &Link) -> Result<(), Broken> {
        let broken = |sequence: u64, reason: String| Err(Broken { sequence, reason });
        let (before, hash) = match (self.last, self.beginning) {
            (Some((sequence, hash, _)), _) => (sequence, hash),
            (None, Beginning::Part) => (link.sequence.saturating_sub(1), link.previous),
            (None, Beginning::Whole { anchor: None }) => (0, Sum::ZERO),
            (None, Beginning::Whole { anchor: Some((sequence, hash)) }) => {
                self.untold_cut = Some((sequence, hash));
                self.wanted.remove(&hash);
                (sequence, hash)
            }
        };
        let next = before + 1;
        if link.sequence > next {
            return broken(next, format!("it is missing: entry {} follows entry {before}", link.sequence));
        }
        if link.sequence < next {
            return broken(link.sequence, format!("it stands behind entry {before}: it was moved or repeated"));
        }
        if link.previous != hash {
            let reason =
                format!("it follows {}, but the entry before it has {hash}: one of both was changed", link.previous);
            return broken(link.sequence, reason);
        }
        Ok(())
    }

    /// Entries that held.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.n_entries
    }

    /// The last link that held.
    #[must_use]
    pub fn head(&self) -> Option<Head> {
        self.last.map(|(sequence, hash, at)| Head { sequence, hash, at })
    }

    /// What can only be said at the end: that no wanted hash is missing and a cut is told of.
    ///
    /// # Errors
    /// [`Broken`], at the place after the last entry, or at the anchor.
    pub fn end(&self) -> Result<(), Broken> {
        let next = self.last.map_or(1, |(sequence, ..)| sequence + 1);
        if let Some(hash) = self.wanted.first() {
            let reason =
                format!("the head {hash} is not in the log: entries at its end, or all of it, were taken away");
            return Err(Broken { sequence: next, reason });
        }
        if let Some((cut, _)) = self.untold_cut {
            let reason = format!("everything up to entry {cut} is gone, and no entry tells that it was cut off");
            return Err(Broken { sequence: 1, reason });
        }
        Ok(())
    }
}

fn tells_of(detail: &Value, sequence: u64, hash: Sum) -> bool {
    detail["until"].as_u64() == Some(sequence) && detail["hash"].as_str() == Some(hash.to_string().as_str())
}

#[cfg(test)]
mod tests;
