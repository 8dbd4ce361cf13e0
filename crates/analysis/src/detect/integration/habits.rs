//! What a key or an integration is known to do, and how far a call departs from it.

use riskgraph_domain::Timestamp;
use riskgraph_domain::time::{DAY_MS, HOUR_MS};
use serde::{Deserialize, Serialize};

use super::call::Call;
use super::{IntegrationConfig, Standing};
use crate::baseline::{Novelty, Seen, quick_key};

/// Sets of things seen, for one key or one integration. At most 22 kB, typically 3 kB.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Habits {
    pub(super) calls: u64,
    pub(super) hours: u32,
    last_hour: i64,
    pub(super) first: Option<Timestamp>,
    pub(super) networks: Seen,
    prefixes: Seen,
    wide: Seen,
    pub(super) countries: Seen,
    ja4: Seen,
    pub(super) agents: Seen,
    pub(super) endpoints: Seen,
    pub(super) fields: Seen,
}

impl Habits {
    pub(super) const fn new() -> Self {
        Self {
            calls: 0,
            hours: 0,
            last_hour: i64::MIN,
            first: None,
            networks: Seen::new(32),
            prefixes: Seen::new(48),
            wide: Seen::new(24),
            countries: Seen::new(16),
            ja4: Seen::new(16),
            agents: Seen::new(16),
            endpoints: Seen::new(64),
            fields: Seen::new(48),
        }
    }

    /// Whether enough was seen over enough time that something new means something.
    pub(super) fn settled(&self, time: Timestamp, config: &IntegrationConfig) -> bool {
        let age = self.first.map_or(0, |first| time - first);
        let busy = self.calls >= config.settled_calls
            && self.hours >= config.settled_hours
            && age >= config.settled_age_h * HOUR_MS;
        // A partner that calls once a day has its habits too.
        let regular = self.hours >= REGULAR_HOURS && age >= REGULAR_AGE_MS;
        busy || regular
    }

    /// Takes a call into the habits. A foreign call teaches only that its network exists; while learning all is normal.
    pub(super) fn learn(&mut self, call: &Call, standing: Standing, config: &IntegrationConfig) {
        let time = call.time;
        let probation =
            if self.settled(time, config) || standing == Standing::Foreign { Some(config.probation()) } else { None };
        if let Some(asn) = call.asn {
            self.networks.note(u64::from(asn), || call.network_label(), time, probation);
        }
        if let Some(prefix) = call.prefix {
            if call.asn.is_none() {
                self.networks.note(prefix.narrow, || prefix.label(), time, probation);
            }
            self.prefixes.note(prefix.narrow, || "".into(), time, probation);
            self.wide.note(prefix.wide, || "".into(), time, probation);
        }
        if let Some(country) = call.country {
            self.countries.note(quick_key(country), || country.into(), time, probation);
        }
        if standing == Standing::Foreign {
            return;
        }
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.calls += 1;
        let hour = time.0.div_euclid(HOUR_MS);
        if hour > self.last_hour {
            self.last_hour = hour;
            self.hours = self.hours.saturating_add(1);
        }
        if let Some(ja4) = call.ja4 {
            self.ja4.note(quick_key(ja4), || ja4.into(), time, probation);
        }
        if let (Some(key), Some(agent)) = (call.agent_key(), call.agent) {
            self.agents.note(key, || agent.into(), time, probation);
        }
        if !call.denied {
            self.endpoints.note(call.endpoint, || call.endpoint_label(), time, probation);
        }
        for field in call.fields() {
            self.fields.note(quick_key(field), || field.into(), time, probation);
        }
    }

    /// Weight of the call's network against the networks known here.
    fn foreignness(&self, call: &Call, config: &IntegrationConfig) -> f64 {
        let weights = &config.weights;
        let country = call.country.map(|country| self.countries.novelty(quick_key(country)));
        let country_new = country.is_some_and(|novelty| novelty != Novelty::Known) && !self.countries.is_empty();
        let network_known = match (call.asn, call.prefix) {
            (Some(asn), prefix) => {
                self.networks.novelty(u64::from(asn)) == Novelty::Known
                    || prefix.is_some_and(|prefix| self.prefixes.novelty(prefix.narrow) == Novelty::Known)
            }
            (None, Some(prefix)) => {
                self.prefixes.novelty(prefix.narrow) == Novelty::Known
                    || self.wide.novelty(prefix.wide) == Novelty::Known
            }
            (None, None) => true,
        };
        let weight = match (network_known, country_new, country.is_some(), call.asn.is_some()) {
            (true, false, _, _) => 0.0,
            (true, true, _, _) => weights.country,
            (false, true, _, _) => weights.network_and_country,
            (false, false, true, true) => weights.network,
            (false, false, false, true) => weights.network_country_unknown,
            (false, false, _, false) if self.same_client(call) => 0.0,
            // New software at a new place: the network would be new too, did the sender know it.
            (false, false, _, false) if self.agent_new(call) => weights.network_country_unknown,
            (false, false, _, false) => weights.prefix,
        };
        if weight <= 0.0 {
            return 0.0;
        }
        let n_trusted = self.networks.n_trusted();
        weight * (config.few_networks as f64 / n_trusted.max(1) as f64).min(1.0)
    }

    /// Whether fingerprint and user agent are known ones: with no network number given, the same client at a new address.
    fn same_client(&self, call: &Call) -> bool {
        call.ja4.is_some_and(|ja4| self.ja4.novelty(quick_key(ja4)) == Novelty::Known) && !self.agent_new(call)
    }

    fn ja4_new(&self, call: &Call) -> bool {
        !self.ja4.is_empty() && call.ja4.is_some_and(|ja4| self.ja4.novelty(quick_key(ja4)) != Novelty::Known)
    }

    fn agent_new(&self, call: &Call) -> bool {
        !self.agents.is_empty() && call.agent_key().is_some_and(|key| self.agents.novelty(key) != Novelty::Known)
    }
}

/// How a call departs from what is known.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Departure<'a> {
    pub(super) standing: Standing,
    /// Weight of the network's newness; 0 at home.
    pub(super) network: f64,
    pub(super) country_new: bool,
    pub(super) ja4_new: bool,
    pub(super) agent_new: bool,
    pub(super) endpoint_new: bool,
    pub(super) fields_new: Vec<&'a str>,
}

/// Distinct hours with calls, and their span, that settle a partner of few calls.
const REGULAR_HOURS: u32 = 5;
const REGULAR_AGE_MS: i64 = 4 * DAY_MS;
/// Seen at home this long ago and again now: a weekly job, whose day may shift.
const WEEKLY_AGE_MS: i64 = 5 * DAY_MS;
/// Share of the weight left when the integration knows the network and only this key does not.
const OTHER_KEYS_NETWORK: f64 = 0.4;

/// Compares a call with the habits of its key, where settled, and of its integration.
pub(super) fn depart<'a>(
    call: &Call<'a>,
    own: Option<&Habits>,
    partner: &Habits,
    config: &IntegrationConfig,
) -> Departure<'a> {
    let own = own.filter(|own| own.settled(call.time, config));
    let mut departure = Departure {
        standing: Standing::Learning,
        network: 0.0,
        country_new: false,
        ja4_new: false,
        agent_new: false,
        endpoint_new: false,
        fields_new: Vec::new(),
    };
    if own.is_none() && !partner.settled(call.time, config) {
        return departure;
    }
    let of_partner = partner.foreignness(call, config);
    departure.network = own.map_or(of_partner, |own| {
        let of_key = own.foreignness(call, config);
        if of_partner > 0.0 { of_key } else { of_key * OTHER_KEYS_NETWORK }
    });
    departure.standing = if departure.network > 0.0 { Standing::Foreign } else { Standing::Home };
    let habits = own.unwrap_or(partner);
    departure.ja4_new = habits.ja4_new(call) && partner.ja4_new(call);
    departure.agent_new = habits.agent_new(call) && partner.agent_new(call);
    let unknown = |seen: &Seen, key: u64| seen.novelty(key) != Novelty::Known;
    let home = departure.standing == Standing::Home;
    // What it does once a week is no news at home the second time, long before its probation of days is over.
    let weekly = |seen: &Seen, key: u64| home && seen.age(key, call.time).is_some_and(|age| age >= WEEKLY_AGE_MS);
    let new = |seen: &Seen, key: u64| unknown(seen, key) && !weekly(seen, key);
    departure.endpoint_new = !habits.endpoints.overflowed() && new(&habits.endpoints, call.endpoint);
    if !habits.fields.overflowed() && !habits.fields.is_empty() {
        departure.fields_new = call.fields().filter(|field| new(&habits.fields, quick_key(field))).collect();
    }
    if departure.standing == Standing::Foreign {
        let country = call.country.map(quick_key);
        departure.country_new = country.is_some_and(|country| unknown(&habits.countries, country));
    }
    departure
}
