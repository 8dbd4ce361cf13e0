//! Robotic clients of one fingerprint that read one template.

use riskgraph_domain::time::HOUR_MS;
use riskgraph_domain::{Text, Timestamp};
use serde::{Deserialize, Serialize};

use super::super::draft::{log_ramp, ramp};
use super::config::ScrapingConfig;
use super::over;
use super::page::Page;
use crate::baseline::Counted;
use crate::keyed::Key;

/// Addresses named in a signal.
const ADDRESSES_MAX: usize = 12;
/// Addresses from which a group is a crowd.
const CROWD_MIN: f64 = 5.0;
const CROWD_MANY: f64 = 50.0;
/// Share of steps up from which ids come in order; shuffled ones are at a half.
const ORDERED_SHARE: f64 = 0.75;

/// A group and what it read in its window. 1.8 kB.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Group {
    pub(super) start: Timestamp,
    pub(super) last: Timestamp,
    pub(super) requests: u64,
    pub(super) items: Counted,
    pub(super) addresses: Counted,
    pub(super) networks: Counted,
    pub(super) sample: Vec<Text>,
    last_number: u64,
    ups: u32,
    moves: u32,
    pub(super) told: f64,
}

/// Clients of one fingerprint, by what they turned out to be.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Print {
    pub(super) robotic: Counted,
    pub(super) human: Counted,
}

impl Print {
    /// Share of robotic clients among the decided ones.
    pub(super) fn robotic_share(&self) -> f64 {
        let (robotic, human) = (self.robotic.count() as f64, self.human.count() as f64);
        robotic / (robotic + human).max(1.0)
    }
}

/// What is usual around a group.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings {
    pub(super) catalogue: u64,
    pub(super) robotic_share: f64,
    pub(super) assets_usual: bool,
    pub(super) links_usual: bool,
}

/// Shares of the score of a group.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shares {
    pub(super) coverage: f64,
    pub(super) unrepeated: f64,
    pub(super) addresses: f64,
    pub(super) all_robotic: f64,
    pub(super) ordered: f64,
    pub(super) no_assets: f64,
    pub(super) no_referrers: f64,
    /// Share of the catalogue that was read.
    pub(super) covered: f64,
}

impl Shares {
    pub(super) fn sum(&self) -> f64 {
        let shape = self.coverage + self.unrepeated + self.addresses + self.all_robotic;
        shape + self.ordered + self.no_assets + self.no_referrers
    }
}

impl Group {
    /// Starts anew when the window is over.
    pub(super) fn roll(&mut self, time: Timestamp, config: &ScrapingConfig) {
        if self.requests == 0 || over(self.start, time, config.window_h * HOUR_MS) {
            *self = Self { start: time, last: time, ..Self::default() };
        }
    }

    /// Takes one item read in.
    pub(super) fn add(&mut self, item: Key, page: &Page, time: Timestamp) {
        self.start = self.start.min(time);
        self.last = self.last.max(time);
        self.requests += 1;
        self.items.insert(item);
        self.networks.insert(page.wide);
        if self.addresses.insert(page.client) && self.sample.len() < ADDRESSES_MAX {
            let ip = Text::from(page.ip);
            if !self.sample.contains(&ip) {
                self.sample.push(ip);
            }
        }
        if let Some(number) = page.number.filter(|_| item == page.item) {
            if self.last_number > 0 && number != self.last_number {
                self.moves = self.moves.saturating_add(1);
                self.ups = self.ups.saturating_add(u32::from(number > self.last_number));
            }
            self.last_number = number;
        }
    }

    pub(super) fn weigh(&self, surroundings: &Surroundings, config: &ScrapingConfig) -> Shares {
        let weights = &config.weights;
        let n = self.items.count() as f64;
        let covered = n / surroundings.catalogue.max(config.catalogue_min) as f64;
        let share = |on: bool, weight: f64| if on { weight } else { 0.0 };
        // Whoever reads the catalogue once meets few items twice; a crowd drawn to what is popular meets them often.
        let fresh = n / self.requests.max(1) as f64;
        let passes = (-(1.0 - covered.min(0.99)).ln() / covered.max(1e-6)).recip();
        // Distinct items of independent even draws would be `passes` of the requests; popular ones far fewer.
        let unrepeated = ramp(fresh, 0.6 * passes, 0.9 * passes);
        let all_robotic = ramp(surroundings.robotic_share, 0.3, 0.8);
        // Where nobody's assets and links are seen, some visits of people look robotic too: then it takes a
        // fingerprint of robots only.
        let tells_apart = surroundings.assets_usual || surroundings.links_usual;
        let trust = if tells_apart { 1.0 } else { 0.3 + 0.7 * all_robotic };
        // Shape without coverage is a few strange clients, not a scrape.
        let begun = 0.6 + 0.4 * ramp(covered, 0.01, 0.06);
        let of_many = trust * (0.3 + 0.7 * unrepeated);
        Shares {
            coverage: (weights.coverage * ramp(covered, 0.01, 0.06)
                + weights.coverage_more * log_ramp(covered, 0.06, 0.6))
                * of_many,
            unrepeated: begun * weights.unrepeated * unrepeated * trust,
            addresses: begun * weights.many_addresses * log_ramp(self.addresses.count() as f64, CROWD_MIN, CROWD_MANY),
            all_robotic: begun * weights.all_robotic * all_robotic,
            ordered: share(
                self.moves >= 50 && f64::from(self.ups) >= ORDERED_SHARE * f64::from(self.moves),
                weights.ordered,
            ),
            no_assets: share(surroundings.assets_usual, weights.no_assets),
            no_referrers: share(surroundings.links_usual, weights.no_referrers),
            covered,
        }
    }
}
