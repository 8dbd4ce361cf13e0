//! A server on loopback over a small world, and clients for it.

mod sample;
mod world;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use riskgraph_api::{ApiOptions, Services, router, serve};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub(crate) use sample::{alert, vendor};
pub(crate) use world::{CODE, SHARED, World, personal};

/// How long a test waits for what must happen.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// Bearer tokens of the world, by role.
pub(crate) const ADMIN: &str = "secret-admin";
pub(crate) const ANALYST: &str = "secret-analyst";
pub(crate) const READER: &str = "secret-reader";
pub(crate) const INGEST: &str = "secret-ingest";

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) world: Arc<World>,
    pub(crate) stop: CancellationToken,
    pub(crate) client: reqwest::Client,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(ApiOptions::default()).await
    }

    pub(crate) async fn with(options: ApiOptions) -> Self {
        let world = World::new();
        let services = Services {
            intake: world.clone(),
            graph: world.clone(),
            baseline: world.clone(),
            records: world.clone(),
            triage: world.clone(),
            past: world.clone(),
            commands: world.clone(),
            live: world.clone(),
            gatekeeper: world.clone(),
            sessions: world.clone(),
            audit: world.audit(),
            vendor_table: world.clone(),
            status: world.clone(),
            delivery: world.clone(),
            runs: world.clone(),
            playbooks: world.clone(),
            reports: world.clone(),
            postures: world.clone(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let stop = options.stop.clone();
        // As the service does it: the console's routes lie beside ours.
        let console = axum::Router::new().route("/", axum::routing::get(|| async { "console" }));
        let router = router(services, options.clone()).merge(console);
        tokio::spawn(async move { serve(listener, router, &options).await });
        let client = reqwest::Client::builder().no_proxy().timeout(DEADLINE).build().expect("a client");
        Self { address, world, stop, client }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn post(&self, path: &str, token: &str) -> reqwest::RequestBuilder {
        self.client.post(self.url(path)).bearer_auth(token)
    }

    /// Asks GraphQL and gives status and answer.
    pub(crate) async fn ask(&self, token: &str, query: &str, variables: Value) -> (u16, Value) {
        let body = json!({ "query": query, "variables": variables });
        answer(self.post("/graphql", token).json(&body)).await
    }

    /// The data of a query that must succeed.
    pub(crate) async fn data(&self, token: &str, query: &str) -> Value {
        let (status, answer) = self.ask(token, query, json!({})).await;
        assert!(status == 200 && answer.get("errors").is_none(), "{status} {answer}");
        answer["data"].clone()
    }

    /// The `extensions.code` of a query that must fail.
    pub(crate) async fn code(&self, token: &str, query: &str) -> String {
        let (_, answer) = self.ask(token, query, json!({})).await;
        answer["errors"][0]["extensions"]["code"].as_str().unwrap_or(&answer.to_string()).to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Sends a request and gives status and JSON body (null when it is none).
pub(crate) async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.expect("an answer");
    let status = response.status().as_u16();
    let text = response.text().await.expect("a body");
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

/// Waits until the predicate holds.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(DEADLINE, waiting).await.unwrap_or_else(|_| panic!("{what} did not happen in time"));
}
