//! When a score that keeps rising is worth another signal.
//!
//! Shared by detectors whose evidence collects over many events. Knows scores only.

use riskgraph_domain::Severity;

/// No sum of reasons is certainty.
pub(super) const SCORE_MAX: f64 = 0.97;
/// A score below this is INFO and makes no signal.
pub(super) const SCORE_MIN: f64 = 0.2;
/// A rise within one severity that is told again.
const STEP: f64 = 0.1;

/// The score of reasons that weigh `sum` together.
pub(super) const fn score_of(sum: f64) -> f64 {
    sum.clamp(0.0, SCORE_MAX)
}

/// Whether a score is worth a signal after `told` was: at first, at a new severity, or a clear step up.
pub(super) fn worth_telling(told: f64, score: f64) -> bool {
    score >= SCORE_MIN
        && score > told
        && (told < SCORE_MIN || score >= told + STEP || Severity::of_score(score) > Severity::of_score(told))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_steps_and_not_every_move() {
        let check = |told: f64, score: f64, expected: bool| {
            assert_eq!(worth_telling(told, score), expected, "{told} then {score}");
        };
        check(0.0, 0.2, true);
        check(0.0, 0.19, false);
        check(0.45, 0.5, false);
        check(0.45, 0.56, true);
        check(0.55, 0.61, true);
        check(0.9, 0.9, false);
        assert!(score_of(3.0) < 1.0);
    }
}
