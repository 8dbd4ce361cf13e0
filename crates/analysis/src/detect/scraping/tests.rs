use riskgraph_domain::event::{EventKind, Http};
use riskgraph_domain::time::{HOUR_MS, MINUTE_MS};
use riskgraph_domain::{Severity, Text};

use super::super::testing::Dice;
use super::*;
use crate::detect::config::DetectConfig;

const START: i64 = 1_772_409_600_000;
const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/141.0.0.0 Safari/537.36";
/// Products of the shop.
const N: u64 = 3_000;

fn detector() -> Scraping {
    Scraping::new(&DetectConfig::shipped().expect("shipped configuration").scraping)
}

/// Who asks, and how.
#[derive(Clone)]
struct Visitor {
    ip: String,
    agent: &'static str,
    ja4: Option<&'static str>,
    rdns: Option<&'static str>,
}

impl Visitor {
    fn browser(dice: &mut Dice) -> Self {
        let ip = format!("81.{}.{}.{}", dice.below(200), dice.below(200), 1 + dice.below(200));
        Self { ip, agent: CHROME, ja4: Some("t13d_chrome"), rdns: None }
    }
}

fn ask(visitor: &Visitor, time: i64, path: &str, referer: &str) -> Event {
    let mut event = Event::new(format!("{}{time}{path}", visitor.ip), Timestamp(time), EventKind::HttpRequest);
    event.client.ip = Some(visitor.ip.as_str().into());
    event.client.user_agent = Some(visitor.agent.into());
    event.client.ja4 = visitor.ja4.map(Into::into);
    for (name, value) in [("referer", referer), ("rdns", visitor.rdns.unwrap_or(""))] {
        if !value.is_empty() {
            event.labels.0.push((Text::from(name), value.into()));
        }
    }
    event.http = Some(Box::new(Http {
        method: Some("GET".into()),
        path: Some(path.into()),
        status: Some(200),
        ..Http::default()
    }));
    event
}

/// Visits of people with browsers: popular products, assets, links. `n` visits within the hours.
fn people(n: u64, hours: i64, dice: &mut Dice) -> Vec<Event> {
    let mut events = Vec::new();
    for _ in 0..n {
        let visitor = Visitor::browser(dice);
        let mut time = START + dice.below((hours * HOUR_MS) as u64) as i64;
        for step in 0..2 + dice.below(7) {
            let popular = (dice.below(1_000) * dice.below(1_000) / 1_000) * N / 1_000;
            let path = if dice.below(3) == 0 { format!("/c/shoes?page={step}") } else { format!("/p/{popular}") };
            let referer = if step == 0 { "" } else { "https://www.shop.example/" };
            events.push(ask(&visitor, time, &path, referer));
            events.push(ask(&visitor, time + 300, "/static/app.js", "https://www.shop.example/"));
            time += 4_000 + dice.below(40_000) as i64;
        }
    }
    events.sort_by_key(|event| event.time);
    events
}

fn run(detector: &mut Scraping, events: &[Event]) -> Vec<Signal> {
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

const SEEDS: [u64; 3] = [2, 58, 90_210];

/// Many addresses, each slow, through the whole catalogue.
fn crowd(n_addresses: u64, ja4: Option<&'static str>, dice: &mut Dice) -> Vec<Event> {
    let visitors: Vec<Visitor> = (0..n_addresses)
        .map(|_| Visitor { ja4, agent: CHROME, ..Visitor::browser(dice) })
        .map(|visitor| Visitor { ip: visitor.ip.replacen("81.", "92.", 1), ..visitor })
        .collect();
    let mut events: Vec<Event> = (0..N)
        .map(|n| {
            let time = START + 8 * HOUR_MS + (n * 40_000 / n_addresses.max(1)) as i64;
            ask(&visitors[dice.below(n_addresses) as usize], time, &format!("/p/{n}"), "")
        })
        .collect();
    // As they arrive: within a minute in any order.
    events.sort_by_cached_key(|event| event.time.0 + dice.below(MINUTE_MS as u64) as i64);
    events
}

#[test]
fn a_slow_crowd_is_medium_by_a_tenth_of_the_catalogue() {
    for seed in SEEDS {
        for (n_addresses, ja4) in [(300, Some("t13d_script")), (60, Some("t13d_script")), (200, None)] {
            let mut dice = Dice::new(seed);
            let mut detector = detector();
            let usual = run(&mut detector, &people(2_000, 8, &mut dice));
            assert_eq!(worst(&usual), None, "seed {seed}: {usual:?}");
            let events = crowd(n_addresses, ja4, &mut dice);
            let tenth = N as usize / 10 + 4 * n_addresses as usize;
            let signals = run(&mut detector, &events[..tenth.min(events.len())]);
            assert!(worst(&signals) >= Some(Severity::Medium), "seed {seed}, {n_addresses}: {signals:?}");
            let rest = run(&mut detector, &events[tenth.min(events.len())..]);
            assert!(worst(&rest.iter().chain(&signals).cloned().collect::<Vec<_>>()) >= Some(Severity::High));
            assert!(rest.len() + signals.len() <= 10, "{}", rest.len());
        }
    }
}

#[test]
fn a_sale_with_real_browsers_is_quiet() {
    for seed in SEEDS {
        let mut dice = Dice::new(seed);
        let mut detector = detector();
        run(&mut detector, &people(1_000, 8, &mut dice));
        let sale = run(&mut detector, &people(6_000, 1, &mut dice));
        assert_eq!(worst(&sale), None, "seed {seed}: {sale:?}");
        // Logs without assets and links, and a browser's fingerprint shared by all.
        let mut bare: Vec<Event> = people(4_000, 8, &mut dice);
        bare.retain(|event| event.http.as_ref().is_none_or(|http| http.path.as_deref() != Some("/static/app.js")));
        bare.iter_mut().for_each(|event| event.labels = Default::default());
        let signals = run(&mut super::tests::detector(), &bare);
        assert!(worst(&signals) <= Some(Severity::Low), "seed {seed}: {signals:?}");
    }
}

#[test]
fn engines_are_left_out_and_those_who_claim_the_name_are_low() {
    let google = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
    let check =
        |agent: &'static str, rdns: Option<&'static str>, at_least: Option<Severity>, at_most: Option<Severity>| {
            let mut dice = Dice::new(7);
            let mut detector = detector();
            run(&mut detector, &people(2_000, 8, &mut dice));
            let crawl: Vec<Event> = (0..1_500)
                .map(|n| {
                    let visitor = Visitor { ip: format!("66.249.66.{}", n % 5), agent, ja4: None, rdns };
                    ask(&visitor, START + 8 * HOUR_MS + n * 9_000, &format!("/p/{}", n * 2), "")
                })
                .collect();
            let worst = worst(&run(&mut detector, &crawl));
            assert!(at_least <= worst && worst <= at_most, "{agent} {rdns:?}: {worst:?}");
        };
    check(google, Some("crawl-66-249-66-1.googlebot.com"), None, None);
    check("Finder/1.0 (+https://find.example/bot)", Some("c1.find.example"), None, None);
    check(google, None, Some(Severity::Low), Some(Severity::Low));
    check("python-requests/2.32", None, Some(Severity::Medium), Some(Severity::Critical));
}

#[test]
fn one_client_that_reads_a_whole_blog_shows_in_a_plain_access_log() {
    for seed in SEEDS {
        let mut dice = Dice::new(seed);
        let mut detector = detector();
        let words = ["red", "blue", "old", "new", "fast", "slow", "big", "tiny"];
        let page = |n: u64| {
            let word = |n: u64| words[(n % 8) as usize];
            format!("/blog/{}-{}-{}-{}.html", word(n), word(n / 8), word(n / 64), word(n / 512))
        };
        let mut readers = Vec::new();
        for n in 0..1_500_i64 {
            let visitor = Visitor { ja4: None, ..Visitor::browser(&mut dice) };
            let time = START + n * 20_000;
            readers.push(ask(&visitor, time, &page(dice.below(40) * dice.below(40) / 4), "https://search.example/"));
            readers.push(ask(&visitor, time + 200, "/style.css", "https://www.shop.example/"));
        }
        assert_eq!(worst(&run(&mut detector, &readers)), None);
        let wget = Visitor { ip: "203.0.113.77".into(), agent: "Wget/1.21", ja4: None, rdns: None };
        let mirror: Vec<Event> = (0..700).map(|n| ask(&wget, START + n * 2_000, &page(n as u64), "")).collect();
        assert!(worst(&run(&mut detector, &mirror)) >= Some(Severity::Medium), "seed {seed}");
        // A feed reader that asks for one page all day is no scraper.
        let feed = Visitor { ip: "203.0.113.78".into(), agent: "FeedReader/3", ja4: None, rdns: None };
        let polls: Vec<Event> = (0..900).map(|n| ask(&feed, START + n * 60_000, "/blog/feed.xml", "")).collect();
        assert_eq!(worst(&run(&mut detector, &polls)), None);
    }
}

#[test]
fn the_state_survives_a_checkpoint() {
    let mut dice = Dice::new(3);
    let mut whole = detector();
    run(&mut whole, &people(300, 8, &mut dice));
    let bytes = postcard::to_stdvec(&whole).expect("writes");
    let mut restored: Scraping = postcard::from_bytes(&bytes).expect("reads");
    let events = crowd(50, Some("t13d_script"), &mut dice);
    assert_eq!(run(&mut whole, &events), run(&mut restored, &events));
}
