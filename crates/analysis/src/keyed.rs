//! State by key, bounded, evicted by age.

use indexmap::IndexMap;
use riskgraph_domain::Timestamp;
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

/// A key of keyed state: 64 bits of a hash of the natural key (see [`key`]).
///
/// With a million live keys the chance that any two collide is below 1 in 10 million.
pub type Key = u64;

/// The key of a natural key made of parts, such as `key(&["user", "mia.holm"])`.
#[must_use]
pub fn key(parts: &[&str]) -> Key {
    (riskgraph_domain::id::hash128(parts) >> 64) as u64
}

/// One entry and when it was last touched.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Slot<V> {
    touched: Timestamp,
    value: V,
}

/// A map of at most `capacity` keys. When it is full, the key untouched longest among [`PROBES`] neighbours of a moving
/// hand makes place (the CLOCK approximation of least recently used): deterministic, constant time, and one noisy key
/// holds one slot however often it comes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Keyed<V> {
    slots: IndexMap<Key, Slot<V>, FxBuildHasher>,
    capacity: usize,
    hand: usize,
    evicted: u64,
}

/// Slots looked at to find one to evict.
const PROBES: usize = 8;

impl<V: Default> Keyed<V> {
    /// An empty map of at most `capacity` (at least 1) keys.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { slots: IndexMap::default(), capacity: capacity.max(1), hand: 0, evicted: 0 }
    }

    /// The state of the key, made empty when it is new; marks it touched at `now` (never backwards).
    pub fn touch(&mut self, key: Key, now: Timestamp) -> &mut V {
        // One look-up for a key that is there, which most are.
        let known = self.slots.get_index_of(&key);
        if known.is_none() && self.slots.len() >= self.capacity {
            self.evict_one();
        }
        let place = known.unwrap_or_else(|| self.slots.insert_full(key, Slot { touched: now, value: V::default() }).0);
        let slot = &mut self.slots[place];
        slot.touched = slot.touched.max(now);
        &mut slot.value
    }

    fn evict_one(&mut self) {
        let n = self.slots.len();
        let oldest = (0..PROBES.min(n))
            .map(|step| (self.hand + step) % n)
            .min_by_key(|&place| self.slots.get_index(place).map(|(_, slot)| slot.touched));
        if let Some(place) = oldest {
            self.slots.swap_remove_index(place);
            self.evicted += 1;
        }
        self.hand = (self.hand + PROBES) % n;
    }
}

impl<V> Keyed<V> {
    /// The state of the key, when there is some.
    #[must_use]
    pub fn get(&self, key: Key) -> Option<&V> {
        self.slots.get(&key).map(|slot| &slot.value)
    }

    /// The state of the key without marking it touched.
    pub fn get_mut(&mut self, key: Key) -> Option<&mut V> {
        self.slots.get_mut(&key).map(|slot| &mut slot.value)
    }

    /// Forgets the key.
    pub fn remove(&mut self, key: Key) -> Option<V> {
        self.slots.swap_remove(&key).map(|slot| slot.value)
    }

    /// Live keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Keys evicted so far for want of place.
    #[must_use]
    pub const fn evicted(&self) -> u64 {
        self.evicted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_bounded_and_keeps_the_busy_key() {
        let mut keyed: Keyed<u32> = Keyed::new(100);
        for i in 0..10_000 {
            *keyed.touch(i, Timestamp(i as i64)) += 1;
            *keyed.touch(u64::MAX, Timestamp(i as i64)) += 1;
        }
        assert_eq!(keyed.len(), 100);
        assert_eq!(keyed.evicted(), 10_001 - 100);
        assert_eq!(keyed.get(u64::MAX), Some(&10_000));
    }
}
