//! `POST /v1/events`: reads a body within its bounds, undoes its compression, and hands it to the intake.
//!
//! Must not know any format of events: the intake reads lines. What is bounded here is bytes: of the body on the wire,
//! after decompression, and of all bodies together.

mod decode;

use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use riskgraph_domain::access::Viewer;
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::ports::Receipt;
use serde_json::json;

use super::memory::Held;
use crate::access::{Budget, Sender, grant_to};
use crate::app::App;
use crate::fault::{RequestId, Shape, http_response};
use crate::services::IngestLimits;
use decode::Encoding;

/// The format of `POST /v1/events` itself.
const NATIVE: &str = "native";
/// Characters of a format's name, at most.
const FORMAT_LENGTH_MAX: usize = 32;

/// Takes events in the native format.
pub(super) async fn native(
    State(app): State<Arc<App>>,
    Extension(viewer): Extension<Viewer>,
    Extension(id): Extension<RequestId>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let sent = Sent { format: NATIVE.to_owned(), headers, body };
    answer(&app, viewer, &id, sent).await
}

/// Takes events in the format the path names.
pub(super) async fn foreign(
    State(app): State<Arc<App>>,
    Extension(viewer): Extension<Viewer>,
    Extension(id): Extension<RequestId>,
    Path(format): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    answer(&app, viewer, &id, Sent { format, headers, body }).await
}

struct Sent {
    format: String,
    headers: HeaderMap,
    body: Body,
}

async fn answer(app: &App, viewer: Viewer, id: &RequestId, sent: Sent) -> Response {
    let Some(encoding) = Encoding::of(&sent.headers) else {
        let fault = Fault::new(FaultCode::BadCompression, "unknown Content-Encoding; send gzip, zstd or identity");
        let mut response = http_response(&fault, id, Shape::Plain);
        *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        response.headers_mut().insert(header::ACCEPT_ENCODING, Encoding::ACCEPTED);
        return response;
    };
    match take(app, viewer, sent, encoding).await {
        Ok(receipt) => told(&receipt),
        Err(fault) => http_response(&fault, id, Shape::Plain),
    }
}

async fn take(app: &App, viewer: Viewer, sent: Sent, encoding: Encoding) -> Result<Receipt, Fault> {
    let sender = grant_to::<Sender>(app.session(viewer, Budget::Stream))?;
    check_format(&sent.format)?;
    let limits = &app.options.ingest;
    let mut held = app.memory.hold();
    let wire = read(sent.body, &sent.headers, limits, &mut held).await?;
    let (body, held) = decode::decode(wire, encoding, limits.decoded_bytes_max, held).await?;
    if body.is_empty() {
        return Err(Fault::new(FaultCode::Missing, "the body is empty; send one event a line"));
    }
    let receipt = sender.accept(&sent.format, body).await;
    drop(held);
    receipt
}

fn check_format(format: &str) -> Result<(), Fault> {
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    if (1..=FORMAT_LENGTH_MAX).contains(&format.len()) && format.bytes().all(is_name) {
        return Ok(());
    }
    Err(Fault::new(FaultCode::UnknownFormat, "the format in the path is no name of a format; see docs/api.md"))
}

/// Reads the body as it is on the wire.
async fn read(body: Body, headers: &HeaderMap, limits: &IngestLimits, held: &mut Held) -> Result<Bytes, Fault> {
    let too_large = || {
        let message = format!("the body is larger than {} bytes; send smaller batches", limits.wire_bytes_max);
        Fault::new(FaultCode::BodyTooLarge, message)
    };
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|bytes| bytes > limits.wire_bytes_max) {
        return Err(too_large());
    }
    let reading = async {
        let mut chunks = body.into_data_stream();
        let mut whole: Vec<u8> = Vec::new();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|_| Fault::new(FaultCode::Syntax, "the body ended before its announced end"))?;
            if whole.len() + chunk.len() > limits.wire_bytes_max {
                return Err(too_large());
            }
            held.grow_to(whole.len() + chunk.len())?;
            whole.extend_from_slice(&chunk);
        }
        Ok(Bytes::from(whole))
    };
    let slow = || {
        let seconds = limits.read_timeout.as_secs();
        Fault::new(FaultCode::RateLimited, format!("the body did not arrive within {seconds} s; send smaller batches"))
    };
    tokio::time::timeout(limits.read_timeout, reading).await.map_err(|_| slow())?
}

/// The answer to a batch that was read: 400 when no line of it could be.
fn told(receipt: &Receipt) -> Response {
    let nothing = receipt.accepted == 0 && receipt.duplicates == 0;
    let status = if nothing && !receipt.rejected.is_empty() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let body = json!({
        "accepted": receipt.accepted,
        "duplicates": receipt.duplicates,
        "rejected": receipt.rejected,
        "rejected_more": receipt.rejected_more,
        "position": receipt.position.map(|position| position.to_string()),
    });
    (status, axum::Json(body)).into_response()
}
