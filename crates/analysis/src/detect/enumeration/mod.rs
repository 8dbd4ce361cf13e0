//! Object enumeration (broken object level authorisation): one actor reads many objects that are not its own.
//!
//! **Method.** What a customer may read is what it owns. Ownership comes with the event (`object.owner`) or was learned
//! from orders and earlier reads; who holds a session or key was learned from logins. For each actor and type of object
//! the distinct foreign objects and foreign owners read with success are counted over a week, so that four reads a
//! minute in any order add up. Owners met again on later days become *familiar* (a household, merged accounts) and count
//! no more. Without ownership, and for staff and partner keys whose job is to read what others own, distinct objects
//! a day are compared with the actor's own highest day and with its peers' (98th percentile), and refusals and dense
//! ids are evidence. Types that many customers read across owners are public, whatever their owner field says.
//!
//! **Sources.** Scenario S11; OWASP API Security Top 10 2023, API1 (BOLA); Heule, Nunkesser, Hall, *HyperLogLog in
//! Practice* (2013) and Ertl (2017) for distinct counts.
//!
//! **Memory.** An actor and type 450 bytes, 4 kB at most; an object's owner and a session's holder 40 bytes each; a type
//! 1.5 kB. Capacities are in the configuration.
//!
//! Must *not* know the graph: ownership learned here is a cache of what events said.

use riskgraph_domain::Timestamp;
use riskgraph_domain::event::{Event, EventKind};
use riskgraph_domain::signal::Signal;
use riskgraph_domain::time::{DAY_MS, HOUR_MS};
use serde::{Deserialize, Serialize};

use super::keys::mix;
use super::telling::{score_of, worth_telling};
use super::{Context, Detector};
use crate::baseline::quick_key;
use crate::keyed::{Key, Keyed};

mod access;
mod config;
mod peers;
mod reader;
mod report;

use access::{Access, Group};
pub use config::EnumerationConfig;
use peers::Peers;
use reader::Reader;

/// The detector's name in signals.
pub const NAME: &str = "enumeration";

/// Who reads what, who owns what, and what is usual.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Enumeration {
    config: EnumerationConfig,
    readers: Keyed<Reader>,
    /// Owner of an object, by type and id.
    owners: Keyed<Key>,
    /// User who holds a session or key.
    holders: Keyed<Key>,
    peers: Keyed<Peers>,
    /// Calls of each partner key, whatever they read.
    partners: Keyed<Seniority>,
}

/// How long and how much a partner key has been calling.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Seniority {
    first: Option<Timestamp>,
    calls: u64,
}

impl Seniority {
    fn note(&mut self, time: Timestamp) {
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.calls += 1;
    }

    /// Whether it has called long enough that a type it never read is news.
    fn senior(&self, time: Timestamp) -> bool {
        let age = self.first.map_or(0, |first| time - first);
        (self.calls >= SENIOR_CALLS && age >= DAY) || (self.calls >= REGULAR_CALLS && age >= REGULAR_AGE_MS)
    }
}

impl Enumeration {
    #[must_use]
    pub fn new(config: &EnumerationConfig) -> Self {
        Self {
            readers: Keyed::new(config.readers_max),
            owners: Keyed::new(config.owners_max),
            holders: Keyed::new(config.holders_max),
            peers: Keyed::new(config.types_max),
            partners: Keyed::new(config.partners_max),
            config: config.clone(),
        }
    }

    /// Notes a partner's call; whether the partner has been calling for long.
    fn senior(&mut self, event: &Event) -> bool {
        let Some(integration) = event.actor.integration.as_deref() else { return false };
        let partner = self.partners.touch(mix(quick_key(integration)), event.time);
        let senior = partner.senior(event.time);
        partner.note(event.time);
        senior
    }

    /// Learns who holds the session or key, and whose order was placed.
    fn learn(&mut self, event: &Event) {
        let actor = &event.actor;
        let user = actor.user.as_deref().map(user_key);
        if let Some(user) = user.filter(|_| !event.outcome.refused()) {
            for holder in [&actor.session, &actor.key].into_iter().flatten() {
                *self.holders.touch(mix(quick_key(holder)), event.time) = user;
            }
        }
        let made = event.kind == EventKind::OrderCreated && !event.outcome.refused();
        if let Some(object) = event.object.as_deref() {
            let owner = object.owner.as_deref().map(user_key).or(user.filter(|_| made));
            if let (Some(kind), Some(id), Some(owner)) = (&object.kind, &object.id, owner) {
                *self.owners.touch(object_key(quick_key(kind), id), event.time) = owner;
            }
        }
    }
}

/// The key of a user's name.
fn user_key(name: &str) -> Key {
    mix(quick_key(name))
}

/// The key of an object of a type.
fn object_key(kind: u64, id: &str) -> Key {
    mix(quick_key(id) ^ kind.rotate_left(17))
}

impl Detector for Enumeration {
    fn name(&self) -> &'static str {
        NAME
    }

    fn observe(&mut self, event: &Event, context: &Context, signals: &mut Vec<Signal>) {
        self.learn(event);
        if !matches!(event.kind, EventKind::DataAccess | EventKind::ApiCall | EventKind::HttpRequest) {
            return;
        }
        let senior = self.senior(event);
        let Some(mut access) = Access::of(event, &self.config) else { return };
        access.senior = senior;
        access.user = access.user.or_else(|| self.holders.get(mix(quick_key(access.name))).copied());
        let object = object_key(access.kind, access.id);
        access.owner = access.owner.or_else(|| self.owners.get(object).copied());
        let config = &self.config;
        let peers = self.peers.touch(mix(access.kind ^ access.group as u64), event.time);
        let name = mix(quick_key(access.name) ^ (access.group as u64) << 8);
        let reader = self.readers.touch(mix(name ^ access.kind), event.time);
        reader.roll(event.time);
        let before = reader.objects.count();
        reader.add(&access, object, event.time);
        peers.days.count(before, reader.objects.count());
        peers.note(name, reader);
        let shares = reader.weigh(&access, peers, config);
        let score = score_of(shares.sum());
        if worth_telling(reader.told, score) {
            reader.told = score;
            signals.push(report::enumeration(reader, &shares, &access, event, context));
        }
    }

    fn n_keys(&self) -> usize {
        self.readers.len() + self.owners.len() + self.holders.len() + self.peers.len() + self.partners.len()
    }
}

/// Calls after which a partner is known.
const SENIOR_CALLS: u64 = 200;
/// Calls of a partner that comes once a day, and over how long.
const REGULAR_CALLS: u64 = 5;
const REGULAR_AGE_MS: i64 = 4 * DAY_MS;
/// Reads of a day are compared by day; foreign owners count for a week.
const DAY: i64 = DAY_MS;
const WEEK: i64 = 7 * DAY_MS;
/// A foreign owner is familiar when met on two days this far apart.
const FAMILIAR_AGE_MS: i64 = 20 * HOUR_MS;

#[cfg(test)]
mod tests;
