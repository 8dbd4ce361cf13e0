//! GraphQL over WebSocket: the `graphql-transport-ws` protocol.
//!
//! Written here and not taken from the GraphQL library, because its socket has no time limit for `connection_init`
//! (4408), lets a second operation of the same id replace the first (4409), puts no bound on operations, closes with
//! other codes than the protocol names, and lets one busy stream starve the others. Here [`StreamMap`] takes turns.
//!
//! Nothing is queued: a message is sent before the next is taken from its stream. A slow peer so slows its own streams,
//! which then tell what was missed (`lagged`); one that takes nothing for [`crate::services::LiveLimits::send_timeout`]
//! is dropped.

mod message;

use std::net::IpAddr;
use std::sync::Arc;

use async_graphql::{Request, Response as GraphqlResponse, Value};
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use futures::stream::{self, BoxStream, StreamExt};
use riskgraph_domain::access::Capability;
use riskgraph_domain::error::{Fault, FaultCode};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until, timeout};
use tokio_stream::StreamMap;

use super::arrival::Arrival;
use super::caller::Caller;
use super::site::Demand;
use super::{door, run};
use crate::access::demand;
use crate::app::App;
use crate::fault::{REQUEST_ID, graphql_response};
use message::{Client, Close, Server};

/// The subprotocol we speak.
const PROTOCOL: &str = "graphql-transport-ws";
/// Bytes that wait for a slow peer in the socket, at most; one message may be larger only alone.
const WRITE_BUFFER_MAX: usize = 4 << 20;

/// Accepts the upgrade. The token comes in the headers, or in the payload of `connection_init`; a browser that is signed
/// in needs none, but must come from a page of ours.
pub(super) async fn upgrade(app: Arc<App>, parts: &Parts, upgrade: WebSocketUpgrade) -> Response {
    let id = app.requests.next();
    let signed_in = match door::by_session(&app, &parts.headers, &parts.extensions, Demand::Socket).await {
        Ok(caller) => caller,
        // A session that is over is none: a token may come with the first message.
        Err(fault) if fault.code == FaultCode::Unauthenticated => None,
        Err(fault) => return crate::fault::http_response(&fault, &id, crate::fault::Shape::Plain),
    };
    let permit = match app.stream_permit() {
        Ok(permit) => permit,
        Err(fault) => return crate::fault::http_response(&fault, &id, crate::fault::Shape::Plain),
    };
    let bytes_max = app.options.graphql.body_bytes_max;
    let token = door::bearer(&parts.headers).map(str::to_owned);
    let address = parts.extensions.get::<Arrival>().and_then(|arrival| arrival.address);
    let given = Given { token, signed_in, address };
    let upgrade = upgrade
        .protocols([PROTOCOL])
        .max_message_size(bytes_max)
        .max_frame_size(bytes_max)
        .max_write_buffer_size(WRITE_BUFFER_MAX);
    let speaks = upgrade.selected_protocol().is_some();
    let mut response = upgrade
        .on_upgrade(move |socket| async move {
            let mut connection = Connection::new(app, socket, given, permit);
            let close = if speaks { connection.serve().await } else { Some(Close::NotAcceptable) };
            if let Some(close) = close {
                connection.close(close).await;
            }
        })
        .into_response();
    response.headers_mut().insert(REQUEST_ID, id.header());
    response
}

/// What comes out of an operation: a result, or its end.
type Step = Option<GraphqlResponse>;

/// What the upgrade's headers gave.
struct Given {
    token: Option<String>,
    signed_in: Option<Caller>,
    address: Option<IpAddr>,
}

struct Connection {
    app: Arc<App>,
    socket: WebSocket,
    given: Given,
    caller: Option<Caller>,
    operations: StreamMap<String, BoxStream<'static, Step>>,
    init_until: Instant,
    heard_at: Instant,
    ping: Interval,
    recheck: Interval,
    _permit: OwnedSemaphorePermit,
}

impl Connection {
    fn new(app: Arc<App>, socket: WebSocket, given: Given, permit: OwnedSemaphorePermit) -> Self {
        let live = &app.options.live;
        let now = Instant::now();
        Self {
            init_until: now + live.init_timeout,
            heard_at: now,
            ping: every(live.ping_every),
            recheck: every(live.recheck_every),
            app,
            socket,
            given,
            caller: None,
            operations: StreamMap::new(),
            _permit: permit,
        }
    }

    /// Runs until one side ends; says how to close, or `None` when the peer is gone.
    async fn serve(&mut self) -> Option<Close> {
        let stop = self.app.options.stop.clone();
        loop {
            let outcome = tokio::select! {
                () = stop.cancelled() => Err(Some(Close::GoingAway)),
                () = sleep_until(self.init_until), if self.caller.is_none() => Err(Some(Close::InitTimeout)),
                message = self.socket.recv() => self.hear(message).await,
                Some((id, step)) = self.operations.next() => self.tell(id, step).await,
                _ = self.ping.tick() => self.ping().await,
                _ = self.recheck.tick() => self.recheck().await,
            };
            if let Err(close) = outcome {
                return close;
            }
        }
    }

    async fn hear(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<(), Option<Close>> {
        self.heard_at = Instant::now();
        match message {
            None | Some(Err(_)) | Some(Ok(Message::Close(_))) => Err(None),
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
            Some(Ok(Message::Binary(_))) => Err(Some(Close::BadMessage("send text messages".into()))),
            Some(Ok(Message::Text(text))) => match serde_json::from_str(text.as_str()) {
                Ok(message) => self.obey(message).await,
                Err(error) => Err(Some(Close::BadMessage(error.to_string()))),
            },
        }
    }

    async fn obey(&mut self, message: Client) -> Result<(), Option<Close>> {
        match message {
            Client::ConnectionInit { payload } => self.init(payload).await,
            Client::Ping { .. } => self.send(&Server::Pong).await,
            Client::Pong { .. } => Ok(()),
            Client::Complete { id } => {
                self.operations.remove(id.as_str());
                Ok(())
            }
            Client::Subscribe { id, payload } => self.subscribe(id, *payload).await,
        }
    }

    async fn init(&mut self, payload: Option<serde_json::Value>) -> Result<(), Option<Close>> {
        if self.caller.is_some() {
            return Err(Some(Close::TooManyInits));
        }
        let token = message::token(payload.as_ref()).or(self.given.token.take());
        let admitting = admit(Arc::clone(&self.app), token, self.given.signed_in.take(), self.given.address);
        let admitted = timeout(self.app.options.live.init_timeout, admitting);
        match admitted.await {
            Ok(Ok(caller)) => self.caller = Some(caller),
            Ok(Err(fault)) => return Err(Some(Close::Forbidden(fault.to_string()))),
            Err(_) => return Err(Some(Close::InitTimeout)),
        }
        self.send(&Server::ConnectionAck).await
    }

    async fn subscribe(&mut self, id: String, request: Request) -> Result<(), Option<Close>> {
        let Some(caller) = self.caller.clone() else { return Err(Some(Close::Unauthorized)) };
        if self.operations.contains_key(id.as_str()) {
            return Err(Some(Close::Duplicate(id)));
        }
        let request_id = self.app.requests.next();
        let max = self.app.options.live.operations_max;
        let prepared = if self.operations.len() >= max {
            Err(Fault::new(FaultCode::RateLimited, format!("at most {max} operations on one connection")))
        } else {
            run::prepare(&self.app, caller, request, request_id.clone())
        };
        match prepared {
            Ok(prepared) => {
                let results = run::stream(&self.app, prepared).map(Some);
                self.operations.insert(id, results.chain(stream::once(async { None })).boxed());
                Ok(())
            }
            Err(fault) => {
                let response = graphql_response(&fault, &request_id);
                self.send(&Server::Error { id: &id, payload: &response.errors }).await
            }
        }
    }

    async fn tell(&mut self, id: String, step: Step) -> Result<(), Option<Close>> {
        let Some(response) = step else {
            self.operations.remove(id.as_str());
            return self.send(&Server::Complete { id: &id }).await;
        };
        if is_refusal(&response) {
            self.operations.remove(id.as_str());
            return self.send(&Server::Error { id: &id, payload: &response.errors }).await;
        }
        self.send(&Server::Next { id: &id, payload: &response }).await
    }

    async fn ping(&mut self) -> Result<(), Option<Close>> {
        if self.heard_at.elapsed() > self.app.options.live.silence_max {
            return Err(None);
        }
        self.push(Message::Ping(axum::body::Bytes::new())).await
    }

    async fn recheck(&mut self) -> Result<(), Option<Close>> {
        let Some(caller) = &self.caller else { return Ok(()) };
        if caller.may_stay(&self.app).await {
            return Ok(());
        }
        Err(Some(Close::Forbidden("the token or session is no longer valid".into())))
    }

    async fn send(&mut self, message: &Server<'_>) -> Result<(), Option<Close>> {
        match serde_json::to_string(message) {
            Ok(text) => self.push(Message::Text(text.into())).await,
            Err(_) => Err(Some(Close::Internal)),
        }
    }

    async fn push(&mut self, message: Message) -> Result<(), Option<Close>> {
        match timeout(self.app.options.live.send_timeout, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(None),
        }
    }

    /// Says why, and waits shortly for the peer to answer, so that the reason arrives before the end of the connection.
    async fn close(&mut self, close: Close) {
        let frame = CloseFrame { code: close.code(), reason: close.reason().into() };
        if self.push(Message::Close(Some(frame))).await.is_ok() {
            let answered = async { while let Some(Ok(_)) = self.socket.recv().await {} };
            // A peer that does not answer is not waited for longer.
            let _elapsed = timeout(self.app.options.live.send_timeout, answered).await;
        }
    }
}

/// A token goes before the session: who sends one means it.
async fn admit(
    app: Arc<App>,
    token: Option<String>,
    signed_in: Option<Caller>,
    address: Option<IpAddr>,
) -> Result<Caller, Fault> {
    match (token, signed_in) {
        (None, Some(caller)) => {
            demand(&caller.viewer, Capability::Read)?;
            Ok(caller)
        }
        (token, _) => {
            let viewer = door::admit(&app, &token.unwrap_or_default(), Capability::Read).await?;
            Ok(Caller::by_token(viewer, address))
        }
    }
}

fn every(period: std::time::Duration) -> Interval {
    let mut interval = interval_at(Instant::now() + period, period);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}

/// Refused before execution began (validation): no data and no path. Execution errors travel in `next`.
fn is_refusal(response: &GraphqlResponse) -> bool {
    response.data == Value::Null
        && !response.errors.is_empty()
        && response.errors.iter().all(|error| error.path.is_empty())
}
