//! Measures the store: `cargo run --release -p riskgraph-store --example measure -- URL`.
//!
//! Appends batches of 500 events of some 400 bytes from one, eight and 32 callers, reads them back, then loads a graph in
//! deltas and reads it back. It must not be run on a database that holds anything.

#![expect(clippy::expect_used, reason = "a measurement that cannot go on should stop")]

use std::time::{Duration, Instant};

use riskgraph_domain::graph::{Entity, EntityKey, EntityKind, Relation, RelationKind};
use riskgraph_domain::journal::{Batch, Position};
use riskgraph_domain::ports::Delta;
use riskgraph_domain::time::Timestamp;
use riskgraph_store::{Store, StoreOptions};

const RECORDS_A_BATCH: u32 = 500;
const BATCHES: usize = 1_200;
const N_ENTITIES: u64 = 300_000;
const N_RELATIONS: u64 = 900_000;
const ROWS_A_DELTA: u64 = 50_000;

fn main() {
    let url = std::env::args().nth(1).expect("give the URL of an empty database");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let store = Store::open(StoreOptions::new(url)).await.expect("the store opens");
        journal(&store).await;
        graph(&store).await;
        store.close().await.expect("closes");
    });
}

/// A cheap sequence of numbers that compresses badly, so that lines are as different as real ones.
fn scramble(n: u64) -> u64 {
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb)
}

fn batch(n: u64) -> Batch {
    let mut lines = String::new();
    let mut identities = Vec::new();
    for k in 0..u64::from(RECORDS_A_BATCH) {
        let x = scramble(n * 1_000_003 + k);
        identities.push(x);
        lines.push_str(&format!(
            "{{\"id\":\"{x:016x}\",\"time\":{},\"kind\":\"http.request\",\"source\":\"edge-{}\",\"outcome\":\"success\",\
             \"actor\":{{\"user\":\"customer-{}\",\"session\":\"{:012x}\"}},\"client\":{{\"ip\":\"{}.{}.{}.{}\",\
             \"user_agent\":\"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/1{}.0 Safari/537.36\",\"asn\":{},\
             \"country\":\"DE\"}},\"http\":{{\"method\":\"GET\",\"host\":\"shop.example\",\"path\":\"/product/{}\",\
             \"status\":200,\"bytes_out\":{},\"duration_ms\":{}}}}}\n",
            1_772_438_401_120 + k, x % 4, x % 100_000, x >> 16, x >> 56, (x >> 48) & 255, (x >> 40) & 255,
            (x >> 32) & 255, x % 40, x % 60_000, x % 5_000, x % 90_000, x % 900,
        ));
    }
    Batch { accepted_at: Timestamp(1), n_records: RECORDS_A_BATCH, lines: lines.into_bytes(), identities }
}

async fn journal(store: &Store) {
    let batches: Vec<Batch> = (0..BATCHES as u64).map(batch).collect();
    let line = batches[0].lines.len() / RECORDS_A_BATCH as usize;
    for n_callers in [1, 8, 32] {
        let begin = Instant::now();
        let callers: Vec<_> = (0..n_callers)
            .map(|caller| {
                let own: Vec<Batch> = batches.iter().skip(caller).step_by(n_callers).cloned().collect();
                let journal = store.journal();
                tokio::spawn(async move {
                    let mut waits = Vec::with_capacity(own.len());
                    for batch in own {
                        let sent = Instant::now();
                        journal.append(batch).await.expect("appends");
                        waits.push(sent.elapsed());
                    }
                    waits
                })
            })
            .collect();
        let mut waits = Vec::new();
        for caller in callers {
            waits.extend(caller.await.expect("no panic"));
        }
        let rate = rate(BATCHES as u64 * u64::from(RECORDS_A_BATCH), begin);
        waits.sort_unstable();
        let (p50, p99) = (waits[waits.len() / 2], waits[waits.len() * 99 / 100]);
        println!(
            "journal: {n_callers} callers, {line} B an event: {rate:.0} events/s, append p50 {p50:.1?} p99 {p99:.1?}"
        );
    }
    let begin = Instant::now();
    let (mut after, mut n_read) = (Position(0), 0);
    loop {
        let read = store.journal().read_after(after, 20_000).await.expect("reads");
        let Some(last) = read.last() else { break };
        after = Position(last.first.0 + u64::from(last.batch.n_records) - 1);
        n_read += read.iter().map(|stored| u64::from(stored.batch.n_records)).sum::<u64>();
    }
    let size = store.journal().size_bytes().await.expect("a size");
    println!("journal: read back {:.0} events/s; {} B an event on disk", rate(n_read, begin), size / n_read);
    let begin = Instant::now();
    let n_identities = store.journal().recent_identities(1_000_000).await.expect("reads").len();
    println!("journal: {n_identities} identities in {:.1?}", begin.elapsed());
}

async fn graph(store: &Store) {
    let key = |n: u64| EntityKey::new(EntityKind::User, format!("customer-{n}"));
    let mut position = 0;
    let mut next = || {
        position += 1;
        Position(position)
    };
    let mut spent = Duration::ZERO;
    for from in (0..N_ENTITIES).step_by(ROWS_A_DELTA as usize) {
        let entities = (from..from + ROWS_A_DELTA).map(|n| entity(key(n))).collect();
        let delta = Delta { position: next(), entities, ..Delta::default() };
        let begin = Instant::now();
        store.state().apply(delta).await.expect("applies");
        spent += begin.elapsed();
    }
    println!("state: {:.0} entities/s", N_ENTITIES as f64 / spent.as_secs_f64());
    for (round, last_seen) in [("new", Timestamp(2)), ("changed", Timestamp(3)), ("again changed", Timestamp(4))] {
        let mut spent = Duration::ZERO;
        for from in (0..N_RELATIONS).step_by(ROWS_A_DELTA as usize) {
            let relations = (from..from + ROWS_A_DELTA)
                .map(|n| Relation { last_seen, ..relation(key(n % N_ENTITIES), key(scramble(n) % N_ENTITIES)) })
                .collect();
            let delta = Delta { position: next(), relations, ..Delta::default() };
            let begin = Instant::now();
            store.state().apply(delta).await.expect("applies");
            spent += begin.elapsed();
        }
        println!("state: {:.0} {round} relations/s", N_RELATIONS as f64 / spent.as_secs_f64());
    }
    let begin = Instant::now();
    let (mut after, mut n_read) = (None, 0_u64);
    loop {
        let read = store.state().load_relations(after, 10_000).await.expect("reads");
        let Some(last) = read.last() else { break };
        after = Some(last.id);
        n_read += read.len() as u64;
    }
    println!("state: {n_read} relations read back, {:.0} a second", rate(n_read, begin));
    let begin = Instant::now();
    store
        .state()
        .save_checkpoint(Position(1), (0..8_000_000_u64).flat_map(|n| (n % 999).to_le_bytes()).collect())
        .await
        .expect("saves");
    println!("state: a checkpoint of 64 MB in {:.1?}", begin.elapsed());
}

fn entity(key: EntityKey) -> Entity {
    Entity {
        id: key.id(),
        kind: key.kind,
        name: key.key.clone(),
        key: key.key,
        attributes: serde_json::json!({"country": "DE"}),
        first_seen: Timestamp(1),
        last_seen: Timestamp(2),
    }
}

fn relation(from: EntityKey, to: EntityKey) -> Relation {
    let (from, to) = (from.id(), to.id());
    let kind = RelationKind::UsedDevice;
    Relation {
        id: Relation::id_of(kind, from, to),
        kind,
        from,
        to,
        first_seen: Timestamp(1),
        last_seen: Timestamp(2),
        confidence: 1.0,
        source: "events".into(),
    }
}

fn rate(n: u64, begin: Instant) -> f64 {
    n as f64 / begin.elapsed().as_secs_f64()
}
