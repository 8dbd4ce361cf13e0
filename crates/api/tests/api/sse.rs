//! Streams over server-sent events: form, resume, gaps, end.

use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use riskgraph_api::{ApiOptions, LiveLimits};
use riskgraph_domain::alert::AlertChange;
use riskgraph_domain::graph::{EntityKey, EntityKind};
use riskgraph_domain::ports::AssessmentProgress;
use riskgraph_domain::signal::Severity;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::{DEADLINE, READER, Server, alert, until};

const ALERTS: &str = "subscription ($after: String) { alerts(after: $after) { cursor change lagged alert { title } } }";

/// One event as it came.
#[derive(Debug, PartialEq)]
struct Event {
    kind: String,
    id: Option<String>,
    data: Value,
}

struct Events {
    chunks: BoxStream<'static, Vec<u8>>,
    text: String,
}

impl Events {
    async fn open(server: &Server, query: &str, variables: Value, last: Option<&str>) -> Self {
        let mut request = server.post("/graphql", READER).header("accept", "text/event-stream");
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let response =
            request.json(&json!({ "query": query, "variables": variables })).send().await.expect("an answer");
        assert_eq!(response.status().as_u16(), 200);
        assert!(response.headers()["content-type"].to_str().expect("text").starts_with("text/event-stream"));
        let chunks = response.bytes_stream().map(|chunk| chunk.map(|bytes| bytes.to_vec()).unwrap_or_default());
        Self { chunks: chunks.boxed(), text: String::new() }
    }

    /// The next event; `None` when the stream ended.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                // A comment keeps the connection open.
                if !event.starts_with(':') {
                    return Some(read(&event));
                }
                continue;
            }
            let chunk = timeout(DEADLINE, self.chunks.next()).await.expect("an event in time")?;
            self.text += &String::from_utf8_lossy(&chunk);
        }
    }

    async fn cursors(&mut self, n: usize) -> Vec<String> {
        let mut cursors = Vec::new();
        for _ in 0..n {
            let event = self.next().await.expect("an event");
            let cursor = event.data["data"]["alerts"]["cursor"].as_str().expect("a cursor").to_owned();
            assert_eq!(event.id.as_ref(), Some(&cursor), "the event's id is the cursor");
            cursors.push(cursor);
        }
        cursors
    }
}

fn read(event: &str) -> Event {
    let field = |name: &str| {
        event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(|value| value.trim().to_owned())
    };
    let data = serde_json::from_str(&field("data").unwrap_or_default()).unwrap_or(Value::Null);
    Event { kind: field("event").unwrap_or_default(), id: field("id"), data }
}

fn happen(server: &Server, name: &str, severity: Severity) -> u64 {
    server.world.happen(AlertChange::Opened, alert(name, severity, vec![EntityKey::new(EntityKind::User, "mia")]))
}

#[tokio::test]
async fn a_query_is_one_result_and_the_end() {
    let server = Server::start().await;
    let mut events = Events::open(&server, "{ vendor(name: \"acme\") { name } }", json!({}), None).await;
    let next = events.next().await.expect("a result");
    assert_eq!((next.kind.as_str(), &next.data["data"]["vendor"]["name"]), ("next", &json!("acme")));
    assert_eq!(events.next().await.map(|event| event.kind), Some("complete".to_owned()));
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn replays_from_a_cursor_and_goes_on_live() {
    let server = Server::start().await;
    for i in 0..5 {
        happen(&server, &format!("a{i}"), Severity::High);
    }
    let mut events = Events::open(&server, ALERTS, json!({ "after": "2" }), None).await;
    assert_eq!(events.cursors(3).await, ["3", "4", "5"]);
    happen(&server, "live", Severity::High);
    assert_eq!(events.cursors(1).await, ["6"]);
    drop(events);

    // The client reconnects with the same document; what it saw last decides.
    happen(&server, "missed", Severity::High);
    let mut again = Events::open(&server, ALERTS, json!({ "after": "2" }), Some("6")).await;
    assert_eq!(again.cursors(1).await, ["7"]);
}

#[tokio::test]
async fn refuses_a_cursor_that_leads_nowhere() {
    let server = Server::start().await;
    {
        let mut tables = server.world.tables.lock();
        tables.forgotten = 10;
    }
    happen(&server, "eleventh", Severity::High);
    for bad in ["1", "9", "12", "x", "-1", "+11", "99999999999999999999999"] {
        let mut events = Events::open(&server, ALERTS, json!({ "after": bad }), None).await;
        let event = events.next().await.expect("a result");
        assert_eq!(event.data["errors"][0]["extensions"]["code"], "STALE_CURSOR", "{bad}: {:?}", event.data);
        assert_eq!(events.next().await.map(|event| event.kind), Some("complete".to_owned()));
    }
    let mut events = Events::open(&server, ALERTS, json!({ "after": "10" }), None).await;
    assert_eq!(events.cursors(1).await, ["11"]);
}

#[tokio::test]
async fn filters_and_still_tells_the_gap() {
    let server = Server::start().await;
    let query = "subscription { alerts(filter: { minSeverity: HIGH, technique: \"T1110\" }) { cursor lagged alert { title } } }";
    let mut events = Events::open(&server, query, json!({}), None).await;
    until("the stream is live", || server.world.alerts.receiver_count() == 1).await;
    // More than a subscriber may be behind, at once: the first ones are missed, and the next that passes tells so.
    let n_low = 40;
    for i in 0..n_low {
        happen(&server, &format!("low{i}"), Severity::Low);
    }
    happen(&server, "high", Severity::Critical);
    let event = events.next().await.expect("an event");
    let seen = &event.data["data"]["alerts"];
    assert_eq!(seen["alert"]["title"], "alert high");
    let lagged = seen["lagged"].as_u64().expect("a number");
    assert!(lagged <= n_low, "{lagged} of {n_low} missed");
    happen(&server, "next", Severity::Critical);
    let event = events.next().await.expect("an event");
    assert_eq!(event.data["data"]["alerts"]["lagged"], 0, "a gap is told once");
}

#[tokio::test]
async fn tells_a_slow_consumer_what_it_missed() {
    let server = Server::start().await;
    let mut events = Events::open(&server, ALERTS, json!({}), None).await;
    until("the stream is live", || server.world.alerts.receiver_count() == 1).await;
    // All in one go, on the only thread: the stream cannot run in between, so the channel overflows.
    let n_events = 100;
    for i in 0..n_events {
        happen(&server, &format!("a{i}"), Severity::High);
    }
    let (mut n_seen, mut n_lagged) = (0, 0);
    while n_seen + n_lagged < n_events {
        let event = events.next().await.expect("an event");
        n_seen += 1;
        n_lagged += event.data["data"]["alerts"]["lagged"].as_u64().expect("a number");
    }
    assert!(n_lagged > 0, "the channel holds less than {n_events}");
    assert_eq!(n_seen + n_lagged, n_events, "seen and missed are all");
}

#[tokio::test]
async fn follows_risks_and_assessments() {
    let server = Server::start().await;
    let risks = "subscription { riskChanges(minDelta: 5) { key risk { score } } }";
    let steps = "subscription { assessments { vendor { name } done total finished } }";
    let mut risks = Events::open(&server, risks, json!({}), None).await;
    let mut steps = Events::open(&server, steps, json!({}), None).await;
    until("both are live", || server.world.risks.receiver_count() == 1 && server.world.steps.receiver_count() == 1)
        .await;
    let (entity, vendor) = {
        let tables = server.world.tables.lock();
        (tables.entities[2].clone(), tables.vendors[0].id)
    };
    server.world.risks.send(entity).expect("somebody listens");
    let event = risks.next().await.expect("an event");
    assert_eq!(event.data["data"]["riskChanges"], json!({ "key": "key-1", "risk": { "score": 35.0 } }));
    let gone = riskgraph_domain::id::VendorId::of(&["gone"]);
    for vendor in [gone, vendor] {
        let step = AssessmentProgress { vendor, done: 3, total: 9, finished: false };
        server.world.steps.send(step).expect("somebody listens");
    }
    let event = steps.next().await.expect("an event");
    assert_eq!(event.data["data"]["assessments"]["vendor"]["name"], "acme");
    assert_eq!(event.data["data"]["assessments"]["done"], 3);
}

#[tokio::test]
async fn ends_when_the_token_does_and_when_the_service_does() {
    let live = LiveLimits { recheck_every: Duration::from_millis(30), ..LiveLimits::default() };
    let server = Server::with(ApiOptions { live, ..ApiOptions::default() }).await;
    let mut events = Events::open(&server, ALERTS, json!({}), None).await;
    let viewer = server.world.tables.lock().viewers.remove(READER).expect("the reader");
    let event = events.next().await.expect("an event");
    assert_eq!(event.data["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
    assert_eq!(events.next().await.map(|event| event.kind), Some("complete".to_owned()));

    server.world.tables.lock().viewers.insert(READER.to_owned(), viewer);
    let mut events = Events::open(&server, ALERTS, json!({}), None).await;
    server.stop.cancel();
    assert_eq!(events.next().await.map(|event| event.kind), Some("complete".to_owned()));
}

#[tokio::test]
async fn open_streams_are_bounded() {
    let live = LiveLimits { streams_max: 1, ..LiveLimits::default() };
    let server = Server::with(ApiOptions { live, ..ApiOptions::default() }).await;
    let first = Events::open(&server, ALERTS, json!({}), None).await;
    let open =
        || server.post("/graphql", READER).header("accept", "text/event-stream").json(&json!({ "query": ALERTS }));
    let refused = open().send().await.expect("an answer");
    assert_eq!((refused.status().as_u16(), refused.headers().contains_key("retry-after")), (429, true));
    drop(first);
    let freed = async {
        while open().send().await.expect("an answer").status().as_u16() != 200 {
            tokio::task::yield_now().await;
        }
    };
    timeout(DEADLINE, freed).await.expect("the place is free again");
}

#[tokio::test]
async fn a_refused_subscription_is_an_event_too() {
    let server = Server::start().await;
    let mut events = Events::open(&server, "subscription { nonsense }", json!({}), None).await;
    let event = events.next().await.expect("a result");
    assert_eq!(event.data["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    assert_eq!(events.next().await.map(|event| event.kind), Some("complete".to_owned()));
    let (_, body) = server.ask(READER, ALERTS, json!({})).await;
    assert!(body["errors"][0]["message"].as_str().is_some_and(|text| text.contains("text/event-stream")));
}
