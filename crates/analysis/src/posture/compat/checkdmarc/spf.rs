//! The SPF record of a domain as checkdmarc finds and judges it.

use serde_json::{Value, json};

use super::dns::{Answers, Miss, is_undecodable};
use super::spf_state::Kind;
use super::spf_walk::{self, Level};
use crate::posture::check::Case;

/// RFC 7208 3.4: sizes above which answers stop fitting into one packet.
const SIZE_ADVISED: usize = 450;
const SIZE_MAX: usize = 512;
/// Longest character-string of a TXT record (RFC 1035 3.3).
const STRING_MAX: usize = 255;

/// A record as found, with what finding it showed.
pub(super) struct Found {
    pub(super) record: String,
    pub(super) warnings: Vec<String>,
}

/// Why there is no record to judge.
pub(super) enum NotFound {
    /// None there; what was noticed on the way.
    None {
        error: &'static str,
        warnings: Vec<String>,
    },
    Several,
    Untold,
}

/// The verdict on the domain's SPF record; `None` when DNS did not tell.
pub(in crate::posture::compat) fn spf(case: &Case<'_>) -> Option<Value> {
    let answers = Answers::new(&case.seen.dns);
    let verdict = judge(case.domain(), &answers)?;
    (!answers.is_untold()).then_some(verdict)
}

fn judge(domain: &str, answers: &Answers<'_>) -> Option<Value> {
    let failed = |record: Option<&str>, error: &str, warnings: Vec<String>| {
        json!({
            "record": record, "valid": false, "error": error, "warnings": warnings,
            "dns_lookups": null, "dns_void_lookups": null,
        })
    };
    let found = match find(domain, answers) {
        Ok(found) => found,
        Err(NotFound::None { error, warnings }) => return Some(failed(None, error, warnings)),
        Err(NotFound::Several) => return Some(failed(None, SEVERAL, Vec::new())),
        Err(NotFound::Untold) => return None,
    };
    let mut warnings = found.warnings;
    match spf_walk::Walk::new(answers, domain).parse(&found.record, domain, &Level::top(domain)) {
        Ok(parsed) => {
            warnings.extend(parsed.warnings);
            Some(json!({
                "record": found.record, "valid": parsed.error.is_none(), "error": parsed.error, "warnings": warnings,
                "dns_lookups": parsed.lookups, "dns_void_lookups": parsed.voids, "all": parsed.all,
            }))
        }
        Err(fatal) => {
            warnings.extend(fatal.warnings);
            let mut verdict = failed(Some(&found.record), &fatal.message, warnings);
            match fatal.kind {
                Kind::Lookups(count) => verdict["dns_lookups"] = json!(count),
                Kind::Voids(count) => verdict["dns_void_lookups"] = json!(count),
                Kind::Other => {}
            }
            Some(verdict)
        }
    }
}

pub(super) const SEVERAL: &str = "The domain has multiple SPF TXT records";

/// The one SPF record at a name.
pub(super) fn find(domain: &str, answers: &Answers<'_>) -> Result<Found, NotFound> {
    let mut warnings = Vec::new();
    if let Ok(records) = answers.courtesy(domain, "SPF")
        && !records.is_empty()
    {
        warnings.push(format!(
            "SPF type DNS records found. Use of DNS Type SPF has been removed in the standards track version of SPF, \
             RFC 7208. These records should be removed and replaced with TXT records: {}",
            records.join(",")
        ));
    }
    let texts = match answers.texts(domain) {
        Ok(texts) => texts,
        Err(Miss::NoAnswer) => return Err(NotFound::None { error: "An SPF record does not exist.", warnings }),
        Err(Miss::NxDomain) => return Err(NotFound::None { error: "The domain does not exist.", warnings }),
        Err(Miss::Untold) => return Err(NotFound::Untold),
    };
    let mut records = Vec::new();
    for text in texts {
        if is_undecodable(&text) {
            warnings.push("A TXT record with undecodable characters was skipped.".to_owned());
        } else if is_sender_id(&text) {
            warnings.push(format!(
                "A deprecated Sender ID record was found. Sender ID using spf2.0/pra or spf2.0/mfrom was deprecated and \
                 should be removed: {}",
                quoted(&text)
            ));
        } else if is_spf(&text) {
            records.push(text);
        } else if text.to_lowercase().starts_with("v=spf1") {
            warnings.push(format!(
                "A TXT record that resembles an SPF record was discarded because its version section is not exactly \
                 v=spf1 (RFC 7208 section 4.5): {}",
                quoted(&text)
            ));
        }
    }
    if records.len() > 1 {
        return Err(NotFound::Several);
    }
    let Some(record) = records.pop() else {
        return Err(NotFound::None { error: "An SPF record does not exist.", warnings });
    };
    warnings.extend(size_warning(domain, record.len()));
    Ok(Found { record, warnings })
}

fn size_warning(domain: &str, bytes: usize) -> Option<String> {
    if bytes > SIZE_MAX {
        Some(format!(
            "The SPF record for {domain} is {bytes} bytes, over 512. That is more than a DNS answer can reliably carry \
             over UDP, so some verifiers may ignore or fail it (RFC 7208 section 3.4)."
        ))
    } else if bytes > SIZE_ADVISED {
        Some(format!(
            "The SPF record for {domain} is {bytes} bytes. RFC 7208 section 3.4 recommends keeping answers under about \
             450 bytes so the whole DNS message fits in 512 bytes."
        ))
    } else {
        None
    }
}

fn is_spf(text: &str) -> bool {
    let lower = text.to_lowercase();
    lower == "v=spf1" || lower.starts_with("v=spf1 ")
}

/// `v=spf2.0/` and scopes.
fn is_sender_id(text: &str) -> bool {
    let lower = text.to_lowercase();
    let Some(rest) = lower.strip_prefix("v=spf2.0/") else { return false };
    let scopes = rest.split(char::is_whitespace).next().unwrap_or("");
    !scopes.is_empty() && scopes.split(',').all(|scope| matches!(scope, "pra" | "mfrom"))
}

/// Presentation form: strings of at most 255 bytes in quotes.
fn quoted(text: &str) -> String {
    let string = |bytes: &[u8]| {
        let mut out = String::from('"');
        for &byte in bytes {
            match byte {
                b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
                b'\n' | 128.. => out.push_str(&format!("\\{byte:03}")),
                _ => out.push(char::from(byte)),
            }
        }
        out.push('"');
        out
    };
    text.as_bytes().chunks(STRING_MAX).map(string).collect()
}
