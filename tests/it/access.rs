//! Every route and GraphQL field against every role: who may enter where, asked of the running service.

use riskgraph_domain::access::{Capability, Role};
use serde_json::{Value, json};

#[path = "../../crates/api/tests/api/documents.rs"]
mod documents;

use crate::support::client::{Answer, Client};
use crate::support::server::Server;

/// Whether the service let the client in.
async fn enters(client: &Client, name: &str) -> Option<bool> {
    if let Some(document) = documents::document(name) {
        if name.starts_with("Subscription.") {
            return Some(subscribes(client, document).await);
        }
        return Some(is_in(&client.graphql_raw(document, json!({})).await));
    }
    let answer = match name {
        "POST /v1/events" => client.post("/v1/events", "").await,
        "POST /v1/events/{format}" => client.post("/v1/events/native", "").await,
        "POST /graphql" => client.graphql_raw("{ __typename }", json!({})).await,
        "GET /graphql" => client.get("/graphql?query=%7B__typename%7D").await,
        "GET /metrics" => client.get("/metrics").await,
        "GET /health/live" => client.get("/health/live").await,
        "GET /health/ready" => client.get("/health/ready").await,
        "GET /graphiql" | "GET /graphiql.js" | "GET /graphiql.css" => client.get(name.trim_start_matches("GET ")).await,
        "GET /" => client.get("/").await,
        // Open: what is asked without a body or a cookie is a bad request or already done, never a refusal.
        "GET /reports/key" => client.get("/reports/key").await,
        "GET /reports/{file}" => client.get("/reports/rep_00000000000000000000000000.html").await,
        "GET /shared/{secret}" => client.get("/shared/nothing").await,
        "POST /session" => client.post("/session", "").await,
        "DELETE /session" => client.delete("/session").await,
        _ => return None,
    };
    Some(is_in(&answer))
}

/// Neither 401 nor 403, nor the GraphQL codes of the same meaning.
fn is_in(answer: &Answer) -> bool {
    let code = answer.body["errors"][0]["extensions"]["code"].as_str().unwrap_or_default();
    !matches!(answer.status, 401 | 403) && !matches!(code, "UNAUTHENTICATED" | "FORBIDDEN")
}

async fn subscribes(client: &Client, document: &str) -> bool {
    use futures::StreamExt as _;
    let Ok(mut stream) = client.subscribe(document, json!({})).await else { return false };
    // An open stream is silent; a refusal comes at once.
    let first = tokio::time::timeout(std::time::Duration::from_millis(1_500), stream.next()).await;
    match first {
        Ok(Some(payload)) => {
            let code = payload["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned();
            !matches!(code.as_str(), "UNAUTHENTICATED" | "FORBIDDEN")
        }
        Ok(None) => false,
        Err(_) => true,
    }
}

async fn token(admin: &Client, role: Role) -> String {
    let document = "mutation($role: Role!) { createToken(name: \"matrix\", role: $role) { secret } }";
    let made = admin.graphql(document, json!({ "role": role.as_str().to_uppercase() })).await;
    made["createToken"]["secret"].as_str().expect("a secret").to_owned()
}

#[tokio::test]
async fn every_entrance_asks_every_role() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path()).await;
    let admin = server.admin();
    let mut clients: Vec<(Option<Role>, Client)> =
        vec![(None, admin.with_token("")), (None, admin.with_token("rg_nonsense"))];
    for &role in Role::ALL {
        clients.push((Some(role), admin.with_token(&token(&admin, role).await)));
    }
    let mut uncovered = Vec::new();
    let mut wrong = Vec::new();
    for item in riskgraph_api::surface() {
        for (role, client) in &clients {
            let wanted = match (item.capability, role) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(capability), Some(role)) => role.may(capability),
            };
            match enters(client, item.name).await {
                None => uncovered.push(item.name),
                Some(got) if got != wanted => {
                    wrong.push(format!("{} as {role:?}: let in {got}, wanted {wanted}", item.name))
                }
                Some(_) => {}
            }
        }
    }
    uncovered.dedup();
    assert!(uncovered.is_empty(), "entrances that the matrix does not try: {uncovered:#?}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_revoked_token_opens_nothing_and_every_use_is_noted() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(dir.path()).await;
    let admin = server.admin();
    let reader = admin.with_token(&token(&admin, Role::Reader).await);
    assert_eq!(reader.get("/metrics").await.status, 200);
    let tokens = admin.graphql("{ tokens { id role lastUsedAt } }", json!({})).await;
    let row = tokens["tokens"].as_array().unwrap().iter().find(|row| row["role"] == "READER").unwrap().clone();
    assert_ne!(row["lastUsedAt"], Value::Null);
    admin.graphql("mutation($id: ID!) { revokeToken(id: $id) }", json!({ "id": row["id"] })).await;
    assert_eq!(reader.get("/metrics").await.status, 401);
}

#[test]
fn no_role_has_more_than_it_needs() {
    assert!(!Role::Ingest.may(Capability::Read));
    assert!(!Role::Reader.may(Capability::Triage));
    assert!(!Role::Analyst.may(Capability::Administer) && !Role::Analyst.may(Capability::Ingest));
}
