//! Patching: vulnerabilities of recognised versions, with what is known of their use. Knows no file and no product.

use riskgraph_domain::Severity;
use riskgraph_domain::Timestamp;
use riskgraph_domain::known::{KnownFacts, Vulnerability};
use riskgraph_domain::posture::CheckResult;
use riskgraph_domain::time::DAY_MS;
use serde_json::{Value, json};

use super::check::{Case, Judged, Skip, Verdict};

/// Things named in evidence.
const NAMED_MAX: usize = 20;
/// Independent signals from which a version counts as sure.
const SIGNALS_SURE: u32 = 2;
/// Milliseconds in a day, for reals.
const DAY: f64 = DAY_MS as f64;

/// VULN-01: what is installed, and whether two signals agree on it.
pub(super) fn inventory(case: &Case<'_>) -> Judged {
    let known = known(case)?;
    if known.software.is_empty() {
        return Err(Skip::NotApplicable);
    }
    let is_sure = |n: usize| n >= SIGNALS_SURE as usize;
    let unsure = known.software.iter().filter(|it| it.version.is_some() && !is_sure(it.n_signals())).count();
    let software: Vec<Value> = known
        .software
        .iter()
        .take(NAMED_MAX)
        .map(|it| {
            json!({ "name": it.name, "version": it.version, "cpe": it.cpes.first(), "signals": it.signals,
                "backported_by": it.backported_by })
        })
        .collect();
    let evidence = json!({ "software": software, "versions_with_one_signal": unsure });
    Ok(if unsure == 0 { Verdict::pass(evidence) } else { Verdict::warn(evidence) })
}

/// VULN-02: severe vulnerabilities.
pub(super) fn severe(case: &Case<'_>) -> Judged {
    let limits = &case.config.vuln;
    by_worst(case, OneSignal::Warns, |it| match it.cvss {
        Some(score) if score >= limits.cvss_fail => Some(CheckResult::Fail),
        Some(score) if score >= limits.cvss_warn => Some(CheckResult::Warn),
        _ => None,
    })
}

/// VULN-03: vulnerabilities known to be exploited; critical once CISA's date is past.
pub(super) fn exploited(case: &Case<'_>) -> Judged {
    needs(known(case)?.kev_version.is_some())?;
    let verdict = by_worst(case, OneSignal::Fails, |it| it.kev.as_ref().map(|_| CheckResult::Fail))?;
    let overdue = charged(known(case)?).any(|it| due(it).is_some_and(|due| due < case.seen.finished_at));
    let severity = if overdue { Severity::Critical } else { Severity::High };
    Ok(if verdict.result == CheckResult::Fail { verdict.severity(severity) } else { verdict })
}

fn due(it: &Vulnerability) -> Option<Timestamp> {
    it.kev.as_ref().and_then(|entry| entry.due)
}

/// VULN-04: those that extortion groups use.
pub(super) fn ransomware(case: &Case<'_>) -> Judged {
    needs(known(case)?.kev_version.is_some())?;
    by_worst(case, OneSignal::Fails, |it| {
        it.kev.as_ref().filter(|entry| entry.ransomware == Some(true)).map(|_| CheckResult::Fail)
    })
}

/// VULN-05: those that are likely to be exploited within a month.
pub(super) fn likely(case: &Case<'_>) -> Judged {
    needs(known(case)?.has_epss)?;
    let limits = &case.config.vuln;
    by_worst(case, OneSignal::Warns, |it| {
        let now = it.epss?;
        let jumped = it.epss_before.is_some_and(|before| now - before >= limits.epss_jump);
        if now >= limits.epss_fail {
            Some(CheckResult::Fail)
        } else {
            (now >= limits.epss_warn || jumped).then_some(CheckResult::Warn)
        }
    })
}

/// VULN-06: versions whose maker no longer repairs them.
pub(super) fn end_of_life(case: &Case<'_>) -> Judged {
    let known = known(case)?;
    let Some(ends) = &known.end_of_life else { return Err(Skip::NotApplicable) };
    needs(known.software.iter().any(|it| it.version.is_some()))?;
    let now = case.seen.finished_at;
    let past = ends.iter().filter(|it| it.backported_by.is_none() && it.ended.is_none_or(|end| end < now));
    let past: Vec<Value> = past.take(NAMED_MAX).map(|it| json!(it)).collect();
    let evidence = json!({ "ended": past });
    Ok(if past.is_empty() { Verdict::pass(evidence) } else { Verdict::fail(evidence) })
}

/// VULN-07: how long known vulnerabilities stay open.
pub(super) fn days_open(case: &Case<'_>) -> Judged {
    let limits = &case.config.vuln;
    let now = case.seen.finished_at;
    by_worst(case, OneSignal::Warns, |it| {
        let since = it.kev.as_ref().and_then(|entry| entry.added).or(it.published)?;
        let days = (now.0 - since.0) as f64 / DAY;
        let allowed = match it.cvss {
            _ if it.kev.is_some() => limits.fix_critical_days,
            Some(score) if score >= limits.cvss_fail => limits.fix_critical_days,
            Some(score) if score >= limits.cvss_warn => limits.fix_high_days,
            _ => limits.fix_other_days,
        };
        if days > allowed * 2.0 { Some(CheckResult::Fail) } else { (days > allowed).then_some(CheckResult::Warn) }
    })
}

/// VULN-08: how a vendor of open source keeps its repositories.
pub(super) fn scorecard(case: &Case<'_>) -> Judged {
    let Some(cards) = &known(case)?.scorecards else { return Err(Skip::NotApplicable) };
    let Some(worst) = cards.iter().min_by(|a, b| a.score.total_cmp(&b.score)) else { return Err(Skip::NotApplicable) };
    let limits = &case.config.vuln;
    let evidence = json!({ "repositories": cards.iter().take(NAMED_MAX).collect::<Vec<_>>() });
    Ok(if worst.score < limits.scorecard_fail {
        Verdict::fail(evidence)
    } else if worst.score < limits.scorecard_warn {
        Verdict::warn(evidence)
    } else {
        Verdict::pass(evidence)
    })
}

fn known<'a>(case: &Case<'a>) -> Result<&'a KnownFacts, Skip> {
    case.seen.known.as_ref().ok_or(Skip::NotApplicable)
}

fn needs(is_there: bool) -> Result<(), Skip> {
    if is_there { Ok(()) } else { Err(Skip::NotApplicable) }
}

/// Vulnerabilities that count: versions a distribution may have repaired do not.
fn charged(known: &KnownFacts) -> impl Iterator<Item = &Vulnerability> {
    known.vulnerabilities.iter().flatten().filter(|it| it.backported_by.is_none())
}

/// What becomes of a failure that rests on a version one signal alone tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum OneSignal {
    Warns,
    /// What is being exploited is worth the alarm.
    Fails,
}

/// The worst result over the vulnerabilities that count. A version that one signal alone tells is less sure evidence.
fn by_worst(case: &Case<'_>, one_signal: OneSignal, judge: impl Fn(&Vulnerability) -> Option<CheckResult>) -> Judged {
    let known = known(case)?;
    let Some(all) = &known.vulnerabilities else { return Err(Skip::NotApplicable) };
    needs(known.software.iter().any(|it| it.version.is_some()))?;
    let sure = |it: &Vulnerability| it.n_signals >= SIGNALS_SURE;
    let judged = charged(known).filter_map(|it| {
        let result = judge(it)?;
        let softened = result == CheckResult::Fail && one_signal == OneSignal::Warns && !sure(it);
        Some((it, if softened { CheckResult::Warn } else { result }))
    });
    let judged: Vec<(&Vulnerability, CheckResult)> = judged.collect();
    let worst = |wanted: CheckResult| judged.iter().any(|(_, result)| *result == wanted);
    let is_sure =
        judged.iter().any(|&(it, result)| sure(it) && (result == CheckResult::Fail || !worst(CheckResult::Fail)));
    let found: Vec<Value> = judged.iter().take(NAMED_MAX).map(|(it, _)| json!(it)).collect();
    let n_backported = all.iter().filter(|it| it.backported_by.is_some()).count();
    let evidence =
        json!({ "found": judged.len(), "vulnerabilities": found, "maybe_repaired_by_distribution": n_backported });
    let confidence = if is_sure || judged.is_empty() { 1.0 } else { case.config.vuln.one_signal_confidence };
    let verdict = if worst(CheckResult::Fail) {
        Verdict::fail(evidence)
    } else if worst(CheckResult::Warn) {
        Verdict::warn(evidence)
    } else {
        Verdict::pass(evidence)
    };
    Ok(verdict.confidence(confidence))
}
