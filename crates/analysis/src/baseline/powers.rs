//! How high counts usually get, by powers of two.

use serde::{Deserialize, Serialize};

/// Powers of two told apart.
const STEPS: usize = 24;
/// Counts after which a percentile means something.
const COUNTS_MIN: u32 = 20;

/// A histogram of running counts. 100 bytes.
///
/// Each count stands at the power of two it has reached so far, so that counts that never end (a session that does not
/// come back) are in it as well.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Powers {
    steps: [u32; STEPS],
    n: u32,
}

impl Powers {
    /// Moves a count that went from `before` (0 for a new one) to `after`.
    pub fn count(&mut self, before: u64, after: u64) {
        let step = |n: u64| (64 - n.leading_zeros() as usize).min(STEPS - 1);
        let (from, to) = (step(before), step(after));
        if from == to {
            return;
        }
        if before == 0 {
            self.n = self.n.saturating_add(1);
        } else {
            self.steps[from] = self.steps[from].saturating_sub(1);
        }
        self.steps[to] = self.steps[to].saturating_add(1);
    }

    /// The power of two that 98 of 100 counts, and all but one, stay below; none while too few are known.
    #[must_use]
    pub fn usual_max(&self) -> Option<f64> {
        if self.n < COUNTS_MIN {
            return None;
        }
        // The highest count may be the one that is judged.
        let mut left = (self.n / 50).max(1);
        for step in (0..STEPS).rev() {
            if self.steps[step] > left {
                return Some((1_u64 << step) as f64);
            }
            left = left.saturating_sub(self.steps[step]);
        }
        Some(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_what_is_usual_and_leaves_out_the_highest() {
        let mut powers = Powers::default();
        for _ in 0..19 {
            (0..6).for_each(|n| powers.count(n, n + 1));
        }
        assert_eq!(powers.usual_max(), None);
        (0..100_000).for_each(|n| powers.count(n, n + 1));
        assert_eq!(powers.usual_max(), Some(8.0));
    }
}
