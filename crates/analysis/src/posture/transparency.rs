//! What a company tells of itself: `security.txt` (RFC 9116). Knows no header and no page.

use riskgraph_domain::Timestamp;
use riskgraph_domain::observation::WebFacts;
use riskgraph_domain::time::DAY_MS;
use serde_json::json;

use super::check::{Case, Judged, Skip, Verdict, cut, describe, unknown};
use super::names::registrable;

/// Lines of a file that are read, at most.
const LINES_MAX: usize = 2_000;
const URI_FIELDS: &[&str] = &["acknowledgments", "canonical", "contact", "encryption", "hiring", "policy", "csaf"];
/// Codes that make a file useless; others are blemishes.
const FATAL: &[&str] = &["expired", "no_expire", "multi_expire", "invalid_expiry", "no_contact", "pgp_data_error"];

/// What is wrong with a `security.txt`, in the words of the `sectxt` validator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) errors: Vec<&'static str>,
    pub(super) recommendations: Vec<&'static str>,
}

impl Report {
    fn error(&mut self, code: &'static str) {
        if !self.errors.contains(&code) {
            self.errors.push(code);
        }
    }
    fn recommend(&mut self, code: &'static str) {
        if !self.recommendations.contains(&code) {
            self.recommendations.push(code);
        }
    }
    pub(super) fn codes(&self) -> Vec<&'static str> {
        self.errors.iter().chain(&self.recommendations).copied().collect()
    }
}

/// What was found at the well-known place.
pub(super) enum Found<'a> {
    Absent,
    File { facts: &'a WebFacts, text: &'a str, at_root: bool },
}

/// The file, wherever it is.
pub(super) fn find<'a>(files: &'a [WebFacts]) -> Result<Found<'a>, Skip> {
    let at =
        |path: &str| files.iter().find(|file| file.url.split(['?', '#']).next().is_some_and(|url| url.ends_with(path)));
    let Some(well_known) = at("/.well-known/security.txt") else { return unknown("security.txt was not asked for") };
    let root = files
        .iter()
        .find(|file| file.url.ends_with("/security.txt") && !file.url.ends_with("/.well-known/security.txt"));
    for (facts, at_root) in [(Some(well_known), false), (root, true)] {
        let Some(facts) = facts else { continue };
        if let Some(failure) = &facts.failure {
            return unknown(describe(failure));
        }
        let Some(hop) = facts.last() else { return unknown("no answer") };
        match hop.status {
            200 => {}
            401 | 403 | 429 | 500..=599 => return unknown(format!("security.txt answered with status {}", hop.status)),
            _ => continue,
        }
        let html = hop.header("content-type").is_some_and(|kind| kind.to_ascii_lowercase().starts_with("text/html"));
        if html {
            continue;
        }
        match facts.body.as_ref().and_then(|body| body.text.as_deref()) {
            Some(text) => return Ok(Found::File { facts, text, at_root }),
            None => return unknown("the text of security.txt was not kept"),
        }
    }
    Ok(Found::Absent)
}

/// Checks a found file with its headers and place.
pub(super) fn examine(found: &Found<'_>, now: Timestamp, max_days: f64) -> Report {
    let mut report = Report::default();
    let Found::File { facts, text, at_root } = found else {
        report.error("no_security_txt");
        return report;
    };
    if *at_root {
        report.error("location");
    }
    let last = facts.last();
    match last.and_then(|hop| hop.header("content-type")) {
        None => report.error("no_content_type"),
        Some(kind) => {
            let mut parts = kind.split(';').map(|part| part.trim().to_ascii_lowercase());
            if parts.next().as_deref() != Some("text/plain") {
                report.error("invalid_media");
            }
            let charset = parts.find_map(|p| p.strip_prefix("charset=").map(|c| c.trim_matches('"').to_owned()));
            if charset.is_some_and(|charset| charset != "utf-8" && charset != "csutf8") {
                report.error("invalid_charset");
            }
        }
    }
    let mut urls: Vec<&str> = vec![facts.url.as_str()];
    urls.extend(last.map(|hop| hop.url.as_str()));
    if urls.iter().any(|url| url.starts_with("http://")) {
        report.error("invalid_uri_scheme");
    }
    examine_text(text, &urls, (now, max_days), &mut report);
    report
}

struct Fields {
    values: Vec<(String, String)>,
    signed: bool,
}

impl Fields {
    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.values.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Checks the text alone.
pub(super) fn examine_text(text: &str, urls: &[&str], (now, max_days): (Timestamp, f64), report: &mut Report) {
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => {
            report.error("bom_in_file");
            rest
        }
        None => text,
    };
    let fields = read(text, report);
    let expires: Vec<&str> = fields.all("expires").collect();
    match expires.as_slice() {
        [] => report.error("no_expire"),
        [_] => {}
        _ => report.error("multi_expire"),
    }
    for value in expires {
        match Timestamp::parse_rfc3339(value) {
            None => report.error("invalid_expiry"),
            Some(end) if end < now => report.error("expired"),
            Some(end) if (end - now) as f64 > max_days * DAY_MS as f64 => report.recommend("long_expiry"),
            Some(_) => {}
        }
    }
    if fields.all("canonical").next().is_some()
        && !urls.is_empty()
        && !fields.all("canonical").any(|c| urls.contains(&c))
    {
        report.error("no_canonical_match");
    }
    if fields.all("contact").next().is_none() {
        report.error("no_contact");
    } else if fields.all("contact").any(|contact| contact.starts_with("mailto:"))
        && fields.all("encryption").next().is_none()
    {
        report.recommend("no_encryption");
    }
    if fields.all("preferred-languages").count() > 1 {
        report.error("multi_lang");
    }
    let tag = |tag: &str| {
        let tag = tag.trim();
        (1..=35).contains(&tag.len())
            && tag
                .split('-')
                .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
    };
    if fields.all("preferred-languages").next().is_some_and(|list| !list.split(',').all(tag)) {
        report.error("invalid_lang");
    }
    if fields.all("csaf").count() > 1 {
        report.recommend("multiple_csaf_fields");
    }
    if fields.all("csaf").any(|url| !url.ends_with("provider-metadata.json")) {
        report.error("no_csaf_file");
    }
    if !fields.signed {
        report.recommend("not_signed");
    }
    if fields.all("canonical").next().is_none() {
        report.recommend("no_canonical");
    }
}

/// Reads lines into fields, through a clear-text signature (RFC 4880 7) when there is one.
fn read(text: &str, report: &mut Report) -> Fields {
    let mut fields = Fields { values: Vec::new(), signed: false };
    let (mut in_signature, mut after) = (false, false);
    for (number, line) in text.split('\n').take(LINES_MAX).enumerate() {
        let mut line = line.trim_end();
        if in_signature {
            if line == "-----END PGP SIGNATURE-----" {
                (in_signature, after) = (false, true);
            }
            continue;
        }
        if after {
            if !line.is_empty() {
                report.error("data_after_sig");
            }
            continue;
        }
        if fields.signed
            && let Some(rest) = line.strip_prefix("- ")
        {
            line = rest;
        }
        match line {
            "-----BEGIN PGP SIGNED MESSAGE-----" if number == 0 => fields.signed = true,
            "-----BEGIN PGP SIGNED MESSAGE-----" => report.error("signed_format_issue"),
            "-----BEGIN PGP SIGNATURE-----" if fields.signed => in_signature = true,
            "" => {}
            comment if comment.starts_with('#') => {}
            _ => read_field(line, &mut fields, report),
        }
    }
    if in_signature || (fields.signed && !after) {
        report.error("pgp_data_error");
    }
    fields
}

fn read_field(line: &str, fields: &mut Fields, report: &mut Report) {
    let Some((key, value)) = line.split_once(':') else {
        report.error("invalid_line");
        return;
    };
    let mut key = key.to_ascii_lowercase();
    if key.trim_end() != key {
        report.error("prec_ws");
        key = key.trim_end().to_owned();
    }
    if !value.is_empty() && !value.starts_with(' ') {
        report.error("no_space");
    }
    let value = value.trim();
    if key == "hash" && fields.signed {
        return;
    }
    if key.is_empty() {
        report.error("empty_key");
        return;
    }
    if value.is_empty() {
        report.error("empty_value");
        return;
    }
    if URI_FIELDS.contains(&key.as_str()) {
        match value.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase()) {
            Some(scheme) if scheme == "http" => report.error("no_https"),
            Some(scheme)
                if !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) => {}
            _ => report.error("no_uri"),
        }
    }
    fields.values.push((key, value.to_owned()));
}

/// TRAN-01: there is a valid `security.txt` that has not expired.
pub(super) fn security_txt(case: &Case<'_>) -> Judged {
    // Only the company's own site must have one, and a name that serves nothing has none to show.
    if let Err(Skip::NotApplicable) = case.page() {
        return Err(Skip::NotApplicable);
    }
    let found = find(&case.seen.files)?;
    let report = examine(&found, case.seen.finished_at, case.config.transparency.security_txt_max_days);
    let evidence = match &found {
        Found::Absent => json!({ "state": "absent", "registrable": registrable(case.domain()) }),
        Found::File { facts, .. } => json!({ "url": cut(&facts.url), "codes": report.codes() }),
    };
    Ok(match found {
        Found::Absent => Verdict::warn(evidence),
        Found::File { .. } if report.errors.iter().any(|code| FATAL.contains(code)) => Verdict::fail(evidence),
        Found::File { .. } if !report.errors.is_empty() => Verdict::warn(evidence),
        Found::File { .. } => Verdict::pass(evidence),
    })
}

#[cfg(test)]
mod tests;
