//! A tracker for tickets, in the shape of GitHub's issues, beside the admin API and behind its token.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, patch};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::gate::lock;

/// Tickets kept.
const TICKETS_MAX: usize = 10_000;

type Tickets = Arc<Mutex<Vec<Value>>>;

pub(super) fn router() -> Router {
    Router::new()
        .route("/repos/{owner}/{repository}/issues", get(list).post(open))
        .route("/repos/{owner}/{repository}/issues/{number}", patch(change))
        .with_state(Tickets::default())
}

/// Tickets with all the labels asked for.
async fn list(State(tickets): State<Tickets>, Query(query): Query<BTreeMap<String, String>>) -> Json<Value> {
    let wanted = query.get("labels").map_or("", String::as_str);
    let has = |ticket: &&Value| {
        let labels = ticket["labels"].as_array().map_or(&[][..], Vec::as_slice);
        wanted.split(',').filter(|label| !label.is_empty()).all(|label| labels.iter().any(|own| own == label))
    };
    Json(lock(&tickets).iter().filter(has).cloned().collect())
}

async fn open(State(tickets): State<Tickets>, Json(body): Json<Value>) -> Response {
    let mut tickets = lock(&tickets);
    if tickets.len() >= TICKETS_MAX || !body["title"].is_string() {
        return StatusCode::UNPROCESSABLE_ENTITY.into_response();
    }
    let number = tickets.len() + 1;
    let ticket = json!({
        "number": number, "state": "open", "title": body["title"], "body": body["body"], "labels": body["labels"],
        "html_url": format!("https://tracker.shop.example/issues/{number}"),
    });
    tickets.push(ticket.clone());
    (StatusCode::CREATED, Json(ticket)).into_response()
}

async fn change(
    State(tickets): State<Tickets>,
    Path((_, _, number)): Path<(String, String, u64)>,
    Json(body): Json<Value>,
) -> Response {
    let mut tickets = lock(&tickets);
    let Some(ticket) = tickets.iter_mut().find(|ticket| ticket["number"] == number) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if body["state"].is_string() {
        ticket["state"] = body["state"].clone();
    }
    Json(ticket.clone()).into_response()
}
