//! Versioned documents.

use riskgraph_domain::FaultCode;
use riskgraph_domain::document::Document;
use riskgraph_domain::time::Timestamp;
use serde_json::json;

use crate::ground::Ground;

fn document(kind: &str, id: &str, version: u64) -> Document {
    Document {
        kind: kind.into(),
        id: id.into(),
        version,
        body: json!({"n": version, "text": "größer ✓", "deep": [1.5, null, {"a": false}]}),
        by: "olga".into(),
        at: Timestamp(1_000 + i64::try_from(version).expect("small")),
        note: (version > 1).then(|| "why".to_owned()),
    }
}

pub(crate) async fn keeps_versions_in_order(ground: &Ground) {
    let store = ground.open().await;
    let documents = store.documents();
    assert_eq!(documents.get("channel", "a").await, Ok(None));
    for version in 1..=3 {
        documents.put(document("channel", "a", version)).await.expect("is next");
    }
    for wrong in [0, 1, 3, 5] {
        let refused = documents.put(document("channel", "a", wrong)).await.expect_err("not next");
        assert_eq!(refused.code, FaultCode::Conflict, "{wrong}: {refused}");
        assert!(refused.message.contains("version 3 is the newest"), "{refused}");
    }
    store.close().await.expect("closes");

    let store = ground.open().await;
    let documents = store.documents();
    assert_eq!(documents.get("channel", "a").await, Ok(Some(document("channel", "a", 3))));
    assert_eq!(documents.version("channel", "a", 1).await, Ok(Some(document("channel", "a", 1))));
    assert_eq!(documents.version("channel", "a", 9).await, Ok(None));
    let all = documents.versions("channel", "a").await.expect("reads");
    assert_eq!(all.iter().map(|document| document.version).collect::<Vec<_>>(), [3, 2, 1]);
    assert_eq!(documents.get("playbook", "a").await, Ok(None), "kinds do not mix");
    assert_eq!(documents.remove("channel", "a").await, Ok(true));
    assert_eq!(documents.remove("channel", "a").await, Ok(false));
    assert_eq!(documents.get("channel", "a").await, Ok(None));
    documents.put(document("channel", "a", 1)).await.expect("the id is free again");
    let mut large = document("channel", "b", 1);
    large.body = json!("x".repeat(300_000));
    assert_eq!(documents.put(large).await.expect_err("too large").code, FaultCode::BadInput);
}

pub(crate) async fn one_of_two_writers_wins(ground: &Ground) {
    let (one, two) = (ground.open().await, ground.open().await);
    let (first, second) = (one.documents(), two.documents());
    let puts = futures::future::join_all((0..20).map(|n| {
        let store = if n % 2 == 0 { &first } else { &second };
        store.put(document("channel", "a", 1))
    }))
    .await;
    assert_eq!(puts.iter().filter(|put| put.is_ok()).count(), 1, "{puts:?}");
    assert_eq!(first.versions("channel", "a").await.expect("reads").len(), 1);
}

pub(crate) async fn lists_the_newest_in_pages(ground: &Ground) {
    let store = ground.open().await;
    let documents = store.documents();
    for n in 0..25 {
        for version in 1..=(1 + n % 3) {
            documents.put(document("schedule", &format!("s{n:02}"), version)).await.expect("is next");
        }
    }
    documents.put(document("channel", "s99", 1)).await.expect("is next");
    let mut seen = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = documents.list("schedule", after.as_deref(), 10).await.expect("lists");
        let Some(last) = page.last() else { break };
        after = Some(last.id.to_string());
        seen.extend(page);
    }
    let told: Vec<(String, u64)> = seen.iter().map(|found| (found.id.to_string(), found.version)).collect();
    let wanted: Vec<(String, u64)> = (0..25).map(|n| (format!("s{n:02}"), 1 + n % 3)).collect();
    assert_eq!(told, wanted);
}
