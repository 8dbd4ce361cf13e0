//! The audit log: one chain, whoever appends.

use futures::future::join_all;
use riskgraph_domain::audit::chain::{Beginning, Verifier};
use riskgraph_domain::audit::{AuditFilter, AuditLog, Record};
use riskgraph_domain::error::FaultCode;
use riskgraph_domain::page::PageRequest;
use riskgraph_domain::time::Timestamp;
use sea_orm::ConnectionTrait;
use serde_json::json;

use crate::ground::Ground;

fn record(actor: &str, n: i64) -> Record {
    Record { detail: json!({ "n": n }), ..Record::of_system(Timestamp(n), actor, "addVendor") }
}

/// Entries that hold, or what does not.
async fn verify(log: &dyn AuditLog, beginning: Beginning) -> Result<u64, String> {
    let mut verifier = Verifier::new(beginning);
    let mut after = 0;
    loop {
        let links = log.links_after(after, 7).await.expect("reads");
        let Some(last) = links.last() else { break };
        after = last.sequence;
        for link in &links {
            verifier.push(link).map_err(|broken| broken.to_string())?;
        }
    }
    verifier.end().map(|()| verifier.entries()).map_err(|broken| broken.to_string())
}

const WHOLE: Beginning = Beginning::Whole { anchor: None };

/// Two stores on one database are two processes: each has its own writer.
pub(crate) async fn two_writers_make_one_chain(ground: &Ground) {
    let stores = [ground.open().await, ground.open().await];
    let appends = (0..200_i64).map(|n| {
        let log = stores[(n % 2) as usize].audit();
        async move { log.record(record("mia", n)).await.expect("records") }
    });
    let heads = join_all(appends).await;
    let mut places: Vec<u64> = heads.iter().map(|head| head.sequence).collect();
    places.sort_unstable();
    assert_eq!(places, (1..=200).collect::<Vec<u64>>());
    let log = stores[0].audit();
    assert_eq!(verify(log.as_ref(), WHOLE).await, Ok(200));
    let last = heads.iter().max_by_key(|head| head.sequence).copied();
    assert_eq!(log.head().await, Ok(last));
    for store in stores {
        store.close().await.expect("closes");
    }
    let log = ground.open().await.audit();
    assert_eq!(verify(log.as_ref(), WHOLE).await, Ok(200), "also after a restart");
    let more = log.record(record("mia", 201)).await.expect("records");
    assert_eq!(more.sequence, 201);
}

pub(crate) async fn entries_by_actor_action_and_time(ground: &Ground) {
    let log = ground.open().await.audit();
    for n in 1..=30 {
        let who = if n % 3 == 0 { "eve\0" } else { "mia" };
        log.record(record(who, n)).await.expect("records");
    }
    assert_eq!(verify(log.as_ref(), WHOLE).await, Ok(30), "a NUL is no change");
    let of_mia = AuditFilter { actor: Some("mia".into()), since: Some(Timestamp(10)), ..AuditFilter::default() };
    let mut places = Vec::new();
    let mut page = PageRequest::first(4);
    loop {
        let found = log.entries(of_mia.clone(), page.clone()).await.expect("a page");
        places.extend(found.items.iter().map(|(_, entry)| entry.sequence));
        let Some((cursor, _)) = found.items.last().filter(|_| found.has_next) else { break };
        page.after = Some(cursor.clone());
    }
    let expected: Vec<u64> = (10..=30).rev().filter(|n| n % 3 != 0).collect();
    assert_eq!(places, expected);
    let none = AuditFilter { action: Some("readNothing".into()), ..AuditFilter::default() };
    assert_eq!(log.entries(none, PageRequest::first(5)).await.expect("a page").items, []);
    let wrong = PageRequest { first: 5, after: Some("x".into()) };
    let fault = log.entries(AuditFilter::default(), wrong).await.expect_err("no cursor");
    assert_eq!(fault.code, FaultCode::StaleCursor);
}

pub(crate) async fn a_log_is_cut_only_at_an_anchor(ground: &Ground) {
    let log = ground.open().await.audit();
    assert_eq!(log.anchor().await, Ok(None), "an empty log has no end");
    for n in 1..=5 {
        log.record(record("mia", n)).await.expect("records");
    }
    let anchor = log.anchor().await.expect("notes").expect("an end");
    for n in 6..=8 {
        log.record(record("mia", n)).await.expect("records");
    }
    assert_eq!(log.last_anchor(Timestamp(5)).await, Ok(None), "it is not older than that");
    assert_eq!(log.last_anchor(Timestamp(6)).await, Ok(Some(anchor)));
    let invented = riskgraph_domain::audit::Head { sequence: 7, ..anchor };
    assert!(log.cut(invented).await.is_err());
    assert_eq!(log.cut(anchor).await, Ok(5));
    let beginning = Beginning::Whole { anchor: Some((anchor.sequence, anchor.hash)) };
    let untold = verify(log.as_ref(), beginning).await.expect_err("nobody told of it");
    assert!(untold.contains("no entry tells"), "{untold}");
    let told = Record {
        detail: json!({ "until": anchor.sequence, "hash": anchor.hash }),
        ..Record::of_system(Timestamp(9), "keeper", riskgraph_domain::audit::CUT)
    };
    log.record(told).await.expect("records");
    assert_eq!(verify(log.as_ref(), beginning).await, Ok(4));
    let last = log.anchor().await.expect("notes").expect("an end");
    assert_eq!(log.cut(last).await, Ok(4));
    assert_eq!(
        log.record(record("mia", 10)).await.expect("records").sequence,
        10,
        "the chain goes on behind its anchor"
    );
}

pub(crate) async fn what_is_changed_in_the_database_is_found(ground: &Ground) {
    let store = ground.open().await;
    let log = store.audit();
    for n in 1..=6 {
        log.record(record("mia", n)).await.expect("records");
    }
    let beside = ground.connect_audit().await;
    let check = async |sql: &str, back: &str, words: &str| {
        beside.execute_unprepared(sql).await.expect("writes");
        let broken = verify(log.as_ref(), WHOLE).await.expect_err(sql);
        assert!(broken.contains("entry 3") && broken.contains(words), "{sql}: {broken}");
        beside.execute_unprepared(back).await.expect("writes");
        assert_eq!(verify(log.as_ref(), WHOLE).await, Ok(6), "{back}");
    };
    check(
        "UPDATE audit_entry SET body = replace(body, 'mia', 'eve') WHERE sequence = 3",
        "UPDATE audit_entry SET body = replace(body, 'eve', 'mia') WHERE sequence = 3",
        "was changed",
    )
    .await;
    check(
        "UPDATE audit_entry SET actor = 'eve' WHERE sequence = 3",
        "UPDATE audit_entry SET actor = 'mia' WHERE sequence = 3",
        "columns",
    )
    .await;
    check(
        "UPDATE audit_entry SET sequence = 99 WHERE sequence = 3",
        "UPDATE audit_entry SET sequence = 3 WHERE sequence = 99",
        "missing",
    )
    .await;
    check(
        "UPDATE audit_entry SET previous = hash WHERE sequence = 3",
        "UPDATE audit_entry SET previous = (SELECT e.hash FROM audit_entry e WHERE e.sequence = 2) WHERE sequence = 3",
        "follows",
    )
    .await;
    beside.close().await.expect("closes");
}
