//! Detectors: from events to signals.
//!
//! A detector keeps bounded state by key and scores each event against it in event time. It sees events in journal
//! order, which is not time order: late and shuffled events are judged in their own window.

mod accounts;
pub mod card_testing;
pub mod config;
pub mod credential_stuffing;
pub mod draft;
pub mod enumeration;
pub mod integration;
pub mod keys;
pub mod login_novelty;
pub mod page_change;
pub mod password_guessing;
mod paths;
pub mod payment_habit;
pub mod people;
mod registry;
pub mod scanning;
pub mod scraping;
pub mod takeover;
mod telling;
#[cfg(test)]
mod testing;
mod traffic;

pub use accounts::Case;
pub use config::DetectConfig;
pub use registry::Detectors;

use riskgraph_domain::event::Event;
use riskgraph_domain::journal::Position;
use riskgraph_domain::signal::Signal;
use riskgraph_domain::{SignalId, Timestamp};

/// What a detector knows besides the event itself.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    /// Where the event lies in the journal.
    pub position: Position,
    /// Wall time at which it was accepted.
    pub accepted_at: Timestamp,
    /// Wall time of the judgement. For `detected_at` only: judgement itself uses the event's time.
    pub now: Timestamp,
}

/// One method of finding something, with its state.
pub trait Detector {
    /// Name in signals, configuration and documentation, such as `credential_stuffing`.
    fn name(&self) -> &'static str;

    /// Takes one event into the state and appends the signals it decides.
    fn observe(&mut self, event: &Event, context: &Context, signals: &mut Vec<Signal>);

    /// Live keys of the state, for `riskgraph_state_entries`.
    fn n_keys(&self) -> usize;
}

/// The id of the signal that this detector makes of this event about this subject.
#[must_use]
pub fn signal_id(detector: &str, subject: &str, event: &Event) -> SignalId {
    SignalId::of(&[detector, subject, &event.id])
}
