//! checkdmarc's verdicts: valid or not, its error, its warnings.

use riskgraph_domain::observation::DnsAnswer;
use serde_json::{Map, Value, json};

use crate::posture::check::Case;
use crate::posture::mail::dmarc::record::{self, Policy};
use crate::posture::mail::dmarc::{At, Effective, at, effective};
use crate::posture::mail::spf::audit::{SpfError, audit};
use crate::posture::mail::spf::record as spf_record;
use crate::posture::mail::{Role, mx_records, role, texts, transport};

/// RFC 7208 4.6.4.
const LOOKUPS_MAX: usize = 10;
const VOIDS_MAX: usize = 2;

/// The SPF record of the domain; `None` when DNS did not tell.
pub(super) fn spf(case: &Case<'_>) -> Option<Value> {
    let domain = case.domain();
    let texts = texts(case, domain).ok()?;
    let records: Vec<&String> = texts.iter().filter(|text| spf_record::is_spf(text)).collect();
    let broken = |error: &str| json!({ "record": null, "valid": false, "error": error, "warnings": [], "dns_lookups": null, "dns_void_lookups": null });
    let text = match records.as_slice() {
        [one] => one.as_str(),
        [] if case.seen.dns.answer(domain, "TXT") == Some(&DnsAnswer::NxDomain) => {
            return Some(broken("The domain does not exist."));
        }
        [] => return Some(broken("An SPF record does not exist.")),
        _ => return Some(broken("The domain has multiple SPF TXT records")),
    };
    let audit = audit(domain, text, &case.seen.dns);
    // checkdmarc takes an included name without a record for a void lookup and goes on; so it is a warning here.
    let hard = audit.errors.iter().find(|error| !matches!(error, SpfError::Missing(_)));
    let void_limit = audit.voids - audit.voids_of_includes.min(audit.voids);
    let error = if let Some(error) = hard {
        Some(error.to_string())
    } else if audit.lookups > LOOKUPS_MAX {
        Some(format!("Parsing the SPF record requires {}/10 maximum DNS lookups (RFC 7208 § 4.6.4)", audit.lookups))
    } else if void_limit > VOIDS_MAX {
        Some(format!("Parsing the SPF record has {}/2 maximum void DNS lookups (RFC 7208 § 4.6.4)", audit.voids))
    } else {
        None
    };
    if error.is_none() && audit.unresolved.is_some() {
        return None;
    }
    let mut warnings = size_warnings(domain, text);
    if audit.text_after_all {
        warnings.push("Any text after the all mechanism other than an exp modifier is ignored.".to_owned());
    }
    if audit.uses_ptr {
        warnings.push("The ptr mechanism should not be used - (RFC 7208 § 5.5)".to_owned());
    }
    for name in &audit.void_names {
        let gone = ["A", "TXT", "MX"].iter().any(|kind| case.seen.dns.answer(name, kind) == Some(&DnsAnswer::NxDomain));
        let why =
            if gone { format!("The domain {name} does not exist.") } else { format!("{name} has no such records.") };
        warnings.push(format!("Error when processing {name}: {why}"));
    }
    if role(case) == Ok(Role::Parked) && text != "v=spf1 -all" {
        warnings.push(format!("The SPF record for parked domains should be: v=spf1 -all not: {text}"));
    }
    Some(json!({
        "record": text, "valid": error.is_none(), "error": error, "warnings": warnings,
        "dns_lookups": audit.lookups, "dns_void_lookups": audit.voids,
        "all": audit.all.map_or("neutral", |all| all.as_str()),
    }))
}

fn size_warnings(domain: &str, text: &str) -> Vec<String> {
    match text.len() {
        n if n > 512 => vec![format!("SPF record for {domain} is {n} bytes (>512).")],
        n if n > 450 => vec![format!("SPF record for {domain} is {n} bytes. RFC 7208 § 3.4 recommends ~450 bytes.")],
        _ => Vec::new(),
    }
}

/// The DMARC record that decides for the domain; `None` when DNS did not tell.
pub(super) fn dmarc(case: &Case<'_>) -> Option<Value> {
    let invalid = |record: Option<String>, error: &str| json!({ "record": record, "location": null, "valid": false, "error": error, "warnings": [], "tags": {} });
    let own = at(case, case.domain()).ok()?;
    if let At::Broken { text, error } = own {
        return Some(invalid(text, &error));
    }
    let Some(found) = effective(case).ok()? else {
        let misplaced = texts(case, case.domain()).is_ok_and(|texts| texts.iter().any(|text| record::is_dmarc(text)));
        return Some(invalid(
            None,
            if misplaced {
                "The DMARC record must be located at _dmarc of the domain, not at the domain itself."
            } else {
                "A DMARC record does not exist for this domain or its parent domains."
            },
        ));
    };
    let warnings = dmarc_warnings(case, &found);
    Some(json!({
        "record": found.record.text, "location": format!("_dmarc.{}", found.at), "valid": true, "error": null,
        "warnings": warnings, "tags": tags(&found.record),
    }))
}

/// Tags with the values in force, defaults included.
fn tags(record: &record::Record) -> Map<String, Value> {
    let mut tags: Map<String, Value> = Map::new();
    let gone = |name: &str| record::REMOVED.contains(&name) || record.unknown().contains(&name);
    for (name, value) in record.tags.iter().filter(|(name, _)| !gone(name)) {
        let plain = matches!(name.as_str(), "p" | "sp" | "np" | "t" | "psd" | "adkim" | "aspf");
        tags.insert(name.clone(), json!(if plain { value.to_ascii_lowercase() } else { value.clone() }));
    }
    let mut default = |name: &str, value: &str| {
        tags.entry(name).or_insert_with(|| json!(value));
    };
    default("p", record.policy().as_str());
    default("sp", record.subdomain_policy().as_str());
    default("np", record.nonexistent_policy().as_str());
    for (name, value) in [("adkim", "r"), ("aspf", "r"), ("fo", "0"), ("psd", "u"), ("t", "n")] {
        default(name, value);
    }
    tags
}

fn dmarc_warnings(case: &Case<'_>, found: &Effective) -> Vec<String> {
    let (record, domain) = (&found.record, case.domain());
    let mut warnings = Vec::new();
    for tag in record.removed() {
        warnings.push(format!("Support for the {tag} tag was removed in RFC 9989"));
    }
    for tag in record.unknown() {
        warnings.push(format!("Unknown DMARC tag '{tag}' was ignored (RFC 9989 requires unknown tags to be ignored)."));
    }
    if record.p.is_none() {
        warnings.push(
            "A missing p tag is equivalent to p=none in RFC 9989, but a p tag is required in older versions of DMARC."
                .to_owned(),
        );
    } else if record.tags.get(1).is_none_or(|(name, _)| name != "p") {
        warnings.push(
            "The p tag does not immediately follow the v tag. RFC 9989 permits any ordering, but some older DMARC \
             implementations may require p to be the second tag."
                .to_owned(),
        );
    }
    if record.policy() == Policy::None {
        warnings.push(format!("A p tag value of none makes DMARC unenforced on email sent as {domain}."));
    }
    if record.sp == Some(Policy::None) {
        warnings
            .push(format!("An sp tag value of none makes DMARC unenforced on email sent as a subdomain of {domain}."));
    }
    let options: Vec<&str> = record.tag("fo").into_iter().flat_map(|list| list.split(':')).collect();
    if options.contains(&"0") && options.contains(&"1") {
        warnings.push("When 1 is present in the fo tag, including in the fo tag 0 is redundant.".to_owned());
    }
    report_warnings(case, record, &mut warnings);
    if role(case) == Ok(Role::Parked) {
        for (name, policy) in [("Policy (p=)", record.policy()), ("Subdomain policy (sp=)", record.subdomain_policy())]
        {
            if policy != Policy::Reject {
                warnings.push(format!("{name} should be reject for parked domains."));
            }
        }
    }
    warnings
}

fn report_warnings(case: &Case<'_>, record: &record::Record, warnings: &mut Vec<String>) {
    if record.rua.is_empty() {
        warnings.push("rua tag (destination for aggregate reports) not found.".to_owned());
    }
    if record.rua.len() > 2 {
        warnings.push("Some DMARC reporters might not send to more than two rua URIs.".to_owned());
    }
    for (tag, uri) in record.rua.iter().map(|uri| ("rua", uri)).chain(record.ruf.iter().map(|uri| ("ruf", uri))) {
        let Some(domain) = record::report_domain(uri) else { continue };
        let address = uri.split_once(':').map_or("", |(_, rest)| rest).split('!').next().unwrap_or("");
        if uri.contains('!') {
            warnings.push(format!(
                "The size limit (`!size`) on {tag} URI for {address} is obsolete in RFC 9989 (reporters MUST ignore \
                 it); pre-9989 readers may still honor it and produce incomplete reports."
            ));
        }
        match case.seen.dns.answer(&domain, "MX") {
            Some(DnsAnswer::NxDomain) => warnings.push(format!(
                "Failed to retrieve MX records for the domain of {tag} email address {address} - The domain {domain} \
                 does not exist."
            )),
            Some(DnsAnswer::NoData) => {
                warnings.push(format!("The domain for {tag} email address {address} has no MX records."));
            }
            Some(DnsAnswer::Records(records)) if mx_records(records).is_empty() => {
                warnings.push(format!("The domain for {tag} email address {address} has no MX records."));
            }
            _ => {}
        }
    }
}

/// MTA-STS; `None` when DNS or the policy file did not tell.
pub(super) fn mta_sts(case: &Case<'_>) -> Option<Value> {
    Some(match transport::sts(case).ok()? {
        None => json!({ "valid": false, "error": "An MTA-STS DNS record does not exist." }),
        Some(Err(error)) => json!({ "valid": false, "error": error.to_string() }),
        Some(Ok((id, policy))) => json!({
            "valid": true, "error": null, "id": id, "warnings": [],
            "policy": {
                "version": "STSv1", "mode": policy.mode.as_str(), "max_age": policy.max_age_s, "mx": policy.mx,
            },
        }),
    })
}

/// SMTP TLS reporting; `None` when DNS did not tell.
pub(super) fn tls_rpt(case: &Case<'_>) -> Option<Value> {
    Some(match transport::reporting(case).ok()? {
        None => json!({ "valid": false, "error": "An SMTP TLS Reporting DNS record does not exist." }),
        Some(Err(error)) => json!({ "valid": false, "error": error }),
        Some(Ok(rua)) => json!({ "valid": true, "error": null, "rua": rua, "warnings": [] }),
    })
}
