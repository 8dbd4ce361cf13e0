//! Accounts emptied by strangers, and customers who move house.

use riskgraph_domain::event::{EventKind, Labels};
use riskgraph_domain::{Event, Severity};

use super::super::testing::{
    ARRIVALS, Arrival, DAY, Dice, HOUR, MINUTE, Person, SECOND, START, arrive, assert_quiet, changed, event, failed,
    history, judge, login, of, person, with_money, with_object,
};
use super::NAME;

fn stranger(user: u64, dice: &mut Dice) -> Person {
    let mut who = person(900_000 + dice.below(1_000));
    who.user = person(user).user;
    who.device = "thief".into();
    who.asn = 65_111;
    who
}

fn giftcard(who: &Person, time: i64) -> Event {
    with_object(with_money(event(EventKind::GiftcardPurchase, who, time), 20_000), "giftcard", "gc-1")
}

fn order(who: &Person, time: i64) -> Event {
    with_object(with_money(event(EventKind::OrderCreated, who, time), 7_900), "order", &format!("o-{time}"))
}

fn worst(events: Vec<Event>, arrival: Arrival, seed: u64) -> Option<Severity> {
    let mut all = history(0..200, 8);
    all.extend(events);
    of(&judge(&arrive(all, arrival, seed)), NAME, Severity::Info).iter().map(|signal| signal.severity).max()
}

#[test]
fn grades_by_who_acts() {
    let check = |what: &str, field: &str, is_stranger: bool, expected: (Option<Severity>, Option<Severity>)| {
        for seed in 0..5 {
            for arrival in ARRIVALS {
                let mut dice = Dice::new(seed);
                let who = if is_stranger { stranger(1, &mut dice) } else { person(1) };
                let events = vec![
                    login(&who, START),
                    changed(&who, START + 3 * MINUTE, field),
                    giftcard(&who, START + 9 * MINUTE),
                ];
                let got = worst(events, arrival, seed);
                assert!(got >= expected.0 && got <= expected.1, "{what}, seed {seed} {arrival:?}: {got:?}");
            }
        }
    };
    check("known device", "email", false, (None, Some(Severity::Low)));
    check("stranger, e-mail", "email", true, (Some(Severity::High), Some(Severity::High)));
    check("stranger, phone", "phone", true, (Some(Severity::High), Some(Severity::High)));
}

#[test]
fn a_payout_changed_by_a_stranger_is_at_least_medium() {
    let mut dice = Dice::new(1);
    let who = stranger(1, &mut dice);
    let events = vec![
        login(&who, START),
        changed(&who, START + MINUTE, "password"),
        changed(&who, START + 2 * MINUTE, "payout"),
    ];
    assert!(worst(events, Arrival::InOrder, 1) >= Some(Severity::Medium));
}

#[test]
fn after_a_compromised_login_it_is_critical_in_any_order() {
    for seed in 0..4 {
        for arrival in ARRIVALS {
            let mut dice = Dice::new(seed);
            let mut events = history(0..200, 8);
            for n in 0..400 {
                let mut who = stranger(dice.below(200), &mut dice);
                (who.ja4, who.agent) = ("t13d_tool".into(), "tool".into());
                who.ip = format!("91.{}.{}.7", dice.below(250), dice.below(250)).into();
                (who.device, who.user) = (format!("x{n}").into(), format!("leaked{n}").into());
                events.push(failed(&who, START + n * 300, "bad_password"));
                if n == 250 {
                    who.user = person(5).user;
                    events.push(login(&who, START + n * 300));
                    events.push(changed(&who, START + 10 * MINUTE, "email"));
                    events.push(giftcard(&who, START + 15 * MINUTE));
                }
            }
            let signals = judge(&arrive(events, arrival, seed));
            let critical = of(&signals, NAME, Severity::Critical);
            assert!(!critical.is_empty(), "seed {seed} {arrival:?}");
            assert!(critical.iter().all(|s| s.campaign.as_deref().is_some_and(|c| c.starts_with("stuffing:"))));
        }
    }
}

#[test]
fn people_who_move_house_or_buy_presents_are_quiet() {
    for seed in 0..6 {
        for arrival in ARRIVALS {
            let mut dice = Dice::new(seed);
            let mut events = history(0..400, 8);
            for number in 0..400_u64 {
                let mut who = person(number);
                let start = START + dice.below(6 * HOUR as u64) as i64;
                match number % 4 {
                    0 => events.extend([changed(&who, start + MINUTE, "address"), order(&who, start + HOUR)]),
                    1 => {
                        who.device = "new-phone".into();
                        events.push(login(&who, start));
                        events.extend([changed(&who, start + MINUTE, "address"), order(&who, start + HOUR)]);
                    }
                    2 => {
                        let mut first = login(&who, start);
                        first.labels = Labels(vec![("mfa".into(), "totp".into())]);
                        events.push(first);
                        events.extend([changed(&who, start + MINUTE, "phone"), giftcard(&who, start + 5 * MINUTE)]);
                    }
                    _ => events.extend((0..4).map(|n| giftcard(&who, start + n * 40 * SECOND))),
                }
            }
            // Newcomers make an account, add an address and buy.
            for number in 0..100 {
                let who = person(70_000 + number);
                let start = START + dice.below(6 * HOUR as u64) as i64;
                events.push(changed(&who, start, "account"));
                events.extend([login(&who, start + SECOND), changed(&who, start + MINUTE, "address")]);
                events.push(giftcard(&who, start + 3 * MINUTE));
            }
            events.retain(|event| event.time.0 < START + DAY);
            assert_quiet(&judge(&arrive(events, arrival, seed)), &format!("seed {seed} {arrival:?}"));
        }
    }
}
