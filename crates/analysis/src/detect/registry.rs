//! Every detector with its state, and which events each of them sees.
//!
//! Plain fields, so that a checkpoint is one `serde` call in a format that does not describe itself.

use riskgraph_domain::event::{Event, EventKind};
use riskgraph_domain::signal::Signal;
use serde::{Deserialize, Serialize};

use super::Context;
use super::accounts::Accounts;
use super::config::DetectConfig;
use super::integration::Integration;
use super::page_change;
use super::traffic::Traffic;

/// All detectors and their state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Detectors {
    accounts: Accounts,
    traffic: Traffic,
}

impl Detectors {
    /// Detectors that have seen nothing yet.
    #[must_use]
    pub fn new(config: &DetectConfig) -> Self {
        Self { accounts: Accounts::new(config), traffic: Traffic::new(config) }
    }

    /// Shows the event to the detectors of its kind and appends the signals they decide.
    ///
    /// The caller has filtered duplicates by id. Judgement uses the event's time; `context` is only passed on.
    pub fn observe(&mut self, event: &Event, context: &Context, signals: &mut Vec<Signal>) {
        match event.kind {
            EventKind::AuthLogin
            | EventKind::AuthMfa
            | EventKind::AccountChange
            | EventKind::PaymentAttempt
            | EventKind::OrderCreated
            | EventKind::OrderRefund
            | EventKind::GiftcardPurchase
            | EventKind::GiftcardRedeem => self.accounts.observe(event, context, signals),
            EventKind::ScriptSeen => page_change::observe(event, context, signals),
            _ => {}
        }
        self.traffic.observe(event, context, signals);
    }

    /// How unusual a payment or login is by itself, 0 ..= 1, whether it makes a signal or not; 0 for other kinds. To be
    /// asked before the event is shown to [`Self::observe`].
    #[must_use]
    pub fn score(&self, event: &Event, context: &Context) -> f64 {
        self.accounts.score(event, context)
    }

    /// Live keys of each detector's state, for `riskgraph_state_entries`.
    #[must_use]
    pub fn entries(&self) -> Vec<(&'static str, usize)> {
        let mut entries = self.accounts.entries();
        entries.extend(self.traffic.entries());
        entries
    }

    /// The learned normal of partner integrations.
    #[must_use]
    pub const fn integrations(&self) -> &Integration {
        &self.traffic.integration
    }
}
