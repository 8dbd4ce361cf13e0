//! The real binary is killed in the middle of runs that act through a real HTTP API which does not dedupe by itself: what
//! it was told twice it has twice.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Query, State};
use axum::routing::{get, post};
use parking_lot::Mutex;
use riskgraph_domain::Timestamp;
use riskgraph_lab::{ScenarioId, Shop, ShopOptions};
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::server::Server;
use crate::support::wait_for;

/// Kills, each at another moment of a run.
const KILLS: u64 = 14;
const STEP: &str = "[[step]]\nid = \"NAME\"\naction = \"fence\"\nparameters = { what = \"'NAME'\" }\n\
                    timeout = \"5s\"\nretry = { attempts = 5, backoff = \"0s\" }\n";

/// What the API was told, in order.
type Told = Arc<Mutex<Vec<String>>>;

/// An API that adds whatever it is told, slowly, and can be asked what it has.
async fn fence() -> (String, Told) {
    async fn add(State(told): State<Told>, body: axum::Json<Value>) -> axum::Json<Value> {
        told.lock().push(body["key"].as_str().unwrap_or_default().to_owned());
        // The time in which a killed caller never hears the answer.
        tokio::time::sleep(Duration::from_millis(15)).await;
        axum::Json(json!({ "ok": true }))
    }
    async fn has(State(told): State<Told>, asked: Query<BTreeMap<String, String>>) -> axum::Json<Value> {
        let key = asked.get("key").cloned().unwrap_or_default();
        axum::Json(json!({ "there": told.lock().contains(&key) }))
    }
    let told = Told::default();
    let app = Router::new().route("/fence", post(add)).route("/fence", get(has)).with_state(Arc::clone(&told));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, app).await });
    (format!("http://{address}"), told)
}

fn config(base: &str) -> String {
    format!(
        r#"[respond.connectors.fence]
kind = "http"
base_url = "{base}"
net = {{ allow_networks = ["127.0.0.0/8"] }}

[respond.connectors.fence.actions.fence]
description = "Fences something."
parameters = [{{ name = "what", description = "What.", required = true }}]
execute = {{ method = "POST", url = "/fence", body = {{ key = "{{{{key}}}}", what = "{{{{param.what}}}}" }} }}

[respond.connectors.fence.actions.fence.verify]
method = "GET"
url = "/fence?key={{{{key}}}}"
holds = [{{ at = "/there", is = true }}]
mine = [{{ at = "/there", is = true }}]
"#
    )
}

/// An alert to respond to.
async fn alert(client: &Client) -> String {
    let at = Timestamp::parse_rfc3339("2026-05-04T08:00:00Z").expect("time");
    let shop = Shop::new(ShopOptions { seed: 11, start: at, ..ShopOptions::default() });
    let mut events = shop.scenario(ScenarioId::S1, at, 0.1);
    events.sort_by_key(|labelled| labelled.event.time);
    let lines: Vec<String> =
        events.iter().map(|labelled| serde_json::to_string(&labelled.event).expect("writes")).collect();
    client.post("/v1/events", lines.join("\n")).await;
    client.wait_judged().await;
    let data = client.graphql("{ alerts(first: 1) { edges { node { id } } } }", json!({})).await;
    data["alerts"]["edges"][0]["node"]["id"].as_str().expect("an alert").to_owned()
}

async fn state(client: &Client, run: &str) -> Value {
    let query = "query($id: ID!) { node(id: $id) { ... on Run { state reason steps { title state error } } } }";
    client.graphql(query, json!({ "id": run })).await["node"].clone()
}

#[tokio::test]
async fn a_killed_service_finishes_its_runs_and_repeats_nothing() {
    let dir = tempfile::tempdir().expect("folder");
    let (base, told) = fence().await;
    let file = dir.path().join("riskgraph.toml");
    std::fs::write(&file, config(&base)).expect("writes");
    let data = dir.path().join("data");
    let mut server = Server::start_configured(&data, Some(&file)).await;
    let token = server.first_token.clone().expect("a first start prints a token");
    let mut client = server.admin();
    let alert = alert(&client).await;
    let text: String = ["one", "two", "three"].map(|name| STEP.replace("NAME", name)).concat();
    let text = format!("name = \"fences\"\ntitle = \"Fences\"\ntrigger = \"false\"\n{text}");
    let save = "mutation($text: String!) { savePlaybook(text: $text) { id } }";
    let playbook = client.graphql(save, json!({ "text": text })).await["savePlaybook"]["id"].clone();
    for kill in 0..KILLS {
        told.lock().clear();
        let start = "mutation($playbook: ID!, $alert: ID!) { startRun(playbook: $playbook, alert: $alert) { id } }";
        let started = client.graphql(start, json!({ "playbook": playbook, "alert": alert })).await;
        let run = started["startRun"]["id"].as_str().expect("started").to_owned();
        // Somewhere in the three steps, each time later.
        tokio::time::sleep(Duration::from_millis(kill * 9)).await;
        server.kill().await;
        server = Server::start_configured(&data, Some(&file)).await;
        client = Client::new(&server.url, &token);
        let ended = wait_for("the run to end", || async {
            let run = state(&client, &run).await;
            (!matches!(run["state"].as_str(), Some("RUNNING" | "WAITING_APPROVAL"))).then_some(run)
        })
        .await;
        assert_eq!(ended["state"], "DONE", "kill {kill}: {ended:#}");
        let mut keys = told.lock().clone();
        assert_eq!(keys.len(), 3, "kill {kill}: each step once: {keys:?}");
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 3, "kill {kill}: nothing twice");
    }
}
