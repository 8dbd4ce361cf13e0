//! Receivers that fail, stall, redirect, drip, break off, flood, and come back.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;

use super::ground::Ground;
use crate::support::receiver::{Receiver, Reply, Seen};
use crate::support::wait_for;

/// Ids and bodies in order of arrival, repeats with the same id left out.
fn distinct(seen: &[Seen]) -> Vec<(String, Vec<u8>)> {
    let mut known: HashMap<String, Vec<u8>> = HashMap::new();
    let mut order = Vec::new();
    for one in seen {
        match known.get(&one.id()) {
            Some(body) => assert_eq!(body, &one.body, "a repeat has the same body"),
            None => {
                known.insert(one.id(), one.body.clone());
                order.push((one.id(), one.body.clone()));
            }
        }
    }
    order
}

#[tokio::test]
async fn bad_answers_are_tried_again_under_the_same_id() {
    let ground = Ground::start("timeout_s = 1").await;
    let bad: [Reply; 9] = [
        Reply::Status(500),
        Reply::With(302, "location: http://127.0.0.1:1/"),
        Reply::Stall,
        Reply::Drip,
        Reply::CloseInHead,
        Reply::Garbage,
        Reply::Status(404),
        Reply::With(503, "retry-after: 0"),
        Reply::With(429, "retry-after: 1"),
    ];
    for reply in bad {
        let receiver = Receiver::start().await;
        let told = reply.clone();
        receiver.answer(move |_, n| if n == 0 { told.clone() } else { Reply::Status(200) });
        let (channel, _) = ground.webhook(&receiver.url(), json!({ "filter": { "changes": ["OPENED"] } })).await;
        let alert = ground.alert(&format!("v{}", channel[4..].to_lowercase())).await;
        let seen = receiver.wait(2).await;
        assert_eq!(distinct(&seen).len(), 1, "{reply:?}");
        let receipt = wait_for("the receipt", || async {
            let all = ground.deliveries(&alert).await;
            all.into_iter().find(|one| one["channel"]["id"] == channel.as_str() && one["state"] == "DELIVERED")
        })
        .await;
        let attempts = receipt["attempts"].as_array().expect("attempts");
        assert_eq!(attempts.len(), 2, "{reply:?} {receipt}");
        assert!(attempts[0]["error"].is_string() && attempts[1]["error"].is_null(), "{reply:?} {receipt}");
        let remove = "mutation($id: ID!) { removeChannel(id: $id) }";
        ground.client.graphql(remove, json!({ "id": channel })).await;
    }
}

#[tokio::test]
async fn a_yes_is_a_yes_whatever_follows() {
    let ground = Ground::start("").await;
    for reply in [Reply::CloseInBody, Reply::Endless, Reply::Status(299)] {
        let receiver = Receiver::start().await;
        let told = reply.clone();
        receiver.answer(move |_, _| told.clone());
        let (channel, _) = ground.webhook(&receiver.url(), json!({})).await;
        assert_eq!(ground.test(&channel).await["state"], "DELIVERED", "{reply:?}");
        assert_eq!(receiver.seen().len(), 1, "{reply:?}");
    }
}

#[tokio::test]
async fn gone_and_long_failing_channels_are_disabled_and_keep_their_deliveries() {
    let ground = Ground::start("disable_after_s = 2").await;
    let receiver = Receiver::start().await;
    receiver.answer(|_, _| Reply::Status(410));
    let (gone, _) = ground.webhook(&receiver.url(), json!({})).await;
    let failing = Receiver::start().await;
    failing.answer(|_, _| Reply::Status(500));
    let (tired, _) = ground.webhook(&failing.url(), json!({})).await;
    let healthy = Receiver::start().await;
    ground.webhook(&healthy.url(), json!({})).await;
    let alert = ground.alert("acme").await;
    for (channel, why) in [(&gone, "410"), (&tired, "failing")] {
        let shown = wait_for("the channel to be disabled", || async {
            Some(ground.channel(channel).await).filter(|shown| shown["status"] == "DISABLED")
        })
        .await;
        assert!(shown["disabledReason"].as_str().unwrap_or_default().contains(why), "{shown}");
        assert!(shown["waiting"].as_u64() > Some(0), "{shown}");
    }
    // The channel that still speaks tells of both.
    healthy
        .wait_until("word of both", |seen| {
            let told = |id: &str| seen.iter().any(|one| one.body_has(id) && one.body_has("is disabled"));
            told(&gone) && told(&tired)
        })
        .await;
    ground.change(&alert, 2).await;
    receiver.answer(|_, _| Reply::Status(200));
    let n = receiver.seen().len();
    let enable = "mutation($id: ID!) { enableChannel(id: $id) { status disabledReason } }";
    let enabled = ground.client.graphql(enable, json!({ "id": gone })).await;
    assert_eq!(enabled["enableChannel"]["status"], "ACTIVE");
    let seen = receiver
        .wait_until("what was missed", |seen| seen.iter().any(|one| one.json()["alert"]["status"] == "RESOLVED"))
        .await;
    assert!(seen.len() > n);
    let sequences: Vec<u64> = distinct(&seen)
        .iter()
        // Word of the other channel's end has no place in the sequence.
        .filter_map(|(_, body)| serde_json::from_slice::<serde_json::Value>(body).expect("json")["sequence"].as_u64())
        .collect();
    assert!(sequences.len() > 1 && sequences.is_sorted(), "{sequences:?}");
}

#[tokio::test]
async fn a_dead_letter_lets_the_next_pass_and_can_be_sent_again() {
    let ground = Ground::start("schedule_s = [0, 0.1, 0.1]").await;
    let receiver = Receiver::start().await;
    receiver.answer(|seen, _| Reply::Status(if seen.json()["change"] == "OPENED" { 400 } else { 200 }));
    let (channel, _) = ground.webhook(&receiver.url(), json!({})).await;
    let alert = ground.alert("acme").await;
    ground.change(&alert, 2).await;
    let dead = wait_for("the dead letter and its followers", || async {
        let all = ground.deliveries(&alert).await;
        let done = all.iter().all(|one| one["state"] == "DELIVERED" || one["state"] == "DEAD");
        (all.len() > 1 && done).then(|| all.into_iter().find(|one| one["state"] == "DEAD"))?
    })
    .await;
    assert_eq!(dead["attempts"].as_array().map(Vec::len), Some(3), "{dead}");
    assert_eq!(ground.channel(&channel).await["dead"], 1);
    receiver.answer(|_, _| Reply::Status(200));
    let retry = "mutation($id: ID!) { retryDelivery(id: $id) { state } }";
    ground.client.graphql(retry, json!({ "id": dead["id"] })).await;
    wait_for("the dead letter's delivery", || async { (ground.channel(&channel).await["dead"] == 0).then_some(()) })
        .await;
}

#[tokio::test]
async fn a_slow_channel_holds_up_no_other_and_no_alert_another() {
    let ground = Ground::start("timeout_s = 30").await;
    let (slow, fast) = (Receiver::start().await, Receiver::start().await);
    slow.answer(|_, _| Reply::Stall);
    ground.webhook(&slow.url(), json!({})).await;
    let stuck: Arc<Mutex<Option<String>>> = Arc::default();
    let first = Arc::clone(&stuck);
    // The alert that came first is refused for ever; the others pass.
    fast.answer(move |seen, _| {
        let id = seen.json()["alert"]["id"].as_str().unwrap_or_default().to_owned();
        let mut first = first.lock().expect("lock");
        Reply::Status(if first.get_or_insert_with(|| id.clone()) == &id { 500 } else { 200 })
    });
    ground.webhook(&fast.url(), json!({})).await;
    for name in ["a", "b", "c"] {
        let alert = ground.alert(name).await;
        ground.change(&alert, 2).await;
    }
    fast.wait_until("both other alerts' ends", |seen| {
        let ends = seen.iter().filter(|one| one.json()["alert"]["status"] == "RESOLVED");
        let first = stuck.lock().expect("lock").clone();
        ends.filter(|one| one.json()["alert"]["id"].as_str().map(str::to_owned) != first).count() >= 2
    })
    .await;
    let first = stuck.lock().expect("lock").clone().expect("one");
    let of_first: Vec<Seen> =
        fast.seen().into_iter().filter(|one| one.json()["alert"]["id"] == first.as_str()).collect();
    assert_eq!(distinct(&of_first).len(), 1, "its later messages wait for the first");
}

#[tokio::test]
async fn a_receiver_that_comes_back_gets_everything() {
    let ground = Ground::start("schedule_s = [0, 0.2, 0.2, 0.2, 0.5, 0.5, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2]").await;
    let receiver = Receiver::start().await;
    let address = receiver.address;
    ground.webhook(&receiver.url(), json!({})).await;
    drop(receiver);
    let alert = ground.alert("acme").await;
    ground.change(&alert, 3).await;
    wait_for("some failures", || async {
        let all = ground.deliveries(&alert).await;
        all.iter().any(|one| one["attempts"].as_array().is_some_and(|tries| tries.len() > 1)).then_some(())
    })
    .await;
    let back = Receiver::start_at(address).await;
    back.wait_until("the end", |seen| seen.iter().any(|one| one.json()["alert"]["status"] == "RESOLVED")).await;
    let all = ground.deliveries(&alert).await;
    assert_eq!(distinct(&back.seen()).len(), all.len());
}

#[tokio::test]
async fn changes_within_the_wait_are_told_together() {
    let ground = Ground::start("").await;
    let receiver = Receiver::start().await;
    let (channel, _) = ground.webhook(&receiver.url(), json!({ "groupWaitSeconds": 4 })).await;
    let alert = ground.alert("acme").await;
    ground.change(&alert, 2).await;
    ground.quiet(&channel).await;
    let seen = receiver.wait(1).await;
    assert_eq!(seen.len(), 1);
    let body = seen[0].json();
    let changes: Vec<&str> = body["changes"].as_array().unwrap().iter().filter_map(|one| one.as_str()).collect();
    assert_eq!((changes.first(), changes.last()), (Some(&"OPENED"), Some(&"RESOLVED")), "{body}");
    assert_eq!(body["alert"]["status"], "RESOLVED");
}

/// Kills the service again and again while alerts change and the receiver fails half of the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_lose_nothing_and_repeat_only_what_was_sent() {
    let mut ground = Ground::start("schedule_s = [0, 0.1, 0.1, 0.2, 0.2, 0.4, 0.4, 0.8, 1, 1, 1, 1, 1, 1, 1, 1]").await;
    let receiver = Receiver::start().await;
    let turn = AtomicUsize::new(0);
    receiver.answer(move |_, _| match turn.fetch_add(1, Ordering::Relaxed) % 4 {
        0 => Reply::Status(500),
        1 => Reply::CloseInHead,
        _ => Reply::Status(200),
    });
    let (channel, _) = ground.webhook(&receiver.url(), json!({})).await;
    let mut alerts = Vec::new();
    for round in 0..5_u64 {
        for k in 0..2 {
            let alert = ground.alert(&format!("r{round}k{k}")).await;
            ground.change(&alert, 3).await;
            alerts.push(alert);
        }
        tokio::time::sleep(Duration::from_millis(round * 70)).await;
        ground = ground.crash().await;
    }
    ground.quiet(&channel).await;
    let told = distinct(&receiver.seen());
    let mut by_alert: HashMap<String, Vec<u64>> = HashMap::new();
    for (_, body) in &told {
        let body: serde_json::Value = serde_json::from_slice(body).expect("json");
        let id = body["alert"]["id"].as_str().expect("an id").to_owned();
        by_alert.entry(id).or_default().push(body["sequence"].as_u64().expect("a number"));
    }
    let mut all: Vec<u64> = by_alert.values().flatten().copied().collect();
    all.sort_unstable();
    assert_eq!(all, (1..=all.len() as u64).collect::<Vec<_>>(), "every change of the sequence, each once by its id");
    for alert in &alerts {
        let sequences = &by_alert[alert];
        assert!(sequences.len() >= 3 && sequences.is_sorted(), "{alert}: {sequences:?}");
    }
}
