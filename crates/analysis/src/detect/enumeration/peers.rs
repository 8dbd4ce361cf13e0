//! What actors of one group usually read of one type.

use serde::{Deserialize, Serialize};

use super::reader::Reader;
use crate::baseline::Counted;
use crate::baseline::Powers;
use crate::keyed::Key;

/// Readers after which their shares mean something.
const READERS_MIN: u64 = 5;
/// Unfamiliar owners that make a reader one who reads across owners.
const ACROSS: u64 = 3;

/// Readers of one group and type. 150 bytes and two sketches of at most 560.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Peers {
    readers: Counted,
    across: Counted,
    /// Distinct objects of a reader's day.
    pub(super) days: Powers,
}

impl Peers {
    /// Notes a reader and whether it reads across owners.
    pub(super) fn note(&mut self, name: Key, reader: &Reader) {
        self.readers.insert(name);
        if reader.n_foreign() >= ACROSS || reader.owners.count() > ACROSS {
            self.across.insert(name);
        }
    }

    /// Share of the other readers that read across owners; 0 while too few are known.
    pub(super) fn across_share(&self) -> f64 {
        let n = self.readers.count();
        if n < READERS_MIN { 0.0 } else { self.across.count().saturating_sub(1) as f64 / (n - 1).max(1) as f64 }
    }
}
