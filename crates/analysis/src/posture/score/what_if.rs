//! What a score would be if some findings were repaired, and which repairs lift it most.
//!
//! Every answer is a whole new score, so caps, weak tails and shares are right, and a repair never lowers it.

use std::collections::BTreeSet;

use riskgraph_domain::posture::{CheckOutcome, CheckResult, Posture, ScoreFix};
use riskgraph_domain::{Text, Timestamp};

use super::{Incident, score};
use crate::posture::config::PostureConfig;
use crate::posture::profile::Profiles;

/// Checks looked at for the best repairs: the costliest ones. Each costs one score a round.
const CANDIDATES_MAX: usize = 64;

/// What is scored: the arguments of [`score`], together.
#[derive(Clone, Copy)]
pub struct Scored<'a> {
    pub outcomes: &'a [CheckOutcome],
    pub profiles: &'a Profiles,
    pub incidents: &'a [Incident],
    pub config: &'a PostureConfig,
    pub at: Timestamp,
}

impl Scored<'_> {
    fn of(&self, outcomes: &[CheckOutcome]) -> Posture {
        score(outcomes, self.profiles, self.incidents, self.config, self.at)
    }
}

/// The posture when these findings (check and asset) passed.
#[must_use]
pub fn what_if(scored: Scored<'_>, repaired: &BTreeSet<(Text, Text)>) -> Posture {
    let is_repaired = |outcome: &CheckOutcome| repaired.contains(&(outcome.check.clone(), outcome.asset.clone()));
    scored.of(&with_passed(scored.outcomes, is_repaired))
}

/// The repairs that lift the score most, best first, each on top of those before it; at most `max`.
///
/// Where no single repair helps, because a cap holds until several are made, the costliest one comes first all the same.
/// Empty when the posture is not rated or nothing is wrong.
#[must_use]
pub fn best_fixes(scored: Scored<'_>, max: usize) -> Vec<ScoreFix> {
    let now = scored.of(scored.outcomes);
    let Some(mut at) = now.score else { return Vec::new() };
    let mut open = costliest(&now);
    let mut outcomes = scored.outcomes.to_vec();
    let mut fixes = Vec::new();
    while fixes.len() < max && !open.is_empty() {
        let tried = open.iter().enumerate().map(|(place, check)| {
            let repaired = with_passed(&outcomes, |outcome| outcome.check == *check);
            (place, scored.of(&repaired).score.unwrap_or(at))
        });
        // The first of equals is the costlier one.
        let best = tried.fold(None, |best: Option<(usize, f64)>, next| match best {
            Some(kept) if next.1 <= kept.1 + 1e-9 => Some(kept),
            _ => Some(next),
        });
        let Some((place, score)) = best else { break };
        let check = open.remove(place);
        let bad: Vec<&CheckOutcome> =
            outcomes.iter().filter(|outcome| outcome.check == check && is_bad(outcome)).collect();
        let Some(first) = bad.first() else { continue };
        let assets: BTreeSet<Text> = bad.iter().map(|outcome| outcome.asset.clone()).collect();
        fixes.push(ScoreFix {
            check: check.clone(),
            title: first.title.clone(),
            recommendation: first.recommendation.clone(),
            assets: assets.into_iter().collect(),
            gain: (score - at).max(0.0),
            score,
        });
        outcomes = with_passed(&outcomes, |outcome| outcome.check == check);
        at = score;
    }
    fixes
}

fn is_bad(outcome: &CheckOutcome) -> bool {
    matches!(outcome.result, CheckResult::Fail | CheckResult::Warn)
}

fn with_passed(outcomes: &[CheckOutcome], is_repaired: impl Fn(&CheckOutcome) -> bool) -> Vec<CheckOutcome> {
    let passed = |outcome: &CheckOutcome| {
        let mut outcome = outcome.clone();
        if is_bad(&outcome) && is_repaired(&outcome) {
            outcome.result = CheckResult::Pass;
        }
        outcome
    };
    outcomes.iter().map(passed).collect()
}

/// Checks that cost points, the costliest over all assets first.
fn costliest(posture: &Posture) -> Vec<Text> {
    let mut points: std::collections::BTreeMap<Text, f64> = std::collections::BTreeMap::new();
    for row in &posture.waterfall {
        if let Some(check) = &row.check {
            *points.entry(check.clone()).or_default() += row.points;
        }
    }
    let mut ordered: Vec<(Text, f64)> = points.into_iter().collect();
    ordered.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    ordered.into_iter().take(CANDIDATES_MAX).map(|(check, _)| check).collect()
}
