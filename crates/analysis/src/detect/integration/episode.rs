//! The evidence that one key's foreign calls, or its home calls, have shown lately.

use std::collections::VecDeque;

use riskgraph_domain::time::{HOUR_MS, MINUTE_MS};
use riskgraph_domain::{Text, Timestamp};
use serde::{Deserialize, Serialize};

use super::call::Call;
use super::habits::Departure;
use super::{IntegrationConfig, Standing};
use crate::baseline::quick_key;

/// Names of new fields, endpoints, networks and addresses kept for the reader.
const NAMES_MAX: usize = 8;
/// Refusals count as a burst within this time.
const BURST_MS: i64 = 10 * MINUTE_MS;
/// Minutes of an hour, for the rate of the running one.
const MINUTES: usize = 60;

/// A few distinct names, in order of arrival.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Names(Vec<(u64, Text)>);

impl Names {
    fn add(&mut self, key: u64, name: impl FnOnce() -> Text) {
        if self.0.len() < NAMES_MAX && !self.0.iter().any(|(known, _)| *known == key) {
            self.0.push((key, name()));
        }
    }
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
    pub(super) fn list(&self) -> Vec<&str> {
        self.0.iter().map(|(_, name)| name.as_str()).collect()
    }
}

/// Evidence of one key from one side, foreign or home. At most 1.8 kB.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Episode {
    pub(super) key: u64,
    pub(super) foreign: bool,
    pub(super) start: Timestamp,
    pub(super) last: Timestamp,
    pub(super) calls: u64,
    pub(super) records: u64,
    pub(super) denied: u64,
    pub(super) network: f64,
    pub(super) country_new: bool,
    pub(super) ja4_new: bool,
    pub(super) agent_new: bool,
    /// A call from a new network by new client software, and no fingerprint that is known.
    pub(super) stranger: bool,
    pub(super) odd_hour: bool,
    pub(super) networks: Names,
    pub(super) addresses: Names,
    pub(super) fields: Names,
    pub(super) endpoints: Names,
    /// Amount per minute of the last hour of the episode.
    minutes: VecDeque<(i64, u64)>,
    burst_start: Timestamp,
    pub(super) burst: u32,
    last_page: u64,
    page_step: u64,
    page_run: u32,
    pub(super) page_run_max: u32,
    pub(super) page_max: u64,
    /// Highest score told so far.
    pub(super) told: f64,
}

impl Episode {
    pub(super) fn new(key: u64, foreign: bool, time: Timestamp) -> Self {
        Self {
            key,
            foreign,
            start: time,
            last: time,
            calls: 0,
            records: 0,
            denied: 0,
            network: 0.0,
            country_new: false,
            ja4_new: false,
            agent_new: false,
            stranger: false,
            odd_hour: false,
            networks: Names::default(),
            addresses: Names::default(),
            fields: Names::default(),
            endpoints: Names::default(),
            minutes: VecDeque::new(),
            burst_start: time,
            burst: 0,
            last_page: 0,
            page_step: 0,
            page_run: 0,
            page_run_max: 0,
            page_max: 0,
            told: 0.0,
        }
    }

    /// Whether its evidence is too old to be joined with a call at `time`.
    pub(super) fn over(&self, time: Timestamp, config: &IntegrationConfig) -> bool {
        if self.foreign {
            time - self.last > config.foreign_memory_h * HOUR_MS
        } else {
            time - self.start > config.home_memory_h * HOUR_MS
        }
    }

    /// Takes a call in.
    pub(super) fn add(&mut self, call: &Call, departure: &Departure) {
        self.start = self.start.min(call.time);
        self.last = self.last.max(call.time);
        self.calls += 1;
        self.records = self.records.saturating_add(call.records);
        self.network = self.network.max(departure.network);
        self.country_new |= departure.country_new;
        self.ja4_new |= departure.ja4_new;
        self.agent_new |= departure.agent_new;
        self.stranger |= departure.agent_new && (departure.ja4_new || call.ja4.is_none());
        if departure.standing == Standing::Foreign {
            self.networks.add(quick_key(&call.network_label()), || call.network_label());
            if let Some(ip) = call.ip {
                self.addresses.add(quick_key(ip), || ip.into());
            }
        }
        if departure.endpoint_new {
            self.endpoints.add(call.endpoint, || call.endpoint_label());
        }
        for field in &departure.fields_new {
            self.fields.add(quick_key(field), || (*field).into());
        }
        self.count_amount(call);
        self.count_refusal(call);
        self.follow_pages(call);
    }

    fn count_amount(&mut self, call: &Call) {
        let minute = call.time.0.div_euclid(MINUTE_MS);
        match self.minutes.iter_mut().rev().find(|(at, _)| *at == minute) {
            Some((_, amount)) => *amount = amount.saturating_add(call.amount),
            None => {
                self.minutes.push_back((minute, call.amount));
                if self.minutes.len() > MINUTES {
                    self.minutes.pop_front();
                }
            }
        }
    }

    /// Amount of the hour that ends now, and of its busiest minute of late.
    pub(super) fn hour_amount(&self) -> (u64, u64) {
        let newest = self.last.0.div_euclid(MINUTE_MS);
        let recent = self.minutes.iter().filter(|(at, _)| newest - at < MINUTES as i64);
        let hour = recent.map(|(_, amount)| *amount).fold(0, u64::saturating_add);
        let latest = self.minutes.iter().filter(|(at, _)| newest - at <= 1).map(|(_, amount)| *amount).max();
        (hour, latest.unwrap_or(0))
    }

    fn count_refusal(&mut self, call: &Call) {
        if !call.denied {
            return;
        }
        self.denied += 1;
        if call.time - self.burst_start > BURST_MS {
            self.burst_start = call.time;
            self.burst = 0;
        }
        self.burst += 1;
    }

    /// Counts pages that follow each other by one same step, forgiving a few that arrive out of order.
    fn follow_pages(&mut self, call: &Call) {
        let Some(page) = call.page.filter(|_| !call.denied) else { return };
        self.page_max = self.page_max.max(page);
        let step = page.abs_diff(self.last_page);
        if step != 0 && (self.page_step == 0 || step.is_multiple_of(self.page_step) && step <= 4 * self.page_step) {
            self.page_step = if self.page_step == 0 { step } else { self.page_step };
            self.page_run += 1;
        } else if step != 0 {
            self.page_run = 0;
            self.page_step = if page > self.last_page { 0 } else { self.page_step };
        }
        self.page_run_max = self.page_run_max.max(self.page_run);
        self.last_page = page;
    }
}
