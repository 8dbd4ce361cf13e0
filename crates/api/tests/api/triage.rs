//! Silences, cases and what triage adds to alerts, over HTTP.

use riskgraph_domain::EntityKey;
use riskgraph_domain::EntityKind;
use riskgraph_domain::alert::{AlertChange, AlertStatus, Mute, MuteKind, ScorePart};
use riskgraph_domain::id::{AlertId, SignalId, SilenceId};
use riskgraph_domain::signal::Severity;
use riskgraph_domain::time::Timestamp;
use serde_json::json;

use crate::support::{ANALYST, READER, Server, alert};

const SILENCE: &str = r#"mutation { createSilence(input: { reason: "drill", endsAt: "2026-03-05T00:00:00Z",
    matchers: [{ field: SEVERITY, op: AT_MOST, value: "LOW" }, { field: TITLE, op: CONTAINS, value: "odd" }] })
    { id author reason startsAt endsAt active mutes matchers { field op value } } }"#;

#[tokio::test]
async fn silences_are_made_listed_and_ended() {
    let server = Server::start().await;
    let made = server.data(ANALYST, SILENCE).await["createSilence"].clone();
    let id = made["id"].as_str().expect("an id").to_owned();
    assert_eq!((&made["author"], &made["active"], &made["mutes"]), (&json!("analyst"), &json!(true), &json!(0)));
    assert_eq!(made["matchers"][0], json!({ "field": "SEVERITY", "op": "AT_MOST", "value": "LOW" }));
    let other = server.data(ANALYST, SILENCE).await["createSilence"]["id"].clone();
    assert_ne!(other, json!(id), "each has an id of its own");
    let ended = server.data(ANALYST, &format!("mutation {{ expireSilence(id: \"{id}\") {{ active }} }}")).await;
    assert_eq!(ended["expireSilence"]["active"], false);
    let listed = server
        .data(READER, "{ a: silences(active: true) { edges { node { id } } } b: silences(active: false) { edges { node { id } } } }")
        .await;
    assert_eq!(listed["a"]["edges"], json!([{ "node": { "id": other } }]));
    assert_eq!(listed["b"]["edges"], json!([{ "node": { "id": id } }]));
    let node = server.data(READER, &format!("{{ node(id: \"{id}\") {{ id ... on Silence {{ reason }} }} }}")).await;
    assert_eq!(node["node"]["reason"], "drill");
}

#[tokio::test]
async fn what_a_silence_lacks_is_named() {
    let server = Server::start().await;
    let check = async |from: &str, to: &str, part: &str| {
        assert!(SILENCE.contains(from), "{from}");
        let (_, answer) = server.ask(ANALYST, &SILENCE.replacen(from, to, 1), json!({})).await;
        let error = &answer["errors"][0];
        assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{answer}");
        assert!(error["message"].as_str().expect("words").contains(part), "{error}");
    };
    check("op: AT_MOST", "op: CONTAINS", "matchers[0]: SEVERITY cannot be compared by CONTAINS").await;
    check("value: \"odd\"", "value: \"\"", "matchers[1]: give a value").await;
    check("\"drill\"", "\" \"", "reason").await;
    check("2026-03-05", "2026-03-01", "endsAt").await;
    check("2026-03-05", "2026-09-05", "90 days").await;
}

#[tokio::test]
async fn cases_live_merge_and_come_apart() {
    let server = Server::start().await;
    let alert = AlertId::of(&["a1"]);
    let create = format!(
        "mutation {{ createCase(input: {{ title: \"Theft\", alerts: [\"{alert}\"] }}) {{ id status createdBy }} }}"
    );
    let first = server.data(ANALYST, &create).await["createCase"].clone();
    assert_eq!((&first["status"], &first["createdBy"]), (&json!("OPEN"), &json!("analyst")));
    let second = server.data(ANALYST, "mutation { createCase(input: { title: \"Other\" }) { id } }").await;
    let (first, second) = (first["id"].as_str().expect("id"), second["createCase"]["id"].as_str().expect("id"));
    for change in [
        format!("commentCase(id: \"{first}\", text: \"hm\")"),
        format!("updateCase(id: \"{first}\", input: {{ status: CLOSED }})"),
        format!("addToCase(id: \"{second}\", alerts: [\"{alert}\"])"),
        format!("removeFromCase(id: \"{second}\", alerts: [\"{alert}\"])"),
        format!("mergeCases(from: \"{second}\", into: \"{first}\")"),
    ] {
        server.data(ANALYST, &format!("mutation {{ {change} {{ id }} }}")).await;
    }
    let query = "{ cases { edges { node { id title status severity comments { actor text } merged { title } mergedInto { title } timeline { text } } } } }";
    let cases = server.data(READER, query).await["cases"]["edges"].clone();
    assert_eq!(cases[0]["node"]["merged"], json!([{ "title": "Other" }]));
    assert_eq!(cases[0]["node"]["comments"], json!([{ "actor": "analyst", "text": "hm" }]));
    assert_eq!(cases[1]["node"]["mergedInto"], json!({ "title": "Theft" }));
    server.data(ANALYST, &format!("mutation {{ unmergeCase(id: \"{second}\") {{ id }} }}")).await;
    let found = server
        .data(READER, &format!("{{ case(id: \"{second}\") {{ mergedInto {{ id }} alerts(first: 5) {{ edges {{ node {{ id }} }} }} }} cases(status: CLOSED, query: \"Th\") {{ totalCount }} }}"))
        .await;
    assert_eq!((&found["case"]["mergedInto"], &found["cases"]["totalCount"]), (&json!(null), &json!(1)));
    let long = format!("{{ cases(query: \"{}\") {{ totalCount }} }}", "x".repeat(129));
    assert_eq!(server.code(READER, &long).await, "BAD_USER_INPUT");
}

#[tokio::test]
async fn an_alert_shows_what_triage_knows_of_it() {
    let server = Server::start().await;
    let made = server.data(ANALYST, SILENCE).await["createSilence"]["id"].as_str().expect("an id").to_owned();
    let silence: SilenceId = made.parse().expect("an id of a silence");
    let mut odd = alert("odd", Severity::Low, vec![EntityKey::new(EntityKind::ApiKey, "key-1")]);
    odd.muted = Some(Mute {
        kind: MuteKind::Silenced,
        reason: "drill".to_owned(),
        until: Some(Timestamp(odd.opened_at.0 + 1_000)),
        silence: Some(silence),
        by: Some(AlertId::of(&["a1"])),
    });
    odd.due_at = Some(odd.opened_at);
    odd.escalation = 2;
    odd.accepted_at = Some(odd.opened_at);
    odd.contained_at = Some(Timestamp(odd.opened_at.0 + 90_500));
    let part = |points: f64, detector: Option<&str>| ScorePart {
        points,
        reason: "seen".to_owned(),
        detector: detector.map(Into::into),
        signal: detector.map(|_| SignalId::of(&["s1"])),
    };
    odd.score_parts = vec![part(60.5, Some("scraping")), part(9.5, None)];
    let id = odd.id;
    server.world.tables.lock().alerts.push(odd);
    for change in [
        "commentAlert(id: $id, text: \"hm\")",
        "setAlertDue(id: $id, dueAt: \"2030-01-01T00:00:00Z\")",
        "reopenAlert(id: $id)",
    ] {
        let query = format!("mutation($id: ID!) {{ {change} {{ id }} }}");
        let (_, answer) = server.ask(ANALYST, &query, json!({ "id": id })).await;
        assert!(answer.get("errors").is_none(), "{answer}");
    }
    let query = "query($id: ID!) { alert(id: $id) { status dueAt overdue escalation containedAt timeToContainSeconds \
        muted { kind reason until silence { id } by { title } } comments { actor text } cases { id } \
        scoreParts { points reason detector signal { detector } } similar(first: 3) { similarity shared alert { title } } } }";
    let (_, answer) = server.ask(READER, query, json!({ "id": id })).await;
    let shown = &answer["data"]["alert"];
    assert_eq!(
        (&shown["status"], &shown["overdue"], &shown["escalation"]),
        (&json!("OPEN"), &json!(true), &json!(2)),
        "{answer}"
    );
    assert_eq!((&shown["dueAt"], &shown["timeToContainSeconds"]), (&json!("2030-01-01T00:00:00.000Z"), &json!(90.5)));
    assert_eq!((&shown["muted"]["silence"]["id"], &shown["muted"]["by"]["title"]), (&json!(made), &json!("alert a1")));
    assert_eq!(shown["comments"], json!([{ "actor": "analyst", "text": "hm" }]));
    assert_eq!(shown["scoreParts"][0]["signal"]["detector"], "partner_baseline");
    assert_eq!(
        shown["similar"][0],
        json!({ "similarity": 0.5, "shared": ["key-1"], "alert": { "title": "alert a1" } })
    );
    // An alert of before parts were kept has one part.
    let whole = server
        .data(
            READER,
            &format!(
                "{{ alert(id: \"{}\") {{ score scoreParts {{ points }} muted {{ kind }} }} }}",
                AlertId::of(&["a1"])
            ),
        )
        .await;
    assert_eq!(whole["alert"], json!({ "score": 70.0, "scoreParts": [{ "points": 70.0 }], "muted": null }));
    let many = format!("{{ alert(id: \"{id}\") {{ similar(first: 21) {{ similarity }} }} }}");
    assert_eq!(server.code(READER, &many).await, "BAD_USER_INPUT");
    assert_eq!(
        server.code(READER, &format!("mutation {{ commentAlert(id: \"{id}\", text: \"x\") {{ id }} }}")).await,
        "FORBIDDEN"
    );
}

#[tokio::test]
async fn a_stream_is_filtered_by_what_people_did() {
    let server = Server::start().await;
    let base = |name: &str| alert(name, Severity::High, vec![EntityKey::new(EntityKind::ApiKey, "key-1")]);
    let mut muted = base("quiet");
    muted.muted =
        Some(Mute { kind: MuteKind::Storm, reason: "storm".to_owned(), until: None, silence: None, by: None });
    let mut mine = base("mine");
    mine.assignee = Some("Bo".into());
    let mut late = base("late");
    late.escalation = 1;
    let mut over = base("over");
    over.status = AlertStatus::Resolved;
    over.verdict = Some(riskgraph_domain::alert::Verdict::Benign);
    for alert in [muted, mine, late, over] {
        server.world.happen(AlertChange::Updated, alert);
    }
    for (filter, expected) in [
        ("muted: true", "alert quiet"),
        ("assignee: \"bo\"", "alert mine"),
        ("overdue: true", "alert late"),
        ("verdict: [BENIGN]", "alert over"),
        ("query: \"MINE\"", "alert mine"),
        ("muted: false, overdue: true", "alert late"),
    ] {
        let query =
            format!("subscription {{ alerts(after: \"0\", filter: {{ {filter} }}) {{ cause alert {{ title }} }} }}");
        let request =
            server.post("/graphql", READER).header("accept", "text/event-stream").json(&json!({ "query": query }));
        let mut response = request.send().await.expect("a stream");
        let mut text = String::new();
        while !text.contains("\"title\"") {
            let chunk = response.chunk().await.expect("reads").expect("the stream goes on");
            text.push_str(&String::from_utf8_lossy(&chunk));
        }
        assert!(text.contains(expected) && text.contains("\"cause\":\"SIGNAL\""), "{filter}: {text}");
    }
}
