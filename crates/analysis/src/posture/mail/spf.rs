//! Who may send as the domain (RFC 7208).

pub(in crate::posture) mod audit;
pub(in crate::posture) mod evaluate;
pub(in crate::posture) mod expand;
pub(in crate::posture) mod record;

use riskgraph_domain::Severity;
use serde_json::json;

use super::{Role, role};
use crate::posture::check::{Case, Judged, Skip, Verdict, cut, unknown};
use audit::{Audit, Network, SpfError, audit};
use record::Qualifier;

const LISTED_MAX: usize = 10;

/// The SPF records of the domain.
fn records(case: &Case<'_>) -> Result<Vec<String>, Skip> {
    Ok(record::find(case.records(case.domain(), "TXT")?.iter()))
}

/// The one record of a domain that has to do with mail, and what following it showed.
fn audited(case: &Case<'_>) -> Result<(String, Audit), Skip> {
    let mut records = records(case)?;
    // None and several are MAIL-01's business; a parked domain's, MAIL-21's.
    if records.len() != 1 || role(case)? == Role::Parked {
        return Err(Skip::NotApplicable);
    }
    let text = records.remove(0);
    let audit = audit(case.domain(), &text, &case.seen.dns);
    Ok((text, audit))
}

/// MAIL-01: a domain that has to do with mail has one SPF record.
pub(in crate::posture) fn present(case: &Case<'_>) -> Judged {
    let role = role(case)?;
    let records = records(case)?;
    let evidence = json!({ "records": records.iter().take(LISTED_MAX).map(|text| cut(text)).collect::<Vec<_>>() });
    match (records.len(), role) {
        (0, Role::Parked) => Err(Skip::NotApplicable),
        (1, _) => Ok(Verdict::pass(evidence)),
        _ => Ok(Verdict::fail(evidence)),
    }
}

/// MAIL-02: the record and those it names can be evaluated.
pub(in crate::posture) fn syntax(case: &Case<'_>) -> Judged {
    let (text, audit) = audited(case)?;
    let errors: Vec<String> = audit.errors.iter().take(LISTED_MAX).map(|error| cut(&error.to_string())).collect();
    let evidence = json!({ "record": cut(&text), "errors": errors });
    if !errors.is_empty() {
        return Ok(Verdict::fail(evidence));
    }
    match audit.unresolved {
        Some(reason) => unknown(reason),
        None => Ok(Verdict::pass(evidence)),
    }
}

/// MAIL-03: at most ten lookups.
pub(in crate::posture) fn lookups(case: &Case<'_>) -> Judged {
    let (_, audit) = audited(case)?;
    let rules = &case.config.mail;
    let evidence = json!({ "lookups": audit.lookups, "limit": rules.spf_lookups_max, "unresolved": audit.unresolved });
    if audit.lookups > rules.spf_lookups_max {
        return Ok(Verdict::fail(evidence));
    }
    match audit.unresolved {
        Some(reason) => unknown(reason),
        None if audit.lookups >= rules.spf_lookups_warn => Ok(Verdict::warn(evidence)),
        None => Ok(Verdict::pass(evidence)),
    }
}

/// MAIL-04: at most two lookups without an answer.
pub(in crate::posture) fn voids(case: &Case<'_>) -> Judged {
    let (_, audit) = audited(case)?;
    let names = &audit.void_names[..audit.void_names.len().min(LISTED_MAX)];
    let evidence = json!({ "void_lookups": audit.voids, "names": names, "untold": audit.untold });
    if audit.voids > case.config.mail.spf_voids_max {
        return Ok(Verdict::fail(evidence));
    }
    match audit.unresolved {
        Some(reason) => unknown(reason),
        None => Ok(Verdict::pass(evidence)),
    }
}

/// MAIL-05: what happens to everyone else.
pub(in crate::posture) fn terminal(case: &Case<'_>) -> Judged {
    let (text, audit) = audited(case)?;
    if audit.errors.iter().any(|error| matches!(error, SpfError::Syntax { domain, .. } if domain == case.domain())) {
        return Err(Skip::NotApplicable);
    }
    let evidence = json!({ "record": cut(&text), "all": audit.all.map(Qualifier::as_str) });
    Ok(match audit.all {
        Some(Qualifier::Fail) => Verdict::pass(evidence),
        Some(Qualifier::SoftFail) => Verdict::warn(evidence),
        Some(Qualifier::Pass) => Verdict::fail(evidence).severity(Severity::Critical),
        Some(Qualifier::Neutral) => Verdict::fail(evidence),
        None => match audit.unresolved {
            Some(reason) => return unknown(reason),
            None => Verdict::fail(evidence),
        },
    })
}

/// MAIL-06: the networks that may send are not half of the internet.
pub(in crate::posture) fn networks(case: &Case<'_>) -> Judged {
    let (_, audit) = audited(case)?;
    let rules = &case.config.mail;
    let huge = |network: &&Network| network.prefix <= rules.spf_prefix_fail;
    // Of IPv6 a /32 is what one provider gets; shorter is more than one.
    let large = |network: &&Network| {
        if network.is_v6 {
            network.prefix < 32
        } else {
            1_u64 << (32 - u32::from(network.prefix.min(32))) >= rules.spf_addresses_warn
        }
    };
    let list = |chosen: Vec<&Network>| chosen.iter().take(LISTED_MAX).map(|n| cut(&n.text)).collect::<Vec<_>>();
    let huge = list(audit.networks.iter().filter(huge).collect());
    let large = list(audit.networks.iter().filter(large).collect());
    let evidence = json!({ "huge": huge, "large": large });
    Ok(match (huge.is_empty(), large.is_empty()) {
        (false, _) => Verdict::fail(evidence),
        (true, false) => Verdict::warn(evidence),
        (true, true) => Verdict::pass(evidence),
    })
}

/// MAIL-07: every included name exists; one that does not can be registered by anyone, who may then send.
pub(in crate::posture) fn targets(case: &Case<'_>) -> Judged {
    let (_, audit) = audited(case)?;
    let evidence = json!({ "nonexistent": audit.nonexistent.iter().take(LISTED_MAX).collect::<Vec<_>>() });
    if !audit.nonexistent.is_empty() {
        return Ok(Verdict::fail(evidence));
    }
    match audit.unresolved {
        Some(reason) => unknown(reason),
        None => Ok(Verdict::pass(evidence)),
    }
}

/// MAIL-08: no `ptr`, and the record fits an answer.
pub(in crate::posture) fn form(case: &Case<'_>) -> Judged {
    let (text, audit) = audited(case)?;
    let mut weak = Vec::new();
    if audit.uses_ptr {
        weak.push("ptr is slow and deprecated (RFC 7208 5.5)");
    }
    if text.len() > case.config.mail.spf_record_bytes {
        weak.push("the record is long (RFC 7208 3.4)");
    }
    if audit.text_after_all {
        weak.push("terms behind all never count");
    }
    let evidence = json!({ "bytes": text.len(), "weak": weak });
    Ok(if weak.is_empty() { Verdict::pass(evidence) } else { Verdict::warn(evidence) })
}
