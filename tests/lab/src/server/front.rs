//! What clients see: the edge first, then login, account, partner API, orders, gift cards and the checkout page.

use std::net::IpAddr;
use std::time::Instant;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{SCRIPTS, Shared};
use crate::edge::Rules;
use crate::gate::lock;
use crate::locks::Lever;

/// The header the edge takes a client's address from: everything here comes over loopback.
const CLIENT: &str = "x-forwarded-for";

pub(super) fn router(shared: Shared) -> Router {
    Router::new()
        .route("/", get(async || "shop"))
        .route("/login", post(login))
        .route("/password", post(set_password))
        .route("/account", get(account))
        .route("/checkout", get(checkout))
        .route("/api/orders", get(partner_orders))
        .route("/orders/{id}/ship", post(ship))
        .route("/gift-cards/{code}/redeem", post(redeem))
        .route("/systems/{id}", get(system))
        .layer(from_fn_with_state(shared.clone(), edge))
        .with_state(shared)
}

/// Refuses, slows down, and adds the policy to pages.
async fn edge(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let rules = Rules::read(&shared.files);
    let named = request.headers().get(CLIENT).and_then(|value| value.to_str().ok());
    if let Some(client) = named.and_then(|text| text.rsplit(',').next()?.trim().parse::<IpAddr>().ok()) {
        if rules.denies(client) {
            return (StatusCode::FORBIDDEN, "refused").into_response();
        }
        if rules.slows(client) && !lock(&shared.meter).take(client, Instant::now()) {
            return (StatusCode::TOO_MANY_REQUESTS, "slow down").into_response();
        }
    }
    let mut response = next.run(request).await;
    if let Ok(policy) = HeaderValue::from_str(&rules.policy()) {
        response.headers_mut().insert("content-security-policy", policy);
    }
    response
}

/// Any password is right in the lab; what is tested is who is let in at all.
async fn login(State(shared): State<Shared>, Json(body): Json<Value>) -> Response {
    let user = body["user"].as_str().unwrap_or_default();
    let mut locks = lock(&shared.locks);
    if locks.held(Lever::Freeze, user) {
        return refuse(StatusCode::FORBIDDEN, "account_frozen");
    }
    if locks.held(Lever::Reset, user) {
        return refuse(StatusCode::FORBIDDEN, "reset_required");
    }
    Json(json!({ "session": locks.open_session(user) })).into_response()
}

/// The owner sets a new password, by a link in a mail.
async fn set_password(State(shared): State<Shared>, Json(body): Json<Value>) -> StatusCode {
    let user = body["user"].as_str().unwrap_or_default();
    lock(&shared.locks).release_all(Lever::Reset, user);
    StatusCode::NO_CONTENT
}

async fn account(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let token = headers.get("x-session").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let locks = lock(&shared.locks);
    match locks.session(token) {
        Some(user) if locks.held(Lever::Freeze, user) => refuse(StatusCode::FORBIDDEN, "account_frozen"),
        Some(user) => Json(json!({ "user": user })).into_response(),
        None => refuse(StatusCode::UNAUTHORIZED, "session_ended"),
    }
}

async fn partner_orders(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let key = headers.get("x-api-key").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let locks = lock(&shared.locks);
    match key {
        "" => refuse(StatusCode::UNAUTHORIZED, "no_key"),
        key if locks.held(Lever::Suspend, key) => refuse(StatusCode::FORBIDDEN, "key_suspended"),
        key if locks.held(Lever::Rotate, key) => refuse(StatusCode::UNAUTHORIZED, "key_replaced"),
        _ => Json(json!({ "orders": [] })).into_response(),
    }
}

async fn ship(State(shared): State<Shared>, Path(id): Path<String>) -> Response {
    act(&shared, Lever::HoldOrder, &id, StatusCode::CONFLICT)
}

async fn redeem(State(shared): State<Shared>, Path(code): Path<String>) -> Response {
    act(&shared, Lever::HoldCard, &code, StatusCode::CONFLICT)
}

async fn system(State(shared): State<Shared>, Path(id): Path<String>) -> Response {
    act(&shared, Lever::Isolate, &id, StatusCode::SERVICE_UNAVAILABLE)
}

async fn checkout() -> Html<String> {
    let tags = SCRIPTS.iter().filter(|source| source.starts_with("https"));
    let tags: String = tags.map(|source| format!("<script src=\"{source}/a.js\"></script>")).collect();
    Html(format!("<!doctype html><title>checkout</title>{tags}"))
}

fn act(shared: &Shared, lever: Lever, id: &str, refusal: StatusCode) -> Response {
    if lock(&shared.locks).held(lever, id) {
        refuse(refusal, "held")
    } else {
        Json(json!({ "id": id })).into_response()
    }
}

fn refuse(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "error": why }))).into_response()
}
