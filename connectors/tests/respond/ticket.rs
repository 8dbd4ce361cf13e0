//! Tickets, in stand-ins for GitHub and Jira.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, patch, post};
use axum::{Json, Router};
use riskgraph_domain::EntityKind;
use riskgraph_domain::respond::Responder as _;
use serde_json::{Value, json};

use super::fake::{Failure, Fake};
use super::world::{build, connectors, request};

type Issues = Arc<Mutex<Vec<Value>>>;

async fn github_list(State(issues): State<Issues>, Query(query): Query<BTreeMap<String, String>>) -> Json<Value> {
    let label = query.get("labels").cloned().unwrap_or_default();
    let has = |issue: &&Value| issue["labels"].as_array().is_some_and(|labels| labels.contains(&json!(label)));
    Json(issues.lock().expect("issues").iter().filter(has).cloned().collect())
}

async fn github_open(State(issues): State<Issues>, headers: HeaderMap, Json(mut body): Json<Value>) -> Response {
    if headers.get("authorization").is_none_or(|value| value != "Bearer gh-token") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let mut issues = issues.lock().expect("issues");
    body["number"] = json!(issues.len() + 40);
    body["html_url"] = json!(format!("https://github.example/acme/shop/issues/{}", issues.len() + 40));
    issues.push(body.clone());
    (StatusCode::CREATED, Json(body)).into_response()
}

async fn github_close(State(issues): State<Issues>, Path(number): Path<u64>, Json(body): Json<Value>) -> Response {
    let mut issues = issues.lock().expect("issues");
    let Some(issue) = issues.iter_mut().find(|issue| issue["number"] == number) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    issue["state"] = body["state"].clone();
    Json(issue.clone()).into_response()
}

#[tokio::test]
async fn github_gets_one_issue_a_key() {
    let (issues, fake) = (Issues::default(), Fake::default());
    let router = Router::new()
        .route("/repos/acme/shop/issues", get(github_list).post(github_open))
        .route("/repos/acme/shop/issues/{number}", patch(github_close))
        .with_state(issues.clone());
    let address = fake.serve(router).await;
    let dir = tempfile::tempdir().expect("dir");
    std::fs::write(dir.path().join("token"), "gh-token").expect("written");
    let config = connectors(json!({"ticket": {
        "kind": "ticket", "tracker": "github", "base_url": format!("http://{address}"), "project": "acme/shop",
        "labels": ["security"], "token_file": dir.path().join("token"), "net": {"allow_networks": ["127.0.0.0/8"]},
    }}));
    let responders = build(&config, dir.path());
    let mut open = request("open_ticket", (EntityKind::User, "alice"), "run_1");
    assert!(responders.execute(&open).await.expect_err("no title").message.contains("'title'"));
    open.parameters.insert("title".into(), json!("Reset \"alice\"\n{{secret}}"));
    // Heard, and the answer lost: the label tells.
    fake.fail(Failure { heard: true, method: "POST", ..Failure::status(504) });
    assert!(responders.execute(&open).await.expect_err("lost").code.retry());
    let effect = responders.execute(&open).await.expect("found");
    assert!(effect.ours);
    assert_eq!(effect.receipt["seen"]["number"], 40);
    let again = build(&config, dir.path());
    assert_eq!(again.execute(&open).await.expect("again"), effect);
    assert!(again.verify(&open, &effect).await.expect("looks").holds);
    {
        let issues = issues.lock().expect("issues");
        assert_eq!(issues.len(), 1);
        assert_eq!(issues[0]["title"], "Reset \"alice\"\n{{secret}}");
        assert_eq!(issues[0]["labels"].as_array().map(Vec::len), Some(2));
        assert!(issues[0]["body"].as_str().is_some_and(|body| body.contains("al_1")), "{}", issues[0]);
    }
    again.undo(&open, &effect).await.expect("closes");
    assert_eq!(issues.lock().expect("issues")[0]["state"], "closed");
}

#[tokio::test]
async fn jira_gets_one_issue_a_key() {
    let (issues, fake) = (Issues::default(), Fake::default());
    let search = async |State(issues): State<Issues>, Query(query): Query<BTreeMap<String, String>>| {
        let wanted = query.get("jql").cloned().unwrap_or_default();
        let label =
            wanted.strip_prefix("labels=\"").and_then(|rest| rest.strip_suffix('"')).unwrap_or_default().to_owned();
        let has =
            |issue: &&Value| issue["fields"]["labels"].as_array().is_some_and(|labels| labels.contains(&json!(label)));
        let found: Vec<Value> = issues.lock().expect("issues").iter().filter(has).cloned().collect();
        Json(json!({"issues": found}))
    };
    let open = async |State(issues): State<Issues>, headers: HeaderMap, Json(mut body): Json<Value>| {
        // "risk@shop.example:j-token"
        if headers.get("authorization").is_none_or(|value| value != "Basic cmlza0BzaG9wLmV4YW1wbGU6ai10b2tlbg==") {
            return StatusCode::UNAUTHORIZED.into_response();
        }
        body["key"] = json!("SEC-7");
        issues.lock().expect("issues").push(body);
        (StatusCode::CREATED, Json(json!({"id": "10007", "key": "SEC-7"}))).into_response()
    };
    let router = Router::new()
        .route("/rest/api/2/search", get(search))
        .route("/rest/api/2/issue", post(open))
        .with_state(issues.clone());
    let address = fake.serve(router).await;
    let dir = tempfile::tempdir().expect("dir");
    std::fs::write(dir.path().join("token"), "j-token").expect("written");
    let config = connectors(json!({"ticket": {
        "kind": "ticket", "tracker": "jira", "base_url": format!("http://{address}"), "project": "SEC",
        "user": "risk@shop.example", "token_file": dir.path().join("token"), "net": {"allow_networks": ["127.0.0.0/8"]},
    }}));
    let responders = build(&config, dir.path());
    let mut open = request("open_ticket", (EntityKind::User, "alice"), "run_1");
    open.parameters.insert("title".into(), json!("Look at alice"));
    let effect = responders.execute(&open).await.expect("opens");
    assert_eq!(effect.receipt["seen"]["key"], "SEC-7");
    std::fs::remove_file(dir.path().join("state/ticket/run_1.json")).expect("forgotten");
    assert!(responders.execute(&open).await.expect("found by its label").ours);
    assert_eq!(issues.lock().expect("issues").len(), 1);
    assert!(responders.undo(&open, &effect).await.is_err(), "how a ticket is closed is the project's own");
}
