//! Calls by template to an API that keeps switches.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use axum::{Json, Router};
use riskgraph_connectors::respond::Responders;
use riskgraph_domain::respond::{ActionRequest, Responder as _};
use riskgraph_domain::{EntityKind, FaultCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::fake::{Failure, Fake};
use super::world::{build, connectors, request};

type On = Arc<Mutex<BTreeSet<String>>>;

struct World {
    on: On,
    fake: Fake,
    address: SocketAddr,
    dir: TempDir,
}

async fn world() -> World {
    let (on, fake) = (On::default(), Fake::default());
    let look =
        async |State(on): State<On>, Path(id): Path<String>| Json(json!({"on": on.lock().expect("on").contains(&id)}));
    let put = async |State(on): State<On>, headers: HeaderMap, Path(id): Path<String>, Json(body): Json<Value>| {
        if headers.get("x-token").is_none_or(|value| value != "t0ken") || body["why"] != "al_1: credential stuffing" {
            return StatusCode::BAD_REQUEST;
        }
        on.lock().expect("on").insert(id);
        StatusCode::NO_CONTENT
    };
    let remove = async |State(on): State<On>, Path(id): Path<String>| {
        on.lock().expect("on").remove(&id);
        StatusCode::NO_CONTENT
    };
    let router = Router::new().route("/switch/{id}", get(look).put(put).delete(remove)).with_state(on.clone());
    let address = fake.serve(router).await;
    let dir = tempfile::tempdir().expect("dir");
    std::fs::write(dir.path().join("token"), "t0ken").expect("written");
    World { on, fake, address, dir }
}

impl World {
    fn responders(&self, more: Value) -> Responders {
        let mut config = json!({
            "kind": "http", "token_file": self.dir.path().join("token"), "headers": {"x-token": "{{secret}}"},
            "net": {"allow_networks": ["127.0.0.0/8"]},
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            config[name] = value.clone();
        }
        build(&connectors(json!({ "api": config })), self.dir.path())
    }

    /// The template as a playbook's step has it.
    fn call(&self, key: &str) -> ActionRequest {
        let url = format!("http://{}/switch/{{{{target}}}}", self.address);
        let mut call = request("http_call", (EntityKind::User, "a/b"), key);
        call.parameters = json!({
            "method": "PUT", "url": url, "body": {"why": "{{reason}}", "n": "{{param.n}}"}, "values": {"n": 7},
            "verify": {"method": "GET", "url": url, "holds": [{"at": "/on", "is": true}]},
            "undo": {"method": "DELETE", "url": url},
        })
        .as_object()
        .cloned()
        .unwrap_or_default();
        call
    }
}

#[tokio::test]
async fn a_steps_own_template_is_done_looked_at_and_undone() {
    let world = world().await;
    let responders = world.responders(json!({"allow_origins": [format!("http://{}", world.address)]}));
    let call = world.call("run_1");
    let planned = responders.dry_run(&call).await.expect("plans");
    assert!(planned.text.contains("/switch/a%2Fb") && !planned.text.contains("t0ken"), "{}", planned.text);
    let effect = responders.execute(&call).await.expect("executes");
    assert!(effect.ours && responders.verify(&call, &effect).await.expect("looks").holds);
    assert!(world.on.lock().expect("on").contains("a/b"));
    assert_eq!(responders.execute(&call).await.expect("again"), effect);
    assert_eq!(world.fake.n_asked("PUT"), 1);
    responders.undo(&call, &effect).await.expect("undoes");
    assert!(!responders.verify(&call, &effect).await.expect("looks").holds);
    world.on.lock().expect("on").insert("a/b".into());
    let before = world.call("run_2");
    let seen = responders.execute(&before).await.expect("nothing to do");
    assert!(!seen.ours && !responders.undo(&before, &seen).await.expect("nothing").ours);
    assert!(world.on.lock().expect("on").contains("a/b"), "it was so before");
}

#[tokio::test]
async fn a_step_reaches_listed_origins_only() {
    let world = world().await;
    let responders = world.responders(json!({"allow_origins": ["https://api.example"]}));
    let fault = responders.execute(&world.call("run_1")).await.expect_err("not listed");
    assert!(fault.message.contains("allow_origins"), "{fault}");
    let mut sly = world.call("run_1");
    sly.parameters["url"] = json!("https://api.example/x");
    assert!(responders.execute(&sly).await.is_err(), "the look goes elsewhere");
    let none = world.responders(json!({}));
    assert!(none.execute(&world.call("run_1")).await.is_err() && none.actions().is_empty());
    assert_eq!(world.fake.script().asked.len(), 0);
}

#[tokio::test]
async fn without_a_look_a_lost_answer_is_left_to_a_person() {
    let world = world().await;
    let url = format!("http://{}/switch/{{{{target}}}}", world.address);
    let page = |repeatable: bool| {
        let execute = json!({"method": "PUT", "url": url, "body": "{\"why\": \"{{reason}}\"}"});
        json!({"actions": {"page_somebody": {"description": "Pages.", "targets": ["USER"], "execute": execute, "repeatable": repeatable}}})
    };
    let responders = world.responders(page(false));
    let wanted = request("page_somebody", (EntityKind::User, "alice"), "run_1");
    world.fake.fail(Failure { heard: true, ..Failure::status(502) });
    assert!(responders.execute(&wanted).await.expect_err("lost").code.retry());
    let fault = responders.execute(&wanted).await.expect_err("not known");
    assert_eq!(fault.code, FaultCode::Conflict);
    assert_eq!(world.fake.n_asked("PUT"), 1, "it was not sent again");
    let responders = world.responders(page(true));
    assert!(responders.execute(&wanted).await.expect("the other side knows keys").ours);
    let nobody = world.responders(json!({"actions": {"page_somebody": {
        "description": "Pages.", "targets": ["USER"], "execute": {"method": "PUT", "url": "http://127.0.0.1:1/{{target}}"},
    }}}));
    let unreached = request("page_somebody", (EntityKind::User, "carol"), "run_3");
    for _ in 0..2 {
        let fault = nobody.execute(&unreached).await.expect_err("nobody there");
        assert!(fault.code.retry(), "nothing was heard, so it may be tried again: {fault}");
    }
    let refused = request("page_somebody", (EntityKind::User, "bob"), "run_2");
    world.fake.fail(Failure::status(409));
    assert!(!responders.execute(&refused).await.expect_err("refused").code.retry());
    assert!(responders.execute(&refused).await.expect("refused is not done").ours);
}
