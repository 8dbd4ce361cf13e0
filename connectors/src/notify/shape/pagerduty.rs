//! PagerDuty Events API v2. One incident an alert: the alert's id is the dedup key, so that a repeat opens no second one.
//!
//! Limits: 512 KB an event, 1,024 characters a summary, 255 a dedup key. The routing key is a secret and is put in when it
//! is sent.

use riskgraph_domain::alert::AlertStatus;
use riskgraph_domain::delivery::{Message, one_line};
use riskgraph_domain::signal::Severity;
use serde_json::{Value, json};

use super::{Letter, Letterhead, native};

/// Bytes of an event, with room for the routing key.
pub(crate) const EVENT_MAX_BYTES: usize = 500_000;
const SUMMARY_CHARS_MAX: usize = 1_024;
const DEDUP_CHARS_MAX: usize = 255;

/// The event, without its routing key.
pub(crate) fn event(letter: &Letter<'_>, head: &Letterhead) -> Value {
    let (action, key, severity, at) = match letter.message {
        Message::Alert(message) => {
            let action = match message.alert.status {
                AlertStatus::Open => "trigger",
                AlertStatus::Acknowledged => "acknowledge",
                AlertStatus::Resolved => "resolve",
            };
            (action, message.alert.id.to_string(), message.alert.severity, message.alert.updated_at)
        }
        Message::Digest(digest) => ("trigger", letter.message_id.to_owned(), Severity::Info, digest.until),
        Message::Notice(notice) => ("trigger", letter.message_id.to_owned(), Severity::Info, notice.at),
    };
    let mut event = json!({
        "event_action": action,
        "dedup_key": one_line(&key, DEDUP_CHARS_MAX),
        "client": "riskgraph",
        "payload": {
            "summary": one_line(&letter.message.subject(), SUMMARY_CHARS_MAX),
            "source": head.source(),
            "severity": self::severity(severity),
            "timestamp": at,
            "component": "riskgraph",
            "class": native::kind(letter.message),
            "custom_details": native::message(letter, head),
        },
    });
    if let Message::Alert(message) = letter.message {
        if let Some(detector) = message.alert.detectors.first() {
            event["payload"]["group"] = detector.as_str().into();
        }
        if let Some(url) = head.alert_url(message.alert.id) {
            event["client_url"] = url.as_str().into();
            event["links"] = json!([{ "href": url, "text": "Open in riskgraph" }]);
        }
    }
    event
}

const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "info",
    }
}
