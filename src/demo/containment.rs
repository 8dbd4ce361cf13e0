//! The lab's edge and shop as the systems the demo's playbooks act on.

use std::path::Path;

use anyhow::Context as _;
use riskgraph_connectors::respond::{ConnectorConfig, ConnectorsConfig};
use riskgraph_lab::{ADMIN_TOKEN, ShopServer};
use serde_json::{Value, json};

/// Connectors `nginx`, `csp`, `shop` and `tracker`.
///
/// # Errors
/// When the token's file cannot be written.
pub fn connectors(shop: &ShopServer, folder: &Path) -> anyhow::Result<ConnectorsConfig> {
    let token_file = folder.join("lab-shop-token");
    std::fs::write(&token_file, ADMIN_TOKEN).context("the lab's token cannot be written")?;
    let net = json!({"allow_networks": ["127.0.0.0/8"]});
    let edge = |path: &str| format!("http://{}{path}", shop.edge);
    let admin = format!("http://{}", shop.admin);
    let configured: [(&str, Value); 4] = [
        (
            "nginx",
            json!({
                "kind": "nginx", "deny_file": shop.files.deny, "throttle_file": shop.files.throttle,
                "probe_url": edge("/"), "net": net,
            }),
        ),
        ("csp", json!({"kind": "csp", "file": shop.files.scripts, "probe_url": edge("/checkout"), "net": net})),
        ("shop", json!({"kind": "shop", "base_url": admin, "token_file": token_file, "net": net})),
        (
            "tracker",
            json!({
                "kind": "ticket", "tracker": "github", "base_url": admin, "project": "shop/security",
                "token_file": token_file, "net": net,
            }),
        ),
    ];
    let read = |(name, config): (&str, Value)| {
        let config: ConnectorConfig = serde_json::from_value(config).with_context(|| format!("connector {name}"))?;
        Ok((name.to_owned(), config))
    };
    configured.into_iter().map(read).collect()
}
