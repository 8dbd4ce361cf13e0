//! One thread: decoding, masking and judging an event, part by part.

#![expect(clippy::expect_used, reason = "a bench that cannot go on should panic")]

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use riskgraph_analysis::detect::{Context, DetectConfig, Detectors};
use riskgraph_analysis::policy::PolicyConfig;
use riskgraph_analysis::spread::RiskConfig;
use riskgraph_analysis::stage::Stage;
use riskgraph_analysis::{mask, normalise};
use riskgraph_domain::event::Event;
use riskgraph_domain::journal::Position;
use riskgraph_domain::ports::Delta;
use riskgraph_domain::time::Clock as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[path = "support/traffic.rs"]
mod traffic;

/// Events of one run: half a normal day.
const EVENTS: usize = 20_000;

fn main() {
    divan::main();
}

fn lines(events: &[Event]) -> Vec<Vec<u8>> {
    events.iter().map(|event| serde_json::to_vec(event).expect("events write")).collect()
}

#[divan::bench]
fn decode(bencher: Bencher<'_, '_>) {
    let lines = lines(&traffic::traffic(EVENTS));
    let now = riskgraph::clock::SystemClock.now();
    let bytes: usize = lines.iter().map(Vec::len).sum();
    bencher
        .counter(ItemsCount::new(EVENTS))
        .counter(BytesCount::new(bytes))
        .bench(|| lines.iter().filter(|line| normalise::decode_line(line, now).is_ok()).count());
}

#[divan::bench]
fn masking(bencher: Bencher<'_, '_>) {
    let events = traffic::traffic(EVENTS);
    bencher
        .counter(ItemsCount::new(EVENTS))
        .with_inputs(|| events.clone())
        .bench_refs(|events| events.iter_mut().map(mask::mask_event).sum::<u32>());
}

#[divan::bench]
fn detect(bencher: Bencher<'_, '_>) {
    let events = traffic::traffic(EVENTS);
    let config = DetectConfig::shipped().expect("shipped");
    let now = riskgraph::clock::SystemClock.now();
    bencher.counter(ItemsCount::new(EVENTS)).with_inputs(|| Detectors::new(&config)).bench_refs(|detectors| {
        let mut signals = Vec::new();
        for (place, event) in events.iter().enumerate() {
            let context = Context { position: Position(place as u64 + 1), accepted_at: now, now };
            detectors.observe(event, &context, &mut signals);
            signals.clear();
        }
    });
}

#[divan::bench]
fn decode_detect_and_graph(bencher: Bencher<'_, '_>) {
    let lines = lines(&traffic::traffic(EVENTS));
    let config = DetectConfig::shipped().expect("shipped");
    let risk = RiskConfig::defaults().expect("shipped");
    let policy = PolicyConfig::shipped().expect("shipped");
    let now = riskgraph::clock::SystemClock.now();
    let fresh = || (Detectors::new(&config), Stage::new(&risk, &policy));
    bencher.counter(ItemsCount::new(EVENTS)).with_inputs(fresh).bench_refs(|(detectors, stage)| {
        let mut delta = Delta::default();
        for (place, line) in lines.iter().enumerate() {
            let Ok(mut event) = normalise::decode_line(line, now) else { continue };
            mask::mask_event(&mut event);
            let context = Context { position: Position(place as u64 + 1), accepted_at: now, now };
            let mut signals = Vec::new();
            detectors.observe(&event, &context, &mut signals);
            stage.on_event(&event, signals, &context, &mut delta);
        }
    });
}
