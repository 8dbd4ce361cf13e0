//! The whole way over HTTP: events each second until durable and judged, and the delay from an accepted event to the push
//! of its alert to a subscriber, while the service is under load.

#![expect(clippy::expect_used, reason = "a bench that cannot go on should panic")]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use riskgraph_domain::ports::Live as _;
use riskgraph_domain::time::Clock as _;
use serde_json::json;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[path = "support/bodies.rs"]
mod bodies;
#[path = "support/percentile.rs"]
mod percentile;
#[path = "support/service.rs"]
mod service;
#[path = "support/traffic.rs"]
mod traffic;

/// Events of the throughput run.
const EVENTS: usize = 1_000_000;
/// Events in one request.
const BATCH: usize = 1_000;
/// Senders at once.
const SENDERS: usize = 4;
/// Load under which the delay is measured, events/s.
const LOAD: usize = 10_000;
/// Alerts raised to measure the delay; one every 50 ms.
const PROBES: usize = 400;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    throughput().await;
    delay().await;
}

async fn throughput() {
    let dir = tempfile::tempdir().expect("dir");
    let service = Arc::new(service::Service::start(dir.path()).await);
    let events = traffic::traffic(EVENTS);
    let bodies = Arc::new(parking_lot::Mutex::new(bodies::bodies(&events, BATCH, "t")));
    let bytes: usize = bodies.lock().iter().map(Vec::len).sum();
    drop(events);
    bodies.lock().reverse();
    let start = Instant::now();
    let senders: Vec<_> = (0..SENDERS)
        .map(|_| {
            let (service, bodies) = (Arc::clone(&service), Arc::clone(&bodies));
            tokio::spawn(async move {
                let mut waits = 0;
                loop {
                    let Some(body) = bodies.lock().pop() else { return waits };
                    waits += service.send(body).await;
                }
            })
        })
        .collect();
    let mut waits = 0;
    for sender in senders {
        waits += sender.await.expect("sender");
    }
    let durable = start.elapsed();
    service.wait_judged().await;
    let judged = start.elapsed();
    println!(
        "HTTP ingest: {EVENTS} events ({} MB) of {BATCH} a request, {SENDERS} senders\n  durable {:.0} events/s, durable and judged {:.0} events/s, {waits} times 429, {:.0} MB resident",
        bytes >> 20,
        EVENTS as f64 / durable.as_secs_f64(),
        EVENTS as f64 / judged.as_secs_f64(),
        riskgraph::demo::summary::resident_mb(),
    );
}

/// A key's leak opens an alert on the key. The probes share no source and no address, or they would fold into one alert:
/// each is one event and one change of its own.
fn probe(number: usize, at: i64) -> (String, Vec<u8>) {
    let key = format!("ak_probe{number:06}");
    let leak = json!({"id": format!("leak-{number}"), "time": at, "kind": "leak.record", "object": {"type": "api_key"},
        "labels": {"kind": "api_key", "prefix": key, "source": format!("paste-{number}")}});
    (key, leak.to_string().into_bytes())
}

async fn delay() {
    let dir = tempfile::tempdir().expect("dir");
    let service = Arc::new(service::Service::start(dir.path()).await);
    let now = riskgraph::clock::SystemClock.now().0;
    let known: String = (0..PROBES)
        .map(|number| {
            json!({"id": format!("call-{number}"), "time": now - 60_000, "kind": "api.call", "outcome": "success",
                "actor": {"integration": format!("probe{number:06}"), "key": format!("ak_probe{number:06}")},
                "client": {"ip": format!("203.0.{}.{}", number / 250, number % 250 + 1)}, "http": {"method": "GET", "route": "/v1/orders", "status": 200}})
            .to_string()
                + "\n"
        })
        .collect();
    service.send(known.into_bytes()).await;
    service.wait_judged().await;
    let load = spawn_load(Arc::clone(&service));
    let mut stream = service.app.live.alerts(None).await.expect("stream");
    let mut sent: HashMap<String, (Instant, Instant)> = HashMap::new();
    let mut arrived: HashMap<String, Instant> = HashMap::new();
    let receiver = tokio::spawn(async move {
        while arrived.len() < PROBES {
            let Ok(Some(live)) = tokio::time::timeout(Duration::from_secs(10), stream.next()).await else { break };
            for entity in live.event.alert.entities.iter().filter(|entity| entity.key.starts_with("ak_probe")) {
                arrived.entry(entity.key.to_string()).or_insert_with(Instant::now);
            }
        }
        arrived
    });
    let mut ticker = tokio::time::interval(Duration::from_millis(50));
    for number in 0..PROBES {
        ticker.tick().await;
        let (key, body) = probe(number, now);
        let before = Instant::now();
        service.send(body).await;
        sent.insert(key, (before, Instant::now()));
    }
    let arrived = receiver.await.expect("receiver");
    load.abort();
    let since = |pick: fn(&(Instant, Instant)) -> Instant| -> Vec<f64> {
        sent.iter()
            .filter_map(|(key, times)| {
                Some(arrived.get(key)?.saturating_duration_since(pick(times)).as_secs_f64() * 1e3)
            })
            .collect()
    };
    let (mut from_sent, mut from_accepted) = (since(|times| times.0), since(|times| times.1));
    println!(
        "delay at {LOAD} events/s, {} of {PROBES} probes seen\n  from accepted (acknowledged) to push: p50 {:.1} ms, p99 {:.1} ms\n  from sending to push: p50 {:.1} ms, p99 {:.1} ms",
        arrived.len(),
        percentile::percentile(&mut from_accepted, 0.5),
        percentile::percentile(&mut from_accepted, 0.99),
        percentile::percentile(&mut from_sent, 0.5),
        percentile::percentile(&mut from_sent, 0.99),
    );
}

/// Sends background traffic at a steady rate until aborted.
fn spawn_load(service: Arc<service::Service>) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        let events = traffic::traffic(LOAD * 30);
        let per_tick = LOAD / 20;
        let mut ticker = tokio::time::interval(Duration::from_millis(50));
        for body in bodies::bodies(&events, per_tick, "l") {
            ticker.tick().await;
            let service = Arc::clone(&service);
            tokio::spawn(async move { service.send(body).await });
        }
    })
}
