//! A process that is killed loses nothing that it acknowledged.
//!
//! The test starts this very program again as a child that writes as fast as it can and says what was acknowledged,
//! kills it (SIGKILL) and looks at what is there. The files are the same in every round.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on should panic")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use riskgraph_domain::graph::{Entity, EntityKey, EntityKind};
use riskgraph_domain::journal::{Batch, Position};
use riskgraph_domain::ports::Delta;
use riskgraph_domain::time::Timestamp;
use riskgraph_store::{Store, StoreOptions};

/// Set for the child: the folder of its store.
const FOLDER: &str = "RISKGRAPH_CRASH_FOLDER";
/// Acknowledgements after which the child is killed, one round each.
const ROUNDS: [usize; 6] = [1, 3, 10, 40, 150, 400];
/// Entities of every delta.
const N_ENTITIES: u64 = 300;

fn options(folder: &Path) -> StoreOptions {
    StoreOptions::new(format!("sqlite://{}/rg.db", folder.display()))
}

fn batch(name: &str) -> Batch {
    let n_records = 1 + (name.len() % 3) as u32;
    let lines = format!("{{\"name\":\"{name}\"}}\n").repeat(n_records as usize).into_bytes();
    Batch { accepted_at: Timestamp(1), n_records, lines, identities: vec![7; n_records as usize] }
}

fn entity(position: u64, n: u64) -> Entity {
    let key = EntityKey::new(EntityKind::User, format!("{position}-{n}"));
    let at = Timestamp(position as i64);
    let attributes = serde_json::json!({});
    Entity {
        id: key.id(),
        kind: key.kind,
        name: key.key.clone(),
        key: key.key,
        attributes,
        first_seen: at,
        last_seen: at,
    }
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // The parent may have gone; then so should we.
    writeln!(out, "{line}").and_then(|()| out.flush()).expect("the parent listens");
}

/// The child's life. Does nothing when it is not the child.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writer() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let store = Store::open(options(Path::new(&folder))).await.expect("opens");
    let begin = store.journal().end().await.expect("reads").0;
    for task in 0..8 {
        let journal = store.journal();
        tokio::spawn(async move {
            for n in 0.. {
                let name = format!("{begin}.{task}.{n}");
                let last = journal.append(batch(&name)).await.expect("appends");
                say(&format!("ack {last} {name}"));
            }
        });
    }
    let mut position = store.state().applied().await.expect("reads").0;
    loop {
        position += 1;
        let entities = (0..N_ENTITIES).map(|n| entity(position, n)).collect();
        let delta = Delta { position: Position(position), entities, ..Delta::default() };
        store.state().apply(delta).await.expect("applies");
        say(&format!("applied {position}"));
    }
}

/// Runs a child until it has said this much; what it said is added.
fn round(folder: &Path, n_acks: usize, acks: &mut BTreeMap<u64, String>, applied: &mut u64) {
    let program = std::env::current_exe().expect("our own file");
    let mut child: Child = Command::new(program)
        .args(["--exact", "writer", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut left = n_acks;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        // The last line may be half.
        let Ok(line) = line else { break };
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["ack", last, name] => {
                acks.insert(last.parse().unwrap(), name.to_owned());
                left = left.saturating_sub(1);
                if left == 0 {
                    child.kill().expect("dies");
                }
            }
            ["applied", position] => *applied = position.parse().unwrap(),
            _ => {}
        }
    }
    child.wait().expect("is dead");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_loses_nothing_it_acknowledged() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut acks, mut said) = (BTreeMap::new(), 0);
    for n_acks in ROUNDS {
        round(folder.path(), n_acks, &mut acks, &mut said);
        let store = Store::open(options(folder.path())).await.expect("opens");
        let mut kept = BTreeMap::new();
        let mut after = Position(0);
        loop {
            let read = store.journal().read_after(after, 10_000).await.expect("reads");
            if read.is_empty() {
                break;
            }
            for stored in read {
                assert_eq!(stored.first.0, after.0 + 1, "a gap");
                after = Position(after.0 + u64::from(stored.batch.n_records));
                kept.insert(after.0, stored.batch);
            }
        }
        for (last, name) in &acks {
            assert_eq!(kept.get(last), Some(&batch(name)), "acknowledged, {n_acks} in this round");
        }
        let applied = store.state().applied().await.expect("reads").0;
        assert!(applied == said || applied == said + 1, "{applied} is applied, {said} was said");
        let entities = store.state().load_entities(None, usize::MAX >> 1).await.expect("reads");
        assert_eq!(entities.len() as u64, applied * N_ENTITIES, "deltas are whole");
        // What was not said but is there counts from now on, as it would for the service.
        said = applied;
        store.close().await.expect("closes");
    }
    assert!(acks.len() >= ROUNDS.iter().sum());
}
