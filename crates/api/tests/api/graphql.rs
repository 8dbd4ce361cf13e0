//! Queries and changes over HTTP, end to end.

use std::sync::atomic::Ordering;

use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::signal::Severity;
use serde_json::{Value, json};

use crate::support::{ADMIN, ANALYST, READER, Server, alert, answer, vendor};

#[tokio::test]
async fn reads_every_field_of_the_contract() {
    let server = Server::start().await;
    let data = server
        .data(
            READER,
            "{ vendors { pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount edges { cursor node {
                 id name domains tier owner entity { id kind key } risk { score level own propagated modelVersion }
                 posture { score grade coverage assessedAt modelVersion compat factors { name score weight coverage }
                           waterfall { points reason finding { id check } } }
                 postureHistory { grade } fourthParties { id }
                 findings { edges { node { id check result severity title recommendation reference status evidence
                   firstSeen lastSeen acceptedUntil vendor { name } asset { kind key } } } }
                 integrations { id name entity { key } vendor { name } keys { key } baseline risk { score }
                   signals { totalCount } traffic(since: \"2026-03-02T00:00:00Z\") { time calls anomaly } }
            } } } }",
        )
        .await;
    let node = &data["vendors"]["edges"][0]["node"];
    assert_eq!(node["posture"]["waterfall"][0]["finding"]["check"], "HTTP-01");
    assert_eq!(node["findings"]["edges"][0]["node"]["asset"], json!({ "kind": "DOMAIN", "key": "acme.example" }));
    assert_eq!(node["integrations"][0]["keys"][0]["key"], "key-1");
    assert_eq!(node["risk"]["score"], 0.0);
    assert_eq!(data["vendors"]["totalCount"], 1);

    let data = server
        .data(
            READER,
            "{ alerts { edges { node { id title summary severity score status verdict openedAt updatedAt assignee count
                 detectionDelaySeconds recommendations techniques { id name tactic } findings { id }
                 timeline { time text actor signal { id } } path { kind from { key } to { key } }
                 entities { key risk { contributions { points reason signal { id detector } finding { id } via { id } } }
                   relations { edges { node { confidence source } } } alerts(status: OPEN) { totalCount } }
                 signals { edges { node { id title score occurredAt detectedAt evidence
                   entities { key } reasons { text weight observed expected } techniques { id name } } } }
            } } } }",
        )
        .await;
    let node = &data["alerts"]["edges"][0]["node"];
    assert_eq!(node["path"][0]["from"]["key"], "acme.example");
    assert_eq!(node["techniques"][0]["name"], "Credential Stuffing");
    assert_eq!(node["entities"][0]["risk"]["contributions"][0]["signal"]["detector"], "partner_baseline");
    let techniques = &node["signals"]["edges"][0]["node"]["techniques"];
    assert_eq!(techniques[1], json!({ "id": "T9999", "name": "T9999" }));
}

#[tokio::test]
async fn finds_any_node_by_its_global_id() {
    let server = Server::start().await;
    let ids = server
        .data(
            READER,
            "{ vendors { edges { node { id } } } alerts { edges { node { id path { id } } } }
               signals { edges { node { id } } } findings { edges { node { id } } }
               integrations { edges { node { id entity { id } } } } }",
        )
        .await;
    let check = async |id: &Value, expected: &str| {
        let query = "query ($id: ID!) { node(id: $id) { __typename id } }";
        let (_, body) = server.ask(READER, query, json!({ "id": id })).await;
        assert_eq!(body["data"]["node"], json!({ "__typename": expected, "id": id }), "{body}");
    };
    check(&ids["vendors"]["edges"][0]["node"]["id"], "Vendor").await;
    check(&ids["alerts"]["edges"][0]["node"]["id"], "Alert").await;
    check(&ids["alerts"]["edges"][0]["node"]["path"][0]["id"], "Relation").await;
    check(&ids["signals"]["edges"][0]["node"]["id"], "Signal").await;
    check(&ids["findings"]["edges"][0]["node"]["id"], "Finding").await;
    check(&ids["integrations"]["edges"][0]["node"]["id"], "Integration").await;
    check(&ids["integrations"]["edges"][0]["node"]["entity"]["id"], "Entity").await;

    let unknown =
        server.data(READER, "{ a: node(id: \"ven_00000000000000000000000000\") { id } b: node(id: \"x\") { id } }");
    assert_eq!(unknown.await, json!({ "a": null, "b": null }));
}

#[tokio::test]
async fn walks_the_graph() {
    let server = Server::start().await;
    let ends = server
        .data(
            READER,
            "{ a: entity(kind: VENDOR, key: \"acme.example\") { id } b: entity(kind: API_KEY, key: \"key-1\") { id } }",
        )
        .await;
    let query = "query ($a: ID!, $b: ID!) { path(from: $a, to: $b) { kind } none: path(from: $b, to: $a) { kind }
                 blastRadius(entity: $a) { distance exposure entity { key } path { kind } }
                 concentration(first: 1) { vendors share entity { key } }
                 entities(query: \"key\", kinds: [API_KEY]) { edges { node { name } } } }";
    let (_, body) = server.ask(READER, query, json!({ "a": ends["a"]["id"], "b": ends["b"]["id"] })).await;
    let data = &body["data"];
    assert_eq!(data["path"], json!([{ "kind": "OPERATES" }, { "kind": "USES" }]), "{body}");
    assert_eq!(data["none"], Value::Null);
    assert_eq!(data["blastRadius"][0]["entity"]["key"], "acme-sync");
    assert_eq!(data["entities"]["edges"][0]["node"]["name"], "key-1");
}

#[tokio::test]
async fn pages_through_a_list() {
    let server = Server::start().await;
    server.world.tables.lock().vendors.extend((0..6).map(|i| vendor(&format!("v{i}"))));
    let query = "query ($after: String) { vendors(first: 3, after: $after) {
                 pageInfo { hasNextPage hasPreviousPage endCursor } edges { node { name } } } }";
    let (mut after, mut seen) = (Value::Null, Vec::new());
    for page in 0..3 {
        let (_, body) = server.ask(READER, query, json!({ "after": after })).await;
        let vendors = &body["data"]["vendors"];
        seen.extend(vendors["edges"].as_array().expect("edges").iter().map(|edge| edge["node"]["name"].clone()));
        assert_eq!(vendors["pageInfo"]["hasNextPage"], page < 2);
        assert_eq!(vendors["pageInfo"]["hasPreviousPage"], page > 0);
        after = vendors["pageInfo"]["endCursor"].clone();
    }
    assert_eq!(seen, ["acme", "v0", "v1", "v2", "v3", "v4", "v5"]);
}

#[tokio::test]
async fn asks_the_store_for_many_rows_at_once() {
    let server = Server::start().await;
    let n_questions = async |n_alerts: usize| {
        server.world.tables.lock().alerts =
            (0..n_alerts).map(|i| alert(&format!("a{i}"), Severity::High, vec![])).collect();
        let before = server.world.questions.load(Ordering::Relaxed);
        let data = server
            .data(READER, "{ alerts(first: 100) { edges { node { timeline { signal { id detector } } } } } }")
            .await;
        assert_eq!(data["alerts"]["edges"].as_array().map(Vec::len), Some(n_alerts));
        server.world.questions.load(Ordering::Relaxed) - before
    };
    // One for the page and one for its signals, or a few when the loader's window of 1 ms passes in between.
    let n = n_questions(100).await;
    assert!(n < 20, "{n} questions for 100 rows");
}

#[tokio::test]
async fn changes_what_may_be_changed() {
    let server = Server::start().await;
    let data = server
        .data(
            ADMIN,
            "mutation { addVendor(input: { name: \" Beta \", domains: [\"Beta.Example.\", \"beta.example\"], tier: CRITICAL,
               owner: \"shop\", integrations: [\"beta-sync\"] }) { id name domains tier owner posture { grade } } }",
        )
        .await;
    let added = &data["addVendor"];
    let expected = json!({ "id": added["id"], "name": "Beta", "domains": ["beta.example"], "tier": "CRITICAL",
                           "owner": "shop", "posture": null });
    assert_eq!(added, &expected);
    let again = "mutation { addVendor(input: { name: \"B\", domains: [\"beta.example\"] }) { id } }";
    assert_eq!(server.code(ADMIN, again).await, "CONFLICT");
    let id = added["id"].as_str().expect("an id");
    let update = format!(
        "mutation {{ updateVendor(id: \"{id}\", input: {{ name: \"Beta 2\", domains: [\"beta.example\"] }}) {{ name }} }}"
    );
    assert_eq!(server.data(ADMIN, &update).await["updateVendor"]["name"], "Beta 2");
    assert_eq!(server.data(ANALYST, &format!("mutation {{ assessVendor(id: \"{id}\") }}")).await["assessVendor"], true);
    let remove = format!("mutation {{ removeVendor(id: \"{id}\") }}");
    assert_eq!(server.data(ADMIN, &remove).await["removeVendor"], true);
    assert_eq!(server.data(ADMIN, &remove).await["removeVendor"], false);

    let ids = server.data(READER, "{ alerts { edges { node { id } } } findings { edges { node { id } } } }").await;
    let (alert, finding) = (&ids["alerts"]["edges"][0]["node"]["id"], &ids["findings"]["edges"][0]["node"]["id"]);
    let query = "mutation ($a: ID!, $f: ID!) {
        acknowledgeAlert(id: $a, note: \"mine\") { status } assignAlert(id: $a, assignee: \"kim\") { assignee }
        resolveAlert(id: $a, verdict: TRUE_POSITIVE) { status verdict }
        acceptFinding(id: $f, reason: \"until the move\", until: \"2030-01-01T00:00:00Z\") { status acceptedUntil }
        disputeFinding(id: $f, reason: \"wrong host\") { status } }";
    let (_, body) = server.ask(ANALYST, query, json!({ "a": alert, "f": finding })).await;
    assert_eq!(body["data"]["acknowledgeAlert"]["status"], "ACKNOWLEDGED", "{body}");
    assert_eq!(body["data"]["assignAlert"]["assignee"], "kim");
    assert_eq!(body["data"]["resolveAlert"], json!({ "status": "RESOLVED", "verdict": "TRUE_POSITIVE" }));
    assert_eq!(body["data"]["acceptFinding"]["acceptedUntil"], "2030-01-01T00:00:00.000Z");
    assert_eq!(body["data"]["disputeFinding"]["status"], "DISPUTED");
}

#[tokio::test]
async fn names_what_is_wrong_with_the_input() {
    let server = Server::start().await;
    let check = async |query: &str, code: &str| assert_eq!(server.code(ADMIN, query).await, code, "{query}");
    check("{ vendors(first: 0) { totalCount } }", "BAD_USER_INPUT").await;
    check("{ vendors(first: 101) { totalCount } }", "BAD_USER_INPUT").await;
    check("{ vendors(first: -5) { totalCount } }", "BAD_USER_INPUT").await;
    check("{ vendor { id } }", "BAD_USER_INPUT").await;
    check("{ vendor(id: \"ent_00000000000000000000000000\") { id } }", "BAD_USER_INPUT").await;
    check("{ entity(kind: USER) { id } }", "BAD_USER_INPUT").await;
    check("{ nonsense }", "BAD_USER_INPUT").await;
    check("{ vendors(first: \"x\") { totalCount } }", "BAD_USER_INPUT").await;
    check("{ signals(since: \"yesterday\") { totalCount } }", "BAD_USER_INPUT").await;
    check("{ blastRadius(entity: \"ent_00000000000000000000000000\", maxDepth: 99) { distance } }", "BAD_USER_INPUT")
        .await;
    check("mutation { addVendor(input: { name: \"\", domains: [] }) { id } }", "BAD_USER_INPUT").await;
    check("mutation { addVendor(input: { name: \"n\", domains: [\"http://n\"] }) { id } }", "BAD_USER_INPUT").await;
    check(
        "mutation { disputeFinding(id: \"fnd_00000000000000000000000000\", reason: \" \") { id } }",
        "BAD_USER_INPUT",
    )
    .await;
    check("mutation { acknowledgeAlert(id: \"alr_00000000000000000000000000\") { id } }", "NOT_FOUND").await;
    let (_, body) = server.ask(ADMIN, "{ vendors(first: 101) { totalCount } }", json!({})).await;
    let error = &body["errors"][0];
    assert!(error["message"].as_str().is_some_and(|text| text.contains("1 to 100")), "{body}");
    assert_eq!(error["extensions"]["number"], "RG-0204");
    assert_eq!(error["extensions"]["requestId"], body["extensions"]["requestId"]);
}

#[tokio::test]
async fn an_internal_fault_shows_a_reference_only() {
    let server = Server::start().await;
    server.world.tables.lock().broken = Some(Fault::new(FaultCode::Store, "SELECT secret FROM tokens"));
    let (status, body) = server.ask(READER, "{ vendors { totalCount } }", json!({})).await;
    let error = &body["errors"][0];
    assert_eq!((status, &error["extensions"]["code"]), (200, &json!("INTERNAL")));
    let message = error["message"].as_str().expect("a message");
    let id = error["extensions"]["requestId"].as_str().expect("an id");
    assert!(message.contains(id) && !body.to_string().contains("SELECT"), "{body}");
}

#[tokio::test]
async fn takes_a_query_in_the_url_but_no_change() {
    let server = Server::start().await;
    let get = |query: &str, variables: &str| {
        let parameters = [("query", query), ("variables", variables), ("operationName", "")];
        server.client.get(server.url("/graphql")).bearer_auth(ADMIN).query(&parameters)
    };
    let query = "query ($n: String) { vendor(name: $n) { name } }";
    let (status, body) = answer(get(query, "{\"n\":\"acme\"}")).await;
    assert_eq!((status, &body["data"]["vendor"]["name"]), (200, &json!("acme")));
    let (status, _) = answer(get("mutation { removeVendor(id: \"x\") }", "")).await;
    assert_eq!(status, 405);
    assert_eq!(answer(get("{ a }", "{")).await.0, 400);
    assert_eq!(answer(server.client.get(server.url("/graphql")).bearer_auth(ADMIN)).await.0, 400);
}
