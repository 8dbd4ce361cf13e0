//! Chance that repeats: a seeded stream of random choices.
//!
//! Must not know what is drawn. Every stream is named by a seed and a path of words, so that adding a draw in one place
//! of the generator moves nothing in another.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use riskgraph_domain::id::hash128;

/// A seeded stream of choices; the same name gives the same stream on every machine.
#[derive(Debug, Clone)]
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream of this seed and path of words.
    #[must_use]
    pub fn of(seed: u64, path: &[&str]) -> Self {
        let seed = seed.to_string();
        let mut parts = vec![seed.as_str()];
        parts.extend_from_slice(path);
        let half = hash128(&parts).to_le_bytes();
        let mut key = [0_u8; 32];
        key[..16].copy_from_slice(&half);
        key[16..].copy_from_slice(&half);
        Self(ChaCha8Rng::from_seed(key))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A whole number below `n`; 0 when `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(n)) >> 64) as u64
    }

    /// An index into something of this length; 0 when it is empty.
    pub fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    /// A whole number from `low` to `high`, both included.
    pub fn range(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low).max(0) as u64 + 1) as i64
    }

    /// A number in 0..1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number in `low..high`.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of the items. The slice must not be empty.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.index(items.len())]
    }

    /// An index, as likely as its weight says.
    pub fn weighted(&mut self, weights: &[f64]) -> usize {
        let total: f64 = weights.iter().sum();
        let mut at = self.unit() * total;
        for (index, weight) in weights.iter().enumerate() {
            at -= weight;
            if at < 0.0 {
                return index;
            }
        }
        weights.len().saturating_sub(1)
    }

    /// A standard normal number (Box-Muller, one of the pair).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// A log-normal number with this median; `sigma` 0.5 is mild, 1 is wide.
    pub fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        median * (sigma * self.normal()).exp()
    }

    /// A waiting time with this mean.
    pub fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    /// A count with this mean (Knuth below 30, rounded normal above).
    pub fn poisson(&mut self, mean: f64) -> u64 {
        if mean <= 0.0 {
            return 0;
        }
        if mean > 30.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0) as u64;
        }
        let limit = (-mean).exp();
        let (mut n, mut product) = (0, self.unit());
        while product > limit {
            n += 1;
            product *= self.unit();
        }
        n
    }

    /// Puts the items in random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.index(at + 1));
        }
    }

    /// `n` hexadecimal digits, at most 16.
    pub fn hex(&mut self, n: usize) -> String {
        let mut text = format!("{:016x}", self.bits());
        text.truncate(n);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_name_gives_the_same_stream() {
        let draw = |seed, path: &[&str]| Dice::of(seed, path).hex(16);
        assert_eq!(draw(1, &["a"]), draw(1, &["a"]));
        assert_ne!(draw(1, &["a"]), draw(2, &["a"]));
        assert_ne!(draw(1, &["a", "b"]), draw(1, &["ab"]));
    }

    #[test]
    fn draws_have_the_shape_they_claim() {
        let mut dice = Dice::of(7, &["shape"]);
        let n = 20_000;
        let mean =
            |dice: &mut Dice, draw: &dyn Fn(&mut Dice) -> f64| (0..n).map(|_| draw(dice)).sum::<f64>() / f64::from(n);
        assert!((mean(&mut dice, &|d| d.poisson(3.0) as f64) - 3.0).abs() < 0.1);
        assert!((mean(&mut dice, &|d| d.poisson(200.0) as f64) - 200.0).abs() < 1.0);
        assert!((mean(&mut dice, &|d| d.exponential(5.0)) - 5.0).abs() < 0.3);
        assert!(mean(&mut dice, &|d| d.normal()).abs() < 0.05);
        assert!((mean(&mut dice, &|d| d.weighted(&[1.0, 3.0]) as f64) - 0.75).abs() < 0.02);
        assert_eq!(dice.range(4, 4), 4);
        assert_eq!(dice.below(0), 0);
    }
}
