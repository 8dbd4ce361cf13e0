//! A set of distinct keys that remembers how many there are.

use serde::{Deserialize, Serialize};

use crate::keyed::Key;
use crate::sketch::Distinct;

/// [`Distinct`] with its count kept: the estimate costs about a microsecond and changes a few thousand times in the
/// life of a set, while detectors ask for it at each event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    set: Distinct,
    n: u64,
}

impl Counted {
    /// Adds a key; tells whether it was certainly new.
    pub fn insert(&mut self, key: Key) -> bool {
        let new = self.set.insert(key);
        if new {
            self.n = self.set.count().max(self.n);
        }
        new
    }

    /// The number of different keys, exact up to 32, never falling.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.n
    }

    /// Forgets all keys.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_as_the_set_does() {
        let (mut counted, mut set) = (Counted::default(), Distinct::default());
        for n in 0..5_000_u64 {
            let key = crate::detect::keys::mix(n % 3_000);
            counted.insert(key);
            set.insert(key);
            assert!(counted.count() >= set.count());
        }
        assert!(counted.count() <= set.count() + 5);
        counted.clear();
        assert_eq!(counted.count(), 0);
    }
}
