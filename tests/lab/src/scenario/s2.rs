//! S2: card testing on few BINs. Twin: a bank's outage that declines known customers.

use riskgraph_domain::event::{Actor, Client};
use riskgraph_domain::{EventKind, Outcome, Text, Timestamp};

use super::Stage;
use crate::cards::CardOnFile;
use crate::day::session_id;
use crate::dice::Dice;
use crate::emit::{labels, money, object};
use crate::names::MAIL_DOMAINS;
use crate::user::presence;
use crate::world::{Network, NetworkKind};

/// How this run's testers work.
struct Testers {
    cards: Vec<CardOnFile>,
    addresses: Vec<(Network, Text)>,
    fingerprint: Text,
    agent: Text,
    amount_minor: i64,
    product: u64,
    minutes: f64,
    declines: f64,
    /// Whether they check out as guests, with no user name.
    guests: bool,
}

impl Testers {
    fn draw(stage: &mut Stage<'_>) -> Self {
        let mut dice = stage.dice.clone();
        let n_bins = *dice.pick(&[1, 2, 2, 2, 3]);
        let bins: Vec<u16> = (0..n_bins).map(|_| stage.shop.banks.rare_bin(&mut dice)).collect();
        let n_cards = stage.count(1_900.0, 30);
        let first = dice.below(6_000);
        let cards = (0..n_cards).map(|at| {
            let mut card = stage.shop.banks.of_bin(bins[at % bins.len()], &mut dice);
            // Generated numbers run in sequence; only the check digit jumps.
            card.last4 = ((first + at as u64 * 3) % 10_000) as u16;
            card
        });
        let cards = cards.collect();
        let kind = if dice.chance(0.5) { NetworkKind::Hosting } else { NetworkKind::Home };
        let n_networks = dice.range(6, 30) as usize;
        let networks = stage.networks(kind, n_networks);
        let n_addresses = stage.count(60.0, 8);
        let addresses = (0..n_addresses).map(|at| {
            let network = networks[at % networks.len()].clone();
            let ip = network.v4(dice.below(60_000));
            (network, ip)
        });
        let addresses = addresses.collect();
        let agents = [
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
            "python-requests/2.31.0",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
        ];
        let testers = Self {
            cards,
            addresses,
            fingerprint: stage.tool(),
            agent: Text::from(*dice.pick(&agents)),
            amount_minor: dice.range(100, 500),
            product: 1_000 + dice.below(stage.shop.options.n_products),
            minutes: if dice.chance(0.3) { dice.uniform(30.0, 75.0) } else { dice.uniform(9.0, 20.0) },
            declines: dice.uniform(0.88, 0.97),
            guests: dice.chance(0.4),
        };
        stage.dice = dice;
        testers
    }

    fn client(&self, stage: &Stage<'_>, dice: &mut Dice) -> Client {
        let (network, ip) = dice.pick(&self.addresses);
        stage.client(network, ip.clone(), &self.agent, &self.fingerprint)
    }
}

pub(super) fn attack(stage: &mut Stage<'_>) {
    let testers = Testers::draw(stage);
    let mut dice = stage.dice.clone();
    for at in 0..dice.range(3, 6) {
        let client = testers.client(stage, &mut dice);
        let session = session_id(&mut dice);
        stage.out.add(stage.at + at * 900, EventKind::CartHold, |event| {
            event.source = Some(Text::from("cart"));
            event.outcome = Outcome::Success;
            event.actor = Actor { session: Some(session), ..Actor::default() };
            event.client = client;
            event.object = object("product", testers.product.to_string(), None);
            event.value = Some(1.0);
        });
    }
    let n_tries = (testers.cards.len() as f64 * dice.uniform(1.2, 1.5)) as usize;
    let length_ms = (testers.minutes * 60_000.0) as i64;
    let mut times: Vec<i64> = (0..n_tries).map(|_| dice.range(4_000, length_ms)).collect();
    times.sort_unstable();
    let mut order: Vec<usize> = (0..n_tries).map(|at| at % testers.cards.len()).collect();
    // Each card once first, then those worth a second try.
    dice.shuffle(&mut order[testers.cards.len().min(n_tries)..]);
    for (after_ms, card) in times.into_iter().zip(order) {
        // Testers learn: what pays comes towards the end.
        let late = after_ms as f64 / length_ms as f64;
        let paid = dice.chance((1.0 - testers.declines) * 2.0 * late);
        stage.step(if paid { 3 } else { 2 });
        attempt(stage, &mut dice, &testers, (stage.at + after_ms, &testers.cards[card], paid));
    }
}

fn attempt(
    stage: &mut Stage<'_>,
    dice: &mut Dice,
    testers: &Testers,
    (at, card, paid): (Timestamp, &CardOnFile, bool),
) {
    let letters: String = (0..dice.range(7, 9)).map(|_| (b'a' + dice.below(26) as u8) as char).collect();
    let mail = Text::from(format!("{letters}{:03}@{}", dice.below(1_000), dice.pick(MAIL_DOMAINS)));
    let client = testers.client(stage, dice);
    let reasons =
        ["incorrect_number", "invalid_cvc", "invalid_cvc", "incorrect_number", "do_not_honor", "expired_card"];
    let reason = (!paid).then(|| Text::from(*dice.pick(&reasons)));
    let (session, shown) = (session_id(dice), stage.shop.banks.event_card(card));
    let order = stage.shop.order_id(1_900_000 + dice.below(90_000));
    let currency = stage.shop.currency.clone();
    stage.out.add(at, EventKind::PaymentAttempt, |event| {
        event.source = Some(Text::from("payments"));
        event.outcome = if paid { Outcome::Success } else { Outcome::Failure };
        event.reason = reason;
        let user = (!testers.guests).then(|| mail.clone());
        event.actor = Actor { user, session: Some(session), ..Actor::default() };
        event.client = client;
        event.card = Some(Box::new(shown));
        event.money = money(testers.amount_minor, &currency);
        event.object = object("order", order, None);
        event.labels = labels([("email", mail)]);
    });
}

/// For an hour one large bank answers hardly anybody: its customers try again, on their own devices, for usual amounts.
pub(super) fn twin(stage: &mut Stage<'_>) {
    let mut dice = stage.dice.clone();
    let bins = stage.shop.banks.large_bank(&mut dice);
    let n_customers = stage.count(700.0, 40);
    let minutes = dice.uniform(35.0, 100.0);
    for _ in 0..n_customers {
        let mut at = stage.at + (dice.unit() * minutes * 60_000.0) as i64;
        let who = dice.index(stage.shop.users.len());
        let user = &stage.shop.users[who];
        let client = presence(&stage.shop.world, &stage.shop.devices, user, at, stage.day(), &mut dice).client;
        let bin = *dice.pick(&bins);
        // The card this customer has at the bank, the same at every try.
        let own = user.cards.iter().find(|card| bins.contains(&card.bin)).cloned();
        let card = own.unwrap_or_else(|| stage.shop.banks.of_bin(bin, &mut dice));
        let amount = dice.log_normal(user.budget_minor, 0.5).clamp(300.0, 300_000.0) as i64;
        let (session, order) = (session_id(&mut dice), stage.shop.order_id(1_500_000 + dice.below(90_000)));
        for _ in 0..dice.range(1, 3) {
            let down = dice.chance(0.9);
            let shown = stage.shop.banks.event_card(&card);
            let currency = stage.shop.currency.clone();
            stage.out.add(at, EventKind::PaymentAttempt, |event| {
                event.source = Some(Text::from("payments"));
                event.outcome = if down { Outcome::Failure } else { Outcome::Success };
                event.reason = down.then(|| Text::from("issuer_unavailable"));
                event.actor =
                    Actor { user: Some(user.name.clone()), session: Some(session.clone()), ..Actor::default() };
                event.client = client.clone();
                event.card = Some(Box::new(shown));
                event.money = money(amount, &currency);
                event.object = object("order", order.clone(), None);
            });
            if !down {
                break;
            }
            at = at + dice.range(20_000, 240_000);
        }
    }
}
