//! The case the product exists for: a vendor's incident makes an odd call by its key HIGH, in one alert that names the vendor.

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::server::Server;
use crate::support::wait_for;

const ADD: &str = "mutation($input: VendorInput!) { addVendor(input: $input) { id entity { id } } }";
const START: i64 = 1_772_438_400; // 2026-03-02T08:00:00Z, a Monday

/// Three weeks of an hourly sync from one network, as epoch seconds.
fn history() -> String {
    let mut lines = String::new();
    for hour in 0..24 * 21_i64 {
        for call in 0..6 {
            let at = START - (24 * 21 - hour) * 3_600 + call * 20 + hour % 7;
            lines += &call_event(&format!("h{hour}-{call}"), at, "203.0.113.40", 64_510, "DE", 200).to_string();
            lines.push('\n');
        }
    }
    lines
}

fn call_event(id: &str, at: i64, ip: &str, asn: u32, country: &str, records: u32) -> Value {
    json!({"id": id, "time": at, "kind": "api.call", "outcome": "success", "actor": {"integration": "acme-fulfilment", "key": "ak_51d0"},
        "client": {"ip": ip, "asn": asn, "country": country, "user_agent": "acme-sync/2.1"},
        "http": {"method": "GET", "host": "api.shop.example", "path": "/v1/orders?page=1", "route": "/v1/orders", "status": 200},
        "records": records, "labels": {"fields": "id,status"}})
}

fn incident(company: &str, domain: &str) -> Value {
    json!({"id": "inc-1", "time": START + 3_600, "kind": "vendor.incident", "source": "news",
        "object": {"type": "company", "id": company}, "labels": {"vendor": company, "domain": domain, "source": "news"},
        "message": format!("{company} confirms breach of its customer portal")})
}

/// Runs the story; gives the alerts on the key, and the risk of the vendor's dependants before and after.
async fn play(client: &Client, incident: Option<Value>) -> (Vec<Value>, Value) {
    let input = json!({"name": "Acme Logistics GmbH & Co. KG", "domains": ["acme-logistics.example"], "tier": "CRITICAL",
        "integrations": ["acme-fulfilment"]});
    client.graphql(ADD, json!({ "input": input })).await;
    let history = client.post("/v1/events", history()).await;
    assert_eq!(history.body["rejected"], json!([]), "{history:?}");
    if let Some(incident) = incident {
        client.post("/v1/events", incident.to_string()).await;
    }
    client.wait_judged().await;
    let risks = client
        .graphql(
            "{ v: entity(kind: VENDOR, key: \"acme-logistics.example\") { risk { score } } \
               i: entity(kind: INTEGRATION, key: \"acme-fulfilment\") { risk { score propagated contributions { points reason via { key } } } } \
               k: entity(kind: API_KEY, key: \"ak_51d0\") { risk { score own propagated contributions { points } } } }",
            json!({}),
        )
        .await;
    let odd = call_event("odd-1", START + 7_200, "198.51.100.77", 64_999, "BR", 200);
    client.post("/v1/events", odd.to_string()).await;
    client.wait_judged().await;
    let alerts = wait_for("an alert", || async {
        let data = client
            .graphql(
                "{ alerts(first: 20) { edges { node { id severity count summary timeline { text } entities { kind key } \
                   path { kind from { kind key } to { kind key } } techniques { id } recommendations } } } }",
                json!({}),
            )
            .await;
        let alerts: Vec<Value> = data["alerts"]["edges"].as_array()?.iter().map(|edge| edge["node"].clone()).collect();
        (!alerts.is_empty()).then_some(alerts)
    })
    .await;
    (alerts, risks)
}

fn on_key(alerts: &[Value]) -> Vec<&Value> {
    let names_key =
        |alert: &&Value| alert["entities"].as_array().unwrap().iter().any(|entity| entity["key"] == "ak_51d0");
    alerts.iter().filter(names_key).collect()
}

#[tokio::test]
async fn a_vendors_incident_makes_its_keys_odd_call_high() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path()).await;
    let (alerts, risks) = play(&server.admin(), Some(incident("Acme Logistics Ltd", "acme-logistics.example"))).await;
    for (who, score) in [("vendor", &risks["v"]), ("integration", &risks["i"]), ("key", &risks["k"])] {
        assert!(score["risk"]["score"].as_f64().unwrap() > 5.0, "{who}: {risks}");
    }
    let sum: f64 = risks["k"]["risk"]["contributions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["points"].as_f64().unwrap())
        .sum();
    assert!((sum - risks["k"]["risk"]["score"].as_f64().unwrap()).abs() < 1e-6, "{risks}");
    let alerts = on_key(&alerts);
    assert_eq!(alerts.len(), 1, "one alert: {alerts:#?}");
    let client = server.admin();
    assert_eq!(client.metric("riskgraph_alerts_open").await, Some(1.0));
    assert!(client.metric("riskgraph_state_entries{kind=\"entities\"}").await >= Some(5.0));
    let alert = alerts[0];
    assert!(matches!(alert["severity"].as_str(), Some("HIGH" | "CRITICAL")), "{alert:#}");
    let path = alert["path"].as_array().unwrap();
    assert!(
        path.iter().any(|step| step["from"]["kind"] == "VENDOR" && step["kind"] == "OPERATES"),
        "the path names the vendor: {alert:#}"
    );
    assert!(path.iter().any(|step| step["kind"] == "USES" && step["to"]["key"] == "ak_51d0"), "{alert:#}");
    assert!(!alert["recommendations"].as_array().unwrap().is_empty());
    assert!(!alert["techniques"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn without_the_incident_the_same_call_is_medium_at_most() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path()).await;
    // The twin: a namesake with a domain of its own is breached.
    let (alerts, _) = play(&server.admin(), Some(incident("Acme Logistics Pty", "acme-logistics-pty.example"))).await;
    for alert in on_key(&alerts) {
        assert!(!matches!(alert["severity"].as_str(), Some("HIGH" | "CRITICAL")), "{alert:#}");
    }
}
