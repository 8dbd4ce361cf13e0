//! Reports as their readers get them: made, rebuilt, verified, shared and scheduled, by the real binary.

use std::path::Path;
use std::process::{Command, Output};

use futures::TryStreamExt as _;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::server::Server;
use crate::support::wait_for;

const MAKE: &str =
    "mutation($i: ReportInput!) { makeReport(input: $i) { id asOf since stale files { format sha256 url } } }";
const ADD: &str = "mutation($i: VendorInput!) { addVendor(input: $i) { id } }";

fn riskgraph(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_riskgraph")).args(arguments).output().unwrap()
}

/// Adds a vendor that nobody can reach, so that its assessment says little and quickly.
async fn add_vendor(admin: &Client, name: &str) -> String {
    let input = json!({ "name": name, "domains": [format!("{name}.invalid")], "tier": "HIGH" });
    admin.graphql(ADD, json!({ "i": input })).await["addVendor"]["id"].as_str().unwrap().to_owned()
}

async fn make(admin: &Client, input: Value) -> Value {
    admin.graphql(MAKE, json!({ "i": input })).await["makeReport"].clone()
}

async fn bytes(admin: &Client, path: &str) -> (u16, Vec<u8>) {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut request = http.get(format!("{}{path}", admin.url));
    if !admin.token.is_empty() {
        request = request.bearer_auth(&admin.token);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let body: Vec<bytes::Bytes> = answer.bytes_stream().try_collect().await.unwrap();
    (status, body.concat())
}

/// The four files of a report in `dir`, as the command line makes them.
fn rebuild(data: &Path, dir: &Path, arguments: &[&str]) -> Vec<(String, Vec<u8>)> {
    let mut all = vec!["report"];
    all.extend(arguments);
    all.extend(["--data-dir", data.to_str().unwrap(), "--out", dir.to_str().unwrap()]);
    for format in ["html", "pdf", "csv", "json"] {
        all.extend(["--format", format]);
    }
    let output = riskgraph(&all);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.extension().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .filter(|(ending, _)| ending != "sig")
        .collect();
    files.sort();
    assert_eq!(files.len(), 4);
    files
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_instant_gives_the_same_bytes_however_the_world_moves_on() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = Server::start(&data).await;
    let admin = server.admin();
    let vendor = add_vendor(&admin, "alpha").await;
    let mut made = Vec::new();
    for kind in ["VENDOR_MANAGER", "RISK_LEAD", "BOARD"] {
        made.push((kind, make(&admin, json!({ "kind": kind })).await));
    }
    made.push(("VENDOR", make(&admin, json!({ "kind": "VENDOR", "vendor": vendor })).await));

    // The world moves on: another vendor, a new name, an alert, an assessment's end.
    add_vendor(&admin, "beta").await;
    let renamed = json!({ "name": "alpha renamed", "domains": ["alpha.invalid"], "tier": "CRITICAL" });
    admin
        .graphql(
            "mutation($id: ID!, $i: VendorInput!) { updateVendor(id: $id, input: $i) { id } }",
            json!({ "id": vendor, "i": renamed }),
        )
        .await;
    let incident = json!({
        "id": "news-1", "time": made[0].1["asOf"], "kind": "vendor.incident", "source": "news",
        "message": "customer data for sale", "labels": { "vendor": "alpha renamed", "domain": "alpha.invalid" },
    });
    assert_eq!(admin.post("/v1/events", incident.to_string()).await.status, 200);
    admin.wait_judged().await;
    let alerts = wait_for("the alert of the incident", || async {
        let found = admin.graphql("{ alerts { edges { node { id } } } }", json!({})).await;
        found["alerts"]["edges"].as_array().filter(|edges| !edges.is_empty()).cloned()
    })
    .await;
    assert!(!alerts.is_empty());

    for (kind, report) in &made {
        // Asked again, it is the same report.
        let mut again = json!({ "kind": kind, "asOf": report["asOf"], "since": report["since"] });
        if *kind == "VENDOR" {
            again["vendor"] = json!(vendor);
        }
        assert_eq!(make(&admin, again).await["id"], report["id"]);
        // Made again from history alone, every file is the same.
        let out = dir.path().join(kind);
        let as_of = report["asOf"].as_str().unwrap();
        let since = report["since"].as_str().unwrap();
        let name = kind.to_lowercase().replace('_', "-");
        let mut arguments = vec![name.as_str()];
        if *kind == "VENDOR" {
            arguments.push(&vendor);
        }
        arguments.extend(["--as-of", as_of, "--since", since]);
        // Links lead to the address the service was told to listen on.
        let config = dir.path().join("config.toml");
        std::fs::write(&config, "[server]\npublic_url = \"http://127.0.0.1:0\"\n").unwrap();
        arguments.extend(["--config", config.to_str().unwrap()]);
        let rebuilt = rebuild(&data, &out, &arguments);
        for file in report["files"].as_array().unwrap() {
            let (status, served) = bytes(&admin, file["url"].as_str().unwrap()).await;
            assert_eq!(status, 200);
            let ending = file["format"].as_str().unwrap().to_lowercase();
            let (_, own) = rebuilt.iter().find(|(known, _)| *known == ending).unwrap();
            assert!(own == &served, "{kind} {ending} differs");
        }
    }
    // And a report of now tells the news.
    let now = make(&admin, json!({ "kind": "VENDOR_MANAGER" })).await;
    let (_, page) = bytes(&admin, now["files"][0]["url"].as_str().unwrap()).await;
    let page = String::from_utf8_lossy(&page).into_owned();
    assert!(page.contains("alpha renamed") && page.contains("customer data for sale"), "{page}");
    let changes = admin
        .graphql(
            "query($s: DateTime!) { changes(since: $s) { edges { node { kind text vendor { name } } } } }",
            json!({ "s": made[0].1["asOf"] }),
        )
        .await;
    assert!(changes.to_string().contains("INCIDENT"), "{changes}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_holds_offline_and_one_changed_byte_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = Server::start(&data).await;
    let admin = server.admin();
    let report = make(&admin, json!({ "kind": "BOARD" })).await;
    let key = String::from_utf8(bytes(&admin, "/reports/key").await.1).unwrap();
    let check = admin
        .graphql(
            "query($i: ID!) { verifyReport(id: $i) { valid files { valid reason } } }",
            json!({ "i": report["id"] }),
        )
        .await;
    assert_eq!(check["verifyReport"]["valid"], true, "{check}");
    let verify = |file: &Path, key: &str, code: i32, part: &str| {
        let output = riskgraph(&["verify", file.to_str().unwrap(), "--key", key]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(code), "{said} {}", String::from_utf8_lossy(&output.stderr));
        assert!(said.contains(part), "{said}");
    };
    for file in report["files"].as_array().unwrap() {
        let url = file["url"].as_str().unwrap();
        let path = dir.path().join(url.rsplit('/').next().unwrap());
        let (_, body) = bytes(&admin, url).await;
        let (status, signature) = bytes(&admin, &format!("{url}.sig")).await;
        assert_eq!(status, 200);
        std::fs::write(&path, &body).unwrap();
        std::fs::write(format!("{}.sig", path.display()), signature).unwrap();
        verify(&path, key.trim(), 0, "valid: ");
        let mut changed = body.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        std::fs::write(&path, changed).unwrap();
        verify(&path, key.trim(), 1, "the file was changed");
        std::fs::write(&path, &body).unwrap();
        let other = "riskgraph-ed25519 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        verify(&path, other, 1, "not with the key");
    }
    server.stop().await;
    let printed = riskgraph(&["verify", "--key", "--data-dir", data.to_str().unwrap()]);
    assert_eq!(String::from_utf8(printed.stdout).unwrap().trim(), key.trim());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_opens_the_vendors_own_report_until_it_is_revoked() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data")).await;
    let admin = server.admin();
    let vendor = add_vendor(&admin, "gamma").await;
    add_vendor(&admin, "delta").await;
    let share = "mutation($i: ID!, $e: DateTime!) { shareReport(id: $i, expiresAt: $e) { id url } }";
    let soon = {
        let as_of = riskgraph_domain::Timestamp::parse_rfc3339(
            make(&admin, json!({ "kind": "BOARD" })).await["asOf"].as_str().unwrap(),
        );
        (as_of.unwrap() + 86_400_000).to_rfc3339()
    };
    let board = make(&admin, json!({ "kind": "BOARD" })).await;
    let refused = admin.graphql_raw(share, json!({ "i": board["id"], "e": soon })).await.body;
    assert_eq!(refused["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{refused}");

    let report = make(&admin, json!({ "kind": "VENDOR", "vendor": vendor })).await;
    let late = admin.graphql_raw(share, json!({ "i": report["id"], "e": "2099-01-01T00:00:00Z" })).await.body;
    assert!(late["errors"].is_array(), "a link does not live for ever: {late}");
    let shared = admin.graphql(share, json!({ "i": report["id"], "e": soon })).await["shareReport"].clone();
    let path = shared["url"].as_str().unwrap().split_once("/shared/").map(|(_, secret)| format!("/shared/{secret}"));
    let path = path.unwrap();
    assert_eq!(path.len(), "/shared/".len() + 64);
    let nobody = admin.with_token("");
    let (status, page) = bytes(&nobody, &path).await;
    let page = String::from_utf8_lossy(&page).into_owned();
    assert_eq!(status, 200);
    assert!(page.contains("gamma") && !page.contains("delta") && !page.contains("/vendors/"), "{page}");
    assert_eq!(bytes(&nobody, &format!("{path}?format=pdf")).await.0, 200);
    assert_eq!(bytes(&nobody, report["files"][0]["url"].as_str().unwrap()).await.0, 401);
    let shares = "query($i: ID!) { report(id: $i) { shares { opened revoked url } } }";
    let seen = admin.graphql(shares, json!({ "i": report["id"] })).await["report"]["shares"][0].clone();
    assert_eq!(seen, json!({ "opened": 2, "revoked": false, "url": null }));
    let revoked = admin.graphql("mutation($i: ID!) { revokeShare(id: $i) }", json!({ "i": shared["id"] })).await;
    assert_eq!(revoked["revokeShare"], true);
    assert_eq!(bytes(&nobody, &path).await.0, 404);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missed_instant_is_caught_up_once_even_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = Server::start(&data).await;
    let admin = server.admin();
    let create = "mutation($i: ReportScheduleInput!) { createReportSchedule(input: $i) { id nextAt } }";
    for (cron, zone) in [("nonsense", "UTC"), ("* * * * *", "UTC"), ("0 8 * * 1", "Mars/Olympus")] {
        let input = json!({ "name": "n", "kind": "BOARD", "cron": cron, "timeZone": zone });
        assert!(admin.graphql_raw(create, json!({ "i": input })).await.body["errors"].is_array(), "{cron} {zone}");
    }
    let input = json!({ "name": "Quarterly", "kind": "RISK_LEAD", "cron": "0 0 1 1 *", "timeZone": "Europe/Berlin" });
    let made = admin.graphql(create, json!({ "i": input })).await["createReportSchedule"].clone();
    assert!(made["nextAt"].as_str().unwrap().contains("-12-31T23:00:00"), "{made}");
    let token = admin.token.clone();
    let now = make(&admin, json!({ "kind": "BOARD" })).await["asOf"].as_str().unwrap().to_owned();
    server.kill().await;

    // As if it had been made long ago: the last first of January was missed.
    let url = format!("sqlite://{}/riskgraph.db", data.display());
    let store = riskgraph_store::Store::open(riskgraph_store::StoreOptions::new(url)).await.unwrap();
    let documents = store.documents();
    let mut old = documents.get("report_schedule", made["id"].as_str().unwrap()).await.unwrap().unwrap();
    old.at = riskgraph_domain::Timestamp(0);
    documents.remove("report_schedule", &old.id).await.unwrap();
    documents.put(old).await.unwrap();
    let year_ago = riskgraph_domain::Timestamp::parse_rfc3339(&now).unwrap() - 366 * 86_400_000;
    store.history().cut(year_ago, 0).await.unwrap();
    store.close().await.unwrap();

    let mut ids = Vec::new();
    for _ in 0..3 {
        let server = Server::start(&data).await;
        let admin = Client::new(&server.url, &token);
        let reports = wait_for("the missed report", || async {
            let found = admin
                .graphql("{ reports(kind: RISK_LEAD) { edges { node { id asOf schedule { name } } } } }", json!({}))
                .await;
            found["reports"]["edges"].as_array().filter(|edges| !edges.is_empty()).cloned()
        })
        .await;
        assert_eq!(reports.len(), 1, "{reports:?}");
        assert_eq!(reports[0]["node"]["schedule"]["name"], "Quarterly");
        assert!(reports[0]["node"]["asOf"].as_str().unwrap().contains("-12-31T23:00:00"));
        ids.push(reports[0]["node"]["id"].clone());
        server.kill().await;
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "each start found the same report");
}
