use riskgraph_domain::event::{Http, Outcome};
use riskgraph_domain::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use riskgraph_domain::{Severity, Timestamp};

use super::*;
use crate::detect::config::DetectConfig;

/// A small generator of numbers, seeded: tests must repeat.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = crate::detect::keys::mix(self.0);
        self.0
    }
    fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }
}

/// What a partner, or a thief of its key, looks like.
#[derive(Clone)]
struct Caller {
    key: &'static str,
    net: [u8; 2],
    asn: Option<u32>,
    country: Option<&'static str>,
    ja4: Option<&'static str>,
    agent: &'static str,
    fields: &'static str,
}

const PARTNER: Caller = Caller {
    key: "ak_51d0",
    net: [203, 0],
    asn: Some(64510),
    country: Some("DE"),
    ja4: Some("t13d_partner"),
    agent: "acme-sync/2.1",
    fields: "id,status",
};
const THIEF: Caller = Caller {
    key: "ak_51d0",
    net: [45, 9],
    asn: Some(64666),
    country: Some("RU"),
    ja4: Some("t13d_script"),
    agent: "python-requests/2.31",
    fields: "id,status,address,phone",
};

fn call(caller: &Caller, time: i64, path: &str, status: u16, records: u64, dice: &mut Dice) -> Event {
    let n = dice.next();
    let mut event = Event::new(format!("e{time}-{n:x}"), Timestamp(time), EventKind::ApiCall);
    event.actor.integration = Some("acme".into());
    event.actor.key = Some(caller.key.into());
    let host = [dice.below(2), 2 + dice.below(20)];
    event.client.ip = Some(format!("{}.{}.{}.{}", caller.net[0], caller.net[1], host[0], host[1]).into());
    event.client.asn = caller.asn;
    event.client.country = caller.country.map(Into::into);
    event.client.ja4 = caller.ja4.map(Into::into);
    event.client.user_agent = Some(caller.agent.into());
    event.outcome = if status < 400 { Outcome::Success } else { Outcome::Denied };
    let route = path.split('?').next().map(Into::into);
    let (method, path) = (Some("GET".into()), Some(path.into()));
    event.http = Some(Box::new(Http { method, path, route, status: Some(status), ..Http::default() }));
    event.records = (status < 400).then_some(records);
    if status < 400 && path_has_fields(&event) {
        event.labels.0.push(("fields".into(), caller.fields.into()));
    }
    event
}

fn path_has_fields(event: &Event) -> bool {
    event.http.as_ref().and_then(|http| http.route.as_deref()) == Some("/v1/orders")
}

const START: i64 = 1_772_409_600_000; // Monday 2026-03-02

/// Working days of a partner: `busy` calls an hour by day, few by night.
fn history(days: i64, busy: u64, caller: &Caller, dice: &mut Dice) -> Vec<Event> {
    let mut events = Vec::new();
    for hour in 0..days * 24 {
        let calls = if (7..20).contains(&(hour % 24)) { busy + dice.below(busy / 3) } else { 2 + dice.below(2) };
        let step = HOUR_MS / calls as i64;
        for n in 0..calls as i64 {
            let time = START + hour * HOUR_MS + n * step + dice.below(step as u64 / 2) as i64;
            let page = 1 + dice.below(3);
            let (path, rows) = match dice.below(10) {
                0 => ("/v1/stock".to_owned(), 50),
                _ => (format!("/v1/orders?page={page}"), 20 + dice.below(60)),
            };
            events.push(call(caller, time, &path, 200, rows, dice));
        }
    }
    events
}

fn detector() -> Integration {
    Integration::new(&DetectConfig::shipped().expect("shipped configuration").integration)
}

fn run(detector: &mut Integration, events: &[Event]) -> Vec<Signal> {
    let mut signals = Vec::new();
    for event in events {
        let context = Context { position: Default::default(), accepted_at: event.time, now: event.time };
        detector.observe(event, &context, &mut signals);
    }
    for signal in &signals {
        let sum: f64 = signal.reasons.iter().map(|reason| reason.weight).sum();
        assert!((sum - signal.score).abs() < 1e-9 && signal.score <= 1.0, "{signal:?}");
        assert!(!signal.entities.is_empty() && !signal.techniques.is_empty() && !signal.advice.is_empty());
        let known = |id: &str| riskgraph_domain::signal::technique(id).is_some();
        assert!(signal.techniques.iter().all(|id| known(id)));
    }
    signals
}

fn worst(signals: &[Signal]) -> Option<Severity> {
    signals.iter().map(|signal| signal.severity).max()
}

/// Swaps events with near ones, as senders do.
fn shuffled(mut events: Vec<Event>, dice: &mut Dice) -> Vec<Event> {
    events.sort_by_cached_key(|event| event.time.0 + dice.below(MINUTE_MS as u64) as i64);
    events
}

const SEEDS: [u64; 3] = [1, 77, 4242];

#[test]
fn a_stolen_key_is_seen_at_its_first_call_and_critical_within_seconds() {
    for seed in SEEDS {
        let mut dice = Dice(seed);
        let mut detector = detector();
        let usual = shuffled(history(10, 40, &PARTNER, &mut dice), &mut dice);
        assert_eq!(worst(&run(&mut detector, &usual)), None, "normal days are quiet, seed {seed}");

        let night = START + 10 * DAY_MS + 3 * HOUR_MS;
        let first = run(&mut detector, &[call(&THIEF, night, "/v1/me", 200, 1, &mut dice)]);
        assert!(worst(&first) >= Some(Severity::High), "{first:?}");
        assert_eq!(first[0].entities[0].entity.kind, riskgraph_domain::EntityKind::ApiKey);

        let mut theft = Vec::new();
        for n in 0..14 {
            theft.push(call(&THIEF, night + n * 9_000, &format!("/v1/admin/{n}"), 403, 0, &mut dice));
        }
        for page in 1..4_200 {
            theft.push(call(
                &THIEF,
                night + 240_000 + page * 660,
                &format!("/v1/orders?page={page}"),
                200,
                200,
                &mut dice,
            ));
        }
        let signals = run(&mut detector, &theft);
        let critical = signals.iter().find(|signal| signal.severity == Severity::Critical).expect("critical");
        assert!(critical.occurred_at.0 < night + 240_000 + 30_000, "{}", critical.occurred_at);
        assert!(signals.len() <= 8, "one story, few signals: {}", signals.len());
    }
}

#[test]
fn newness_alone_is_graded() {
    let check = |change: fn(&mut Caller), hour: i64, low: f64, high: f64| {
        for seed in SEEDS {
            let mut dice = Dice(seed);
            let mut detector = detector();
            run(&mut detector, &history(5, 20, &PARTNER, &mut dice));
            let mut caller = PARTNER.clone();
            change(&mut caller);
            let time = START + 5 * DAY_MS + hour * HOUR_MS;
            let signals = run(&mut detector, &[call(&caller, time, "/v1/orders?page=1", 200, 40, &mut dice)]);
            let score = signals.iter().map(|signal| signal.score).fold(0.0, f64::max);
            assert!((low..=high).contains(&score), "seed {seed}: {score} {signals:?}");
        }
    };
    // Network and country new, all else as ever, in the daytime.
    check(|c| (c.net, c.asn, c.country) = ([45, 9], Some(64666), Some("RU")), 10, 0.45, 0.59);
    check(|c| (c.net, c.asn) = ([45, 9], Some(64666)), 10, 0.2, 0.39);
    check(|c| c.net = [198, 18], 10, 0.0, 0.0);
    check(|c| c.country = Some("IE"), 10, 0.2, 0.39);
    check(|c| c.ja4 = Some("t13d_other"), 10, 0.0, 0.0);
    check(|c| c.fields = "id,status,address", 10, 0.0, 0.2);
    check(|c| c.key = "ak_new", 10, 0.0, 0.0);
    check(|c| (c.key, c.net, c.asn, c.country) = ("ak_new", [45, 9], Some(64666), Some("RU")), 10, 0.45, 0.59);
    // Senders that know no network numbers.
    check(|c| (c.net, c.asn, c.country) = ([203, 7], None, None), 10, 0.0, 0.0);
}

#[test]
fn a_thief_without_network_numbers_shows_too() {
    for seed in SEEDS {
        let mut dice = Dice(seed);
        let mut detector = detector();
        let partner = Caller { asn: None, ja4: None, ..PARTNER.clone() };
        run(&mut detector, &history(6, 30, &partner, &mut dice));
        let thief = Caller { asn: None, ja4: None, ..THIEF.clone() };
        let time = START + 6 * DAY_MS + 11 * HOUR_MS;
        let theft: Vec<_> = (1..=200)
            .map(|page| call(&thief, time + page * 700, &format!("/v1/orders?page={page}"), 200, 200, &mut dice))
            .collect();
        assert!(worst(&run(&mut detector, &theft)) >= Some(Severity::High));
    }
}

#[test]
fn resync_sale_and_young_integrations_stay_low() {
    for seed in SEEDS {
        let mut dice = Dice(seed);
        let mut detector = detector();
        run(&mut detector, &history(14, 30, &PARTNER, &mut dice));
        // A full resync from new addresses of the same network.
        let resync = Caller { net: [198, 51], ..PARTNER.clone() };
        let time = START + 14 * DAY_MS + 9 * HOUR_MS;
        let pages: Vec<_> = (1..=4_200)
            .map(|page| call(&resync, time + page * 660, &format!("/v1/orders?page={page}"), 200, 200, &mut dice))
            .collect();
        assert!(worst(&run(&mut detector, &pages)) <= Some(Severity::Low));
        // Twelve times the calls.
        let sale = history(1, 360, &PARTNER, &mut dice);
        let later = sale.into_iter().map(|mut event| {
            event.time = event.time + 16 * DAY_MS;
            event
        });
        assert!(worst(&run(&mut detector, &later.collect::<Vec<_>>())) <= Some(Severity::Low));
        // Nobody knows this one yet.
        let mut young = super::tests::detector();
        let mut first = history(1, 5, &PARTNER, &mut dice);
        first.truncate(40);
        first.push(call(&THIEF, START + 9 * HOUR_MS, "/v1/orders?page=1", 200, 200, &mut dice));
        assert_eq!(worst(&run(&mut young, &first)), None);
    }
}

#[test]
fn poison_that_climbs_slowly_is_told() {
    for seed in SEEDS {
        let mut dice = Dice(seed);
        let mut detector = detector();
        let (mut told, mut severe) = (None, None);
        for day in 0..42 {
            let growth = if day < 21 { 1.0 } else { 1.06_f64.powi(day - 20) };
            let events: Vec<_> = history(1, 30, &PARTNER, &mut dice)
                .into_iter()
                .map(|mut event| {
                    event.time = event.time + i64::from(day) * DAY_MS;
                    event.records = event.records.map(|rows| (rows as f64 * growth) as u64);
                    event
                })
                .collect();
            let worst = worst(&run(&mut detector, &events));
            told = told.or((worst >= Some(Severity::Medium)).then_some(day - 20));
            severe = severe.or((worst >= Some(Severity::High)).then_some(day - 20));
        }
        assert!(told.is_some_and(|day| (6..=14).contains(&day)), "seed {seed}: {told:?}");
        assert!(severe.is_some_and(|day| (14..=22).contains(&day)), "seed {seed}: {severe:?}");
    }
}

#[test]
fn people_read_the_normal_and_the_chart() {
    let mut dice = Dice(5);
    let mut detector = detector();
    run(&mut detector, &history(8, 40, &PARTNER, &mut dice));
    let json = detector.baseline_json("acme");
    assert_eq!(json["networks"][0]["name"], "AS64510");
    assert_eq!(json["rates"].as_array().map(Vec::len), Some(168));
    assert!(json["rates"][10]["calls"].as_f64() > Some(20.0), "{}", json["rates"][10]);
    assert_eq!(json["endpoints"][0]["name"], "GET /v1/orders");
    assert_eq!(detector.baseline_json("nobody"), serde_json::Value::Null);
    let since = Timestamp(START + 7 * DAY_MS);
    let points = detector.traffic("acme", since, Some(since + DAY_MS), 3_600);
    assert_eq!(points.len(), 24);
    assert!(points[10].calls >= 40.0 && points[10].lower < points[10].calls && points[10].calls < points[10].upper);
    assert!(points[10].anomaly < 0.3, "{:?}", points[10]);
    assert!(detector.traffic("acme", Timestamp(0), None, 1).len() <= 2_000);
}

#[test]
fn the_state_survives_a_checkpoint() {
    let mut dice = Dice(9);
    let mut whole = detector();
    let events = history(3, 30, &PARTNER, &mut dice);
    run(&mut whole, &events);
    let bytes = postcard::to_stdvec(&whole).expect("writes");
    let mut restored: Integration = postcard::from_bytes(&bytes).expect("reads");
    let theft = [call(&THIEF, START + 3 * DAY_MS, "/v1/me", 200, 1, &mut dice)];
    assert_eq!(run(&mut whole, &theft), run(&mut restored, &theft));
}

#[test]
fn a_weekly_job_of_the_partner_itself_stays_low() {
    for seed in SEEDS {
        let mut dice = Dice(seed);
        let mut detector = detector();
        run(&mut detector, &history(6, 30, &PARTNER, &mut dice));
        // Once a week it fetches the catalogue: another endpoint, other fields, more rows than in any hour before.
        let weekly = Caller { fields: "title,price,stock", ..PARTNER.clone() };
        let time = START + 6 * DAY_MS + HOUR_MS;
        let job: Vec<_> = (0..30)
            .map(|page| {
                let mut event =
                    call(&weekly, time + page * 2_000, &format!("/v1/products?page={page}"), 200, 200, &mut dice);
                event.labels.0.push(("fields".into(), weekly.fields.into()));
                event
            })
            .collect();
        let signals = run(&mut detector, &job);
        assert!(worst(&signals) <= Some(Severity::Low), "seed {seed}: {signals:?}");
    }
}

#[test]
fn a_thief_is_high_at_the_first_calls_whatever_the_sender_knows() {
    let check = |asn: bool, country: bool, ja4: bool| {
        for seed in SEEDS {
            let mut dice = Dice(seed);
            let mut detector = detector();
            let known = |caller: &Caller| Caller {
                asn: caller.asn.filter(|_| asn),
                country: caller.country.filter(|_| country),
                ja4: caller.ja4.filter(|_| ja4),
                ..caller.clone()
            };
            run(&mut detector, &history(6, 30, &known(&PARTNER), &mut dice));
            let time = START + 6 * DAY_MS + 11 * HOUR_MS;
            let calls = ["/v1/me", "/v1/scopes"].map(|path| call(&known(&THIEF), time, path, 200, 1, &mut dice));
            let signals = run(&mut detector, &calls);
            assert!(worst(&signals) >= Some(Severity::High), "seed {seed} {asn} {country} {ja4}: {signals:?}");
            // A page every nine seconds, far below any limit.
            let export: Vec<_> = (1..=60)
                .map(|page| {
                    let path = format!("/v1/orders?page={page}");
                    call(&known(&THIEF), time + page * 9_000, &path, 200, 200, &mut dice)
                })
                .collect();
            let signals = run(&mut detector, &export);
            assert_eq!(worst(&signals), Some(Severity::Critical), "seed {seed} {asn} {country} {ja4}: {signals:?}");
        }
    };
    check(true, true, true);
    check(true, false, true);
    check(true, false, false);
    check(false, true, true);
    check(false, false, true);
    check(false, false, false);
}

#[test]
fn rare_work_at_home_is_quiet_in_the_first_weeks() {
    for seed in SEEDS {
        let mut dice = Dice(seed);
        let mut detector = detector();
        let mut events = history(22, 30, &PARTNER, &mut dice);
        // On Mondays another endpoint with other fields, up to a hundred times the rows of any hour before.
        for week in 0..4 {
            let time = START + week * 7 * DAY_MS + DAY_MS / 2 + dice.below(HOUR_MS as u64) as i64;
            for page in 0..[40, 400][dice.below(2) as usize] {
                let path = format!("/v1/segments?page={page}");
                let mut event = call(&PARTNER, time + page * 1_500, &path, 200, 500, &mut dice);
                event.labels.0.push(("fields".into(), "email,segment,score,last_order".into()));
                events.push(event);
            }
            // Too eager: the gateway slows it down.
            for n in 0..40 {
                let mut event = call(&PARTNER, time + n * 900, "/v1/segments?page=9", 429, 0, &mut dice);
                event.outcome = Outcome::Denied;
                events.push(event);
            }
        }
        let signals = run(&mut detector, &shuffled(events, &mut dice));
        let loud: Vec<_> = signals.iter().filter(|signal| signal.score > 0.26).collect();
        assert!(loud.is_empty(), "seed {seed}: {loud:?}");
    }
}

#[test]
fn a_partner_that_calls_once_a_day_is_guarded_too() {
    for seed in SEEDS {
        let mut dice = Dice(seed);
        let mut detector = detector();
        let usual: Vec<_> = (0..9)
            .map(|day| {
                let time = START + day * DAY_MS + 9 * HOUR_MS + dice.below(600_000) as i64;
                call(&PARTNER, time, "/v1/orders?page=1", 200, 20 + dice.below(80), &mut dice)
            })
            .collect();
        assert_eq!(worst(&run(&mut detector, &usual)), None, "seed {seed}");
        let night = START + 9 * DAY_MS + 2 * HOUR_MS;
        let theft = [call(&THIEF, night, "/v1/me", 200, 1, &mut dice)];
        assert!(worst(&run(&mut detector, &theft)) >= Some(Severity::High), "seed {seed}");
    }
}
