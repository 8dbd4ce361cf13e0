//! AWS WAF's IP sets, spoken by a stand-in: lock tokens, throttling, lost answers.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use riskgraph_connectors::respond::{ConnectorsConfig, Responders};
use riskgraph_domain::respond::Responder as _;
use riskgraph_domain::{EntityKind, FaultCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::fake::{Failure, Fake};
use super::world::{build, connectors, request};

/// A set, and how often somebody else changes it in between.
#[derive(Default)]
struct Set {
    addresses: Vec<String>,
    token: u64,
    meddling: Vec<String>,
    n_updates: usize,
    description: String,
}

struct World {
    set: Arc<Mutex<Set>>,
    fake: Fake,
    config: ConnectorsConfig,
    responders: Responders,
    dir: TempDir,
}

async fn world() -> World {
    let set = Arc::new(Mutex::new(Set { description: "kept by the shop".into(), ..Set::default() }));
    let fake = Fake::default();
    let address = fake.serve(Router::new().route("/", post(answer)).with_state(set.clone())).await;
    let dir = tempfile::tempdir().expect("dir");
    std::fs::write(dir.path().join("secret"), "wJalrXUtnFEMI/K7MDENG").expect("written");
    let config = connectors(json!({"waf": {
        "kind": "aws_waf", "region": "eu-central-1", "access_key_id": "AKIDEXAMPLE",
        "secret_key_file": dir.path().join("secret"), "endpoint": format!("http://{address}/"),
        "ipv4": {"name": "blocked", "id": "a1b2"}, "net": {"allow_networks": ["127.0.0.0/8"]},
    }}));
    let responders = build(&config, dir.path());
    World { set, fake, config, responders, dir }
}

fn error(kind: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({"__type": format!("com.amazonaws.wafv2#{kind}"), "Message": "no"})))
        .into_response()
}

async fn answer(State(set): State<Arc<Mutex<Set>>>, headers: HeaderMap, body: String) -> Response {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let start = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260501/eu-central-1/wafv2/aws4_request, \
                 SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=";
    let signature = header("authorization").strip_prefix(start).map(str::len);
    let body: Value = serde_json::from_str(&body).unwrap_or_default();
    if signature != Some(64)
        || header("x-amz-date") != "20260501T100000Z"
        || body["Id"] != "a1b2"
        || body["Scope"] != "REGIONAL"
    {
        return error("WAFInvalidParameterException");
    }
    let mut set = set.lock().expect("set");
    match header("x-amz-target").as_str() {
        "AWSWAF_20190729.GetIPSet" => Json(json!({
            "IPSet": {"Name": "blocked", "Id": "a1b2", "Description": set.description, "IPAddressVersion": "IPV4", "Addresses": set.addresses},
            "LockToken": set.token.to_string(),
        }))
        .into_response(),
        "AWSWAF_20190729.UpdateIPSet" => {
            if let Some(other) = set.meddling.pop() {
                set.addresses.push(other);
                set.token += 1;
            }
            if body["LockToken"].as_str() != Some(set.token.to_string().as_str()) {
                return error("WAFOptimisticLockException");
            }
            let list = body["Addresses"].as_array().cloned().unwrap_or_default();
            set.addresses = list.iter().filter_map(|text| text.as_str().map(str::to_owned)).collect();
            set.description = body["Description"].as_str().unwrap_or_default().to_owned();
            set.token += 1;
            set.n_updates += 1;
            Json(json!({"NextLockToken": set.token.to_string()})).into_response()
        }
        _ => error("UnknownOperationException"),
    }
}

fn addresses(world: &World) -> Vec<String> {
    world.set.lock().expect("set").addresses.clone()
}

#[tokio::test]
async fn members_come_and_go_under_the_lock() {
    let world = world().await;
    world.set.lock().expect("set").addresses = vec!["192.0.2.1/32".into(), "198.51.100.0/24".into()];
    world.set.lock().expect("set").meddling = vec!["192.0.2.3/32".into(), "192.0.2.2/32".into()];
    let block = request("block_address", (EntityKind::Address, "203.0.113.7"), "run_1");
    assert!(world.responders.dry_run(&block).await.expect("plans").text.contains("(2 members now)"));
    let effect = world.responders.execute(&block).await.expect("executes");
    assert!(effect.ours && world.responders.verify(&block, &effect).await.expect("looks").holds);
    assert_eq!(
        addresses(&world),
        ["192.0.2.1/32", "198.51.100.0/24", "192.0.2.2/32", "192.0.2.3/32", "203.0.113.7/32"],
        "what others added meanwhile is kept"
    );
    assert_eq!(world.set.lock().expect("set").description, "kept by the shop");
    let covered = request("block_address", (EntityKind::Address, "198.51.100.9"), "run_2");
    let seen = world.responders.execute(&covered).await.expect("nothing to do");
    assert!(!seen.ours && !world.responders.undo(&covered, &seen).await.expect("nothing").ours);
    assert!(world.responders.undo(&block, &effect).await.expect("undoes").ours);
    assert_eq!(addresses(&world).len(), 4);
    assert!(!world.responders.undo(&block, &effect).await.expect("again").ours);
}

#[tokio::test]
async fn what_somebody_else_added_first_is_theirs() {
    let world = world().await;
    world.set.lock().expect("set").meddling = vec!["203.0.113.7/32".into()];
    let block = request("block_address", (EntityKind::Address, "203.0.113.7"), "run_1");
    let effect = world.responders.execute(&block).await.expect("nothing left to do");
    assert!(!effect.ours);
    world.responders.undo(&block, &effect).await.expect("nothing");
    assert_eq!(addresses(&world), ["203.0.113.7/32"]);
}

#[tokio::test]
async fn a_lost_answer_is_not_repeated() {
    let mut world = world().await;
    let block = request("block_address", (EntityKind::Address, "203.0.113.7"), "run_1");
    world.fake.fail(Failure::status(503));
    assert!(world.responders.execute(&block).await.expect_err("down").code.retry());
    // GetIPSet passes, UpdateIPSet is heard and its answer lost; then everything is killed.
    world.responders = build(&world.config, world.dir.path());
    let lost = Failure { heard: true, ..Failure::status(500) };
    world.fake.script().failures.push_back(Failure { heard: true, body: get_body(), ..Failure::status(200) });
    world.fake.fail(lost);
    assert!(world.responders.execute(&block).await.expect_err("lost").code.retry());
    assert_eq!(addresses(&world), ["203.0.113.7/32"]);
    world.responders = build(&world.config, world.dir.path());
    let effect = world.responders.execute(&block).await.expect("found");
    assert!(effect.ours, "it is remembered that it was about to be done");
    assert_eq!(world.set.lock().expect("set").n_updates, 1);
    let other = request("block_address", (EntityKind::Address, "203.0.113.7"), "run_2");
    let joined = world.responders.execute(&other).await.expect("joins");
    assert!(joined.ours);
    world.responders.undo(&block, &effect).await.expect("undoes");
    assert_eq!(addresses(&world).len(), 1, "the other run holds it");
    world.responders.undo(&other, &joined).await.expect("undoes");
    assert!(addresses(&world).is_empty());
}

fn get_body() -> axum::body::Bytes {
    json!({"IPSet": {"Addresses": []}, "LockToken": "0"}).to_string().into()
}

#[tokio::test]
async fn failures_are_told_apart() {
    let world = world().await;
    let block = request("block_address", (EntityKind::Address, "203.0.113.7"), "run_1");
    let check = async |status: u16, kind: &str, code: FaultCode| {
        let body = json!({"__type": kind, "message": "secret wJalr"}).to_string();
        world.fake.fail(Failure { body: body.into(), ..Failure::status(status) });
        let fault = world.responders.execute(&block).await.expect_err("fails");
        assert_eq!(fault.code, code, "{fault}");
        assert!(!fault.message.contains("wJalr"), "{fault}");
    };
    check(400, "ThrottlingException", FaultCode::Upstream).await;
    check(400, "AccessDeniedException", FaultCode::UpstreamRefused).await;
    check(400, "aws#<b>", FaultCode::UpstreamRefused).await;
    check(500, "", FaultCode::Upstream).await;
    world.set.lock().expect("set").meddling = (0..20).map(|n| format!("192.0.2.{n}/32")).collect();
    let fault = world.responders.execute(&block).await.expect_err("never still");
    assert!(fault.code.retry() && fault.message.contains("gave up"), "{fault}");
    let six = request("block_address", (EntityKind::Address, "2001:db8::7"), "run_6");
    assert_eq!(world.responders.execute(&six).await.expect_err("no set").code, FaultCode::Configuration);
}
