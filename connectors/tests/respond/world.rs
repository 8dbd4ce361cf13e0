//! A shop with its edge, the connectors that act on it, and a client who sees the difference.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use riskgraph_connectors::respond::{ConnectorConfig, ConnectorsConfig, Responders, Tools};
use riskgraph_domain::graph::EntityKey;
use riskgraph_domain::respond::{ActionRequest, Effect, Responder as _};
use riskgraph_domain::time::Clock;
use riskgraph_domain::{EntityKind, Text, Timestamp};
use riskgraph_lab::{ADMIN_TOKEN, ShopServer};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A clock that stands until it is set.
pub(crate) struct StillClock(pub(crate) AtomicI64);

impl Clock for StillClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

/// 2026-05-01T10:00:00Z.
pub(crate) const NOW: Timestamp = Timestamp(1_777_629_600_000);

pub(crate) struct World {
    pub(crate) shop: ShopServer,
    pub(crate) responders: Responders,
    pub(crate) config: ConnectorsConfig,
    pub(crate) dir: TempDir,
    client: reqwest::Client,
}

impl World {
    pub(crate) async fn start() -> Self {
        let dir = tempfile::tempdir().expect("dir");
        let shop = ShopServer::start(&dir.path().join("edge")).await.expect("the lab starts");
        let token = dir.path().join("token");
        std::fs::write(&token, format!("{ADMIN_TOKEN}\n")).expect("token");
        let config = lab_config(&shop, &token);
        let responders = build(&config, dir.path());
        let client = reqwest::Client::builder().no_proxy().build().expect("client");
        Self { shop, responders, config, dir, client }
    }

    /// The connectors made anew, as after a crash.
    pub(crate) fn restart(&mut self) {
        self.responders = build(&self.config, self.dir.path());
    }

    pub(crate) async fn get(&self, path: &str, headers: &[(&str, &str)]) -> u16 {
        let mut request = self.client.get(format!("http://{}{path}", self.shop.edge));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.expect("answers").status().as_u16()
    }

    pub(crate) async fn as_client(&self, address: &str) -> u16 {
        self.get("/", &[("x-forwarded-for", address)]).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let request = self.client.post(format!("http://{}{path}", self.shop.edge)).json(&body);
        let answer = request.send().await.expect("answers");
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }

    pub(crate) async fn policy(&self) -> String {
        let answer = self.client.get(format!("http://{}/checkout", self.shop.edge)).send().await.expect("answers");
        answer.headers()["content-security-policy"].to_str().expect("text").to_owned()
    }

    pub(crate) async fn holds(&self, request: &ActionRequest, effect: &Effect) -> bool {
        self.responders.verify(request, effect).await.expect("can be looked at").holds
    }
}

pub(crate) fn build(config: &ConnectorsConfig, dir: &Path) -> Responders {
    let clock = Arc::new(StillClock(AtomicI64::new(NOW.millis())));
    Responders::build(config, &Tools { clock, state_dir: dir.join("state") }).expect("the connectors can be made")
}

pub(crate) fn connectors(config: Value) -> ConnectorsConfig {
    serde_json::from_value::<std::collections::BTreeMap<String, ConnectorConfig>>(config).expect("a configuration")
}

fn lab_config(shop: &ShopServer, token: &Path) -> ConnectorsConfig {
    let loopback = json!({"allow_networks": ["127.0.0.0/8"]});
    connectors(json!({
        "nginx": {
            "kind": "nginx",
            "deny_file": shop.files.deny,
            "throttle_file": shop.files.throttle,
            "probe_url": format!("http://{}/", shop.edge),
            "net": loopback,
        },
        "tracker": {
            "kind": "ticket", "tracker": "github", "project": "shop/security",
            "base_url": format!("http://{}", shop.admin), "token_file": token, "net": loopback,
        },
        "shop": {
            "kind": "shop",
            "base_url": format!("http://{}", shop.admin),
            "token_file": token,
            "net": loopback,
        },
    }))
}

pub(crate) fn request(action: &str, target: (EntityKind, &str), key: &str) -> ActionRequest {
    ActionRequest {
        action: Text::from(action),
        connector: Text::default(),
        target: Some(EntityKey::new(target.0, target.1)),
        parameters: serde_json::Map::new(),
        idempotency_key: Text::from(key),
        expires_at: Some(NOW + 3_600_000),
        reason: "al_1: credential stuffing".into(),
    }
}
