//! Leaks and extortion: what files of breaches and of leak sites say of the domain. Knows no file.

use riskgraph_domain::known::{Breach, KnownFacts};
use riskgraph_domain::posture::CheckResult;
use riskgraph_domain::time::DAY_MS;
use riskgraph_domain::{Severity, Timestamp};
use serde_json::{Value, json};

use super::check::{Case, Judged, Skip, Verdict};
use super::mail::dmarc;
use super::net;

/// Things named in evidence.
const NAMED_MAX: usize = 20;
/// Milliseconds in a day, for reals.
const DAY: f64 = DAY_MS as f64;

/// LEAK-01: passwords of the domain's users were lost.
pub(super) fn credentials(case: &Case<'_>) -> Judged {
    let has_passwords =
        |breach: &&Breach| breach.data_classes.iter().any(|class| class.to_lowercase().contains("password"));
    let limits = &case.config.leaks;
    let recent = recent(case, limits.credential_days)?;
    let found: Vec<&Breach> = recent.into_iter().filter(has_passwords).collect();
    let evidence = json!({ "breaches": named(&found) });
    Ok(if found.is_empty() { Verdict::pass(evidence) } else { Verdict::warn(evidence) })
}

/// LEAK-02: secrets of ours stand in the vendor's public code.
pub(super) fn code(case: &Case<'_>) -> Judged {
    let Some(found) = &known(case)?.code_leaks else { return Err(Skip::NotApplicable) };
    let evidence = json!({ "secrets": found.iter().take(NAMED_MAX).collect::<Vec<_>>() });
    Ok(if found.is_empty() { Verdict::pass(evidence) } else { Verdict::fail(evidence) })
}

/// LEAK-03: a confirmed breach.
pub(super) fn breach(case: &Case<'_>) -> Judged {
    let found: Vec<&Breach> =
        recent(case, case.config.leaks.breach_days)?.into_iter().filter(|breach| breach.verified).collect();
    let evidence = json!({ "breaches": named(&found) });
    Ok(if found.is_empty() { Verdict::pass(evidence) } else { Verdict::fail(evidence) })
}

/// RAN-01: an extortion group names the domain.
pub(super) fn extortion(case: &Case<'_>) -> Judged {
    let Some(posts) = &known(case)?.extortions else { return Err(Skip::NotApplicable) };
    let recent = posts.iter().filter(|post| is_within(case, post.posted, case.config.leaks.extortion_days));
    let recent: Vec<Value> = recent.take(NAMED_MAX).map(|post| json!(post)).collect();
    let evidence = json!({ "posts": recent });
    Ok(if recent.is_empty() { Verdict::pass(evidence) } else { Verdict::fail(evidence) })
}

/// RAN-02: how easy extortion would be, by what extortion groups use: open doors, exploited holes, forged mail, lost
/// passwords. Each that can be told counts by its weight.
pub(super) fn susceptibility(case: &Case<'_>) -> Judged {
    let weights = &case.config.leaks.susceptibility;
    let failed = |judged: Judged| match judged {
        Ok(verdict) => Some(matches!(verdict.result, CheckResult::Fail | CheckResult::Warn)),
        Err(_) => None,
    };
    let signs = [
        ("remote access is open", weights.remote_access, failed(net::remote_access(case))),
        ("a hole that extortion groups use", weights.exploited, failed(super::vuln::ransomware(case))),
        ("mail can be forged", weights.mail, failed(dmarc::policy(case))),
        ("passwords were lost", weights.credentials, failed(credentials(case))),
    ];
    let told: Vec<_> = signs.iter().filter_map(|&(what, weight, is_bad)| Some((what, weight, is_bad?))).collect();
    let has_outside = signs[0].2.is_some() || signs[1].2.is_some() || signs[3].2.is_some();
    let whole: f64 = told.iter().map(|(_, weight, _)| weight).sum();
    // Mail alone says nothing about extortion.
    if !has_outside || whole <= 0.0 {
        return Err(Skip::NotApplicable);
    }
    let index = told.iter().filter(|(_, _, is_bad)| *is_bad).map(|(_, weight, _)| weight).sum::<f64>() / whole;
    let signs: Vec<&str> = told.iter().filter(|(_, _, is_bad)| *is_bad).map(|(what, _, _)| *what).collect();
    let evidence = json!({ "index": (index * 100.0).round() / 100.0, "signs": signs, "told": told.len() });
    Ok(if index >= weights.fail {
        Verdict::fail(evidence).severity(Severity::High)
    } else if index >= weights.warn {
        Verdict::warn(evidence)
    } else {
        Verdict::pass(evidence)
    })
}

fn recent<'a>(case: &Case<'a>, days: f64) -> Result<Vec<&'a Breach>, Skip> {
    let Some(breaches) = &known(case)?.breaches else { return Err(Skip::NotApplicable) };
    Ok(breaches.iter().filter(|breach| is_within(case, breach.date, days)).collect())
}

/// Whether something happened in the last days; what has no date did.
fn is_within(case: &Case<'_>, at: Option<Timestamp>, days: f64) -> bool {
    at.is_none_or(|at| (case.seen.finished_at.0 - at.0) as f64 / DAY <= days)
}

fn named(breaches: &[&Breach]) -> Vec<Value> {
    breaches.iter().take(NAMED_MAX).map(|breach| json!(breach)).collect()
}

fn known<'a>(case: &Case<'a>) -> Result<&'a KnownFacts, Skip> {
    case.seen.known.as_ref().ok_or(Skip::NotApplicable)
}
