//! Lets a request through whose bearer token or session has the route's capability.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{Extensions, HeaderMap, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use riskgraph_domain::access::{Capability, Viewer};
use riskgraph_domain::error::{Fault, FaultCode};

use super::arrival::Arrival;
use super::caller::{Caller, Via};
use super::cookie::{self, Found};
use super::site::{self, Demand};
use crate::access::{demand, unauthenticated};
use crate::app::App;
use crate::fault::{RequestId, Shape, http_response};

/// Longest token we look at; ours have under 100 characters.
pub(super) const TOKEN_LENGTH_MAX: usize = 512;

/// What one route's door knows.
#[derive(Clone)]
pub(super) struct Keeper {
    pub(super) app: Arc<App>,
    pub(super) capability: Capability,
}

/// The middleware before a handler; hands [`Caller`] and [`Viewer`] on as extensions.
pub(super) async fn keep(State(keeper): State<Keeper>, mut request: Request, next: Next) -> Response {
    let demand = if request.method() == Method::GET { Demand::Download } else { Demand::Query };
    let asked = (keeper.capability, demand);
    match enter(&keeper.app, request.headers(), request.extensions(), asked).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller.viewer.clone());
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(fault) => {
            let id = request_id(&keeper.app, &request);
            http_response(&fault, &id, shape(request.uri().path()))
        }
    }
}

/// The caller whose token has the capability; without a token, whose session has it.
pub(super) async fn enter(
    app: &App,
    headers: &HeaderMap,
    extensions: &Extensions,
    (capability, kind): (Capability, Demand),
) -> Result<Caller, Fault> {
    if headers.contains_key(header::AUTHORIZATION) {
        let token = bearer(headers).ok_or_else(unauthenticated)?;
        let address = extensions.get::<Arrival>().and_then(|arrival| arrival.address);
        return admit(app, token, capability).await.map(|viewer| Caller::by_token(viewer, address));
    }
    // Events come from programs: a browser that is signed in has no business there.
    if capability == Capability::Ingest {
        return Err(unauthenticated());
    }
    let caller = by_session(app, headers, extensions, kind).await?.ok_or_else(unauthenticated)?;
    demand(&caller.viewer, capability)?;
    Ok(caller)
}

/// The caller of the request's session; `None` when it has no cookie of ours. One that has must come from our own page.
pub(super) async fn by_session(
    app: &App,
    headers: &HeaderMap,
    extensions: &Extensions,
    kind: Demand,
) -> Result<Option<Caller>, Fault> {
    let arrival = extensions.get::<Arrival>().cloned().unwrap_or_default();
    let secret = match cookie::find(headers, arrival.transport) {
        Found::None => return Ok(None),
        Found::One(secret) => secret,
        Found::Several => {
            let message =
                "several session cookies were sent, so one was planted; clear this site's cookies and sign in";
            return Err(Fault::new(FaultCode::Unauthenticated, message));
        }
    };
    site::check(kind, headers, &arrival)?;
    let (key, viewer) = app.services.sessions.resume(secret).await?;
    Ok(Some(Caller { viewer, via: Via::Session(key), address: arrival.address }))
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
