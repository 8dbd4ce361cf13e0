//! Guessing of several shapes, and people who fail to log in for honest reasons.

use riskgraph_domain::{Event, Severity};

use super::super::testing::{
    ARRIVALS, Arrival, Dice, HOUR, MINUTE, Person, SECOND, START, arrive, assert_quiet, failed, history, judge, login,
    normal, of, person,
};
use super::NAME;

fn stranger(dice: &mut Dice, user: &str) -> Person {
    let mut who = person(dice.next() % 1_000_000 + 50_000);
    who.user = user.into();
    who.device = format!("x-{}", dice.next()).into();
    who
}

fn check(seed: u64, arrival: Arrival, events: Vec<Event>, severity: Severity, what: &str) {
    let mut all = history(0..400, 5);
    let mut dice = Dice::new(seed);
    all.extend(normal(&mut dice, 400, START - HOUR, START + 2 * HOUR, 0.3, 0.04));
    all.extend(events);
    let signals = judge(&arrive(all, arrival, seed));
    assert!(!of(&signals, NAME, severity).is_empty(), "{what}, seed {seed} {arrival:?}: {signals:#?}");
}

#[test]
fn sees_spraying_from_one_address_and_what_it_found() {
    for seed in 0..3 {
        for arrival in ARRIVALS {
            for gap in [2 * SECOND, 40 * SECOND] {
                let mut dice = Dice::new(seed);
                let mut source = stranger(&mut dice, "");
                let events: Vec<Event> = (0..60)
                    .map(|n| {
                        source.user = person(dice.below(400)).user;
                        let time = START + n * gap;
                        if n == 50 { login(&source, time) } else { failed(&source, time, "bad_password") }
                    })
                    .collect();
                check(seed, arrival, events, Severity::High, "spraying");
            }
        }
    }
}

#[test]
fn sees_brute_force_from_one_and_from_many_addresses() {
    for seed in 0..3 {
        for arrival in ARRIVALS {
            for many in [false, true] {
                let mut dice = Dice::new(seed);
                let mut source = stranger(&mut dice, "user7");
                let mut events: Vec<Event> = (0..120)
                    .map(|n| {
                        if many {
                            source = stranger(&mut dice, "user7");
                        }
                        failed(&source, START + n * 10 * SECOND, "bad_password")
                    })
                    .collect();
                check(seed, arrival, events.clone(), Severity::High, "brute force");
                events.push(login(&source, START + 25 * MINUTE));
                check(seed, Arrival::InOrder, events, Severity::High, "brute force with success");
            }
        }
    }
}

#[test]
fn stays_quiet_for_forgetful_people_and_stubborn_apps() {
    for seed in 0..3 {
        for arrival in ARRIVALS {
            let mut dice = Dice::new(seed);
            let mut events = history(0..400, 5);
            events.extend(normal(&mut dice, 400, START - HOUR, START + 8 * HOUR, 0.2, 0.05));
            // Forgot it: on the known device, on a new one at home, on a new one elsewhere.
            for (n, number) in [1, 2, 3].into_iter().enumerate() {
                let mut who = person(number);
                if n > 0 {
                    who.device = "d-new".into();
                }
                if n > 1 {
                    who.ip = "77.3.2.1".into();
                }
                let tries = 6 + dice.below(if n == 0 { 14 } else { 3 }) as i64;
                for n in 0..tries {
                    events.push(failed(&who, START + n * 25 * SECOND, "bad_password"));
                }
                events.push(login(&who, START + tries * 25 * SECOND));
            }
            // An app with an old password, every minute for eight hours, from the known device and from an unknown one.
            for n in 0..480 {
                events.push(failed(&person(9), START + n * MINUTE, "bad_password"));
                let mut unknown = person(10);
                (unknown.device, unknown.ip) = ("nas".into(), "81.2.3.4".into());
                events.push(failed(&unknown, START + n * MINUTE + 7, "bad_password"));
            }
            // An office of newcomers behind one address.
            for number in 0..300 {
                let mut who = person(5_000 + number);
                who.ip = "62.4.5.6".into();
                let time = START + dice.below(8 * HOUR as u64) as i64;
                if dice.chance(0.08) {
                    events.push(failed(&who, time, "bad_password"));
                }
                events.push(login(&who, time + 20 * SECOND));
            }
            assert_quiet(&judge(&arrive(events, arrival, seed)), &format!("seed {seed} {arrival:?}"));
        }
    }
}
