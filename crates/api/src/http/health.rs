//! Whether the service lives, is ready, and how it does.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use riskgraph_domain::access::Viewer;
use serde_json::json;

use crate::access::{Budget, Observer, grant_to};
use crate::app::App;
use crate::fault::{RequestId, Shape, http_response, shown};

/// The process answers.
pub(super) async fn live() -> Response {
    Json(json!({ "status": "live" })).into_response()
}

/// It can take and judge events.
pub(super) async fn ready(State(app): State<Arc<App>>, Extension(id): Extension<RequestId>) -> Response {
    match app.services.status.ready().await {
        Ok(()) => Json(json!({ "status": "ready" })).into_response(),
        Err(fault) => {
            let fault = shown(&fault, &id);
            let body = json!({ "status": "not ready", "code": fault.code.number(), "reason": fault.message });
            (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
        }
    }
}

/// Prometheus text.
pub(super) async fn metrics(
    State(app): State<Arc<App>>,
    Extension(viewer): Extension<Viewer>,
    Extension(id): Extension<RequestId>,
) -> Response {
    match grant_to::<Observer>(app.session(viewer, Budget::Stream)) {
        Ok(observer) => {
            ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], observer.metrics().await)
                .into_response()
        }
        Err(fault) => http_response(&fault, &id, Shape::Plain),
    }
}
