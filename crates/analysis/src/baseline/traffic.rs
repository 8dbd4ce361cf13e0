//! Recent traffic in minutes and hours, bounded, for charts.

use std::collections::VecDeque;

use riskgraph_domain::Timestamp;
use riskgraph_domain::time::{HOUR_MS, MINUTE_MS};
use serde::{Deserialize, Serialize};

/// Minutes kept: two days.
const MINUTES_MAX: usize = 48 * 60;
/// Hours kept: sixty days.
const HOURS_MAX: usize = 60 * 24;

/// Counts of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    pub calls: u32,
    pub errors: u32,
    pub records: u64,
}

impl Tally {
    const fn add(&mut self, other: Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.errors = self.errors.saturating_add(other.errors);
        self.records = self.records.saturating_add(other.records);
    }
}

/// Tallies of the steps that had traffic, sorted by step; at most 24 bytes each.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Steps(VecDeque<(i64, Tally)>);

impl Steps {
    fn add(&mut self, step: i64, tally: Tally, capacity: usize) {
        let place = match self.0.back() {
            Some(&(last, _)) if last == step => Ok(self.0.len() - 1),
            Some(&(last, _)) if last < step => Err(self.0.len()),
            _ => self.0.binary_search_by_key(&step, |&(at, _)| at),
        };
        match place {
            Ok(place) => self.0[place].1.add(tally),
            Err(0) if self.0.len() >= capacity => {} // older than all that is kept
            Err(place) => {
                self.0.insert(place, (step, tally));
                if self.0.len() > capacity {
                    self.0.pop_front();
                }
            }
        }
    }

    /// Sum over steps in `from .. to`.
    fn sum(&self, from: i64, to: i64) -> Tally {
        let first = self.0.partition_point(|&(at, _)| at < from);
        let mut sum = Tally::default();
        for &(_, tally) in self.0.range(first..).take_while(|&&(at, _)| at < to) {
            sum.add(tally);
        }
        sum
    }
}

/// Two days of minutes and sixty days of hours: at most 104 kB when every one had traffic.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Recent {
    minutes: Steps,
    hours: Steps,
}

impl Recent {
    /// Counts one call.
    pub fn add(&mut self, time: Timestamp, tally: Tally) {
        self.minutes.add(time.0.div_euclid(MINUTE_MS), tally, MINUTES_MAX);
        self.hours.add(time.0.div_euclid(HOUR_MS), tally, HOURS_MAX);
    }

    /// What was counted in `from .. to`: by minutes where they are kept, else by whole hours.
    #[must_use]
    pub fn sum(&self, from: Timestamp, to: Timestamp) -> Tally {
        let oldest_minute = self.minutes.0.front().map_or(i64::MAX, |&(at, _)| at);
        let whole_hours = from.0.rem_euclid(HOUR_MS) == 0 && to.0.rem_euclid(HOUR_MS) == 0;
        if whole_hours || from.0.div_euclid(MINUTE_MS) < oldest_minute {
            self.hours.sum(from.0.div_euclid(HOUR_MS), (to.0 + HOUR_MS - 1).div_euclid(HOUR_MS))
        } else {
            self.minutes.sum(from.0.div_euclid(MINUTE_MS), (to.0 + MINUTE_MS - 1).div_euclid(MINUTE_MS))
        }
    }

    /// The newest minute with traffic.
    #[must_use]
    pub fn latest(&self) -> Option<Timestamp> {
        self.minutes.0.back().map(|&(at, _)| Timestamp(at.saturating_mul(MINUTE_MS)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_shuffled_minutes_and_forgets_the_oldest() {
        let mut recent = Recent::default();
        let one = Tally { calls: 1, errors: 0, records: 5 };
        for minute in [3, 1, 2, 2, 70, 5] {
            recent.add(Timestamp(minute * MINUTE_MS), one);
        }
        let sum = |from: i64, to: i64| recent.sum(Timestamp(from * MINUTE_MS), Timestamp(to * MINUTE_MS)).calls;
        assert_eq!((sum(1, 3), sum(3, 60), sum(0, 120), sum(61, 70)), (3, 2, 6, 0));
        for minute in 0..5_000 {
            recent.add(Timestamp(minute * MINUTE_MS), one);
        }
        assert_eq!(recent.minutes.0.len(), MINUTES_MAX);
        recent.add(Timestamp(0), one);
        assert_eq!(recent.minutes.0.len(), MINUTES_MAX);
    }
}
