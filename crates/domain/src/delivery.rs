//! Deliveries: what is told of alerts to whom outside, and whether it arrived. It must *not* know how anything is sent,
//! stored or shown.
//!
//! The alert sequence is the outbox: its rows are written in the transaction of the alert. A channel is a consumer of it
//! with a durable cursor; planning inserts the channel's deliveries and moves the cursor in one transaction. A delivery's id
//! is derived from channel and sequence, so whatever is repeated after a crash carries the id it had before.

mod channel;
mod port;

use serde::{Deserialize, Serialize};

pub use channel::{
    Channel, ChannelFilter, ChannelInput, ChannelKind, ChannelStatus, ChannelView, PayloadFormat, SigningSecret,
};
pub use port::{
    Census, ChannelPlan, ChannelState, Deliveries, DeliveryDesk, DeliveryFilter, Disabled, Due, NewDelivery, Outcome,
    Outgoing, Sender, Sent, Settled, Told, Tries, When,
};

use crate::alert::{Alert, AlertChange, words};
use crate::id::{AlertId, ChannelId, DeliveryId, hash128};
use crate::signal::Signal;
use crate::text::Text;
use crate::time::Timestamp;

/// Attempts a delivery remembers, the newest: the schedule has ten, people may ask for more.
pub const ATTEMPTS_KEPT: usize = 20;

words! {
    /// Where a delivery is in its life.
    DeliveryState { Waiting = "WAITING", Retrying = "RETRYING", Delivered = "DELIVERED", Dead = "DEAD" }
}

/// One try to deliver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    pub at: Timestamp,
    pub duration_ms: u32,
    /// Status of the receiver's protocol (HTTP or SMTP), when there was an answer.
    pub status: Option<u16>,
    /// What went wrong, in words without any secret; `None` when it was taken.
    pub error: Option<String>,
}

/// One message to one channel, as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    pub id: DeliveryId,
    pub channel: ChannelId,
    pub alert: Option<AlertId>,
    pub subject: String,
    pub state: DeliveryState,
    pub created_at: Timestamp,
    /// `None` when it is done, or waits for an earlier one of its alert.
    pub next_attempt_at: Option<Timestamp>,
    pub delivered_at: Option<Timestamp>,
    /// Oldest first.
    pub attempts: Vec<Attempt>,
}

impl Delivery {
    /// The id of the message as the receiver sees it, the same at every try.
    #[must_use]
    pub fn message_id(&self) -> String {
        message_id(self.id)
    }
}

/// The message id of a delivery: what receivers dedupe by.
#[must_use]
pub fn message_id(id: DeliveryId) -> String {
    id.to_string().replacen(DeliveryId::PREFIX, "msg", 1)
}

/// The id of the delivery that tells this channel of what began at this place of the sequence.
#[must_use]
pub fn delivery_id(channel: ChannelId, what: &str, sequence: u64) -> DeliveryId {
    DeliveryId(hash128(&[&channel.to_string(), what, &sequence.to_string()]))
}

/// What a delivery tells. Kept with the delivery, so that every try tells the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    Alert(Box<AlertMessage>),
    Digest(Digest),
    Notice(Notice),
}

/// News of one alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertMessage {
    /// Place of the newest change in the sequence.
    pub sequence: u64,
    pub change: AlertChange,
    /// How often the alert was told again without a change; 0 for a change.
    pub repeat: u32,
    /// The alert as it was right after the change.
    pub alert: Alert,
    /// The signals with the most weight, at most eight.
    pub signals: Vec<Signal>,
}

/// What happened to many alerts since the last digest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Digest {
    pub since: Timestamp,
    pub until: Timestamp,
    /// Place of the newest change in it.
    pub sequence: u64,
    /// Worst first; at most 200, `alerts_total` has the whole number.
    pub alerts: Vec<DigestAlert>,
    pub alerts_total: u32,
    pub changes_total: u32,
}

/// One alert of a digest, as of its newest change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DigestAlert {
    pub alert: Alert,
    /// What happened to it, oldest first, each kind once.
    pub changes: Vec<AlertChange>,
}

/// Something to tell that is no alert: a test, a report, word of a playbook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// What it is: `test`, `report`, `playbook`.
    pub kind: Text,
    pub at: Timestamp,
    pub subject: String,
    /// Plain text, at most some thousand characters.
    pub text: String,
    /// Where to read more; empty for nowhere.
    pub link: String,
    /// A JSON object for programs; null for nothing.
    pub data: serde_json::Value,
    /// Files that go along by mail; other channels name them.
    pub attachments: Vec<Attachment>,
}

/// A file that goes along by mail; all of a notice have at most [`ATTACHMENTS_MAX_BYTES`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    pub name: String,
    pub content_type: String,
    pub bytes: Vec<u8>,
}

/// Bytes of all files of one notice: most mail servers take 10 MB after base64 made a third more of it.
pub const ATTACHMENTS_MAX_BYTES: usize = 7 << 20;

impl Message {
    /// One line that says what it is about.
    #[must_use]
    pub fn subject(&self) -> String {
        let text = match self {
            Self::Alert(message) => {
                let alert = &message.alert;
                let again = if message.repeat > 0 { " (still open)" } else { "" };
                format!("[{}] {}: {}{again}", alert.severity.as_str(), message.change.as_str(), alert.title)
            }
            Self::Digest(digest) => {
                let many = if digest.alerts_total == 1 { "alert" } else { "alerts" };
                format!("riskgraph digest: {} {many}", digest.alerts_total)
            }
            Self::Notice(notice) => notice.subject.clone(),
        };
        one_line(&text, SUBJECT_CHARS_MAX)
    }
}

/// Characters of a subject.
const SUBJECT_CHARS_MAX: usize = 200;

/// The text on one line, cut to so many characters.
#[must_use]
pub fn one_line(text: &str, chars_max: usize) -> String {
    let clean = |c: char| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c };
    let mut line: String = text.chars().take(chars_max).map(clean).collect();
    if text.chars().nth(chars_max).is_some() {
        line.pop();
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_ids_name_their_delivery_and_nothing_else() {
        let (a, b) = (ChannelId::of(&["a"]), ChannelId::of(&["b"]));
        let id = delivery_id(a, "alert", 7);
        assert_eq!(id, delivery_id(a, "alert", 7));
        assert_ne!(id, delivery_id(b, "alert", 7));
        assert_ne!(id, delivery_id(a, "alert", 8));
        assert_ne!(id, delivery_id(a, "repeat", 7));
        let text = message_id(id);
        assert!(text.starts_with("msg_") && text.ends_with(id.to_string().trim_start_matches("dlv")), "{text}");
    }

    #[test]
    fn a_subject_is_one_line() {
        assert_eq!(one_line("a\r\nBcc: b", 20), "a  Bcc: b");
        assert_eq!(one_line("abcdef", 4), "abc…");
        assert_eq!(one_line("abcd", 4), "abcd");
    }
}
