//! One group of logins (a fingerprint, an agent, a network, or everybody) in sliding windows of event time.

use riskgraph_domain::{Text, Timestamp};
use serde::{Deserialize, Serialize};

use super::super::config::StuffingConfig;
use crate::window::{Buckets, Fading, Shape};

/// Samples of those who took part, for the reader.
const SAMPLES_MAX: usize = 6;

/// Counts of one bucket or one window. A "guess" is a failed login by someone the shop does not know from there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Counts {
    pub(super) successes: u32,
    /// Successes by someone not known from there.
    pub(super) strange_successes: u32,
    /// Failures by someone known from there.
    pub(super) familiar: u32,
    pub(super) guesses: u32,
    /// Guesses that the same person followed by a success: slips of the finger.
    pub(super) resolved: u32,
    pub(super) unknown_users: u32,
    /// Guesses whose user (whose address) had made none in the minute (in the ten minutes) before.
    pub(super) users_fast: u32,
    pub(super) users_slow: u32,
    pub(super) addresses_fast: u32,
    pub(super) addresses_slow: u32,
}

impl Counts {
    /// Adds (or with [`Self::less`] takes away) field by field.
    pub(super) fn plus(mut self, other: &Self) -> Self {
        self.successes += other.successes;
        self.strange_successes += other.strange_successes;
        self.familiar += other.familiar;
        self.guesses += other.guesses;
        self.resolved += other.resolved;
        self.unknown_users += other.unknown_users;
        self.users_fast += other.users_fast;
        self.users_slow += other.users_slow;
        self.addresses_fast += other.addresses_fast;
        self.addresses_slow += other.addresses_slow;
        self
    }

    /// What is left when another group's guesses are explained; its successes stay, they are no guesses.
    pub(super) fn less(mut self, other: &Self) -> Self {
        self.guesses = self.guesses.saturating_sub(other.guesses);
        self.resolved = self.resolved.saturating_sub(other.resolved);
        self.unknown_users = self.unknown_users.saturating_sub(other.unknown_users);
        self.users_fast = self.users_fast.saturating_sub(other.users_fast);
        self.users_slow = self.users_slow.saturating_sub(other.users_slow);
        self.addresses_fast = self.addresses_fast.saturating_sub(other.addresses_fast);
        self.addresses_slow = self.addresses_slow.saturating_sub(other.addresses_slow);
        self
    }

    /// Guesses that were no slips.
    pub(super) fn open_guesses(&self) -> f64 {
        f64::from(self.guesses.saturating_sub(self.resolved))
    }
}

/// The two windows looked at: a minute for speed, ten for low rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    Fast,
    Slow,
}

impl Span {
    pub(super) const fn ms(self, config: &StuffingConfig) -> i64 {
        match self {
            Self::Fast => config.fast_s * 1_000,
            Self::Slow => config.slow_s * 1_000,
        }
    }
    pub(super) const fn users(self, counts: &Counts) -> u32 {
        match self {
            Self::Fast => counts.users_fast,
            Self::Slow => counts.users_slow,
        }
    }
    pub(super) const fn addresses(self, counts: &Counts) -> u32 {
        match self {
            Self::Fast => counts.addresses_fast,
            Self::Slow => counts.addresses_slow,
        }
    }
    pub(super) const fn excess_min(self, config: &StuffingConfig) -> f64 {
        match self {
            Self::Fast => config.fast_excess_min,
            Self::Slow => config.slow_excess_min,
        }
    }
}

/// What the last report of a group said.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Attack {
    /// Event time of the latest guess while it went on.
    pub(super) last: Timestamp,
    pub(super) started: Timestamp,
    /// Guesses since it began, and how many there must be to report again.
    pub(super) n_guesses: u32,
    pub(super) n_next: u32,
    pub(super) reported: f64,
}

/// State of one group. Memory: 300 bytes, 48 for each live bucket (at most 240), 60 for each of 6 samples.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Group {
    buckets: Buckets<Counts>,
    successes: Fading,
    guesses: Fading,
    recent_successes: Fading,
    pub(super) attack: Option<Attack>,
    pub(super) samples: Vec<(Text, Text)>,
    n_sampled: u32,
}

impl Group {
    /// The bucket of an instant; late beyond all buckets it is a throw-away.
    pub(super) fn count(&mut self, shape: Shape, time: Timestamp, change: impl FnOnce(&mut Counts)) {
        if let Some(bucket) = self.buckets.at(shape, time) {
            change(bucket);
        }
    }

    /// All counts of the window that ends at an instant.
    pub(super) fn window(&self, shape: Shape, end: Timestamp, span_ms: i64) -> Counts {
        self.buckets.within(shape, end, span_ms).fold(Counts::default(), Counts::plus)
    }

    /// Learns the group's normal. Not called while it is under attack.
    pub(super) fn learn(&mut self, time: Timestamp, half_life_ms: f64, success: f64, guess: f64) {
        self.successes.add(time, success, half_life_ms);
        self.guesses.add(time, guess, half_life_ms);
    }

    /// Learns how many successes come.
    pub(super) fn rate(&mut self, time: Timestamp, half_life_ms: f64) {
        self.recent_successes.add(time, 1.0, half_life_ms);
    }

    /// Guesses for each success in normal times, drawn to `prior` as long as little is known.
    pub(super) fn normal(&self, time: Timestamp, half_life_ms: f64, prior: f64, prior_weight: f64) -> f64 {
        let (successes, guesses) = (self.successes.at(time, half_life_ms), self.guesses.at(time, half_life_ms));
        (guesses.max(0.0) + prior * prior_weight) / (successes + prior_weight)
    }

    /// Successes to expect in a span, by the learned rate.
    pub(super) fn successes_expected(&self, time: Timestamp, half_life_ms: f64, span_ms: i64) -> f64 {
        self.recent_successes.at(time, half_life_ms) * std::f64::consts::LN_2 * span_ms as f64 / half_life_ms
    }

    /// Whether the group is attacking at this instant.
    pub(super) fn is_hot(&self, time: Timestamp, gap_ms: i64) -> bool {
        self.attack.as_ref().is_some_and(|attack| time - attack.last <= gap_ms && attack.started - time <= gap_ms)
    }

    pub(super) fn sample(&mut self, address: Text, person: Text) {
        let place = self.n_sampled as usize % SAMPLES_MAX;
        self.n_sampled = self.n_sampled.wrapping_add(1);
        if self.samples.len() < SAMPLES_MAX {
            self.samples.push((address, person));
        } else if let Some(sample) = self.samples.get_mut(place) {
            *sample = (address, person);
        }
    }
}
