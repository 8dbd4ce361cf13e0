//! The web console, embedded in the binary. A leaf: it talks to the service through its public API alone and must not
//! know any other crate of ours.

use axum::Router;
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use rust_embed::{Embed, EmbeddedFile};

/// Scripts, styles and connections of our own origin only; no frame may hold the console.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-cache"),
];

#[derive(Embed)]
#[folder = "assets/"]
struct Assets;

/// Routes of the console: `/` and its files below `/console/`. Open to everyone: they hold no data.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/", get(|| async { file("index.html") })).route("/console/{*path}", get(asset))
}

async fn asset(uri: Uri) -> Response {
    file(uri.path().trim_start_matches("/console/"))
}

fn file(path: &str) -> Response {
    let Some(EmbeddedFile { data, .. }) = Assets::get(path) else {
        return (StatusCode::NOT_FOUND, "no such page\n").into_response();
    };
    let mut response = data.into_owned().into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(path)));
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Media type by extension; there are few kinds of files here.
fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
