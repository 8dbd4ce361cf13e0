//! What a GraphQL request may cost.

use std::time::Duration;

use riskgraph_api::{ApiOptions, GraphqlLimits};
use serde_json::json;

use crate::support::{READER, Server, answer, vendor};

#[tokio::test]
async fn refuses_each_excess_with_its_code() {
    let server = Server::start().await;
    let check = async |query: String, code: &str| {
        assert_eq!(server.code(READER, &query).await, code, "{}", query.chars().take(100).collect::<String>());
    };
    let mut deep = "kind".to_owned();
    for _ in 0..6 {
        deep = format!("from {{ relations(first: 1) {{ edges {{ node {{ {deep} }} }} }} }}");
    }
    let deep = format!(
        "{{ entities(first: 1) {{ edges {{ node {{ relations(first: 1) {{ edges {{ node {{ {deep} }} }} }} }} }} }} }}"
    );
    check(deep, "DEPTH_EXCEEDED").await;
    let wide = "{ vendors(first: 100) { edges { node { findings(first: 100) { edges { node { id } } } } } } }";
    check(wide.to_owned(), "COST_EXCEEDED").await;
    let aliases: String = (0..16).map(|i| format!("a{i}: name ")).collect();
    check(format!("{{ vendors {{ edges {{ node {{ {aliases} }} }} }} }}"), "TOO_MANY_ALIASES").await;
    let roots: String = (0..11).map(|i| format!("v{i}: vendors {{ totalCount }} ")).collect();
    check(format!("{{ {roots} }}"), "COST_EXCEEDED").await;
    // A long comment costs nothing.
    server.data(READER, &format!("{{ vendors {{ totalCount }} }} #{}\n", "x ".repeat(2_001))).await;
    check(format!("{{ vendors {{ {} }} }}", "totalCount ".repeat(2_001)), "COST_EXCEEDED").await;
    let directives = "@include(if: true) ".repeat(51);
    check(format!("{{ vendors {{ totalCount {directives} }} }}"), "COST_EXCEEDED").await;
    let lists = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }";
    check(lists.to_owned(), "DEPTH_EXCEEDED").await;
}

#[tokio::test]
async fn the_standard_introspection_query_fits() {
    let server = Server::start().await;
    let of_type = "ofType { kind name ".repeat(9) + &"}".repeat(9);
    let query = format!(
        "query IntrospectionQuery {{ __schema {{ description queryType {{ name kind }} mutationType {{ name kind }}
           subscriptionType {{ name kind }} types {{ ...FullType }}
           directives {{ name description isRepeatable locations args(includeDeprecated: true) {{ ...InputValue }} }} }} }}
         fragment FullType on __Type {{ kind name description specifiedByURL
           fields(includeDeprecated: true) {{ name description args(includeDeprecated: true) {{ ...InputValue }}
             type {{ ...TypeRef }} isDeprecated deprecationReason }}
           inputFields(includeDeprecated: true) {{ ...InputValue }} interfaces {{ ...TypeRef }}
           enumValues(includeDeprecated: true) {{ name description isDeprecated deprecationReason }}
           possibleTypes {{ ...TypeRef }} }}
         fragment InputValue on __InputValue {{ name description type {{ ...TypeRef }} defaultValue
           isDeprecated deprecationReason }}
         fragment TypeRef on __Type {{ kind name {of_type} }}"
    );
    let data = server.data(READER, &query).await;
    assert!(data["__schema"]["types"].as_array().is_some_and(|types| types.len() > 50));
}

#[tokio::test]
async fn counts_what_is_really_loaded() {
    let graphql = GraphqlLimits { nodes_max: 20, ..GraphqlLimits::default() };
    let server = Server::with(ApiOptions { graphql, ..ApiOptions::default() }).await;
    server.world.tables.lock().vendors.extend((0..15).map(|i| vendor(&format!("v{i}"))));
    server.data(READER, "{ vendors { edges { node { name } } } }").await;
    let code = server.code(READER, "{ vendors { edges { node { entity { key } } } } }").await;
    assert_eq!(code, "COST_EXCEEDED");
}

#[tokio::test]
async fn refuses_bodies_that_are_no_single_json_request() {
    let server = Server::start().await;
    let check = async |kind: &str, body: String, expected: u16| {
        let request = server.post("/graphql", READER).header("content-type", kind).body(body);
        let (status, body) = answer(request).await;
        assert_eq!(status, expected, "{body}");
        assert!(body["errors"][0]["extensions"]["code"].is_string(), "{body}");
    };
    let query = json!({ "query": "{ vendors { totalCount } }" });
    check("application/json", json!([query, query]).to_string(), 400).await;
    check("application/json", "{".to_owned(), 400).await;
    check("application/json", json!({ "query": " ".repeat(300_000) }).to_string(), 413).await;
    check("text/plain", query.to_string(), 415).await;
    check("application/x-www-form-urlencoded", "query=%7Ba%7D".to_owned(), 415).await;
}

#[tokio::test]
async fn a_query_that_takes_too_long_is_ended() {
    let graphql = GraphqlLimits { timeout: Duration::from_millis(50), concurrent_max: 0, ..GraphqlLimits::default() };
    let server = Server::with(ApiOptions { graphql, ..ApiOptions::default() }).await;
    assert_eq!(server.code(READER, "{ vendors { totalCount } }").await, "QUERY_TIMEOUT");
}
