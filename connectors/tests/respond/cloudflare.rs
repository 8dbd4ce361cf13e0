//! Cloudflare's access rules, spoken by a stand-in: pages, duplicates, refusals, waits.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, patch};
use axum::{Json, Router};
use riskgraph_connectors::respond::Responders;
use riskgraph_domain::respond::Responder as _;
use riskgraph_domain::{EntityKind, FaultCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::fake::{Failure, Fake};
use super::world::{build, connectors, request};

type Rules = Arc<Mutex<Vec<Value>>>;

const ROOT: &str = "/client/v4/zones/023e105f4ecef8ad9ca31a8372d0c353/firewall/access_rules/rules";
/// Rules a page, whatever is asked for: so that pages are really followed.
const PAGE: usize = 2;

struct World {
    rules: Rules,
    fake: Fake,
    responders: Responders,
    _dir: TempDir,
}

async fn world() -> World {
    let (rules, fake) = (Rules::default(), Fake::default());
    let router = Router::new()
        .route(ROOT, get(list).post(create))
        .route(&format!("{ROOT}/{{id}}"), patch(edit).delete(remove))
        .with_state(rules.clone());
    let address = fake.serve(router).await;
    let dir = tempfile::tempdir().expect("dir");
    std::fs::write(dir.path().join("token"), "cf-token").expect("written");
    let config = connectors(json!({"cloudflare": {
        "kind": "cloudflare", "base_url": format!("http://{address}/client/v4/"),
        "zone_id": "023e105f4ecef8ad9ca31a8372d0c353", "token_file": dir.path().join("token"),
        "net": {"allow_networks": ["127.0.0.0/8"]},
    }}));
    let responders = build(&config, dir.path());
    World { rules, fake, responders, _dir: dir }
}

fn ok(result: Value, info: Value) -> Response {
    Json(json!({"success": true, "errors": [], "messages": [], "result": result, "result_info": info})).into_response()
}

fn wrong(status: StatusCode, code: i64) -> Response {
    let errors = json!([{"code": code, "message": "firewallaccessrules.api.<script>"}]);
    (status, Json(json!({"success": false, "errors": errors, "messages": [], "result": null}))).into_response()
}

/// Filters by target only, as loosely as the real one may.
async fn list(
    State(rules): State<Rules>,
    headers: HeaderMap,
    Query(query): Query<BTreeMap<String, String>>,
) -> Response {
    if headers.get("authorization").is_none_or(|value| value != "Bearer cf-token") {
        return wrong(StatusCode::FORBIDDEN, 10_000);
    }
    let rules = rules.lock().expect("rules");
    let fits = |rule: &&Value| query.get("configuration.target").is_none_or(|t| rule["configuration"]["target"] == **t);
    let fitting: Vec<Value> = rules.iter().filter(fits).cloned().collect();
    let page: usize = query.get("page").and_then(|page| page.parse().ok()).unwrap_or(1);
    let shown: Vec<Value> = fitting.iter().skip((page - 1) * PAGE).take(PAGE).cloned().collect();
    ok(json!(shown), json!({"page": page, "per_page": PAGE, "total_pages": fitting.len().div_ceil(PAGE)}))
}

async fn create(State(rules): State<Rules>, Json(mut body): Json<Value>) -> Response {
    let mut rules = rules.lock().expect("rules");
    if rules.iter().any(|rule| rule["configuration"] == body["configuration"]) {
        return wrong(StatusCode::BAD_REQUEST, 10_009);
    }
    body["id"] = json!(format!("{:032x}", rules.len() + 1));
    rules.push(body.clone());
    ok(body, json!({}))
}

async fn edit(State(rules): State<Rules>, Path(id): Path<String>, Json(body): Json<Value>) -> Response {
    let mut rules = rules.lock().expect("rules");
    let Some(rule) = rules.iter_mut().find(|rule| rule["id"] == id) else {
        return wrong(StatusCode::NOT_FOUND, 10_001);
    };
    (rule["notes"], rule["mode"]) = (body["notes"].clone(), body["mode"].clone());
    ok(rule.clone(), json!({}))
}

async fn remove(State(rules): State<Rules>, Path(id): Path<String>) -> Response {
    rules.lock().expect("rules").retain(|rule| rule["id"] != id);
    ok(json!({"id": id}), json!({}))
}

fn rule(target: &str, value: &str, mode: &str) -> Value {
    let configuration = json!({"target": target, "value": value});
    json!({"id": format!("hand-{value}"), "mode": mode, "configuration": configuration, "notes": "by hand"})
}

fn values(world: &World) -> Vec<String> {
    let rules = world.rules.lock().expect("rules");
    rules.iter().map(|rule| rule["configuration"]["value"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn rules_are_made_once_found_on_later_pages_and_removed() {
    let world = world().await;
    for n in 1..=5 {
        world.rules.lock().expect("rules").push(rule("ip", &format!("192.0.2.{n}"), "block"));
    }
    let block = request("block_address", (EntityKind::Address, "203.0.113.7"), "run_1");
    assert!(world.responders.dry_run(&block).await.expect("plans").changes);
    let effect = world.responders.execute(&block).await.expect("executes");
    assert!(effect.ours && world.responders.verify(&block, &effect).await.expect("looks").holds);
    assert_eq!(world.responders.execute(&block).await.expect("again"), effect);
    assert_eq!(world.fake.n_asked("POST"), 1, "made once");
    let by_hand = request("block_address", (EntityKind::Address, "192.0.2.5"), "run_2");
    let seen = world.responders.execute(&by_hand).await.expect("nothing to do");
    assert!(!seen.ours);
    assert!(!world.responders.undo(&by_hand, &seen).await.expect("nothing").ours);
    world.responders.undo(&block, &effect).await.expect("undoes");
    assert_eq!(values(&world).len(), 5, "those made by hand stay");
}

#[tokio::test]
async fn networks_and_autonomous_systems_have_their_own_targets() {
    let world = world().await;
    let check = async |kind, target: &str, want: Option<&str>| {
        let block = request("block_network", (kind, target), &format!("run_{}", target.len()));
        let done = world.responders.execute(&block).await;
        let made = world.rules.lock().expect("rules").pop().map(|rule| rule["configuration"]["target"].clone());
        assert_eq!((done.is_ok(), made), (want.is_some(), want.map(|target| json!(target))), "{target}");
    };
    check(EntityKind::Network, "203.0.113.0/24", Some("ip_range")).await;
    check(EntityKind::Network, "2001:db8::/32", Some("ip_range")).await;
    check(EntityKind::Network, "2001:db8::7/128", Some("ip6")).await;
    check(EntityKind::Network, "AS64512", Some("asn")).await;
    check(EntityKind::Network, "203.0.113.0/22", None).await;
    check(EntityKind::Network, "ASx", None).await;
}

#[tokio::test]
async fn two_runs_share_a_rule() {
    let world = world().await;
    let [a, b] = ["run_a", "run_b"].map(|key| request("throttle_address", (EntityKind::Address, "203.0.113.7"), key));
    let (done_a, done_b) =
        (world.responders.execute(&a).await.expect("executes"), world.responders.execute(&b).await.expect("joins"));
    assert_eq!(world.rules.lock().expect("rules")[0]["mode"], "managed_challenge");
    world.responders.undo(&a, &done_a).await.expect("undoes");
    assert_eq!(values(&world).len(), 1);
    world.responders.undo(&b, &done_b).await.expect("undoes");
    assert!(values(&world).is_empty());
}

#[tokio::test]
async fn failures_are_told_apart() {
    let world = world().await;
    let block = request("block_address", (EntityKind::Address, "203.0.113.7"), "run_1");
    let mut slow = Failure::status(429);
    slow.headers.push(("retry-after", "17".into()));
    world.fake.fail(slow);
    let fault = world.responders.execute(&block).await.expect_err("too fast");
    assert_eq!((fault.code, fault.retry_after_s), (FaultCode::Upstream, Some(17)));
    world.fake.fail(Failure::status(403));
    let fault = world.responders.execute(&block).await.expect_err("refused");
    assert!(fault.code == FaultCode::UpstreamRefused && !fault.message.contains("cf-token"), "{fault}");
    world.fake.fail(Failure { body: "[{\"id\":7}]".into(), ..Failure::status(200) });
    world.responders.execute(&block).await.expect_err("no such answer");
    world.fake.fail(Failure { body: vec![b' '; 3 << 20].into(), ..Failure::status(200) });
    world.responders.execute(&block).await.expect_err("too much");
    world.fake.fail(Failure { headers: vec![("location", "http://127.0.0.1:1/".into())], ..Failure::status(302) });
    world.responders.execute(&block).await.expect_err("redirects are not followed");
    world.rules.lock().expect("rules").push(rule("ip", "203.0.113.7", "whitelist"));
    let fault = world.responders.execute(&block).await.expect_err("the operator lets it in");
    assert_eq!(fault.code, FaultCode::Conflict);
    world.rules.lock().expect("rules").clear();
    // Heard, but the answer is lost: the repetition finds the rule and makes no other.
    world.fake.fail(Failure { heard: true, method: "POST", ..Failure::status(502) });
    assert!(world.responders.execute(&block).await.expect_err("lost").code.retry());
    assert!(world.responders.execute(&block).await.expect("found").ours);
    assert_eq!(values(&world), ["203.0.113.7"]);
}
