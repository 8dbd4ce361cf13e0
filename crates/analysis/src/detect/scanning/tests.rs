use riskgraph_domain::EventKind;

use super::*;
use crate::detect::config::DetectConfig;

fn config() -> ScanningConfig {
    DetectConfig::shipped().expect("shipped configuration").scanning
}

fn request(n: i64, ip: &str, path: &str, status: u16, agent: &str) -> Event {
    let mut event = Event::new(format!("r{n}"), Timestamp(1_772_409_600_000 + n * 1_000), EventKind::HttpRequest);
    event.client.ip = Some(ip.into());
    event.client.user_agent = Some(agent.into());
    event.http = Some(Box::new(Http {
        method: Some("GET".into()),
        path: Some(path.into()),
        status: Some(status),
        ..Http::default()
    }));
    event
}

fn run(events: &[Event]) -> Vec<Signal> {
    let mut detector = Scanning::new(&config());
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

const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) Firefox/124.0";

#[test]
fn each_class_finds_its_examples_and_leaves_the_rest() {
    let config = config();
    let shapes = Shapes::new(&config);
    for (place, class) in config.shapes.iter().enumerate() {
        for example in &class.examples {
            let hits = shapes.find(example, None, None);
            assert!(hits.classes & (1 << place) != 0, "{} must find {example}", class.name);
        }
        for negative in &class.negatives {
            let hits = shapes.find(negative, Some(BROWSER), None);
            assert_eq!(hits.classes, 0, "{} must leave {negative}", class.name);
        }
    }
}

#[test]
fn a_scan_with_attack_patterns_is_told_once_a_severity() {
    for seed in [3_u64, 99, 1_000_003] {
        let mut events = Vec::new();
        let mut dice = seed;
        for n in 0..1_500_i64 {
            dice = mix(dice);
            let (path, status) = match dice % 5 {
                0 => (format!("/p?id={n}%27%20or%20%271%27=%271"), 200),
                1 => (format!("/search?q=%3Cscript%3Ealert({n})%3C/script%3E"), 200),
                2 => (format!("/dir{n}/admin.php"), 404),
                3 => (format!("/show?f=..%2f..%2f..%2fetc/passwd&n={n}"), 403),
                _ => ("/".to_owned(), 200),
            };
            events.push(request(n, "198.51.100.7", &path, status, BROWSER));
        }
        // Scanners' logs come in no order.
        events.sort_by_key(|event| mix(event.time.0 as u64 ^ seed));
        let signals = run(&events);
        assert!(worst(&signals) >= Some(Severity::High), "{signals:?}");
        assert!(signals.len() <= 4, "{}", signals.len());
        let samples = signals[0].evidence["samples"].as_array().map(Vec::len);
        assert!(samples > Some(0));
    }
}

#[test]
fn probing_by_list_is_low_to_medium() {
    let names = ["/.env", "/.git/config", "/wp-login.php", "/phpmyadmin/", "/xmlrpc.php", "/server-status"];
    let few: Vec<_> = names.iter().zip(0..).map(|(path, n)| request(n, "192.0.2.9", path, 404, "curl/8")).collect();
    assert_eq!(worst(&run(&few)), Some(Severity::Low));
    let list: Vec<_> = (0..300).map(|n| request(n, "192.0.2.9", &format!("/x{n}.php"), 404, "curl/8")).collect();
    assert_eq!(worst(&run(&list)), Some(Severity::Medium));
}

#[test]
fn visitors_broken_links_and_honest_searches_are_quiet() {
    let searches = ["/search?q=dogs+or+cats", "/search?q=o'neill+surf", "/search?q=50%25+off", "/c/sql-books?page=2"];
    let visitor: Vec<_> = (0..400)
        .map(|n| {
            let (path, status) = match n % 10 {
                0 => (format!("/img/old-{n}.png"), 404),
                1 => (searches[n as usize % searches.len()].to_owned(), 200),
                _ => (format!("/p/{n}"), 200),
            };
            request(n, "203.0.113.5", &path, status, BROWSER)
        })
        .collect();
    assert_eq!(worst(&run(&visitor)), None);
    // A template with one missing picture, seen by thousands.
    let missing: Vec<_> = (0..5_000)
        .map(|n| request(n, &format!("203.0.{}.{}", n / 200, n % 200), "/favicon.ico", 404, BROWSER))
        .collect();
    assert_eq!(worst(&run(&missing)), None);
    // The name of a tool is not a scan.
    assert_eq!(worst(&run(&[request(1, "192.0.2.1", "/", 200, "Nikto/2.5")])), None);
}

#[test]
fn the_state_survives_a_checkpoint() {
    let mut whole = Scanning::new(&config());
    let mut signals = Vec::new();
    let context = Context { position: Default::default(), accepted_at: Timestamp(0), now: Timestamp(0) };
    for n in 0..14 {
        whole.observe(&request(n, "192.0.2.9", &format!("/x{n}"), 404, BROWSER), &context, &mut signals);
    }
    let bytes = postcard::to_stdvec(&whole).expect("writes");
    let mut restored: Scanning = postcard::from_bytes(&bytes).expect("reads");
    restored.observe(&request(15, "192.0.2.9", "/x15", 404, BROWSER), &context, &mut signals);
    assert_eq!(signals.len(), 1);
}
