//! Logins from new places, and the honest reasons for them.

use riskgraph_domain::{Event, Severity};

use super::super::testing::{
    Arrival, DAY, Dice, HOUR, MINUTE, Person, START, arrive, assert_quiet, history, judge, login, of, person,
};
use super::NAME;
use riskgraph_domain::event::{EventKind, Labels, Outcome};

/// The severity of one login of person 1, after ten days of history of everybody.
fn severity(change: impl Fn(&mut Event, &mut Person)) -> Option<Severity> {
    let mut worst = Vec::new();
    for seed in 0..5 {
        let mut events = history(0..300, 10);
        let mut who = person(1);
        let mut event = login(&who, START + 2 * HOUR);
        change(&mut event, &mut who);
        event.id = "the-one".into();
        events.push(event);
        let signals = judge(&arrive(events, Arrival::Shuffled, seed));
        let found = of(&signals, NAME, Severity::Info);
        assert!(
            found.iter().all(|signal| signal.evidence["event"] == "the-one"),
            "seed {seed}: another login was told"
        );
        worst.push(found.iter().map(|signal| signal.severity).max());
    }
    assert!(worst.iter().all(|severity| severity == &worst[0]), "{worst:?}");
    worst[0]
}

fn abroad(event: &mut Event) {
    event.client.country = Some("BR".into());
    event.client.asn = Some(28_573);
    event.client.ip = Some("177.10.20.30".into());
}

fn labelled(event: &mut Event, name: &str, value: &str) {
    event.labels = Labels(vec![(name.into(), value.into())]);
}

#[test]
fn grades_what_is_new() {
    let new_device = |event: &mut Event| event.client.device = Some("d-new".into());
    let check = |what: &str, got: Option<Severity>, low: Option<Severity>, high: Option<Severity>| {
        assert!(got >= low && got <= high, "{what}: {got:?}");
    };
    check("nothing", severity(|_, _| ()), None, None);
    check("new device", severity(|event, _| new_device(event)), None, Some(Severity::Low));
    check("new network", severity(|event, _| event.client.asn = Some(9)), None, Some(Severity::Low));
    check(
        "holiday with the known device",
        severity(|event, _| {
            event.time = event.time + DAY;
            abroad(event);
        }),
        Some(Severity::Low),
        Some(Severity::Low),
    );
    check(
        "new device abroad",
        severity(|event, _| {
            event.time = event.time + DAY;
            abroad(event);
            new_device(event);
        }),
        Some(Severity::Medium),
        Some(Severity::Medium),
    );
    check(
        "new device abroad, second factor",
        severity(|event, _| {
            event.time = event.time + DAY;
            abroad(event);
            new_device(event);
            labelled(event, "mfa", "totp");
        }),
        None,
        Some(Severity::Low),
    );
}

#[test]
fn nobody_flies_to_brazil_in_an_hour() {
    for seed in 0..5 {
        for (device, expected) in [("d-1", Severity::Medium), ("d-new", Severity::High)] {
            let mut events = history(0..300, 10);
            events.push(login(&person(1), START));
            let mut event = login(&person(1), START + HOUR);
            abroad(&mut event);
            event.client.device = Some(device.into());
            events.push(event);
            let signals = judge(&arrive(events, Arrival::InOrder, seed));
            let worst = of(&signals, NAME, Severity::Info).iter().map(|signal| signal.severity).max();
            assert_eq!(worst, Some(expected), "{device}");
        }
    }
}

#[test]
fn a_support_login_of_a_vendor_from_a_new_country_is_medium() {
    let mut events = history(0..50, 5);
    for day in 1..=8 {
        let mut event = login(&person(1), START - day * DAY);
        (event.actor.staff, event.actor.user) = (Some("support@logistix.example".into()), None);
        event.client.device = None;
        events.push(event);
    }
    let mut event = login(&person(1), START + HOUR);
    (event.actor.staff, event.actor.user, event.client.device) = (Some("support@logistix.example".into()), None, None);
    abroad(&mut event);
    event.client.user_agent = Some("curl/8.1".into());
    events.push(event);
    let signals = judge(&arrive(events, Arrival::InOrder, 1));
    assert_eq!(of(&signals, NAME, Severity::Medium).len(), 1, "{signals:#?}");
    assert!(of(&signals, NAME, Severity::High).is_empty());
}

#[test]
fn stays_quiet_when_newness_is_common() {
    for seed in 0..5 {
        let mut dice = Dice::new(seed);
        let mut events = history(0..800, 6);
        for number in 0..800 {
            let mut who = person(number);
            // A release makes every app a new device; carriers rotate their addresses.
            who.device = format!("app8-{number}").into();
            who.agent = "ShopApp/eight (Android)".into();
            who.ip = format!("100.{}.{}.{}", 64 + dice.below(60), dice.below(250), dice.below(250)).into();
            if number % 100 == 0 {
                who.country = "ES".into();
            }
            events.push(login(&who, START + dice.below(6 * HOUR as u64) as i64));
        }
        assert_quiet(&judge(&arrive(events, Arrival::SomeLate, seed)), &format!("seed {seed}"));
    }
}

#[test]
fn people_without_history_are_new_nowhere() {
    let mut dice = Dice::new(3);
    let mut events = Vec::new();
    for number in 0..500 {
        let mut who = person(dice.next() % 100_000 + number * 100_000);
        who.country = ["SE", "BR", "US", "JP"][dice.below(4) as usize].into();
        events.push(login(&who, START + number as i64 * 1_000));
    }
    assert_eq!(judge(&arrive(events, Arrival::Shuffled, 3)), Vec::new());
}

#[test]
fn a_refused_second_factor_after_an_unusual_login_is_told() {
    let mut events = history(0..100, 10);
    let mut event = login(&person(1), START + DAY);
    abroad(&mut event);
    event.client.device = Some("d-new".into());
    events.push(event.clone());
    for n in 1..=8 {
        let mut factor = event.clone();
        (factor.kind, factor.outcome, factor.time) = (EventKind::AuthMfa, Outcome::Failure, event.time + n * MINUTE);
        events.push(factor);
    }
    let signals = judge(&arrive(events, Arrival::InOrder, 1));
    assert_eq!(of(&signals, NAME, Severity::High).len(), 1);
}
