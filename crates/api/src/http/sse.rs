//! GraphQL over server-sent events, in the distinct-connections mode of the graphql-sse protocol: `next` for each
//! result, `complete` at the end.
//!
//! `id:` of an event is the durable cursor of its alert, when the query asks for `cursor`; a client that reconnects
//! sends it back as `Last-Event-ID` and goes on behind it, without gap or repeat.

use std::convert::Infallible;
use std::sync::Arc;

use async_graphql::{Response as GraphqlResponse, Value};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, BoxStream, Stream, StreamExt};
use riskgraph_domain::error::{Fault, FaultCode};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use super::caller::Caller;
use super::run::{self, Prepared};
use crate::app::App;
use crate::fault::{RequestId, Shape, graphql_response, http_response};

/// The header of a client that reconnects.
const LAST_EVENT_ID: &str = "last-event-id";

/// Runs the operation and streams its results.
pub(super) fn respond(app: &Arc<App>, prepared: Prepared, headers: &HeaderMap, id: &RequestId) -> Response {
    let permit = match app.stream_permit() {
        Ok(permit) => permit,
        Err(fault) => return http_response(&fault, id, Shape::Graphql),
    };
    let last = headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok()).filter(|cursor| !cursor.is_empty());
    let caller = prepared.caller.clone();
    let prepared = match last {
        Some(cursor) => prepared.resume_from(cursor.to_owned()),
        None => prepared,
    };
    let every = app.options.live.recheck_every;
    let mut recheck = interval_at(Instant::now() + every, every);
    recheck.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let results = run::stream(app, prepared);
    let following = Following { app: Arc::clone(app), caller, id: id.clone(), results, recheck, _permit: permit };
    let events = stream::unfold(Some(following), |state| async move {
        let mut following = state?;
        let step = following.next().await;
        let next = matches!(step, Step::Result(_)).then_some(following);
        Some((step.event(), next))
    });
    sse(events, KeepAlive::new().interval(app.options.live.ping_every))
}

/// A request that was refused before it ran.
pub(super) fn refused(response: GraphqlResponse) -> Response {
    sse(stream::iter([Step::Result(Box::new(response)).event(), Step::Complete.event()]), KeepAlive::new())
}

fn sse(events: impl Stream<Item = Event> + Send + 'static, keep_alive: KeepAlive) -> Response {
    Sse::new(events.map(Ok::<_, Infallible>)).keep_alive(keep_alive).into_response()
}

struct Following {
    app: Arc<App>,
    caller: Caller,
    id: RequestId,
    results: BoxStream<'static, GraphqlResponse>,
    recheck: Interval,
    _permit: OwnedSemaphorePermit,
}

enum Step {
    Result(Box<GraphqlResponse>),
    Complete,
}

impl Following {
    async fn next(&mut self) -> Step {
        loop {
            tokio::select! {
                biased;
                () = self.app.options.stop.cancelled() => return Step::Complete,
                _ = self.recheck.tick() => {
                    if !self.caller.may_stay(&self.app).await {
                        // The next step finds no more results and ends the stream.
                        self.results = stream::empty().boxed();
                        let fault = Fault::new(FaultCode::Unauthenticated, "the token or session is no longer valid");
                        return Step::Result(Box::new(graphql_response(&fault, &self.id)));
                    }
                }
                result = self.results.next() => return result.map_or(Step::Complete, |response| Step::Result(Box::new(response))),
            }
        }
    }
}

impl Step {
    fn event(&self) -> Event {
        match self {
            Self::Complete => Event::default().event("complete").data(""),
            Self::Result(response) => {
                let data = serde_json::to_string(response).unwrap_or_default();
                let event = Event::default().event("next").data(data);
                match cursor(&response.data) {
                    Some(cursor) => event.id(cursor),
                    None => event,
                }
            }
        }
    }
}

/// The `cursor` directly below a root field; ours are digits only.
fn cursor(data: &Value) -> Option<&str> {
    let Value::Object(roots) = data else { return None };
    roots.values().find_map(|root| match root {
        Value::Object(fields) => match fields.get("cursor") {
            Some(Value::String(cursor)) if cursor.bytes().all(|byte| byte.is_ascii_digit()) => Some(cursor.as_str()),
            _ => None,
        },
        _ => None,
    })
}
