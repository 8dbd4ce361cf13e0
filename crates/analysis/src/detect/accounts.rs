//! The detectors of logins, accounts and payments, and what they share: one set of keys and one memory of people.
//!
//! Events of other kinds never come here.

use riskgraph_domain::event::{Event, EventKind};
use riskgraph_domain::signal::Signal;
use serde::{Deserialize, Serialize};

use super::Context;
use super::card_testing::CardTesting;
use super::config::DetectConfig;
use super::credential_stuffing::{CredentialStuffing, Found};
use super::keys::Keys;
use super::login_novelty::LoginNovelty;
use super::password_guessing::{Around, PasswordGuessing};
use super::payment_habit::PaymentHabit;
use super::people::{Habit, People};
use super::takeover::Takeover;

/// An event with all that was worked out about it once.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    pub event: &'a Event,
    pub context: &'a Context,
    pub keys: Keys,
    /// The event against its person's history, before the event itself is learned.
    pub habit: Habit,
}

/// Detectors of logins, accounts and payments.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Accounts {
    people: People,
    stuffing: CredentialStuffing,
    guessing: PasswordGuessing,
    novelty: LoginNovelty,
    takeover: Takeover,
    card_testing: CardTesting,
    payment_habit: PaymentHabit,
}

impl Accounts {
    pub(super) fn new(config: &DetectConfig) -> Self {
        Self {
            people: People::new(&config.people),
            stuffing: CredentialStuffing::new(&config.credential_stuffing),
            guessing: PasswordGuessing::new(&config.password_guessing),
            novelty: LoginNovelty::new(&config.login_novelty),
            takeover: Takeover::new(&config.takeover),
            card_testing: CardTesting::new(&config.card_testing),
            payment_habit: PaymentHabit::new(&config.payment_habit),
        }
    }

    /// Shows the event to the detectors of its kind.
    pub(super) fn observe(&mut self, event: &Event, context: &Context, signals: &mut Vec<Signal>) {
        match event.kind {
            EventKind::AuthLogin | EventKind::AuthMfa => self.login(event, context, signals),
            EventKind::PaymentAttempt => self.payment(event, context, signals),
            _ => self.account(event, context, signals),
        }
    }

    /// How unusual a payment or login is by itself, 0 ..= 1, before it is shown to [`Self::observe`].
    pub(super) fn score(&self, event: &Event, context: &Context) -> f64 {
        match event.kind {
            EventKind::PaymentAttempt => self.payment_habit.score(event),
            EventKind::AuthLogin => self.novelty.score(&self.case(event, context)),
            _ => 0.0,
        }
    }

    /// Live keys, by detector.
    pub(super) fn entries(&self) -> Vec<(&'static str, usize)> {
        vec![
            ("people", self.people.len()),
            ("credential_stuffing", self.stuffing.n_keys()),
            ("password_guessing", self.guessing.n_keys()),
            ("login_novelty", self.novelty.n_keys()),
            ("takeover", self.takeover.n_keys()),
            ("card_testing", self.card_testing.n_keys()),
            ("payment_habit", self.payment_habit.n_keys()),
        ]
    }

    fn login(&mut self, event: &Event, context: &Context, signals: &mut Vec<Signal>) {
        let case = self.case(event, context);
        let mut compromises = Vec::new();
        self.stuffing.observe(&case, &mut Found { signals, compromises: &mut compromises });
        let around = Around {
            is_outage: event.outcome.refused() && self.stuffing.is_outage_at(event.time),
            campaign: self.stuffing.campaign(event.time),
        };
        self.guessing.observe(&case, around, &mut Found { signals, compromises: &mut compromises });
        let novelty = self.novelty.observe(&case, signals);
        self.takeover.observe(&case, novelty, signals);
        for compromise in &compromises {
            self.takeover.compromised(compromise, &case, signals);
        }
        // A stranger's success is not learned: it must not make the stranger known.
        if !compromises.iter().any(|compromise| Some(compromise.person) == case.keys.person) {
            self.people.learn(event, &case.keys);
        }
    }

    fn account(&mut self, event: &Event, context: &Context, signals: &mut Vec<Signal>) {
        let case = self.case(event, context);
        let changes_password = event.change.as_ref().is_some_and(|change| change.field.as_deref() == Some("password"));
        if let Some(person) = case.keys.person.filter(|_| changes_password && case.habit.is_long_familiar()) {
            self.guessing.forgive(person);
        }
        let novelty = self.novelty.compare(&case);
        self.takeover.observe(&case, novelty, signals);
    }

    fn payment(&mut self, event: &Event, context: &Context, signals: &mut Vec<Signal>) {
        let case = self.case(event, context);
        self.card_testing.observe(&case, signals);
        self.payment_habit.observe(&case, signals);
    }

    fn case<'a>(&self, event: &'a Event, context: &'a Context) -> Case<'a> {
        let keys = Keys::of(event);
        Case { event, context, keys, habit: self.people.compare(&keys, event.time) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{
        Arrival, Dice, MINUTE, START, arrive, changed, failed, history, login, normal, payment, person,
    };
    use super::*;
    use riskgraph_domain::Timestamp;

    /// Normal logins and payments with an attack among them.
    fn mixed(seed: u64) -> Vec<Event> {
        let mut dice = Dice::new(seed);
        let mut events = history(0..300, 3);
        events.extend(normal(&mut dice, 300, START, START + 10 * MINUTE, 2.0, 0.05));
        for n in 0..300 {
            let mut who = person(50_000 + n);
            who.ja4 = "t13d_tool".into();
            events.push(failed(&who, START + 2 * MINUTE + n as i64 * 500, "bad_password"));
            let customer = person(dice.below(300));
            let time = START + dice.below(10 * MINUTE as u64) as i64;
            events.push(payment(&customer, time, &format!("card-{n}"), "411111", 1_000 + n as i64 * 300));
            events.push(if n % 9 == 0 { changed(&customer, time, "email") } else { login(&customer, time) });
        }
        arrive(events, Arrival::Shuffled, seed)
    }

    fn run(accounts: &mut Accounts, events: &[Event], signals: &mut Vec<Signal>) {
        for event in events {
            let context = Context { position: Default::default(), accepted_at: Timestamp(7), now: Timestamp(9) };
            let score = accounts.score(event, &context);
            assert!((0.0..=1.0).contains(&score));
            accounts.observe(event, &context, signals);
        }
    }

    #[test]
    fn a_checkpoint_anywhere_changes_nothing() {
        for seed in 0..4 {
            let config = DetectConfig::shipped().expect("parses");
            let events = mixed(seed);
            let (mut whole, mut undisturbed) = (Accounts::new(&config), Vec::new());
            run(&mut whole, &events, &mut undisturbed);
            assert!(!undisturbed.is_empty());
            let cut = events.len() * (seed as usize + 1) / 5;
            let (mut first, mut signals) = (Accounts::new(&config), Vec::new());
            run(&mut first, &events[..cut], &mut signals);
            let bytes = postcard::to_stdvec(&first).expect("writes");
            let mut second: Accounts = postcard::from_bytes(&bytes).expect("reads");
            run(&mut second, &events[cut..], &mut signals);
            assert_eq!(signals, undisturbed, "seed {seed}");
            assert_eq!(postcard::to_stdvec(&second).expect("writes"), postcard::to_stdvec(&whole).expect("writes"));
        }
    }
}
