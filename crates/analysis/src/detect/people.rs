//! What each person usually logs in with: bounded learned sets of devices, networks, places, countries and agents.
//!
//! Learned from successful logins only; shared by the detectors that ask whether this is the person we know. It must
//! *not* know what is suspicious.
//!
//! Memory per person: 200 bytes and 16 for each thing remembered (at most [`SEEN_MAX`] of each kind), typically 300.

use riskgraph_domain::time::{DAY_MS, MINUTE_MS};
use riskgraph_domain::{Event, EventKind, Outcome, Timestamp};
use serde::{Deserialize, Serialize};

use super::config::PeopleConfig;
use super::keys::Keys;
use crate::keyed::{Key, Keyed};

/// Things of one kind remembered of one person; the one unseen longest gives way.
const SEEN_MAX: usize = 8;
/// Age below which a thing of a person with an older history counts as fresh: who just broke in is no old acquaintance.
const FRESH_MS: i64 = DAY_MS;

/// Whether a thing is known of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Known {
    /// The event does not say, or the person has no history to compare with.
    #[default]
    Unsaid,
    New,
    /// Known, but for less than a day, and the person for longer.
    Fresh,
    Old,
}

impl Known {
    #[must_use]
    pub const fn is_new(self) -> bool {
        matches!(self, Self::New)
    }
    /// Seen before, however lately.
    #[must_use]
    pub const fn is_seen(self) -> bool {
        matches!(self, Self::Fresh | Self::Old)
    }
    /// Not seen before today.
    #[must_use]
    pub const fn is_young(self) -> bool {
        matches!(self, Self::New | Self::Fresh)
    }
}

/// An event against what is known of its person.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Habit {
    /// Successful logins learned.
    pub n_logins: u32,
    /// Days between the first and the latest of them.
    pub span_days: f64,
    /// Share of them that a second factor confirmed.
    pub mfa_share: f64,
    pub device: Known,
    pub network: Known,
    pub place: Known,
    pub country: Known,
    pub agent: Known,
    /// How many of each are known: a person of many networks surprises less with one more.
    pub n_devices: usize,
    pub n_networks: usize,
    pub n_countries: usize,
    /// Country and time of the successful login nearest before.
    pub last: Option<([u8; 2], Timestamp)>,
}

impl Habit {
    /// Whether this is, as far as anyone can tell, the person from a place or device of theirs.
    #[must_use]
    pub const fn is_familiar(&self) -> bool {
        self.device.is_seen()
            || self.place.is_seen()
            || (self.network.is_seen() && !self.device.is_new() && !self.agent.is_new())
    }

    /// As [`Self::is_familiar`], by things known for more than a day.
    #[must_use]
    pub const fn is_long_familiar(&self) -> bool {
        matches!(self.device, Known::Old)
            || (matches!(self.place, Known::Old) && !self.device.is_new())
            || (matches!(self.network, Known::Old) && !self.device.is_young() && !self.agent.is_young())
    }
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Seen {
    /// Half of the key: two things of one person are confused once in 500 million.
    tag: u32,
    first_minute: i32,
    last_minute: i32,
    n: u32,
}

/// A few things seen, each once.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Familiar(Vec<Seen>);

impl Familiar {
    fn compare(&self, key: Option<Key>, time: Timestamp, person_first: i32) -> Known {
        let Some(key) = key.filter(|_| !self.0.is_empty()) else { return Known::Unsaid };
        let Some(seen) = self.0.iter().find(|seen| seen.tag == key as u32) else { return Known::New };
        let fresh_minutes = (FRESH_MS / MINUTE_MS) as i32;
        let is_fresh = minute(time) - seen.first_minute < fresh_minutes;
        // Someone who is new as a whole has nothing older to be compared with.
        if is_fresh && seen.first_minute > person_first { Known::Fresh } else { Known::Old }
    }

    fn learn(&mut self, key: Option<Key>, time: Timestamp) {
        let Some(tag) = key.map(|key| key as u32) else { return };
        let minute = minute(time);
        if let Some(seen) = self.0.iter_mut().find(|seen| seen.tag == tag) {
            seen.first_minute = seen.first_minute.min(minute);
            seen.last_minute = seen.last_minute.max(minute);
            seen.n = seen.n.saturating_add(1);
            return;
        }
        if self.0.len() >= SEEN_MAX {
            let oldest = (0..self.0.len()).min_by_key(|&place| self.0.get(place).map(|seen| seen.last_minute));
            if let Some(place) = oldest {
                self.0.swap_remove(place);
            }
        }
        self.0.push(Seen { tag, first_minute: minute, last_minute: minute, n: 1 });
    }
}

fn minute(time: Timestamp) -> i32 {
    i32::try_from(time.0 / MINUTE_MS).unwrap_or(i32::MAX)
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Person {
    n_logins: u32,
    n_mfa: u32,
    first_minute: i32,
    last_minute: i32,
    last: Option<([u8; 2], Timestamp)>,
    devices: Familiar,
    networks: Familiar,
    places: Familiar,
    countries: Familiar,
    agents: Familiar,
}

/// Everyone's habits.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct People {
    known: Keyed<Person>,
}

impl People {
    #[must_use]
    pub fn new(config: &PeopleConfig) -> Self {
        Self { known: Keyed::new(config.people_max) }
    }

    /// What is known of the event's person, compared with the event.
    #[must_use]
    pub fn compare(&self, keys: &Keys, time: Timestamp) -> Habit {
        let Some(person) = keys.person.and_then(|key| self.known.get(key)).filter(|person| person.n_logins > 0) else {
            return Habit::default();
        };
        let first = person.first_minute;
        Habit {
            n_logins: person.n_logins,
            span_days: f64::from(person.last_minute - first) * MINUTE_MS as f64 / DAY_MS as f64,
            mfa_share: (f64::from(person.n_mfa) / f64::from(person.n_logins)).min(1.0),
            device: person.devices.compare(keys.device, time, first),
            network: person.networks.compare(keys.network, time, first),
            place: person.places.compare(keys.place, time, first),
            country: person.countries.compare(country_key(keys), time, first),
            agent: person.agents.compare(keys.agent, time, first),
            n_devices: person.devices.0.len(),
            n_networks: person.networks.0.len(),
            n_countries: person.countries.0.len(),
            last: person.last,
        }
    }

    /// Learns from a success; anything else teaches nothing.
    pub fn learn(&mut self, event: &Event, keys: &Keys) {
        let Some(key) = keys.person.filter(|_| event.outcome == Outcome::Success) else { return };
        let person = self.known.touch(key, event.time);
        if event.kind == EventKind::AuthMfa {
            person.n_mfa = person.n_mfa.saturating_add(1);
            return;
        }
        let minute = minute(event.time);
        person.first_minute = if person.n_logins == 0 { minute } else { person.first_minute.min(minute) };
        person.last_minute = person.last_minute.max(minute);
        person.n_logins = person.n_logins.saturating_add(1);
        person.devices.learn(keys.device, event.time);
        person.networks.learn(keys.network, event.time);
        person.places.learn(keys.place, event.time);
        person.countries.learn(country_key(keys), event.time);
        person.agents.learn(keys.agent, event.time);
        if let Some(country) = keys.country.filter(|_| person.last.is_none_or(|(_, at)| at <= event.time)) {
            person.last = Some((country, event.time));
        }
    }

    /// People known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }
}

fn country_key(keys: &Keys) -> Option<Key> {
    keys.country.map(|code| u64::from(u16::from_be_bytes(code)))
}
