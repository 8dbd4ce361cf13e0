//! Every kind of channel against what stands for its service on loopback.

use std::time::Duration;

use serde_json::{Value, json};

use super::ground::{Ground, id_of};
use crate::support::receiver::{Receiver, Reply};
use crate::support::smtp::{Mood, Smtp};
use crate::support::wait_for;

async fn made(ground: &Ground, kind: &str, target: &str, more: Value) -> String {
    let answer = ground.create(kind, target, more).await;
    id_of(&answer["data"]["createChannel"]["channel"])
}

#[tokio::test]
async fn chats_pagers_indexers_and_files_get_their_shapes() {
    let ground = Ground::start("").await;
    let (slack, teams, pager, hec) =
        (Receiver::start().await, Receiver::start().await, Receiver::start().await, Receiver::start().await);
    made(&ground, "SLACK", &slack.url(), json!({ "groupWaitSeconds": 0 })).await;
    made(&ground, "TEAMS", &teams.url(), json!({ "groupWaitSeconds": 0 })).await;
    let paging = made(&ground, "PAGERDUTY", &pager.url(), json!({ "token": "R0UT1NGK3Y" })).await;
    let base = format!("http://{}", hec.address);
    made(&ground, "SPLUNK", &base, json!({ "token": "hec-t0ken", "format": "OCSF" })).await;
    let file = made(&ground, "FILE", "alerts.jsonl", json!({ "format": "CLOUDEVENTS" })).await;
    let alert = ground.alert("acme").await;
    let acknowledge = "mutation($id: ID!) { acknowledgeAlert(id: $id) { id } }";
    ground.client.graphql(acknowledge, json!({ "id": alert })).await;
    ground.change(&alert, 1).await;

    let action = |one: &crate::support::receiver::Seen| one.json()["event_action"].as_str().unwrap_or("").to_owned();
    let paged = pager.wait_until("the resolve", |seen| seen.iter().any(|one| action(one) == "resolve")).await;
    assert_eq!(action(&paged[0]), "trigger");
    assert!(paged.iter().any(|one| action(one) == "acknowledge"));
    assert!(
        paged.iter().all(|one| one.json()["dedup_key"] == alert.as_str() && one.json()["routing_key"] == "R0UT1NGK3Y")
    );
    let chat = slack.wait(1).await;
    assert_eq!(chat[0].json()["blocks"][0]["type"], "header");
    let card = teams.wait(1).await;
    assert_eq!(card[0].json()["attachments"][0]["content"]["type"], "AdaptiveCard");
    let indexed = hec.wait(1).await;
    assert_eq!(indexed[0].path, "/services/collector/event");
    assert_eq!(indexed[0].header("authorization"), "Splunk hec-t0ken");
    assert_eq!(indexed[0].json()["event"]["class_uid"], 2004);

    ground.quiet(&file).await;
    let text =
        std::fs::read_to_string(ground.dir.path().join("data/delivery/alerts.jsonl")).expect("the file is there");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(lines.len() >= 3 && lines.iter().all(|line| line["specversion"] == "1.0"), "{text}");
    assert!(lines.windows(2).all(|pair| pair[0]["sequence"].as_str() < pair[1]["sequence"].as_str()));
    let shown = ground.channel(&paging).await.to_string();
    assert!(!shown.contains("R0UT1NGK3Y"));
    let metrics = ground.client.get("/metrics").await.body.to_string();
    assert!(metrics.contains("riskgraph_deliveries") && metrics.contains("riskgraph_delivery_oldest_waiting_seconds"));
}

#[tokio::test]
async fn pagerduty_refusals_are_final_and_keys_stay_out_of_errors() {
    let ground = Ground::start("").await;
    let pager = Receiver::start().await;
    pager.answer(|_, _| Reply::Status(400));
    made(&ground, "PAGERDUTY", &pager.url(), json!({ "token": "R0UT1NGK3Y" })).await;
    let alert = ground.alert("acme").await;
    let dead = wait_for("the dead letter", || async {
        ground.deliveries(&alert).await.into_iter().find(|one| one["state"] == "DEAD")
    })
    .await;
    assert_eq!(dead["attempts"].as_array().map(Vec::len), Some(1), "{dead}");
    assert!(!dead.to_string().contains("R0UT1NGK3Y"));
}

#[tokio::test]
async fn mail_arrives_whole_and_is_tried_again() {
    let server = Smtp::start().await;
    server.moods(&[Mood::HangUp, Mood::Recipient(451), Mood::SlowGreeting(Duration::from_secs(20)), Mood::Data(452)]);
    let smtp = format!(
        "timeout_s = 1\nschedule_s = [0, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]\n[delivery.smtp]\nhost = \"127.0.0.1\"\nport = {}\n\
         security = \"none\"\nfrom = \"riskgraph <risk@shop.example>\"",
        server.address.port()
    );
    let ground = Ground::start(&smtp).await;
    let to = "ops@shop.example, lead@shop.example";
    let channel =
        made(&ground, "EMAIL", to, json!({ "groupWaitSeconds": 0, "filter": { "changes": ["OPENED"] } })).await;
    assert_eq!(ground.channel(&channel).await["target"], "o…@shop.example, l…@shop.example");
    let alert = ground.alert("acme").await;
    let mails = server.wait(1).await;
    assert_eq!(mails[0].from, "risk@shop.example");
    assert_eq!(mails[0].to, ["ops@shop.example", "lead@shop.example"]);
    let text = &mails[0].text;
    let receipt = wait_for("the receipt", || async {
        ground.deliveries(&alert).await.into_iter().find(|one| one["state"] == "DELIVERED")
    })
    .await;
    let message_id = receipt["messageId"].as_str().expect("an id");
    for part in ["Content-Type: multipart/alternative", "text/plain", "text/html", message_id, "Auto-Submitted"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert_eq!(receipt["attempts"].as_array().map(Vec::len), Some(5), "{receipt}");
    server.moods(&[Mood::Recipient(550)]);
    let tested = ground.test(&channel).await;
    assert_eq!(
        (tested["state"].as_str(), tested["attempts"][0]["status"].as_u64()),
        (Some("DEAD"), Some(550)),
        "{tested}"
    );
    assert!(!tested["attempts"][0]["error"].as_str().unwrap_or_default().contains("ops@"), "{tested}");
}
