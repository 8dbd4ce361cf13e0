//! Growth that no norm should follow: days that climb steadily above the drift-capped norm.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::super::config::RampConfig;
use crate::baseline::{Hour, Seasonal};

/// Days of ratios kept.
const DAYS_MAX: usize = 21;
/// Days of a week.
const WEEK: usize = 7;
/// Days learned before growth means anything: a whole week and a spare.
const YOUNG_DAYS: u16 = 8;

/// Daily records against their drift-capped norm. About 250 bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in super::super) struct Ramp {
    norm: Seasonal,
    day: i64,
    records: u64,
    ratios: VecDeque<f64>,
    told: f64,
}

/// A ramp worth telling.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) struct Grown {
    pub(in super::super) weight: f64,
    pub(in super::super) days: usize,
    pub(in super::super) ratio: f64,
    pub(in super::super) ratio_before: f64,
    pub(in super::super) records: u64,
}

impl Ramp {
    pub(super) fn new(drift: f64) -> Self {
        Self { norm: Seasonal::new(WEEK, 1, drift), day: 0, records: 0, ratios: VecDeque::new(), told: 0.0 }
    }

    /// Takes a finished hour; some when it ends a day that makes a ramp, once for each weight.
    pub(super) fn close_hour(&mut self, hour: &Hour, config: &RampConfig) -> Option<Grown> {
        let day = hour.hour.div_euclid(24);
        let grown = if day == self.day { None } else { self.close_day(config) };
        if day != self.day {
            (self.day, self.records) = (day, 0);
        }
        self.records = self.records.saturating_add(hour.records);
        grown
    }

    fn close_day(&mut self, config: &RampConfig) -> Option<Grown> {
        if self.records == 0 {
            return None; // a day of silence says nothing about growth
        }
        let place = self.day.rem_euclid(WEEK as i64) as usize;
        let expected = self.norm.band(place).expected;
        let young = self.norm.n_samples() < YOUNG_DAYS;
        self.norm.learn(place, self.records as f64);
        if young || expected <= 0.0 {
            return None;
        }
        self.ratios.push_back(self.records as f64 / expected);
        if self.ratios.len() > DAYS_MAX {
            self.ratios.pop_front();
        }
        self.judge(config)
    }

    fn judge(&mut self, config: &RampConfig) -> Option<Grown> {
        let n_above = self.ratios.iter().rev().take_while(|&&ratio| ratio >= config.ratio).count();
        if n_above < config.days {
            if n_above == 0 {
                self.told = 0.0;
            }
            return None;
        }
        // A sale or a new customer is a step; poison climbs in small ones, also in the days before it stood out.
        let first = self.ratios.len().saturating_sub(n_above + config.days);
        let recent: Vec<f64> = self.ratios.iter().skip(first).copied().collect();
        let steady = recent.windows(2).all(|pair| pair[1] / pair[0].max(1e-9) <= config.step_max);
        let (ratio, before) = (*recent.last()?, *recent.first()?);
        let weight = if ratio >= config.ratio_high { config.weight_high } else { config.weight };
        if !steady || ratio < before || weight <= self.told {
            return None;
        }
        self.told = weight;
        Some(Grown { weight, days: n_above, ratio, ratio_before: before, records: self.records })
    }
}
