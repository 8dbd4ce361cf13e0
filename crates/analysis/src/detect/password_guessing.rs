//! Password spraying from few sources, and brute force against one account.
//!
//! **Method.** Only failures by strangers count (not from a device, place or network of an earlier success of that
//! person), so a customer who forgot the password and an app that repeats an old one are left out.
//! *Spraying*: an address (or its /24, /48) fails for many users with few tries each and few successes; a carrier's or an
//! office's address brings successes with its failures. *Brute force*: one account fails again and again, from one
//! address or many; a slow and regular repetition from one address is a robot of the owner and stays LOW. A success by a
//! stranger after either is a **compromised login**.
//! An episode ends after an hour without failures or after half a day, and is told again when it has tripled.
//!
//! **Sources.** ATT&CK T1110.001, T1110.003, T1078; OWASP Authentication Cheat Sheet; Herley and Schechter,
//! "Distinguishing attacks from legitimate authentication traffic at scale" (NDSS 2019) for counting by who is a stranger.
//!
//! **Memory.** Source or account with recent failures: 200 bytes, at most 900 (sketches of users or addresses). It must
//! *not* know about fingerprints: that is credential stuffing.

use riskgraph_domain::event::{EventKind, Outcome};
use riskgraph_domain::signal::{Signal, TouchRole};
use riskgraph_domain::{EntityKind, Severity, Text, Timestamp};
use serde::{Deserialize, Serialize};

use super::accounts::Case;
use super::config::GuessingConfig;
use super::credential_stuffing::{Compromise, Found, is_guess};
use super::draft::{Draft, log_ramp, ramp};
use super::keys::Keys;
use crate::keyed::{Key, Keyed};
use crate::sketch::Distinct;

#[cfg(test)]
mod tests;

/// Name in signals and configuration.
pub const NAME: &str = "password_guessing";
/// Users or addresses kept for the reader.
const SAMPLES_MAX: usize = 6;

/// What the rest of the judgement says about an event, for guesses.
#[derive(Debug, Clone, Copy)]
pub struct Around<'a> {
    /// The shop as a whole fails: nobody guesses.
    pub is_outage: bool,
    /// The story that goes on in the shop, which this may be part of.
    pub campaign: Option<&'a Text>,
}

/// One run of failures at a source or against an account.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Episode {
    started: Timestamp,
    last: Timestamp,
    n_failures: u32,
    n_successes: u32,
    /// Failures for logins that do not exist here.
    n_unknown_users: u32,
    /// Users of a source, addresses against an account.
    others: Distinct,
    samples: Vec<Text>,
    n_next: u32,
    reported: f64,
}

impl Episode {
    /// Starts anew after a pause, or when it is too old to be one run.
    fn refresh(&mut self, time: Timestamp, config: &GuessingConfig) {
        let is_over =
            (time - self.last).abs() > config.pause_s * 1_000 || time - self.started > config.episode_s * 1_000;
        if self.n_failures == 0 || is_over {
            *self = Self {
                started: time,
                last: time,
                n_successes: if is_over { 0 } else { self.n_successes },
                ..Self::default()
            };
        }
        self.started = self.started.min(time);
        self.last = self.last.max(time);
    }

    fn fail(&mut self, other: Option<Key>, name: Option<&Text>) {
        self.n_failures = self.n_failures.saturating_add(1);
        let is_new = other.is_some_and(|other| self.others.insert(other));
        if let Some(name) = name.filter(|_| is_new && self.samples.len() < SAMPLES_MAX) {
            self.samples.push(name.clone());
        }
    }

    /// Whether this score is worth telling: first, more severe, or three times as much.
    fn tell(&mut self, score: f64, growth: f64) -> bool {
        let rises = Severity::of_score(score) > Severity::of_score(self.reported);
        if self.n_next != 0 && self.n_failures < self.n_next && !rises {
            return false;
        }
        self.n_next = (f64::from(self.n_failures) * growth) as u32;
        self.reported = score.max(self.reported);
        true
    }

    fn minutes(&self) -> f64 {
        ((self.last - self.started) as f64 / 60_000.0).max(0.1)
    }
}

/// The detector with its state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PasswordGuessing {
    config: GuessingConfig,
    sources: Keyed<Episode>,
    accounts: Keyed<Episode>,
}

impl PasswordGuessing {
    #[must_use]
    pub fn new(config: &GuessingConfig) -> Self {
        Self {
            config: config.clone(),
            sources: Keyed::new(config.sources_max),
            accounts: Keyed::new(config.accounts_max),
        }
    }

    /// Live keys.
    #[must_use]
    pub fn n_keys(&self) -> usize {
        self.sources.len() + self.accounts.len()
    }

    /// Takes a login; appends signals and the logins held to be compromised.
    pub fn observe(&mut self, case: &Case<'_>, around: Around<'_>, found: &mut Found<'_>) {
        if case.event.kind != EventKind::AuthLogin {
            return;
        }
        if case.event.outcome == Outcome::Success {
            self.success(case, around, found);
        } else if is_guess(case.event) && !case.habit.is_familiar() {
            self.account(case, around, found.signals);
            self.source(case, around, found.signals);
        }
    }

    /// The owner proved to be the owner (a reset password): earlier failures were theirs.
    pub fn forgive(&mut self, person: Key) {
        self.accounts.remove(person);
    }

    fn account(&mut self, case: &Case<'_>, around: Around<'_>, signals: &mut Vec<Signal>) {
        let Some(person) = case.keys.person else { return };
        let episode = self.accounts.touch(person, case.event.time);
        episode.refresh(case.event.time, &self.config);
        episode.fail(case.keys.address, case.event.client.ip.as_ref());
        episode.n_unknown_users += u32::from(case.event.reason.as_deref() == Some("unknown_user"));
        if f64::from(episode.n_failures) < self.config.account_failures_min || around.is_outage {
            return;
        }
        let draft = brute_force(case, episode, &self.config);
        let score = draft.score();
        if score >= self.config.report_min && episode.tell(score, self.config.report_growth) {
            signals.push(draft.finish(case.event, case.context));
        }
    }

    fn source(&mut self, case: &Case<'_>, around: Around<'_>, signals: &mut Vec<Signal>) {
        for (key, is_place) in [(case.keys.address, false), (case.keys.place, true)] {
            let Some(key) = key else { continue };
            let episode = self.sources.touch(key, case.event.time);
            episode.refresh(case.event.time, &self.config);
            episode.fail(case.keys.person, case.event.login());
            episode.n_unknown_users += u32::from(case.event.reason.as_deref() == Some("unknown_user"));
            let users_min = match around.campaign {
                Some(_) => self.config.source_users_campaign,
                None => self.config.source_users_min,
            };
            let users_min = users_min * if is_place { self.config.place_factor } else { 1.0 };
            if around.is_outage || !is_spraying(episode, users_min, &self.config) {
                continue;
            }
            let draft = spraying(case, episode, is_place, around.campaign);
            let score = draft.score();
            if score >= self.config.report_min && episode.tell(score, self.config.report_growth) {
                signals.push(draft.finish(case.event, case.context));
            }
            return; // the address speaks for its place
        }
    }

    fn success(&mut self, case: &Case<'_>, around: Around<'_>, found: &mut Found<'_>) {
        let time = case.event.time;
        let pause_ms = self.config.pause_s * 1_000;
        let is_near = |episode: &Episode| (time - episode.last).abs() <= pause_ms;
        let mut sprayed = 0;
        for key in [case.keys.address, case.keys.place].into_iter().flatten() {
            let Some(episode) = self.sources.get_mut(key).filter(|episode| is_near(episode)) else { continue };
            if is_spraying(episode, self.config.source_users_min, &self.config) {
                sprayed = sprayed.max(episode.others.count());
            }
            episode.n_successes = episode.n_successes.saturating_add(1);
        }
        let Some(person) = case.keys.person else { return };
        // The owner's own success does not end what strangers do.
        if case.habit.is_familiar() || around.is_outage || found.compromises.iter().any(|known| known.person == person)
        {
            return;
        }
        let tried =
            self.accounts.remove(person).filter(|episode| is_near(episode)).map_or(0, |episode| episode.n_failures);
        let mut draft = guessed(case, tried, sprayed, &self.config);
        if draft.score() < self.config.report_min {
            return;
        }
        let campaign = around.campaign.cloned().or_else(|| {
            let ip = case.event.client.ip.as_deref().filter(|_| sprayed > 0)?;
            Some(Text::from(format!("guessing:{ip}")))
        });
        draft.campaign(campaign.clone());
        if draft.score() >= self.config.compromise_min {
            let Keys { device, address, .. } = case.keys;
            found.compromises.push(Compromise { person, time, campaign, device, address });
        }
        found.signals.push(draft.finish(case.event, case.context));
    }
}

fn is_spraying(episode: &Episode, users_min: f64, config: &GuessingConfig) -> bool {
    let (users, failures) = (episode.others.count() as f64, f64::from(episode.n_failures));
    users >= users_min
        && failures / (failures + f64::from(episode.n_successes)) >= config.source_failed_share
        && failures / users <= config.source_tries_max
}

fn spraying(case: &Case<'_>, episode: &Episode, is_place: bool, campaign: Option<&Text>) -> Draft {
    let users = episode.others.count() as f64;
    let ip = case.event.client.ip.as_deref().unwrap_or_default();
    let source = if is_place { format!("the network around {ip}") } else { ip.to_owned() };
    let tries = f64::from(episode.n_failures) / users.max(1.0);
    let mut draft =
        Draft::new(NAME, format!("source/{ip}"), format!("Password spraying: {users:.0} users from {source}"));
    draft
        .reason(
            0.32 + 0.30 * log_ramp(users, 8.0, 80.0),
            "one source fails for many users it never logged in",
            format!("{} failures, {users:.0} users, {} successes", episode.n_failures, episode.n_successes),
        )
        .reason(0.12 * ramp(6.0 - tries, 1.0, 4.0), "few tries for each user", format!("{tries:.1} each"))
        .reason(
            0.06 * ramp(f64::from(episode.n_unknown_users) / f64::from(episode.n_failures.max(1)), 0.1, 0.5),
            "many of the logins do not exist here",
            format!("{}", episode.n_unknown_users),
        )
        .touch(TouchRole::Subject, EntityKind::Address, ip);
    for user in &episode.samples {
        draft.touch(TouchRole::Context, EntityKind::User, user);
    }
    draft
        .techniques(&["T1110.003"])
        .advice(&[
            "Challenge or slow logins from this source; shared addresses of carriers are not meant",
            "Require a second factor for the users it logged in",
        ])
        .evidence("users", users)
        .evidence("failures", episode.n_failures)
        .evidence("successes", episode.n_successes)
        .evidence("minutes", episode.minutes().round())
        .evidence("sample_users", episode.samples.iter().map(Text::as_str).collect::<Vec<_>>())
        .campaign(Some(campaign.cloned().unwrap_or_else(|| Text::from(format!("guessing:{ip}")))));
    draft
}

fn brute_force(case: &Case<'_>, episode: &Episode, config: &GuessingConfig) -> Draft {
    let who = case.event.login().map_or("", Text::as_str);
    let (failures, addresses) = (f64::from(episode.n_failures), episode.others.count() as f64);
    let rate = failures / episode.minutes();
    let mut draft =
        Draft::new(NAME, format!("account/{who}"), format!("Brute force against {who}: {failures:.0} failed logins"));
    draft
        .reason(
            0.30 + 0.30 * log_ramp(failures, config.account_failures_min, 100.0),
            "failed logins by strangers, again and again",
            format!("{failures:.0} in {:.0} min", episode.minutes()),
        )
        .expected(format!("fewer than {:.0}", config.account_failures_min))
        .reason(0.06 * ramp(rate, 4.0, 30.0), "faster than people type", format!("{rate:.1} a minute"))
        .reason(0.18 * ramp(addresses, 2.0, 8.0), "from many addresses", format!("{addresses:.0} addresses"));
    // One address that repeats slowly: a forgotten app of the owner's, until it has gone on for very long.
    if addresses <= 2.0 && rate <= config.robot_per_min {
        draft.cap(config.robot_score_max);
    }
    // `admin` and `test` are tried everywhere, all the time: nobody loses an account that does not exist.
    let is_nobody = 2 * episode.n_unknown_users > episode.n_failures;
    if (is_nobody || case.habit.n_logins == 0) && failures < config.account_failures_min * config.nobody_factor {
        draft.cap(config.robot_score_max);
    }
    let kind = if case.event.actor.user.is_some() { EntityKind::User } else { EntityKind::Staff };
    draft.touch(TouchRole::Subject, kind, who);
    for address in &episode.samples {
        draft.touch(TouchRole::Involved, EntityKind::Address, address);
    }
    draft
        .techniques(&["T1110.001"])
        .advice(&[
            "Slow down logins of this account from unknown devices; do not lock the owner out",
            "Tell the owner and offer a second factor",
        ])
        .evidence("failures", episode.n_failures)
        .evidence("addresses", addresses)
        .evidence("minutes", episode.minutes().round())
        .campaign(Some(Text::from(format!("account:{who}"))));
    draft
}

fn guessed(case: &Case<'_>, tried: u32, sprayed: u64, config: &GuessingConfig) -> Draft {
    let who = case.event.login().map_or("", Text::as_str);
    let mut draft = Draft::new(NAME, format!("success/{who}"), format!("{who} logged in after guessing"));
    if f64::from(tried) >= config.success_failures_min {
        draft.reason(
            0.34 + 0.36 * log_ramp(f64::from(tried), config.success_failures_min, 50.0),
            "a stranger's success after many failures for this account",
            format!("{tried} failures before"),
        );
    }
    if sprayed > 0 {
        draft.reason(0.62, "a success from a source that fails for many users", format!("{sprayed} users"));
    }
    draft
        .cap(0.79)
        .touch_actor(case.event, TouchRole::Subject, TouchRole::Involved)
        .techniques(&["T1078", "T1110.001"])
        .advice(&["End this session, reset the password and tell the owner"])
        .evidence("failures_before", tried)
        .evidence("users_tried_by_source", sprayed);
    draft
}
