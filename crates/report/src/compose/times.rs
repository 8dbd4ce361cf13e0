//! Durations and shares, and how sure one may be of them.

use riskgraph_domain::Timestamp;

use crate::facts::AlertFacts;

/// The middle of the durations and the one that nine of ten do not pass, by nearest rank.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub(super) n: usize,
    pub(super) median_ms: i64,
    pub(super) p90_ms: i64,
}

/// The spread of durations; none when there are none.
pub(super) fn spread(mut durations_ms: Vec<i64>) -> Option<Spread> {
    durations_ms.sort_unstable();
    let n = durations_ms.len();
    let at = |share: f64| -> Option<i64> {
        let rank = ((share * n as f64).ceil() as usize).clamp(1, n.max(1));
        durations_ms.get(rank - 1).copied()
    };
    Some(Spread { n, median_ms: at(0.5)?, p90_ms: at(0.9)? })
}

/// How long something took from when the alert was raised.
pub(super) fn took(alert: &AlertFacts, until: Option<Timestamp>) -> Option<i64> {
    Some((until? - alert.raised_at).max(0))
}

/// The share of hits with its 95 % interval by Wilson (1927): right also for few and for extreme counts.
pub(super) fn wilson(hits: usize, n: usize) -> Option<(f64, f64, f64)> {
    /// Two-sided 95 % of the normal distribution.
    const Z: f64 = 1.959_963_984_540_054;
    if n == 0 {
        return None;
    }
    let (hits, n) = (hits as f64, n as f64);
    let share = hits / n;
    let z2 = Z * Z;
    let centre = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt() / (1.0 + z2 / n);
    Some((share, (centre - half).max(0.0), (centre + half).min(1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_those_of_the_list() {
        assert_eq!(spread(Vec::new()), None);
        assert_eq!(spread(vec![7]), Some(Spread { n: 1, median_ms: 7, p90_ms: 7 }));
        assert_eq!(spread((1..=10).rev().collect()), Some(Spread { n: 10, median_ms: 5, p90_ms: 9 }));
    }

    #[test]
    fn intervals_are_wilsons() {
        // Newcombe (1998), table I: 81 of 263 and 0 of 20, score method without continuity correction.
        let check = |hits, n, low: f64, high: f64| {
            let (_, l, h) = wilson(hits, n).expect("counts");
            assert!((l - low).abs() < 5e-5 && (h - high).abs() < 5e-5, "{hits}/{n}: {l} {h}");
        };
        check(81, 263, 0.2553, 0.3662);
        check(0, 20, 0.0, 0.1611);
        check(15, 148, 0.0624, 0.1605);
        check(1, 29, 0.0061, 0.1718);
        assert_eq!(wilson(0, 0), None);
    }
}
