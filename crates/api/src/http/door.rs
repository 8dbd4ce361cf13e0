//! Lets a request through whose bearer token has the route's capability.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use riskgraph_domain::access::{Capability, Viewer};
use riskgraph_domain::error::Fault;

use crate::access::{demand, unauthenticated};
use crate::app::App;
use crate::fault::{RequestId, Shape, http_response};

/// Longest token we look at; ours have under 100 characters.
const TOKEN_LENGTH_MAX: usize = 512;

/// What one route's door knows.
#[derive(Clone)]
pub(super) struct Keeper {
    pub(super) app: Arc<App>,
    pub(super) capability: Capability,
}

/// The middleware before a handler; hands the [`Viewer`] on as an extension.
pub(super) async fn keep(State(keeper): State<Keeper>, mut request: Request, next: Next) -> Response {
    match enter(&keeper.app, request.headers(), keeper.capability).await {
        Ok(viewer) => {
            request.extensions_mut().insert(viewer);
            next.run(request).await
        }
        Err(fault) => {
            let id = request_id(&keeper.app, &request);
            http_response(&fault, &id, shape(request.uri().path()))
        }
    }
}

/// The viewer of a request whose token has the capability.
pub(super) async fn enter(app: &App, headers: &HeaderMap, capability: Capability) -> Result<Viewer, Fault> {
    let token = bearer(headers).ok_or_else(unauthenticated)?;
    admit(app, token, capability).await
}

/// The viewer of a token that has the capability.
pub(super) async fn admit(app: &App, token: &str, capability: Capability) -> Result<Viewer, Fault> {
    if token.is_empty() || token.len() > TOKEN_LENGTH_MAX {
        return Err(unauthenticated());
    }
    let viewer = app.services.gatekeeper.authenticate(token).await?;
    demand(&viewer, capability)?;
    Ok(viewer)
}

/// The token of `Authorization: Bearer <token>`.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::AUTHORIZATION)?.to_str().ok().and_then(bearer_value)
}

/// The token of a header value `Bearer <token>`.
pub(super) fn bearer_value(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The id [`super::headers`] gave the request.
pub(super) fn request_id(app: &App, request: &Request) -> RequestId {
    request.extensions().get::<RequestId>().cloned().unwrap_or_else(|| app.requests.next())
}

fn shape(path: &str) -> Shape {
    if path == "/graphql" { Shape::Graphql } else { Shape::Plain }
}
