//! Files of reports: for those who may read, and for whoever has a link.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use riskgraph_domain::Text;
use riskgraph_domain::access::Viewer;
use riskgraph_domain::audit::{READ, Record};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::report::{ReportFormat, ServedFile};
use serde::Deserialize;
use serde_json::json;

use crate::access::{Budget, Reader, grant_to};
use crate::app::App;
use crate::audit::Reads;
use crate::fault::{RequestId, Shape, http_response};

/// A report has its style inside and loads nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";
/// Links are for the one they were sent to, not for search engines.
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

/// How a shared report is wanted.
#[derive(Deserialize)]
pub(super) struct Wanted {
    format: Option<String>,
}

/// `GET /reports/rep_....html`, and `.sig` behind it.
pub(super) async fn file(
    State(app): State<Arc<App>>,
    Extension(viewer): Extension<Viewer>,
    Extension(id): Extension<RequestId>,
    Path(name): Path<String>,
) -> Response {
    let reader = match grant_to::<Reader>(app.session(viewer, Budget::Stream)) {
        Ok(reader) => reader,
        Err(fault) => return http_response(&fault, &id, Shape::Plain),
    };
    let file = match reader.reports().file(&name).await {
        Ok(file) => file,
        Err(fault) => return http_response(&fault, &id, Shape::Plain),
    };
    // A report may name people: who opened it is recorded before it goes out.
    if let Err(fault) = opened(&app, reader.viewer(), &id, &name).await {
        return http_response(&fault, &id, Shape::Plain);
    }
    answer(Ok(file), &id)
}

async fn opened(app: &App, viewer: &Viewer, id: &RequestId, name: &str) -> Result<(), Fault> {
    if app.options.reads == Reads::Unrecorded {
        return Ok(());
    }
    let audit = &app.services.audit;
    let record = Record {
        request: Some(Text::from(id.to_string())),
        target: Some(Text::from(name)),
        detail: json!({ "fields": [{ "field": "report file" }], "how": "once" }),
        ..Record::of_viewer(audit.clock.now(), viewer, READ)
    };
    audit.recorder.record(record).await.map(drop)
}

/// `GET /reports/key`: the public key, one line.
pub(super) async fn key(State(app): State<Arc<App>>, Extension(id): Extension<RequestId>) -> Response {
    match app.services.reports.public_key().await {
        Ok((_, text)) => ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{text}\n")).into_response(),
        Err(fault) => http_response(&fault, &id, Shape::Plain),
    }
}

/// `GET /shared/<secret>`: the one report of a link.
pub(super) async fn shared(
    State(app): State<Arc<App>>,
    Extension(id): Extension<RequestId>,
    Path(secret): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let format = match wanted.format.as_deref() {
        None => Some(ReportFormat::Html),
        Some(text) => ReportFormat::of_extension(text),
    };
    let Some(format) = format else {
        let fault = Fault::new(FaultCode::BadInput, "format: use html, pdf, csv or json");
        return http_response(&fault, &id, Shape::Plain);
    };
    let mut response = answer(app.services.reports.shared(&secret, format).await, &id);
    response.headers_mut().insert(ROBOTS, HeaderValue::from_static("noindex, nofollow"));
    response
}

fn answer(file: Result<ServedFile, Fault>, id: &RequestId) -> Response {
    let file = match file {
        Ok(file) => file,
        Err(fault) => return http_response(&fault, id, Shape::Plain),
    };
    let is_page = file.media_type.starts_with("text/html");
    let how = if is_page || file.media_type == "application/pdf" { "inline" } else { "attachment" };
    // The name is of our own making: letters, digits, hyphens and dots.
    let shown = HeaderValue::from_str(&format!("{how}; filename=\"{}\"", file.name));
    let mut response = ([(header::CONTENT_TYPE, file.media_type)], file.body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_DISPOSITION, shown.unwrap_or(HeaderValue::from_static("attachment")));
    if is_page {
        headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    }
    response
}
