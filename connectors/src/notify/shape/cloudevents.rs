//! CloudEvents 1.0 in the structured JSON format.
//!
//! `source` and `id` together are what a receiver dedupes by; `sequence` orders the events of one source and
//! `partitionkey` keeps those of one alert together (extensions of the specification's repository).

use riskgraph_domain::delivery::Message;
use riskgraph_domain::signal::Severity;
use serde_json::{Value, json};

use super::{Letter, Letterhead, native};

/// The event.
pub(super) fn event(letter: &Letter<'_>, head: &Letterhead) -> Value {
    let data = native::message(letter, head);
    let mut event = json!({
        "specversion": "1.0",
        "id": letter.message_id,
        "source": head.source(),
        "type": format!("io.riskgraph.{}.v1", native::kind(letter.message)),
        "time": data["time"],
        "datacontenttype": "application/json",
        "data": data,
    });
    match letter.message {
        Message::Alert(message) => {
            event["subject"] = message.alert.id.to_string().into();
            event["partitionkey"] = message.alert.id.to_string().into();
            event["sequence"] = sequence(message.sequence);
            event["severitytext"] = message.alert.severity.as_str().into();
            event["severitynumber"] = severity_number(message.alert.severity).into();
        }
        Message::Digest(digest) => event["sequence"] = sequence(digest.sequence),
        Message::Notice(_) => {}
    }
    event
}

/// A string that sorts as the number does.
fn sequence(number: u64) -> Value {
    format!("{number:020}").into()
}

/// Severity numbers of OpenTelemetry's log data model: INFO, INFO2, WARN, ERROR, FATAL.
const fn severity_number(severity: Severity) -> u8 {
    match severity {
        Severity::Info => 9,
        Severity::Low => 10,
        Severity::Medium => 13,
        Severity::High => 17,
        Severity::Critical => 21,
    }
}
