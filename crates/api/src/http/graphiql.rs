//! The query page: three small files of our own, so that nothing is loaded from anywhere else.

use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};

/// Only our own script and style run, and the page talks only to us.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Answers `GET /graphiql`.
pub(super) async fn page() -> Response {
    file("text/html; charset=utf-8", include_str!("graphiql/page.html"))
}

/// Answers `GET /graphiql.js`.
pub(super) async fn script() -> Response {
    file("text/javascript; charset=utf-8", include_str!("graphiql/page.js"))
}

/// Answers `GET /graphiql.css`.
pub(super) async fn style() -> Response {
    file("text/css; charset=utf-8", include_str!("graphiql/page.css"))
}

fn file(kind: &'static str, text: &'static str) -> Response {
    let headers: [(HeaderName, &str); 2] = [(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, POLICY)];
    (headers, text).into_response()
}
