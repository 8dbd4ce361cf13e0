//! Slack's Block Kit, as incoming webhooks take it.
//!
//! Limits: 50 blocks, 150 characters in a header, 3,000 in a section's text, 2,000 in a field and ten fields a section.

use riskgraph_domain::signal::Severity;
use serde_json::{Value, json};

use super::trim::cut;
use super::words::words;
use super::{Letter, Letterhead};

const HEADER_CHARS_MAX: usize = 150;
const SECTION_CHARS_MAX: usize = 3_000;
const FIELD_CHARS_MAX: usize = 2_000;
const FIELDS_MAX: usize = 10;

/// The message.
pub(crate) fn message(letter: &Letter<'_>, head: &Letterhead) -> Value {
    let words = words(letter, head);
    let header = cut(&format!("{} {}", mark(words.severity), words.subject), HEADER_CHARS_MAX);
    let mut blocks = vec![json!({ "type": "header", "text": { "type": "plain_text", "text": header, "emoji": true } })];
    if !words.lead.is_empty() {
        blocks.push(section(&escape(&words.lead)));
    }
    let fields = words.facts.iter().take(FIELDS_MAX).map(|(name, value)| {
        json!({ "type": "mrkdwn", "text": fit(&format!("*{name}*\n{}", escape(value)), FIELD_CHARS_MAX) })
    });
    let fields: Vec<Value> = fields.collect();
    if !fields.is_empty() {
        blocks.push(json!({ "type": "section", "fields": fields }));
    }
    for (title, lines) in &words.lists {
        let lines: Vec<String> = lines.iter().map(|line| format!("• {}", escape(line))).collect();
        blocks.push(section(&format!("*{title}*\n{}", lines.join("\n"))));
    }
    if let Some(link) = &words.link {
        blocks.push(json!({ "type": "actions", "elements": [{
            "type": "button", "text": { "type": "plain_text", "text": "Open in riskgraph" }, "url": link,
        }] }));
    }
    let foot = format!("riskgraph · {}", letter.message_id);
    blocks.push(json!({ "type": "context", "elements": [{ "type": "mrkdwn", "text": foot }] }));
    json!({ "text": escape(&words.subject), "blocks": blocks })
}

fn section(text: &str) -> Value {
    json!({ "type": "section", "text": { "type": "mrkdwn", "text": fit(text, SECTION_CHARS_MAX) } })
}

/// Cuts escaped text, not in the middle of an escape.
fn fit(text: &str, chars_max: usize) -> String {
    let short = cut(text, chars_max);
    match short.rfind('&') {
        Some(start) if short != text && !short[start..].contains(';') => format!("{}…", &short[..start]),
        _ => short,
    }
}

/// The three characters that Slack reads as its own.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

const fn mark(severity: Option<Severity>) -> &'static str {
    match severity {
        Some(Severity::Critical) => ":red_circle:",
        Some(Severity::High) => ":large_orange_circle:",
        Some(Severity::Medium) => ":large_yellow_circle:",
        _ => ":large_blue_circle:",
    }
}
