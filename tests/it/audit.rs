//! The audit log of the real service: whole while it runs, after a kill, beside the command line, and what is found when
//! somebody changes it.

use std::path::Path;
use std::process::{Command, Output};

use riskgraph_domain::time::Clock as _;
use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::server::Server;

fn riskgraph(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_riskgraph")).args(arguments).output().unwrap()
}

/// What `audit verify` says: its exit code and its finding.
fn verify(data: &Path, more: &[&str]) -> (Option<i32>, Value) {
    let mut arguments = vec!["audit", "verify", "--format", "json", "--data-dir", data.to_str().unwrap()];
    arguments.extend(more);
    let output = riskgraph(&arguments);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let found =
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code(), found)
}

async fn changes(admin: &Client, n: usize) {
    for n in 0..n {
        let document = "mutation($name: String!) { createToken(name: $name, role: READER) { token { id } } }";
        admin.graphql(document, json!({ "name": format!("t{n}") })).await;
    }
}

#[tokio::test]
async fn the_log_is_whole_while_it_grows_and_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path()).await;
    let admin = server.admin();
    // The service and the command line append at the same time: one chain.
    let data = dir.path().to_str().unwrap().to_owned();
    let beside = tokio::task::spawn_blocking(move || {
        for n in 0..5 {
            let name = format!("cli{n}");
            let made = riskgraph(&["token", "create", "--role", "reader", "--name", &name, "--data-dir", &data]);
            assert!(made.status.success());
        }
    });
    changes(&admin, 10).await;
    beside.await.unwrap();
    let (code, found) = verify(dir.path(), &[]);
    assert_eq!((code, &found["whole"]), (Some(0), &json!(true)), "{found}");
    let entries = found["entries"].as_u64().unwrap();
    assert!(entries >= 30, "two for each change: {found}");
    let asked = admin.graphql("{ auditVerification { whole entries head firstBroken } }", json!({})).await;
    assert_eq!(asked["auditVerification"]["whole"], true);
    assert_eq!(asked["auditVerification"]["head"], found["head"]);
    let head = found["head"].as_str().unwrap().to_owned();
    let log = admin
        .graphql(
            "{ audit(action: \"createToken\", first: 100) { edges { node { actor outcome target } } } }",
            json!({}),
        )
        .await;
    let rows = log["audit"]["edges"].as_array().unwrap();
    let by_cli = rows.iter().filter(|row| row["node"]["actor"].as_str().unwrap().starts_with("command line")).count();
    assert_eq!((rows.len(), by_cli), (30, 10));
    server.kill().await;
    let (code, found) = verify(dir.path(), &["--head", &head]);
    assert_eq!(code, Some(0), "{found}");
    let server = Server::start(dir.path()).await;
    server.stop().await;
    let (code, found) = verify(dir.path(), &["--head", &"0".repeat(64)]);
    assert!(code == Some(1) && found["reason"].as_str().unwrap().contains("taken away"), "{found}");
}

#[tokio::test]
async fn an_export_proves_itself_and_every_tampering_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path()).await;
    changes(&server.admin(), 5).await;
    server.stop().await;
    let exported = riskgraph(&["audit", "export", "--data-dir", dir.path().to_str().unwrap()]);
    assert!(exported.status.success());
    let lines: Vec<String> = String::from_utf8(exported.stdout).unwrap().lines().map(str::to_owned).collect();
    assert!(lines.len() >= 11 && lines.last().unwrap().contains("exportAudit"), "{lines:#?}");
    let check = |what: &str, lines: &[String], code: i32, words: &str| {
        let file = dir.path().join("export.jsonl");
        std::fs::write(&file, lines.join("\n")).unwrap();
        let output = riskgraph(&["audit", "verify", file.to_str().unwrap()]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.code() == Some(code) && text.contains(words), "{what}: {text}");
    };
    check("whole", &lines, 0, "is whole");
    check("a part", &lines[3..8], 0, "5 entries");
    let changed = |at: usize, from: &str, to: &str| {
        let mut lines = lines.clone();
        lines[at] = lines[at].replace(from, to);
        lines
    };
    check("a changed actor", &changed(4, "first start", "somebody"), 1, "entry 5: its content hashes");
    check("a changed time", &changed(4, "\"at\":\"2", "\"at\":\"1"), 1, "entry 5");
    check("an added field", &changed(4, "{\"action\"", "{\"Z\":1,\"action\""), 1, "entry 5: its content hashes");
    let mut gap = lines.clone();
    gap.remove(4);
    check("one taken out", &gap, 1, "entry 5: it is missing");
    let mut swapped = lines.clone();
    swapped.swap(4, 5);
    check("two swapped", &swapped, 1, "entry 5: it is missing");
    check("torn", &changed(4, "\"hash\"", "\"hash"), 1, "entry 5: the line is no JSON");
    let output = riskgraph(&["audit", "verify", "no-such-file"]);
    assert_eq!(output.status.code(), Some(2));
    let empty = tempfile::tempdir().unwrap();
    let output = riskgraph(&["audit", "verify", "--data-dir", empty.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "a log is not made by looking at it");
}

#[tokio::test]
async fn a_cut_tail_is_noticed_by_the_noted_heads() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path()).await;
    let token = server.first_token.clone().unwrap();
    changes(&server.admin(), 5).await;
    server.stop().await;
    let (code, before) = verify(dir.path(), &[]);
    assert_eq!(code, Some(0), "{before}");
    let (log, kept) = (dir.path().join("audit.db"), dir.path().join("kept"));
    std::fs::copy(&log, &kept).unwrap();
    // The orderly end notes the head beside the database; then an older log is put in place of the newer one.
    let server = Server::start(dir.path()).await;
    changes(&Client::new(&server.url, &token), 3).await;
    server.stop().await;
    assert_eq!(verify(dir.path(), &[]).0, Some(0));
    for name in ["audit.db-wal", "audit.db-shm"] {
        let _absent = std::fs::remove_file(dir.path().join(name));
    }
    std::fs::copy(&kept, &log).unwrap();
    let (code, found) = verify(dir.path(), &[]);
    let next = before["entries"].as_u64().unwrap() + 1;
    assert_eq!((code, &found["firstBroken"]), (Some(1), &json!(next)), "{found}");
    assert!(found["reason"].as_str().unwrap().contains("taken away"), "{found}");
}

#[tokio::test]
async fn reading_a_person_is_recorded_and_reading_vendors_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path()).await;
    let admin = server.admin();
    let now = riskgraph::clock::SystemClock.now();
    let event = json!({ "id": "e1", "time": now.to_rfc3339(), "kind": "auth.login", "outcome": "success",
        "actor": { "user": "mia.holm" }, "client": { "ip": "198.51.100.7" } });
    assert_eq!(admin.post("/v1/events", event.to_string()).await.status, 200);
    admin.wait_judged().await;
    let read = "{ audit(action: \"read\", first: 100) { edges { node { target detail } } } }";
    admin.graphql("query Look { entity(kind: USER, key: \"mia.holm\") { id key } }", json!({})).await;
    admin.graphql("{ vendors { totalCount } }", json!({})).await;
    let log = admin.graphql(read, json!({})).await;
    let rows = log["audit"]["edges"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{log}");
    assert_eq!(rows[0]["node"]["detail"]["operation"], "Look");
    assert!(rows[0]["node"]["target"].as_str().unwrap().starts_with("ent_"));
    assert!(!log.to_string().contains("mia.holm"), "{log}");
}
