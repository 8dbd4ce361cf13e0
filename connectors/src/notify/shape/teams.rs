//! Microsoft Teams: an Adaptive Card in a message, as the Workflows trigger "When a Teams webhook request is received"
//! takes it. A message has at most 28 KB.

use riskgraph_domain::signal::Severity;
use serde_json::{Value, json};

use super::words::words;
use super::{Letter, Letterhead};

/// Bytes of a message.
pub(crate) const MESSAGE_MAX_BYTES: usize = 26_000;

/// The message.
pub(crate) fn message(letter: &Letter<'_>, head: &Letterhead) -> Value {
    let words = words(letter, head);
    let mut body = vec![json!({
        "type": "TextBlock", "text": plain(&words.subject), "wrap": true, "weight": "Bolder", "size": "Medium",
        "color": color(words.severity),
    })];
    if !words.lead.is_empty() {
        body.push(json!({ "type": "TextBlock", "text": plain(&words.lead), "wrap": true }));
    }
    let facts = words.facts.iter().map(|(name, value)| json!({ "title": name, "value": plain(value) }));
    let facts: Vec<Value> = facts.collect();
    if !facts.is_empty() {
        body.push(json!({ "type": "FactSet", "facts": facts }));
    }
    for (title, lines) in &words.lists {
        body.push(json!({ "type": "TextBlock", "text": title, "weight": "Bolder", "wrap": true }));
        let lines: Vec<String> = lines.iter().map(|line| format!("- {}", plain(line))).collect();
        body.push(json!({ "type": "TextBlock", "text": lines.join("\r"), "wrap": true, "spacing": "Small" }));
    }
    let mut card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": words.subject,
        "msteams": { "width": "Full" },
        "body": body,
    });
    if let Some(link) = &words.link {
        card["actions"] = json!([{ "type": "Action.OpenUrl", "title": "Open in riskgraph", "url": link }]);
    }
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": card,
        }],
    })
}

/// Text in which nothing is a link or a format: cards read Markdown.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '*' | '_' | '[' | ']' | '(' | ')' | '#' | '`' | '\\' | '<' | '>') {
            plain.push('\\');
        }
        plain.push(c);
    }
    plain
}

const fn color(severity: Option<Severity>) -> &'static str {
    match severity {
        Some(Severity::Critical | Severity::High) => "Attention",
        Some(Severity::Medium) => "Warning",
        _ => "Default",
    }
}
