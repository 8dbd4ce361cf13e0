//! Account takeover: somebody changes an account and then takes value out of it.
//!
//! **Method.** Of each person a few recent facts are kept: changes of the account (e-mail, phone, password, address,
//! payout, second factor), value leaving it (gift card bought, payout changed, order, refund to a gift card or bank), how
//! unusual the session's device, network and country were, and logins held to be compromised by other detectors. Whenever
//! a fact arrives, in whatever order, value is judged together with the changes of the day before it and the strangeness
//! of the session. From the known device it is INFO or LOW (people move house); from a new device and network HIGH; after
//! a compromised login CRITICAL. After a compromised login a change of contact data alone is told too.
//!
//! **Sources.** ATT&CK T1078, T1098, T1657; OWASP Automated Threats OAT-012 (cashing out); "account takeover kill chain"
//! as described by Thomas et al. (CCS 2017), section 6.
//!
//! **Memory.** Person with such facts: 250 bytes and 110 for each fact (at most 24). It must *not* know how a login was
//! found to be compromised.

use riskgraph_domain::event::{Event, EventKind, Outcome};
use riskgraph_domain::signal::Signal;
use riskgraph_domain::{Severity, Text, Timestamp};
use serde::{Deserialize, Serialize};

use super::accounts::Case;
use super::config::TakeoverConfig;
use super::credential_stuffing::Compromise;
use super::login_novelty::{Novelty, second_factor};
use super::people::Known;
use crate::keyed::{Key, Keyed};

mod report;
#[cfg(test)]
mod tests;

/// Name in signals and configuration.
pub const NAME: &str = "takeover";
/// Facts kept of one person; the oldest gives way.
const FACTS_MAX: usize = 24;
/// Clocks of two systems of a shop differ: a change this much later than the value still counts as before it.
const SLACK_MS: i64 = 60_000;

/// What happened in an account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::detect) enum What {
    /// A login, with nothing but its strangeness.
    Login,
    Compromised(Option<Text>),
    SecondFactor,
    Change(Field),
    Value(Value),
}

/// A changed part of an account that matters to a thief.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(in crate::detect) enum Field {
    Email,
    Phone,
    Password,
    Address,
    Payout,
    Mfa,
}

impl Field {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "email" => Self::Email,
            "phone" => Self::Phone,
            "password" => Self::Password,
            "address" => Self::Address,
            "payout" => Self::Payout,
            "mfa" => Self::Mfa,
            _ => return None,
        })
    }
}

/// A way in which value leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::detect) enum Value {
    GiftCard,
    Payout,
    Order,
    Refund,
}

/// One fact about one person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Fact {
    time: Timestamp,
    what: What,
    strange: Novelty,
    /// From a device or place the person has used for more than a day: most likely the owner.
    is_owner: bool,
    /// Half of the keys of its device and address: enough to say whether two facts come from one hand.
    device: Option<u32>,
    address: Option<u32>,
    /// The event's id, for the evidence.
    id: Text,
    amount_minor: i64,
}

/// What is known of one person's last days.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Account {
    login: Text,
    is_staff: bool,
    ip: Option<Text>,
    device: Option<Text>,
    /// Sorted by time.
    facts: Vec<Fact>,
    told: f64,
    told_at: Timestamp,
    n_told: u32,
}

/// The story of one account as far as the facts tell it.
struct Story<'a> {
    target: &'a Fact,
    changes: Vec<Field>,
    strange: Novelty,
    n_values: u32,
    is_confirmed: bool,
    compromise: Option<&'a Fact>,
    /// The target comes from the device or address of a compromised login.
    is_same_hand: bool,
}

/// The detector with its state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Takeover {
    config: TakeoverConfig,
    accounts: Keyed<Account>,
}

impl Takeover {
    #[must_use]
    pub fn new(config: &TakeoverConfig) -> Self {
        Self { config: config.clone(), accounts: Keyed::new(config.accounts_max) }
    }

    /// Live keys.
    #[must_use]
    pub fn n_keys(&self) -> usize {
        self.accounts.len()
    }

    /// Takes an event of an account; `novelty` says how unusual its client is for the person.
    pub fn observe(&mut self, case: &Case<'_>, novelty: Novelty, signals: &mut Vec<Signal>) {
        let Some(person) = case.keys.person else { return };
        let Some(what) = what(case.event) else { return };
        let is_strange = novelty.device + novelty.network + novelty.country > self.config.strange_min;
        let is_login = matches!(what, What::Login | What::SecondFactor);
        if is_login && !is_strange && self.accounts.get(person).is_none() {
            return; // an ordinary login says nothing that must be remembered
        }
        let mut strange = novelty;
        if case.habit.place == Known::Old || case.habit.network == Known::Old {
            strange.device *= self.config.home_factor;
        }
        let fact = Fact {
            time: case.event.time,
            what,
            strange,
            is_owner: case.habit.is_long_familiar(),
            device: case.keys.device.map(|key| key as u32),
            address: case.keys.address.map(|key| key as u32),
            id: case.event.id.clone(),
            amount_minor: case.event.money.as_ref().and_then(|money| money.amount_minor).unwrap_or_default(),
        };
        let account = self.accounts.touch(person, case.event.time);
        account.meet(case.event);
        if matches!(fact.what, What::Login) && second_factor(case.event.label("mfa")) == Some(true) {
            let confirmed = Fact { what: What::SecondFactor, ..fact.clone() };
            account.remember(confirmed, self.config.memory_s * 1_000);
        }
        if !is_login || is_strange || fact.what == What::SecondFactor {
            account.remember(fact, self.config.memory_s * 1_000);
        }
        self.judge(person, case, signals);
    }

    /// Learns that a login was compromised; facts that came before are judged again.
    pub fn compromised(&mut self, compromise: &Compromise, case: &Case<'_>, signals: &mut Vec<Signal>) {
        let account = self.accounts.touch(compromise.person, compromise.time);
        if case.keys.person == Some(compromise.person) {
            account.meet(case.event);
        }
        let fact = Fact {
            time: compromise.time,
            what: What::Compromised(compromise.campaign.clone()),
            strange: Novelty::default(),
            is_owner: false,
            device: compromise.device.map(|key| key as u32),
            address: compromise.address.map(|key| key as u32),
            id: case.event.id.clone(),
            amount_minor: 0,
        };
        account.remember(fact, self.config.memory_s * 1_000);
        self.judge(compromise.person, case, signals);
    }

    /// Tells the worst story of the person's facts, when it is worse than what was told.
    fn judge(&mut self, person: Key, case: &Case<'_>, signals: &mut Vec<Signal>) {
        let config = &self.config;
        let Some(account) = self.accounts.get(person) else { return };
        let stories = account.facts.iter().filter_map(|target| account.story(target, config));
        // Most orders and gift cards are no story; only the rest is worth words.
        let stories = stories.filter(|story| story.is_worth_telling(config));
        let drafts = stories.map(|story| (story.target.time, story.n_values, report::story(account, &story, config)));
        let Some((time, n_values, draft)) = drafts.max_by(|a, b| a.2.score().total_cmp(&b.2.score())) else { return };
        let score = draft.score();
        let Some(account) = self.accounts.get_mut(person) else { return };
        if (time - account.told_at).abs() > config.memory_s * 1_000 {
            (account.told, account.n_told) = (0.0, 0);
        }
        let rises = Severity::of_score(score) > Severity::of_score(account.told) || account.n_told == 0;
        let grows = n_values >= account.n_told.saturating_mul(3) && n_values > 0;
        if score >= config.report_min && (rises || grows) {
            account.told = score.max(account.told);
            account.told_at = time;
            account.n_told = n_values.max(1);
            signals.push(draft.finish(case.event, case.context));
        }
    }
}

impl Account {
    fn meet(&mut self, event: &Event) {
        if let Some(login) = event.login() {
            self.login = login.clone();
            self.is_staff = event.actor.user.is_none();
        }
        self.ip = event.client.ip.clone().or_else(|| self.ip.take());
        self.device = event.client.device.clone().or_else(|| self.device.take());
    }

    fn remember(&mut self, fact: Fact, memory_ms: i64) {
        let place = self.facts.iter().rposition(|known| known.time <= fact.time).map_or(0, |place| place + 1);
        self.facts.insert(place, fact);
        let latest = self.facts.last().map_or(Timestamp(0), |fact| fact.time);
        self.facts.retain(|fact| latest - fact.time <= memory_ms);
        if self.facts.len() > FACTS_MAX {
            self.facts.remove(0);
        }
    }

    /// What led to this fact, when it is one that a story ends with.
    fn story<'a>(&'a self, target: &'a Fact, config: &TakeoverConfig) -> Option<Story<'a>> {
        if !matches!(target.what, What::Value(_) | What::Change(_)) {
            return None;
        }
        let mut story = Story {
            target,
            changes: Vec::new(),
            strange: target.strange,
            n_values: 0,
            is_confirmed: false,
            compromise: None,
            is_same_hand: false,
        };
        let recovered_at = self.recovered_before(target.time);
        for fact in &self.facts {
            let age = target.time - fact.time;
            if age < -SLACK_MS || age > config.window_s * 1_000 {
                let is_old_compromise = matches!(fact.what, What::Compromised(_)) && age > 0;
                if !is_old_compromise {
                    continue;
                }
            }
            match &fact.what {
                What::Change(field) if !story.changes.contains(field) => story.changes.push(*field),
                What::Value(_) => story.n_values += 1,
                What::SecondFactor => story.is_confirmed = true,
                What::Compromised(_) if recovered_at.is_none_or(|at| fact.time > at) => {
                    story.compromise = Some(fact);
                    story.is_same_hand |= fact.is_same_hand(target);
                }
                _ => {}
            }
            story.strange.device = story.strange.device.max(fact.strange.device);
            story.strange.network = story.strange.network.max(fact.strange.network);
            story.strange.country = story.strange.country.max(fact.strange.country);
        }
        story.changes.sort_unstable();
        Some(story)
    }

    /// When the owner last set a new password: what was stolen before is worth nothing after.
    fn recovered_before(&self, time: Timestamp) -> Option<Timestamp> {
        let by_owner = |fact: &&Fact| fact.is_owner && fact.what == What::Change(Field::Password);
        self.facts.iter().filter(by_owner).map(|fact| fact.time).filter(|at| *at <= time).max()
    }
}

impl Fact {
    fn is_same_hand(&self, other: &Self) -> bool {
        let same = |a: Option<u32>, b: Option<u32>| a.is_some() && a == b;
        same(self.device, other.device) || same(self.address, other.address)
    }
}

impl Story<'_> {
    /// How much of a compromised login counts against this fact: what the owner does meanwhile is not the thief's doing.
    fn share_of_compromise(&self, config: &TakeoverConfig) -> f64 {
        let Some(compromise) = self.compromise else { return 0.0 };
        let is_plain_order = self.target.what == What::Value(Value::Order) && self.changes.is_empty();
        let is_soon = self.target.time - compromise.time <= config.window_s * 1_000;
        match () {
            () if self.is_same_hand => 1.0,
            () if self.target.is_owner || (is_plain_order && !is_soon) => config.owner_factor,
            // Somebody nobody knows: the thief from elsewhere or the owner.
            () if is_plain_order || !is_soon => config.unknown_factor,
            () => 1.0,
        }
    }

    fn is_worth_telling(&self, config: &TakeoverConfig) -> bool {
        let strange = self.strange.device + self.strange.network + self.strange.country;
        let is_value = matches!(self.target.what, What::Value(_));
        self.compromise.is_some() || (is_value && (!self.changes.is_empty() || strange > config.strange_min))
    }
}

/// What an event means for an account; `None` when it means nothing.
fn what(event: &Event) -> Option<What> {
    if event.outcome.refused() {
        return None;
    }
    Some(match event.kind {
        EventKind::AuthLogin if event.outcome == Outcome::Success => What::Login,
        EventKind::AuthMfa if event.outcome == Outcome::Success => What::SecondFactor,
        EventKind::AccountChange => match Field::parse(event.change.as_ref()?.field.as_deref()?)? {
            Field::Payout => What::Value(Value::Payout),
            field => What::Change(field),
        },
        EventKind::GiftcardPurchase => What::Value(Value::GiftCard),
        EventKind::OrderCreated => What::Value(Value::Order),
        EventKind::OrderRefund if matches!(event.label("destination"), Some("giftcard" | "bank")) => {
            What::Value(Value::Refund)
        }
        _ => return None,
    })
}
