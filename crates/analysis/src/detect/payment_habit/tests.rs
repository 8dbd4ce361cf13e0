//! Payments unlike the payer's own, and shopping as usual.

use riskgraph_domain::{Event, Severity};

use super::super::config::DetectConfig;
use super::super::testing::{
    ARRIVALS, Arrival, DAY, Dice, HOUR, MINUTE, START, arrive, assert_quiet, judge, of, payment, person,
};
use super::{NAME, PaymentHabit};

/// Each payer buys about every third day for about the same.
fn shopping(dice: &mut Dice, payers: u64, days: i64) -> Vec<Event> {
    let mut events = Vec::new();
    for number in 0..payers {
        let usual = 1_500.0 * (1.0 + dice.unit() * 6.0);
        for day in 0..days {
            if dice.chance(0.33) {
                let time = START - (days - day) * DAY + dice.below(DAY as u64) as i64;
                let amount = (usual * (0.5 + dice.unit() * 1.5)) as i64;
                events.push(payment(&person(number), time, &format!("card-{number}"), "455673", amount));
            }
        }
    }
    events
}

#[test]
fn shopping_as_usual_is_quiet_also_with_presents_and_a_sale() {
    for seed in 0..3 {
        for arrival in ARRIVALS {
            let mut dice = Dice::new(seed);
            let mut events = shopping(&mut dice, 600, 30);
            for number in 0..600 {
                // One in six buys something big, one in six several things within an hour.
                let n = if number % 6 == 1 { 3 } else { 1 };
                for _ in 0..n {
                    let time = START + dice.below(HOUR as u64) as i64;
                    let amount = if number % 6 == 0 { 30_000 } else { 2_500 };
                    events.push(payment(&person(number), time, &format!("card-{number}"), "455673", amount));
                }
            }
            let signals = judge(&arrive(events, arrival, seed));
            assert_quiet(&signals, &format!("seed {seed} {arrival:?}"));
            let n = of(&signals, NAME, Severity::Info).len();
            assert!(n < 120, "{n} signals of a normal month");
        }
    }
}

#[test]
fn many_large_payments_within_minutes_are_told() {
    for seed in 0..5 {
        for arrival in ARRIVALS {
            let mut dice = Dice::new(seed);
            let mut events = shopping(&mut dice, 300, 30);
            for n in 0..10 {
                events.push(payment(&person(7), START + n * 3 * MINUTE, "card-7", "455673", 90_000));
            }
            let signals = judge(&arrive(events, arrival, seed));
            let found = of(&signals, NAME, Severity::Medium);
            assert!(!found.is_empty() && found.len() <= 3, "seed {seed} {arrival:?}: {}", found.len());
        }
    }
}

#[test]
fn the_score_ranks_the_unusual_first() {
    let config = DetectConfig::shipped().expect("parses");
    let mut habit = PaymentHabit::new(&config.payment_habit);
    let mut dice = Dice::new(5);
    let events = arrive(shopping(&mut dice, 300, 30), Arrival::InOrder, 5);
    let mut scores = Vec::new();
    for event in &events {
        scores.push(habit.score(event));
        habit.payers.touch(super::payer_key(event).expect("a payer"), event.time).learn(event);
        habit.everybody.learn(super::amount(event).expect("an amount"));
    }
    scores.sort_by(f64::total_cmp);
    let usual = scores[scores.len() * 95 / 100];
    let who = person(11);
    let score = |amount| habit.score(&payment(&who, START, "card-11", "455673", amount));
    assert!(score(400_000) > usual && score(40_000) < score(400_000), "{usual} {}", score(400_000));
    assert!(score(2_500) < 0.1);
}
