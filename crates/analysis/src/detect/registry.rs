//! Every detector with its state, and which events each of them sees.
//!
//! Plain fields, so that a checkpoint is one `serde` call in a format that does not describe itself.

use riskgraph_domain::event::{Event, EventKind};
use riskgraph_domain::signal::Signal;
use serde::{Deserialize, Serialize};

use super::config::DetectConfig;
use super::integration::Integration;
use super::keys::Keys;
use super::people::{Habit, People};
use super::{Context, Detector};

/// An event with all that was worked out about it once.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    pub event: &'a Event,
    pub context: &'a Context,
    pub keys: Keys,
    /// The event against its person's history, before the event itself is learned.
    pub habit: Habit,
}

/// All detectors and their state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Detectors {
    people: People,
    integration: Integration,
}

impl Detectors {
    /// Detectors that have seen nothing yet.
    #[must_use]
    pub fn new(config: &DetectConfig) -> Self {
        Self { people: People::new(&config.people), integration: Integration::new(&config.integration) }
    }

    /// Shows the event to the detectors of its kind and appends the signals they decide.
    ///
    /// The caller has filtered duplicates by id. Judgement uses the event's time; `context` is only passed on.
    pub fn observe(&mut self, event: &Event, context: &Context, signals: &mut Vec<Signal>) {
        match event.kind {
            EventKind::AuthLogin | EventKind::AuthMfa => self.observe_login(event, context, signals),
            EventKind::ApiCall | EventKind::HttpRequest => self.integration.observe(event, context, signals),
            _ => {}
        }
    }

    /// Live keys of each detector's state, for `riskgraph_state_entries`.
    #[must_use]
    pub fn entries(&self) -> Vec<(&'static str, usize)> {
        vec![("people", self.people.len()), (self.integration.name(), self.integration.n_keys())]
    }

    /// The learned normal of partner integrations.
    #[must_use]
    pub const fn integrations(&self) -> &Integration {
        &self.integration
    }

    fn observe_login(&mut self, event: &Event, context: &Context, _signals: &mut Vec<Signal>) {
        let case = self.case(event, context);
        self.people.learn(event, &case.keys);
    }

    fn case<'a>(&self, event: &'a Event, context: &'a Context) -> Case<'a> {
        let keys = Keys::of(event);
        Case { event, context, keys, habit: self.people.compare(&keys, event.time) }
    }
}
