//! What actors of one group usually read of one type.

use serde::{Deserialize, Serialize};

use super::reader::Reader;
use crate::keyed::Key;
use crate::sketch::Distinct;

/// Powers of two of a day's distinct objects.
const STEPS: usize = 24;
/// Days after which the percentile means something.
const DAYS_MIN: u32 = 20;
/// Readers after which their shares mean something.
const READERS_MIN: u64 = 5;
/// Unfamiliar owners that make a reader one who reads across owners.
const ACROSS: u64 = 3;

/// Readers of one group and type. 160 bytes and two sketches of at most 560.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Peers {
    readers: Distinct,
    across: Distinct,
    /// Days by the power of two of their distinct objects.
    days: [u32; STEPS],
    n_days: u32,
}

impl Peers {
    /// Notes a reader and whether it reads across owners.
    pub(super) fn note(&mut self, name: Key, reader: &Reader) {
        self.readers.insert(name);
        if reader.n_foreign() >= ACROSS || reader.owners.count() > ACROSS {
            self.across.insert(name);
        }
    }

    /// Counts a reader's running day, whose distinct objects went from `before` to `after`: each day stands at the
    /// power of two it has reached, so that sessions which never come back count as well.
    pub(super) fn count(&mut self, before: u64, after: u64) {
        let step = |n: u64| (64 - n.leading_zeros() as usize).min(STEPS - 1);
        let (from, to) = (step(before), step(after));
        if from == to {
            return;
        }
        if before == 0 {
            self.n_days = self.n_days.saturating_add(1);
        } else {
            self.days[from] = self.days[from].saturating_sub(1);
        }
        self.days[to] = self.days[to].saturating_add(1);
    }

    /// Distinct objects that 98 of 100 days stay below; none while too few days are known.
    pub(super) fn usual_max(&self) -> Option<f64> {
        if self.n_days < DAYS_MIN {
            return None;
        }
        // The highest day may be the one that is judged.
        let mut left = (self.n_days / 50).max(1);
        for step in (0..STEPS).rev() {
            if self.days[step] > left {
                return Some((1_u64 << step) as f64);
            }
            left = left.saturating_sub(self.days[step]);
        }
        Some(1.0)
    }

    /// Share of the other readers that read across owners; 0 while too few are known.
    pub(super) fn across_share(&self) -> f64 {
        let n = self.readers.count();
        if n < READERS_MIN { 0.0 } else { self.across.count().saturating_sub(1) as f64 / (n - 1).max(1) as f64 }
    }
}
