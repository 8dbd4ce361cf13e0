//! The picture beside the mail (BIMI, draft-brand-indicators-for-message-identification).

use serde_json::json;

use super::dmarc::record::Policy;
use super::{dmarc, texts};
use crate::posture::check::{Case, Judged, Skip, Verdict, cut};

/// Largest picture mail services take, in bytes.
const PICTURE_MAX_BYTES: u64 = 32 * 1024;

/// MAIL-22: a BIMI record that is there works: the domain enforces DMARC, and the picture is what mail services take.
pub(in crate::posture) fn record(case: &Case<'_>) -> Judged {
    let texts = texts(case, &format!("default._bimi.{}", case.domain()))?;
    let records: Vec<&String> = texts.iter().filter(|text| text.trim_start().starts_with("v=BIMI1")).collect();
    let Some(record) = records.first() else { return Err(Skip::NotApplicable) };
    let mut wrong: Vec<String> = Vec::new();
    if records.len() > 1 {
        wrong.push("several records".to_owned());
    }
    let tag = |name: &str| {
        let found = record.split(';').find_map(|tag| tag.trim().strip_prefix(name)?.trim_start().strip_prefix('='));
        found.map(str::trim)
    };
    match tag("l") {
        None => wrong.push("no location of a picture (l=)".to_owned()),
        // An empty location says that there shall be no picture.
        Some("") => return Ok(Verdict::pass(json!({ "record": cut(record), "declines": true }))),
        Some(url) => location(case, url, &mut wrong),
    }
    if tag("a").is_some_and(|url| !url.is_empty() && !is_https(url)) {
        wrong.push("the certificate (a=) is not at an https URL".to_owned());
    }
    let enforced = dmarc::effective(case)?
        .is_some_and(|policy| policy.applied() > Policy::None && policy.record.subdomain_policy() > Policy::None);
    if !enforced {
        wrong.push("DMARC is not enforced".to_owned());
    }
    let evidence = json!({ "record": cut(record), "wrong": wrong });
    Ok(if wrong.is_empty() { Verdict::pass(evidence) } else { Verdict::fail(evidence) })
}

fn is_https(url: &str) -> bool {
    url.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("https://"))
}

/// What is wrong with the picture; nothing is said of one that could not be fetched.
fn location(case: &Case<'_>, url: &str, wrong: &mut Vec<String>) {
    if !is_https(url) {
        wrong.push("the picture is not at an https URL".to_owned());
        return;
    }
    let Some(file) = case.seen.files.iter().find(|file| file.url == url && file.failure.is_none()) else { return };
    match file.last() {
        Some(hop) if matches!(hop.status, 404 | 410) => {
            wrong.push(format!("the picture answers with status {}", hop.status));
            return;
        }
        Some(hop) if hop.status == 200 => {}
        _ => return,
    }
    let Some(body) = &file.body else { return };
    if body.size_bytes > PICTURE_MAX_BYTES {
        wrong.push("the picture is larger than 32 KB".to_owned());
    }
    if let Some(text) = &body.text {
        wrong.extend(picture(text).into_iter().map(str::to_owned));
    }
}

/// What makes an SVG no SVG Tiny PS.
fn picture(text: &str) -> Vec<&'static str> {
    let Some(start) = text.find("<svg") else { return vec!["the picture is no SVG"] };
    let root = &text[start..];
    let root = &root[..root.find('>').unwrap_or(root.len())];
    let attribute = |name: &str| {
        let at = root.find(&format!(" {name}=")).or_else(|| root.find(&format!("\n{name}=")))?;
        let value = &root[at + name.len() + 2..];
        let quote = value.chars().next()?;
        value[1..].split(quote).next()
    };
    let mut wrong = Vec::new();
    if attribute("version") != Some("1.2") {
        wrong.push("the SVG version is not 1.2");
    }
    if attribute("baseProfile") != Some("tiny-ps") {
        wrong.push("the SVG profile is not tiny-ps");
    }
    if attribute("x").is_some() || attribute("y").is_some() {
        wrong.push("the svg element has a place (x, y)");
    }
    if !text.contains("<title") {
        wrong.push("the SVG has no title");
    }
    if text.contains("<script") {
        wrong.push("the SVG has a script");
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::picture;

    #[test]
    fn reads_pictures() {
        let good =
            r#"<?xml version="1.0"?><svg version="1.2" baseProfile="tiny-ps" viewBox="0 0 1 1"><title>B</title></svg>"#;
        assert!(picture(good).is_empty());
        let check = |from: &str, to: &str, want: &str| assert_eq!(picture(&good.replace(from, to)), [want], "{to}");
        check("version=\"1.2\"", "version=\"1.1\"", "the SVG version is not 1.2");
        check("tiny-ps", "full", "the SVG profile is not tiny-ps");
        check("viewBox", "x=\"0\" viewBox", "the svg element has a place (x, y)");
        check("<title>B</title>", "", "the SVG has no title");
        check("</svg>", "<script/></svg>", "the SVG has a script");
        assert_eq!(picture("<html>"), ["the picture is no SVG"]);
    }
}
