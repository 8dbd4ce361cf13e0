//! Verdicts under public standards, in the shape of the output contract. A part that was not assessed is absent.
//!
//! These agree with the named standard and version, also where our own checks judge otherwise; they are stored beside the
//! score and never mixed into it.

mod checkdmarc;
mod mozilla;
mod observatory;
mod ssllabs;
mod zonemaster;

use std::cell::Cell;
use std::net::Ipv4Addr;
use std::sync::LazyLock;
mod web;

pub use observatory::{BadPreloadList, PreloadList};

use riskgraph_domain::observation::{DnsAnswer, Dnssec, DomainObservations, ProbeFailure};
use serde_json::{Map, Value, json};

use super::check::Case;
use super::config::PostureConfig;
use super::mail::spf::evaluate::{Sender, spf_evaluate};
use super::profile::AssetProfile;
use super::transparency;

/// Data of others that some standards refer to; the operator supplies them.
#[derive(Debug, Clone, Default)]
pub struct References {
    /// Without it nothing counts as preloaded.
    pub hsts_preload: Option<PreloadList>,
}

/// All public verdicts on one domain, without the operator's [`References`].
#[must_use]
pub fn compat(observations: &DomainObservations) -> Value {
    compat_with(observations, &References::default())
}

/// All public verdicts on one domain.
#[must_use]
pub fn compat_with(observations: &DomainObservations, references: &References) -> Value {
    let mut parts = Map::new();
    let mut put = |name: &str, part: Option<Value>| {
        if let Some(part) = part {
            parts.insert(name.to_owned(), part);
        }
    };
    use observatory::Algorithm::{Five, Four, Six};
    let judged = |algorithm| observatory::verdict(observations, algorithm, references.hsts_preload.as_ref());
    put("observatory", judged(Six));
    put("observatory-v5", judged(Five));
    put("observatory-v4", judged(Four));
    put("csp_evaluator", web::csp_evaluator(observations));
    put("retire", web::retire(observations));
    put("ssllabs", ssllabs::verdict(observations, ssllabs::Reading::Testssl));
    put("ssllabs-strict", ssllabs::verdict(observations, ssllabs::Reading::Strict));
    put("mozilla_tls", ssllabs::main_endpoint(observations).and_then(mozilla::verdict));
    put("dnssec", dnssec(observations));
    put("zonemaster", zonemaster::tags(observations));
    // Only thresholds of our own checks are in the configuration; a broken one cannot be built in.
    static BUILT_IN: LazyLock<Option<PostureConfig>> = LazyLock::new(|| PostureConfig::built_in().ok());
    if let Some(config) = BUILT_IN.as_ref() {
        let profile = AssetProfile::default();
        let case = Case { seen: observations, profile: &profile, config };
        put("spf", checkdmarc::spf(&case));
        put("rfc7208", rfc7208(&case));
        put("dmarc", checkdmarc::dmarc(&case));
        put("mta_sts", checkdmarc::mta_sts(&case));
        put("tls_rpt", checkdmarc::tls_rpt(&case));
        put("securitytxt", security_txt(&case));
    }
    Value::Object(parts)
}

/// What a receiver says to a stranger's mail under the domain's name (RFC 7208 2.6); absent when an answer is missing.
fn rfc7208(case: &Case<'_>) -> Option<Value> {
    // TEST-NET-1 (RFC 5737): nobody's address, so no sender's.
    let ip = Ipv4Addr::new(192, 0, 2, 1);
    let missing = Cell::new(false);
    let ask = |name: &str, kind: &str| match case.seen.dns.answer(name, kind) {
        Some(answer) if !matches!(answer, DnsAnswer::Failed(_)) => answer.clone(),
        _ => {
            missing.set(true);
            DnsAnswer::Failed(ProbeFailure::Timeout)
        }
    };
    let mail_from = format!("postmaster@{}", case.domain());
    let sender = Sender { ip: ip.into(), helo: case.domain(), mail_from: &mail_from };
    let (result, _) = spf_evaluate(&sender, &ask);
    (!missing.get()).then(|| json!({ "sender": ip.to_string(), "result": result.as_str() }))
}

/// As checkdmarc tells it: one level, from the parent's DS to the zone's keys; the whole chain where that was not seen.
fn dnssec(seen: &DomainObservations) -> Option<Value> {
    if let Some(matched) = seen.dns.keys_match_ds {
        return Some(Value::Bool(matched));
    }
    match seen.dns.dnssec {
        Dnssec::Secure => Some(Value::Bool(true)),
        Dnssec::Insecure | Dnssec::Bogus(_) => Some(Value::Bool(false)),
        Dnssec::Unknown(_) => None,
    }
}

fn security_txt(case: &Case<'_>) -> Option<Value> {
    let found = transparency::find(&case.seen.files).ok()?;
    let report = transparency::examine(&found, case.seen.finished_at, 366.0);
    Some(json!({ "codes": report.codes(), "errors": report.errors, "recommendations": report.recommendations }))
}

#[cfg(test)]
mod tests;
