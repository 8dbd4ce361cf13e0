//! Typical amounts, of one payer and of everybody, on a logarithmic scale.

use serde::{Deserialize, Serialize};

/// Amounts kept of one payer: enough for a median, few enough to follow a change of habit.
const KEPT: usize = 12;
/// Spread below which two amounts are not told apart: a factor of 1.35.
const SPREAD_MIN: f64 = 0.3;
/// Bins of everybody's amounts: a quarter of a factor e each, up to e^20 minor units (4.8 million in main units).
const BINS: usize = 80;
const BIN_WIDTH: f64 = 0.25;
/// Payments after which the counts are halved, so that the shop's prices may change.
const TOTAL_MAX: u32 = 200_000;
/// Payments between two looks at the medians.
const REFRESH: u32 = 256;
/// What a shop's amounts look like before any is known: around 30.00, within a factor of three.
const CENTER: f64 = 8.0;
const SPREAD: f64 = 1.0;
/// Makes a median absolute deviation comparable with a standard deviation.
const MAD_TO_SIGMA: f64 = 1.482_6;

/// The latest amounts of one payer. 80 bytes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Amounts {
    latest: [f32; KEPT],
    n: u32,
}

impl Amounts {
    pub(super) fn learn(&mut self, amount: f64) {
        let place = self.n as usize % KEPT;
        if let Some(slot) = self.latest.get_mut(place) {
            *slot = amount as f32;
        }
        self.n = self.n.saturating_add(1);
    }

    /// Median and robust spread, drawn to everybody's with the weight of `prior` payments.
    pub(super) fn typical(&self, center: f64, spread: f64, prior: f64) -> (f64, f64) {
        let n = (self.n as usize).min(KEPT);
        if n == 0 {
            return (center, spread);
        }
        let mut sorted = self.latest;
        let own = median(&mut sorted[..n]);
        let mut distances = self.latest.map(|amount| (amount - own).abs());
        let own_spread = (f64::from(median(&mut distances[..n])) * MAD_TO_SIGMA).max(SPREAD_MIN);
        let weight = n as f64 / (n as f64 + prior);
        (
            f64::from(own) * weight + center * (1.0 - weight),
            (own_spread * own_spread * weight + spread * spread * (1.0 - weight)).sqrt(),
        )
    }
}

fn median(values: &mut [f32]) -> f32 {
    values.sort_unstable_by(f32::total_cmp);
    let middle = values.len() / 2;
    let upper = values.get(middle).copied().unwrap_or_default();
    match values.len() % 2 {
        0 => (upper + values.get(middle.saturating_sub(1)).copied().unwrap_or(upper)) / 2.0,
        _ => upper,
    }
}

/// Everybody's amounts. 400 bytes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Everybody {
    bins: Vec<u32>,
    total: u32,
    typical: Option<(f64, f64)>,
    n_since: u32,
}

impl Everybody {
    pub(super) fn learn(&mut self, amount: f64) {
        self.bins.resize(BINS, 0);
        if let Some(bin) = self.bins.get_mut(bin(amount)) {
            *bin += 1;
        }
        self.total += 1;
        if self.total >= TOTAL_MAX {
            self.bins.iter_mut().for_each(|bin| *bin /= 2);
            self.total = self.bins.iter().sum();
        }
        self.n_since += 1;
        if self.n_since >= REFRESH {
            self.n_since = 0;
            let (low, middle, high) = (self.quantile(0.16), self.quantile(0.5), self.quantile(0.84));
            self.typical = Some((middle, ((high - low) / 2.0).max(SPREAD_MIN)));
        }
    }

    /// Middle and spread of all amounts.
    pub(super) fn typical(&self) -> (f64, f64) {
        self.typical.unwrap_or((CENTER, SPREAD))
    }

    /// In how many decimal digits the share of amounts as large as this is small: 3 for one in a thousand.
    pub(super) fn rarity(&self, amount: f64) -> f64 {
        let above: u32 = self.bins.iter().skip(bin(amount)).sum();
        -((f64::from(above) + 1.0) / (f64::from(self.total) + 2.0)).log10()
    }

    fn quantile(&self, share: f64) -> f64 {
        let wanted = share * f64::from(self.total);
        let mut seen = 0.0;
        for (place, n) in self.bins.iter().enumerate() {
            let n = f64::from(*n);
            if seen + n >= wanted && n > 0.0 {
                return (place as f64 + (wanted - seen) / n) * BIN_WIDTH;
            }
            seen += n;
        }
        CENTER
    }
}

fn bin(amount: f64) -> usize {
    ((amount.max(0.0) / BIN_WIDTH) as usize).min(BINS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_outlier_moves_neither_median_nor_spread() {
        let mut amounts = Amounts::default();
        for amount in [7.0, 7.2, 7.1, 12.0, 7.0, 7.3, 7.1] {
            amounts.learn(amount);
        }
        let (center, spread) = amounts.typical(7.0, 1.0, 0.0);
        assert!((center - 7.1).abs() < 0.01 && spread < 0.5, "{center} {spread}");
        let (center, _) = Amounts::default().typical(7.5, 1.0, 3.0);
        assert!((center - 7.5).abs() < 1e-9);
    }

    #[test]
    fn everybody_has_a_middle_and_a_tail() {
        let mut everybody = Everybody::default();
        for n in 0..10_000_u32 {
            everybody.learn(6.0 + f64::from(n % 100) / 25.0);
        }
        let (center, spread) = everybody.typical();
        assert!((center - 8.0).abs() < 0.2 && (spread - 1.36).abs() < 0.2, "{center} {spread}");
        assert!(everybody.rarity(14.0) > 3.5 && everybody.rarity(6.0) < 0.1);
    }
}
