//! `/session`: signing in with a token or a one-time code, and out.
//!
//! What comes in is read whole and bounded before anything is looked at; what goes out is a cookie and no body. A new
//! session always gets a new secret, and one the browser had before ends: nobody can plant a secret and wait for it to
//! be signed in.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::secret::Secret;
use riskgraph_domain::session::{Credential, SignedIn};
use serde::Deserialize;

use super::arrival::Arrival;
use super::cookie::{self, Found};
use super::site::{self, Demand};
use super::{door, graphql, recorded};
use crate::app::App;
use crate::fault::{RequestId, Shape, http_response};

/// Bytes of a sign-in's body, at most: a token and some JSON around it.
const BODY_BYTES_MAX: usize = 2_048;

/// What a sign-in says: exactly one of both.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    token: Option<String>,
    code: Option<String>,
}

/// Answers `POST /session`.
pub(super) async fn begin(
    State(app): State<Arc<App>>,
    Extension(id): Extension<RequestId>,
    Extension(arrival): Extension<Arrival>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match sign_in(&app, (&id, &arrival), &headers, body).await {
        Ok(signed_in) => {
            let cookie = cookie::set(signed_in.secret.expose(), arrival.transport, signed_in.lasts_s);
            let Some(cookie) = cookie else {
                return http_response(
                    &Fault::new(FaultCode::Internal, "a cookie could not be made"),
                    &id,
                    Shape::Plain,
                );
            };
            (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response()
        }
        Err(fault) => http_response(&fault, &id, Shape::Plain),
    }
}

async fn sign_in(
    app: &App,
    (id, arrival): (&RequestId, &Arrival),
    headers: &HeaderMap,
    body: Body,
) -> Result<SignedIn, Fault> {
    site::check_sign_in(headers, arrival)?;
    let credential = read(app, headers, body).await?;
    let kind = credential.kind();
    let outcome = app.services.sessions.sign_in(credential, arrival.address).await;
    let recorded = recorded::sign_in(app, (id, arrival), kind, outcome.as_ref()).await;
    let signed_in = outcome?;
    if let Err(fault) = recorded {
        // What is not in the log must not be: the session that was begun ends unused.
        app.services.sessions.sign_out(signed_in.key).await?;
        return Err(fault);
    }
    if let Found::One(secret) = cookie::find(headers, arrival.transport)
        && let Ok((old, _)) = app.services.sessions.resume(secret).await
    {
        app.services.sessions.sign_out(old).await?;
    }
    Ok(signed_in)
}

/// Answers `DELETE /session`. A browser that is not signed in is told the same: it is signed out now.
pub(super) async fn end(
    State(app): State<Arc<App>>,
    Extension(id): Extension<RequestId>,
    Extension(arrival): Extension<Arrival>,
    headers: HeaderMap,
) -> Response {
    match sign_out(&app, (&id, &arrival), &headers).await {
        Ok(()) => (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie::clear(arrival.transport))]).into_response(),
        Err(fault) => http_response(&fault, &id, Shape::Plain),
    }
}

async fn sign_out(app: &App, (id, arrival): (&RequestId, &Arrival), headers: &HeaderMap) -> Result<(), Fault> {
    let Found::One(secret) = cookie::find(headers, arrival.transport) else { return Ok(()) };
    site::check(Demand::Query, headers, arrival)?;
    match app.services.sessions.resume(secret).await {
        Ok((key, viewer)) => {
            app.services.sessions.sign_out(key).await?;
            recorded::sign_out(app, id, arrival, (key, viewer)).await
        }
        Err(fault) if fault.code == FaultCode::Unauthenticated => Ok(()),
        Err(fault) => Err(fault),
    }
}

async fn read(app: &App, headers: &HeaderMap, body: Body) -> Result<Credential, Fault> {
    let bad = |message: &str| Fault::new(FaultCode::BadInput, message);
    // Other kinds of content a foreign page could send without the browser asking us first.
    if !graphql::is_json(headers) {
        return Err(bad("send the sign-in as 'Content-Type: application/json'"));
    }
    let reading = axum::body::to_bytes(body, BODY_BYTES_MAX);
    let body = match tokio::time::timeout(app.options.graphql.timeout, reading).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => {
            let message = format!("the sign-in is larger than {BODY_BYTES_MAX} bytes, or it was cut off");
            return Err(Fault::new(FaultCode::BodyTooLarge, message));
        }
        Err(_) => return Err(Fault::new(FaultCode::QueryTimeout, "the sign-in did not arrive in time")),
    };
    // The error of the JSON reader quotes what it read, which may be the secret.
    let sign_in: SignIn = serde_json::from_slice(&body)
        .map_err(|_| Fault::new(FaultCode::Syntax, "send {\"token\": \"...\"} or {\"code\": \"...\"}"))?;
    match (sign_in.token, sign_in.code) {
        (Some(token), None) if token.len() <= door::TOKEN_LENGTH_MAX => {
            Ok(Credential::Token(Secret::new(token.trim())))
        }
        (None, Some(code)) if code.len() <= door::TOKEN_LENGTH_MAX => Ok(Credential::Code(Secret::new(code.trim()))),
        (Some(_), Some(_)) | (None, None) => Err(bad("give exactly one of token and code")),
        _ => Err(Fault::new(FaultCode::Unauthenticated, "neither tokens nor codes are that long")),
    }
}
