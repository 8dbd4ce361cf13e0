//! A service with fast schedules, and what tests do with it.

use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::client::Client;
use crate::support::server::Server;
use crate::support::wait_for;

const CREATE: &str =
    "mutation($input: ChannelInput!) { createChannel(input: $input) { secret channel { id target } } }";
const CHANNEL: &str = "query($id: ID!) { channel(id: $id) { id name kind format target status disabledReason disabledAt \
    createdBy secretHints lastDeliveredAt waiting dead filter { minSeverity changes includeMuted } } }";
const DELIVERIES: &str = "query($id: ID!) { alert(id: $id) { deliveries(first: 100) { edges { node { id messageId subject \
    state channel { id } attempts { status error durationMs } } } } } }";
const TEST: &str = "mutation($id: ID!) { testChannel(id: $id) { id state attempts { status error } } }";

/// A running service.
pub struct Ground {
    pub dir: TempDir,
    pub server: Server,
    pub client: Client,
    config: PathBuf,
}

/// The `id` of an object.
pub fn id_of(object: &Value) -> String {
    object["id"].as_str().unwrap_or_else(|| panic!("no id in {object}")).to_owned()
}

impl Ground {
    /// Starts with loopback allowed and more lines of `[delivery]`.
    pub async fn start(delivery: &str) -> Self {
        Self::start_with("allow_networks = [\"127.0.0.0/8\", \"::1/128\"]", delivery).await
    }

    pub async fn start_with(networks: &str, delivery: &str) -> Self {
        let dir = tempfile::tempdir().expect("dir");
        let config = dir.path().join("riskgraph.toml");
        let schedule =
            if delivery.contains("schedule_s") { "" } else { "schedule_s = [0, 0.1, 0.2, 0.4, 0.8, 1.6, 3]" };
        let timeout = if delivery.contains("timeout_s") { "" } else { "timeout_s = 2" };
        let text = format!("[delivery]\n{networks}\n{schedule}\n{timeout}\n{delivery}\n");
        std::fs::write(&config, text).expect("writes");
        let server = Server::start_configured(&dir.path().join("data"), Some(&config)).await;
        let client = server.admin();
        Self { dir, server, client, config }
    }

    /// Kills the service and starts it again on its data.
    pub async fn crash(self) -> Self {
        let Self { dir, server, client, config } = self;
        server.kill().await;
        let server = Server::start_configured(&dir.path().join("data"), Some(&config)).await;
        let client = Client::new(&server.url, &client.token);
        Self { dir, server, client, config }
    }

    /// The whole answer to making a channel.
    pub async fn create(&self, kind: &str, target: &str, more: Value) -> Value {
        let mut input = json!({ "name": format!("to {kind}"), "kind": kind, "target": target });
        for (name, value) in more.as_object().expect("an object") {
            input[name] = value.clone();
        }
        self.client.graphql_raw(CREATE, json!({ "input": input })).await.body
    }

    /// A webhook's id and secret.
    pub async fn webhook(&self, url: &str, more: Value) -> (String, Option<String>) {
        let answer = self.create("WEBHOOK", url, more).await;
        let made = &answer["data"]["createChannel"];
        assert!(made.is_object(), "{answer}");
        (id_of(&made["channel"]), made["secret"].as_str().map(str::to_owned))
    }

    pub async fn channel(&self, id: &str) -> Value {
        self.client.graphql(CHANNEL, json!({ "id": id })).await["channel"].clone()
    }

    pub async fn test(&self, id: &str) -> Value {
        self.client.graphql(TEST, json!({ "id": id })).await["testChannel"].clone()
    }

    /// Makes something happen that is worth an alert of its own; gives the alert's id.
    pub async fn alert(&self, name: &str) -> String {
        let add = "mutation($input: VendorInput!) { addVendor(input: $input) { id } }";
        let domain = format!("{name}.example");
        let input = json!({ "name": name, "domains": [domain], "tier": "CRITICAL" });
        self.client.graphql(add, json!({ "input": input })).await;
        let incident = json!({"id": format!("inc-{name}"), "time": "2026-03-02T09:00:00Z", "kind": "vendor.incident",
            "source": "news", "object": {"type": "company", "id": name},
            "labels": {"vendor": name, "domain": domain, "source": "news"},
            "message": format!("{name} confirms breach of its customer portal")});
        let sent = self.client.post("/v1/events", incident.to_string()).await;
        assert_eq!(sent.status, 200, "{sent:?}");
        let find = "query { alerts(first: 100) { edges { node { id entities { kind key } } } } }";
        wait_for("an alert", || async {
            let found = self.client.graphql(find, json!({})).await;
            found["alerts"]["edges"].as_array()?.iter().map(|edge| &edge["node"]).find_map(|alert| {
                let touches = |entity: &Value| entity["key"].as_str().is_some_and(|key| key == domain);
                alert["entities"].as_array()?.iter().any(touches).then(|| id_of(alert))
            })
        })
        .await
    }

    /// Changes an alert so often: assignments, and a resolution at the end.
    pub async fn change(&self, alert: &str, n: usize) {
        for k in 1..n {
            let assign = "mutation($id: ID!, $who: String!) { assignAlert(id: $id, assignee: $who) { id } }";
            self.client.graphql(assign, json!({ "id": alert, "who": format!("person {k}") })).await;
        }
        let resolve = "mutation($id: ID!) { resolveAlert(id: $id, verdict: TRUE_POSITIVE, note: \"over\") { id } }";
        self.client.graphql(resolve, json!({ "id": alert })).await;
    }

    pub async fn deliveries(&self, alert: &str) -> Vec<Value> {
        let found = self.client.graphql(DELIVERIES, json!({ "id": alert })).await;
        let edges = found["alert"]["deliveries"]["edges"].as_array().expect("edges").clone();
        edges.into_iter().map(|edge| edge["node"].clone()).collect()
    }

    /// The alert's fields, as the message names them too.
    pub async fn alert_fields(&self, alert: &str) -> Value {
        let query = "query($id: ID!) { alert(id: $id) { id title summary severity score status verdict openedAt updatedAt \
            assignee entitiesTotal count recommendations techniques { id name tactic } findings { id } \
            timeline { time text actor signal { id } } path { id } detectionDelaySeconds } }";
        self.client.graphql(query, json!({ "id": alert })).await["alert"].clone()
    }

    /// Waits until the sequence is judged and nothing of the channel waits.
    pub async fn quiet(&self, channel: &str) {
        self.client.wait_judged().await;
        let mut calm = 0;
        wait_for("the channel to be done", || {
            let asked = self.channel(channel);
            async move { Some(asked.await["waiting"] == 0) }
        })
        .await;
        while calm < 3 {
            calm = if self.channel(channel).await["waiting"] == 0 { calm + 1 } else { 0 };
            tokio::time::sleep(std::time::Duration::from_millis(400)).await;
        }
    }
}
