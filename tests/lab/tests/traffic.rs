//! The traffic repeats, has the rates it claims, and tells the truth about itself.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::collections::{BTreeMap, BTreeSet};

use riskgraph_domain::{Event, EventKind, Outcome};
use riskgraph_lab::{
    Act, DayFlavour, Labelled, Role, ScenarioId, Shop, ShopOptions, duplicate, late, shuffle_within, write_ndjson,
};

const SEEDS: [u64; 4] = [1, 2, 3, 42];

fn small(seed: u64) -> ShopOptions {
    ShopOptions { seed, n_users: 1_500, events_per_day: 20_000, ..ShopOptions::default() }
}

fn bytes(events: &[Labelled]) -> Vec<u8> {
    let mut out = Vec::new();
    write_ndjson(events.iter().map(|labelled| &labelled.event), &mut out).unwrap();
    out
}

fn share(events: &[Labelled], of: impl Fn(&Event) -> bool, hit: impl Fn(&Event) -> bool) -> f64 {
    let all: Vec<&Event> = events.iter().map(|labelled| &labelled.event).filter(|event| of(event)).collect();
    all.iter().filter(|event| hit(event)).count() as f64 / all.len().max(1) as f64
}

fn assert_ordered(events: &[Labelled]) {
    assert!(events.windows(2).all(|pair| pair[0].event.time <= pair[1].event.time));
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for seed in [1, 42] {
        let play = |seed: u64| {
            let mut shop = Shop::new(ShopOptions { n_users: 600, events_per_day: 8_000, ..small(seed) });
            let mut events: Vec<Labelled> = shop.day(0, DayFlavour::Normal).collect();
            events.extend(shop.day(1, DayFlavour::AppRelease));
            let at = shop.midnight(1);
            for &id in ScenarioId::ALL {
                events.extend(shop.scenario(id, at, 0.05));
                events.extend(shop.twin(id, at, 0.05));
            }
            bytes(&events)
        };
        let once = play(seed);
        assert!(once == play(seed), "seed {seed}");
        assert!(once != play(seed + 100), "seed {seed}");
    }
}

#[test]
fn a_normal_day_has_the_rates_it_claims() {
    for seed in SEEDS {
        let options = ShopOptions { seed, ..ShopOptions::default() };
        let wanted = options.events_per_day as f64;
        let mut shop = Shop::new(options);
        let mut kinds = BTreeMap::new();
        for day in 0..2 {
            let events: Vec<Labelled> = shop.day(day, DayFlavour::Normal).collect();
            assert_ordered(&events);
            let n = events.len() as f64;
            assert!((0.75..1.3).contains(&(n / wanted)), "seed {seed}: {n} events");
            assert!(events.iter().all(|labelled| labelled.label.role == Role::Normal));
            for labelled in &events {
                *kinds.entry(labelled.event.kind).or_insert(0_u32) += 1;
            }
            let login = |event: &Event| event.kind == EventKind::AuthLogin;
            let failed = share(&events, login, |event| event.outcome.refused());
            assert!((0.03..0.16).contains(&failed), "seed {seed}: {failed} of logins fail");
            let paid = |event: &Event| event.kind == EventKind::PaymentAttempt;
            let declined = share(&events, paid, |event| event.outcome == Outcome::Failure);
            assert!((0.02..0.13).contains(&declined), "seed {seed}: {declined} of payments decline");
        }
        for kind in [
            EventKind::HttpRequest,
            EventKind::AuthMfa,
            EventKind::AccountChange,
            EventKind::DataAccess,
            EventKind::StaffAction,
            EventKind::ApiCall,
            EventKind::OrderCreated,
            EventKind::OrderRefund,
            EventKind::CartHold,
            EventKind::GiftcardPurchase,
            EventKind::WebhookReceived,
        ] {
            assert!(kinds.contains_key(&kind), "seed {seed}: no {}", kind.as_str());
        }
    }
}

#[test]
fn ids_are_unique_and_days_join_without_a_step_back() {
    let mut shop = Shop::new(small(9));
    let mut events: Vec<Labelled> = Vec::new();
    for (day, &flavour) in (0..).zip(DayFlavour::ALL) {
        events.extend(shop.day(day, flavour));
    }
    assert_ordered(&events);
    for &id in ScenarioId::ALL {
        let at = shop.midnight(2);
        events.extend(shop.scenario(id, at, 0.05));
        events.extend(shop.twin(id, at, 0.05));
    }
    let ids: BTreeSet<&str> = events.iter().map(|labelled| labelled.event.id.as_str()).collect();
    assert_eq!(ids.len(), events.len());
}

#[test]
fn what_is_written_reads_back_the_same() {
    let mut shop = Shop::new(small(4));
    let mut events: Vec<Labelled> = shop.day(0, DayFlavour::Normal).take(5_000).collect();
    for &id in ScenarioId::ALL {
        events.extend(shop.scenario(id, shop.midnight(0), 0.02));
        events.extend(shop.twin(id, shop.midnight(0), 0.02));
    }
    let text = String::from_utf8(bytes(&events)).unwrap();
    for (line, labelled) in text.lines().zip(&events) {
        let read: Event = serde_json::from_str(line).expect(line);
        assert_eq!(read, labelled.event, "{line}");
    }
}

#[test]
fn a_sale_day_surges() {
    for seed in SEEDS {
        let count = |flavour| {
            let mut shop = Shop::new(small(seed));
            let mut hours = [0_u32; 24];
            let midnight = shop.midnight(0);
            for labelled in shop.day(0, flavour) {
                hours[((labelled.event.time - midnight) / 3_600_000) as usize] += 1;
            }
            hours
        };
        let (normal, sale) = (count(DayFlavour::Normal), count(DayFlavour::SaleDay));
        let peak = (0..24).map(|hour| f64::from(sale[hour]) / f64::from(normal[hour])).fold(0.0, f64::max);
        assert!((6.0..16.0).contains(&peak), "seed {seed}: x{peak}");
    }
}

#[test]
fn stories_carry_their_labels_and_begin_when_told() {
    for seed in SEEDS {
        let shop = Shop::new(ShopOptions { seed, ..ShopOptions::varied(seed) });
        let at = shop.midnight(3) + 5 * 3_600_000;
        for &id in ScenarioId::ALL {
            for (role, events) in [(Role::Attack, shop.scenario(id, at, 0.1)), (Role::Twin, shop.twin(id, at, 0.1))] {
                assert!(events.len() >= 4, "seed {seed} {id} {role:?}: {} events", events.len());
                assert_ordered(&events);
                assert!(events[0].event.time >= at, "seed {seed} {id} {role:?}");
                assert!(events[0].event.time - at <= 15 * 60_000, "seed {seed} {id} {role:?}");
                assert!(
                    events.iter().all(|e| e.label.scenario == Some(id) && e.label.role == role && e.label.step > 0)
                );
            }
        }
    }
}

#[test]
fn disturbances_change_order_and_nothing_else() {
    let mut shop = Shop::new(small(5));
    let n_attack = shop.scenario(ScenarioId::S4, shop.midnight(0) + 1_000, 0.05).len();
    let act = Act { id: ScenarioId::S4, role: Role::Attack, after_ms: 1_000, scale: 0.05 };
    let calm: Vec<Labelled> = shop.day_with(0, DayFlavour::Normal, &[act]).collect();
    assert_ordered(&calm);
    assert_eq!(calm.iter().filter(|labelled| labelled.label.role == Role::Attack).count(), n_attack);
    let sorted = |mut events: Vec<Labelled>| {
        events.sort_by(|a, b| a.event.id.cmp(&b.event.id));
        bytes(&events)
    };
    let reference = sorted(calm.clone());
    let shuffled = shuffle_within(calm.clone(), 60_000, 1);
    assert!(bytes(&shuffled) != bytes(&calm));
    let mut newest = shuffled[0].event.time;
    for labelled in &shuffled {
        assert!(newest - labelled.event.time <= 60_000);
        newest = newest.max(labelled.event.time);
    }
    assert!(sorted(shuffled) == reference);
    assert!(sorted(late(calm.clone(), 0.1, 1_800_000, 1)) == reference);
    let twice = duplicate(calm.clone(), 0.2, 1);
    assert!(twice.len() > calm.len());
    let mut seen = BTreeSet::new();
    let once: Vec<Labelled> = twice.into_iter().filter(|labelled| seen.insert(labelled.event.id.clone())).collect();
    assert!(sorted(once) == reference);
}
