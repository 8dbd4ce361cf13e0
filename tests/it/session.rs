//! Signing in against the real service: links, sessions, their tokens, and who keeps failing.

use std::process::Command;

use reqwest::{Client as Http, Response, StatusCode};
use serde_json::{Value, json};

use crate::support::server::Server;

fn http() -> Http {
    Http::builder().no_proxy().build().expect("a client")
}

async fn sign_in(server: &Server, body: Value) -> Response {
    http().post(format!("{}/session", server.url)).json(&body).send().await.expect("an answer")
}

/// The cookie as a browser sends it back.
fn cookie(response: &Response) -> String {
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    let set = response.headers()["set-cookie"].to_str().expect("text");
    set.split(';').next().expect("a pair").to_owned()
}

async fn me(server: &Server, cookie: &str) -> u16 {
    let request = http().post(format!("{}/graphql", server.url)).header("cookie", cookie);
    let request = request.header("x-riskgraph-console", "1").json(&json!({ "query": "{ me { name session } }" }));
    request.send().await.expect("an answer").status().as_u16()
}

fn code_of(link: &str) -> String {
    link.split_once("/#code=").expect("a link").1.trim().to_owned()
}

#[tokio::test]
async fn the_first_start_prints_a_link_that_signs_in_once() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path()).await;
    let link = server.link.clone().expect("a first start prints a link");
    assert!(link.starts_with(&format!("{}/#code=", server.url)), "{link}");
    let signed_in = sign_in(&server, json!({ "code": code_of(&link) })).await;
    let first = cookie(&signed_in);
    assert_eq!(me(&server, &first).await, 200);
    assert_eq!(sign_in(&server, json!({ "code": code_of(&link) })).await.status(), StatusCode::UNAUTHORIZED);

    // Another link, made beside the running service, and sessions outlive a restart.
    let data = dir.path().to_str().unwrap();
    let made = Command::new(env!("CARGO_BIN_EXE_riskgraph"))
        .args(["token", "link", "--role", "reader", "--url", &server.url, "--data-dir", data])
        .output()
        .unwrap();
    let link = String::from_utf8(made.stdout).unwrap();
    assert!(made.status.success() && link.starts_with(&server.url), "{link}");
    let reader = cookie(&sign_in(&server, json!({ "code": code_of(&link) })).await);
    server.stop().await;
    let server = Server::start(dir.path()).await;
    assert!(server.link.is_none(), "only the first start prints one");
    for cookie in [&first, &reader] {
        assert_eq!(me(&server, cookie).await, 200);
    }
    assert_eq!(sign_in(&server, json!({ "code": code_of(&link) })).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_session_ends_with_its_token_and_leaves_nothing_in_clear() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path()).await;
    let admin = server.admin();
    let made = admin
        .graphql("mutation { createToken(name: \"mia\", role: ANALYST) { secret token { id } } }", json!({}))
        .await;
    let token = made["createToken"]["secret"].as_str().unwrap();
    let mia = cookie(&sign_in(&server, json!({ "token": token })).await);
    assert_eq!(me(&server, &mia).await, 200);
    let id = &made["createToken"]["token"]["id"];
    admin.graphql("mutation($id: ID!) { revokeToken(id: $id) }", json!({ "id": id })).await;
    assert_eq!(me(&server, &mia).await, 401);
    let ingest = admin.graphql("mutation { createToken(name: \"i\", role: INGEST) { secret } }", json!({})).await;
    let refused = sign_in(&server, json!({ "token": ingest["createToken"]["secret"] })).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);

    server.stop().await;
    let secret = mia.split_once('=').unwrap().1;
    for entry in std::fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        for secret in [secret.as_bytes(), &token.as_bytes()[30..]] {
            assert!(!bytes.windows(secret.len()).any(|part| part == secret), "a secret in {}", path.display());
        }
    }
}

#[tokio::test]
async fn who_keeps_failing_waits_and_everyone_else_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path()).await;
    let client = http();
    let attempt = async |address: &str, token: &str| {
        let request = client.post(format!("{}/session", server.url)).header("x-forwarded-for", address);
        let response = request.json(&json!({ "token": token })).send().await.expect("an answer");
        (response.status().as_u16(), response.headers().contains_key("retry-after"))
    };
    let mut looked_at = 0;
    for n in 0..10_000_u32 {
        let (status, waits) = attempt("198.51.100.66", &format!("rg_{n}")).await;
        looked_at += u32::from(status == 401);
        assert!(status == 401 || (status == 429 && waits), "{status}");
    }
    assert!(looked_at < 100, "{looked_at} failures were looked at");
    let bearer = server.first_token.clone().unwrap();
    assert_eq!(attempt("198.51.100.66", &bearer).await, (429, true), "also with the right one, until the wait is over");
    assert_eq!(attempt("198.51.100.67", &bearer).await.0, 204);
    assert_eq!(server.admin().get("/metrics").await.status, 200, "bearer tokens are not slowed");
}
