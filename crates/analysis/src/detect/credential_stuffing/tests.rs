//! Stuffing attacks of many shapes, and crowds that fail to log in for honest reasons.

use riskgraph_domain::{Event, Severity};

use super::super::testing::{
    ARRIVALS, Arrival, Dice, MINUTE, Person, SECOND, START, arrive, assert_quiet, failed, history, judge, login,
    normal, of, person,
};
use super::NAME;

/// Which fields of the client the senders fill in, and what the attacker shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    OwnFingerprint,
    SharedFingerprint,
    OnlyAgent,
    OnlyAddress,
}

const SHAPES: [Shape; 4] = [Shape::OwnFingerprint, Shape::SharedFingerprint, Shape::OnlyAgent, Shape::OnlyAddress];

fn strip(event: &mut Event, shape: Shape) {
    if matches!(shape, Shape::OnlyAgent | Shape::OnlyAddress) {
        (event.client.ja4, event.client.asn, event.client.device) = (None, None, None);
    }
    if shape == Shape::OnlyAddress {
        (event.client.user_agent, event.client.country) = (None, None);
    }
}

fn attacker(dice: &mut Dice, shape: Shape) -> Person {
    let mut who = person(0);
    who.user = format!("leaked{}", dice.below(40_000)).into();
    who.ip = format!("185.{}.{}.{}", dice.below(200), dice.below(250), 1 + dice.below(250)).into();
    who.device = format!("x-{}", dice.next()).into();
    who.asn = 65_000 + dice.below(40) as u32;
    if shape != Shape::SharedFingerprint {
        who.ja4 = "t13d190900_attacker".into();
        who.agent = "python-requests/2.31".into();
    }
    who
}

/// Ten minutes of normal logins, then the attack among them.
fn attack(seed: u64, per_second: f64, shape: Shape) -> (Vec<Event>, Vec<String>) {
    let mut dice = Dice::new(seed);
    let mut events = normal(&mut dice, 3_000, START - 20 * MINUTE, START + 10 * MINUTE, 4.0, 0.04);
    let mut taken = Vec::new();
    let mut time = START;
    while time < START + 6 * MINUTE {
        let mut who = attacker(&mut dice, shape);
        if dice.chance(0.01) && time > START + MINUTE {
            who.user = person(dice.below(3_000)).user;
            taken.push(who.user.to_string());
            events.push(login(&who, time));
        } else {
            events.push(failed(&who, time, if dice.chance(0.3) { "unknown_user" } else { "bad_password" }));
        }
        time += (1e3 / per_second * (0.5 + dice.unit())) as i64;
    }
    events.iter_mut().for_each(|event| strip(event, shape));
    (events, taken)
}

#[test]
fn sees_attacks_of_every_shape_within_a_minute() {
    let mut seed = 0;
    for shape in SHAPES {
        for rate in [2.0, 5.0, 10.0] {
            for arrival in ARRIVALS {
                seed += 1;
                let (events, _) = attack(seed, rate, shape);
                let signals = judge(&arrive(events, arrival, seed));
                let found = of(&signals, NAME, Severity::High);
                let told = format!("seed {seed} {shape:?} {rate}/s {arrival:?}");
                let first = found.first().unwrap_or_else(|| panic!("missed: {told}"));
                let delay = first.occurred_at.0 - START;
                assert!((0..=80 * SECOND).contains(&delay), "{told}: after {delay} ms");
                let attacks = signals.iter().filter(|s| &*s.detector == NAME && s.title.starts_with("Cred")).count();
                assert!(attacks <= 8, "{told}: told {attacks} times");
                assert!(found.iter().all(|signal| signal.campaign == first.campaign), "{told}: one story");
            }
        }
    }
}

#[test]
fn names_the_compromised_and_not_the_bystanders() {
    for seed in 0..3 {
        for shape in [Shape::OwnFingerprint, Shape::OnlyAgent] {
            let mut events = history(0..3_000, 3);
            let (now, taken) = attack(seed, 8.0, shape);
            events.extend(now);
            events.iter_mut().for_each(|event| strip(event, shape));
            let signals = judge(&arrive(events, Arrival::Shuffled, seed));
            let named: Vec<_> = signals
                .iter()
                .filter(|signal| &*signal.detector == NAME && signal.title.contains("logged in"))
                .map(|signal| signal.entities[0].entity.key.to_string())
                .collect();
            let hits = taken.iter().filter(|user| named.contains(user)).count();
            assert!(hits * 10 >= taken.len() * 9, "seed {seed} {shape:?}: {hits} of {} taken", taken.len());
            assert!(named.iter().all(|user| taken.contains(user)), "seed {seed} {shape:?}: a bystander was named");
        }
    }
}

#[test]
fn stays_quiet_for_a_mail_campaign_behind_carrier_nats_with_a_new_release() {
    let mut seed = 0;
    for arrival in ARRIVALS {
        for shape in SHAPES {
            seed += 1;
            let mut dice = Dice::new(seed);
            let mut events = normal(&mut dice, 3_000, START - 20 * MINUTE, START, 3.0, 0.04);
            for number in 0..10_000 {
                let mut who = person(10_000 + number);
                let time = START + (dice.unit().powi(2) * 15.0 * MINUTE as f64) as i64;
                if dice.chance(0.35) {
                    who.ip = if dice.chance(0.5) { "100.64.3.7".into() } else { "100.64.9.1".into() };
                    who.asn = 64_999;
                }
                if dice.chance(0.6) {
                    (who.ja4, who.agent) = ("t13d1412h2_release_8".into(), "ShopApp/8.0 (Android 14)".into());
                }
                let mut at = time;
                if dice.chance(0.04) {
                    events.push(failed(&who, at, "bad_password"));
                    at += 8 * SECOND + dice.below(30_000) as i64;
                }
                events.push(login(&who, at));
            }
            events.iter_mut().for_each(|event| strip(event, shape));
            assert_quiet(
                &judge(&arrive(events, arrival, seed)),
                &format!("campaign, seed {seed} {arrival:?} {shape:?}"),
            );
        }
    }
}

#[test]
fn stays_low_when_the_backend_fails_for_everybody() {
    for seed in 0..2 {
        for shape in SHAPES {
            let mut dice = Dice::new(seed);
            // Half of the people were never seen before the outage.
            let mut events = history(0..1_500, 4);
            events.extend(normal(&mut dice, 1_500, START - 30 * MINUTE, START, 4.0, 0.04));
            for _ in 0..1_500 {
                let who = person(dice.below(3_000));
                let time = START + dice.below(10 * MINUTE as u64) as i64;
                for retry in 0..1 + dice.below(4) as i64 {
                    events.push(failed(&who, time + retry * 12 * SECOND, "bad_password"));
                }
            }
            events.iter_mut().for_each(|event| strip(event, shape));
            assert_quiet(&judge(&arrive(events, Arrival::Shuffled, seed)), &format!("outage, seed {seed} {shape:?}"));
        }
    }
}

#[test]
fn an_attack_is_no_outage_even_when_nobody_else_comes() {
    let mut dice = Dice::new(9);
    let mut events = normal(&mut dice, 2_000, START - 20 * MINUTE, START, 4.0, 0.04);
    for n in 0..600 {
        events.push(failed(&attacker(&mut dice, Shape::OwnFingerprint), START + n * 200, "bad_password"));
    }
    assert!(!of(&judge(&arrive(events, Arrival::InOrder, 9)), NAME, Severity::High).is_empty());
}
