//! What was seen before, how often and on how many days; bounded.

use std::hash::Hasher as _;

use riskgraph_domain::time::DAY_MS;
use riskgraph_domain::{Text, Timestamp};
use rustc_hash::FxHasher;
use serde::{Deserialize, Serialize};

/// Longest label kept, in bytes: enough for a route or the head of a user agent.
const LABEL_BYTES: usize = 72;

/// A fast hash for keys of [`Seen`]; not for anything that must resist forged collisions.
#[must_use]
pub fn quick_key(text: &str) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(text.as_bytes());
    hasher.write_usize(text.len());
    hasher.finish()
}

/// When something that turned up after the learning period becomes part of the norm.
#[derive(Debug, Clone, Copy)]
pub struct Probation {
    /// Distinct days on which it must have been seen.
    pub days: u16,
    /// Age of the first sight, in milliseconds.
    pub age_ms: i64,
}

/// Whether something belongs to the norm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Novelty {
    /// Never seen before.
    New,
    /// Seen, but not long enough to count as normal.
    Probation,
    Known,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Sight {
    key: u64,
    label: Text,
    n: u64,
    first: Timestamp,
    last_day: i32,
    days: u16,
    trusted: bool,
}

/// Up to `capacity` distinct things. When full, the one least seen makes place, untrusted ones first.
/// About 80 bytes a thing, plus labels over 24 bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Seen {
    sights: Vec<Sight>,
    capacity: usize,
    evicted: u32,
}

impl Seen {
    /// Room for `capacity` (at least 1) things.
    #[must_use]
    pub const fn new(capacity: usize) -> Self {
        Self { sights: Vec::new(), capacity, evicted: 0 }
    }

    /// What is known about this key, without counting it.
    #[must_use]
    pub fn novelty(&self, key: u64) -> Novelty {
        match self.sights.iter().find(|sight| sight.key == key) {
            None => Novelty::New,
            Some(sight) if sight.trusted => Novelty::Known,
            Some(_) => Novelty::Probation,
        }
    }

    /// How long ago it was first seen; none when it is new.
    #[must_use]
    pub fn age(&self, key: u64, time: Timestamp) -> Option<i64> {
        self.sights.iter().find(|sight| sight.key == key).map(|sight| time - sight.first)
    }

    /// Counts one sight. `probation` is none while the owner is still learning: then what is seen is the norm.
    pub fn note(&mut self, key: u64, label: impl FnOnce() -> Text, time: Timestamp, probation: Option<Probation>) {
        let day = time.0.div_euclid(DAY_MS) as i32;
        if let Some(place) = self.sights.iter().position(|sight| sight.key == key) {
            let sight = &mut self.sights[place];
            sight.n += 1;
            if day > sight.last_day {
                sight.last_day = day;
                sight.days = sight.days.saturating_add(1);
            }
            sight.first = sight.first.min(time);
            sight.trusted = sight.trusted
                || probation.is_none_or(|rule| sight.days >= rule.days && time - sight.first >= rule.age_ms);
            // What is frequent moves to the front, which keeps the linear search short.
            if place > 0 && self.sights[place - 1].n < self.sights[place].n {
                self.sights.swap(place - 1, place);
            }
            return;
        }
        if self.sights.len() >= self.capacity.max(1) {
            self.evict();
        }
        let trusted = probation.is_none();
        self.sights.push(Sight { key, label: cut(label()), n: 1, first: time, last_day: day, days: 1, trusted });
    }

    fn evict(&mut self) {
        let least = self.sights.iter().enumerate().min_by_key(|(_, sight)| (sight.trusted, sight.n, sight.last_day));
        if let Some((place, _)) = least {
            self.sights.remove(place);
            self.evicted = self.evicted.saturating_add(1);
        }
    }

    /// Distinct things that are part of the norm.
    #[must_use]
    pub fn n_trusted(&self) -> usize {
        self.sights.iter().filter(|sight| sight.trusted).count()
    }

    /// Whether more distinct things came than there is room for: then a new one says little.
    #[must_use]
    pub const fn overflowed(&self) -> bool {
        self.evicted > 0
    }

    #[must_use]
    pub const fn len(&self) -> usize {
        self.sights.len()
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.sights.is_empty()
    }

    /// Labels and counts of what is trusted, most frequent first.
    #[must_use]
    pub fn top(&self, n: usize) -> Vec<(Text, u64)> {
        let mut known: Vec<_> = self.sights.iter().filter(|sight| sight.trusted).collect();
        known.sort_by(|a, b| b.n.cmp(&a.n).then_with(|| a.label.cmp(&b.label)));
        known.into_iter().take(n).map(|sight| (sight.label.clone(), sight.n)).collect()
    }
}

fn cut(label: Text) -> Text {
    if label.len() <= LABEL_BYTES {
        return label;
    }
    let mut end = LABEL_BYTES;
    while !label.is_char_boundary(end) {
        end -= 1;
    }
    Text::from(&label[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: Option<Probation> = Some(Probation { days: 3, age_ms: 2 * DAY_MS });

    #[test]
    fn a_late_comer_is_trusted_after_probation_only() {
        let mut seen = Seen::new(8);
        seen.note(1, || "home".into(), Timestamp(0), None);
        assert_eq!(seen.novelty(1), Novelty::Known);
        assert_eq!(seen.novelty(2), Novelty::New);
        for minute in 0..1_000 {
            seen.note(2, || "abroad".into(), Timestamp(minute * 60_000), RULE);
        }
        assert_eq!(seen.novelty(2), Novelty::Probation, "many calls on one day are not a habit");
        for day in 1..4 {
            seen.note(2, || "abroad".into(), Timestamp(day * DAY_MS), RULE);
        }
        assert_eq!(seen.novelty(2), Novelty::Known);
    }

    #[test]
    fn stays_bounded_and_keeps_what_is_trusted() {
        let mut seen = Seen::new(4);
        seen.note(1, || "home".into(), Timestamp(0), None);
        for other in 10..1_000 {
            seen.note(other, || "x".repeat(500).into(), Timestamp(1), RULE);
        }
        assert_eq!((seen.len(), seen.novelty(1), seen.overflowed()), (4, Novelty::Known, true));
        assert_eq!(seen.top(9), vec![("home".into(), 1)]);
    }
}
