//! The `graphql-transport-ws` protocol, message by message.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use riskgraph_api::{ApiOptions, LiveLimits};
use riskgraph_domain::alert::AlertChange;
use riskgraph_domain::signal::Severity;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::support::{DEADLINE, INGEST, READER, Server, alert, until};

const ALERTS: &str = "subscription ($after: String) { alerts(after: $after) { cursor lagged alert { title } } }";

struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

/// What the server said: a message, or the close code.
#[derive(Debug, PartialEq)]
enum Said {
    Message(Value),
    Closed(u16),
}

impl Socket {
    async fn open(server: &Server, protocol: &str, token: Option<&str>) -> Self {
        let mut request = format!("ws://{}/graphql", server.address).into_client_request().expect("a request");
        let headers = request.headers_mut();
        headers.insert("sec-websocket-protocol", protocol.parse().expect("a header"));
        if let Some(token) = token {
            headers.insert("authorization", format!("Bearer {token}").parse().expect("a header"));
        }
        Self(connect_async(request).await.expect("the upgrade").0)
    }

    /// A socket that is signed in.
    async fn signed_in(server: &Server) -> Self {
        let mut socket = Self::open(server, "graphql-transport-ws", None).await;
        socket
            .say(json!({ "type": "connection_init", "payload": { "authorization": format!("Bearer {READER}") } }))
            .await;
        assert_eq!(socket.hear().await, Said::Message(json!({ "type": "connection_ack" })));
        socket
    }

    async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.expect("sent");
    }

    async fn subscribe(&mut self, id: &str, query: &str, variables: Value) {
        let payload = json!({ "query": query, "variables": variables });
        self.say(json!({ "type": "subscribe", "id": id, "payload": payload })).await;
    }

    async fn hear(&mut self) -> Said {
        loop {
            let message = timeout(DEADLINE, self.0.next()).await.expect("an answer in time");
            match message {
                Some(Ok(Message::Text(text))) => return Said::Message(serde_json::from_str(&text).expect("JSON")),
                Some(Ok(Message::Close(frame))) => return Said::Closed(frame.map_or(0, |frame| frame.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Said::Closed(0),
            }
        }
    }

    async fn message(&mut self) -> Value {
        match self.hear().await {
            Said::Message(message) => message,
            Said::Closed(code) => panic!("closed with {code}"),
        }
    }
}

fn happen(server: &Server, name: &str) {
    server.world.happen(AlertChange::Opened, alert(name, Severity::High, Vec::new()));
}

#[tokio::test]
async fn runs_queries_and_streams_side_by_side() {
    let server = Server::start().await;
    let mut socket = Socket::signed_in(&server).await;
    socket.say(json!({ "type": "ping" })).await;
    assert_eq!(socket.message().await, json!({ "type": "pong" }));

    happen(&server, "a1");
    happen(&server, "a2");
    socket.subscribe("s", ALERTS, json!({ "after": "1" })).await;
    let next = socket.message().await;
    assert_eq!((&next["type"], &next["id"]), (&json!("next"), &json!("s")));
    assert_eq!(next["payload"]["data"]["alerts"]["cursor"], "2");

    socket.subscribe("q", "{ vendor(name: \"acme\") { name } }", json!({})).await;
    assert_eq!(socket.message().await["payload"]["data"]["vendor"]["name"], "acme");
    assert_eq!(socket.message().await, json!({ "type": "complete", "id": "q" }));

    happen(&server, "a3");
    assert_eq!(socket.message().await["payload"]["data"]["alerts"]["alert"]["title"], "alert a3");
    socket.say(json!({ "type": "complete", "id": "s" })).await;
    until("the stream ends", || server.world.alerts.receiver_count() == 0).await;
    // The id is free again.
    socket.subscribe("s", ALERTS, json!({ "after": "2" })).await;
    assert_eq!(socket.message().await["payload"]["data"]["alerts"]["cursor"], "3");
}

#[tokio::test]
async fn takes_the_token_from_wherever_clients_put_it() {
    let server = Server::start().await;
    let check = async |header: Option<&str>, payload: Value, ok: bool| {
        let mut socket = Socket::open(&server, "graphql-transport-ws", header).await;
        let mut init = json!({ "type": "connection_init" });
        if !payload.is_null() {
            init["payload"] = payload.clone();
        }
        socket.say(init).await;
        let expected = if ok { Said::Message(json!({ "type": "connection_ack" })) } else { Said::Closed(4403) };
        assert_eq!(socket.hear().await, expected, "{header:?} {payload}");
    };
    check(None, json!({ "Authorization": format!("Bearer {READER}") }), true).await;
    check(None, json!({ "authorization": READER }), true).await;
    check(None, json!({ "token": READER }), true).await;
    check(Some(READER), Value::Null, true).await;
    check(Some(READER), json!({}), true).await;
    check(None, Value::Null, false).await;
    check(None, json!({ "token": "wrong" }), false).await;
    check(None, json!({ "token": INGEST }), false).await;
    check(Some(READER), json!({ "token": "wrong" }), false).await;
}

#[tokio::test]
async fn closes_with_the_codes_of_the_protocol() {
    let live = LiveLimits { init_timeout: Duration::from_millis(100), ..LiveLimits::default() };
    let server = Server::with(ApiOptions { live, ..ApiOptions::default() }).await;
    let mut silent = Socket::open(&server, "graphql-transport-ws", None).await;
    assert_eq!(silent.hear().await, Said::Closed(4408));

    let server = Server::start().await;
    let mut early = Socket::open(&server, "graphql-transport-ws", None).await;
    early.subscribe("1", ALERTS, json!({})).await;
    assert_eq!(early.hear().await, Said::Closed(4401));

    let check = async |messages: &[Value], code: u16| {
        let mut socket = Socket::signed_in(&server).await;
        for message in messages {
            socket.say(message.clone()).await;
        }
        assert_eq!(socket.hear().await, Said::Closed(code), "{messages:?}");
    };
    let subscribe = json!({ "type": "subscribe", "id": "1", "payload": { "query": ALERTS } });
    check(&[json!({ "type": "connection_init", "payload": { "token": READER } })], 4429).await;
    check(&[subscribe.clone(), subscribe], 4409).await;
    check(&[json!({ "type": "nonsense" })], 4400).await;
    check(&[json!({ "type": "subscribe" })], 4400).await;
    check(&[json!(7)], 4400).await;
    let mut binary = Socket::signed_in(&server).await;
    binary.0.send(Message::binary(vec![1, 2, 3])).await.expect("sent");
    assert_eq!(binary.hear().await, Said::Closed(4400));
}

#[tokio::test]
async fn speaks_no_other_protocol() {
    let server = Server::start().await;
    let mut request = format!("ws://{}/graphql", server.address).into_client_request().expect("a request");
    request.headers_mut().remove("sec-websocket-protocol");
    let mut socket = Socket(connect_async(request).await.expect("the upgrade").0);
    assert_eq!(socket.hear().await, Said::Closed(4406));
}

#[tokio::test]
async fn refuses_an_operation_without_ending_the_others() {
    let live = LiveLimits { operations_max: 3, ..LiveLimits::default() };
    let server = Server::with(ApiOptions { live, ..ApiOptions::default() }).await;
    let mut socket = Socket::signed_in(&server).await;
    let refused = async |socket: &mut Socket, query: &str, variables: Value, code: &str| {
        socket.subscribe("bad", query, variables).await;
        let error = socket.message().await;
        assert_eq!((&error["type"], &error["id"]), (&json!("error"), &json!("bad")), "{error}");
        assert_eq!(error["payload"][0]["extensions"]["code"], code);
    };
    refused(&mut socket, "subscription { nonsense }", json!({}), "BAD_USER_INPUT").await;
    refused(
        &mut socket,
        "{ vendors(first: 100) { edges { node { findings(first: 100) { edges { node { id } } } } } } }",
        json!({}),
        "COST_EXCEEDED",
    )
    .await;
    for id in ["1", "2", "3"] {
        socket.subscribe(id, ALERTS, json!({})).await;
    }
    refused(&mut socket, ALERTS, json!({}), "RATE_LIMITED").await;
    until("all are live", || server.world.alerts.receiver_count() == 3).await;
    happen(&server, "a1");
    let mut told: Vec<Value> = Vec::new();
    for _ in 0..3 {
        told.push(socket.message().await["id"].clone());
    }
    told.sort_by_key(Value::to_string);
    assert_eq!(told, ["1", "2", "3"]);
}

#[tokio::test]
async fn an_execution_error_travels_in_next() {
    let server = Server::start().await;
    let mut socket = Socket::signed_in(&server).await;
    socket.subscribe("1", ALERTS, json!({ "after": "77" })).await;
    let next = socket.message().await;
    assert_eq!(next["type"], "next");
    assert_eq!(next["payload"]["errors"][0]["extensions"]["code"], "STALE_CURSOR");
    assert_eq!(socket.message().await, json!({ "type": "complete", "id": "1" }));
}

#[tokio::test]
async fn ends_when_the_token_does_and_when_the_service_does() {
    let live = LiveLimits { recheck_every: Duration::from_millis(30), ..LiveLimits::default() };
    let server = Server::with(ApiOptions { live, ..ApiOptions::default() }).await;
    let mut staying = Socket::signed_in(&server).await;
    server.stop.cancel();
    assert_eq!(staying.hear().await, Said::Closed(1001));

    let live = LiveLimits { recheck_every: Duration::from_millis(30), ..LiveLimits::default() };
    let server = Server::with(ApiOptions { live, ..ApiOptions::default() }).await;
    let mut socket = Socket::signed_in(&server).await;
    server.world.tables.lock().viewers.remove(READER);
    assert_eq!(socket.hear().await, Said::Closed(4403));
}

#[tokio::test]
async fn pings_and_drops_the_dead() {
    let live = LiveLimits {
        ping_every: Duration::from_millis(20),
        silence_max: Duration::from_millis(100),
        ..LiveLimits::default()
    };
    let server = Server::with(ApiOptions { live, ..ApiOptions::default() }).await;
    let mut socket = Socket::signed_in(&server).await;
    socket.subscribe("1", ALERTS, json!({})).await;
    until("the stream is live", || server.world.alerts.receiver_count() == 1).await;
    // A client that does not read does not answer pings either.
    until("the server lets go", || server.world.alerts.receiver_count() == 0).await;
}
