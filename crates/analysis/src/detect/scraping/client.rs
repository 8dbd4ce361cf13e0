//! One address with one fingerprint.

use riskgraph_domain::Timestamp;
use riskgraph_domain::time::{HOUR_MS, MINUTE_MS};
use serde::{Deserialize, Serialize};

use super::super::draft::log_ramp;
use super::config::ScrapingConfig;
use super::over;
use super::page::{Asked, Page};
use crate::baseline::Counted;
use crate::keyed::Key;

/// Items of one template after which a client that did nothing else is robotic.
pub(super) const FIRST: usize = 3;
/// Pages a minute that no person reads for long.
const FAST_PER_MIN: f64 = 20.0;

/// What a client turned out to be, by this request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing is decided yet.
    Open,
    /// Robotic by this request; its first items.
    Robotic([Key; FIRST]),
    /// Robotic before, and still.
    Still,
    /// A person's browser, by this request or before.
    Human,
}

/// Requests of one client in its window. 250 bytes, 900 at most.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Client {
    pub(super) start: Timestamp,
    pub(super) last: Timestamp,
    pub(super) pages: u32,
    pub(super) assets: u32,
    pub(super) referred: u32,
    /// Distinct pages found.
    pub(super) items: Counted,
    template: u64,
    first: [Key; FIRST],
    n_first: u8,
    human: bool,
    robotic: bool,
    pub(super) told: f64,
}

/// What is usual around a client.
#[derive(Debug, Clone, Copy)]
pub(super) struct Surroundings {
    /// Distinct pages that clients usually stay below.
    pub(super) usual: f64,
    pub(super) assets_usual: bool,
    pub(super) links_usual: bool,
}

/// Shares of the score of one client.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shares {
    pub(super) pages: f64,
    pub(super) unrepeated: f64,
    pub(super) fast: f64,
    pub(super) no_assets: f64,
    pub(super) no_referrers: f64,
}

impl Shares {
    pub(super) fn sum(&self) -> f64 {
        self.pages + self.unrepeated + self.fast + self.no_assets + self.no_referrers
    }
}

impl Client {
    /// Starts anew when the window is over.
    pub(super) fn roll(&mut self, time: Timestamp, config: &ScrapingConfig) {
        if self.pages + self.assets == 0 || over(self.start, time, config.window_h * HOUR_MS) {
            *self = Self { start: time, last: time, ..Self::default() };
        }
    }

    /// Takes a request in.
    pub(super) fn add(&mut self, page: &Page, time: Timestamp) -> Turn {
        self.start = self.start.min(time);
        self.last = self.last.max(time);
        if page.asked == Asked::Asset {
            self.assets = self.assets.saturating_add(1);
        } else {
            self.pages = self.pages.saturating_add(1);
            self.referred = self.referred.saturating_add(u32::from(page.referred));
            if page.found {
                self.items.insert(page.item);
            }
        }
        self.decide(page)
    }

    fn decide(&mut self, page: &Page) -> Turn {
        let elsewhere = page.asked == Asked::Other || (self.n_first > 0 && page.template != self.template);
        let robots_file = page.path == "/robots.txt";
        if page.asked == Asked::Asset || page.referred || page.known_user || (elsewhere && !robots_file) {
            self.human = true;
        }
        if self.human {
            return Turn::Human;
        }
        if self.robotic {
            return Turn::Still;
        }
        if page.asked == Asked::Item && page.found && !self.first[..usize::from(self.n_first)].contains(&page.item) {
            self.template = page.template;
            if let Some(free) = self.first.get_mut(usize::from(self.n_first)) {
                *free = page.item;
                self.n_first += 1;
            }
        }
        if usize::from(self.n_first) < FIRST {
            return Turn::Open;
        }
        self.robotic = true;
        Turn::Robotic(self.first)
    }

    pub(super) fn weigh(&self, surroundings: &Surroundings, config: &ScrapingConfig) -> Shares {
        let weights = &config.weights;
        let n = self.items.count() as f64;
        let excess = n / surroundings.usual;
        if excess < 1.0 {
            return Shares::default();
        }
        let pages = f64::from(self.pages.max(1));
        let share = |on: bool, weight: f64| if on { weight } else { 0.0 };
        let minutes = ((self.last - self.start) as f64 / MINUTE_MS as f64).max(1.0);
        Shares {
            pages: weights.alone + weights.alone_more * log_ramp(excess, 1.0, 8.0),
            unrepeated: share(n >= 0.8 * pages, weights.alone_unrepeated),
            fast: share(pages / minutes >= FAST_PER_MIN, weights.alone_fast),
            no_assets: share(surroundings.assets_usual && f64::from(self.assets) <= 0.03 * pages, weights.no_assets),
            no_referrers: share(
                surroundings.links_usual && f64::from(self.referred) <= 0.03 * pages,
                weights.no_referrers,
            ),
        }
    }
}
