//! `/graphql`: JSON over POST, the same as a stream of server-sent events, and the WebSocket upgrade.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Variables};
use axum::Extension;
use axum::body::Body;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{FromRequestParts, Query, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use riskgraph_domain::access::Capability;
use riskgraph_domain::error::{Fault, FaultCode};
use serde_json::Value;

use super::caller::Caller;
use super::run::{self, Prepared};
use super::site::Demand;
use super::{door, sse, ws};
use crate::app::App;
use crate::fault::{RequestId, Shape, graphql_response, http_response};

/// Answers `POST /graphql`.
pub(super) async fn post(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Extension(id): Extension<RequestId>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let request = match read(&app, &headers, body).await {
        Ok(request) => request,
        Err(refused) => return refused.into_response(&id),
    };
    answer(&app, caller, request, &headers, id).await
}

/// Answers `GET /graphql`: a WebSocket, or a query in the URL (never a change: a link must not change anything).
pub(super) async fn get(
    State(app): State<Arc<App>>,
    Extension(id): Extension<RequestId>,
    Query(parameters): Query<HashMap<String, String>>,
    mut parts: Parts,
) -> Response {
    if parts.headers.contains_key(header::UPGRADE) {
        return match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
            Ok(upgrade) => ws::upgrade(app, &parts, upgrade).await,
            Err(rejection) => rejection.into_response(),
        };
    }
    let demand = if wants_events(&parts.headers) { Demand::Stream } else { Demand::Query };
    let caller = match door::enter(&app, &parts.headers, &parts.extensions, (Capability::Read, demand)).await {
        Ok(caller) => caller,
        Err(fault) => return http_response(&fault, &id, Shape::Graphql),
    };
    match from_url(parameters) {
        Ok(request) => match run::prepare(&app, caller, request, id.clone()) {
            Ok(prepared) if prepared.operation == OperationType::Mutation => {
                let fault = Fault::new(FaultCode::BadInput, "a change needs POST");
                if let Err(fault) = prepared.refused(&fault).await {
                    return http_response(&fault, &id, Shape::Graphql);
                }
                let mut response = http_response(&fault, &id, Shape::Graphql);
                *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
                response
            }
            Ok(prepared) => deliver(&app, prepared, &parts.headers, &id).await,
            Err(fault) => refuse(&fault, &parts.headers, &id),
        },
        Err(fault) => http_response(&fault, &id, Shape::Graphql),
    }
}

async fn answer(app: &Arc<App>, caller: Caller, request: Request, headers: &HeaderMap, id: RequestId) -> Response {
    match run::prepare(app, caller, request, id.clone()) {
        Ok(prepared) => deliver(app, prepared, headers, &id).await,
        Err(fault) => refuse(&fault, headers, &id),
    }
}

async fn deliver(app: &Arc<App>, prepared: Prepared, headers: &HeaderMap, id: &RequestId) -> Response {
    if wants_events(headers) {
        return sse::respond(app, prepared, headers, id);
    }
    if prepared.operation == OperationType::Subscription {
        let message = "a subscription needs a stream: send 'Accept: text/event-stream', or use the WebSocket";
        return json(&graphql_response(&Fault::new(FaultCode::BadInput, message), id));
    }
    json(&run::execute(app, prepared).await)
}

/// A request that was refused before it ran; over SSE the refusal is an event too.
fn refuse(fault: &Fault, headers: &HeaderMap, id: &RequestId) -> Response {
    let response = graphql_response(fault, id);
    if wants_events(headers) { sse::refused(response) } else { json(&response) }
}

fn json(response: &async_graphql::Response) -> Response {
    let body = serde_json::to_string(response).unwrap_or_default();
    ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], body).into_response()
}

fn wants_events(headers: &HeaderMap) -> bool {
    let accepts = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepts
        .flat_map(|value| value.split(','))
        .any(|kind| kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/event-stream")))
}

/// A body that is no GraphQL request.
struct Refused {
    fault: Fault,
    status: Option<StatusCode>,
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self { fault, status: None }
    }
}

impl Refused {
    fn into_response(self, id: &RequestId) -> Response {
        let mut response = http_response(&self.fault, id, Shape::Graphql);
        if let Some(status) = self.status {
            *response.status_mut() = status;
        }
        response
    }
}

async fn read(app: &App, headers: &HeaderMap, body: Body) -> Result<Request, Refused> {
    // A form or plain text could come from a foreign page without the browser asking us first.
    if !is_json(headers) {
        let fault = Fault::new(FaultCode::BadInput, "send the request as 'Content-Type: application/json'");
        return Err(Refused { fault, status: Some(StatusCode::UNSUPPORTED_MEDIA_TYPE) });
    }
    let bytes_max = app.options.graphql.body_bytes_max;
    let reading = axum::body::to_bytes(body, bytes_max);
    let body = match tokio::time::timeout(app.options.graphql.timeout, reading).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => {
            let message = format!("the request is larger than {bytes_max} bytes, or it was cut off");
            return Err(Fault::new(FaultCode::BodyTooLarge, message).into());
        }
        Err(_) => return Err(Fault::new(FaultCode::QueryTimeout, "the request did not arrive in time").into()),
    };
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        return Err(Fault::new(FaultCode::BadInput, "batching is off; send one operation a request").into());
    }
    let request: Request = serde_json::from_slice(&body)
        .map_err(|error| Fault::new(FaultCode::Syntax, format!("the request is not GraphQL over JSON: {error}")))?;
    Ok(request)
}

pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// The request in a URL: `query`, `operationName`, `variables`.
fn from_url(mut parameters: HashMap<String, String>) -> Result<Request, Fault> {
    let query = parameters.remove("query").ok_or_else(|| {
        Fault::new(FaultCode::BadInput, "no 'query'; POST a GraphQL request here, or open /graphiql in a browser")
    })?;
    let mut request = Request::new(query);
    if let Some(variables) = parameters.remove("variables").filter(|text| !text.is_empty()) {
        let value: Value = serde_json::from_str(&variables)
            .map_err(|error| Fault::new(FaultCode::Syntax, format!("'variables' is no JSON: {error}")))?;
        request = request.variables(Variables::from_json(value));
    }
    request.operation_name = parameters.remove("operationName").filter(|name| !name.is_empty());
    Ok(request)
}
