//! Partner integrations against their learned normal: a stolen API key shows at its first calls.
//!
//! **Method.** For each integration, and for each of its keys, what is normal is learned without supervision: calls and
//! records per hour of the week ([`Seasonal`](crate::baseline::Seasonal): robust, shrunk, drift-capped), and the sets of
//! client networks, countries, TLS fingerprints, user agents, endpoints and field groups
//! ([`Seen`](crate::baseline::Seen), with probation). A call is *foreign* when a settled key comes from a network it
//! never used. Evidence of a key's foreign calls, and apart from it of its home calls, collects in an *episode*; the
//! score is the sum of the weights of what the episode showed: new network and country, new fingerprint, odd hour,
//! field groups and endpoints never read, refusals, paging, records above the highest hour learned.
//! Volume alone, from the known network over known endpoints, stays LOW: a yearly resync or a sale looks the same.
//! Foreign calls teach nothing but that their network exists; home traffic moves the norm by at most the drift
//! cap a week, and a steady ramp that outgrows the capped norm is told for itself (slow poisoning).
//!
//! **Sources.** Scenarios S4 and S14; OWASP API Security Top 10 2023 (API2, API4); Huber-type clipping of updates:
//! Huber, *Robust Estimation of a Location Parameter* (1964); shrinkage: James and Stein (1961).
//!
//! **Memory.** An integration: 4 kB of seasons, at most 22 kB of habits, 15 kB of episodes and 104 kB of chart steps
//! (typically 30 kB in all); a key: at most 22 kB of habits, typically 3 kB. Capacities are in the configuration.
//!
//! Must *not* know vendors, the graph or who owns a key: correlation joins those.

use riskgraph_domain::event::{Event, EventKind};
use riskgraph_domain::signal::Signal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::keys::mix;
use super::{Context, Detector};
use crate::baseline::{Tally, quick_key};
use crate::keyed::{Key, Keyed};

mod call;
mod config;
mod episode;
mod habits;
mod partner;
mod read;
mod report;

use call::Call;
pub use config::IntegrationConfig;
use habits::Habits;
use partner::Partner;

/// The detector's name in signals.
pub const NAME: &str = "integration";

/// Learned normal of every integration and key, and what departs from it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Integration {
    config: IntegrationConfig,
    partners: Keyed<Option<Box<Partner>>>,
    keys: Keyed<Option<Box<Habits>>>,
}

/// Where a call stands against what its key and integration did before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Standing {
    /// Nothing to compare with yet.
    Learning,
    Home,
    Foreign,
}

impl Integration {
    #[must_use]
    pub fn new(config: &IntegrationConfig) -> Self {
        let (partners, keys) = (Keyed::new(config.integrations_max), Keyed::new(config.keys_max));
        Self { config: config.clone(), partners, keys }
    }
}

/// The key of an integration's name.
fn partner_key(name: &str) -> Key {
    mix(quick_key(name))
}

impl Detector for Integration {
    fn name(&self) -> &'static str {
        NAME
    }

    fn observe(&mut self, event: &Event, context: &Context, signals: &mut Vec<Signal>) {
        if !matches!(event.kind, EventKind::ApiCall | EventKind::HttpRequest) {
            return;
        }
        let Some(call) = Call::of(event) else { return };
        let config = &self.config;
        let partner = self
            .partners
            .touch(partner_key(call.subject), event.time)
            .get_or_insert_with(|| Box::new(Partner::new(config)));
        let mut own = call.key.map(|api_key| {
            self.keys
                .touch(mix(quick_key(api_key) ^ quick_key(call.subject).rotate_left(23)), event.time)
                .get_or_insert_with(|| Box::new(Habits::new()))
        });
        partner.close_hours(event.time, config, |ramp| {
            signals.extend(report::ramp(&ramp, &call, event, context));
        });
        let departure = habits::depart(&call, own.as_deref().map(|own| &**own), &partner.habits, config);
        let tally = Tally { calls: 1, errors: u32::from(call.error), records: call.records };
        partner.recent.add(call.time, tally);
        if departure.standing != Standing::Learning {
            let told = partner.judge(&call, &departure, config);
            signals.extend(told.map(|case| report::departure(&case, &call, &departure, event, context)));
        }
        partner.learn(&call, departure.standing, config);
        if let Some(own) = &mut own {
            own.learn(&call, departure.standing, config);
        }
    }

    fn n_keys(&self) -> usize {
        self.partners.len() + self.keys.len()
    }
}

#[cfg(test)]
mod tests;
