//! Hours that still receive events, closed in order once late events can no longer be expected.

use std::collections::VecDeque;

use riskgraph_domain::Timestamp;
use riskgraph_domain::time::HOUR_MS;
use serde::{Deserialize, Serialize};

/// An hour closes this long after its end by event time: senders may be half an hour late.
const LATENESS_MS: i64 = 35 * 60_000;
/// A silence up to this many hours is learned as hours without calls; after a longer one the series starts anew.
const SILENCE_HOURS_MAX: i64 = 14 * 24;
/// Hours open at once: the running one, the one before, and one for a clock that is ahead.
const OPEN_MAX: usize = 4;

/// The finished counts of one hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Hour {
    /// Hours since the epoch.
    pub hour: i64,
    pub calls: u64,
    pub records: u64,
}

impl Hour {
    /// When it began.
    #[must_use]
    pub const fn start(&self) -> Timestamp {
        Timestamp(self.hour.saturating_mul(HOUR_MS))
    }
}

/// Counts per hour in event time.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct OpenHours {
    open: VecDeque<Hour>,
    /// The next hour to close.
    next: Option<i64>,
}

impl OpenHours {
    /// Counts a call; returns nothing when its hour is already closed.
    pub fn count(&mut self, time: Timestamp, records: u64) -> Option<Hour> {
        let hour = time.0.div_euclid(HOUR_MS);
        let next = *self.next.get_or_insert(hour);
        if hour < next {
            return None;
        }
        let place = match self.open.binary_search_by_key(&hour, |open| open.hour) {
            Ok(place) => place,
            Err(place) => {
                if self.open.len() >= OPEN_MAX {
                    return None;
                }
                self.open.insert(place, Hour { hour, ..Hour::default() });
                place
            }
        };
        let open = self.open.get_mut(place)?;
        open.calls += 1;
        open.records = open.records.saturating_add(records);
        Some(*open)
    }

    /// Hands out the hours that are over at this event time, silent ones in between included.
    pub fn close(&mut self, time: Timestamp, mut each: impl FnMut(Hour)) {
        let Some(mut next) = self.next else { return };
        let over = (time.0 - LATENESS_MS).div_euclid(HOUR_MS);
        if next >= over {
            return;
        }
        if over - next > SILENCE_HOURS_MAX {
            self.open.drain(..).filter(|hour| hour.hour < over).for_each(&mut each);
            self.next = Some(over);
            return;
        }
        while next < over {
            let is_open = self.open.front().is_some_and(|hour| hour.hour == next);
            let hour = if is_open { self.open.pop_front() } else { None };
            each(hour.unwrap_or(Hour { hour: next, ..Hour::default() }));
            next += 1;
        }
        self.next = Some(next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(minutes: &[i64]) -> Vec<(i64, u64)> {
        let mut hours = OpenHours::default();
        let mut closed = Vec::new();
        for minute in minutes {
            let time = Timestamp(minute * 60_000);
            hours.close(time, |hour| closed.push((hour.hour, hour.calls)));
            hours.count(time, 1);
        }
        closed
    }

    #[test]
    fn closes_in_order_with_late_and_silent_hours() {
        assert_eq!(run(&[0, 61, 30, 94, 96]), vec![(0, 2)]);
        assert_eq!(run(&[0, 4 * 60 + 40]), vec![(0, 1), (1, 0), (2, 0), (3, 0)]);
        assert_eq!(run(&[0, 5 * 60, 10]).len(), 4, "the late event changes no closed hour");
        assert!(run(&[0, 60 * 24 * 400]).len() <= 2, "a jump of a year is no year of silence");
    }
}
