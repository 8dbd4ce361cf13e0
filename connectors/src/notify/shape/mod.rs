//! Shapes of messages: pure functions from what is told to the bytes a receiver gets.

mod cloudevents;
mod native;
mod ocsf;
pub(crate) mod pagerduty;
pub(crate) mod slack;
pub(crate) mod splunk;
pub(crate) mod teams;
mod trim;
mod words;

use riskgraph_domain::alert::AlertChange;
use riskgraph_domain::delivery::{Message, Outgoing, PayloadFormat};
use riskgraph_domain::time::Timestamp;
use serde_json::Value;

pub(crate) use words::{Words, words};

/// What every message of this installation says about itself.
#[derive(Debug, Clone)]
pub struct Letterhead {
    /// Where the console is, without a slash at the end; empty when nobody said.
    pub base_url: String,
    /// Version of the product.
    pub version: String,
}

impl Letterhead {
    /// Where people see this alert; `None` when nobody said where the console is.
    pub(crate) fn alert_url(&self, id: impl std::fmt::Display) -> Option<String> {
        (!self.base_url.is_empty()).then(|| format!("{}/alerts/{id}", self.base_url))
    }

    /// Who tells, as a URI reference.
    pub(crate) fn source(&self) -> &str {
        if self.base_url.is_empty() { "/riskgraph" } else { &self.base_url }
    }
}

/// One message to be shaped.
#[derive(Debug, Clone)]
pub struct Letter<'a> {
    pub message_id: &'a str,
    pub message: &'a Message,
    /// What it tells, oldest first; more than one when changes were folded.
    pub changes: &'a [AlertChange],
    pub created_at: Timestamp,
    /// Whether something was left out for size.
    pub trimmed: Trimmed,
}

/// Whether something was left out for size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trimmed {
    No,
    Yes,
}

impl<'a> Letter<'a> {
    /// The letter of a message on its way.
    #[must_use]
    pub fn of(outgoing: &'a Outgoing) -> Self {
        Self {
            message_id: &outgoing.message_id,
            message: &outgoing.message,
            changes: &outgoing.changes,
            created_at: outgoing.created_at,
            trimmed: Trimmed::No,
        }
    }
}

/// The body in a format, in at most so many bytes: what does not fit is left out, least important first, and said so.
#[must_use]
pub fn body_for(format: PayloadFormat, letter: &Letter<'_>, head: &Letterhead, bytes_max: usize) -> Vec<u8> {
    fitting(letter, bytes_max, |letter| value_for(format, letter, head))
}

/// The shape of a letter that fits.
pub(crate) fn fitting(letter: &Letter<'_>, bytes_max: usize, shape: impl Fn(&Letter<'_>) -> Value) -> Vec<u8> {
    let mut body = shape(letter).to_string().into_bytes();
    for level in trim::LEVELS {
        if body.len() <= bytes_max {
            break;
        }
        let message = trim::trimmed(letter.message, level);
        let smaller = Letter { message: &message, trimmed: Trimmed::Yes, ..letter.clone() };
        body = shape(&smaller).to_string().into_bytes();
    }
    body
}

/// The body in a format, as a value.
pub(crate) fn value_for(format: PayloadFormat, letter: &Letter<'_>, head: &Letterhead) -> Value {
    match format {
        PayloadFormat::Native => native::message(letter, head),
        PayloadFormat::Cloudevents => cloudevents::event(letter, head),
        PayloadFormat::Ocsf => ocsf::finding(letter, head),
    }
}

#[cfg(test)]
mod tests;
