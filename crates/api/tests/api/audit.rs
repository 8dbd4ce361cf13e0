//! What the audit log holds of what callers do.

use std::collections::BTreeSet;

use futures::StreamExt;
use riskgraph_api::surface;
use riskgraph_domain::alert::AlertChange;
use riskgraph_domain::audit::{Outcome, READ, Record};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::graph::{EntityKey, EntityKind};
use riskgraph_domain::signal::Severity;
use serde_json::{Value, json};

use crate::documents::document;
use crate::support::{ADMIN, ANALYST, INGEST, READER, Server, alert, answer, personal, until};

/// Outcomes recorded of an action, oldest first.
fn outcomes(records: &[Record]) -> Vec<Outcome> {
    records.iter().map(|record| record.outcome).collect()
}

#[tokio::test]
async fn no_change_of_the_surface_goes_unrecorded() {
    let server = Server::start().await;
    let mut missing = Vec::new();
    for item in surface() {
        let Some(field) = item.name.strip_prefix("Mutation.") else { continue };
        let document = document(item.name).expect("a document of every mutation");
        server.ask(ADMIN, document, json!({})).await;
        let records = server.world.recorded(field);
        let is_whole = outcomes(&records).first() == Some(&Outcome::Started) && records.len() == 2;
        let is_told = records.iter().all(|record| &*record.actor == "admin" && record.request.is_some());
        if !is_whole || !is_told || records[1].outcome == Outcome::Started {
            missing.push(format!("{field}: {records:?}"));
        }
        // Who may not is recorded too, without a start.
        let who = if item.capability.is_some_and(|c| riskgraph_domain::access::Role::Reader.may(c)) {
            INGEST
        } else {
            READER
        };
        let n_before = server.world.recorded(field).len();
        server.ask(who, document, json!({})).await;
        let later = server.world.recorded(field).split_off(n_before);
        if who == READER && outcomes(&later) != [Outcome::Refused] {
            missing.push(format!("{field} by a reader: {later:?}"));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[tokio::test]
async fn a_change_is_told_with_target_and_arguments_but_no_secret() {
    let server = Server::start().await;
    let query = "mutation Make($secretive: String!) { a: createToken(name: $secretive, role: READER) { secret }
                 b: addVendor(input: { name: \"Neu\", domains: [\"neu.example\"] }) { name } }";
    let (_, body) = server.ask(ADMIN, query, json!({ "secretive": "see https://u:p@h.example/path" })).await;
    let secret = body["data"]["a"]["secret"].as_str().expect("a secret");
    let made = &server.world.recorded("createToken")[1];
    assert_eq!((made.outcome, &made.detail["arguments"]["name"]), (Outcome::Done, &json!("see https://h.example/...")));
    assert!(made.target.as_ref().is_some_and(|id| id.starts_with("tok_")), "{made:?}");
    assert!(made.token.is_some() && made.address.as_deref() == Some("127.0.0.1"), "{made:?}");
    let added = &server.world.recorded("addVendor")[1];
    assert!(added.target.as_ref().is_some_and(|id| id.starts_with("ven_")), "{added:?}");
    assert_eq!(added.request, made.request, "entries of one request share its id");
    let all = format!("{:?}", server.world.tables.lock().entries);
    assert!(!all.contains(secret) && !all.contains(ADMIN), "{all}");

    let failing = "mutation { a: revokeToken(id: \"no id\") b: removeVendor(id: \"ven_00000000000000000000000000\") }";
    server.ask(ADMIN, failing, json!({})).await;
    let (failed, made) = (&server.world.recorded("revokeToken")[1], &server.world.recorded("removeVendor")[1]);
    assert_eq!((failed.outcome, &failed.detail["code"]), (Outcome::Failed, &json!("RG-0204")));
    assert_eq!(made.outcome, Outcome::Done, "one that fails does not keep the next from being made");
    let link = server.client.get(server.url("/graphql")).bearer_auth(ADMIN);
    let link = link.query(&[("query", "mutation { removeVendor(id: \"ven_00000000000000000000000000\") }")]);
    assert_eq!(answer(link).await.0, 405);
    assert_eq!(server.world.recorded("removeVendor").last().map(|record| record.outcome), Some(Outcome::Refused));
}

#[tokio::test]
async fn nothing_is_changed_or_told_that_cannot_be_recorded() {
    let server = Server::start().await;
    personal(&server.world);
    server.world.tables.lock().log_broken = Some(Fault::new(FaultCode::Store, "the disk is full"));
    let add = "mutation { addVendor(input: { name: \"n\", domains: [\"n.example\"] }) { id } }";
    assert_eq!(server.code(ADMIN, add).await, "INTERNAL");
    assert!(server.world.tables.lock().vendors.iter().all(|vendor| &*vendor.name != "n"), "nothing was changed");
    assert_eq!(server.code(READER, "{ entities(kinds: [USER]) { edges { node { key } } } }").await, "INTERNAL");
    let sign_in = server.client.post(server.url("/session")).json(&json!({ "token": ADMIN }));
    assert_eq!(answer(sign_in).await.0, 500);
    assert!(server.world.tables.lock().sessions.is_empty(), "nobody is signed in unrecorded");
    // What is nobody's data goes on.
    server.data(READER, "{ vendors { totalCount } }").await;
}

/// Global ids of people's things, of alerts and of signals anywhere in an answer.
fn ids(answer: &Value, found: &mut BTreeSet<String>) {
    match answer {
        Value::Object(fields) => {
            let is_personal = fields.get("kind").is_none_or(|kind| kind == "USER" || kind == "ADDRESS");
            if let (Some(Value::String(id)), true) = (fields.get("id"), is_personal) {
                found.insert(id.clone());
            }
            fields.values().for_each(|value| ids(value, found));
        }
        Value::Array(items) => items.iter().for_each(|item| ids(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn every_read_of_a_person_is_recorded_with_what_was_read() {
    let server = Server::start().await;
    let (alert, user) = personal(&server.world);
    let user_id = user.id();
    let entity = "{ id kind key }";
    let documents = [
        format!("{{ entities {{ edges {{ node {entity} }} }} }}"),
        format!("{{ entity(kind: USER, key: \"mia\") {entity} }}"),
        format!("{{ node(id: \"{user_id}\") {{ id ... on Entity {{ kind key }} }} }}"),
        "{ alerts { edges { node { id title } } } }".to_owned(),
        format!(
            "{{ alerts {{ edges {{ node {{ id entities {entity} signals {{ edges {{ node {{ id title }} }} }} }} }} }} }}"
        ),
        format!("{{ alert(id: \"{}\") {{ id timeline {{ text signal {{ id }} }} }} }}", alert.id),
        format!("{{ signals {{ edges {{ node {{ id entities {entity} }} }} }} }}"),
    ];
    for document in documents {
        let n_before = server.world.recorded(READ).len();
        let query = format!("query Look {document}");
        let data = server.data(READER, &query).await;
        let records = server.world.recorded(READ).split_off(n_before);
        assert_eq!(records.len(), 1, "{document}: one entry a request");
        let told: BTreeSet<String> = serde_json::from_value(records[0].detail["ids"].clone()).expect("ids");
        let mut read = BTreeSet::new();
        ids(&data, &mut read);
        // Signals and alerts that touch nobody are no personal data.
        let tables = server.world.tables.lock();
        read.retain(|id| {
            let others =
                tables.signals.iter().filter(|s| s.entities.iter().all(|t| t.entity != user)).map(|s| s.id.to_string());
            let quiet = tables.alerts.iter().filter(|a| !a.entities.contains(&user)).map(|a| a.id.to_string());
            !others.chain(quiet).any(|other| other == *id)
        });
        assert!(!told.is_empty() && read.is_subset(&told), "{document}: read {read:?}, told {told:?}");
        let detail = &records[0].detail;
        assert_eq!((&detail["operation"], &detail["total"]), (&json!("Look"), &json!(told.len())));
        assert!(!detail.to_string().contains("mia"), "who was looked for is told by id alone: {detail}");
    }
    let n_before = server.world.recorded(READ).len();
    server.data(READER, "{ vendors { totalCount } entity(kind: USER, key: \"nobody\") { id } me { name } }").await;
    assert_eq!(server.world.recorded(READ).len(), n_before, "what is nobody's is not recorded");
}

#[tokio::test]
async fn a_large_read_tells_two_hundred_ids_and_counts_all() {
    let server = Server::start().await;
    for n in 0..250 {
        let key = EntityKey::new(EntityKind::User, format!("user-{n}"));
        let mut alert = alert(&format!("large-{n}"), Severity::High, vec![key]);
        alert.entities_total = 1;
        server.world.tables.lock().alerts.push(alert);
    }
    let page =
        |after: usize| format!("p{after}: alerts(first: 100, after: \"{after}\") {{ edges {{ node {{ id }} }} }}");
    server.data(READER, &format!("{{ {} {} {} }}", page(0), page(100), page(200))).await;
    let records = server.world.recorded(READ);
    let detail = &records.last().expect("a record").detail;
    assert_eq!((detail["ids"].as_array().map(Vec::len), &detail["total"]), (Some(200), &json!(250)));
}

#[tokio::test]
async fn streams_are_recorded_before_their_first_item() {
    let server = Server::start().await;
    let (alert, _) = personal(&server.world);
    let query = json!({ "query": "subscription Watch { alerts { alert { title } } }" });
    let request = server.post("/graphql", ANALYST).json(&query).header("accept", "text/event-stream");
    let response = request.send().await.expect("an answer");
    let mut bytes = response.bytes_stream();
    until("the subscriber listens", || server.world.alerts.receiver_count() > 0).await;
    assert!(server.world.recorded(READ).is_empty(), "nothing was shown yet");
    server.world.happen(AlertChange::Updated, alert.clone());
    let first = bytes.next().await.expect("an item").expect("bytes");
    assert!(String::from_utf8_lossy(&first).contains("title"));
    let records = server.world.recorded(READ);
    assert_eq!((records.len(), &records[0].detail["how"]), (1, &json!("stream")));
    assert_eq!(records[0].detail["ids"], json!([alert.id]));
    server.world.happen(AlertChange::Updated, alert);
    bytes.next().await.expect("an item").expect("bytes");
    drop(bytes);
    until("the rest is recorded", || server.world.recorded(READ).len() == 2).await;
}

#[tokio::test]
async fn signing_in_and_out_is_recorded_and_failures_too() {
    let server = Server::start().await;
    let sign_in = |token: &str| server.client.post(server.url("/session")).json(&json!({ "token": token }));
    let response = sign_in(ANALYST).send().await.expect("an answer");
    let cookie = response.headers()["set-cookie"].to_str().expect("text").split(';').next().expect("a pair").to_owned();
    assert_eq!(answer(sign_in("secret-nobody")).await.0, 401);
    let out = server.client.delete(server.url("/session")).header("cookie", &cookie).header("x-riskgraph-console", "1");
    assert_eq!(answer(out).await.0, 204);
    let records = server.world.recorded("signIn");
    assert_eq!(outcomes(&records), [Outcome::Done, Outcome::Refused]);
    assert_eq!(
        (&*records[0].actor, &*records[0].role, &records[0].detail["by"]),
        ("analyst", "analyst", &json!("token"))
    );
    assert_eq!((&*records[1].actor, &*records[1].role), ("unknown", "none"));
    assert_eq!(server.world.recorded("signOut").len(), 1);
    let all = format!("{:?}", server.world.tables.lock().entries);
    let secret = cookie.split_once('=').expect("a pair").1;
    assert!(!all.contains("secret-nobody") && !all.contains(secret), "{all}");
}

#[tokio::test]
async fn admins_read_the_log_and_reading_it_is_recorded() {
    let server = Server::start().await;
    server.data(ADMIN, "mutation { removeVendor(id: \"ven_00000000000000000000000000\") }").await;
    let log = server.data(ADMIN, "{ audit(action: \"removeVendor\", first: 5) { edges { node { sequence at actor role action target outcome detail hash previous } } } auditVerification { whole entries head firstBroken reason } }").await;
    let newest = &log["audit"]["edges"][0]["node"];
    assert_eq!((&newest["sequence"], &newest["outcome"]), (&json!(2), &json!("done")));
    assert_eq!(newest["previous"], log["audit"]["edges"][1]["node"]["hash"]);
    assert_eq!(log["auditVerification"]["whole"], true);
    assert_eq!(server.world.recorded(READ).len(), 1);
    assert_eq!(server.code(ANALYST, "{ audit { totalCount } }").await, "FORBIDDEN");
}

#[tokio::test]
async fn vendors_come_in_as_a_table() {
    let server = Server::start().await;
    let import = async |csv: &str| {
        let query = "mutation($csv: String!) { importVendors(csv: $csv) { added updated unchanged rejected { line code reason } } }";
        let (_, body) = server.ask(ADMIN, query, json!({ "csv": csv })).await;
        body["data"]["importVendors"].clone()
    };
    let first = import("Neu,neu.example\nbad line\nAlt,not a domain\nNeu again,NEU.example\nAcht,acht.example").await;
    assert_eq!((&first["added"], &first["updated"], &first["unchanged"]), (&json!(2), &json!(0), &json!(0)));
    let lines: Vec<_> = first["rejected"].as_array().expect("rejects").iter().map(|r| r["line"].clone()).collect();
    assert_eq!(lines, [json!(2), json!(3), json!(4)]);
    let second = import("Neu,neu.example\nAcht GmbH,acht.example").await;
    assert_eq!((&second["added"], &second["updated"], &second["unchanged"]), (&json!(0), &json!(1), &json!(1)));
    let many: String = (0..1_001).map(|n| format!("v{n},v{n}.example\n")).collect();
    let query = "mutation($csv: String!) { importVendors(csv: $csv) { added } }";
    let (_, body) = server.ask(ADMIN, query, json!({ "csv": many })).await;
    assert!(body["errors"][0]["message"].as_str().is_some_and(|m| m.contains("1000")), "{body}");
    let last = server.world.recorded("importVendors").pop().expect("a record");
    let kept = &last.detail["arguments"]["csv"];
    assert!(kept["sha256"].is_string() && kept["characters"].is_u64(), "{kept}");
}
