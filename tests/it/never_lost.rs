//! Kills at random moments: nothing acknowledged is lost, nothing is judged or told twice.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures::StreamExt as _;
use riskgraph_domain::Timestamp;
use riskgraph_lab::{ScenarioId, Shop, ShopOptions};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use crate::support::client::Client;
use crate::support::server::Server;

/// Times the service is killed.
const KILLS: u64 = 50;
/// Events sent at once.
const BATCH: usize = 60;

const SUBSCRIPTION: &str =
    "subscription($after: String) { alerts(after: $after) { cursor change lagged alert { id count severity } } }";
const ALERTS: &str = "query($after: String) { alerts(first: 100, after: $after) { edges { node { id title summary severity score \
    status count openedAt updatedAt recommendations entities { key } path { kind from { key } to { key } } } } \
    pageInfo { hasNextPage endCursor } } }";
const SIGNALS: &str = "query($after: String) { signals(first: 100, after: $after) { edges { node { id detector score severity } } \
    pageInfo { hasNextPage endCursor } } }";

/// One change a subscriber saw: cursor, change, alert, count.
type Seen = (u64, String, String, i64);

/// What a service says at the end.
#[derive(Debug, PartialEq)]
struct End {
    alerts: Vec<Value>,
    signals: BTreeSet<String>,
    position: u64,
}

/// The input: an attack day small enough for a debug build, big enough that kills fall everywhere.
fn batches() -> Vec<Vec<u8>> {
    let start = Timestamp::parse_rfc3339("2026-05-04T06:00:00Z").expect("time");
    let shop = Shop::new(ShopOptions { seed: 11, start, ..ShopOptions::default() });
    let mut events = shop.scenario(ScenarioId::S1, start, 0.15);
    events.extend(shop.scenario(ScenarioId::S2, start + 600_000, 0.3));
    events.extend(shop.scenario(ScenarioId::S11, start, 0.3));
    events.sort_by_key(|labelled| labelled.event.time);
    events
        .chunks(BATCH)
        .map(|chunk| {
            let mut body = Vec::new();
            for labelled in chunk {
                serde_json::to_writer(&mut body, &labelled.event).expect("writes");
                body.push(b'\n');
            }
            body
        })
        .collect()
}

/// Sends every batch until it is acknowledged; after a kill the same batch goes to the next process.
async fn send_all(batches: Arc<Vec<Vec<u8>>>, mut target: watch::Receiver<Option<Client>>, accepted: Arc<AtomicU64>) {
    for batch in batches.iter() {
        loop {
            let client = target.borrow_and_update().clone();
            let Some(client) = client else {
                target.changed().await.expect("the target lives");
                continue;
            };
            match client.try_post("/v1/events", &[], batch.clone()).await {
                Ok(answer) if answer.status == 200 => {
                    let taken = |name: &str| answer.body[name].as_u64().expect("a count");
                    assert_eq!(answer.body["rejected"], json!([]), "{}", answer.body);
                    accepted.fetch_add(taken("accepted") + taken("duplicates"), Ordering::Relaxed);
                    break;
                }
                Ok(answer) => assert!(matches!(answer.status, 429 | 500 | 503), "{answer:?}"),
                Err(_) => {}
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Follows the alert sequence across kills, resuming after the last cursor seen.
async fn follow(mut target: watch::Receiver<Option<Client>>, seen: mpsc::Sender<Seen>) {
    let mut cursor: Option<String> = Some("0".to_owned());
    loop {
        let client = target.borrow_and_update().clone();
        let Some(client) = client else {
            if target.changed().await.is_err() {
                return;
            }
            continue;
        };
        if let Ok(mut stream) = client.subscribe(SUBSCRIPTION, json!({ "after": cursor })).await {
            loop {
                let payload = tokio::select! {
                    payload = stream.next() => payload,
                    changed = target.changed() => if changed.is_err() { return } else { None },
                };
                let Some(payload) = payload else { break };
                let event = &payload["data"]["alerts"];
                assert_eq!(event["lagged"], 0, "{payload}");
                let text = event["cursor"].as_str().expect("a cursor").to_owned();
                let entry = (
                    text.parse().expect("the cursor is the sequence number"),
                    event["change"].as_str().unwrap_or_default().to_owned(),
                    event["alert"]["id"].as_str().unwrap_or_default().to_owned(),
                    event["alert"]["count"].as_i64().unwrap_or_default(),
                );
                cursor = Some(text);
                if seen.send(entry).await.is_err() {
                    return;
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Kills and restarts until all kills are done and all batches are sent.
async fn disturb(
    dir: &Path,
    target: &watch::Sender<Option<Client>>,
    token: &str,
    first: Server,
    sent: &AtomicBool,
) -> Server {
    let mut server = first;
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut kills = 0;
    while kills < KILLS || !sent.load(Ordering::Acquire) {
        // xorshift: the moments need no quality, only variety.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        tokio::time::sleep(Duration::from_millis(random % 400)).await;
        if kills >= KILLS {
            continue;
        }
        target.send_replace(None);
        server.kill().await;
        kills += 1;
        server = Server::start(dir).await;
        assert!(server.first_token.is_none(), "only the first start prints a token");
        target.send_replace(Some(Client::new(&server.url, token)));
    }
    assert!(kills >= KILLS);
    server
}

/// All nodes of a paged list.
async fn all(client: &Client, query: &str, list: &str) -> Vec<Value> {
    let mut nodes = Vec::new();
    let mut after = Value::Null;
    loop {
        let data = client.graphql(query, json!({ "after": after })).await;
        let page = &data[list];
        nodes.extend(page["edges"].as_array().expect("edges").iter().map(|edge| edge["node"].clone()));
        if page["pageInfo"]["hasNextPage"] != true {
            return nodes;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

async fn end_of(client: &Client) -> End {
    client.wait_judged().await;
    let mut alerts = all(client, ALERTS, "alerts").await;
    alerts.sort_by_key(|alert| alert["id"].to_string());
    let signals = all(client, SIGNALS, "signals").await;
    let unique: BTreeSet<String> = signals.iter().map(Value::to_string).collect();
    assert_eq!(unique.len(), signals.len(), "no signal is there twice");
    let probe = json!({"time": "2026-05-04T06:00:00Z", "kind": "log.line", "id": "probe"}).to_string();
    let position = client.post("/v1/events", probe).await.body["position"].as_str().and_then(|text| text.parse().ok());
    End { alerts, signals: unique, position: position.expect("a position") }
}

struct Run {
    end: End,
    seen: Vec<Seen>,
    accepted: u64,
}

/// What playbooks write on alerts comes when they are done, not in the order of the input that is compared here.
async fn without_playbooks(client: &Client) {
    let data = client.graphql("{ playbooks(first: 100) { edges { node { id enabled } } } }", json!({})).await;
    for edge in data["playbooks"]["edges"].as_array().expect("edges") {
        let off = "mutation($id: ID!) { setPlaybookEnabled(id: $id, enabled: false) { enabled } }";
        client.graphql(off, json!({ "id": edge["node"]["id"] })).await;
    }
}

async fn run(dir: PathBuf, batches: Arc<Vec<Vec<u8>>>, kills: Kills) -> Run {
    let server = Server::start(&dir).await;
    let token = server.first_token.clone().expect("a first start prints a token");
    without_playbooks(&Client::new(&server.url, &token)).await;
    let (target, watched) = watch::channel(Some(Client::new(&server.url, &token)));
    let (seen_in, mut seen_out) = mpsc::channel(100_000);
    let accepted = Arc::new(AtomicU64::new(0));
    let sent = Arc::new(AtomicBool::new(false));
    let sender = tokio::spawn({
        let (watched, accepted, sent) = (watched.clone(), Arc::clone(&accepted), Arc::clone(&sent));
        async move {
            send_all(batches, watched, accepted).await;
            sent.store(true, Ordering::Release);
        }
    });
    let follower = tokio::spawn(follow(watched, seen_in));
    let server = match kills {
        Kills::None => server,
        Kills::Many => disturb(&dir, &target, &token, server, &sent).await,
    };
    sender.await.expect("every batch is acknowledged");
    let client = Client::new(&server.url, &token);
    let end = end_of(&client).await;
    let newest = crate::support::wait_for("the newest alert change", || async {
        let data = client.graphql("{ alerts(first: 100) { edges { node { id } } } }", json!({})).await;
        data["alerts"]["edges"].as_array().map(|edges| edges.len())
    })
    .await;
    assert!(newest > 0, "the attacks were seen");
    let mut seen: Vec<Seen> = Vec::new();
    // The stream is complete when nothing more comes for a while after everything was judged.
    while let Ok(Some(entry)) = tokio::time::timeout(Duration::from_secs(3), seen_out.recv()).await {
        seen.push(entry);
    }
    follower.abort();
    server.stop().await;
    Run { end, seen, accepted: accepted.load(Ordering::Relaxed) }
}

/// Whether the run is disturbed.
enum Kills {
    None,
    Many,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_lost_never_twice() {
    let batches = Arc::new(batches());
    let n_events = batches.iter().map(|batch| batch.iter().filter(|&&byte| byte == b'\n').count() as u64).sum::<u64>();
    let calm_dir = tempfile::tempdir().expect("dir");
    let calm = run(calm_dir.path().to_owned(), Arc::clone(&batches), Kills::None).await;
    let wild_dir = tempfile::tempdir().expect("dir");
    let wild = run(wild_dir.path().to_owned(), batches, Kills::Many).await;

    assert_eq!(calm.accepted, n_events);
    assert_eq!(wild.accepted, n_events, "every event was acknowledged");
    assert_eq!(calm.end.position, n_events + 1, "positions have no gaps: every event once, then the probe");
    assert_eq!(wild.end.position, n_events + 1, "no event is in the journal twice");
    assert!(!calm.end.signals.is_empty());
    assert_eq!(wild.end.signals, calm.end.signals, "the same signals");
    assert_eq!(wild.end.alerts, calm.end.alerts, "the same alerts");
    let numbers: Vec<u64> = wild.seen.iter().map(|(cursor, ..)| *cursor).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "each change exactly once, in order");
    assert_eq!(wild.seen, calm.seen, "the same changes in the same order");
}
