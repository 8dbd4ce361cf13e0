//! Pages, health, metrics, and the headers everything has.

use serde_json::json;

use riskgraph_api::{ApiOptions, Graphiql};
use riskgraph_domain::error::{Fault, FaultCode};

use crate::support::{READER, Server, answer};

#[tokio::test]
async fn the_query_page_loads_nothing_from_elsewhere() {
    let server = Server::start().await;
    for (path, kind) in [("/graphiql", "text/html"), ("/graphiql.js", "text/javascript"), ("/graphiql.css", "text/css")]
    {
        let response = server.client.get(server.url(path)).send().await.expect("an answer");
        assert_eq!(response.status().as_u16(), 200, "{path}");
        let headers = response.headers().clone();
        assert!(headers["content-type"].to_str().expect("text").starts_with(kind));
        let policy = headers["content-security-policy"].to_str().expect("text");
        assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
        let text = response.text().await.expect("a body");
        assert!(!text.contains("http://") && !text.contains("https://") && !text.contains("innerHTML"), "{path}");
    }
    let hidden = Server::with(ApiOptions { graphiql: Graphiql::Hidden, ..ApiOptions::default() }).await;
    assert_eq!(answer(hidden.client.get(hidden.url("/graphiql"))).await.0, 404);
}

#[tokio::test]
async fn tells_its_health() {
    let server = Server::start().await;
    let get = |path: &str| server.client.get(server.url(path));
    assert_eq!(answer(get("/health/live")).await, (200, json!({ "status": "live" })));
    assert_eq!(answer(get("/health/ready")).await, (200, json!({ "status": "ready" })));
    server.world.tables.lock().broken = Some(Fault::new(FaultCode::Overloaded, "far behind"));
    let (status, body) = answer(get("/health/ready")).await;
    assert_eq!((status, &body["code"], &body["reason"]), (503, &json!("RG-0120"), &json!("far behind")));
    assert_eq!(answer(get("/health/live")).await.0, 200);

    let response = get("/metrics").bearer_auth(READER).send().await.expect("an answer");
    assert!(response.headers()["content-type"].to_str().expect("text").starts_with("text/plain; version=0.0.4"));
    assert_eq!(response.text().await.expect("a body"), "riskgraph_events_lag 0\n");
}

#[tokio::test]
async fn every_answer_is_careful() {
    let server = Server::start().await;
    for path in ["/health/live", "/metrics", "/graphql", "/no/such/page"] {
        let response = server.client.get(server.url(path)).send().await.expect("an answer");
        for name in
            ["x-request-id", "x-content-type-options", "x-frame-options", "referrer-policy", "content-security-policy"]
        {
            assert!(response.headers().contains_key(name), "{path} has no {name}");
        }
    }
    let console = server.client.get(server.url("/")).send().await.expect("an answer");
    assert_eq!(console.text().await.expect("a body"), "console");
    let ids = [
        server.client.get(server.url("/health/live")).send().await.expect("an answer").headers()["x-request-id"]
            .clone(),
        server.client.get(server.url("/health/live")).send().await.expect("an answer").headers()["x-request-id"]
            .clone(),
    ];
    assert_ne!(ids[0], ids[1]);
}
