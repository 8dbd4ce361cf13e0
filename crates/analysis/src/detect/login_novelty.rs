//! A login from a device, network or country that is new for this person, or sooner than anyone can travel.
//!
//! **Method.** A success is compared with what the person logged in with before ([`super::people`]). Each new thing has a
//! weight, scaled by how settled the person is (number of logins; people of many networks surprise less with one more)
//! and by how common that kind of newness is among everybody just now (after an app release many devices are new). Two
//! countries too far apart for the time between (centre to centre, less the reach of both, at airliner speed) add
//! impossible travel. A second factor takes most of it away. A person without history cannot be new anywhere.
//!
//! By design one new thing alone is LOW or less; a new device in a new country without a second factor is MEDIUM;
//! impossible travel is MEDIUM, and HIGH with a new device.
//!
//! **Sources.** Freeman, Jain, Dürmuth, Biggio and Giacinto, "Who are you? A statistical approach to measuring user
//! authenticity" (NDSS 2016); Wiefling, Lo Iacono and Dürmuth, "Is this really you? An empirical study on risk-based
//! authentication" (2019); ATT&CK T1078, T1621.
//!
//! **Memory.** Besides the shared memory of people: 64 KiB for how common networks are, 130 bytes for each person with a
//! new login within the last minutes. It must *not* know what happens in the account afterwards.

use riskgraph_domain::event::{EventKind, Outcome};
use riskgraph_domain::signal::{Signal, TouchRole};
use riskgraph_domain::{EntityKind, Timestamp};
use serde::{Deserialize, Serialize};

use super::accounts::Case;
use super::config::NoveltyConfig;
use super::credential_stuffing::is_leaked;
use super::draft::{Draft, ramp};
use super::people::{Habit, Known};
use crate::keyed::Keyed;
use crate::sketch::Frequency;
use crate::window::Fading;

mod geography;
#[cfg(test)]
mod tests;

/// Name in signals and configuration.
pub const NAME: &str = "login_novelty";
/// Networks counted before their counts are halved, so that last month weighs less than today.
const FREQUENCY_TOTAL_MAX: u64 = 500_000;

/// What is new about a login, for the detectors of what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Novelty {
    /// 0 ..= 1, the score of the login.
    pub score: f64,
    /// 0 ..= 1 each: how much a new device, network or country means for this person.
    pub device: f64,
    pub network: f64,
    pub country: f64,
    /// 0 ..= 1: how rare it is just now that somebody turns up in a country that is new for them.
    pub country_rarity: f64,
}

/// How common newness is among everybody.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Common {
    logins: Fading,
    devices: Fading,
    networks: Fading,
    countries: Fading,
}

/// A new login that a second factor may still explain.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Pending {
    at: Timestamp,
    score: f64,
    n_failed: u16,
}

/// The detector with its state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LoginNovelty {
    config: NoveltyConfig,
    common: Common,
    networks: Frequency,
    pending: Keyed<Pending>,
}

impl LoginNovelty {
    #[must_use]
    pub fn new(config: &NoveltyConfig) -> Self {
        Self {
            config: config.clone(),
            common: Common::default(),
            networks: Frequency::default(),
            pending: Keyed::new(config.pending_max),
        }
    }

    /// Live keys.
    #[must_use]
    pub fn n_keys(&self) -> usize {
        self.pending.len()
    }

    /// Takes a login or a second factor; says what is new about a successful login.
    pub fn observe(&mut self, case: &Case<'_>, signals: &mut Vec<Signal>) -> Novelty {
        match (case.event.kind, case.event.outcome) {
            (EventKind::AuthLogin, Outcome::Success) => self.login(case, signals),
            (EventKind::AuthMfa, outcome) => {
                self.second_factor(case, outcome, signals);
                Novelty::default()
            }
            _ => Novelty::default(),
        }
    }

    /// What is new in an event of a person, whatever its kind: used for what is done in an account.
    #[must_use]
    pub fn compare(&self, case: &Case<'_>) -> Novelty {
        let (habit, time) = (&case.habit, case.event.time);
        let half_life = self.config.common_half_life_h * 3_600_000.0;
        let total = self.common.logins.at(time, half_life) + self.config.common_prior_weight;
        // Newness that is common just now says little.
        let rarity = |fading: &Fading, common: f64| {
            let share = (fading.at(time, half_life) + common * self.config.common_prior_weight) / total;
            (2.0 * common / share).min(1.0)
        };
        let (common, common_country) = (self.config.common_share, self.config.common_country_share);
        let country_rarity = rarity(&self.common.countries, common_country);
        let device = match habit.device {
            Known::Unsaid => 0.5 * newness(habit.agent, habit, habit.n_devices),
            known => newness(known, habit, habit.n_devices),
        };
        let mut network = newness(habit.network, habit, habit.n_networks);
        if habit.place.is_seen() {
            network = 0.0;
        }
        if case.keys.asn.is_none() {
            network *= self.config.unnumbered_factor;
        }
        let popular = case.keys.network.map_or(0.0, |key| f64::from(self.networks.count(key)));
        let popularity = popular / (self.networks.total() as f64 + self.config.common_prior_weight);
        network *= 1.0 - 0.4 * ramp(popularity, 0.01, 0.1);
        Novelty {
            score: 0.0,
            device: device * rarity(&self.common.devices, common),
            network: network * rarity(&self.common.networks, common),
            country: newness(habit.country, habit, habit.n_countries) * country_rarity,
            country_rarity,
        }
    }

    /// How unusual a login is, 0 ..= 1, whatever its outcome; for ranking.
    #[must_use]
    pub fn score(&self, case: &Case<'_>) -> f64 {
        if case.habit.n_logins == 0 { 0.0 } else { self.draft(case, &self.compare(case)).score() }
    }

    fn login(&mut self, case: &Case<'_>, signals: &mut Vec<Signal>) -> Novelty {
        let mut novelty = self.compare(case);
        self.learn(case);
        if case.habit.n_logins == 0 {
            return novelty;
        }
        let draft = self.draft(case, &novelty);
        novelty.score = draft.score();
        if novelty.score >= self.config.report_min {
            if let Some(person) = case.keys.person {
                *self.pending.touch(person, case.event.time) =
                    Pending { at: case.event.time, score: novelty.score, n_failed: 0 };
            }
            signals.push(draft.finish(case.event, case.context));
        }
        novelty
    }

    fn learn(&mut self, case: &Case<'_>) {
        let (habit, time) = (&case.habit, case.event.time);
        let half_life = self.config.common_half_life_h * 3_600_000.0;
        if let Some(network) = case.keys.network {
            if self.networks.total() >= FREQUENCY_TOTAL_MAX {
                self.networks.halve();
            }
            self.networks.add(network);
        }
        if habit.n_logins == 0 {
            return; // nothing to compare with: says nothing about how common newness is
        }
        self.common.logins.add(time, 1.0, half_life);
        let common = &mut self.common;
        let seen = [
            (habit.device.is_new() || habit.agent.is_new(), &mut common.devices),
            (habit.network.is_new(), &mut common.networks),
            (habit.country.is_new(), &mut common.countries),
        ];
        for (is_new, fading) in seen {
            if is_new {
                fading.add(time, 1.0, half_life);
            }
        }
    }

    fn draft(&self, case: &Case<'_>, novelty: &Novelty) -> Draft {
        let (config, habit, client) = (&self.config, &case.habit, &case.event.client);
        let who = case.event.login().map_or("", |login| login.as_str());
        let mut draft = Draft::new(NAME, who, format!("Unusual login of {who}"));
        draft
            .reason(
                config.country * novelty.country,
                "a country this person never logged in from",
                client.country.as_deref().unwrap_or("?"),
            )
            .expected(format!("one of {} known", habit.n_countries))
            .reason(
                config.device * novelty.device,
                "a device this person never used",
                client.device.as_deref().or(client.user_agent.as_deref()).unwrap_or("?"),
            )
            .expected(format!("one of {} known in {} logins", habit.n_devices, habit.n_logins))
            .reason(
                config.network * novelty.network,
                "a network this person never used",
                client.asn.map_or_else(|| client.ip.as_deref().unwrap_or("?").to_owned(), |asn| format!("AS{asn}")),
            )
            .expected(format!("one of {} known", habit.n_networks));
        if let Some((km, hours)) = self.impossible_travel(case) {
            let weight = match (habit.country, habit.device) {
                (Known::Old, _) => config.travel_between_known,
                (_, Known::Old | Known::Fresh) => config.travel_known_device,
                _ => config.travel,
            };
            draft.reason(
                weight * settled(habit) * novelty.country_rarity,
                "nobody travels so fast from the login before",
                format!("{km:.0} km in {hours:.1} h"),
            );
        }
        let is_strange = novelty.country > 0.3 || (novelty.device > 0.3 && novelty.network > 0.3);
        if is_strange && case.event.actor.staff.is_some() {
            draft.reason(config.staff, "a member of staff: more can be done with this account", who);
        }
        if is_strange && is_leaked(case.event) {
            draft.reason(config.leaked, "the password is known from a leak", "labels.leaked");
        }
        self.weigh_second_factor(case, &mut draft);
        draft
            .touch_actor(case.event, TouchRole::Subject, TouchRole::Involved)
            .touch(
                TouchRole::Context,
                EntityKind::Network,
                &client.asn.map_or_else(String::new, |asn| format!("AS{asn}")),
            )
            .techniques(&["T1078"])
            .advice(&[
                "Ask the person through a channel known before this login",
                "Require a second factor before anything in the account is changed",
            ])
            .evidence("country", client.country.as_deref().unwrap_or_default())
            .evidence("known_logins", habit.n_logins)
            .evidence("known_days", (habit.span_days * 10.0).round() / 10.0)
            .evidence("mfa", case.event.label("mfa").unwrap_or("unsaid"));
        draft
    }

    /// A second factor given with the login, or usual for this person, takes weight away.
    fn weigh_second_factor(&self, case: &Case<'_>, draft: &mut Draft) {
        match second_factor(case.event.label("mfa")) {
            Some(true) => draft.scale(self.config.mfa_factor),
            // Staff who usually give one and now have not are no less strange for it.
            None if case.habit.mfa_share >= 0.5 && case.event.actor.staff.is_none() => {
                draft.scale(self.config.mfa_usual_factor)
            }
            _ => draft,
        };
    }

    fn impossible_travel(&self, case: &Case<'_>) -> Option<(f64, f64)> {
        let ((before, at), now) = (case.habit.last?, case.keys.country?);
        if before == now {
            return None;
        }
        let km = geography::distance_km(before, now)?;
        // A quarter of an hour at least: clocks differ, and so do the paths of two events.
        let hours = ((case.event.time - at).abs() as f64 / 3_600_000.0).max(0.25);
        (km >= self.config.travel_km_min && km / hours > self.config.travel_km_per_h).then_some((km, hours))
    }

    fn second_factor(&mut self, case: &Case<'_>, outcome: Outcome, signals: &mut Vec<Signal>) {
        let Some(person) = case.keys.person else { return };
        let within_ms = self.config.pending_s * 1_000;
        let time = case.event.time;
        let Some(pending) = self.pending.get_mut(person).filter(|pending| (time - pending.at).abs() <= within_ms)
        else {
            return;
        };
        if outcome == Outcome::Success {
            self.pending.remove(person);
            return;
        }
        if !outcome.refused() {
            return;
        }
        pending.n_failed = pending.n_failed.saturating_add(1);
        let (score, n_failed) = (pending.score, pending.n_failed);
        // One typing error is nothing; told at the second, and when it goes on like a bombardment.
        if n_failed != 2 && n_failed != 8 {
            return;
        }
        let who = case.event.login().map_or("", |login| login.as_str());
        let mut draft = Draft::new(
            NAME,
            format!("{who}/mfa{n_failed}"),
            format!("{who}: second factor fails after an unusual login"),
        );
        draft
            .reason(score, "the login was unusual", format!("score {score:.2}"))
            .reason(
                if n_failed >= 8 { 0.30 } else { 0.12 },
                "the second factor is refused: the password is known to someone else",
                format!("{n_failed} times"),
            )
            .cap(0.75)
            .touch_actor(case.event, TouchRole::Subject, TouchRole::Involved)
            .techniques(&["T1078", "T1621"])
            .advice(&[
                "Reset the password of this person: who logs in knows it",
                "Ask the person whether they were asked for a second factor",
            ])
            .evidence("failed_factors", n_failed);
        signals.push(draft.finish(case.event, case.context));
    }
}

/// How settled a person is, 0 ..= 1: three logins are three quarters.
fn settled(habit: &Habit) -> f64 {
    let n = f64::from(habit.n_logins);
    n / (n + 1.0)
}

/// How much a new thing means for a person, 0 ..= 1: settled people, few things known in many logins.
fn newness(known: Known, habit: &Habit, n_known: usize) -> f64 {
    if !known.is_new() {
        return 0.0;
    }
    // The chance that the next login brings a new thing, by how often that happened before.
    let chance = (n_known as f64 - 1.0 + 0.3) / (f64::from(habit.n_logins) + 1.0);
    settled(habit) * (1.0 - 3.0 * chance).max(0.0)
}

/// What `labels.mfa` says: given, not given, or nothing.
#[must_use]
pub fn second_factor(label: Option<&str>) -> Option<bool> {
    match label? {
        "" => None,
        "false" | "no" | "none" | "0" | "off" | "failed" | "missing" => Some(false),
        _ => Some(true),
    }
}
