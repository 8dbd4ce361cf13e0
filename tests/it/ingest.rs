//! Ingest over HTTP and from files: formats, encodings, rejects, duplicates, masking, limits.

use std::io::{Read as _, Write as _};
use std::path::Path;

use serde_json::json;

use crate::support::client::Client;
use crate::support::server::Server;

fn login(id: &str, second: u32, user: &str) -> String {
    json!({"id": id, "time": format!("2026-03-02T08:00:{second:02}Z"), "kind": "auth.login", "outcome": "success",
        "actor": {"user": user}, "client": {"ip": "198.51.100.24", "device": "d-1", "asn": 64501, "country": "SE"}})
    .to_string()
}

#[tokio::test]
async fn good_lines_go_on_and_bad_ones_say_why() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path()).await;
    let client = server.admin();
    let body = [
        login("a1", 1, "mia"),
        "{\"time\":1772438400,\"kind\":\"auth.logon\"}".to_owned(),
        String::new(),
        "not json".to_owned(),
        login("a2", 2, "mia"),
        login("a1", 1, "mia"),
    ]
    .join("\n");
    let answer = client.post("/v1/events", body.clone()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["accepted"], 2);
    assert_eq!(answer.body["duplicates"], 1);
    let rejected = answer.body["rejected"].as_array().unwrap();
    assert_eq!(rejected.iter().map(|reject| reject["line"].as_u64().unwrap()).collect::<Vec<_>>(), vec![2, 4]);
    assert_eq!(rejected[0]["code"], "RG-0103");
    assert!(rejected[0]["reason"].as_str().unwrap().contains("auth.login"));
    let again = client.post("/v1/events", body).await;
    assert_eq!((&again.body["accepted"], &again.body["duplicates"]), (&json!(0), &json!(3)));
    server.stop().await;
    // A restart knows them still.
    let server = Server::start(dir.path()).await;
    let client = client.at(&server);
    let again = client.post("/v1/events", login("a2", 2, "mia")).await;
    assert_eq!((&again.body["accepted"], &again.body["duplicates"]), (&json!(0), &json!(1)));
}

#[tokio::test]
async fn bodies_come_plain_packed_and_as_arrays() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path()).await;
    let client = server.admin();
    let gzip = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let send =
        async |headers: &[(&str, &str)], body: Vec<u8>| client.try_post("/v1/events", headers, body).await.unwrap();
    let one = send(&[("content-encoding", "gzip")], gzip(&login("g1", 1, "a"))).await;
    assert_eq!((one.status, &one.body["accepted"]), (200, &json!(1)));
    let packed = zstd::encode_all(login("z1", 1, "a").as_bytes(), 1).unwrap();
    let two = send(&[("content-encoding", "zstd")], packed).await;
    assert_eq!((two.status, &two.body["accepted"]), (200, &json!(1)));
    let three = send(&[], format!("[{},{}]", login("j1", 1, "a"), login("j2", 1, "a")).into_bytes()).await;
    assert_eq!((three.status, &three.body["accepted"]), (200, &json!(2)));
    // A bomb: twice what a body may unpack to, in a few kilobytes.
    let bomb = zstd::encode_all(std::io::repeat(b' ').take(128 << 20), 1).unwrap();
    let refused = send(&[("content-encoding", "zstd")], bomb).await;
    assert_eq!(refused.status, 413, "{refused:?}");
    assert_eq!(send(&[("content-encoding", "br")], vec![1]).await.status, 415);
    assert_eq!(send(&[], b"[1,".to_vec()).await.status, 400);
    let unknown = client.post("/v1/events/syslog9", "x").await;
    assert_eq!(unknown.status, 400, "{unknown:?}");
}

#[tokio::test]
async fn access_logs_become_events() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path()).await;
    let client = server.admin();
    let line = "203.0.113.9 - - [02/Mar/2026:08:00:01 +0100] \"GET /p/1 HTTP/1.1\" 200 512 \"-\" \"Mozilla/5.0\"";
    let body = format!("{line}\n{line}\nnonsense\n");
    for format in ["nginx", "apache", "auto"] {
        let answer = client.post(&format!("/v1/events/{format}"), body.clone()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let known = answer.body["accepted"].as_u64().unwrap() + answer.body["duplicates"].as_u64().unwrap();
        assert_eq!(known, 2, "{answer:?}");
        assert_eq!(answer.body["rejected"][0]["line"], 3);
    }
}

/// Whether any file below the folder holds the bytes.
fn holds(folder: &Path, needle: &[u8]) -> Option<String> {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if let Some(found) = holds(&path, needle) {
                return Some(found);
            }
        } else {
            let bytes = std::fs::read(&path).unwrap();
            if bytes.windows(needle.len()).any(|window| window == needle) {
                return Some(path.display().to_string());
            }
        }
    }
    None
}

#[tokio::test]
async fn card_numbers_and_secrets_are_kept_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path()).await;
    let client = server.admin();
    // Incompressible and unique, so that a find in the files can only be a leak.
    let pan = "4539578763621486";
    let secret = ["sk", "live", "Zq8LmX2vTn5RkWb7YdHs"].join("_");
    let event = json!({"id": format!("p-{pan}"), "time": "2026-03-02T08:00:00Z", "kind": "payment.attempt", "outcome": "failure",
        "message": format!("card 4539 5787 6362 1486 refused with {secret}"), "actor": {"user": pan}, "card": {"fingerprint": pan},
        "labels": {"raw": pan, "n": 4_539_578_763_621_486_u64}, "nested": {"deep": [pan]}});
    let answer = client.post("/v1/events", event.to_string()).await;
    assert_eq!(answer.body["accepted"], 1, "{answer:?}");
    let refused = client.post("/v1/events", format!("{{\"time\":\"{pan}\",\"kind\":\"log.line\"}}")).await;
    assert!(!refused.body.to_string().contains(pan), "{refused:?}");
    client.wait_judged().await;
    server.stop().await;
    for needle in [pan, "4539 5787 6362 1486", &secret] {
        assert_eq!(holds(dir.path(), needle.as_bytes()), None, "{needle}");
    }
    let journal = riskgraph_store::Store::open(store_options(dir.path())).await.unwrap().journal();
    let batches = journal.read_after(riskgraph_domain::journal::Position(0), 100).await.unwrap();
    let lines = String::from_utf8(batches.into_iter().flat_map(|stored| stored.batch.lines).collect()).unwrap();
    assert!(lines.contains("453957******1486"), "{lines}");
    assert!(!lines.contains(pan) && !lines.contains(&secret), "{lines}");
}

fn store_options(dir: &Path) -> riskgraph_store::StoreOptions {
    let mut config = riskgraph::config::Config::load(None).unwrap();
    config.store.data_dir = dir.to_owned();
    riskgraph::app::store_options(&config)
}

#[tokio::test]
async fn the_command_line_ships_files() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path()).await;
    let client = server.admin();
    let file = dir.path().join("events.ndjson.zst");
    let lines: String = (0..50).map(|n| login(&format!("f{n}"), n % 60, "u") + "\n").collect();
    std::fs::write(&file, zstd::encode_all((lines + "bad\n").as_bytes(), 1).unwrap()).unwrap();
    let shipped = tokio::process::Command::new(env!("CARGO_BIN_EXE_riskgraph"))
        .args(["ingest", "--output", "json", "--server", &server.url, "--token", &client.token])
        .arg(&file)
        .output()
        .await
        .unwrap();
    assert!(shipped.status.success(), "{shipped:?}");
    let summary: serde_json::Value = serde_json::from_slice(&shipped.stdout).unwrap();
    assert_eq!((&summary["accepted"], &summary["rejected"]), (&json!(50), &json!(1)));
    assert!(summary["reasons"]["RG-0101"]["examples"][0].as_str().unwrap().contains(":51:"), "{summary}");
}

#[tokio::test]
async fn every_line_of_a_log_counts_once_however_often_it_is_sent() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path()).await;
    let client = server.admin();
    let file = dir.path().join("access.log");
    let line = "203.0.113.9 - - [02/Mar/2026:08:00:01 +0100] \"GET /p/1 HTTP/1.1\" 200 512 \"-\" \"Mozilla/5.0\"\n";
    std::fs::write(&file, line.repeat(12_000)).unwrap();
    for (accepted, duplicates) in [(12_000, 0), (0, 12_000)] {
        let shipped = tokio::process::Command::new(env!("CARGO_BIN_EXE_riskgraph"))
            .args(["ingest", "--output", "json", "--server", &server.url, "--token", &client.token])
            .arg(&file)
            .output()
            .await
            .unwrap();
        let summary: serde_json::Value = serde_json::from_slice(&shipped.stdout).unwrap();
        assert_eq!((&summary["accepted"], &summary["duplicates"]), (&json!(accepted), &json!(duplicates)), "{summary}");
    }
}

impl Client {
    /// The same token at another start of the service.
    fn at(&self, server: &Server) -> Self {
        Self::new(&server.url, &self.token)
    }
}
