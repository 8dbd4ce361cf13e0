//! The admin API: the contract riskgraph's shop connector speaks by default.

use std::collections::BTreeMap;

use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{ADMIN_TOKEN, Shared, tracker};
use crate::gate::lock;
use crate::locks::Lever;

/// A thing, the levers it shows, and its verbs.
struct Thing {
    path: &'static str,
    levers: &'static [Lever],
    verbs: &'static [(&'static str, Lever)],
}

const THINGS: &[Thing] = &[
    Thing {
        path: "/admin/accounts",
        levers: &[Lever::Freeze, Lever::Reset],
        verbs: &[("freeze", Lever::Freeze), ("reset", Lever::Reset)],
    },
    Thing {
        path: "/admin/keys",
        levers: &[Lever::Suspend, Lever::Rotate],
        verbs: &[("suspend", Lever::Suspend), ("rotate", Lever::Rotate)],
    },
    Thing { path: "/admin/orders", levers: &[Lever::HoldOrder], verbs: &[("hold", Lever::HoldOrder)] },
    Thing { path: "/admin/gift-cards", levers: &[Lever::HoldCard], verbs: &[("hold", Lever::HoldCard)] },
    Thing { path: "/admin/systems", levers: &[Lever::Isolate], verbs: &[("isolate", Lever::Isolate)] },
];

pub(super) fn router(shared: Shared) -> Router {
    let mut router =
        Router::new().route("/admin/sessions/end", post(end_sessions)).route("/admin/sessions", get(sessions));
    for thing in THINGS {
        let show = move |State(shared): State<Shared>, Path(id): Path<String>| async move {
            Json(lock(&shared.locks).show(&id, thing.levers))
        };
        router = router.route(&format!("{}/{{id}}", thing.path), get(show));
        for (verb, lever) in thing.verbs {
            let hold = move |State(shared): State<Shared>, headers: HeaderMap, Path(id): Path<String>| async move {
                change(&shared, &headers, Turn::Hold, (*lever, &id))
            };
            let release = move |State(shared): State<Shared>, headers: HeaderMap, Path(id): Path<String>| async move {
                change(&shared, &headers, Turn::Release, (*lever, &id))
            };
            router = router.route(&format!("{}/{{id}}/{verb}", thing.path), post(hold).delete(release));
        }
    }
    router.with_state(shared).merge(tracker::router()).layer(from_fn(authorize))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Hold,
    Release,
}

async fn authorize(request: Request, next: Next) -> Response {
    let sent = request.headers().get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if sent.strip_prefix("Bearer ") == Some(ADMIN_TOKEN) {
        next.run(request).await
    } else {
        StatusCode::UNAUTHORIZED.into_response()
    }
}

/// A change needs an idempotency key, which is also the holder's name; the same key gets the same answer.
fn change(shared: &Shared, headers: &HeaderMap, turn: Turn, (lever, id): (Lever, &str)) -> Response {
    let Some(key) = key(headers) else { return needs_key() };
    let mut locks = lock(&shared.locks);
    match turn {
        Turn::Hold => {
            let before = locks.held(lever, id);
            let answer = locks.answered(&key).unwrap_or_else(|| json!({ "id": id, "changed": !before }));
            locks.answer(&key, &answer);
            locks.hold(lever, id, &key);
            Json(answer).into_response()
        }
        // A rotated key and a void password do not come back.
        Turn::Release if matches!(lever, Lever::Reset | Lever::Rotate) => {
            StatusCode::METHOD_NOT_ALLOWED.into_response()
        }
        Turn::Release if locks.release(lever, id, &key) => Json(json!({ "id": id, "changed": true })).into_response(),
        Turn::Release => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn sessions(State(shared): State<Shared>, Query(query): Query<BTreeMap<String, String>>) -> Json<Value> {
    let part = |name: &str| query.get(name).map_or("", String::as_str);
    Json(json!({ "active": lock(&shared.locks).n_open(part("kind"), part("id")) }))
}

async fn end_sessions(State(shared): State<Shared>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
    let Some(key) = key(&headers) else { return needs_key() };
    let part = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let mut locks = lock(&shared.locks);
    let answer = match locks.answered(&key) {
        Some(answer) => answer,
        None => json!({ "ended": locks.end_sessions(&part("kind"), &part("id")) }),
    };
    locks.answer(&key, &answer);
    Json(answer).into_response()
}

fn key(headers: &HeaderMap) -> Option<String> {
    headers.get("idempotency-key")?.to_str().ok().filter(|key| !key.is_empty()).map(str::to_owned)
}

fn needs_key() -> Response {
    (StatusCode::BAD_REQUEST, "Idempotency-Key is needed").into_response()
}
