//! Lookalikes: names that exist, take mail, show the same page, or were just certified. Knows no permutation and no DNS.

use riskgraph_domain::lookalike::{Brand, CertificateSource, Lookalike, LookalikeFacts, Suppressed};
use riskgraph_domain::time::DAY_MS;
use serde_json::{Value, json};

use super::check::{Case, Judged, Skip, Verdict, unknown};

/// Lookalikes named in evidence.
const NAMED_MAX: usize = 20;
/// Milliseconds in a day, for reals.
const DAY: f64 = DAY_MS as f64;

/// IMP-01: names that look like the domain are registered.
pub(super) fn registered(case: &Case<'_>) -> Judged {
    let facts = facts(case)?;
    let found: Vec<&Lookalike> = counting(facts).collect();
    let evidence = evidence(facts, &found, |_| Value::Null);
    Ok(if found.is_empty() { Verdict::pass(evidence) } else { Verdict::warn(evidence) })
}

/// IMP-02: a lookalike of the shop can take its mail.
pub(super) fn mail_of_own(case: &Case<'_>) -> Judged {
    takes_mail(case, Brand::Own)
}

/// IMP-06: a lookalike of a vendor can send and take mail in its name.
pub(super) fn mail_of_vendor(case: &Case<'_>) -> Judged {
    takes_mail(case, Brand::Vendor)
}

fn takes_mail(case: &Case<'_>, of: Brand) -> Judged {
    let facts = facts(case)?;
    if facts.of != of {
        return Err(Skip::NotApplicable);
    }
    let found: Vec<&Lookalike> = counting(facts).filter(|lookalike| lookalike.dns.takes_mail()).collect();
    let evidence = evidence(facts, &found, |lookalike| json!(lookalike.dns.mx));
    Ok(if found.is_empty() { Verdict::pass(evidence) } else { Verdict::warn(evidence) })
}

/// IMP-03: a lookalike shows the domain's page.
pub(super) fn similar_page(case: &Case<'_>) -> Judged {
    let facts = facts(case)?;
    let found: Vec<&Lookalike> = counting(facts).filter(|lookalike| is_similar(case, lookalike)).collect();
    let evidence = evidence(facts, &found, |lookalike| json!(lookalike.page));
    Ok(if found.is_empty() { Verdict::pass(evidence) } else { Verdict::fail(evidence) })
}

/// Much of the same text; or the same title or borrowed files, with something of the page behind it that harms.
fn is_similar(case: &Case<'_>, lookalike: &Lookalike) -> bool {
    let Some(page) = &lookalike.page else { return false };
    let limits = &case.config.brand;
    let asks = page.asks_password || page.asks_card;
    let resembles = page.text >= limits.text_some;
    let borrows = page.n_borrowed >= limits.borrowed_min;
    page.text >= limits.text_same
        || (page.same_title && (asks || resembles || borrows))
        || (borrows && (asks || resembles))
}

/// IMP-04: a lookalike got a certificate lately: somebody is about to use it.
pub(super) fn newly_certified(case: &Case<'_>) -> Judged {
    let facts = facts(case)?;
    if facts.certificates == CertificateSource::None {
        return Err(Skip::NotApplicable);
    }
    let age_days = |lookalike: &Lookalike| {
        let certificate = lookalike.certificate.as_ref()?;
        Some((case.seen.finished_at.0 - certificate.not_before.0) as f64 / DAY)
    };
    let fresh = |lookalike: &&Lookalike| {
        lookalike.suppressed.is_none() && age_days(lookalike).is_some_and(|days| days < case.config.brand.fresh_days)
    };
    let found: Vec<&Lookalike> = facts.found.iter().filter(fresh).collect();
    let evidence = evidence(facts, &found, |lookalike| json!(lookalike.certificate));
    Ok(if found.is_empty() { Verdict::pass(evidence) } else { Verdict::fail(evidence) })
}

/// IMP-05: what was left out, and whether the rest is the whole picture.
pub(super) fn suppressed(case: &Case<'_>) -> Judged {
    let Some(facts) = &case.seen.lookalikes else { return Err(Skip::NotApplicable) };
    let count = |why: Suppressed| facts.found.iter().filter(|lookalike| lookalike.suppressed == Some(why)).count();
    let evidence = json!({
        "asked": facts.n_asked,
        "unanswered": facts.n_unanswered,
        "wildcard": count(Suppressed::Wildcard),
        "parking": count(Suppressed::Parking),
        "own": count(Suppressed::Own),
    });
    let is_whole = share_unanswered(facts) <= case.config.brand.unanswered_max;
    Ok(if is_whole { Verdict::pass(evidence) } else { Verdict::warn(evidence) })
}

/// Lookalikes that count: registered for sure and not suppressed.
fn counting(facts: &LookalikeFacts) -> impl Iterator<Item = &Lookalike> {
    facts.found.iter().filter(|lookalike| lookalike.registered == Some(true) && lookalike.suppressed.is_none())
}

/// The facts, unless nobody looked or too few names were answered.
fn facts<'a>(case: &Case<'a>) -> Result<&'a LookalikeFacts, Skip> {
    let Some(facts) = &case.seen.lookalikes else { return Err(Skip::NotApplicable) };
    if facts.n_asked == 0 || share_unanswered(facts) > 0.5 {
        return unknown(format!("{} of {} names were not answered", facts.n_unanswered, facts.n_asked));
    }
    Ok(facts)
}

fn share_unanswered(facts: &LookalikeFacts) -> f64 {
    f64::from(facts.n_unanswered) / f64::from(facts.n_asked.max(1))
}

fn evidence(facts: &LookalikeFacts, found: &[&Lookalike], why: impl Fn(&Lookalike) -> Value) -> Value {
    let named: Vec<Value> = found
        .iter()
        .take(NAMED_MAX)
        .map(|lookalike| {
            let mut entry = json!({ "domain": lookalike.domain, "fuzzer": lookalike.fuzzer, "ns": lookalike.dns.ns });
            if let (Some(entry), why) = (entry.as_object_mut(), why(lookalike))
                && !why.is_null()
            {
                entry.insert("seen".to_owned(), why);
            }
            entry
        })
        .collect();
    json!({ "asked": facts.n_asked, "found": found.len(), "lookalikes": named })
}
