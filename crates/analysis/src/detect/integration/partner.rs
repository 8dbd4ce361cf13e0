//! One integration: its seasons, habits and open evidence, and the weights of what a call shows.

use riskgraph_domain::Timestamp;
use riskgraph_domain::time::DAY_MS;
use serde::{Deserialize, Serialize};

use super::super::telling::{SCORE_MAX, score_of, worth_telling};
use super::call::Call;
use super::episode::Episode;
use super::habits::{Departure, Habits};
use super::{IntegrationConfig, Standing};
use crate::baseline::{Hour, OpenHours, Recent, Seasonal, quick_key};

mod ramp;
pub(super) use ramp::Grown;
use ramp::Ramp;

/// Open episodes of an integration: two a key; when more are open the oldest is dropped.
const EPISODES_MAX: usize = 8;
/// Hours learned before the highest hour is a norm and capped.
const YOUNG_HOURS: u32 = 24;
/// The running minute counts as if it went on this long: an export shows before its hour is full.
const MINUTES_AHEAD: f64 = 15.0;
/// Calls from which a minute says how an hour may go on.
const AHEAD_CALLS: u64 = 10;
/// Home volume is odd from this multiple of the highest hour learned.
const HOME_RATIO: f64 = 1.5;
/// The partner's own client that reads something new or more than ever: a rare job, a release, a resync. LOW, and so low
/// that a fresh incident at the partner does not make it HIGH; unless it reads many times the most it ever read.
const HOME_SCORE_MAX: f64 = 0.25;
const HOME_RATIO_WILD: f64 = 20.0;
/// Another client at home while the partner is young: its weekly job may be another program.
const YOUNG_STRANGER_MAX: f64 = 0.38;
/// Within its first week all that a partner does at home is new some day; after a month its rare jobs have been seen.
const YOUNG_MS: i64 = 8 * DAY_MS;
const MATURE_MS: i64 = 32 * DAY_MS;
/// An hour is odd when its expected calls are below this share of the day's mean.
const ODD_SHARE: f64 = 0.2;
const HOURS_OF_WEEK: usize = 168;

/// Learned normal and open evidence of one integration.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Partner {
    pub(super) habits: Habits,
    pub(super) calls: Seasonal,
    pub(super) records: Seasonal,
    /// Highest records of an hour, learned with the drift cap.
    pub(super) top: f64,
    top_week: i64,
    top_at_week: f64,
    pub(super) page_max: u64,
    pub(super) statuses: [u64; 6],
    pub(super) denied: u64,
    open: OpenHours,
    pub(super) n_hours: u32,
    ramp: Ramp,
    pub(super) recent: Recent,
    episodes: Vec<Episode>,
    /// The learned hour now running, for the rate.
    running: Hour,
}

/// Shares of the score of one episode.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shares {
    pub(super) network: f64,
    pub(super) many_networks: f64,
    pub(super) fingerprint: f64,
    pub(super) agent: f64,
    pub(super) stranger: f64,
    pub(super) odd_hour: f64,
    pub(super) fields: f64,
    pub(super) endpoints: f64,
    pub(super) refusals: f64,
    pub(super) paging: f64,
    pub(super) volume: f64,
    pub(super) rate: f64,
}

impl Shares {
    fn sum(&self) -> f64 {
        let who = self.network + self.many_networks + self.fingerprint + self.agent + self.stranger + self.odd_hour;
        who + self.fields + self.endpoints + self.refusals + self.paging + self.volume + self.rate
    }

    /// Scales what was read down, so that the sum is at most `score_max`.
    fn limit_home(&mut self, score_max: f64) {
        let factor = (score_max / self.sum().max(1e-9)).min(1.0);
        for share in [&mut self.fields, &mut self.endpoints, &mut self.paging, &mut self.volume, &mut self.rate] {
            *share *= factor;
        }
    }
}

/// A departure worth a signal.
pub(super) struct Finding {
    pub(super) episode: Episode,
    pub(super) shares: Shares,
    pub(super) hour_amount: u64,
    pub(super) minute_amount: u64,
    pub(super) top: f64,
    pub(super) page_max: u64,
    pub(super) expected_calls: f64,
    pub(super) calls_of_hour: u64,
    pub(super) usual_networks: Vec<String>,
}

impl Partner {
    pub(super) fn new(config: &IntegrationConfig) -> Self {
        Self {
            habits: Habits::new(),
            calls: Seasonal::new(HOURS_OF_WEEK, 24, config.drift_per_week),
            records: Seasonal::new(HOURS_OF_WEEK, 24, config.drift_per_week),
            top: 0.0,
            top_week: 0,
            top_at_week: 0.0,
            page_max: 0,
            statuses: [0; 6],
            denied: 0,
            open: OpenHours::default(),
            n_hours: 0,
            ramp: Ramp::new(config.drift_per_week),
            recent: Recent::default(),
            episodes: Vec::new(),
            running: Hour::default(),
        }
    }

    /// Learns the hours that are over at `time`.
    pub(super) fn close_hours(&mut self, time: Timestamp, config: &IntegrationConfig, mut tell: impl FnMut(Grown)) {
        let Self { open, calls, records, top, top_week, top_at_week, n_hours, ramp, .. } = self;
        open.close(time, |hour| {
            let place = hour.start().hour_of_week();
            calls.learn(place, hour.calls as f64);
            records.learn(place, hour.records as f64);
            *n_hours = n_hours.saturating_add(1);
            let week = hour.hour.div_euclid(HOURS_OF_WEEK as i64);
            if week != *top_week {
                (*top_week, *top_at_week) = (week, *top);
            }
            let cap = if *n_hours <= YOUNG_HOURS { f64::MAX } else { *top_at_week * (1.0 + config.drift_per_week) };
            *top = top.max((hour.records as f64).min(cap));
            if let Some(grown) = ramp.close_hour(&hour, &config.ramp) {
                tell(grown);
            }
        });
    }

    /// Takes a call into the learned normal.
    pub(super) fn learn(&mut self, call: &Call, standing: Standing, config: &IntegrationConfig) {
        self.habits.learn(call, standing, config);
        if standing == Standing::Foreign {
            return;
        }
        if let Some(hour) = self.open.count(call.time, call.amount) {
            self.running = hour;
        }
        self.denied += u64::from(call.denied);
        self.statuses[call.status_class.min(5)] += 1;
        if let Some(page) = call.page {
            // The deepest page drifts like the highest hour: a stranger at home does not make depth normal at once.
            let cap = if self.n_hours <= YOUNG_HOURS { page } else { self.page_max + self.page_max / 1000 + 1 };
            self.page_max = self.page_max.max(page.min(cap));
        }
    }

    /// Adds the call to its evidence; some when the evidence is worth a signal now.
    pub(super) fn judge(&mut self, call: &Call, departure: &Departure, config: &IntegrationConfig) -> Option<Finding> {
        let place = self.episode(call, departure, config);
        let odd = departure.standing == Standing::Foreign && self.odd_hour(call.time);
        let episode = &mut self.episodes[place];
        episode.odd_hour |= odd;
        episode.add(call, departure);
        let (hour_amount, minute_amount) = episode.hour_amount();
        let (episode, top) = (&self.episodes[place], self.top.max(config.volume_floor));
        let shares = self.weigh(episode, (hour_amount, minute_amount), call.time, config);
        let score = score_of(shares.sum());
        if !worth_telling(episode.told, score) {
            return None;
        }
        self.episodes[place].told = score;
        let usual = self.habits.networks.top(5).into_iter().map(|(label, _)| label.into());
        Some(Finding {
            episode: self.episodes[place].clone(),
            shares,
            hour_amount,
            minute_amount,
            top,
            page_max: self.page_max,
            expected_calls: self.calls.band(call.time.hour_of_week()).expected,
            calls_of_hour: self.running.calls,
            usual_networks: usual.collect(),
        })
    }

    /// The place of the episode this call belongs to, made when there is none.
    fn episode(&mut self, call: &Call, departure: &Departure, config: &IntegrationConfig) -> usize {
        let key = call.key.map_or(0, quick_key);
        let foreign = departure.standing == Standing::Foreign;
        let found = self.episodes.iter().position(|episode| episode.key == key && episode.foreign == foreign);
        match found {
            Some(place) => {
                if self.episodes[place].over(call.time, config) {
                    self.episodes[place] = Episode::new(key, foreign, call.time);
                }
                place
            }
            None => {
                if self.episodes.len() >= EPISODES_MAX {
                    let oldest = (0..self.episodes.len()).min_by_key(|&place| self.episodes[place].last);
                    self.episodes.remove(oldest.unwrap_or(0));
                }
                self.episodes.push(Episode::new(key, foreign, call.time));
                self.episodes.len() - 1
            }
        }
    }

    fn weigh(&self, episode: &Episode, amounts: (u64, u64), time: Timestamp, config: &IntegrationConfig) -> Shares {
        let weights = &config.weights;
        let foreign = if episode.foreign { (episode.network / weights.network_and_country).min(1.0) } else { 0.0 };
        // At home a new fingerprint is most often a new release of the partner's client.
        let half = if episode.foreign { 1.0 } else { 0.5 };
        let flag = |on: bool, weight: f64| if on { weight } else { 0.0 };
        let grow = |n: usize, first: f64, more: f64, max: f64| match n {
            0 => 0.0,
            n => (first + more * (n - 1) as f64).min(max),
        };
        let fields = grow(episode.fields.len(), weights.fields_first, weights.fields_more, weights.fields_max);
        let mut shares = Shares {
            network: episode.network,
            many_networks: flag(episode.networks.len() >= 3, weights.many_networks),
            fingerprint: flag(episode.ja4_new, weights.fingerprint * half),
            agent: flag(episode.agent_new, weights.agent * half),
            stranger: flag(episode.foreign && episode.stranger && !episode.country_new, weights.stranger),
            odd_hour: flag(episode.odd_hour, weights.odd_hour),
            fields: fields * (0.8 + 0.2 * foreign),
            endpoints: grow(episode.endpoints.len(), weights.endpoint, weights.endpoint / 2.0, weights.endpoints_max),
            refusals: self.refusals(episode, config),
            ..Shares::default()
        };
        let (hour, minute) = amounts;
        let ahead = if episode.calls >= AHEAD_CALLS { minute as f64 * MINUTES_AHEAD } else { 0.0 };
        let ratio = (hour as f64).max(ahead) / self.top.max(config.volume_floor);
        if episode.foreign {
            let most = weights.volume_home + (weights.volume_foreign - weights.volume_home) * foreign;
            shares.volume = most * ((1.0 + ratio).log2() / 2.0).min(1.0);
            let deep = episode.page_max > 2 * self.page_max && episode.page_max >= 20;
            shares.paging = flag(episode.page_run_max >= 5, weights.paging)
                + flag(deep && episode.page_run_max >= 5, weights.paging_deep);
        } else {
            self.weigh_home_volume(&mut shares, hour, time, config);
            self.calm_home(&mut shares, hour as f64 / self.top.max(config.volume_floor), time);
        }
        shares
    }

    /// At home what is new counts by how much of the partner's rare work has been seen, and makes LOW at most.
    fn calm_home(&self, shares: &mut Shares, ratio: f64, time: Timestamp) {
        let age = self.habits.first.map_or(0, |first| time - first);
        let seen = ((age - YOUNG_MS) as f64 / (MATURE_MS - YOUNG_MS) as f64).clamp(0.0, 1.0);
        let stranger = shares.fingerprint + shares.agent + shares.refusals > 0.0;
        if stranger {
            shares.limit_home(if age < YOUNG_MS { YOUNG_STRANGER_MAX } else { SCORE_MAX });
            return;
        }
        shares.fields *= seen;
        shares.endpoints *= seen;
        if age < YOUNG_MS || ratio * seen.max(0.1) < HOME_RATIO_WILD {
            shares.limit_home(HOME_SCORE_MAX);
        }
    }

    /// Volume from home, capped as a family: a resync and a sale look the same and stay LOW.
    fn weigh_home_volume(&self, shares: &mut Shares, hour: u64, time: Timestamp, config: &IntegrationConfig) {
        let weights = &config.weights;
        let ratio = hour as f64 / self.top.max(config.volume_floor);
        if ratio > HOME_RATIO {
            shares.volume = weights.volume_home * ((ratio / HOME_RATIO).log2() / 4.0 + 0.5).min(1.0);
        }
        let band = self.calls.band(time.hour_of_week());
        if self.n_hours > YOUNG_HOURS && self.running.calls as f64 > 2.0 * band.upper.max(50.0) {
            shares.rate = weights.rate.min(weights.volume_home - shares.volume);
        }
    }

    fn refusals(&self, episode: &Episode, config: &IntegrationConfig) -> f64 {
        let weights = &config.weights;
        let usual = self.denied as f64 / self.habits.calls.max(1) as f64;
        let share = episode.denied as f64 / episode.calls.max(1) as f64;
        let enough = if episode.foreign { 3 } else { 10 };
        if episode.burst < enough || share < (5.0 * usual).min(0.5) {
            return 0.0;
        }
        let grown = weights.refusals * (f64::from(episode.burst) / f64::from(enough)).log2();
        (weights.refusals + grown / 2.0).min(weights.refusals_max)
    }

    /// Whether the integration hardly ever calls at this hour of the week.
    fn odd_hour(&self, time: Timestamp) -> bool {
        if self.n_hours <= YOUNG_HOURS {
            return false;
        }
        let place = time.hour_of_week();
        let day = place - place % 24;
        let mean = (day..day + 24).map(|hour| self.calls.band(hour).expected).sum::<f64>() / 24.0;
        self.calls.band(place).expected < ODD_SHARE * mean
    }
}
