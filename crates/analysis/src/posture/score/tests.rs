//! Invariants of the score over random sets of outcomes, and the worked examples of `docs/checks.md`.

use super::*;
use riskgraph_domain::posture::ScoreCause as Cause;
use serde_json::json;

/// Deterministic numbers for the property tests (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, n: u64) -> usize {
        (self.next() % n) as usize
    }
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

fn config() -> PostureConfig {
    PostureConfig::built_in().expect("the built-in configuration is valid")
}

fn outcome(check: &str, asset: &str, result: CheckResult, severity: Severity, confidence: f64) -> CheckOutcome {
    CheckOutcome {
        check: Text::from(check),
        asset: Text::from(asset),
        result,
        severity,
        title: format!("title of {check}"),
        recommendation: String::new(),
        reference: String::new(),
        evidence: json!({}),
        confidence,
    }
}

const NOW: Timestamp = Timestamp(1_780_000_000_000);

struct Portfolio {
    outcomes: Vec<CheckOutcome>,
    profiles: Profiles,
    incidents: Vec<Incident>,
}

fn portfolio(dice: &mut Dice) -> Portfolio {
    let families = ["DNS", "MAIL", "TLS", "HTTP", "PAY", "VULN", "NET", "RAN", "LEAK", "TRAN", "TKO", "ZZZ"];
    let results = [CheckResult::Pass, CheckResult::Warn, CheckResult::Fail, CheckResult::Unknown];
    let n_assets = 1 + dice.below(12) as u64;
    let mut profiles = Profiles::default();
    let outcomes = (0..dice.below(80))
        .map(|_| {
            let check = format!("{}-{:02}", families[dice.below(12)], 1 + dice.below(24));
            let asset = format!("a{}.example", dice.below(n_assets));
            let profile = AssetProfileDice(dice.below(3)).profile();
            profiles.assets.insert(Text::from(asset.as_str()), profile);
            let result = results[[0, 0, 0, 1, 2, 3][dice.below(6)]];
            let confidence = if dice.below(2) == 0 { 1.0 } else { dice.share() };
            let mut made = outcome(&check, &asset, result, Severity::ALL[dice.below(5)], confidence);
            if dice.below(4) == 0 {
                made.evidence = json!({ "state": "expired" });
            }
            made
        })
        .collect();
    let incidents = (0..dice.below(4))
        .map(|i| Incident {
            kind: if dice.below(2) == 0 { IncidentKind::Breach } else { IncidentKind::Ransomware },
            title: format!("incident {i}"),
            occurred_at: NOW - dice.below(300) as i64 * DAY_MS,
        })
        .collect();
    Portfolio { outcomes, profiles, incidents }
}

struct AssetProfileDice(usize);

impl AssetProfileDice {
    fn profile(&self) -> crate::posture::AssetProfile {
        crate::posture::AssetProfile { payment_path: self.0 == 0, api: self.0 == 1, ..Default::default() }
    }
}

#[test]
fn the_waterfall_adds_up_and_the_score_stays_in_range() {
    let (config, mut dice, mut rated) = (config(), Dice(7), 0);
    for _ in 0..4_000 {
        let p = portfolio(&mut dice);
        let posture = score(&p.outcomes, &p.profiles, &p.incidents, &config, NOW);
        assert!((0.0..=1.0).contains(&posture.coverage));
        assert_eq!(posture.score.is_none(), posture.grade == Grade::NR);
        let Some(score) = posture.score else {
            assert!(posture.waterfall.is_empty());
            continue;
        };
        rated += 1;
        assert!((0.0..=100.0).contains(&score), "{score}");
        let lost: f64 = posture.waterfall.iter().map(|row| row.points).sum();
        assert!((100.0 - score - lost).abs() < 1e-9, "{score} {lost}");
        assert!(posture.factors.iter().all(|f| f.score.is_none_or(|s| (0.0..=100.0).contains(&s))));
    }
    assert!(rated > 2_000, "{rated}");
}

#[test]
fn fixing_a_finding_never_lowers_the_score() {
    let (config, mut dice, mut fixed) = (config(), Dice(11), 0);
    for _ in 0..4_000 {
        let mut p = portfolio(&mut dice);
        let before = score(&p.outcomes, &p.profiles, &p.incidents, &config, NOW);
        let open: Vec<usize> = (0..p.outcomes.len())
            .filter(|&i| matches!(p.outcomes[i].result, CheckResult::Warn | CheckResult::Fail))
            .collect();
        if open.is_empty() {
            continue;
        }
        let chosen = open[dice.below(open.len() as u64)];
        p.outcomes[chosen].result = CheckResult::Pass;
        let after = score(&p.outcomes, &p.profiles, &p.incidents, &config, NOW);
        assert_eq!(before.score.is_some(), after.score.is_some());
        if let (Some(before), Some(after)) = (before.score, after.score) {
            assert!(after >= before - 1e-9, "{before} -> {after}");
            fixed += 1;
        }
    }
    assert!(fixed > 2_000, "{fixed}");
}

#[test]
fn the_order_of_outcomes_and_incidents_is_of_no_account() {
    let (config, mut dice) = (config(), Dice(13));
    for _ in 0..2_000 {
        let mut p = portfolio(&mut dice);
        let before = score(&p.outcomes, &p.profiles, &p.incidents, &config, NOW);
        for i in (1..p.outcomes.len()).rev() {
            p.outcomes.swap(i, dice.below(i as u64 + 1));
        }
        p.incidents.reverse();
        assert_eq!(before, score(&p.outcomes, &p.profiles, &p.incidents, &config, NOW));
    }
}

#[test]
fn low_coverage_is_not_rated() {
    let config = config();
    let check = |results: &[CheckResult], coverage: f64, rated: bool| {
        let outcomes: Vec<CheckOutcome> = results
            .iter()
            .enumerate()
            .map(|(i, &result)| outcome(&format!("TLS-{i:02}"), "a", result, Severity::High, 1.0))
            .collect();
        let posture = score(&outcomes, &Profiles::default(), &[], &config, NOW);
        assert!((posture.coverage - coverage).abs() < 1e-12);
        assert_eq!(posture.score.is_some(), rated, "{results:?}");
        assert_eq!(posture.grade == Grade::NR, !rated);
    };
    use CheckResult::{Pass, Unknown};
    check(&[], 0.0, false);
    check(&[Unknown], 0.0, false);
    check(&[Pass, Unknown], 0.5, false);
    check(&[Pass, Pass, Pass, Unknown, Unknown], 0.6, true);
    check(&[Pass], 1.0, true);
}

#[test]
fn caps_and_incidents_say_their_reason() {
    let config = config();
    let pass = |check: &str| outcome(check, "shop", CheckResult::Pass, Severity::High, 1.0);
    let fail = |check: &str, severity| outcome(check, "shop", CheckResult::Fail, severity, 1.0);
    let paying = Profiles::from(crate::posture::AssetProfile { payment_path: true, ..Default::default() });
    let many: Vec<CheckOutcome> = (1..=20).map(|i| pass(&format!("TLS-{i:02}x"))).collect();
    let run = |extra: Vec<CheckOutcome>, incidents: &[Incident]| {
        let outcomes: Vec<CheckOutcome> = many.iter().cloned().chain(extra).collect();
        score(&outcomes, &paying, incidents, &config, NOW)
    };
    let says = |posture: &Posture, words: &str| posture.waterfall.iter().any(|row| row.reason.contains(words));

    let clean = run(vec![], &[]);
    assert_eq!((clean.score, clean.grade), (Some(100.0), Grade::A));

    let capped = run(vec![fail("TLS-03", Severity::Critical)], &[]);
    assert!((capped.score.expect("rated") - 40.0).abs() < 1e-9);
    assert!(says(&capped, "factor cap"));

    let mut expired = fail("TLS-02", Severity::Critical);
    expired.evidence = json!({ "state": "expired" });
    assert!((run(vec![expired], &[]).score.expect("rated") - 20.0).abs() < 1e-9);

    let at = |days: i64, kind| Incident { kind, title: "leak of orders".into(), occurred_at: NOW - days * DAY_MS };
    let breached = run(vec![], &[at(0, IncidentKind::Breach)]);
    assert!((breached.score.expect("rated") - 90.0).abs() < 1e-9);
    assert!(says(&breached, "leak of orders"));
    let half = run(vec![], &[at(90, IncidentKind::Breach)]);
    assert!((half.score.expect("rated") - 95.0).abs() < 1e-9);
    let many_breaches: Vec<Incident> = (0..9).map(|_| at(0, IncidentKind::Breach)).collect();
    assert!((run(vec![], &many_breaches).score.expect("rated") - 70.0).abs() < 1e-9);
    let listed = run(vec![], &[at(3, IncidentKind::Ransomware)]);
    assert!((listed.score.expect("rated") - 59.0).abs() < 1e-9);
    assert_eq!(listed.grade, Grade::F);
    assert!(says(&listed, "overall cap"));
}

#[test]
fn weak_assets_weigh_more_than_the_mean() {
    let config = config();
    let mut outcomes: Vec<CheckOutcome> =
        (0..9).map(|i| outcome("TLS-10", &format!("h{i}"), CheckResult::Pass, Severity::Medium, 1.0)).collect();
    outcomes.push(outcome("TLS-10", "h9", CheckResult::Fail, Severity::Medium, 1.0));
    let posture = score(&outcomes, &Profiles::default(), &[], &config, NOW);
    // Mean 90, weakest tenth 0: 0.7 x 90 + 0.3 x 0.
    assert!((posture.score.expect("rated") - 63.0).abs() < 1e-9);
    assert!(posture.waterfall.iter().any(|row| row.reason.starts_with("weak tail")));
}

#[test]
fn freshness_holds_then_fades() {
    let fresh = |days: f64| {
        let age = (days * DAY_MS as f64) as i64;
        freshness(Observed::Configuration, age, DAY_MS, &config().score.freshness)
    };
    assert_eq!(fresh(0.0), 1.0);
    assert_eq!(fresh(2.0), 1.0);
    assert!((fresh(23.5) - 0.5).abs() < 1e-9);
    assert_eq!(fresh(45.0), 0.0);
}

fn scored<'a>(p: &'a Portfolio, config: &'a PostureConfig) -> Scored<'a> {
    Scored { outcomes: &p.outcomes, profiles: &p.profiles, incidents: &p.incidents, config, at: NOW }
}

#[test]
fn the_best_fixes_lift_and_end_where_they_say() {
    let (config, mut dice, mut lifted) = (config(), Dice(17), 0);
    for _ in 0..400 {
        let p = portfolio(&mut dice);
        let before = score(&p.outcomes, &p.profiles, &p.incidents, &config, NOW);
        let fixes = best_fixes(scored(&p, &config), 5);
        let Some(start) = before.score else {
            assert!(fixes.is_empty());
            continue;
        };
        assert!(fixes.len() <= 5 && fixes.iter().all(|fix| fix.gain >= 0.0 && !fix.assets.is_empty()));
        let mut repaired = std::collections::BTreeSet::new();
        let mut at = start;
        for fix in &fixes {
            repaired.extend(fix.assets.iter().map(|asset| (fix.check.clone(), asset.clone())));
            let then = what_if(scored(&p, &config), &repaired).score.expect("still rated");
            assert!((then - fix.score).abs() < 1e-9 && (fix.score - at - fix.gain).abs() < 1e-9, "{fix:?}");
            at = fix.score;
        }
        // No other single repair would have lifted more than the first.
        if let Some(first) = fixes.first() {
            for row in before.waterfall.iter().filter_map(|row| row.check.clone()) {
                let all = p.outcomes.iter().filter(|outcome| outcome.check == row);
                let one = all.map(|outcome| (outcome.check.clone(), outcome.asset.clone())).collect();
                let then = what_if(scored(&p, &config), &one).score.expect("rated");
                assert!(then <= first.score + 1e-6, "{row} would lift to {then}, {first:?}");
            }
            lifted += usize::from(first.gain > 0.0);
        }
    }
    assert!(lifted > 100, "{lifted}");
}

#[test]
fn the_difference_of_two_postures_adds_up() {
    let (config, mut dice, mut compared) = (config(), Dice(19), 0);
    for _ in 0..2_000 {
        let (old, new) = (portfolio(&mut dice), portfolio(&mut dice));
        let [before, after] = [&old, &new].map(|p| score(&p.outcomes, &p.profiles, &p.incidents, &config, NOW));
        let steps = difference(&before, &after, |_, _| Standing::default());
        let (Some(from), Some(to)) = (before.score, after.score) else {
            assert!(steps.is_empty());
            continue;
        };
        let sum: f64 = steps.iter().map(|step| step.points).sum();
        assert!((sum - (to - from)).abs() < 1e-6, "{from} -> {to}, {sum}");
        compared += 1;
    }
    assert!(compared > 500, "{compared}");
}

#[test]
fn every_change_has_its_cause() {
    let config = config();
    let many: Vec<CheckOutcome> =
        (1..=20).map(|i| outcome(&format!("TLS-{i:02}x"), "a", CheckResult::Pass, Severity::High, 1.0)).collect();
    let posture = |extra: Vec<CheckOutcome>, incidents: &[Incident]| {
        let outcomes: Vec<CheckOutcome> = many.iter().cloned().chain(extra).collect();
        score(&outcomes, &Profiles::default(), incidents, &config, NOW)
    };
    let fail = |confidence: f64| vec![outcome("TLS-09", "a", CheckResult::Fail, Severity::Medium, confidence)];
    let check = |before: &Posture, after: &Posture, standing: Standing, cause: Cause, rises: bool| {
        let steps = difference(before, after, |_, _| standing);
        assert_eq!(steps.first().map(|step| (step.cause, step.points > 0.0)), Some((cause, rises)), "{steps:?}");
    };
    let (clean, failed, doubted) = (posture(vec![], &[]), posture(fail(1.0), &[]), posture(fail(0.5), &[]));
    let is = Standing::default();
    check(&clean, &failed, is, Cause::New, false);
    check(&failed, &clean, is, Cause::Fixed, true);
    check(&failed, &clean, Standing { set_aside: true, ..is }, Cause::Disputed, true);
    check(&failed, &clean, Standing { asset_changed: true, ..is }, Cause::AssetChanged, true);
    check(&failed, &doubted, Standing { stale: true, ..is }, Cause::Decayed, true);
    check(&failed, &doubted, is, Cause::Changed, true);
    let more =
        posture([fail(1.0), vec![outcome("TLS-10", "a", CheckResult::Pass, Severity::Critical, 1.0)]].concat(), &[]);
    check(&failed, &more, is, Cause::Share, true);
    let breach = Incident { kind: IncidentKind::Breach, title: "leak".into(), occurred_at: NOW };
    check(&clean, &posture(vec![], &[breach]), is, Cause::Incident, false);
    let other = Posture { model: Text::from("rg-score/0"), ..failed.clone() };
    check(&other, &clean, is, Cause::ModelVersion, true);
    assert!(difference(&clean, &clean, |_, _| is).is_empty());
}
