//! A robust level for each place of a repeating season, such as the 168 hours of a week.
//!
//! Levels live in log space (`ln(1 + x)`), so that a rate of 10 and one of 10,000 are judged alike. Each place is shrunk
//! towards its fold (the same hour of any day) and that towards the overall level while it has few samples of its own
//! (James-Stein shrinkage, with sample counts for weights). Updates are clipped: one sample moves a settled level by
//! at most `drift / updates per season`, so that whoever controls the input moves the norm by at most `drift` a season
//! (the poisoning of scenario S14) and one wild hour does nothing. Dispersion is a clipped exponential mean of the
//! absolute residual, which is the scale of a Laplace distribution and robust in the same way.

use serde::{Deserialize, Serialize};

/// Samples of its own at which a place is believed half.
const PLACE_HALF: f64 = 1.5;
/// Samples of a fold at which it is believed half.
const FOLD_HALF: f64 = 3.0;
/// First samples of a place that enter as a plain mean, not clipped: there is no norm yet to defend.
const FREE: u16 = 3;
/// Weight of a new sample once a place is settled.
const GAIN: f32 = 0.2;
/// Dispersion in log space assumed before anything was learned: a factor of 1.5.
const SPREAD_START: f32 = 0.4;
/// Gain of the dispersion.
const SPREAD_GAIN: f32 = 0.03;
/// A residual enters the dispersion as at most this many dispersions.
const SPREAD_CLIP: f32 = 3.0;
/// Standard deviations of a Laplace distribution per unit of mean absolute residual.
const LAPLACE: f64 = std::f64::consts::SQRT_2;
/// The band shown and judged by: this many standard deviations each side.
const BAND_Z: f64 = 3.0;

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Level {
    /// Mean of `ln(1 + x)`.
    mean: f32,
    n: u16,
}

impl Level {
    /// Takes one sample; once settled the mean moves by at most `step`.
    fn learn(&mut self, x: f32, free: u16, step: f32) {
        if self.n < free {
            self.mean += (x - self.mean) / f32::from(self.n + 1);
        } else {
            self.mean += ((x - self.mean) * GAIN).clamp(-step, step);
        }
        self.n = self.n.saturating_add(1);
    }
}

/// What is expected at one place of the season.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    pub expected: f64,
    pub lower: f64,
    pub upper: f64,
    /// Standard deviation in log space.
    deviation: f64,
}

impl Band {
    /// Signed distance of a value from the expectation, in standard deviations of log space.
    #[must_use]
    pub fn z(&self, value: f64) -> f64 {
        (value.max(0.0).ln_1p() - self.expected.ln_1p()) / self.deviation
    }

    /// How odd a value is, 0 to 1: 0 within two deviations, 1 from six.
    #[must_use]
    pub fn anomaly(&self, value: f64) -> f64 {
        ((self.z(value).abs() - 2.0) / 4.0).clamp(0.0, 1.0)
    }
}

/// Learned level for each place of a season. 6 bytes a place and fold: 1.2 kB for the hours of a week.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Seasonal {
    places: Vec<Level>,
    folds: Vec<Level>,
    overall: Level,
    spread: f32,
    /// Largest learned change of a settled level in one season, in log space.
    drift: f32,
}

impl Seasonal {
    /// `places` of a season in `folds` (24 for hours of a week), learning at most `drift` (0.1 is 10 %) per season.
    #[must_use]
    pub fn new(places: usize, folds: usize, drift: f64) -> Self {
        Self {
            places: vec![Level::default(); places.max(1)],
            folds: vec![Level::default(); folds.max(1)],
            overall: Level::default(),
            spread: SPREAD_START,
            drift: drift.max(0.0).ln_1p() as f32,
        }
    }

    /// Takes the finished value of one place.
    pub fn learn(&mut self, place: usize, value: f64) {
        let x = value.max(0.0).ln_1p() as f32;
        let (n_places, n_folds) = (self.places.len(), self.folds.len());
        let place = place % n_places;
        if self.overall.n >= FREE {
            let residual = (x - self.level(place) as f32).abs().min(SPREAD_CLIP * self.spread);
            self.spread += (residual - self.spread) * SPREAD_GAIN;
        }
        let per_fold = (n_places / n_folds).max(1);
        self.places[place].learn(x, FREE, self.drift);
        self.folds[place % n_folds].learn(x, FREE, self.drift / per_fold as f32);
        // The overall level is free for a whole day of hours, or it would be that of the first three.
        self.overall.learn(x, FREE.max((n_folds as u16).min(24)), self.drift / n_places as f32);
    }

    /// Expected level in log space, shrunk.
    fn level(&self, place: usize) -> f64 {
        let own = self.places[place % self.places.len()];
        let fold = self.folds[place % self.folds.len()];
        let fold_share = f64::from(fold.n) / (f64::from(fold.n) + FOLD_HALF);
        let prior = fold_share * f64::from(fold.mean) + (1.0 - fold_share) * f64::from(self.overall.mean);
        let own_share = f64::from(own.n) / (f64::from(own.n) + PLACE_HALF);
        own_share * f64::from(own.mean) + (1.0 - own_share) * prior
    }

    /// What is expected at this place.
    #[must_use]
    pub fn band(&self, place: usize) -> Band {
        self.scaled(place, 1.0)
    }

    /// What is expected in a `share` (above 0) of this place's time, such as a minute of an hour.
    #[must_use]
    pub fn scaled(&self, place: usize, share: f64) -> Band {
        let expected = self.level(place).exp_m1().max(0.0) * share;
        // A count of mean m scatters by sqrt(m) even when the rate is steady: in log space by about 1 / sqrt(m + 1).
        let poisson = 1.0 / (expected + 1.0).sqrt();
        let deviation = (f64::from(self.spread) * LAPLACE).hypot(poisson);
        let level = expected.ln_1p();
        Band {
            expected,
            lower: (level - BAND_Z * deviation).exp_m1().max(0.0),
            upper: (level + BAND_Z * deviation).exp_m1(),
            deviation,
        }
    }

    /// Mean level over all places.
    #[must_use]
    pub fn overall(&self) -> f64 {
        f64::from(self.overall.mean).exp_m1().max(0.0)
    }

    /// Samples learned so far.
    #[must_use]
    pub const fn n_samples(&self) -> u16 {
        self.overall.n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Value of a working-hours shop at an hour of the week.
    fn usual(hour: usize) -> f64 {
        if (8..18).contains(&(hour % 24)) && hour < 120 { 200.0 } else { 10.0 }
    }

    fn learned(weeks: usize) -> Seasonal {
        let mut seasonal = Seasonal::new(168, 24, 0.1);
        for hour in 0..weeks * 168 {
            seasonal.learn(hour % 168, usual(hour % 168));
        }
        seasonal
    }

    #[test]
    fn learns_the_week() {
        let seasonal = learned(4);
        let check = |hour: usize, at_least: f64, at_most: f64| {
            let band = seasonal.band(hour);
            assert!((at_least..at_most).contains(&band.expected), "hour {hour}: {band:?}");
        };
        check(10, 100.0, 210.0);
        check(3, 8.0, 12.0);
        check(130, 8.0, 30.0);
        assert!(seasonal.band(3).anomaly(200.0) > 0.5, "night traffic of a day's size is odd");
        assert!(seasonal.band(10).anomaly(220.0) < 0.1);
    }

    #[test]
    fn young_places_lean_on_the_same_hour_of_other_days() {
        let mut seasonal = Seasonal::new(168, 24, 0.1);
        for hour in 0..48 {
            seasonal.learn(hour, usual(hour));
        }
        let wednesday_noon = seasonal.band(60).expected;
        let wednesday_night = seasonal.band(51).expected;
        assert!(wednesday_noon > 2.0 * wednesday_night, "{wednesday_noon} {wednesday_night}");
    }

    #[test]
    fn a_wild_hour_and_slow_poison_move_the_norm_little() {
        let mut seasonal = learned(4);
        let before = seasonal.band(10).expected;
        seasonal.learn(10, 1e9);
        assert!(seasonal.band(10).expected < before * 1.12);
        // 6 % a day for four weeks is a factor of five; the norm follows by 10 % a week at most.
        let mut poisoned = learned(4);
        for hour in 0..4 * 168 {
            poisoned.learn(hour % 168, usual(hour % 168) * 1.06_f64.powf(hour as f64 / 24.0));
        }
        assert!(poisoned.band(10).expected < before * 1.1_f64.powi(4) * 1.05);
    }
}
