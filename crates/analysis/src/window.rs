//! Counters by event time.
//!
//! Events come shuffled and late, so a window is a sorted list of buckets, each found by the event's own time; nothing
//! here moves with the wall clock. Buckets are bounded by number, not by age: one event dated in the future takes one
//! place and pushes nothing else out.

use std::collections::VecDeque;

use riskgraph_domain::Timestamp;
use serde::{Deserialize, Serialize};

/// Buckets of `B`, each `step_ms` of event time wide, at most `n_max` of them (the oldest give way).
///
/// Memory: 56 bytes, and for each live bucket 8 bytes and a `B`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Buckets<B> {
    /// Sorted by number; the number is `time / step_ms`.
    live: VecDeque<(i64, B)>,
}

impl<B> Default for Buckets<B> {
    fn default() -> Self {
        Self { live: VecDeque::new() }
    }
}

/// The shape of [`Buckets`], kept outside of them so that a million windows do not repeat it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    pub step_ms: i64,
    pub n_max: usize,
}

impl Shape {
    /// The number of the bucket of this instant.
    #[must_use]
    pub const fn number(self, time: Timestamp) -> i64 {
        time.0.div_euclid(if self.step_ms > 0 { self.step_ms } else { 1 })
    }
}

impl<B: Default> Buckets<B> {
    /// The bucket of this instant, made empty when it is new; `None` when it is older than all that are kept.
    pub fn at(&mut self, shape: Shape, time: Timestamp) -> Option<&mut B> {
        let number = shape.number(time);
        let place = self.live.iter().rposition(|(n, _)| *n <= number);
        let found = place.filter(|&place| self.live.get(place).is_some_and(|(n, _)| *n == number));
        let place = match found {
            Some(place) => place,
            None => {
                let mut place = place.map_or(0, |place| place + 1);
                if self.live.len() >= shape.n_max.max(1) {
                    if place == 0 {
                        return None;
                    }
                    self.live.pop_front();
                    place -= 1;
                }
                self.live.insert(place, (number, B::default()));
                place
            }
        };
        self.live.get_mut(place).map(|(_, bucket)| bucket)
    }
}

impl<B> Buckets<B> {
    /// The buckets that touch `(end - span_ms, end]`, newest first.
    pub fn within(&self, shape: Shape, end: Timestamp, span_ms: i64) -> impl Iterator<Item = &B> {
        let (first, last) = (shape.number(end - (span_ms - 1).max(0)), shape.number(end));
        self.live
            .iter()
            .rev()
            .skip_while(move |(n, _)| *n > last)
            .take_while(move |(n, _)| *n >= first)
            .map(|(_, bucket)| bucket)
    }

    /// Live buckets.
    #[must_use]
    pub fn len(&self) -> usize {
        self.live.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.live.is_empty()
    }
}

/// A count that fades with event time: half of it is gone after each half-life. 16 bytes.
///
/// Late events add what they would have left by now, so the order of arrival does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Fading {
    amount: f64,
    at: Timestamp,
}

impl Fading {
    /// Adds an amount at an instant.
    pub fn add(&mut self, time: Timestamp, amount: f64, half_life_ms: f64) {
        if time >= self.at {
            self.amount = self.amount * fade(time - self.at, half_life_ms) + amount;
            self.at = time;
        } else {
            self.amount += amount * fade(self.at - time, half_life_ms);
        }
    }

    /// What is left at an instant (at an earlier one than the latest addition: what is left then).
    #[must_use]
    pub fn at(&self, time: Timestamp, half_life_ms: f64) -> f64 {
        self.amount * fade((time - self.at).max(0), half_life_ms)
    }
}

fn fade(age_ms: i64, half_life_ms: f64) -> f64 {
    if age_ms == 0 { 1.0 } else { (-(age_ms as f64) / half_life_ms.max(1.0)).exp2() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { step_ms: 10, n_max: 5 };

    fn sum(buckets: &Buckets<u32>, end: i64, span_ms: i64) -> u32 {
        buckets.within(SHAPE, Timestamp(end), span_ms).sum()
    }

    #[test]
    fn late_events_find_their_own_bucket() {
        let mut buckets: Buckets<u32> = Buckets::default();
        for time in [5, 45, 15, 7, 25, 44] {
            *buckets.at(SHAPE, Timestamp(time)).expect("kept") += 1;
        }
        assert_eq!((sum(&buckets, 9, 10), sum(&buckets, 19, 20), sum(&buckets, 49, 50)), (2, 3, 6));
        assert_eq!(sum(&buckets, 39, 10), 0);
    }

    #[test]
    fn the_future_takes_one_place_and_the_past_gives_way() {
        let mut buckets: Buckets<u32> = Buckets::default();
        *buckets.at(SHAPE, Timestamp(1_000_000)).expect("kept") += 1;
        for time in 0..10 {
            *buckets.at(SHAPE, Timestamp(time * 10)).expect("kept") += 1;
        }
        assert_eq!(buckets.len(), 5);
        assert_eq!(sum(&buckets, 99, 40), 4);
        assert!(buckets.at(SHAPE, Timestamp(3)).is_none());
    }

    #[test]
    fn fading_does_not_depend_on_order() {
        let (mut a, mut b) = (Fading::default(), Fading::default());
        for time in [10, 20, 30] {
            a.add(Timestamp(time), 1.0, 10.0);
        }
        for time in [30, 10, 20] {
            b.add(Timestamp(time), 1.0, 10.0);
        }
        assert!((a.at(Timestamp(40), 10.0) - b.at(Timestamp(40), 10.0)).abs() < 1e-12);
        assert!((a.at(Timestamp(40), 10.0) - 0.875).abs() < 1e-12);
    }
}
