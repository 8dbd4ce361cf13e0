//! `POST /v1/events`: formats, encodings, bounds and busy answers.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use riskgraph_api::{ApiOptions, IngestLimits};
use riskgraph_domain::error::{Fault, FaultCode};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::support::{INGEST, Server, answer, until};

const LINES: &str = "{\"kind\":\"auth.login\"}\n{\"kind\":\"api.call\"}\n";

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(body).expect("memory");
    encoder.finish().expect("memory")
}

fn zstd(body: &[u8]) -> Vec<u8> {
    zstd::encode_all(body, 3).expect("memory")
}

fn small() -> ApiOptions {
    let ingest = IngestLimits { wire_bytes_max: 200_000, decoded_bytes_max: 1 << 20, ..IngestLimits::default() };
    ApiOptions { ingest, ..ApiOptions::default() }
}

#[tokio::test]
async fn takes_events_plain_and_compressed() {
    let server = Server::start().await;
    let twice = [gzip(LINES.as_bytes()), gzip(LINES.as_bytes())].concat();
    let cases: [(&str, Vec<u8>, u64); 5] = [
        ("", LINES.into(), 2),
        ("identity", LINES.into(), 2),
        ("gzip", gzip(LINES.as_bytes()), 2),
        ("GZIP", twice, 4),
        ("zstd", zstd(LINES.as_bytes()), 2),
    ];
    for (encoding, body, accepted) in cases {
        let mut request = server.post("/v1/events", INGEST).body(body);
        if !encoding.is_empty() {
            request = request.header("content-encoding", encoding);
        }
        let (status, body) = answer(request).await;
        let expected = json!({
            "accepted": accepted, "duplicates": 0, "rejected": [], "rejected_more": 0, "position": accepted.to_string(),
        });
        assert_eq!((status, body), (200, expected), "{encoding}");
    }
    let batches = server.world.batches.lock();
    assert!(batches.iter().all(|batch| batch.format.as_str() == "native" && batch.sender.as_str() == "ingest"));
    assert_eq!(&batches[2].body[..], LINES.as_bytes());
}

#[tokio::test]
async fn names_bad_lines_and_takes_the_good_ones() {
    let server = Server::start().await;
    let (status, body) = answer(server.post("/v1/events/nginx", INGEST).body("{}\nnonsense\n{}\n")).await;
    assert_eq!((status, &body["accepted"]), (200, &json!(2)));
    assert_eq!(body["rejected"], json!([{ "line": 2, "code": "RG-0101", "reason": "not JSON" }]));
    assert_eq!(server.world.batches.lock()[0].format.as_str(), "nginx");

    let (status, body) = answer(server.post("/v1/events", INGEST).body("nonsense\n")).await;
    assert_eq!((status, &body["accepted"], &body["position"]), (400, &json!(0), &json!(null)));
}

#[tokio::test]
async fn refuses_what_it_cannot_take() {
    let server = Server::with(small()).await;
    let zeros = vec![b' '; 8 << 20];
    let cut = &gzip(LINES.as_bytes())[..20];
    let cases: [(&str, &str, Vec<u8>, u16, &str); 11] = [
        ("/v1/events", "br", LINES.into(), 415, "RG-0111"),
        ("/v1/events", "gzip, zstd", LINES.into(), 415, "RG-0111"),
        ("/v1/events", "gzip", LINES.into(), 400, "RG-0111"),
        ("/v1/events", "gzip", cut.to_vec(), 400, "RG-0111"),
        ("/v1/events", "zstd", LINES.into(), 400, "RG-0111"),
        ("/v1/events", "gzip", gzip(&zeros), 413, "RG-0110"),
        ("/v1/events", "zstd", zstd(&zeros), 413, "RG-0110"),
        ("/v1/events", "identity", vec![b'x'; 200_001], 413, "RG-0110"),
        ("/v1/events", "identity", Vec::new(), 400, "RG-0104"),
        ("/v1/events/NGINX%20", "identity", LINES.into(), 400, "RG-0108"),
        ("/v1/events/..%2f..%2fetc", "identity", LINES.into(), 400, "RG-0108"),
    ];
    for (path, encoding, body, expected, code) in cases {
        let request = server.post(path, INGEST).header("content-encoding", encoding).body(body);
        let (status, body) = answer(request).await;
        assert_eq!((status, &body["error"]["code"]), (expected, &json!(code)), "{path} {encoding}");
    }
    assert!(server.world.batches.lock().is_empty(), "nothing of that may reach the intake");
}

#[tokio::test]
async fn stops_a_body_without_announced_length_at_the_bound() {
    let server = Server::with(small()).await;
    let chunks = futures::stream::iter((0..50).map(|_| Ok::<_, std::io::Error>(vec![b'x'; 10_000])));
    let request = server.post("/v1/events", INGEST).body(reqwest::Body::wrap_stream(chunks));
    // The server may close before all is sent; then the client sees a broken connection instead of the answer.
    if let Ok(response) = request.send().await {
        assert_eq!(response.status().as_u16(), 413);
    }
    assert!(server.world.batches.lock().is_empty());
    assert_eq!(answer(server.post("/v1/events", INGEST).body(LINES)).await.0, 200);
}

#[tokio::test]
async fn says_when_to_come_back() {
    let server = Server::start().await;
    let check = async |fault: Fault, status: u16, after: Option<&str>| {
        *server.world.refuse.lock() = Some(fault.clone());
        let response = server.post("/v1/events", INGEST).body(LINES).send().await.expect("an answer");
        let header = response.headers().get("retry-after").map(|v| v.to_str().expect("text").to_owned());
        assert_eq!((response.status().as_u16(), header.as_deref()), (status, after), "{fault}");
    };
    let slow = Fault { retry_after_s: Some(7), ..Fault::new(FaultCode::Overloaded, "far behind") };
    check(slow, 429, Some("7")).await;
    check(Fault::new(FaultCode::RateLimited, "too fast"), 429, Some("1")).await;
    check(Fault::new(FaultCode::Stopping, "bye"), 503, Some("1")).await;
    check(Fault::new(FaultCode::Store, "disk full at /secret/path"), 500, None).await;
}

#[tokio::test]
async fn bodies_in_memory_are_bounded_together() {
    let ingest = IngestLimits { memory_bytes_max: 2 << 20, ..IngestLimits::default() };
    let server = Server::with(ApiOptions { ingest, ..ApiOptions::default() }).await;
    let gate = Arc::new(Semaphore::new(0));
    *server.world.gate.lock() = Some(gate.clone());
    let big = || server.post("/v1/events", INGEST).body("\n".repeat((1 << 20) + 1) + "{}");
    let first = tokio::spawn(big().send());
    until("the first body waits in the intake", || server.world.waiting.load(Ordering::SeqCst) == 1).await;

    let refused = big().send().await.expect("an answer");
    assert_eq!((refused.status().as_u16(), refused.headers().contains_key("retry-after")), (429, true));
    // A bomb is refused while it grows, not after.
    let bomb = server.post("/v1/events", INGEST).header("content-encoding", "zstd").body(zstd(&vec![0; 4 << 20]));
    assert_eq!(answer(bomb).await.0, 429);

    gate.add_permits(10);
    assert_eq!(first.await.expect("no panic").expect("an answer").status().as_u16(), 200);
    assert_eq!(answer(big()).await.0, 200);
}

#[tokio::test]
async fn an_internal_fault_shows_a_reference_only() {
    let server = Server::start().await;
    *server.world.refuse.lock() = Some(Fault::new(FaultCode::Store, "disk full at /secret/path"));
    let response = server.post("/v1/events", INGEST).body(LINES).send().await.expect("an answer");
    let id = response.headers()["x-request-id"].to_str().expect("text").to_owned();
    let body = response.text().await.expect("a body");
    assert!(body.contains(&id) && !body.contains("secret"), "{body}");
}
