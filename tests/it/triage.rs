//! Triage against the running service: silences, inhibition, storms, due times, cases, and nothing told twice.

use std::time::Duration;

use futures::StreamExt as _;
use serde_json::{Value, json};
use time_text::after_now;

use crate::support::client::Client;
use crate::support::server::Server;
use crate::support::wait_for;

const START: i64 = 1_777_881_600; // 2026-05-04T08:00:00Z
const DAY: i64 = 86_400;
const ALERTS: &str = "query($filter: AlertFilter, $after: String) { alerts(filter: $filter, first: 100, after: $after) { \
    edges { node { id title severity status verdict count score escalation overdue summary timeline { text actor } \
    muted { kind reason by { id } silence { id } } cases { title } comments { text } } } pageInfo { hasNextPage endCursor } } }";
const EVENTS: &str = "subscription { alerts(after: \"0\") { cursor change cause alert { id title muted { kind } } } }";

mod time_text {
    use riskgraph_domain::Timestamp;

    /// The wall time some seconds from now, as the API reads it.
    #[expect(clippy::disallowed_methods, reason = "the service under test lives by the system's clock")]
    pub(super) fn after_now(seconds: i64) -> String {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
        let now = i64::try_from(now.as_millis()).expect("before the year 292 million");
        Timestamp(now + seconds * 1_000).to_rfc3339()
    }
}

/// A call of a partner's key, and the leak of that key a second later: one alert.
fn leaked_key(n: usize, at: i64) -> String {
    let call = json!({"id": format!("call-{n}-{at}"), "time": at, "kind": "api.call", "outcome": "success",
        "actor": {"integration": format!("partner-{n}"), "key": format!("key-{n:05}-live")}});
    let leak = json!({"id": format!("leak-{n}-{at}"), "time": at + 1, "kind": "leak.record", "object": {"type": "api_key"},
        "labels": {"kind": "api_key", "prefix": format!("key-{n:05}-live"), "source": format!("dump-{n}-{at}")}});
    format!("{call}\n{leak}\n")
}

async fn send(client: &Client, body: String) {
    let answer = client.post("/v1/events", body).await;
    assert_eq!((answer.status, &answer.body["rejected"]), (200, &json!([])), "{answer:?}");
    client.wait_judged().await;
}

async fn alerts(client: &Client, filter: Value) -> Vec<Value> {
    let mut nodes = Vec::new();
    let mut after = Value::Null;
    loop {
        let data = client.graphql(ALERTS, json!({ "filter": filter, "after": after })).await;
        let page = &data["alerts"];
        nodes.extend(page["edges"].as_array().expect("edges").iter().map(|edge| edge["node"].clone()));
        if page["pageInfo"]["hasNextPage"] != true {
            return nodes;
        }
        after = page["pageInfo"]["endCursor"].clone();
    }
}

/// Waits until this many alerts pass the filter.
async fn until_alerts(client: &Client, filter: Value, n: usize) -> Vec<Value> {
    wait_for(&format!("{n} alerts of {filter}"), || async {
        Some(alerts(client, filter.clone()).await).filter(|found| found.len() == n)
    })
    .await
}

async fn change(client: &Client, mutation: &str, variables: Value) -> Value {
    let head = match &variables {
        Value::Object(given) if given.contains_key("input") => "mutation($input: SilenceInput!)",
        _ => "mutation",
    };
    client.graphql(&format!("{head} {{ {mutation} }}"), variables).await
}

/// The whole sequence: ends when nothing more comes for a while after everything was judged.
async fn sequence(client: &Client) -> Vec<Value> {
    let mut stream = client.subscribe(EVENTS, json!({})).await.expect("subscribes");
    let mut seen = Vec::new();
    while let Ok(Some(payload)) = tokio::time::timeout(Duration::from_secs(2), stream.next()).await {
        seen.push(payload["data"]["alerts"].clone());
    }
    seen
}

fn id(alert: &Value) -> String {
    alert["id"].as_str().expect("an id").to_owned()
}

#[tokio::test]
async fn a_silence_mutes_ends_and_is_found() {
    let dir = tempfile::tempdir().expect("dir");
    let server = Server::start(dir.path()).await;
    let client = server.admin();
    send(&client, leaked_key(1, START) + &leaked_key(2, START)).await;
    let input = json!({ "reason": "the partner rotates its keys", "endsAt": after_now(6),
        "matchers": [{ "field": "ENTITY", "op": "EQUALS", "value": "key-00001-live" }, { "field": "DETECTOR", "op": "EQUALS", "value": "leak_match" }] });
    let made =
        change(&client, "createSilence(input: $input) { id active mutes author }", json!({ "input": input })).await;
    assert_eq!((&made["createSilence"]["active"], &made["createSilence"]["mutes"]), (&json!(true), &json!(1)));
    let muted = alerts(&client, json!({ "muted": true })).await;
    assert_eq!(muted.len(), 1, "{muted:?}");
    let mute = &muted[0]["muted"];
    assert_eq!((&mute["kind"], &mute["silence"]["id"]), (&json!("SILENCED"), &made["createSilence"]["id"]));
    assert_eq!(alerts(&client, json!({ "query": "KEY-00001", "muted": true })).await.len(), 1, "it is found");
    assert!(muted[0]["score"].as_f64().is_some_and(|score| score > 0.0));
    // It ends by itself, and is told again.
    until_alerts(&client, json!({ "muted": true }), 0).await;
    let causes: Vec<Value> = sequence(&client).await.iter().map(|event| event["cause"].clone()).collect();
    assert_eq!(causes, ["SIGNAL", "SIGNAL", "MUTED", "UNMUTED"]);
    let listed = client.graphql("{ silences(active: false) { edges { node { reason mutes } } } }", json!({})).await;
    assert_eq!(listed["silences"]["edges"][0]["node"]["mutes"], 1);
    server.stop().await;
}

#[tokio::test]
async fn a_storm_of_a_thousand_is_one_alert_and_a_restart_tells_nothing_again() {
    let dir = tempfile::tempdir().expect("dir");
    let server = Server::start(dir.path()).await;
    let client = server.admin();
    let token = client.token.clone();
    let body: String = (0..1_000).map(|n| leaked_key(n, START)).collect();
    send(&client, body).await;
    // Its count is told when it has doubled, and when nothing more came for some seconds.
    let summary = until_alerts(&client, json!({ "query": "alert storm: 950 alerts" }), 1).await;
    assert_eq!((&summary[0]["count"], &summary[0]["muted"]), (&json!(950), &json!(null)), "{}", summary[0]["summary"]);
    assert!(summary[0]["timeline"].as_array().is_some_and(|told| told.len() > 20));
    let muted = alerts(&client, json!({ "muted": true })).await;
    assert_eq!(muted.len(), 950);
    assert!(
        muted.iter().all(|alert| alert["muted"]["by"]["id"] == summary[0]["id"] && alert["muted"]["kind"] == "STORM")
    );
    assert_eq!(alerts(&client, json!({ "muted": false })).await.len(), 51);
    let before = sequence(&client).await;
    let heard = before.iter().filter(|event| event["alert"]["muted"].is_null()).count();
    assert!(heard <= 50 + 12, "{heard} changes are told, the others are muted");
    // A person works on, the service is killed, and all is as it was.
    let comment = format!("commentAlert(id: \"{}\", text: \"looking\") {{ id }}", id(&summary[0]));
    change(&client, &comment, json!({})).await;
    server.kill().await;
    let server = Server::start(dir.path()).await;
    let client = Client::new(&server.url, &token);
    client.wait_judged().await;
    let after = sequence(&client).await;
    assert_eq!(after.len(), before.len() + 1, "only the comment came");
    assert_eq!(after[..before.len()], before[..]);
    assert_eq!(after[before.len()]["cause"], "COMMENTED");
    assert_eq!(alerts(&client, json!({ "muted": true })).await.len(), 950);
    // The one that stands for all takes all along.
    let resolve = format!("resolveAlert(id: \"{}\", verdict: BENIGN, note: \"a drill\") {{ status }}", id(&summary[0]));
    change(&client, &resolve, json!({})).await;
    assert_eq!(alerts(&client, json!({ "verdict": ["BENIGN"] })).await.len(), 951);
    assert_eq!(alerts(&client, json!({ "status": ["OPEN"] })).await.len(), 50);
    server.stop().await;
}

#[tokio::test]
async fn an_incident_mutes_its_vendors_small_alerts_by_an_own_policy() {
    let dir = tempfile::tempdir().expect("dir");
    let policy = dir.path().join("policy.toml");
    let rule = "[[inhibit]]\nname = \"incident\"\nreason = \"its vendor reports an incident\"\nshare = \"vendor\"\n\
        source = [{ field = \"DETECTOR\", op = \"EQUALS\", value = \"vendor_incident\" }]\n\
        target = [{ field = \"DETECTOR\", op = \"EQUALS\", value = \"leak_match\" }]\n\
        [storm]\nwindow_min = 10\nper_detector_max = 50\ntotal_max = 200\n";
    std::fs::write(&policy, rule).expect("writes");
    let config = dir.path().join("config.toml");
    std::fs::write(&config, format!("[policy]\nfile = '{}'\n", policy.display())).expect("writes");
    let server = Server::start_configured(dir.path(), Some(&config)).await;
    let client = server.admin();
    let add = "mutation { addVendor(input: { name: \"Acme\", domains: [\"acme.example\"], integrations: [\"partner-7\"] }) { id } }";
    client.graphql(add, json!({})).await;
    let incident = json!({"id": "inc-1", "time": START, "kind": "vendor.incident", "object": {"type": "company", "id": "Acme"},
        "labels": {"vendor": "Acme", "domain": "acme.example", "source": "news"}, "message": "Acme confirms a breach"});
    send(&client, incident.to_string()).await;
    // Beyond the incident's window: a story of its own, but of the same vendor.
    send(&client, leaked_key(7, START + 70 * DAY) + &leaked_key(8, START + 70 * DAY)).await;
    let muted = alerts(&client, json!({ "muted": true })).await;
    assert_eq!(muted.len(), 1, "{muted:?}");
    assert!(muted[0]["title"].as_str().is_some_and(|title| title.contains("key-00007")), "{muted:?}");
    assert_eq!(muted[0]["muted"]["kind"], "INHIBITED");
    let parent = muted[0]["muted"]["by"]["id"].as_str().expect("a parent").to_owned();
    change(&client, &format!("resolveAlert(id: \"{parent}\", verdict: TRUE_POSITIVE) {{ status }}"), json!({})).await;
    assert_eq!(alerts(&client, json!({ "muted": true })).await.len(), 0);
    let last = sequence(&client).await.pop().expect("told");
    assert_eq!((&last["cause"], &last["alert"]["id"]), (&json!("UNMUTED"), &muted[0]["id"]));
    server.stop().await;
}

#[tokio::test]
async fn overdue_alerts_escalate_and_resolved_ones_are_worked_on() {
    let dir = tempfile::tempdir().expect("dir");
    let server = Server::start(dir.path()).await;
    let client = server.admin();
    let token = client.token.clone();
    send(&client, leaked_key(1, START) + &leaked_key(2, START)).await;
    let found = alerts(&client, json!({})).await;
    let (one, two) = (id(&found[0]), id(&found[1]));
    change(&client, &format!("setAlertDue(id: \"{one}\", dueAt: \"{}\") {{ id }}", after_now(2)), json!({})).await;
    let late = until_alerts(&client, json!({ "overdue": true }), 1).await;
    assert_eq!((id(&late[0]), &late[0]["escalation"]), (one.clone(), &json!(1)));
    change(&client, &format!("resolveAlert(id: \"{one}\", verdict: BENIGN, note: \"ours\") {{ status }}"), json!({}))
        .await;
    assert_eq!(alerts(&client, json!({ "overdue": true })).await.len(), 0);
    // What is over is in no memory, and is changed all the same, also after a restart.
    server.kill().await;
    let server = Server::start(dir.path()).await;
    let client = Client::new(&server.url, &token);
    change(&client, &format!("commentAlert(id: \"{one}\", text: \"seen before\") {{ id }}"), json!({})).await;
    let create = format!("createCase(input: {{ title: \"Leaks\", alerts: [\"{one}\", \"{two}\"] }}) {{ id severity }}");
    let first = id(&change(&client, &create, json!({})).await["createCase"]);
    let create = format!("createCase(input: {{ title: \"Other\", alerts: [\"{one}\"] }}) {{ id }}");
    let other = id(&change(&client, &create, json!({})).await["createCase"]);
    let inside = |case: &str| json!({ "case": case });
    assert_eq!(alerts(&client, inside(&first)).await.len(), 2);
    change(&client, &format!("mergeCases(from: \"{first}\", into: \"{other}\") {{ id }}"), json!({})).await;
    assert_eq!(alerts(&client, inside(&other)).await.len(), 2);
    server.kill().await;
    let server = Server::start(dir.path()).await;
    let client = Client::new(&server.url, &token);
    let apart = change(&client, &format!("unmergeCase(id: \"{first}\") {{ mergedInto {{ id }} }}"), json!({})).await;
    assert_eq!(apart["unmergeCase"]["mergedInto"], json!(null));
    assert_eq!(alerts(&client, inside(&other)).await.len(), 1);
    change(&client, &format!("reopenAlert(id: \"{one}\", note: \"again\") {{ status }}"), json!({})).await;
    let open = alerts(&client, json!({ "status": ["OPEN"], "query": "leaked api key" })).await;
    assert_eq!(open.len(), 2);
    let reopened = open.iter().find(|alert| id(alert) == one).expect("open again");
    assert_eq!((&reopened["verdict"], reopened["comments"].as_array().map(Vec::len)), (&json!(null), Some(1)));
    assert_eq!(reopened["cases"], json!([{ "title": "Other" }, { "title": "Leaks" }]));
    let causes: Vec<Value> = sequence(&client)
        .await
        .iter()
        .filter(|event| event["alert"]["id"] == one.as_str())
        .map(|event| event["cause"].clone())
        .collect();
    let expected =
        ["SIGNAL", "DUE_SET", "OVERDUE", "RESOLVED", "COMMENTED", "CASE", "CASE", "CASE", "CASE", "REOPENED"];
    assert_eq!(causes, expected);
    // The past one is like the other, and says what it was.
    change(&client, &format!("resolveAlert(id: \"{one}\", verdict: FALSE_POSITIVE) {{ status }}"), json!({})).await;
    let query = format!(
        "{{ alert(id: \"{two}\") {{ score scoreParts {{ points }} similar {{ similarity shared alert {{ id verdict }} }} }} }}"
    );
    let alert = client.graphql(&query, json!({})).await["alert"].clone();
    assert_eq!(alert["similar"][0]["alert"], json!({ "id": one, "verdict": "FALSE_POSITIVE" }), "{alert}");
    let sum: f64 =
        alert["scoreParts"].as_array().expect("parts").iter().filter_map(|part| part["points"].as_f64()).sum();
    assert_eq!((sum * 100.0).round() / 100.0, alert["score"].as_f64().expect("a score"));
    server.stop().await;
}
