//! Who may enter where: every role at every entrance of the surface.

use riskgraph_api::{SurfaceItem, surface};
use riskgraph_domain::access::{Capability, Role};
use serde_json::json;

use crate::documents::document;
use crate::support::{ADMIN, ANALYST, INGEST, READER, Server, answer};

/// Whether this caller got in.
async fn enters(server: &Server, item: &SurfaceItem, token: Option<&str>) -> bool {
    let (status, body) = match document(item.name) {
        Some(query) => {
            let mut request = server.client.post(server.url("/graphql")).json(&json!({ "query": query }));
            if item.name.starts_with("Subscription.") {
                // A stream that starts answers its head; what a refused one says is in its only event.
                request = request.header("accept", "text/event-stream");
                return enters_stream(request, token).await;
            }
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            answer(request).await
        }
        None => {
            let (method, path) = item.name.split_once(' ').expect("method and path");
            let path = path.replace("{format}", "nginx");
            let method = method.parse().expect("a method");
            let mut request = server.client.request(method, server.url(&path));
            if path == "/graphql" {
                request = request.query(&[("query", "{ vendors { totalCount } }")]);
                request = request.json(&json!({ "query": "{ vendors { totalCount } }" }));
            }
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            answer(request).await
        }
    };
    let code = body["errors"][0]["extensions"]["code"].as_str().unwrap_or_default();
    !matches!(status, 401 | 403) && !matches!(code, "UNAUTHENTICATED" | "FORBIDDEN")
}

async fn enters_stream(request: reqwest::RequestBuilder, token: Option<&str>) -> bool {
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    request.send().await.expect("an answer").status().as_u16() == 200
}

#[tokio::test]
async fn every_role_enters_exactly_where_the_surface_says() {
    let server = Server::start().await;
    let callers = [
        (None, None),
        (Some("no-such-token"), None),
        (Some(ADMIN), Some(Role::Admin)),
        (Some(ANALYST), Some(Role::Analyst)),
        (Some(READER), Some(Role::Reader)),
        (Some(INGEST), Some(Role::Ingest)),
    ];
    let mut wrong = Vec::new();
    for item in surface() {
        for (token, role) in callers {
            let may = item.capability.is_none_or(|wanted| role.is_some_and(|role| role.may(wanted)));
            if enters(&server, &item, token).await != may {
                wrong.push(format!("{} as {token:?}: expected {may}", item.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn every_graphql_field_of_the_surface_is_walked() {
    let fields: Vec<SurfaceItem> = surface().into_iter().filter(|item| !item.name.contains(' ')).collect();
    let missing: Vec<&str> = fields.iter().map(|item| item.name).filter(|name| document(name).is_none()).collect();
    assert!(missing.is_empty() && fields.len() > 25, "not walked: {missing:?}");
    assert!(fields.iter().all(|item| item.capability.is_some_and(|c| c != Capability::Ingest)));
}

#[tokio::test]
async fn a_revoked_token_stops_working_at_once() {
    let server = Server::start().await;
    let made =
        server.data(ADMIN, "mutation { createToken(name: \"ci\", role: READER) { secret token { id role } } }").await;
    let secret = made["createToken"]["secret"].as_str().expect("a secret").to_owned();
    let id = made["createToken"]["token"]["id"].as_str().expect("an id").to_owned();
    assert_eq!(made["createToken"]["token"]["role"], "READER");
    server.data(&secret, "{ vendors { totalCount } }").await;
    let revoked = server.data(ADMIN, &format!("mutation {{ revokeToken(id: \"{id}\") }}")).await;
    assert_eq!(revoked["revokeToken"], true);
    assert_eq!(server.code(&secret, "{ vendors { totalCount } }").await, "UNAUTHENTICATED");
    let listed = server.data(ADMIN, "{ tokens { name role } }").await.to_string();
    assert!(listed.contains("ci") && !listed.contains("secret"), "{listed}");
}

#[tokio::test]
async fn a_stranger_learns_nothing() {
    let server = Server::start().await;
    for token in ["no-such-token", INGEST] {
        for query in ["{ vendorz { id } }", "{ __schema { types { name } } }", "{ __typename }"] {
            let (_, body) = server.ask(token, query, json!({})).await;
            let body = body.to_string();
            assert!(!body.contains("Did you mean") && !body.contains("vendors") && body.contains("errors"), "{body}");
        }
    }
    let (status, body) = server.ask(READER, "{ __schema { queryType { name } } }", json!({})).await;
    assert_eq!((status, &body["data"]["__schema"]["queryType"]["name"]), (200, &json!("Query")));
}

#[tokio::test]
async fn a_refusal_says_how_to_sign_in() {
    let server = Server::start().await;
    let response = server.client.get(server.url("/metrics")).send().await.expect("an answer");
    assert_eq!(response.status().as_u16(), 401);
    assert!(response.headers()["www-authenticate"].to_str().expect("text").starts_with("Bearer"));
    let request = server.client.get(server.url("/metrics")).header("authorization", "Basic YTpi");
    let (status, body) = answer(request).await;
    assert_eq!((status, &body["error"]["code"]), (401, &json!("RG-0201")));
}
