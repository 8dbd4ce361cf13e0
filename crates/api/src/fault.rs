//! How faults look from outside: `extensions` of a GraphQL error, status and body of an HTTP answer.
//!
//! An internal fault is logged here, once, with a reference; the caller sees the reference only.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use async_graphql::{Response as GraphqlResponse, ServerError, Value};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use riskgraph_domain::error::{Fault, FaultCode};
use serde_json::json;

/// The header that carries the request's id.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Names one request in answers and logs. Unique within and very likely across processes; no secret.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(String);

/// Makes request ids.
pub(crate) struct RequestIds {
    seed: RandomState,
    next: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new() -> Self {
        Self { seed: RandomState::new(), next: AtomicU64::new(0) }
    }

    pub(crate) fn next(&self) -> RequestId {
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        RequestId(format!("{:016x}", self.seed.hash_one(count)))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl RequestId {
    pub(crate) fn header(&self) -> HeaderValue {
        HeaderValue::from_str(&self.0).unwrap_or(HeaderValue::from_static("none"))
    }
}

/// Whether a fault's words are for the operator's log only.
fn is_internal(code: FaultCode) -> bool {
    code.graphql() == "INTERNAL" && code != FaultCode::Stopping
}

/// The fault as its caller may see it; an internal one is logged and becomes a reference.
pub(crate) fn shown(fault: &Fault, request: &RequestId) -> Fault {
    if !is_internal(fault.code) {
        return fault.clone();
    }
    tracing::error!(reference = %request, code = fault.code.number(), fault = %fault.message, "internal fault");
    let message = format!("internal fault; give the operator the reference {request}");
    Fault { message, ..fault.clone() }
}

/// Gives every error of a GraphQL response its `extensions`: `code`, `number`, `retryAfter`, `requestId`.
pub(crate) fn finish(mut response: GraphqlResponse, request: &RequestId) -> GraphqlResponse {
    for error in &mut response.errors {
        let fault = shown(&fault_of(error), request);
        error.message = fault.to_string();
        error.source = None;
        let extensions = error.extensions.get_or_insert_default();
        extensions.set("code", fault.code.graphql());
        extensions.set("number", fault.code.number());
        extensions.set("requestId", request.to_string());
        if let Some(seconds) = fault.retry_after_s {
            extensions.set("retryAfter", seconds);
        }
    }
    response.extensions.insert("requestId".to_owned(), Value::from(request.to_string()));
    response
}

/// The fault behind a GraphQL error: our own, or the library's in our words.
pub(crate) fn fault_of(error: &ServerError) -> Fault {
    if let Some(fault) = error.source::<Fault>() {
        return fault.clone();
    }
    let code = match error.message.as_str() {
        "Query is too complex." => FaultCode::CostExceeded,
        "Query is nested too deep." => FaultCode::DepthExceeded,
        message if message.starts_with("The recursion depth of the query") => FaultCode::DepthExceeded,
        _ => FaultCode::BadInput,
    };
    Fault::new(code, error.message.clone())
}

/// A GraphQL response that is nothing but a fault.
pub(crate) fn graphql_response(fault: &Fault, request: &RequestId) -> GraphqlResponse {
    let error = async_graphql::Error::new_with_source(fault.clone()).into_server_error(Default::default());
    let error = ServerError { locations: Vec::new(), ..error };
    finish(GraphqlResponse::from_errors(vec![error]), request)
}

/// The HTTP status of a fault.
pub(crate) const fn status(code: FaultCode) -> StatusCode {
    use FaultCode as F;
    match code {
        F::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        F::Overloaded | F::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        F::Unauthenticated => StatusCode::UNAUTHORIZED,
        F::Forbidden => StatusCode::FORBIDDEN,
        F::NotFound => StatusCode::NOT_FOUND,
        F::Conflict => StatusCode::CONFLICT,
        F::QueryTimeout | F::Stopping => StatusCode::SERVICE_UNAVAILABLE,
        F::Upstream | F::UpstreamRefused => StatusCode::BAD_GATEWAY,
        F::Configuration | F::Store | F::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    }
}

/// The shape of an error body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `{"error": {"code", "message", "requestId"}}`
    Plain,
    /// `{"errors": [{"message", "extensions"}]}`
    Graphql,
}

/// A whole HTTP answer that is nothing but a fault.
pub(crate) fn http_response(fault: &Fault, request: &RequestId, shape: Shape) -> Response {
    let fault = match shape {
        Shape::Plain => shown(fault, request),
        Shape::Graphql => fault.clone(),
    };
    let body = match shape {
        Shape::Plain => json!({ "error": {
            "code": fault.code.number(),
            "message": fault.message,
            "requestId": request.to_string(),
        }})
        .to_string(),
        Shape::Graphql => serde_json::to_string(&graphql_response(&fault, request)).unwrap_or_default(),
    };
    let mut response = (status(fault.code), [(header::CONTENT_TYPE, "application/json")], body).into_response();
    let headers = response.headers_mut();
    if let Some(seconds) = retry_after(&fault) {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if fault.code == FaultCode::Unauthenticated {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"riskgraph\""));
    }
    response
}

/// Seconds until a retry makes sense; a full service always names some.
fn retry_after(fault: &Fault) -> Option<u32> {
    let busy = status(fault.code) == StatusCode::TOO_MANY_REQUESTS || fault.code == FaultCode::Stopping;
    fault.retry_after_s.or(busy.then_some(1))
}
