//! Vendors from import to grade, against the lab's internet; schedules that catch up; jobs that survive a kill.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use riskgraph::config::Config;
use riskgraph::jobs::Queue;
use riskgraph::jobs::schedule::Schedule;
use riskgraph_domain::Timestamp;
use riskgraph_domain::time::{Clock, DAY_MS, MINUTE_MS};
use riskgraph_lab::{Internet, InternetOptions};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::client::Client;
use crate::support::server::Server;
use crate::support::wait_for;

/// A configuration file that wires the crawler to the lab.
fn wired(internet: &Internet, folder: &std::path::Path) -> std::path::PathBuf {
    let ca = folder.join("ca.pem");
    std::fs::write(&ca, &internet.ca_pem).unwrap();
    let anchors = folder.join("anchors.txt");
    std::fs::write(&anchors, &internet.dnssec_anchor).unwrap();
    let connect: Vec<String> = internet.connect.iter().map(|(host, address)| format!("\"{host}={address}\"")).collect();
    let file = folder.join("riskgraph.toml");
    let text = format!(
        "[crawler]\nresolver = \"{}\"\nca_file = {ca:?}\ndnssec_anchors = {anchors:?}\nallow_networks = {:?}\nconnect = [{}]\n",
        internet.resolver,
        internet.allow_networks,
        connect.join(", ")
    );
    std::fs::write(&file, text).unwrap();
    file
}

async fn grades(client: &Client) -> Option<Vec<(String, String)>> {
    let data = client
        .graphql(
            "{ vendors(first: 50) { edges { node { domains posture { grade score coverage waterfall { points } } } } } }",
            json!({}),
        )
        .await;
    let nodes = data["vendors"]["edges"].as_array()?.iter().map(|edge| edge["node"].clone());
    nodes
        .map(|vendor| {
            let posture = &vendor["posture"];
            if let Some(score) = posture["score"].as_f64() {
                let lost: f64 =
                    posture["waterfall"].as_array()?.iter().filter_map(|part| part["points"].as_f64()).sum();
                assert!((100.0 - score - lost).abs() < 1e-6, "the waterfall adds up: {vendor}");
            }
            Some((vendor["domains"][0].as_str()?.to_owned(), posture["grade"].as_str()?.to_owned()))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn imported_vendors_are_assessed_also_across_a_kill() {
    let internet = Internet::start(InternetOptions { seed: 5, ..InternetOptions::default() }).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let config = wired(&internet, dir.path());
    let csv = dir.path().join("vendors.csv");
    std::fs::write(&csv, internet.csv()).unwrap();
    let server = Server::start_configured(dir.path(), Some(&config)).await;
    let token = server.admin().token;
    let imported = Command::new(env!("CARGO_BIN_EXE_riskgraph"))
        .args(["vendors", "import", "--server", &server.url, "--token", &token])
        .arg(&csv)
        .output()
        .await
        .unwrap();
    assert!(imported.status.success(), "{imported:?}");
    // Some jobs wait and some run: whatever they were at, they are done after the restart.
    server.kill().await;
    let server = Server::start_configured(dir.path(), Some(&config)).await;
    let client = Client::new(&server.url, &token);
    let all = wait_for("every vendor's grade", || grades(&client)).await;
    assert_eq!(all.len(), internet.vendors.len());
    for vendor in &internet.vendors {
        let (_, grade) = all.iter().find(|(domain, _)| *domain == vendor.domain).unwrap();
        assert!(vendor.expected_grades.contains(&grade.as_str()), "{} ({}): {grade}", vendor.domain, vendor.expected);
    }
    let asked = client
        .graphql("{ vendors(first: 1) { edges { node { id fourthParties { kind to { key } } } } } }", json!({}))
        .await;
    let id = asked["vendors"]["edges"][0]["node"]["id"].clone();
    let queued = client.graphql("mutation($id: ID!) { assessVendor(id: $id) }", json!({ "id": id })).await;
    assert_eq!(queued["assessVendor"], true);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_assesses_once() {
    let internet = Internet::start(InternetOptions { seed: 9, ..InternetOptions::default() }).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("ca.pem");
    std::fs::write(&ca, &internet.ca_pem).unwrap();
    let vendor = &internet.vendors[0];
    let mut command = Command::new(env!("CARGO_BIN_EXE_riskgraph"));
    command.args(["posture", &vendor.domain, "--format", "json", "--resolver", &internet.resolver.to_string()]);
    command.args(["--allow-network", "127.0.0.0/8", "--ca"]).arg(&ca);
    for (host, address) in &internet.connect {
        command.args(["--connect", &format!("{host}={address}")]);
    }
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    let reports: Value = serde_json::from_slice(&output.stdout).unwrap();
    let report = &reports[0];
    assert_eq!(report["domain"], vendor.domain);
    assert!(report["checks"].as_array().unwrap().len() >= 30, "at least 30 checks: {report:#}");
    for key in ["score", "grade", "coverage", "model", "assessed_at", "factors", "waterfall", "compat"] {
        assert!(report.get(key).is_some(), "{key} is missing");
    }
    for check in report["checks"].as_array().unwrap() {
        assert!(matches!(check["result"].as_str(), Some("pass" | "warn" | "fail" | "unknown")), "{check}");
    }
}

/// A clock that a test turns.
struct Turned(AtomicI64);

impl Clock for Turned {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

#[tokio::test]
async fn a_missed_run_is_caught_up_once() {
    let dir = tempfile::tempdir().unwrap();
    let mut config = Config::load(None).unwrap();
    config.store.data_dir = dir.path().to_owned();
    let store = riskgraph_store::Store::open(riskgraph::app::store_options(&config)).await.unwrap();
    let start = Timestamp::parse_rfc3339("2026-05-04T12:00:00Z").unwrap();
    let clock = Arc::new(Turned(AtomicI64::new(start.0)));
    let vendor = riskgraph_domain::vendor::VendorInput {
        name: "V".into(),
        domains: vec!["v.example".into()],
        tier: None,
        owner: None,
        integrations: None,
    };
    let row = riskgraph_domain::vendor::Vendor {
        id: vendor.vendor_id(),
        name: vendor.name,
        domains: vendor.domains,
        tier: riskgraph_domain::vendor::VendorTier::Low,
        owner: None,
        integrations: Vec::new(),
        added_at: start,
    };
    let delta = riskgraph_domain::ports::Delta {
        position: riskgraph_domain::journal::Position(1),
        vendors: vec![row],
        ..Default::default()
    };
    store.state().apply(delta).await.unwrap();
    let queue = Queue::new(store.jobs(), clock.clone());
    let schedule = Schedule::new(&config.assessment, store.records(), store.jobs(), queue, clock.clone()).unwrap();
    let jobs = store.jobs();
    let take = async || {
        let now = clock.now();
        jobs.lease(now, now + MINUTE_MS).await.unwrap()
    };

    schedule.tick().await.unwrap();
    let key = take().await.expect("a vendor never assessed is due at once");
    assert_eq!(take().await, None, "one job, however often the clock ticks");
    jobs.finish(&key, clock.now()).await.unwrap();
    schedule.tick().await.unwrap();
    assert_eq!(take().await, None, "assessed today");
    // The service sleeps over three nights.
    clock.0.store(start.0 + 3 * DAY_MS, Ordering::Relaxed);
    schedule.tick().await.unwrap();
    schedule.tick().await.unwrap();
    assert_eq!(take().await, Some(key.clone()), "caught up");
    assert_eq!(take().await, None, "once, not thrice");
    // The runner dies; its lease runs out, or a new start frees it.
    assert_eq!(jobs.release_all().await.unwrap(), 1);
    assert_eq!(take().await, Some(key));
}
