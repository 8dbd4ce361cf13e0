//! What receivers shall do with forgeries (RFC 9989): discovery by tree walk, effective policy, reports.

pub(in crate::posture) mod record;

use riskgraph_domain::observation::DnsAnswer;
use serde_json::json;

use super::{Role, role, texts};
use crate::posture::check::{Case, Judged, Skip, Verdict, cut};
use crate::posture::names::{registrable, same_site};
use record::{Policy, Psd, Record};

/// Queries of a tree walk, at most (RFC 9989 4.10).
const WALK_MAX: usize = 8;

/// The record that decides for the domain, and how it came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::posture) struct Effective {
    /// Name whose `_dmarc` record it is.
    pub(in crate::posture) at: String,
    pub(in crate::posture) record: Record,
    inherited: bool,
}

impl Effective {
    /// The policy the owner asks for.
    pub(in crate::posture) fn asked(&self) -> Policy {
        if self.inherited { self.record.subdomain_policy() } else { self.record.policy() }
    }

    /// The policy after `t=y`, which lowers it by one level.
    pub(in crate::posture) fn applied(&self) -> Policy {
        if self.record.testing { self.asked().lowered() } else { self.asked() }
    }
}

/// What stands at `_dmarc.NAME`.
pub(in crate::posture) enum At {
    Nothing,
    One(Box<Record>),
    /// A record that breaks the grammar, or several, or text that is none.
    Broken {
        text: Option<String>,
        error: String,
    },
}

/// Reads `_dmarc.NAME`; several records or a broken one count as none in discovery (RFC 9989 4.10.1).
pub(in crate::posture) fn at(case: &Case<'_>, name: &str) -> Result<At, Skip> {
    let texts = texts(case, &format!("_dmarc.{name}"))?;
    let mut found: Vec<&String> = texts.iter().filter(|text| record::is_dmarc(text)).collect();
    let spaced = texts.iter().find(|text| text.starts_with([' ', '\t']) && record::is_dmarc(text.trim_start()));
    Ok(match (found.len(), spaced) {
        (0, Some(text)) => At::Broken { text: Some(text.clone()), error: "the record begins with a blank".to_owned() },
        (0, None) if texts.iter().any(|text| text.to_ascii_lowercase().starts_with("v=spf1")) => {
            At::Broken { text: None, error: "Found a SPF record where a DMARC record should be".to_owned() }
        }
        (0, None) if texts.iter().any(|text| text.to_ascii_lowercase().trim_start().starts_with("v=dmarc")) => {
            At::Broken { text: texts.first().cloned(), error: "the version is not DMARC1".to_owned() }
        }
        (0, None) => At::Nothing,
        (1, _) => match found.pop().map(|text| (text, record::parse(text))) {
            Some((_, Ok(record))) => At::One(Box::new(record)),
            Some((text, Err(error))) => At::Broken { text: Some(text.clone()), error: error.to_string() },
            None => At::Nothing,
        },
        (n, _) => At::Broken { text: None, error: format!("{n} DMARC records where one is allowed") },
    })
}

/// The names a tree walk visits above the domain: at most seven labels at first, then one less each time.
fn parents(domain: &str) -> Vec<&str> {
    let labels: Vec<&str> = domain.split('.').collect();
    let start = labels.len().saturating_sub(WALK_MAX - 1).max(1);
    let mut place = labels.iter().take(start).map(|label| label.len() + 1).sum::<usize>();
    let mut names = Vec::new();
    while place < domain.len() && names.len() < WALK_MAX {
        names.push(&domain[place..]);
        match domain[place..].find('.') {
            Some(dot) => place += dot + 1,
            None => break,
        }
    }
    names
}

/// The record that decides for the domain: its own, else its organisational domain's, else its public suffix's.
pub(in crate::posture) fn effective(case: &Case<'_>) -> Result<Option<Effective>, Skip> {
    if let At::One(record) = at(case, case.domain())? {
        return Ok(Some(Effective { at: case.domain().to_owned(), record: *record, inherited: false }));
    }
    // Without psd tags the shortest name with a record is the organisational domain.
    let mut chosen: Option<Effective> = None;
    let suffix_from = registrable(case.domain()).map_or(0, str::len);
    for name in parents(case.domain()) {
        let found = match at(case, name) {
            Ok(found) => found,
            // Public suffixes hardly ever have a record and are not asked.
            Err(_) if name.len() < suffix_from => continue,
            Err(skip) => return if chosen.is_some() { Ok(chosen) } else { Err(skip) },
        };
        let At::One(record) = found else { continue };
        let psd = record.psd;
        if psd == Psd::Yes && chosen.is_some() {
            break;
        }
        chosen = Some(Effective { at: name.to_owned(), record: *record, inherited: true });
        if psd != Psd::Unsaid {
            break;
        }
    }
    Ok(chosen)
}

/// The deciding record of a domain that is not parked (MAIL-21 is about those).
fn deciding(case: &Case<'_>) -> Result<Option<Effective>, Skip> {
    if role(case)? == Role::Parked { Err(Skip::NotApplicable) } else { effective(case) }
}

fn decided(case: &Case<'_>) -> Result<Effective, Skip> {
    deciding(case)?.ok_or(Skip::NotApplicable)
}

/// MAIL-09: a record decides for the domain.
pub(in crate::posture) fn present(case: &Case<'_>) -> Judged {
    Ok(match deciding(case)? {
        Some(found) => Verdict::pass(json!({ "at": found.at, "record": cut(&found.record.text) })),
        None => Verdict::fail(json!({ "observed": "no usable DMARC record" })),
    })
}

/// MAIL-10: what stands at `_dmarc` is one valid record, and none stands where it does not count.
pub(in crate::posture) fn syntax(case: &Case<'_>) -> Judged {
    let at = at(case, case.domain())?;
    let misplaced = texts(case, case.domain()).is_ok_and(|texts| texts.iter().any(|text| record::is_dmarc(text)));
    Ok(match at {
        At::Broken { text, error } => {
            Verdict::fail(json!({ "record": text.as_deref().map(cut), "error": cut(&error) }))
        }
        At::Nothing if misplaced => Verdict::fail(json!({ "error": "the record stands at the domain, not at _dmarc" })),
        At::Nothing => return Err(Skip::NotApplicable),
        At::One(record) => Verdict::pass(json!({ "record": cut(&record.text) })),
    })
}

/// MAIL-11: forgeries are rejected.
pub(in crate::posture) fn policy(case: &Case<'_>) -> Judged {
    let found = decided(case)?;
    let evidence = json!({
        "record": cut(&found.record.text), "at": found.at, "asked": found.asked().as_str(),
        "applied": found.applied().as_str(), "testing": found.record.testing,
    });
    Ok(match found.applied() {
        Policy::None => Verdict::fail(evidence),
        Policy::Quarantine => Verdict::warn(evidence),
        Policy::Reject => Verdict::pass(evidence),
    })
}

/// MAIL-12: subdomains are protected as well as the domain.
pub(in crate::posture) fn subdomains(case: &Case<'_>) -> Judged {
    let found = decided(case)?;
    if found.inherited || found.record.policy() == Policy::None {
        return Err(Skip::NotApplicable);
    }
    let (p, sp, np) = (found.record.policy(), found.record.subdomain_policy(), found.record.nonexistent_policy());
    let evidence = json!({ "p": p.as_str(), "sp": sp.as_str(), "np": np.as_str() });
    Ok(match sp.min(np) {
        Policy::None => Verdict::fail(evidence),
        weakest if weakest < p => Verdict::warn(evidence),
        _ => Verdict::pass(evidence),
    })
}

/// MAIL-13: reports go somewhere that takes them. Another organisation must agree by a record of its own.
pub(in crate::posture) fn reports(case: &Case<'_>) -> Judged {
    let found = decided(case)?;
    if found.record.rua.is_empty() {
        return Ok(Verdict::warn(json!({ "rua": [] })));
    }
    let (mut refused, mut untold) = (Vec::new(), Vec::new());
    for target in found.record.rua.iter().take(10).filter_map(|uri| record::report_domain(uri)) {
        let agreement = format!("{}._report._dmarc.{target}", found.at);
        if !same_site(&target, &found.at) {
            match case.seen.dns.answer(&agreement, "TXT") {
                Some(DnsAnswer::Records(records)) if records.iter().any(|r| record::is_dmarc(&super::txt(r))) => {}
                Some(DnsAnswer::Records(_) | DnsAnswer::NoData | DnsAnswer::NxDomain) => {
                    refused.push(format!("{target} has not agreed"));
                }
                _ => untold.push(format!("{agreement} was not asked")),
            }
        }
        if case.seen.dns.answer(&target, "MX") == Some(&DnsAnswer::NxDomain) {
            refused.push(format!("{target} does not exist"));
        }
    }
    let rua: Vec<String> = found.record.rua.iter().take(10).map(|uri| cut(uri)).collect();
    let evidence = json!({ "rua": rua, "refused": refused, "untold": untold });
    Ok(if refused.is_empty() { Verdict::pass(evidence) } else { Verdict::warn(evidence) })
}

/// MAIL-14: no tag that RFC 9989 removed.
pub(in crate::posture) fn removed(case: &Case<'_>) -> Judged {
    let found = decided(case)?;
    let removed = found.record.removed();
    let evidence = json!({ "removed": removed });
    Ok(if removed.is_empty() { Verdict::pass(evidence) } else { Verdict::warn(evidence) })
}
