//! Small mergeable sketches of sets and frequencies.
//!
//! Members come as 64-bit keys (see [`crate::keyed::key`]), already well mixed. Sketches must *not* know what the keys
//! stand for. They are deterministic, mergeable in any order and serialise in formats that do not describe themselves.

use serde::{Deserialize, Serialize};

use crate::keyed::Key;

/// Members up to which a [`Distinct`] is exact; beyond, it becomes a HyperLogLog. 32 keys cost 256 bytes.
const EXACT_MAX: usize = 32;
/// Bits that choose a register: 512 registers of one byte, standard error 1.04 / sqrt(512) = 4.6 %.
const PRECISION: u32 = 9;
const N_REGISTERS: usize = 1 << PRECISION;
/// Highest value of a register: leading zeros of the other 55 bits, plus one.
const RANK_MAX: u32 = 64 - PRECISION;

/// How many different keys came: exact up to 32, then HyperLogLog with the improved estimator of Ertl, "New
/// cardinality estimation algorithms for HyperLogLog sketches" (2017), which needs no bias tables.
///
/// Memory: 48 bytes empty, 8 per key up to 32 keys, then 512 bytes whatever comes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distinct {
    /// Sorted; empty when `registers` is not.
    exact: Vec<Key>,
    registers: Vec<u8>,
}

impl Distinct {
    /// Adds a key; tells whether it was certainly new.
    pub fn insert(&mut self, key: Key) -> bool {
        if !self.registers.is_empty() {
            return self.raise(key);
        }
        match self.exact.binary_search(&key) {
            Ok(_) => false,
            Err(place) if self.exact.len() < EXACT_MAX => {
                self.exact.insert(place, key);
                true
            }
            Err(_) => {
                self.spill();
                self.raise(key)
            }
        }
    }

    /// Adds all keys of the other.
    pub fn merge(&mut self, other: &Self) {
        if other.registers.is_empty() {
            for &key in &other.exact {
                self.insert(key);
            }
            return;
        }
        if self.registers.is_empty() {
            self.spill();
        }
        for (mine, theirs) in self.registers.iter_mut().zip(&other.registers) {
            *mine = (*mine).max(*theirs);
        }
    }

    /// The number of different keys, exact up to 32.
    #[must_use]
    pub fn count(&self) -> u64 {
        if self.registers.is_empty() { self.exact.len() as u64 } else { self.estimate().round() as u64 }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.registers.is_empty()
    }

    /// Forgets all keys and gives the memory back.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn spill(&mut self) {
        self.registers = vec![0; N_REGISTERS];
        for key in std::mem::take(&mut self.exact) {
            self.raise(key);
        }
    }

    fn raise(&mut self, key: Key) -> bool {
        let place = (key >> RANK_MAX) as usize;
        // The marker bit bounds the rank at RANK_MAX + 1.
        let rest = (key << PRECISION) | (1 << (PRECISION - 1));
        let rank = (rest.leading_zeros() + 1) as u8;
        match self.registers.get_mut(place) {
            Some(register) if *register < rank => {
                *register = rank;
                true
            }
            _ => false,
        }
    }

    fn estimate(&self) -> f64 {
        let m = N_REGISTERS as f64;
        let mut histogram = [0_u32; RANK_MAX as usize + 2];
        for &register in &self.registers {
            if let Some(count) = histogram.get_mut(register as usize) {
                *count += 1;
            }
        }
        let mut z = m * tau(1.0 - f64::from(histogram[RANK_MAX as usize + 1]) / m);
        for &count in histogram[1..=RANK_MAX as usize].iter().rev() {
            z = 0.5 * (z + f64::from(count));
        }
        z += m * sigma(f64::from(histogram[0]) / m);
        m * m / (2.0 * std::f64::consts::LN_2 * z)
    }
}

/// `x + sum 2^(k-1) x^(2^k)`, Ertl's correction for empty registers.
fn sigma(mut x: f64) -> f64 {
    if x >= 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if z <= before {
            return z;
        }
    }
}

/// Ertl's correction for saturated registers.
fn tau(mut x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if z >= before {
            return z / 3.0;
        }
    }
}

/// Rows of a [`Frequency`]; the chance that all of them mislead is about e^-4.
const FREQUENCY_ROWS: usize = 4;
/// Cells in a row: the overestimate is about 1/4096 of all that was counted.
const FREQUENCY_COLUMNS: usize = 4096;

/// How often each key came, never too low: a count-min sketch with conservative update (Cormode and Muthukrishnan,
/// 2005). 64 KiB. [`Frequency::halve`] ages it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frequency {
    cells: Vec<u32>,
    total: u64,
}

impl Default for Frequency {
    fn default() -> Self {
        Self { cells: vec![0; FREQUENCY_ROWS * FREQUENCY_COLUMNS], total: 0 }
    }
}

impl Frequency {
    /// Counts the key once and gives its count.
    pub fn add(&mut self, key: Key) -> u32 {
        let next = self.count(key).saturating_add(1);
        for place in places(key) {
            if let Some(cell) = self.cells.get_mut(place) {
                *cell = (*cell).max(next);
            }
        }
        self.total += 1;
        next
    }

    /// At most slightly more than how often the key came.
    #[must_use]
    pub fn count(&self, key: Key) -> u32 {
        places(key).into_iter().filter_map(|place| self.cells.get(place)).copied().min().unwrap_or(0)
    }

    /// All that was counted.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// Halves every count, so that old times weigh less.
    pub fn halve(&mut self) {
        self.cells.iter_mut().for_each(|cell| *cell /= 2);
        self.total /= 2;
    }
}

/// One cell in each row, by double hashing of the two halves of the key.
fn places(key: Key) -> [usize; FREQUENCY_ROWS] {
    let (a, b) = (key as u32, (key >> 32) as u32 | 1);
    std::array::from_fn(|row| {
        let column = a.wrapping_add(b.wrapping_mul(row as u32)) as usize % FREQUENCY_COLUMNS;
        row * FREQUENCY_COLUMNS + column
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyed::key;

    fn filled(range: std::ops::Range<u32>) -> Distinct {
        let mut distinct = Distinct::default();
        range.for_each(|i| {
            distinct.insert(key(&["member", &i.to_string()]));
        });
        distinct
    }

    #[test]
    fn counts_exactly_when_small_and_closely_when_large() {
        for n in [0, 1, 31, 32] {
            assert_eq!(filled(0..n).count(), u64::from(n));
        }
        for n in [33_u32, 100, 400, 1_000, 3_000, 50_000, 300_000] {
            let error = filled(0..n).count() as f64 / f64::from(n) - 1.0;
            assert!(error.abs() < 0.15, "{n}: {error}");
        }
    }

    #[test]
    fn merging_is_adding() {
        for (a, b) in [(10, 20), (20, 200), (200, 20), (5_000, 9_000)] {
            let (mut left, mut right) = (filled(0..a), filled(a / 2..b));
            let whole = filled(0..b.max(a));
            let right_alone = right.clone();
            right.merge(&left);
            left.merge(&right_alone);
            assert_eq!(left, right);
            assert_eq!(left.count(), whole.count(), "{a} {b}");
        }
    }

    #[test]
    fn frequency_is_never_too_low() {
        let mut frequency = Frequency::default();
        for i in 0..20_000_u32 {
            frequency.add(key(&[&(i % 500).to_string()]));
        }
        for i in 0..500_u32 {
            let count = frequency.count(key(&[&i.to_string()]));
            assert!((40..=60).contains(&count), "{count}");
        }
        assert!(frequency.count(key(&["never"])) <= 40);
        frequency.halve();
        assert_eq!(frequency.total(), 10_000);
    }
}
