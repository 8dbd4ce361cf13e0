//! Plays weeks of the lab through the four traffic detectors: what they say on normal days, how they judge the
//! stories of traffic, and what each costs an event.
//!
//! `cargo run --release -p riskgraph-analysis --example traffic -- 14 1 2 3` plays 14 days of seeds 1, 2 and 3.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use riskgraph_analysis::detect::enumeration::Enumeration;
use riskgraph_analysis::detect::integration::Integration;
use riskgraph_analysis::detect::scanning::Scanning;
use riskgraph_analysis::detect::scraping::Scraping;
use riskgraph_analysis::detect::{Context, DetectConfig, Detector};
use riskgraph_domain::event::{Event, EventKind};
use riskgraph_domain::signal::Signal;
use riskgraph_domain::time::{DAY_MS, HOUR_MS};
use riskgraph_domain::{Severity, Timestamp};
use riskgraph_lab::{DayFlavour, Detail, Labelled, Role, ScenarioId, Shop, ShopOptions};

/// The detectors, each timed.
#[derive(Clone)]
struct Judges {
    integration: Integration,
    enumeration: Enumeration,
    scanning: Scanning,
    scraping: Scraping,
    spent: BTreeMap<&'static str, (Duration, u64)>,
}

impl Judges {
    fn new(config: &DetectConfig) -> Self {
        Self {
            integration: Integration::new(&config.integration),
            enumeration: Enumeration::new(&config.enumeration),
            scanning: Scanning::new(&config.scanning),
            scraping: Scraping::new(&config.scraping),
            spent: BTreeMap::new(),
        }
    }

    /// Shows the events to each detector in turn; gives all signals.
    fn observe(&mut self, events: &[Event]) -> Vec<Signal> {
        let mut signals = Vec::new();
        let Self { integration, enumeration, scanning, scraping, spent } = self;
        let all: [&mut dyn Detector; 4] = [integration, enumeration, scanning, scraping];
        for (place, detector) in all.into_iter().enumerate() {
            let sees = |kind: EventKind| match kind {
                EventKind::HttpRequest => true,
                EventKind::ApiCall => place < 2,
                EventKind::DataAccess | EventKind::AuthLogin | EventKind::OrderCreated => place == 1,
                _ => false,
            };
            let begun = Instant::now();
            let mut n = 0;
            for event in events.iter().filter(|event| sees(event.kind)) {
                let context = Context { position: Default::default(), accepted_at: event.time, now: event.time };
                detector.observe(event, &context, &mut signals);
                n += 1;
            }
            let entry = spent.entry(detector.name()).or_default();
            (entry.0, entry.1) = (entry.0 + begun.elapsed(), entry.1 + n);
        }
        signals
    }
}

fn describe(signal: &Signal) -> String {
    let reasons: Vec<String> = signal
        .reasons
        .iter()
        .map(|reason| format!("{:.2} {} ({})", reason.weight, reason.text, reason.observed.as_deref().unwrap_or("-")))
        .collect();
    format!("{} {:?} {:.2} {}: {}", signal.occurred_at, signal.severity, signal.score, signal.title, reasons.join("; "))
}

fn events(labelled: Vec<Labelled>) -> Vec<Event> {
    labelled.into_iter().map(|labelled| labelled.event).collect()
}

/// Plays the story on a copy of the detectors and tells when each severity was reached.
fn story(judges: &Judges, shop: &Shop, id: ScenarioId, role: Role, at: Timestamp) {
    let played = match role {
        Role::Attack => shop.scenario(id, at, 1.0),
        _ => shop.twin(id, at, 1.0),
    };
    let played = events(played);
    let calls: Vec<&Event> = played.iter().filter(|event| event.http.is_some()).collect();
    let Some(first) = calls.first().map(|event| event.time) else { return };
    let signals = judges.clone().observe(&played);
    let mut reached = BTreeMap::<Severity, i64>::new();
    for signal in &signals {
        let after_s = (signal.occurred_at - first) / 1_000;
        let entry = reached.entry(signal.severity).or_insert(after_s);
        *entry = (*entry).min(after_s);
    }
    let last_s = (calls.last().map_or(first, |event| event.time) - first) / 1_000;
    println!("    {id} {role:?} {} requests in {last_s} s: {reached:?}", calls.len());
    let worst = signals.iter().max_by(|a, b| a.score.total_cmp(&b.score));
    if let Some(worst) = worst {
        println!("        {}", describe(worst));
    }
}

fn play(config: &DetectConfig, days: u32, options: ShopOptions) {
    println!("seed {}, {} events a day, {:?}", options.seed, options.events_per_day, options.detail);
    let mut shop = Shop::new(options);
    let mut judges = Judges::new(config);
    let mut counts = BTreeMap::<(String, Severity), u32>::new();
    for day in 0..days {
        let flavour = DayFlavour::ALL[if day % 4 == 3 { day as usize / 4 % DayFlavour::ALL.len() } else { 0 }];
        let played = events(shop.day(day, flavour).collect());
        for signal in judges.observe(&played) {
            *counts.entry((signal.detector.to_string(), signal.severity)).or_default() += 1;
            println!("  day {day} {flavour:?} {}", describe(&signal));
        }
    }
    println!("  counts {counts:?}");
    let midnight = shop.midnight(days);
    for id in [ScenarioId::S4, ScenarioId::S7, ScenarioId::S11] {
        for step in 0..4 {
            story(&judges, &shop, id, Role::Attack, midnight + (2 + 5 * step) * HOUR_MS);
        }
        story(&judges, &shop, id, Role::Twin, midnight + 9 * HOUR_MS + DAY_MS / 24);
    }
    for (name, (spent, n)) in &judges.spent {
        println!("  {name}: {:.2} us an event of its kinds ({n})", spent.as_secs_f64() * 1e6 / (*n).max(1) as f64);
    }
}

fn main() {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    let Ok(config) = DetectConfig::shipped() else { return };
    let days = numbers.first().copied().unwrap_or(14) as u32;
    for &seed in numbers.get(1..).filter(|seeds| !seeds.is_empty()).unwrap_or(&[1]) {
        play(&config, days, ShopOptions::varied(seed));
        play(&config, days, ShopOptions { seed, events_per_day: 30_000, n_users: 3_000, ..ShopOptions::default() });
        play(&config, days, ShopOptions { detail: Detail::Bare, ..ShopOptions::varied(seed + 1_000) });
    }
}
