//! Judges what a crawl saw: checks, one score with its exact account, verdicts under public standards, relations.
//!
//! Everything here is a pure function of the observations. It must *not* know how they were made: no DNS, no sockets, no
//! clock. What could not be seen is `UNKNOWN` with its reason, never a failure.

mod brand;
mod browser;
mod catalogue;
mod check;
mod compat;
mod config;
mod cookies;
mod csp;
mod dns;
mod examples;
#[cfg(test)]
mod fixtures;
mod headers;
mod leaks;
mod mail;
mod names;
mod net;
mod pages;
mod pay;
mod profile;
mod relations;
mod score;
mod scripts;
mod tls;
mod transparency;
mod vuln;

use riskgraph_domain::Text;
use riskgraph_domain::observation::{DomainObservations, TlsFacts};
use riskgraph_domain::posture::{CheckOutcome, CheckResult};
use serde_json::json;

pub use catalogue::catalogue;
pub use check::{Check, Factor};
pub use compat::{BadPreloadList, PreloadList, References, compat, compat_with};
pub use config::PostureConfig;
pub use examples::{Example, examples};
pub use pages::{check_page, pages};
pub use profile::{AssetProfile, Profiles};
pub use relations::{relations, relations_among};
pub use score::{
    Incident, IncidentKind, Observed, Scored, Standing, best_fixes, difference, freshness, grade, score, what_if,
};

use check::{Case, Judge, Judged, Skip, Verdict};

/// Runs every check of the catalogue over the observations of one domain.
///
/// Outcomes come in the catalogue's order, per TLS endpoint where a check looks at endpoints. A check that does not apply
/// gives none; one that could not be told is `UNKNOWN` with `evidence.reason`.
#[must_use]
pub fn judge(observations: &DomainObservations, profile: &AssetProfile, config: &PostureConfig) -> Vec<CheckOutcome> {
    let case = Case { seen: observations, profile, config };
    let mut outcomes = Vec::new();
    // Endpoints without any TLS: TLS-01 says so, and there is nothing for the other checks to look at.
    let mut without_tls: Vec<String> = Vec::new();
    for check in catalogue() {
        let endpoints = match check.judge {
            Judge::Domain(judge) => {
                outcomes.extend(outcome(check, case.domain(), judge(&case)));
                continue;
            }
            Judge::Page(judge) => {
                let judged = judge(&case).map(|verdict| case.by_page(verdict));
                outcomes.extend(outcome(check, case.domain(), judged));
                continue;
            }
            Judge::Endpoint(judge) => case.endpoints().map(|endpoints| (endpoints, judge)),
        };
        match endpoints {
            Ok((endpoints, judge)) => {
                for tls in endpoints {
                    let asset = endpoint_name(tls);
                    if without_tls.contains(&asset) {
                        continue;
                    }
                    let judged = judge(&case, tls);
                    let failed = judged.as_ref().is_ok_and(|verdict| verdict.result == CheckResult::Fail);
                    outcomes.extend(outcome(check, &asset, judged));
                    if check.id == "TLS-01" && failed {
                        without_tls.push(asset);
                    }
                }
            }
            Err(skip) => outcomes.extend(outcome(check, case.domain(), Err(skip))),
        }
    }
    outcomes
}

/// The host, with its port when that is not 443.
fn endpoint_name(tls: &TlsFacts) -> String {
    if tls.port == 443 { tls.host.to_string() } else { format!("{}:{}", tls.host, tls.port) }
}

fn outcome(check: &Check, asset: &str, judged: Judged) -> Option<CheckOutcome> {
    let verdict = match judged {
        Ok(verdict) => verdict,
        Err(Skip::NotApplicable) => return None,
        Err(Skip::Unknown(reason)) => Verdict {
            result: CheckResult::Unknown,
            severity: None,
            evidence: json!({ "reason": reason }),
            confidence: 0.0,
        },
    };
    let passed = verdict.result == CheckResult::Pass;
    Some(CheckOutcome {
        check: Text::from(check.id),
        asset: Text::from(asset),
        result: verdict.result,
        severity: verdict.severity.unwrap_or(check.severity),
        title: check.title.to_owned(),
        recommendation: if passed { String::new() } else { check.recommendation.to_owned() },
        reference: check.reference.to_owned(),
        evidence: verdict.evidence,
        confidence: verdict.confidence,
    })
}

#[cfg(test)]
mod tests;
