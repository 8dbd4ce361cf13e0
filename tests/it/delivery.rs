//! Deliveries against real receivers on loopback: good ones, bad ones, and ones that come back.

mod ground;
mod kinds;
mod receivers;

use serde_json::{Value, json};

use crate::support::receiver::Receiver;
use crate::support::wait_for;
use ground::{Ground, id_of};

#[tokio::test]
async fn a_webhook_gets_every_change_signed_and_in_order() {
    let ground = Ground::start("").await;
    let receiver = Receiver::start().await;
    let (channel, secret) = ground.webhook(&receiver.url(), json!({})).await;
    let alert = ground.alert("acme").await;
    ground.change(&alert, 3).await;
    let seen = receiver
        .wait_until("the resolution", |seen| seen.iter().any(|one| one.json()["alert"]["status"] == "RESOLVED"))
        .await;
    let secret = secret.expect("a webhook has a secret");
    let mut before = 0;
    for one in &seen {
        assert!(one.is_signed_by(&secret), "{one:?}");
        let body = one.json();
        assert_eq!(body["id"], one.id());
        assert!(body["sequence"].as_u64() > Some(before), "in order: {body}");
        before = body["sequence"].as_u64().expect("a number");
        assert_eq!(one.path, "/hook");
    }
    let first = seen[0].json();
    assert_eq!(first["type"], "alert.opened", "{first:#}");
    let graphql = ground.alert_fields(&alert).await;
    let last = seen.last().expect("some").json();
    for (name, value) in graphql.as_object().expect("fields") {
        assert_eq!(&last["alert"][name], value, "{name}");
    }
    let receipts = wait_for("the receipts", || async {
        let receipts = ground.deliveries(&alert).await;
        receipts.iter().all(|one| one["state"] == "DELIVERED").then_some(receipts)
    })
    .await;
    assert_eq!(receipts.len(), seen.len());
    assert!(receipts.iter().all(|one| one["attempts"][0]["status"] == 204 && one["channel"]["id"] == channel.as_str()));
}

#[tokio::test]
async fn a_channel_shows_no_secret_and_keeps_them_over_updates() {
    let ground = Ground::start("").await;
    let receiver = Receiver::start().await;
    let url = format!("http://user:hunter2@{}/hook?key=s3cr3t", receiver.address);
    let (channel, secret) = ground.webhook(&url, json!({})).await;
    let shown = ground.channel(&channel).await;
    let text = shown.to_string();
    for hidden in ["hunter2", "s3cr3t", "user:", secret.as_deref().unwrap_or("?")] {
        assert!(!text.contains(hidden), "{hidden} in {text}");
    }
    let input = json!({ "name": "again", "kind": "WEBHOOK", "target": shown["target"] });
    let update = "mutation($id: ID!, $input: ChannelInput!) { updateChannel(id: $id, input: $input) { name target } }";
    let updated = ground.client.graphql(update, json!({ "id": channel, "input": input })).await;
    assert_eq!(updated["updateChannel"]["target"], shown["target"]);
    let rotate = "mutation($id: ID!) { rotateChannelSecret(id: $id) { secret channel { secretHints } } }";
    let rotated = ground.client.graphql(rotate, json!({ "id": channel })).await;
    let fresh = rotated["rotateChannelSecret"]["secret"].as_str().expect("a secret").to_owned();
    assert_eq!(rotated["rotateChannelSecret"]["channel"]["secretHints"].as_array().map(Vec::len), Some(2));
    let tested = ground.test(&channel).await;
    assert_eq!(tested["state"], "DELIVERED", "{tested}");
    let seen = receiver.wait(1).await;
    assert_eq!(seen[0].path, "/hook?key=s3cr3t");
    assert!(seen[0].header("authorization").starts_with("Basic "), "userinfo becomes basic authentication");
    assert!(seen[0].is_signed_by(&fresh) && seen[0].is_signed_by(&secret.expect("a secret")), "both sign for a day");
    assert_eq!(seen[0].json()["type"], "test");
}

#[tokio::test]
async fn private_addresses_and_plain_http_are_refused() {
    let ground = Ground::start_with("allow_networks = []", "").await;
    for (url, why) in [
        ("https://127.0.0.1/x", "loopback"),
        ("https://169.254.169.254/latest/meta-data", "metadata"),
        ("https://[::1]/x", "loopback"),
        ("https://0x7f.1/x", "loopback"),
        ("http://192.0.2.1/x", "public"),
        ("ftp://shop.example/x", "https"),
        ("http://10.0.0.1/x", "private"),
        ("https://", "URL"),
    ] {
        let answer = ground.create("WEBHOOK", url, json!({})).await;
        let error = answer["errors"][0]["message"].as_str().unwrap_or_default().to_owned();
        assert!(error.contains(why), "{url}: {answer}");
    }
    // A name is only judged when it is connected: localhost resolves to loopback then.
    for url in ["https://localhost/x", "http://localhost/x"] {
        let answer = ground.create("WEBHOOK", url, json!({})).await;
        let channel = id_of(&answer["data"]["createChannel"]["channel"]);
        let tested = ground.test(&channel).await;
        assert_eq!(tested["state"], "DEAD", "{tested}");
        assert!(tested["attempts"][0]["error"].as_str().unwrap_or_default().contains("loopback"), "{tested}");
    }
}

#[tokio::test]
async fn bad_input_is_told_in_words() {
    let ground = Ground::start("").await;
    for (kind, target, more, why) in [
        ("FILE", "../alerts", json!({}), "target"),
        ("FILE", "a.jsonl", json!({ "timeZone": "Mars/North" }), "timeZone"),
        ("FILE", "a.jsonl", json!({ "digest": "every day" }), "digest"),
        ("FILE", "a.jsonl", json!({ "format": "OCSF", "digest": "0 8 * * *" }), "digest"),
        ("FILE", "a.jsonl", json!({ "groupWaitSeconds": 100_000 }), "groupWaitSeconds"),
        ("FILE", "a.jsonl", json!({ "repeatSeconds": 0 }), "repeatSeconds"),
        ("EMAIL", "nobody", json!({}), "target"),
        ("EMAIL", "a@b.example\r\nBcc: c@d.example", json!({}), "target"),
        ("SLACK", "not a url", json!({}), "target"),
        ("SLACK", "https://hooks.slack.com/x", json!({ "format": "OCSF" }), "format"),
        ("PAGERDUTY", "", json!({}), "token"),
        ("SPLUNK", "https://hec.example", json!({ "token": "a b" }), "token"),
    ] {
        let answer = ground.create(kind, target, more).await;
        let error = answer["errors"][0]["message"].as_str().unwrap_or_default();
        assert!(error.contains(why), "{kind} {target}: {answer}");
    }
    let all = ground.client.graphql("{ channels { totalCount } }", json!({})).await;
    assert_eq!(all["channels"]["totalCount"], 0);
}

#[tokio::test]
async fn what_was_missed_is_sent_again_under_the_same_ids() {
    let ground = Ground::start("").await;
    let receiver = Receiver::start().await;
    let (channel, _) = ground.webhook(&receiver.url(), json!({})).await;
    let alert = ground.alert("acme").await;
    ground.change(&alert, 2).await;
    ground.quiet(&channel).await;
    let first = receiver.seen();
    let recover = "mutation($id: ID!) { recoverChannel(id: $id, since: \"2020-01-01T00:00:00Z\") }";
    let n = ground.client.graphql(recover, json!({ "id": channel })).await["recoverChannel"].as_u64();
    assert_eq!(n, Some(first.len() as u64));
    let seen = receiver.wait(first.len() * 2).await;
    let ids = |seen: &[crate::support::receiver::Seen]| -> Vec<(String, Vec<u8>)> {
        seen.iter().map(|one| (one.id(), one.body.clone())).collect()
    };
    assert_eq!(ids(&seen[first.len()..]), ids(&first), "the same ids and bodies in the same order");
    let one = ground.deliveries(&alert).await.remove(0);
    let retry = "mutation($id: ID!) { retryDelivery(id: $id) { messageId } }";
    let again = ground.client.graphql(retry, json!({ "id": one["id"] })).await;
    let seen = receiver.wait(first.len() * 2 + 1).await;
    assert_eq!(again["retryDelivery"]["messageId"], seen.last().expect("one more").id());
}

#[tokio::test]
async fn a_filter_digest_and_repeat_do_what_they_say() {
    let ground = Ground::start("").await;
    let (strict, digest, repeat) = (Receiver::start().await, Receiver::start().await, Receiver::start().await);
    let changes = json!({ "filter": { "changes": ["RESOLVED"] } });
    ground.webhook(&strict.url(), changes).await;
    ground.webhook(&digest.url(), json!({ "digest": "*/2 * * * * *", "timeZone": "Europe/Berlin" })).await;
    let (repeating, _) =
        ground.webhook(&repeat.url(), json!({ "repeatSeconds": 1, "filter": { "changes": ["OPENED"] } })).await;
    let alert = ground.alert("acme").await;
    let again = repeat
        .wait_until("two repeats", |seen| seen.iter().filter(|one| one.json()["type"] == "alert.repeated").count() > 1)
        .await;
    assert_eq!(again[0].json()["type"], "alert.opened");
    ground.change(&alert, 1).await;
    strict.wait(1).await;
    ground.quiet(&repeating).await;
    let n = repeat.seen().len();
    let told = digest
        .wait_until("the resolution in a digest", |seen| {
            seen.iter().any(|one| one.json()["alerts"][0]["status"] == "RESOLVED")
        })
        .await;
    assert!(told.iter().all(|one| one.json()["type"] == "digest" && one.json()["alertsTotal"].as_u64() > Some(0)));
    assert!(strict.seen().iter().all(|one| one.json()["change"] == "RESOLVED"));
    assert_eq!(repeat.seen().len(), n, "a resolved alert is not told again");
    let body: Value = told[0].json();
    assert!(body["since"].as_str() < body["until"].as_str(), "{body}");
}
