//! `rg-score/1`: outcomes to one number, with an exact account of every point lost.
//!
//! Pure arithmetic: it does not know what any check looks at. The method is in `docs/checks.md`; its aggregate is OpenSSF
//! Scorecard's (weights by severity, unknowns left out), its weak tail UpGuard's, its caps SSL Labs'.

mod difference;
mod waterfall;
mod what_if;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use riskgraph_domain::posture::{CheckOutcome, CheckResult, Grade, Posture, PostureFactor};
use riskgraph_domain::time::DAY_MS;
use riskgraph_domain::{Severity, Text, Timestamp};
use serde::{Deserialize, Serialize};

use super::check::Factor;
use super::config::{FreshnessConfig, PostureConfig, ScoreConfig};
use super::profile::Profiles;
pub use difference::{Standing, difference};
use waterfall::Waterfall;
pub use what_if::{Scored, best_fixes, what_if};

/// Something that happened to the vendor and weighs on its score for a while.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    pub kind: IncidentKind,
    pub title: String,
    pub occurred_at: Timestamp,
}

/// What kind of incident it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentKind {
    /// A confirmed breach.
    Breach,
    /// The vendor is listed on a leak site of a ransomware crew.
    Ransomware,
}

/// What kind of observation ages how fast.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Observed {
    Configuration,
    Exposure,
    Leak,
}

/// How much an observation still counts that could not be repeated: 1 up to twice the interval of checking, then linearly
/// to 0 at the window of its kind. Multiply an outcome's confidence with it before scoring.
#[must_use]
pub fn freshness(kind: Observed, age_ms: i64, interval_ms: i64, config: &FreshnessConfig) -> f64 {
    let days = match kind {
        Observed::Configuration => config.configuration_days,
        Observed::Exposure => config.exposure_days,
        Observed::Leak => config.leak_days,
    };
    let window = days * DAY_MS as f64;
    let fresh = (2.0 * interval_ms.max(0) as f64).min(window);
    let age = age_ms.max(0) as f64;
    if age <= fresh {
        1.0
    } else if age >= window {
        0.0
    } else {
        (window - age) / (window - fresh)
    }
}

/// Scores the outcomes of one vendor or domain.
///
/// A pure function of its arguments, whatever the order of the outcomes; of two outcomes of one check on one asset the one
/// that costs more counts. The waterfall adds up to `100 - score`; below the coverage minimum the posture is not rated and
/// the waterfall is empty. `compat` is left `null` for the caller to fill.
#[must_use]
pub fn score(
    outcomes: &[CheckOutcome],
    profiles: &Profiles,
    incidents: &[Incident],
    config: &PostureConfig,
    assessed_at: Timestamp,
) -> Posture {
    let rules = &config.score;
    let outcomes = distinct(outcomes, rules);
    let factors: Vec<FactorScore<'_>> =
        Factor::ALL.iter().map(|&factor| FactorScore::of(factor, &outcomes, profiles, rules)).collect();
    let judged: f64 = factors.iter().filter(|f| f.scored).map(|f| f.weight).sum();
    let coverage = if judged > 0.0 {
        factors.iter().filter(|f| f.scored).map(|f| f.weight * f.coverage).sum::<f64>() / judged
    } else {
        0.0
    };
    let rated = coverage >= rules.coverage_min && factors.iter().any(|f| f.score.is_some());
    let mut posture = Posture {
        score: None,
        grade: Grade::NR,
        coverage: coverage.clamp(0.0, 1.0),
        assessed_at,
        model: Text::from(rules.model.as_str()),
        factors: factors.iter().map(FactorScore::shown).collect(),
        waterfall: Vec::new(),
        compat: serde_json::Value::Null,
    };
    if !rated {
        return posture;
    }
    let mut waterfall = Waterfall::default();
    waterfall.add_factors(&factors, rules);
    waterfall.add_incidents(incidents, rules, assessed_at);
    waterfall.add_caps(&outcomes, incidents, rules, assessed_at);
    let score = (100.0 - waterfall.total()).clamp(0.0, 100.0);
    posture.score = Some(score);
    posture.grade = grade(score);
    posture.waterfall = waterfall.rows;
    posture
}

/// The letter of a score.
#[must_use]
pub fn grade(score: f64) -> Grade {
    match score {
        s if s >= 90.0 => Grade::A,
        s if s >= 80.0 => Grade::B,
        s if s >= 70.0 => Grade::C,
        s if s >= 60.0 => Grade::D,
        _ => Grade::F,
    }
}

/// Weight of a severity.
fn weight_of(severity: Severity, rules: &ScoreConfig) -> f64 {
    match severity {
        Severity::Critical => rules.severity.critical,
        Severity::High => rules.severity.high,
        Severity::Medium => rules.severity.medium,
        Severity::Low => rules.severity.low,
        Severity::Info => rules.severity.info,
    }
}

/// Share of its weight this outcome loses: result times confidence; 0 when unknown.
fn lost_share(outcome: &CheckOutcome, rules: &ScoreConfig) -> f64 {
    let confidence = if outcome.confidence.is_finite() { outcome.confidence.clamp(0.0, 1.0) } else { 0.0 };
    match outcome.result {
        CheckResult::Pass | CheckResult::Unknown => 0.0,
        CheckResult::Warn => rules.result.warn * confidence,
        CheckResult::Fail => rules.result.fail * confidence,
    }
}

/// One outcome a check and asset, in a fixed order: of several the costliest, and a known one before an unknown one.
fn distinct<'a>(outcomes: &'a [CheckOutcome], rules: &ScoreConfig) -> Vec<&'a CheckOutcome> {
    let cost = |o: &CheckOutcome| lost_share(o, rules) * weight_of(o.severity, rules);
    let mut sorted: Vec<&CheckOutcome> = outcomes.iter().collect();
    sorted.sort_by(|a, b| {
        (a.asset.as_str(), a.check.as_str())
            .cmp(&(b.asset.as_str(), b.check.as_str()))
            .then_with(|| (a.result == CheckResult::Unknown).cmp(&(b.result == CheckResult::Unknown)))
            .then_with(|| cost(b).partial_cmp(&cost(a)).unwrap_or(Ordering::Equal))
            .then_with(|| b.severity.cmp(&a.severity))
            .then_with(|| b.confidence.total_cmp(&a.confidence))
            .then_with(|| a.result.as_str().cmp(b.result.as_str()))
            .then_with(|| a.title.cmp(&b.title))
    });
    sorted.dedup_by(|next, kept| next.asset == kept.asset && next.check == kept.check);
    sorted
}

/// One asset within one factor.
struct AssetScore<'a> {
    importance: f64,
    /// Sum of the weights of known and of all checks.
    known: f64,
    all: f64,
    /// What each finding loses of `known`.
    findings: Vec<(&'a CheckOutcome, f64)>,
}

impl AssetScore<'_> {
    fn value(&self) -> f64 {
        100.0 * (1.0 - self.findings.iter().map(|(_, lost)| lost).sum::<f64>() / self.known)
    }
}

/// One factor, with what its waterfall needs.
pub(super) struct FactorScore<'a> {
    factor: Factor,
    weight: f64,
    /// There was anything with a weight to judge.
    scored: bool,
    coverage: f64,
    /// After the cap; `None` when nothing could be judged.
    score: Option<f64>,
    mean: f64,
    with_tail: f64,
    cap: Option<(f64, String)>,
    /// Points of the mean each finding costs.
    findings: Vec<(&'a CheckOutcome, f64)>,
}

impl<'a> FactorScore<'a> {
    fn of(factor: Factor, outcomes: &[&'a CheckOutcome], profiles: &Profiles, rules: &ScoreConfig) -> Self {
        let mut assets: BTreeMap<&str, AssetScore<'a>> = BTreeMap::new();
        for &outcome in outcomes.iter().filter(|o| Factor::of_check(&o.check) == Some(factor)) {
            let weight = weight_of(outcome.severity, rules);
            let asset = assets.entry(outcome.asset.as_str()).or_insert_with(|| AssetScore {
                importance: profiles.of(&outcome.asset).importance(&rules.importance),
                known: 0.0,
                all: 0.0,
                findings: Vec::new(),
            });
            asset.all += weight;
            if outcome.result != CheckResult::Unknown {
                asset.known += weight;
                let lost = weight * lost_share(outcome, rules);
                if lost > 0.0 {
                    asset.findings.push((outcome, lost));
                }
            }
        }
        let all: f64 = assets.values().map(|a| a.importance * a.all).sum();
        let known: f64 = assets.values().map(|a| a.importance * a.known).sum();
        let mut made = Self {
            factor,
            weight: factor_weight(factor, rules),
            scored: all > 0.0,
            coverage: if all > 0.0 { known / all } else { 0.0 },
            score: None,
            mean: 100.0,
            with_tail: 100.0,
            cap: None,
            findings: Vec::new(),
        };
        let judged: Vec<&AssetScore<'a>> = assets.values().filter(|a| a.known > 0.0).collect();
        if !judged.is_empty() {
            made.judge(&judged, rules);
            made.cap = factor_cap(factor, outcomes, profiles, rules);
            let capped = made.cap.as_ref().map_or(made.with_tail, |(cap, _)| made.with_tail.min(*cap));
            made.score = Some(capped.clamp(0.0, 100.0));
        }
        made
    }

    fn judge(&mut self, judged: &[&AssetScore<'a>], rules: &ScoreConfig) {
        let importance: f64 = judged.iter().map(|a| a.importance).sum();
        let mut lost_mean = 0.0;
        for asset in judged {
            for &(outcome, lost) in &asset.findings {
                let points = 100.0 * lost / asset.known * asset.importance / importance;
                lost_mean += points;
                self.findings.push((outcome, points));
            }
        }
        self.mean = 100.0 - lost_mean;
        let tail = quantile(judged, importance * rules.tail_quantile);
        self.with_tail = (1.0 - rules.tail_share) * self.mean + rules.tail_share * tail;
        // One asset is its own tail: no rounding noise between the two.
        if judged.len() == 1 {
            self.with_tail = self.mean;
        }
    }

    fn shown(&self) -> PostureFactor {
        PostureFactor {
            name: Text::from(self.factor.as_str()),
            score: self.score,
            weight: self.weight,
            coverage: self.coverage.clamp(0.0, 1.0),
        }
    }
}

/// The least value below or at which at least `mass` of the importance lies.
fn quantile(judged: &[&AssetScore<'_>], mass: f64) -> f64 {
    let mut values: Vec<(f64, f64)> = judged.iter().map(|a| (a.value(), a.importance)).collect();
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut sum = 0.0;
    for &(value, importance) in &values {
        sum += importance;
        if sum >= mass {
            return value;
        }
    }
    values.last().map_or(100.0, |&(value, _)| value)
}

fn factor_weight(factor: Factor, rules: &ScoreConfig) -> f64 {
    let weights = &rules.factors;
    match factor {
        Factor::Scripts => weights.scripts,
        Factor::Tls => weights.tls,
        Factor::Patching => weights.patching,
        Factor::Mail => weights.mail,
        Factor::Headers => weights.headers,
        Factor::Exposure => weights.exposure,
        Factor::Dns => weights.dns,
        Factor::Brand => weights.brand,
        Factor::Leaks => weights.leaks,
        Factor::Transparency => weights.transparency,
    }
}

/// The lowest limit a finding sets on its factor, and why.
fn factor_cap(
    factor: Factor,
    outcomes: &[&CheckOutcome],
    profiles: &Profiles,
    rules: &ScoreConfig,
) -> Option<(f64, String)> {
    let caps = &rules.caps;
    let failed = |o: &&&CheckOutcome| {
        Factor::of_check(&o.check) == Some(factor)
            && o.result == CheckResult::Fail
            && o.confidence >= caps.confirmed_confidence
    };
    let mut lowest: Option<(f64, String)> = None;
    let mut take = |cap: f64, reason: String| {
        if lowest.as_ref().is_none_or(|(low, _)| cap < *low) {
            lowest = Some((cap, reason));
        }
    };
    for outcome in outcomes.iter().filter(failed) {
        let (check, asset) = (&outcome.check, &outcome.asset);
        if outcome.severity == Severity::Critical {
            take(caps.critical_factor, format!("{check} on {asset} is a confirmed critical failure"));
        }
        let expired = outcome.evidence.get("state").and_then(serde_json::Value::as_str) == Some("expired");
        if check.as_str() == "TLS-02" && expired && profiles.of(asset).payment_path {
            take(caps.expired_payment_tls, format!("the certificate of {asset}, where people pay, has expired"));
        }
    }
    lowest
}

#[cfg(test)]
mod tests;
