//! Too many new alerts at once: when it begins, which alert stands for the rest, when it is over.

use std::collections::{BTreeMap, VecDeque};

use riskgraph_domain::{AlertId, Text, Timestamp};
use serde::{Deserialize, Serialize};

use super::config::StormConfig;

/// Detectors counted one by one; the product has some twenty.
const DETECTORS_MAX: usize = 64;
/// A count that was not told is told once nothing was folded for this long.
const SETTLED_MS: i64 = 5_000;
/// Stands for all detectors together.
const TOTAL: &str = "*";

/// Openings of one detector, or of all.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Openings {
    /// The newest, oldest first.
    times: VecDeque<Timestamp>,
    storm: Option<Storm>,
}

/// A storm under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Storm {
    /// The alert that stands for it, once it is made.
    summary: Option<AlertId>,
    since: Timestamp,
    last: Timestamp,
    folded: u32,
    /// `folded` when the summary was told last.
    told: u32,
}

/// Counts of openings and the storms among them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Storms {
    by: BTreeMap<Text, Openings>,
}

/// A new alert that is part of a storm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hit {
    /// The detector, or [`TOTAL`].
    pub key: Text,
    /// The alert that stands for the storm, when there is one.
    pub summary: Option<AlertId>,
    pub since: Timestamp,
    /// Alerts folded so far, with this one.
    pub folded: u32,
}

/// A storm that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Over {
    pub summary: AlertId,
}

/// A storm's key in a sentence.
pub(crate) fn noun(key: &str) -> &str {
    if key == TOTAL { "all detectors" } else { key }
}

impl Storms {
    /// Counts a new alert. A storm of its own detector comes before one of all.
    pub(super) fn open(&mut self, detector: &Text, now: Timestamp, config: &StormConfig) -> Option<Hit> {
        let is_counted = self.by.contains_key(detector) || self.by.len() < DETECTORS_MAX;
        let own = if is_counted {
            self.count(detector, config.per_detector_max, now, config.window_ms())
        } else {
            Calm::Calm
        };
        let all = self.count(&Text::from(TOTAL), config.total_max, now, config.window_ms());
        if own == Calm::Storm {
            self.hit(detector, now)
        } else if all == Calm::Storm {
            self.hit(&Text::from(TOTAL), now)
        } else {
            None
        }
    }

    fn count(&mut self, key: &Text, max: usize, now: Timestamp, window_ms: i64) -> Calm {
        let openings = self.by.entry(key.clone()).or_default();
        // What lies ahead of now was counted by a clock that was wrong.
        openings.times.retain(|&time| (now - time).abs() <= window_ms);
        let calm = if openings.times.len() >= max { Calm::Storm } else { Calm::Calm };
        openings.times.push_back(now);
        while openings.times.len() > max {
            openings.times.pop_front();
        }
        calm
    }

    fn hit(&mut self, key: &Text, now: Timestamp) -> Option<Hit> {
        let openings = self.by.get_mut(key)?;
        let since = openings.times.front().copied().unwrap_or(now);
        let storm = openings.storm.get_or_insert(Storm { summary: None, since, last: now, folded: 0, told: 0 });
        storm.last = now;
        storm.folded = storm.folded.saturating_add(1);
        Some(Hit { key: key.clone(), summary: storm.summary, since: storm.since, folded: storm.folded })
    }

    /// Says which alert stands for a storm from now on.
    pub(crate) fn summarised(&mut self, key: &Text, summary: AlertId) {
        if let Some(storm) = self.by.get_mut(key).and_then(|openings| openings.storm.as_mut()) {
            storm.summary = Some(summary);
            storm.folded = 1;
        }
    }

    /// Notes that the summary was told with what is folded into it now.
    pub(crate) fn told(&mut self, key: &Text) {
        if let Some(storm) = self.by.get_mut(key).and_then(|openings| openings.storm.as_mut()) {
            storm.told = storm.folded;
        }
    }

    /// Summaries whose count was not told, of storms that pause.
    pub(crate) fn settled(&mut self, now: Timestamp) -> Vec<AlertId> {
        let storms = self.by.values_mut().filter_map(|openings| openings.storm.as_mut());
        let untold = storms.filter(|storm| is_settled(storm, now));
        untold
            .filter_map(|storm| {
                storm.told = storm.folded;
                storm.summary
            })
            .collect()
    }

    pub(super) fn any_due(&self, now: Timestamp, config: &StormConfig) -> bool {
        let settled = |openings: &Openings| openings.storm.as_ref().is_some_and(|storm| is_settled(storm, now));
        self.by.values().any(|openings| is_over(openings, now, config) || settled(openings))
    }

    /// Ends the storms in which nothing was folded for a window.
    pub(super) fn end(&mut self, now: Timestamp, config: &StormConfig) -> Vec<Over> {
        let over = self.by.values_mut().filter(|openings| is_over(openings, now, config));
        over.filter_map(|openings| openings.storm.take()?.summary.map(|summary| Over { summary })).collect()
    }
}

fn is_settled(storm: &Storm, now: Timestamp) -> bool {
    storm.told != storm.folded && (now - storm.last).abs() > SETTLED_MS
}

fn is_over(openings: &Openings, now: Timestamp, config: &StormConfig) -> bool {
    openings.storm.as_ref().is_some_and(|storm| (now - storm.last).abs() > config.window_ms())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Calm {
    Calm,
    Storm,
}

#[cfg(test)]
mod tests {
    use riskgraph_domain::time::MINUTE_MS;

    use super::*;

    const CONFIG: StormConfig = StormConfig { window_min: 10, per_detector_max: 3, total_max: 5 };
    const NOW: Timestamp = Timestamp(1_772_438_400_000);

    fn hit(storms: &mut Storms, detector: &str, minute: i64) -> Option<String> {
        storms.open(&detector.into(), NOW + minute * MINUTE_MS, &CONFIG).map(|hit| hit.key.to_string())
    }

    #[test]
    fn the_fourth_of_a_detector_and_the_sixth_of_all() {
        let mut storms = Storms::default();
        for minute in 0..3 {
            assert_eq!(hit(&mut storms, "a", minute), None);
        }
        assert_eq!(hit(&mut storms, "a", 3), Some("a".to_owned()));
        assert_eq!(hit(&mut storms, "b", 3), None);
        assert_eq!(hit(&mut storms, "b", 3), Some("*".to_owned()));
        assert_eq!(hit(&mut storms, "a", 3), Some("a".to_owned()));
    }

    #[test]
    fn it_lasts_as_long_as_alerts_come_that_fast() {
        let mut storms = Storms::default();
        let hits: Vec<bool> = (0..8).map(|minute| hit(&mut storms, "a", minute * 2).is_some()).collect();
        assert_eq!(hits, [false, false, false, true, true, true, true, true]);
        // Slower than the limit: no longer part of it.
        assert_eq!(hit(&mut storms, "a", 24), None);
        storms.summarised(&"a".into(), AlertId(7));
        storms.told(&"a".into());
        let at = |minute: i64| NOW + minute * MINUTE_MS;
        assert!(!storms.any_due(at(24), &CONFIG));
        assert!(storms.any_due(at(25), &CONFIG));
        assert_eq!(storms.end(at(25), &CONFIG), [Over { summary: AlertId(7) }]);
        assert!(!storms.any_due(at(25), &CONFIG));
    }

    #[test]
    fn a_clock_that_jumps_leaves_no_storm_behind() {
        let mut storms = Storms::default();
        for _ in 0..4 {
            hit(&mut storms, "a", 1_000_000);
        }
        assert!(storms.any_due(NOW, &CONFIG));
        assert_eq!(hit(&mut storms, "a", 0), None);
    }
}
