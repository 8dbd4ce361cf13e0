//! The DMARC record that applies to a domain, as checkdmarc 6 finds and judges it.

use serde_json::{Map, Value, json};

use super::dmarc_record::{self as record, Tags};
use super::dns::{Answers, Miss, base, nonexistent};
use super::report_uri;
use crate::posture::check::Case;

/// Labels of the longest name a tree walk asks for above the domain (RFC 9989 4.10).
const WALK_LABELS: usize = 7;
/// Receivers after which reporters may stop.
const RECEIVERS_ADVISED: usize = 2;

/// A record that applies, and where it stands.
struct Found {
    record: String,
    location: String,
    warnings: Vec<String>,
}

/// Why a name has no usable record.
enum Problem {
    /// Nothing there; a walk goes on.
    None,
    Broken(String),
    Untold,
}

/// Whether records at the domain itself are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Apex {
    Ask,
    Leave,
}

/// The verdict on the DMARC record that applies; `None` when DNS did not tell.
pub(in crate::posture::compat) fn dmarc(case: &Case<'_>) -> Option<Value> {
    let answers = Answers::new(&case.seen.dns);
    let verdict = judge(case.domain(), &answers);
    if answers.is_untold() { None } else { verdict }
}

fn judge(domain: &str, answers: &Answers<'_>) -> Option<Value> {
    let failed = |found: Option<&Found>, error: &str| {
        json!({
            "record": found.map(|found| &found.record), "valid": false, "error": error, "tags": {},
            "location": found.map(|found| format!("_dmarc.{}", found.location)),
            "warnings": found.map_or(&[][..], |found| &found.warnings),
        })
    };
    let mut found = match find(domain, answers) {
        Ok(found) => found,
        Err(Problem::Broken(error)) => return Some(failed(None, &error)),
        Err(Problem::None) => return Some(failed(None, absent(domain))),
        Err(Problem::Untold) => return None,
    };
    let read = record::parse(&found.record, &found.location)
        .and_then(|mut tags| receivers(&mut tags, &found.location, answers).map(|values| (tags, values)));
    match read {
        Ok((tags, values)) => {
            found.warnings.extend(tags.warnings);
            Some(json!({
                "record": found.record, "location": format!("_dmarc.{}", found.location), "valid": true, "error": null,
                "warnings": found.warnings, "tags": values,
            }))
        }
        Err(error) => Some(failed(Some(&found), &error)),
    }
}

fn absent(domain: &str) -> &'static str {
    if domain.split('.').count() <= 2 {
        "A DMARC record does not exist."
    } else {
        "A DMARC record does not exist for this domain or its parent domains."
    }
}

/// The record of the domain, or by tree walk that of a domain above.
fn find(domain: &str, answers: &Answers<'_>) -> Result<Found, Problem> {
    let own = match at(domain, Apex::Ask, answers) {
        Ok(record) => Some(record),
        Err(Problem::None) => None,
        Err(problem) => return Err(problem),
    };
    let mut warnings = Vec::new();
    match answers.query(domain, "TXT") {
        Ok(texts) => {
            let misplaced = texts.iter().filter(|text| record::is_record(text)).count();
            let line = format!("A DMARC record at the root of {domain} has no effect.");
            warnings.extend(std::iter::repeat_n(line, misplaced));
        }
        Err(Miss::NxDomain) if own.is_none() => return Err(Problem::Broken("The domain does not exist.".to_owned())),
        Err(_) => {}
    }
    if let Some(record) = own {
        return Ok(Found { record, location: domain.to_owned(), warnings });
    }
    let labels: Vec<&str> = domain.split('.').collect();
    let start = if labels.len() <= WALK_LABELS + 1 { 1 } else { labels.len() - WALK_LABELS };
    let mut walked: Vec<(usize, String, String)> = Vec::new();
    for place in start..labels.len() {
        let name = labels[place..].join(".");
        match at(&name, Apex::Leave, answers) {
            Ok(record) => {
                let psd = record::psd(&record);
                walked.push((place, name, record));
                if matches!(psd, Some('n' | 'y')) {
                    break;
                }
            }
            Err(Problem::None) => {}
            Err(problem) => return Err(problem),
        }
    }
    let Some((place, location, record)) = walked.pop() else { return Err(Problem::None) };
    if record::psd(&record) != Some('y') {
        return Ok(Found { record, location, warnings });
    }
    // The organisational domain is the one below a public suffix.
    if let Some((_, location, record)) = walked.pop().filter(|(below, ..)| *below + 1 == place) {
        return Ok(Found { record, location, warnings });
    }
    let organisation = labels[place - 1..].join(".");
    warnings.push(format!(
        "The Organizational Domain of {domain} is {organisation} (the domain one label below the psd=y record at \
         {location}), but no DMARC record was found there, so the Public Suffix Domain record at {location} applies."
    ));
    Ok(Found { record, location, warnings })
}

/// The one record at `_dmarc.NAME`.
fn at(name: &str, apex: Apex, answers: &Answers<'_>) -> Result<String, Problem> {
    let target = format!("_dmarc.{name}");
    let texts = match answers.texts(&target) {
        Ok(texts) => texts,
        Err(Miss::NoAnswer) if apex == Apex::Ask => return Err(misplaced(name, &target, answers)),
        Err(Miss::NoAnswer | Miss::NxDomain) => return Err(Problem::None),
        Err(Miss::Untold) => return Err(Problem::Untold),
    };
    let (mut records, mut unrelated) = (Vec::new(), Vec::new());
    for text in texts {
        if record::is_record(&text) {
            records.push(text);
        } else if record::is_record(text.trim()) {
            return Err(Problem::Broken(format!(
                "Found a DMARC record at {target} that starts with whitespace. Please remove the whitespace, as some \
                 implementations may not process it correctly."
            )));
        } else {
            unrelated.push(text);
        }
    }
    if records.len() > 1 {
        return Err(Problem::Broken(
            "Multiple DMARC policy records are not permitted - \
             https://www.rfc-editor.org/rfc/rfc9989.html#section-4.10"
                .to_owned(),
        ));
    }
    if !unrelated.is_empty() {
        return Err(Problem::Broken(strangers(&target, &unrelated)));
    }
    records.pop().ok_or(Problem::None)
}

fn strangers(target: &str, texts: &[String]) -> String {
    format!(
        "Unrelated TXT records were discovered. These should be removed, as some receivers may not expect to find unrelated \
         TXT records at {target}\n\n{}",
        texts.join("\n\n")
    )
}

/// Nothing stands at `_dmarc`; a record at the domain itself is an error of its own.
fn misplaced(name: &str, target: &str, answers: &Answers<'_>) -> Problem {
    match answers.texts(name) {
        Ok(texts) if texts.iter().any(|text| record::is_record(text)) => {
            Problem::Broken(format!("The DMARC record must be located at {target}, not {name}."))
        }
        Err(Miss::Untold) => Problem::Untold,
        _ => Problem::None,
    }
}

/// The tag values, with the report receivers read and looked at.
fn receivers(tags: &mut Tags, domain: &str, answers: &Answers<'_>) -> Result<Map<String, Value>, String> {
    let mut values = tags.values();
    for list in ["rua", "ruf"] {
        let Some(text) = tags.value(list).map(str::to_owned) else {
            if list == "rua" {
                tags.warnings.push("rua tag (destination for aggregate reports) not found.".to_owned());
            }
            continue;
        };
        let mut parsed = Vec::new();
        for uri in text.split(',') {
            let uri = report_uri::dmarc(uri)?;
            parsed.push(uri.value());
            let warnings = &mut tags.warnings;
            if uri.scheme == "mailto" {
                receiver(list, &uri, domain, answers, warnings)?;
            } else {
                warnings.push(format!(
                    "The {list} URI {} uses the {} scheme. That is valid per RFC 9989 § 4.7, but mail receivers are only \
                     required to support mailto URIs, so most will ignore it.",
                    uri.address, uri.scheme
                ));
            }
        }
        if parsed.len() > RECEIVERS_ADVISED {
            tags.warnings.push(format!("Some DMARC reporters might not send to more than two {list} URIs."));
        }
        values.insert(list.to_owned(), json!(parsed));
    }
    Ok(values)
}

/// Whether a mailbox agreed to receive reports and can.
fn receiver(
    list: &str,
    uri: &report_uri::ReportUri,
    domain: &str,
    answers: &Answers<'_>,
    warnings: &mut Vec<String>,
) -> Result<(), String> {
    let address = &uri.address;
    if uri.size_limit.is_some() {
        warnings.push(format!(
            "The size limit (`!size`) on {list} URI for {address} is obsolete in RFC 9989 (reporters MUST ignore it); \
             pre-9989 readers may still honor it and produce incomplete reports."
        ));
    }
    let target = address.rsplit('@').next().unwrap_or("");
    if target.to_lowercase() != domain && !agreed(domain, &target.to_lowercase(), answers)? {
        let target = target.to_lowercase();
        warnings.push(format!(
            "{target} does not indicate that it accepts DMARC reports about {domain} - Authorization record not found: \
             {domain}._report._dmarc.{target} IN TXT \"v=DMARC1\""
        ));
        return Ok(());
    }
    match answers.exchangers(target) {
        Ok(hosts) if !hosts.is_empty() => {}
        Ok(_) => warnings.push(format!("The domain for {list} email address {address} has no MX records.")),
        Err(miss) => {
            let why = if miss == Miss::NxDomain { nonexistent(target) } else { "the lookup failed".to_owned() };
            warnings.push(format!(
                "Failed to retrieve MX records for the domain of {list} email address {address} - {why}"
            ));
        }
    }
    Ok(())
}

/// Whether another organisation says that it takes reports about the domain (RFC 9990 4).
fn agreed(domain: &str, target: &str, answers: &Answers<'_>) -> Result<bool, String> {
    if base(domain) == base(target) {
        return Ok(true);
    }
    let wildcard = format!("*._report._dmarc.{target}");
    if let Ok(texts) = answers.courtesy(&wildcard, "TXT") {
        let (records, strange): (Vec<String>, Vec<String>) =
            texts.into_iter().partition(|text| record::is_record(text));
        if !strange.is_empty() {
            return Err(strangers(&wildcard, &strange));
        }
        if !records.is_empty() {
            return Ok(true);
        }
    }
    let own = answers.courtesy(&format!("{domain}._report._dmarc.{target}"), "TXT");
    Ok(own.is_ok_and(|texts| texts.iter().any(|text| record::is_record(text))))
}
