//! Card testing of several shapes, and days on which many honest cards are declined.

use riskgraph_domain::event::Outcome;
use riskgraph_domain::{Event, Severity};

use super::super::testing::{
    ARRIVALS, Arrival, DAY, Dice, HOUR, MINUTE, SECOND, START, arrive, assert_quiet, declined, history, judge, of,
    payment, person,
};
use super::NAME;

/// Payments of customers with their own cards; few are declined, and mostly for want of money.
fn normal(dice: &mut Dice, n: u64, from: i64, to: i64) -> Vec<Event> {
    let one = |dice: &mut Dice| {
        let number = dice.below(2_000);
        let bin = ["411111", "520082", "455673", "401288"][(number % 4) as usize];
        let amount = [1_999, 2_999, 500, 4_990, 12_500 + dice.below(9_000) as i64][dice.below(5) as usize];
        let time = from + dice.below((to - from) as u64) as i64;
        let payment = payment(&person(number), time, &format!("card-{number}"), bin, amount);
        match dice.below(100) {
            0..=3 => declined(payment, "insufficient_funds"),
            4 => declined(payment, "invalid_cvc"),
            5 => declined(payment, "do_not_honor"),
            _ => payment,
        }
    };
    (0..n).map(|_| one(dice)).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attacker {
    TwoBins,
    ManyBinsOneCart,
    ManyBinsOneDevice,
}

/// A test each few seconds; one in 80 is approved.
fn attack(dice: &mut Dice, attacker: Attacker) -> Vec<Event> {
    let mut time = START;
    (0..500)
        .map(|n| {
            time += 300 + dice.below(2_000) as i64;
            let mut who = person(dice.next());
            who.user = format!("guest{n}").into();
            who.ip = format!("45.9.{}.{}", dice.below(6), dice.below(10)).into();
            who.device = format!("bot-{}", dice.below(40)).into();
            let bins: u64 = if attacker == Attacker::TwoBins { 2 } else { 300 };
            let mut amount = 500;
            match attacker {
                Attacker::ManyBinsOneDevice => (who.device, amount) = ("bot".into(), 100 + dice.below(4_000) as i64),
                Attacker::ManyBinsOneCart => amount = 321,
                Attacker::TwoBins => {}
            }
            let bin = format!("{}", 411_111 + dice.below(bins));
            let mut event = payment(&who, time, &format!("stolen-{}", dice.below(450)), &bin, amount);
            event.actor.user = event.actor.user.filter(|_| n % 3 == 0);
            match dice.below(80) {
                0 if n > 60 => event,
                0..=50 => declined(event, "incorrect_number"),
                _ => declined(event, "invalid_cvc"),
            }
        })
        .collect()
}

#[test]
fn sees_testing_within_fifteen_declines_and_the_first_card_found() {
    for seed in 0..3 {
        for attacker in [Attacker::TwoBins, Attacker::ManyBinsOneCart, Attacker::ManyBinsOneDevice] {
            for arrival in ARRIVALS {
                let told = format!("seed {seed} {attacker:?} {arrival:?}");
                let mut dice = Dice::new(seed);
                let mut events = normal(&mut dice, 3_000, START - 6 * HOUR, START + 30 * MINUTE);
                let tests = attack(&mut dice, attacker);
                let declines: Vec<_> = tests.iter().filter(|e| e.outcome == Outcome::Failure).map(|e| e.time).collect();
                let found_at = tests.iter().find(|e| e.outcome == Outcome::Success).expect("one is approved").time;
                events.extend(tests);
                let signals = judge(&arrive(events, arrival, seed));
                let first = of(&signals, NAME, Severity::High);
                let first = first.first().unwrap_or_else(|| panic!("missed: {told}"));
                let n = declines.iter().filter(|time| **time <= first.occurred_at).count();
                let limit = if arrival == Arrival::InOrder { 36 } else { 110 };
                assert!(n <= limit, "{told}: after {n} declines");
                let critical = of(&signals, NAME, Severity::Critical);
                assert!(critical.iter().any(|signal| signal.occurred_at == found_at), "{told}: first card found");
                let loud: Vec<_> = signals.iter().filter(|s| s.severity > Severity::Low).collect();
                assert!(loud.iter().all(|signal| signal.campaign == first.campaign), "{told}: one story");
            }
        }
    }
}

#[test]
fn one_bin_in_one_cart_needs_fifteen_declines() {
    for seed in 0..10 {
        let mut dice = Dice::new(seed);
        let mut events = normal(&mut dice, 2_000, START - 6 * HOUR, START);
        for n in 0..15 {
            let mut who = person(dice.next());
            who.device = format!("bot-{}", n % 4).into();
            let event = payment(&who, START + n * 4 * SECOND, &format!("gen-{n}"), "411111", 100);
            events.push(declined(event, if n % 2 == 0 { "incorrect_number" } else { "invalid_cvc" }));
        }
        let signals = judge(&arrive(events, Arrival::Shuffled, seed));
        assert!(!of(&signals, NAME, Severity::High).is_empty(), "seed {seed}");
    }
}

#[test]
fn stays_quiet_on_bank_outages_and_sale_days() {
    for seed in 0..2 {
        for arrival in ARRIVALS {
            let mut dice = Dice::new(seed);
            let mut events = history(0..2_000, 2);
            events.extend(normal(&mut dice, 4_000, START - 2 * DAY, START));
            // A sale: twelve times as many.
            events.extend(normal(&mut dice, 6_000, START, START + HOUR));
            // One bank is ill: nine of ten of its cards, some with an unclear reason.
            for _ in 0..600 {
                let number = dice.below(500) * 4;
                let event = payment(
                    &person(number),
                    START + dice.below(HOUR as u64) as i64,
                    &format!("card-{number}"),
                    "411111",
                    2_999,
                );
                let event = match dice.below(10) {
                    0 => event,
                    1 => declined(event, "do_not_honor"),
                    _ => declined(event, "issuer_unavailable"),
                };
                events.push(event);
            }
            assert_quiet(&judge(&arrive(events, arrival, seed)), &format!("seed {seed} {arrival:?}"));
        }
    }
}

#[test]
fn an_outage_of_a_bank_is_quiet_in_a_shop_that_was_just_started() {
    for seed in 0..6 {
        let mut dice = Dice::new(seed);
        let mut events = normal(&mut dice, 500, START - HOUR, START);
        for _ in 0..300 {
            let number = dice.below(3_000);
            let time = START + dice.below(20 * MINUTE as u64) as i64;
            let event = payment(&person(number), time, &format!("card-{number}"), "457173", 3_990);
            events.push(if dice.chance(0.9) { declined(event, "issuer_unavailable") } else { event });
        }
        assert_quiet(&judge(&arrive(events, Arrival::Shuffled, seed)), &format!("seed {seed}"));
    }
}
