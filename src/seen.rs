//! Which event ids were seen, so that the same event twice changes nothing.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

/// An identity is already a hash: hashing it again would only cost.
#[derive(Debug, Default)]
pub struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

type IdentitySet = HashSet<u64, BuildHasherDefault<IdentityHasher>>;

/// The identity of an event: 64 bits of a hash of its id.
///
/// Among two million ids the chance that a new one is taken for an old one is 1 in 9 million million.
#[must_use]
pub fn identity(id: &str) -> u64 {
    let bytes = blake3::hash(id.as_bytes());
    bytes.as_bytes().iter().take(8).fold(0, |value, &byte| (value << 8) | u64::from(byte))
}

/// The newest `capacity` identities, and the batches that are being made durable.
#[derive(Debug)]
pub struct Seen {
    set: IdentitySet,
    order: VecDeque<u64>,
    capacity: usize,
    /// Tickets of batches whose append has not ended: their identities are in the set but not yet durable.
    in_flight: BTreeSet<u64>,
    next_ticket: u64,
}

impl Seen {
    /// Knows these identities, oldest first.
    #[must_use]
    pub fn new(capacity: usize, known: &[u64]) -> Self {
        let mut seen = Self {
            set: IdentitySet::default(),
            order: VecDeque::new(),
            capacity,
            in_flight: BTreeSet::new(),
            next_ticket: 0,
        };
        known.iter().for_each(|&identity| {
            seen.insert(identity);
        });
        seen
    }

    /// Notes the identity; `false` when it was there.
    pub fn insert(&mut self, identity: u64) -> bool {
        if !self.set.insert(identity) {
            return false;
        }
        self.order.push_back(identity);
        if self.order.len() > self.capacity
            && let Some(oldest) = self.order.pop_front()
        {
            self.set.remove(&oldest);
        }
        true
    }

    /// Forgets identities whose batch did not become durable.
    pub fn forget(&mut self, identities: &[u64]) {
        for identity in identities {
            self.set.remove(identity);
        }
        let set = &self.set;
        self.order.retain(|identity| set.contains(identity));
    }

    /// Takes a number for a batch whose identities were just noted.
    pub fn begin(&mut self) -> u64 {
        self.next_ticket += 1;
        self.in_flight.insert(self.next_ticket);
        self.next_ticket
    }

    /// The batch is durable, or failed and its identities were forgotten.
    pub fn end(&mut self, ticket: u64) {
        self.in_flight.remove(&ticket);
    }

    /// Whether every batch before this one has ended: only then may a duplicate be called safe.
    #[must_use]
    pub fn settled_before(&self, ticket: u64) -> bool {
        self.in_flight.first().is_none_or(|&first| first >= ticket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_newest_and_forgets_the_oldest() {
        let mut seen = Seen::new(3, &[1, 2]);
        assert!(!seen.insert(1));
        assert!(seen.insert(3));
        assert!(seen.insert(4)); // 1 falls out
        assert!(seen.insert(1));
        seen.forget(&[4]);
        assert!(seen.insert(4));
    }

    #[test]
    fn a_duplicate_waits_for_the_batch_that_brought_it() {
        let mut seen = Seen::new(10, &[]);
        let first = seen.begin();
        let second = seen.begin();
        assert!(!seen.settled_before(second));
        seen.end(first);
        assert!(seen.settled_before(second));
    }
}
