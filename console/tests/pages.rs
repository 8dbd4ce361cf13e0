//! What the console serves, through its router.

#![expect(clippy::expect_used, reason = "a test that cannot go on should panic")]

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use tower::ServiceExt;

async fn get(path: &str) -> (StatusCode, String, String) {
    let request = Request::get(path).body(Body::empty()).expect("a request");
    let response = riskgraph_console::router::<()>().oneshot(request).await.expect("an answer");
    let policy =
        response.headers().get("content-security-policy").map(|value| value.to_str().expect("text").to_owned());
    let status = response.status();
    let body = to_bytes(response.into_body(), 1 << 20).await.expect("a body");
    (status, policy.unwrap_or_default(), String::from_utf8_lossy(&body).into_owned())
}

#[tokio::test]
async fn says_what_it_is_and_where_to_ask() {
    let (status, policy, body) = get("/").await;
    assert_eq!(status, StatusCode::OK);
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(body.contains("riskgraph") && body.contains("href=\"/graphiql\""), "{body}");
}

/// The policy lets nothing foreign load, so a page that names something foreign would be broken.
#[tokio::test]
async fn every_file_a_page_names_is_there() {
    let (_, _, page) = get("/").await;
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("<script>"));
    let named: Vec<&str> = page.split('"').filter(|part| part.starts_with("/console/")).collect();
    assert!(!named.is_empty());
    for path in named {
        assert_eq!(get(path).await.0, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn serves_nothing_else() {
    for path in ["/console/../Cargo.toml", "/console/%2e%2e/Cargo.toml", "/console/", "/console/nope.js", "/nope"] {
        assert_eq!(get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}
