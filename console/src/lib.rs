//! The web console, embedded in the binary. A leaf: the page talks to the service through its public API alone, and this
//! crate must not know any other crate of ours.
//!
//! `web/` holds the sources; `make console` builds them to `web/dist`, which is embedded as it is. Each text file has a
//! `.br` and a `.gz` twin, so nothing is compressed while serving. Without a build there is one plain page that says how
//! to make one, so that the crate compiles where Node never ran.

mod encoding;

use axum::Router;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use rust_embed::{Embed, EmbeddedFile};

use encoding::Encoding;

/// Scripts, styles, workers and connections of our own origin only, no inline code, no inline style; no frame may hold
/// the console.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::VARY, "accept-encoding"),
];

/// Names below `assets/` with a hash in them never change their content.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// The page names the hashed files, so it is asked for every time.
const ASK_AGAIN: &str = "no-cache";

/// First parts of paths that belong to the API: what is wrong there is an error, not a page.
const API: [&str; 8] = ["graphql", "graphiql", "v1", "health", "metrics", "session", "shared", "assets"];

const PLAIN: &str = include_str!("../assets/plain.html");

#[derive(Embed)]
#[folder = "web/dist/"]
#[allow_missing = true]
struct Dist;

/// Routes of the console: its page at `/` and at every path of a page, its files below `/assets/`. Open to everyone:
/// they hold no data.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/", get(page))
        .route("/assets/{*path}", get(asset))
        .route("/{first}", any(deep_link))
        .route("/{first}/{*rest}", any(deep_link))
}

/// Whether the page was built before the binary.
#[must_use]
pub fn is_built() -> bool {
    Dist::get("index.html").is_some()
}

async fn page(headers: HeaderMap) -> Response {
    match find("index.html", &headers) {
        Some((encoding, file)) => respond("index.html", encoding, file, ASK_AGAIN),
        None => dressed(PLAIN.into_response(), "index.html", ASK_AGAIN),
    }
}

async fn asset(uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    match find(path, &headers) {
        Some((encoding, file)) => respond(path, encoding, file, if is_hashed(path) { FOREVER } else { ASK_AGAIN }),
        None => nowhere(),
    }
}

/// A page of the console by its address: the page's script finds out which.
async fn deep_link(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let first = path.split('/').next().unwrap_or_default();
    let is_read = method == Method::GET || method == Method::HEAD;
    if !is_read || path.contains('.') || API.contains(&first) {
        return nowhere();
    }
    page(headers).await
}

fn nowhere() -> Response {
    let body = r#"{"error":{"code":"NOT_FOUND","number":"RG-0203","message":"page not found"}}"#;
    let mut response = (StatusCode::NOT_FOUND, body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The smallest form of a file the client takes.
fn find(path: &str, headers: &HeaderMap) -> Option<(Encoding, EmbeddedFile)> {
    Encoding::accepted(headers).find_map(|encoding| {
        let file = Dist::get(&format!("{path}{}", encoding.suffix()))?;
        Some((encoding, file))
    })
}

fn respond(path: &str, encoding: Encoding, file: EmbeddedFile, caching: &'static str) -> Response {
    let mut response = dressed(file.data.into_owned().into_response(), path, caching);
    if let Some(name) = encoding.name() {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
    }
    response
}

fn dressed(mut response: Response, path: &str, caching: &'static str) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(path)));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Vite puts eight characters of hash before the extension: `index-Dk3fLx9a.js`.
fn is_hashed(path: &str) -> bool {
    let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
    stem.len() > 9 && stem.as_bytes()[stem.len() - 9] == b'-'
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
