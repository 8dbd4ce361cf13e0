//! SMTP TLS reporting as checkdmarc 6 judges it.

use serde_json::{Value, json};

use super::dns::{Answers, Miss};
use super::mta_sts::Read;
use super::report_uri::is_tls_report;
use super::{BLANKS, MARKER, marked, position, separator, skip_space};
use crate::posture::check::Case;

const ABSENT: &str = "An SMTP TLS Reporting record does not exist.";

/// The verdict on TLS reporting; `None` when DNS did not tell.
pub(in crate::posture::compat) fn tls_rpt(case: &Case<'_>) -> Option<Value> {
    let answers = Answers::new(&case.seen.dns);
    let failed = |error: &str, warnings: &[String]| json!({ "valid": false, "error": error, "warnings": warnings });
    let found = match find(case.domain(), &answers) {
        Ok(found) => found,
        Err(Some(error)) => return Some(failed(&error, &[])),
        Err(None) => return None,
    };
    let mut warnings = found.warnings;
    Some(match parse(&found.value) {
        Ok(read) => {
            warnings.extend(read.warnings);
            json!({
                "valid": true, "error": null, "rua": read.value, "warnings": warnings,
                "tags": { "v": "TLSRPTv1", "rua": read.value },
            })
        }
        Err(error) => failed(&error, &warnings),
    })
}

/// The one record at `_smtp._tls`; an error of `None` means that DNS did not tell.
fn find(domain: &str, answers: &Answers<'_>) -> Result<Read<String>, Option<String>> {
    let target = format!("_smtp._tls.{domain}");
    let is_record = |text: &String| {
        text.strip_prefix("v=TLSRPTv1").is_some_and(|rest| rest.trim_start_matches(BLANKS).starts_with(';'))
    };
    let texts = match answers.texts(&target) {
        Ok(texts) => texts,
        Err(Miss::Untold) => return Err(None),
        Err(_) => {
            return Err(match answers.texts(domain) {
                Ok(texts) if texts.iter().any(is_record) => {
                    Some(format!("The SMTP TLS Reporting record must be located at {target}, not {domain}."))
                }
                Err(Miss::NxDomain) => Some("The domain does not exist.".to_owned()),
                Err(Miss::Untold) => None,
                _ => Some(ABSENT.to_owned()),
            });
        }
    };
    let (mut records, unrelated): (Vec<String>, Vec<String>) = texts.into_iter().partition(is_record);
    if records.len() > 1 {
        return Err(Some("Multiple SMTP TLS Reporting records are not permitted.".to_owned()));
    }
    let value = records.pop().ok_or_else(|| Some(ABSENT.to_owned()))?;
    Ok(Read { value, warnings: ignored(&target, &unrelated) })
}

/// What is said of texts at a name that are no record of its kind.
pub(super) fn ignored(target: &str, texts: &[String]) -> Vec<String> {
    if texts.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "Unrelated TXT records were discovered and ignored. These should be removed, as some receivers may not expect to \
         find unrelated TXT records at {target}\n\n{}",
        texts.join("\n\n")
    )]
}

/// What is said of a blank behind the version.
pub(super) fn blank_before_semicolon(version: &str, rfc: &str) -> String {
    format!(
        "The record does not begin with the literal \"v={version};\" (there is whitespace before the semicolon); senders \
         that apply the {rfc} section 3.1 discard rule literally will ignore this record"
    )
}

/// Reads a record and gives its receivers.
pub(super) fn parse(text: &str) -> Result<Read<Vec<String>>, String> {
    let record = text.trim_matches('"').trim();
    let mut warnings = Vec::new();
    if record.starts_with("v=TLSRPTv1") && !record.starts_with("v=TLSRPTv1;") {
        warnings.push(blank_before_semicolon("TLSRPTv1", "RFC 8460"));
    }
    grammar(record)?;
    let mut receivers: Option<String> = None;
    for item in record.split(';').skip(1).map(|item| item.trim_matches(BLANKS)).filter(|item| !item.is_empty()) {
        let (tag, value) = item.split_once('=').unwrap_or((item, ""));
        match (tag, &mut receivers) {
            ("rua", Some(known)) => *known = format!("{known},{value}"),
            ("rua", None) => receivers = Some(value.to_owned()),
            ("v", _) => warnings.push(
                "The record contains more than one v tag. Only the first v value is used; the duplicates should be removed."
                    .to_owned(),
            ),
            _ => {
                let valid = |c: char| c.is_ascii_graphic() && c != '=' && c != ';';
                if value.is_empty() || !value.chars().all(valid) {
                    return Err(format!(
                        "The value of the extension field {tag} is not valid (RFC 8460 section 3)."
                    ));
                }
                warnings.push(format!("Unknown tag {tag} was ignored, as required by RFC 8460 section 3."));
            }
        }
    }
    let receivers = receivers.ok_or("The record is missing the required rua tag.")?;
    let value: Vec<String> = receivers.split(',').map(|uri| uri.trim_matches(BLANKS).to_owned()).collect();
    match value.iter().find(|uri| !is_tls_report(uri)) {
        Some(wrong) => Err(format!("{wrong} is not a valid SMTP TLS Reporting URI.")),
        None => Ok(Read { value, warnings }),
    }
}

/// The grammar of RFC 8460 3; the error names the place.
fn grammar(record: &str) -> Result<(), String> {
    let expected = |what: &str, byte: usize| {
        let place = position(record, byte);
        Err(format!("Error: Expected {what} at position {place} (marked with {MARKER}) in: {}", marked(record, place)))
    };
    if !record.starts_with("v=TLSRPTv1") {
        return expected("version_tag", 0);
    }
    let mut at = skip_space(record, "v=TLSRPTv1".len());
    let mut fields = 0;
    loop {
        match separator(record, at) {
            Some(next) => at = skip_space(record, next),
            None if fields > 0 && at == record.len() => return Ok(()),
            None => return expected("Regex", at),
        }
        let Some(length) = field(&record[at..]) else {
            let open = if fields > 0 { "tag_value or end_of_statement" } else { "tag_value" };
            return if fields > 0 && at == record.len() { Ok(()) } else { expected(open, at) };
        };
        fields += 1;
        at = skip_space(record, at + length);
    }
}

/// The length of `name=value` at the start of a text.
fn field(text: &str) -> Option<usize> {
    let in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let length = text.find(|c| !in_name(c))?;
    let (name, rest) = text.split_at(length);
    let value = rest.strip_prefix('=')?;
    let starts = name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.len() <= 32;
    let first = value.chars().next()?;
    if !starts || first.is_whitespace() || matches!(first, ';' | '=') {
        return None;
    }
    let end = value.find(';').unwrap_or(value.len());
    Some(name.len() + 1 + end)
}
