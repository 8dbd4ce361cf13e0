//! A small deterministic shop for the tests of detectors: people with devices and networks, and a judge.

use riskgraph_domain::event::{Card, Change, Event, EventKind, Money, Object, Outcome};
use riskgraph_domain::journal::Position;
use riskgraph_domain::signal::{Severity, Signal};
use riskgraph_domain::{Text, Timestamp};

use super::accounts::Accounts;
use super::keys::mix;
use super::{Context, DetectConfig};

/// 2026-03-02T08:00:00Z, a Monday.
pub(super) const START: i64 = 1_772_438_400_000;
pub(super) const SECOND: i64 = 1_000;
pub(super) const MINUTE: i64 = 60 * SECOND;
pub(super) const HOUR: i64 = 60 * MINUTE;
pub(super) const DAY: i64 = 24 * HOUR;

/// Chance for tests: SplitMix64 from a seed.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(mix(seed))
    }
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(1);
        mix(self.0)
    }
    /// 0 .. n
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }
}

/// A customer's usual circumstances.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub(super) user: Text,
    pub(super) ip: Text,
    pub(super) device: Text,
    pub(super) ja4: Text,
    pub(super) agent: Text,
    pub(super) asn: u32,
    pub(super) country: Text,
}

const AGENTS: [(&str, &str); 4] = [
    ("t13d1516h2_8daaf6152771_b0da82dd1658", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/120.0 Safari/537.36"),
    ("t13d1715h2_5b57614c22b0_3d5424432f57", "Mozilla/5.0 (Windows NT 10.0; rv:121.0) Gecko/20100101 Firefox/121.0"),
    ("t13d2014h2_a09f3c656075_14788d8d241b", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) Safari/604.1"),
    ("t13d1412h2_shopapp_android", "ShopApp/7.2 (Android 14)"),
];

/// The customer with this number.
pub(super) fn person(number: u64) -> Person {
    let mut dice = Dice::new(number ^ 0xabcd);
    let (ja4, agent) = AGENTS[dice.below(4) as usize];
    Person {
        user: format!("user{number}").into(),
        ip: format!("{}.{}.{}.{}", 20 + dice.below(60), dice.below(256), dice.below(256), 1 + dice.below(254)).into(),
        device: format!("d-{number}").into(),
        ja4: ja4.into(),
        agent: agent.into(),
        asn: 64_500 + dice.below(12) as u32,
        country: "SE".into(),
    }
}

/// An event of this person from their usual device.
pub(super) fn event(kind: EventKind, who: &Person, time: i64) -> Event {
    let mut event = Event::new("", Timestamp(time), kind);
    event.actor.user = Some(who.user.clone());
    event.client.ip = Some(who.ip.clone());
    event.client.device = Some(who.device.clone());
    event.client.ja4 = Some(who.ja4.clone());
    event.client.user_agent = Some(who.agent.clone());
    event.client.asn = Some(who.asn);
    event.client.country = Some(who.country.clone());
    event.outcome = Outcome::Success;
    event
}

pub(super) fn login(who: &Person, time: i64) -> Event {
    event(EventKind::AuthLogin, who, time)
}

pub(super) fn failed(who: &Person, time: i64, reason: &str) -> Event {
    let mut event = login(who, time);
    event.outcome = Outcome::Failure;
    event.reason = Some(reason.into());
    event
}

pub(super) fn changed(who: &Person, time: i64, field: &str) -> Event {
    let mut event = event(EventKind::AccountChange, who, time);
    event.change = Some(Box::new(Change { field: Some(field.into()), old_hash: None, new_hash: Some("x".into()) }));
    event
}

pub(super) fn with_money(mut event: Event, amount_minor: i64) -> Event {
    event.money = Some(Money { amount_minor: Some(amount_minor), currency: Some("EUR".into()) });
    event
}

pub(super) fn with_object(mut event: Event, kind: &str, id: &str) -> Event {
    event.object = Some(Box::new(Object { kind: Some(kind.into()), id: Some(id.into()), owner: None }));
    event
}

pub(super) fn payment(who: &Person, time: i64, card: &str, bin: &str, amount_minor: i64) -> Event {
    let mut event = with_money(event(EventKind::PaymentAttempt, who, time), amount_minor);
    event.card = Some(Box::new(Card { fingerprint: Some(card.into()), bin: Some(bin.into()), last4: None }));
    event
}

pub(super) fn declined(mut event: Event, reason: &str) -> Event {
    event.outcome = Outcome::Failure;
    event.reason = Some(reason.into());
    event
}

/// Each of these people logs in on `n_days` earlier days, from their usual device.
pub(super) fn history(people: impl Iterator<Item = u64>, n_days: i64) -> Vec<Event> {
    let mut events = Vec::new();
    for number in people {
        let who = person(number);
        let mut dice = Dice::new(number ^ 0x77);
        for day in 1..=n_days {
            events.push(login(&who, START - day * DAY + dice.below(HOUR as u64 * 10) as i64));
        }
    }
    events
}

/// Normal logins: each second some of the people come; of 100 tries, some are a slip that is repeated rightly.
pub(super) fn normal(dice: &mut Dice, people: u64, from: i64, to: i64, per_second: f64, slips: f64) -> Vec<Event> {
    let mut events = Vec::new();
    let mut time = from;
    while time < to {
        let who = person(dice.below(people));
        let mut at = time;
        while dice.chance(slips) {
            events.push(failed(&who, at, "bad_password"));
            at += 5 * SECOND + dice.below(20_000) as i64;
        }
        events.push(login(&who, at));
        time += (-(1.0 - dice.unit()).ln() / per_second * 1e3) as i64 + 1;
    }
    events
}

/// How the events reach us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arrival {
    InOrder,
    /// Shuffled within a minute.
    Shuffled,
    /// Every twentieth comes up to half an hour late.
    SomeLate,
}

pub(super) const ARRIVALS: [Arrival; 3] = [Arrival::InOrder, Arrival::Shuffled, Arrival::SomeLate];

/// Sorts the events into their order of arrival and gives them ids.
pub(super) fn arrive(mut events: Vec<Event>, arrival: Arrival, seed: u64) -> Vec<Event> {
    let mut dice = Dice::new(seed ^ 0x5eed);
    for (n, event) in events.iter_mut().enumerate() {
        if event.id.is_empty() {
            event.id = format!("e{n}").into();
        }
    }
    let mut keyed: Vec<(i64, Event)> = events
        .into_iter()
        .map(|event| {
            let delay = match arrival {
                Arrival::InOrder => 0,
                Arrival::Shuffled => dice.below(60_000) as i64,
                Arrival::SomeLate if dice.chance(0.05) => dice.below(30 * MINUTE as u64) as i64,
                Arrival::SomeLate => 0,
            };
            (event.time.0 + delay, event)
        })
        .collect();
    keyed.sort_by_key(|(time, _)| *time);
    keyed.into_iter().map(|(_, event)| event).collect()
}

/// Runs the detectors of accounts over the events and checks what every signal must keep.
pub(super) fn judge(events: &[Event]) -> Vec<Signal> {
    let config = DetectConfig::shipped().expect("the shipped configuration parses");
    let mut detectors = Accounts::new(&config);
    let mut signals = Vec::new();
    for (n, event) in events.iter().enumerate() {
        let context = Context { position: Position(n as u64 + 1), accepted_at: event.time, now: event.time };
        detectors.observe(event, &context, &mut signals);
    }
    for signal in &signals {
        let sum: f64 = signal.reasons.iter().map(|reason| reason.weight).sum();
        assert!((sum - signal.score).abs() < 1e-9 && (0.0..=1.0).contains(&signal.score), "{signal:?}");
        assert_eq!(signal.severity, Severity::of_score(signal.score));
        assert!(!signal.reasons.is_empty() && !signal.entities.is_empty() && !signal.advice.is_empty(), "{signal:?}");
        for technique in &signal.techniques {
            assert!(riskgraph_domain::signal::technique(technique).is_some(), "{technique}");
        }
    }
    signals
}

/// The signals of one detector of at least this severity.
pub(super) fn of<'a>(signals: &'a [Signal], detector: &str, severity: Severity) -> Vec<&'a Signal> {
    signals.iter().filter(|signal| &*signal.detector == detector && signal.severity >= severity).collect()
}

/// Fails with all signals that would alert.
pub(super) fn assert_quiet(signals: &[Signal], what: &str) {
    let loud: Vec<_> = signals.iter().filter(|signal| signal.severity > Severity::Low).collect();
    assert!(loud.is_empty(), "{what}: {} loud signals, first {:#?}", loud.len(), loud.first());
}
