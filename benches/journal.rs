//! Appending to the journal: records made durable each second, by how many senders wait at once.

#![expect(clippy::expect_used, reason = "a bench that cannot go on should panic")]

use std::sync::Arc;
use std::time::Instant;

use riskgraph::config::Config;
use riskgraph_domain::Timestamp;
use riskgraph_domain::journal::Batch;
use riskgraph_store::Store;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[path = "support/bodies.rs"]
mod bodies;
#[path = "support/percentile.rs"]
mod percentile;
#[path = "support/traffic.rs"]
mod traffic;

/// Wall time of one measurement, seconds.
const SECONDS: f64 = 3.0;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let events = traffic::traffic(10_000);
    println!(
        "journal append, durable (one sync a group commit)\n{:>8} {:>8} {:>14} {:>12} {:>12}",
        "batch", "senders", "records/s", "p50 ms", "p99 ms"
    );
    for (batch, senders) in [(1, 1), (1, 64), (100, 1), (500, 1), (500, 8), (2_000, 4)] {
        let dir = tempfile::tempdir().expect("dir");
        let mut config = Config::load(None).expect("configuration");
        config.store.data_dir = dir.path().to_owned();
        let store = Store::open(riskgraph::app::store_options(&config)).await.expect("store");
        let journal = store.journal();
        let bodies = Arc::new(bodies::bodies(&events, batch, ""));
        let start = Instant::now();
        let mut tasks = Vec::new();
        for sender in 0..senders {
            let (journal, bodies) = (Arc::clone(&journal), Arc::clone(&bodies));
            tasks.push(tokio::spawn(async move {
                let mut waits = Vec::new();
                let mut n = 0_u64;
                for number in sender.. {
                    if start.elapsed().as_secs_f64() > SECONDS {
                        break;
                    }
                    let lines = bodies[number % bodies.len()].clone();
                    let identities = (0..batch as u64).map(|i| (number as u64) << 20 | i).collect();
                    let one = Instant::now();
                    let batch = Batch { accepted_at: Timestamp(0), n_records: batch as u32, lines, identities };
                    n += u64::from(batch.n_records);
                    journal.append(batch).await.expect("append");
                    waits.push(one.elapsed().as_secs_f64() * 1e3);
                }
                (n, waits)
            }));
        }
        let (mut n, mut waits) = (0, Vec::new());
        for task in tasks {
            let (n_one, waits_one) = task.await.expect("sender");
            n += n_one;
            waits.extend(waits_one);
        }
        let rate = n as f64 / start.elapsed().as_secs_f64();
        println!(
            "{batch:>8} {senders:>8} {rate:>14.0} {:>12.2} {:>12.2}",
            percentile::percentile(&mut waits, 0.5),
            percentile::percentile(&mut waits, 0.99)
        );
    }
}
