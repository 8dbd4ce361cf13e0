use riskgraph_domain::event::{Actor, Http, Object, Outcome};
use riskgraph_domain::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use riskgraph_domain::{Severity, Timestamp};

use super::*;
use crate::detect::config::DetectConfig;

const START: i64 = 1_772_409_600_000;

fn detector() -> Enumeration {
    Enumeration::new(&DetectConfig::shipped().expect("shipped configuration").enumeration)
}

fn by_user(name: &str) -> Actor {
    Actor { user: Some(name.into()), ..Actor::default() }
}

fn by_staff(name: &str) -> Actor {
    Actor { staff: Some(name.into()), ..Actor::default() }
}

fn by_key(key: &str, integration: Option<&str>) -> Actor {
    Actor { key: Some(key.into()), integration: integration.map(Into::into), ..Actor::default() }
}

fn read(actor: &Actor, time: i64, id: u64, owner: Option<&str>) -> Event {
    let mut event = Event::new(format!("d{time}-{id}"), Timestamp(time), EventKind::DataAccess);
    event.actor = actor.clone();
    event.outcome = Outcome::Success;
    event.object = Some(Box::new(Object {
        kind: Some("order".into()),
        id: Some(id.to_string().into()),
        owner: owner.map(Into::into),
    }));
    event
}

fn request(actor: &Actor, time: i64, path: &str, status: u16) -> Event {
    let mut event = Event::new(format!("h{time}-{path}"), Timestamp(time), EventKind::HttpRequest);
    event.actor = actor.clone();
    event.http = Some(Box::new(Http { path: Some(path.into()), status: Some(status), ..Http::default() }));
    event
}

fn run(detector: &mut Enumeration, events: &[Event]) -> Vec<Signal> {
    let mut signals = Vec::new();
    for event in events {
        let context = Context { position: Default::default(), accepted_at: event.time, now: event.time };
        detector.observe(event, &context, &mut signals);
    }
    for signal in &signals {
        let sum: f64 = signal.reasons.iter().map(|reason| reason.weight).sum();
        assert!((sum - signal.score).abs() < 1e-9, "{signal:?}");
    }
    signals
}

fn worst(signals: &[Signal]) -> Option<Severity> {
    signals.iter().map(|signal| signal.severity).max()
}

const SEEDS: [u64; 3] = [5, 91, 700_001];

/// A thousand customers who read their few orders.
fn customers(seed: u64) -> Vec<Event> {
    let mut events = Vec::new();
    for n in 0..3_000_u64 {
        let dice = mix(n ^ seed);
        let user = format!("user{}", dice % 1_000);
        let id = 50_000 + (dice % 1_000) * 3 + (dice >> 20) % 3;
        events.push(read(&by_user(&user), START + n as i64 * 20_000, id, Some(&user)));
    }
    events
}

#[test]
fn the_fifth_foreign_order_is_high_however_slow_and_shuffled() {
    for seed in SEEDS {
        let mut detector = detector();
        assert_eq!(worst(&run(&mut detector, &customers(seed))), None);
        let thief = by_user("mallory");
        // Four a minute over eight hours, ids and order shuffled, one in thirty its own.
        let mut reads: Vec<_> = (0..1_920_u64)
            .map(|n| {
                let id = 1_000 + (mix(n ^ seed) % 100_000);
                let owner = if n % 30 == 0 { "mallory".to_owned() } else { format!("user{}", mix(id) % 5_000) };
                read(&thief, START + DAY_MS + n as i64 * 15_000, id, Some(&owner))
            })
            .collect();
        reads.sort_by_key(|event| event.time.0 + (mix(event.time.0 as u64 ^ seed) % 60_000) as i64);
        let early = run(&mut detector, &reads[..4]);
        assert!(worst(&early) <= Some(Severity::Low), "seed {seed}: {early:?}");
        let next = run(&mut detector, &reads[4..9]);
        assert!(worst(&next) >= Some(Severity::High), "seed {seed}: {next:?}");
        let rest = run(&mut detector, &reads[9..]);
        assert_eq!(worst(&rest), Some(Severity::Critical));
        assert!(rest.len() <= 5, "{}", rest.len());
    }
}

#[test]
fn households_staff_partners_and_public_types_are_quiet() {
    for seed in SEEDS {
        let mut detector = detector();
        run(&mut detector, &customers(seed));
        let mut events = Vec::new();
        for n in 0..600_u64 {
            let dice = mix(n ^ seed);
            let time = START + DAY_MS + n as i64 * HOUR_MS / 4;
            // A household of four reads each other's orders.
            let owner = format!("home{}", dice % 4);
            events.push(read(&by_user("home0"), time, 900_000 + dice % 12, Some(&owner)));
            // Support reads what callers own, ninety cases a day.
            events.push(read(
                &by_staff("kim@shop.example"),
                time,
                50_000 + dice % 3_000,
                Some(&format!("user{}", dice % 1_000)),
            ));
            // A fulfilment partner reads every order.
            events.push(read(&by_key("ak_1", Some("acme")), time, 60_000 + n, Some(&format!("user{}", dice % 1_000))));
            // Products belong to sellers and are read by everybody.
            let mut product = read(&by_user("reader"), time, n, Some(&format!("seller{}", dice % 50)));
            product.object.as_mut().expect("object").kind = Some("product".into());
            events.push(product);
        }
        let signals = run(&mut detector, &events);
        assert!(worst(&signals) <= Some(Severity::Low), "seed {seed}: {signals:?}");
    }
}

#[test]
fn owners_are_learned_from_orders_and_holders_from_logins() {
    let mut detector = detector();
    let mut events = Vec::new();
    for n in 0..40_u64 {
        let mut order = read(&by_user(&format!("user{n}")), START + n as i64, 700 + n, None);
        order.kind = EventKind::OrderCreated;
        events.push(order);
    }
    let mut login = Event::new("login", Timestamp(START + 50), EventKind::AuthLogin);
    login.actor = Actor { user: Some("mallory".into()), session: Some("s1".into()), ..Actor::default() };
    login.outcome = Outcome::Success;
    events.push(login);
    assert_eq!(worst(&run(&mut detector, &events)), None);
    let session = Actor { session: Some("s1".into()), ..Actor::default() };
    let walk: Vec<_> = (0..10)
        .map(|n| request(&session, START + MINUTE_MS * (n + 1), &format!("/api/orders/{}", 700 + n), 200))
        .collect();
    let signals = run(&mut detector, &walk);
    assert!(worst(&signals) >= Some(Severity::High), "{signals:?}");
    assert_eq!(
        signals.last().map(|signal| signal.entities[0].entity.kind),
        Some(riskgraph_domain::EntityKind::Session)
    );
}

#[test]
fn a_token_without_ownership_is_judged_by_what_is_usual() {
    for seed in SEEDS {
        let mut detector = detector();
        let mut usual = Vec::new();
        for n in 0..2_000_u64 {
            let dice = mix(n ^ seed);
            let token = by_key(&format!("tok{}", dice % 400), None);
            usual.push(request(
                &token,
                START + n as i64 * 10_000,
                &format!("/api/invoices/{}", 9_000 + dice % 400 * 4 + dice % 3),
                200,
            ));
        }
        assert!(worst(&run(&mut detector, &usual)) <= Some(Severity::Low));
        let walk: Vec<_> = (0..1_500_u64)
            .map(|n| {
                let id = 9_000 + mix(n ^ seed) % 8_000;
                let status = if mix(id).is_multiple_of(4) { 404 } else { 200 };
                request(
                    &by_key("tok_bad", None),
                    START + DAY_MS + n as i64 * 15_000,
                    &format!("/api/invoices/{id}"),
                    status,
                )
            })
            .collect();
        assert!(worst(&run(&mut detector, &walk)) >= Some(Severity::High), "seed {seed}");
    }
}

#[test]
fn a_staff_member_far_above_its_own_days_is_medium() {
    let mut detector = detector();
    let kim = by_staff("kim@shop.example");
    let mut events = Vec::new();
    for day in 0..6 {
        for n in 0..60 {
            events.push(read(
                &kim,
                START + day * DAY_MS + n * 8 * MINUTE_MS,
                (day * 60 + n) as u64 * 7,
                Some(&format!("user{n}")),
            ));
        }
    }
    assert_eq!(worst(&run(&mut detector, &events)), None);
    let sweep: Vec<_> =
        (0..3_000).map(|n| read(&kim, START + 6 * DAY_MS + n * 9_000, 100_000 + n as u64 * 3, Some("x"))).collect();
    assert!(worst(&run(&mut detector, &sweep)) >= Some(Severity::Medium));
}

#[test]
fn the_state_survives_a_checkpoint() {
    let mut whole = detector();
    run(&mut whole, &customers(1));
    let bytes = postcard::to_stdvec(&whole).expect("writes");
    let mut restored: Enumeration = postcard::from_bytes(&bytes).expect("reads");
    let reads: Vec<_> =
        (0..8).map(|n| read(&by_user("m"), START + DAY_MS + n, n as u64, Some(&format!("o{n}")))).collect();
    assert_eq!(run(&mut whole, &reads), run(&mut restored, &reads));
}
