//! MTA-STS as checkdmarc 6 judges it: the record, then the policy file.

use riskgraph_domain::observation::{ProbeFailure, WebFacts};
use serde_json::{Value, json};

use super::dns::{Answers, Miss};
use super::{BLANKS, MARKER, marked, position, separator, skip_space};
use crate::posture::check::{Case, describe};

const ABSENT: &str = "An MTA-STS DNS record does not exist.";
const SPF_THERE: &str = "Found an SPF record where an MTA-STS record should be; most likely, the _mta-sts subdomain record \
                         does not actually exist, and the request for TXT records was redirected to the base domain.";
/// RFC 8461 3.2.
const MAX_AGE_MAX_S: u64 = 31_557_600;

/// A record or a policy that was read.
pub(super) struct Read<T> {
    pub(super) value: T,
    pub(super) warnings: Vec<String>,
}

/// A policy file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) mode: String,
    pub(super) max_age_s: u64,
    pub(super) mx: Vec<String>,
}

/// The verdict on MTA-STS; `None` when DNS or the policy host did not tell.
pub(in crate::posture::compat) fn mta_sts(case: &Case<'_>) -> Option<Value> {
    let answers = Answers::new(&case.seen.dns);
    let failed = |error: &str, warnings: &[String]| json!({ "valid": false, "error": error, "warnings": warnings });
    let found = match find(case.domain(), &answers) {
        Ok(found) => found,
        Err(Some(error)) => return Some(failed(&error, &[])),
        Err(None) => return None,
    };
    let mut warnings = found.warnings;
    let id = match parse_record(&found.value) {
        Ok(read) => {
            warnings.extend(read.warnings);
            read.value
        }
        Err(error) => return Some(failed(&error, &warnings)),
    };
    let text = match download(case)? {
        Ok(read) => {
            warnings.extend(read.warnings);
            read.value
        }
        Err(error) => return Some(failed(&error, &warnings)),
    };
    Some(match parse_policy(text) {
        Ok(read) => {
            warnings.extend(read.warnings);
            let Policy { mode, max_age_s, mx } = read.value;
            json!({
                "valid": true, "error": null, "id": id, "warnings": warnings,
                "policy": { "version": "STSv1", "mode": mode, "max_age": max_age_s, "mx": mx },
            })
        }
        Err(error) => failed(&error, &warnings),
    })
}

/// The one record at `_mta-sts`; an error of `None` means that DNS did not tell.
fn find(domain: &str, answers: &Answers<'_>) -> Result<Read<String>, Option<String>> {
    let target = format!("_mta-sts.{domain}");
    let is_record = |text: &String| {
        text.strip_prefix("v=STSv1").is_some_and(|rest| rest.trim_start_matches(BLANKS).starts_with(';'))
    };
    let texts = match answers.texts(&target) {
        Ok(texts) => texts,
        Err(Miss::Untold) => return Err(None),
        Err(_) => {
            return Err(match answers.texts(domain) {
                Ok(texts) if texts.iter().any(is_record) => {
                    Some(format!("The MTA-STS record must be located at {target}, not {domain}."))
                }
                Err(Miss::NxDomain) => Some("The domain does not exist.".to_owned()),
                Err(Miss::Untold) => None,
                _ => Some(ABSENT.to_owned()),
            });
        }
    };
    let (mut records, unrelated): (Vec<String>, Vec<String>) = texts.into_iter().partition(is_record);
    if records.len() > 1 {
        return Err(Some("Multiple MTA-STS records are not permitted.".to_owned()));
    }
    let Some(value) = records.pop() else {
        let is_spf = |text: &String| text.to_lowercase().starts_with("v=spf1");
        return Err(Some(if unrelated.iter().any(is_spf) { SPF_THERE } else { ABSENT }.to_owned()));
    };
    Ok(Read { value, warnings: super::tls_rpt::ignored(&target, &unrelated) })
}

/// Reads `v=STSv1; id=...;` and gives the id.
pub(super) fn parse_record(text: &str) -> Result<Read<String>, String> {
    let record = text.trim_matches('"');
    if record.to_lowercase().starts_with("v=spf1") {
        return Err(SPF_THERE.to_owned());
    }
    let mut warnings = Vec::new();
    if record.starts_with("v=STSv1") && !record.starts_with("v=STSv1;") {
        warnings.push(super::tls_rpt::blank_before_semicolon("STSv1", "RFC 8461"));
    }
    let mut id: Option<String> = None;
    for (name, value) in fields(record)? {
        match name {
            "v" => warnings.push(duplicate("v")),
            "id" if id.is_some() => warnings.push(duplicate("id")),
            "id" if (1..=32).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                id = Some(value.to_owned());
            }
            "id" => {
                return Err("The id value must be 1-32 letters or digits (RFC 8461 section 3.1).".to_owned());
            }
            _ => warnings.push(format!("Unknown MTA-STS tag {name} was ignored.")),
        }
    }
    let value = id.ok_or("The MTA-STS record is missing the required id tag.")?;
    Ok(Read { value, warnings })
}

fn duplicate(tag: &str) -> String {
    format!("The MTA-STS record has duplicate {tag} tags. Only the first value is used.")
}

/// The fields behind the version.
fn fields(record: &str) -> Result<Vec<(&str, &str)>, String> {
    let expected = |what: &str, byte: usize| {
        let place = position(record, byte);
        Err(format!("Error: Expected {what} at position {place} (marked with {MARKER}) in: {}", marked(record, place)))
    };
    let version = record.starts_with("v=STSv1").then(|| separator(record, "v=STSv1".len())).flatten();
    let Some(mut at) = version else { return expected("version_tag", 0) };
    let mut found = Vec::new();
    loop {
        at = skip_space(record, at);
        let Some((name, value)) = field(&record[at..]) else {
            return if at == record.len() { Ok(found) } else { expected("end_of_statement or tag_value", at) };
        };
        found.push((name, value));
        let end = at + name.len() + 1 + value.len();
        at = skip_space(record, end);
        if at == record.len() {
            return Ok(found);
        }
        match separator(record, at) {
            Some(next) => at = next,
            None => return expected(if at > end { "Regex" } else { "end_of_statement or Regex" }, at),
        }
    }
}

/// `name=value` at the start of a text.
fn field(text: &str) -> Option<(&str, &str)> {
    let in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let length = text.find(|c| !in_name(c))?;
    let (name, rest) = text.split_at(length);
    let starts = name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.len() <= 32;
    let rest = rest.strip_prefix('=').filter(|_| starts)?;
    let end = rest.find(|c: char| !c.is_ascii_graphic() || matches!(c, ';' | '=')).unwrap_or(rest.len());
    (end > 0).then(|| (name, &rest[..end]))
}

/// The text of the policy file, or why there is none; `None` when we could not see it.
fn download<'a>(case: &Case<'a>) -> Option<Result<Read<&'a str>, String>> {
    let place = format!("https://mta-sts.{}/.well-known/mta-sts.txt", case.domain());
    let file: &WebFacts = case.seen.files.iter().find(|file| file.url == place)?;
    match &file.failure {
        Some(ProbeFailure::Unresolved | ProbeFailure::Refused(_) | ProbeFailure::TlsFailed(_)) => {
            return file.failure.as_ref().map(|failure| Err(describe(failure)));
        }
        Some(_) if file.hops.is_empty() => return None,
        _ => {}
    }
    let hop = file.hops.first()?;
    if hop.status != 200 {
        return Some(Err(format!(
            "The MTA-STS policy fetch returned HTTP {}. RFC 8461 section 3.3 requires an HTTP 200 response, and redirects \
             must not be followed.",
            hop.status
        )));
    }
    let warning = match hop.header("content-type") {
        None => Some("The Content-Type header is missing. It should be set to text/plain".to_owned()),
        Some(header) => {
            let mime = header.split(';').next().unwrap_or("").trim();
            (mime != "text/plain").then(|| format!("The Content-Type header should be text/plain, not {mime}"))
        }
    };
    let text = file.body.as_ref()?.text.as_deref()?;
    Some(Ok(Read { value: text, warnings: warning.into_iter().collect() }))
}

/// Reads a policy file.
pub(super) fn parse_policy(text: &str) -> Result<Read<Policy>, String> {
    let (mut warnings, mut mx) = (Vec::new(), Vec::new());
    let (mut version, mut mode, mut age) = (false, None, None);
    let mut lines = Vec::new();
    for (place, raw) in text.split('\n').enumerate() {
        let line = raw.strip_suffix('\r').unwrap_or(raw);
        if line.contains('\r') {
            return Err(format!(
                "Line {}: A carriage return that is not part of a CRLF line ending is not allowed (RFC 8461 section 3.2).",
                place + 1
            ));
        }
        lines.push((place + 1, line));
    }
    for (number, line) in lines.into_iter().filter(|(_, line)| !line.is_empty()) {
        let (raw, value) = line.split_once(':').ok_or_else(|| format!("Line {number}: Not a key: value pair."))?;
        let (key, value) = (raw.trim(), value.trim());
        if key != raw {
            return Err(format!(
                "Line {number}: Whitespace is not allowed before a field name or between the name and the colon (RFC 8461 \
                 section 3.2)."
            ));
        }
        let again = match key {
            "version" => version,
            "mode" => mode.is_some(),
            "max_age" => age.is_some(),
            "mx" => false,
            _ => {
                extension(number, key, value)?;
                warnings.push(format!("Line {number}: Unknown key {key} was ignored."));
                continue;
            }
        };
        if again {
            warnings.push(format!("Line {number}: Duplicate {key} key. Only the first value is used."));
            continue;
        }
        match key {
            "version" if value == "STSv1" => version = true,
            "mode" if ["enforce", "testing", "none"].contains(&value) => mode = Some(value.to_owned()),
            "max_age" => age = Some(seconds(number, value)?),
            "mx" if is_pattern(value) => mx.push(value.to_owned()),
            "mx" => return Err(format!("Line {number}: Invalid mx value: {value}")),
            _ => return Err(format!("Line {number}: Invalid {key}: {value}")),
        }
    }
    let missing = |key: &str| format!("Missing required key: {key}.");
    if !version {
        return Err(missing("version"));
    }
    let mode = mode.ok_or_else(|| missing("mode"))?;
    let max_age_s = age.ok_or_else(|| missing("max_age"))?;
    if mode != "none" && mx.is_empty() {
        return Err(format!("{mode} mode requires at least one mx value."));
    }
    Ok(Read { value: Policy { mode, max_age_s, mx }, warnings })
}

/// An unknown key is ignored when it follows the grammar of extensions.
fn extension(number: usize, key: &str, value: &str) -> Result<(), String> {
    let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if !key.starts_with(|c: char| c.is_ascii_alphanumeric()) || key.len() > 32 || !key.chars().all(name) {
        return Err(format!("Line {number}: {key} is not a valid extension field name (RFC 8461 section 3.2)."));
    }
    if value.is_empty() || value.chars().any(|c| c.is_ascii_control()) {
        return Err(format!(
            "Line {number}: The value of the extension field {key} is not valid (RFC 8461 section 3.2)."
        ));
    }
    Ok(())
}

fn seconds(number: usize, value: &str) -> Result<u64, String> {
    let digits = (1..=10).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit());
    value
        .parse()
        .ok()
        .filter(|&seconds: &u64| digits && seconds <= MAX_AGE_MAX_S)
        .ok_or_else(|| format!("Line {number}: max_age must be an integer value between 0 and {MAX_AGE_MAX_S}."))
}

fn is_pattern(value: &str) -> bool {
    let plain = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    value.strip_prefix("*.").unwrap_or(value).split('.').all(|label| {
        let bytes = label.as_bytes();
        (1..=63).contains(&bytes.len())
            && plain(bytes.first())
            && plain(bytes.last())
            && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
    })
}

/// Whether a host is covered by patterns of a policy; a wildcard stands for one label.
#[cfg(test)]
pub(super) fn covers(host: &str, patterns: &[&str]) -> bool {
    patterns.iter().any(|pattern| crate::posture::mail::transport::matches(host, pattern))
}
