//! Splunk's HTTP event collector: the body of the chosen format as the event of an envelope.

use riskgraph_domain::delivery::{Message, PayloadFormat};
use serde_json::{Value, json};

use super::{Letter, Letterhead, value_for};

/// Bytes of an event: Splunk's default line breaking cuts at 10,000, but an indexer told the source type takes more; the
/// collector itself takes up to 1 MB.
pub(crate) const EVENT_MAX_BYTES: usize = 512 << 10;

/// The envelope.
pub(crate) fn envelope(format: PayloadFormat, letter: &Letter<'_>, head: &Letterhead) -> Value {
    let (kind, source_type) = match format {
        PayloadFormat::Native => ("riskgraph", "riskgraph:alert"),
        PayloadFormat::Cloudevents => ("cloudevents", "riskgraph:cloudevent"),
        PayloadFormat::Ocsf => ("ocsf", "riskgraph:ocsf"),
    };
    let at = match letter.message {
        Message::Alert(message) => message.alert.updated_at,
        Message::Digest(digest) => digest.until,
        Message::Notice(notice) => notice.at,
    };
    let mut fields = json!({ "message_id": letter.message_id, "format": kind });
    if let Message::Alert(message) = letter.message {
        fields["alert_id"] = message.alert.id.to_string().into();
        fields["severity"] = message.alert.severity.as_str().into();
    }
    json!({
        "time": at.millis() as f64 / 1_000.0,
        "source": "riskgraph",
        "sourcetype": source_type,
        "event": value_for(format, letter, head),
        "fields": fields,
    })
}
