//! What the console serves, through its router. Holds with and without a built page.

#![expect(clippy::expect_used, reason = "a test that cannot go on should panic")]

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use tower::ServiceExt;

async fn ask(method: &str, path: &str, accepts: &str) -> (StatusCode, HeaderMap, Vec<u8>) {
    let request =
        Request::builder().method(method).uri(path).header("accept-encoding", accepts).body(Body::empty()).expect("ok");
    let response = riskgraph_console::router::<()>().oneshot(request).await.expect("an answer");
    let (parts, body) = response.into_parts();
    (parts.status, parts.headers, to_bytes(body, 8 << 20).await.expect("a body").to_vec())
}

async fn get(path: &str) -> (StatusCode, HeaderMap, String) {
    let (status, headers, body) = ask("GET", path, "identity").await;
    (status, headers, String::from_utf8_lossy(&body).into_owned())
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers.get(name).map_or("", |value| value.to_str().expect("text"))
}

#[tokio::test]
async fn every_address_of_a_page_is_the_page() {
    let (_, _, front) = get("/").await;
    assert!(front.contains("riskgraph"), "{front}");
    for path in ["/alerts", "/alerts/alr_1", "/vendors/ven_1?tab=findings", "/settings/audit", "/no/such/page"] {
        let (status, headers, body) = get(path).await;
        assert_eq!((status, &body), (StatusCode::OK, &front), "{path}");
        assert_eq!(text(&headers, "cache-control"), "no-cache", "{path}");
        let policy = text(&headers, "content-security-policy");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    }
}

/// The policy lets nothing foreign load, so a page that names something foreign would be broken.
#[tokio::test]
async fn every_file_the_page_names_is_there_and_kept_forever() {
    let (_, _, page) = get("/").await;
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("<script>"));
    let named: Vec<&str> = page.split('"').filter(|part| part.starts_with("/assets/")).collect();
    assert_eq!(!named.is_empty(), riskgraph_console::is_built(), "{page}");
    for path in named {
        let (status, headers, _) = get(path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        let hashed = path.ends_with(".js") || path.ends_with(".css");
        assert_eq!(text(&headers, "cache-control").contains("immutable"), hashed, "{path}");
    }
}

#[tokio::test]
async fn a_browser_gets_the_compressed_twin() {
    let (_, _, plain) = ask("GET", "/", "identity").await;
    for (accepts, expected) in [("gzip, deflate, br", "br"), ("gzip", "gzip"), ("identity", "")] {
        let (status, headers, body) = ask("GET", "/", accepts).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(text(&headers, "vary"), "accept-encoding");
        let expected = if riskgraph_console::is_built() { expected } else { "" };
        assert_eq!(text(&headers, "content-encoding"), expected, "{accepts}");
        assert_eq!(body == plain, expected.is_empty(), "{accepts}");
    }
}

#[tokio::test]
async fn what_is_no_page_is_not_found() {
    for path in [
        "/assets/../Cargo.toml",
        "/assets/%2e%2e/Cargo.toml",
        "/assets/nope.js",
        "/favicon.ico",
        "/.env",
        "/alerts/secret.txt",
        "/graphql/nope",
        "/v1/nope",
        "/health/nope",
        "/shared/a/b",
    ] {
        assert_eq!(get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    for method in ["POST", "PUT", "DELETE"] {
        assert_eq!(ask(method, "/alerts", "identity").await.0, StatusCode::NOT_FOUND, "{method}");
    }
}
