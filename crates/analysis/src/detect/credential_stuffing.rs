//! Credential stuffing: stolen pairs of login and password tried from many addresses, once or twice each.
//!
//! **Method.** Limits by address or by user see nothing of it, so the population is watched. Every login counts in up to
//! four groups: its TLS fingerprint, its user agent, its autonomous system, and everybody. A *guess* is a failed login by
//! someone the shop does not know from there (device, place or network of an earlier success); guesses soon followed by
//! the same person's success are slips and taken out. In windows of one and of ten minutes a group attacks when its
//! guesses exceed what its successes let expect (learned ratio of the group, drawn to the shop's own, never below a
//! floor) by a wide margin of an overdispersed Poisson law, and come from many users with few tries each and many
//! addresses. Expecting by *successes* is what keeps mail campaigns, releases and sales quiet: they bring both. When the
//! shop's successes as a whole vanish while known people fail or people retry, it is an outage: LOW at most.
//! The narrowest group speaks; a wider one only for what the narrower ones leave unexplained.
//!
//! A success within an attacking group by someone who never came that way is a **compromised login** when successes of
//! strangers are about as rare there as attacks succeed (Thomas et al., "Data breaches, phishing, or malware?", CCS 2017,
//! and public reports of 0.1 to 2 %), or when its address just failed for other users. Also looked for among the
//! successes of the ten minutes before the attack was recognised.
//!
//! **Sources.** OWASP Automated Threats OAT-008; ATT&CK T1110.004, T1078; Florêncio, Herley and van Oorschot, "An
//! administrator's guide to internet password research" (LISA 2014) for why online guessing shows in the population.
//!
//! **Memory.** Group: up to 12 KiB, typically 1; person or address that failed lately: 80 bytes. It must *not* know what
//! other detectors found.

use std::collections::VecDeque;

use riskgraph_domain::event::{Event, EventKind, Outcome};
use riskgraph_domain::signal::Signal;
use riskgraph_domain::{Text, Timestamp};
use serde::{Deserialize, Serialize};

use super::Case;
use super::config::StuffingConfig;
use super::keys::{Keys, device_key, mix};
use crate::keyed::{Key, Keyed};
use crate::window::Shape;

mod group;
mod memory;
mod report;
#[cfg(test)]
mod tests;

use group::{Attack, Counts, Group, Span};
use memory::{Episode, Excess, Past, Recent};

/// Name in signals and configuration.
pub const NAME: &str = "credential_stuffing";
/// Strangers' successes remembered in case an attack is recognised a little later. 250 bytes each.
const PAST_MAX: usize = 256;
/// Groups attacking at once that wider groups leave out.
const HOT_MAX: usize = 16;
/// Words in the reason of a failed login that say the shop failed, not the visitor.
const NOT_GUESSES: &[&str] =
    &["unavailable", "timeout", "internal", "maintenance", "backend", "error", "mfa", "captcha"];

/// A login that was most likely made with a stolen password.
#[derive(Debug, Clone, PartialEq)]
pub struct Compromise {
    pub person: Key,
    pub time: Timestamp,
    pub campaign: Option<Text>,
    /// What the login was made with: who acts with the same later is the thief.
    pub device: Option<Key>,
    pub address: Option<Key>,
}

/// Where a detector of logins puts what it finds.
#[derive(Debug)]
pub struct Found<'a> {
    pub signals: &'a mut Vec<Signal>,
    pub compromises: &'a mut Vec<Compromise>,
}

/// What makes a group, narrowest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::detect) enum Dimension {
    Ja4,
    Agent,
    Network,
    Everybody,
}

const DIMENSIONS: [Dimension; 4] = [Dimension::Ja4, Dimension::Agent, Dimension::Network, Dimension::Everybody];

impl Dimension {
    /// The key of the login's group; `None` when the event does not say.
    fn key(self, keys: &Keys) -> Option<Key> {
        let (salt, key) = match self {
            Self::Ja4 => (1, keys.ja4?),
            Self::Agent => (2, keys.agent?),
            Self::Network => (3, keys.asn.map(u64::from)?),
            Self::Everybody => (4, 0),
        };
        Some(mix(key ^ (salt << 60)))
    }
}

/// The detector with its state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CredentialStuffing {
    config: StuffingConfig,
    groups: Keyed<Group>,
    people: Keyed<Recent>,
    addresses: Keyed<Recent>,
    past: VecDeque<Past>,
    episode: Option<Episode>,
    hot: Vec<Key>,
}

impl CredentialStuffing {
    #[must_use]
    pub fn new(config: &StuffingConfig) -> Self {
        Self {
            config: config.clone(),
            groups: Keyed::new(config.groups_max),
            people: Keyed::new(config.people_max),
            addresses: Keyed::new(config.addresses_max),
            past: VecDeque::new(),
            episode: None,
            hot: Vec::new(),
        }
    }

    /// Live keys.
    #[must_use]
    pub fn n_keys(&self) -> usize {
        self.groups.len() + self.people.len() + self.addresses.len()
    }

    /// The campaign that is going on at this instant, for detectors whose findings may be part of it.
    #[must_use]
    pub fn campaign(&self, time: Timestamp) -> Option<&Text> {
        let gap_ms = self.config.gap_s * 1_000;
        self.episode
            .as_ref()
            .filter(|episode| time - episode.last <= gap_ms && episode.started - time <= gap_ms)
            .map(|episode| &episode.campaign)
    }

    /// Takes a login; appends signals and the logins held to be compromised.
    pub fn observe(&mut self, case: &Case<'_>, found: &mut Found<'_>) {
        if case.event.kind != EventKind::AuthLogin {
            return;
        }
        match case.event.outcome {
            Outcome::Success => self.success(case, found),
            _ if is_guess(case.event) && case.habit.is_familiar() => self.familiar_failure(case),
            _ if is_guess(case.event) => self.guess(case, found),
            _ => {}
        }
    }

    fn shape(&self) -> Shape {
        Shape { step_ms: self.config.step_s * 1_000, n_max: self.config.buckets_max }
    }

    fn half_life_ms(&self) -> f64 {
        self.config.normal_half_life_h * 3_600_000.0
    }

    fn familiar_failure(&mut self, case: &Case<'_>) {
        let (shape, time) = (self.shape(), case.event.time);
        for key in group_keys(&case.keys).into_iter().flatten() {
            self.groups.touch(key, time).count(shape, time, |counts| counts.familiar += 1);
        }
    }

    fn guess(&mut self, case: &Case<'_>, found: &mut Found<'_>) {
        let (shape, time, half_life) = (self.shape(), case.event.time, self.half_life_ms());
        let gap_ms = self.config.gap_s * 1_000;
        let one = self.first_flags(case);
        let groups = group_keys(&case.keys);
        let claimed = DIMENSIONS.iter().zip(groups).any(|(dimension, key)| {
            *dimension != Dimension::Everybody
                && key.and_then(|key| self.groups.get(key)).is_some_and(|group| group.is_hot(time, gap_ms))
        });
        for key in groups.into_iter().flatten() {
            let group = self.groups.touch(key, time);
            group.count(shape, time, |counts| *counts = counts.plus(&one));
            if !claimed && !group.is_hot(time, gap_ms) {
                group.learn(time, half_life, 0.0, 1.0);
            }
            if let (Some(ip), Some(login)) = (&case.event.client.ip, case.event.login()) {
                group.sample(ip.clone(), login.clone());
            }
        }
        for (dimension, key) in DIMENSIONS.into_iter().zip(groups) {
            let Some(key) = key else { continue };
            if let Some(excess) = self.excess(dimension, key, time) {
                self.attack(case, &excess, found);
                return;
            }
        }
    }

    /// What this guess adds to its groups' counts.
    fn first_flags(&mut self, case: &Case<'_>) -> Counts {
        let time = case.event.time;
        let (fast, slow) = (self.config.fast_s * 1_000, self.config.slow_s * 1_000);
        let mut one = Counts { guesses: 1, ..Counts::default() };
        one.unknown_users = u32::from(case.event.reason.as_deref() == Some("unknown_user"));
        if let Some(person) = case.keys.person {
            let recent = self.people.touch(person, time);
            let age = if recent.n == 0 { i64::MAX } else { (time - recent.last).abs() };
            (one.users_fast, one.users_slow) = (u32::from(age > fast), u32::from(age > slow));
            recent.refresh(time, slow);
            recent.n = recent.n.saturating_add(1);
            recent.last = recent.last.max(time);
        }
        if let Some(address) = case.keys.address {
            let recent = self.addresses.touch(address, time);
            let age = if recent.n == 0 { i64::MAX } else { (time - recent.last).abs() };
            (one.addresses_fast, one.addresses_slow) = (u32::from(age > fast), u32::from(age > slow));
            recent.refresh(time, slow);
            let person = case.keys.person.unwrap_or_default();
            if recent.n == 0 {
                recent.first = person;
            } else if recent.first != person {
                recent.n_others = recent.n_others.saturating_add(1);
            }
            recent.n = recent.n.saturating_add(1);
            recent.last = recent.last.max(time);
        }
        one
    }

    /// The attack that the group's windows show, if any.
    fn excess(&self, dimension: Dimension, key: Key, time: Timestamp) -> Option<Excess> {
        let config = &self.config;
        let (shape, half_life) = (self.shape(), self.half_life_ms());
        let group = self.groups.get(key)?;
        let everybody = Dimension::Everybody.key(&Keys::default());
        let shop = everybody.and_then(|key| self.groups.get(key)).map_or(config.normal_prior, |shop| {
            shop.normal(time, half_life, config.normal_prior, config.normal_prior_weight)
        });
        let normal = group
            .normal(time, half_life, shop, config.normal_prior_weight)
            .clamp(config.normal_floor, config.normal_ceiling);
        [Span::Fast, Span::Slow].into_iter().find_map(|span| {
            let mut counts = group.window(shape, time, span.ms(config));
            for hot in self.hot.iter().filter(|hot| **hot != key).filter_map(|hot| self.groups.get(*hot)) {
                counts = counts.less(&hot.window(shape, time, span.ms(config)));
            }
            let guesses = counts.open_guesses();
            let expected = f64::from(counts.successes) * normal;
            let excess = guesses - expected;
            let deviation = (config.overdispersion * expected + 4.0).sqrt();
            let (users, addresses) = (f64::from(span.users(&counts)), f64::from(span.addresses(&counts)));
            let is_attack = excess >= span.excess_min(config)
                && excess / deviation >= config.deviations_min
                && users >= config.users_min
                && addresses >= config.addresses_min.max(users * config.addresses_per_user_min)
                && guesses / users.max(1.0) <= config.tries_per_user_max;
            is_attack.then_some(Excess { dimension, key, span, counts, expected, excess, normal })
        })
    }

    /// Whether logins fail for the shop as a whole just now, so that failures say nothing about those who fail.
    #[must_use]
    pub fn is_outage_at(&self, time: Timestamp) -> bool {
        self.is_outage(time, Span::Fast, 0.0)
    }

    /// Whether the shop as a whole fails: known people fail unusually often, or successes vanish while people retry.
    fn is_outage(&self, time: Timestamp, span: Span, excess: f64) -> bool {
        let config = &self.config;
        let Some(shop) = Dimension::Everybody.key(&Keys::default()).and_then(|key| self.groups.get(key)) else {
            return false;
        };
        let shape = self.shape();
        let counts = shop.window(shape, time, span.ms(config));
        let familiar_excess = f64::from(counts.familiar) - f64::from(counts.successes) * config.normal_floor;
        if familiar_excess >= config.outage_familiar_min.max(excess * config.outage_familiar_share) {
            return true;
        }
        let collapse_ms = config.outage_span_s * 1_000;
        let expected = shop.successes_expected(time, config.rate_half_life_s as f64 * 1e3, collapse_ms);
        let successes = f64::from(shop.window(shape, time, collapse_ms).successes);
        let failures = f64::from(counts.guesses + counts.familiar).max(1.0);
        let tries = f64::from(counts.guesses) / f64::from(span.users(&counts)).max(1.0);
        let has_collapsed =
            expected >= config.outage_successes_min && successes < expected * config.outage_successes_share;
        has_collapsed
            && (f64::from(counts.familiar) / failures >= config.outage_familiar_share
                || tries >= config.outage_tries_min)
    }

    fn attack(&mut self, case: &Case<'_>, excess: &Excess, found: &mut Found<'_>) {
        let time = case.event.time;
        let gap_ms = self.config.gap_s * 1_000;
        let outage = self.is_outage(time, excess.span, excess.excess);
        let (dimension, key) = (excess.dimension, excess.key);
        let name = report::group_name(dimension, case.event);
        let campaign = match self.campaign(time) {
            Some(campaign) => campaign.clone(),
            None => Text::from(format!("stuffing:{name}")),
        };
        let Some(group) = self.groups.get_mut(key) else { return };
        let is_new = !group.is_hot(time, gap_ms);
        let mut attack = group.attack.take().filter(|_| !is_new).unwrap_or_else(|| Attack {
            started: time - excess.span.ms(&self.config),
            last: time,
            ..Attack::default()
        });
        attack.n_guesses = if is_new { excess.counts.guesses } else { attack.n_guesses.saturating_add(1) };
        attack.last = attack.last.max(time);
        let draft = report::attack(&report::Told {
            case,
            name: &name,
            excess,
            samples: &group.samples,
            outage,
            n_guesses: attack.n_guesses,
            campaign: &campaign,
        });
        // A report again when the severity rises or the attack has grown by a multiple.
        let rises =
            riskgraph_domain::Severity::of_score(draft.score()) > riskgraph_domain::Severity::of_score(attack.reported);
        if attack.n_next == 0 || attack.n_guesses >= attack.n_next || rises {
            attack.n_next = (f64::from(attack.n_guesses) * self.config.report_growth) as u32;
            attack.reported = draft.score().max(attack.reported);
            found.signals.push(draft.finish(case.event, case.context));
        }
        group.attack = Some(attack);
        if outage {
            return;
        }
        self.note_episode(campaign, time);
        if is_new {
            self.note_hot(key, time);
            self.look_back(case, found);
        }
    }

    fn note_episode(&mut self, campaign: Text, time: Timestamp) {
        match &mut self.episode {
            Some(episode) if episode.campaign == campaign => episode.last = episode.last.max(time),
            other => *other = Some(Episode { campaign, started: time, last: time }),
        }
    }

    fn note_hot(&mut self, key: Key, time: Timestamp) {
        let gap_ms = self.config.gap_s * 1_000;
        let groups = &self.groups;
        self.hot.retain(|hot| *hot != key && groups.get(*hot).is_some_and(|group| group.is_hot(time, gap_ms)));
        if self.hot.len() >= HOT_MAX {
            self.hot.remove(0);
        }
        self.hot.push(key);
    }

    fn success(&mut self, case: &Case<'_>, found: &mut Found<'_>) {
        let (shape, time, half_life) = (self.shape(), case.event.time, self.half_life_ms());
        let rate_half_life = self.config.rate_half_life_s as f64 * 1e3;
        let strange = u32::from(!case.habit.is_familiar());
        let resolved = case.keys.person.and_then(|person| self.people.remove(person));
        let resolved = resolved.filter(|recent| (time - recent.last).abs() <= self.config.slow_s * 1_000);
        for key in group_keys(&case.keys).into_iter().flatten() {
            let group = self.groups.touch(key, time);
            group.count(shape, time, |counts| {
                counts.successes += 1;
                counts.strange_successes += strange;
            });
            if let Some(recent) = resolved {
                group.count(shape, recent.last, |counts| counts.resolved += u32::from(recent.n));
            }
            group.learn(time, half_life, 1.0, resolved.map_or(0.0, |recent| -f64::from(recent.n)));
            group.rate(time, rate_half_life);
        }
        if let Some(address) = case.keys.address.and_then(|address| self.addresses.get_mut(address)) {
            address.n_successes = address.n_successes.saturating_add(1);
        }
        if strange == 0 {
            return;
        }
        let Some(past) = Past::of(case.event, &case.keys) else { return };
        match self.suspicion(&past, time) {
            Some(suspicion) => self.compromised(case, &past, &suspicion, found),
            None => {
                if self.past.len() >= PAST_MAX {
                    self.past.pop_front();
                }
                self.past.push_back(past);
            }
        }
    }

    /// Judges again the strangers' successes from before the attack was recognised.
    fn look_back(&mut self, case: &Case<'_>, found: &mut Found<'_>) {
        let slow_ms = self.config.slow_s * 1_000;
        for past in std::mem::take(&mut self.past) {
            let is_near = (case.event.time - past.time).abs() <= slow_ms;
            match is_near.then(|| self.suspicion(&past, case.event.time)).flatten() {
                Some(suspicion) => self.compromised(case, &past, &suspicion, found),
                None => self.past.push_back(past),
            }
        }
    }

    /// How likely the success is the attacker's, when there is an attack around it.
    fn suspicion(&self, past: &Past, time: Timestamp) -> Option<report::Suspicion> {
        let campaign = self.campaign(time)?.clone();
        let slow_ms = self.config.slow_s * 1_000;
        let group = DIMENSIONS.iter().zip(past.groups).filter_map(|(dimension, key)| {
            let group = key.and_then(|key| self.groups.get(key)).filter(|group| group.is_hot(time, slow_ms))?;
            let counts = group.window(self.shape(), time, slow_ms);
            let open = counts.open_guesses();
            let theirs = open * self.config.success_rate + 0.5 * (open / self.config.fast_excess_min).min(1.0);
            Some((*dimension, (theirs / f64::from(counts.strange_successes).max(1.0)).min(1.0)))
        });
        let group = group.max_by(|a, b| a.1.total_cmp(&b.1));
        let address = past
            .address
            .and_then(|address| self.addresses.get(address))
            .filter(|recent| (time - recent.last).abs() <= slow_ms && recent.n_successes <= recent.n.saturating_mul(2));
        let others = address
            .map_or(0, |recent| if recent.first == past.person { recent.n_others } else { recent.n - recent.n_others });
        let likelihood = group.map_or(0.0, |(_, likelihood)| likelihood);
        let is_suspect = likelihood >= self.config.likelihood_min || others > 0 || (past.is_leaked && group.is_some());
        is_suspect.then_some(report::Suspicion { campaign, group, others, is_leaked: past.is_leaked })
    }

    fn compromised(&self, case: &Case<'_>, past: &Past, suspicion: &report::Suspicion, found: &mut Found<'_>) {
        let draft = report::compromised(past, suspicion);
        found.compromises.push(Compromise {
            person: past.person,
            time: past.time,
            campaign: Some(suspicion.campaign.clone()),
            device: past.device.as_deref().map(device_key),
            address: past.address,
        });
        let mut signal = draft.finish(case.event, case.context);
        signal.occurred_at = past.time;
        found.signals.push(signal);
    }
}

fn group_keys(keys: &Keys) -> [Option<Key>; 4] {
    DIMENSIONS.map(|dimension| dimension.key(keys))
}

/// Whether a failed login says that the visitor had the wrong secret, and not that the shop was ill.
#[must_use]
pub fn is_guess(event: &Event) -> bool {
    event.outcome.refused()
        && event.reason.as_deref().is_none_or(|reason| !NOT_GUESSES.iter().any(|word| reason.contains(word)))
}

/// Whether the sender says the password is known from a leak.
#[must_use]
pub fn is_leaked(event: &Event) -> bool {
    event.label("leaked").is_some_and(|value| !matches!(value, "" | "false" | "0" | "no" | "none"))
}
