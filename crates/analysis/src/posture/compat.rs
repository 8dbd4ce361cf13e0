//! Verdicts under public standards, in the shape of the output contract. A part that was not assessed is absent.
//!
//! These agree with the named standard and version, also where our own checks judge otherwise; they are stored beside the
//! score and never mixed into it.

mod mail;
mod mozilla;
mod observatory;
mod ssllabs;

pub use observatory::{BadPreloadList, PreloadList};

use riskgraph_domain::observation::{Dnssec, DomainObservations};
use serde_json::{Map, Value, json};

use super::check::Case;
use super::config::PostureConfig;
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
    put("ssllabs", ssllabs::verdict(observations, ssllabs::Reading::Testssl));
    put("ssllabs-strict", ssllabs::verdict(observations, ssllabs::Reading::Strict));
    put("mozilla_tls", ssllabs::main_endpoint(observations).and_then(mozilla::verdict));
    put("dnssec", dnssec(observations));
    // Only thresholds of our own checks are in the configuration; a broken one cannot be built in.
    if let Ok(config) = PostureConfig::built_in() {
        let profile = AssetProfile::default();
        let case = Case { seen: observations, profile: &profile, config: &config };
        put("spf", mail::spf(&case));
        put("dmarc", mail::dmarc(&case));
        put("mta_sts", mail::mta_sts(&case));
        put("tls_rpt", mail::tls_rpt(&case));
        put("securitytxt", security_txt(&case));
    }
    Value::Object(parts)
}

fn dnssec(seen: &DomainObservations) -> Option<Value> {
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
