//! A delta is written whole or not at all, and reads back as it was.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use riskgraph_domain::alert::AlertStatus;
use riskgraph_domain::error::FaultCode;
use riskgraph_domain::journal::Position;
use riskgraph_domain::page::PageRequest;
use riskgraph_domain::ports::{Delta, FindingFilter};
use riskgraph_domain::posture::{FindingStatus, Grade};
use riskgraph_domain::signal::Severity;
use riskgraph_domain::vendor::{Vendor, VendorTier};
use sea_orm::{ConnectionTrait, Statement};

use crate::ground::Ground;
use crate::samples::{
    alert, alert_event, batch, delta, entity, finding, integration, posture, relation, signal, vendor,
};

pub(crate) async fn applies_and_loads_back_exactly(ground: &Ground) {
    let store = ground.open().await;
    let acme = vendor("Acme", &["acme.example"], VendorTier::Critical);
    let given = Delta {
        entities: (0..5).map(entity).collect(),
        relations: (0..5).map(relation).collect(),
        signals: vec![signal(1, 10, &["user-1", "user-2"])],
        alert_events: vec![alert_event(1, alert(1, 10, &["user-1"]))],
        alert_signals: vec![(alert(1, 10, &[]).id, signal(1, 10, &[]).id)],
        vendors: vec![acme.clone()],
        integrations: vec![integration("erp", Some(acme.id)), integration("crm", None)],
        findings: vec![finding("TLS-09", acme.id, Severity::High, FindingStatus::Open)],
        postures: vec![(acme.id, posture(Grade::C, 7))],
        ..delta(12)
    };
    assert_eq!(store.state().apply(given.clone()).await, Ok(()));
    store.close().await.expect("closes");

    let store = ground.open().await;
    let (state, records) = (store.state(), store.records());
    assert_eq!(state.applied().await, Ok(Position(12)));
    let mut entities = given.entities.clone();
    entities.sort_by_key(|entity| entity.id);
    assert_eq!(state.load_entities(None, 100).await, Ok(entities));
    let mut relations = given.relations.clone();
    relations.sort_by_key(|relation| relation.id);
    assert_eq!(state.load_relations(None, 100).await, Ok(relations));
    assert_eq!(state.load_open_alerts().await, Ok(vec![given.alert_events[0].alert.clone()]));
    assert_eq!(state.load_vendors().await, Ok(given.vendors.clone()));
    assert_eq!(state.load_integrations().await.map(|all| all.len()), Ok(2));
    assert_eq!(state.load_findings().await, Ok(given.findings.clone()));
    assert_eq!(state.last_alert_sequence().await, Ok(1));
    assert_eq!(records.signal(given.signals[0].id).await, Ok(Some(given.signals[0].clone())));
    assert_eq!(records.alert_events(0, 10).await, Ok(given.alert_events.clone()));
    assert_eq!(records.postures(acme.id, None).await, Ok(vec![given.postures[0].1.clone()]));
}

pub(crate) async fn repeats_and_old_deltas_change_nothing(ground: &Ground) {
    let store = ground.open().await;
    let state = store.state();
    let with = |position, n: u64| Delta {
        entities: vec![entity(n)],
        alert_events: vec![alert_event(1, alert(n, 1, &[]))],
        ..delta(position)
    };
    let code = |told: Result<(), riskgraph_domain::Fault>| told.err().map(|fault| fault.code);
    assert_eq!(code(state.apply(with(0, 1)).await), Some(FaultCode::Conflict), "position 0 judges nothing");
    assert_eq!(state.apply(delta(0)).await, Ok(()));
    assert_eq!(state.apply(with(10, 1)).await, Ok(()));
    assert_eq!(state.apply(with(10, 2)).await, Ok(()), "a repetition is ignored");
    assert_eq!(code(state.apply(with(9, 3)).await), Some(FaultCode::Conflict));
    assert_eq!(state.load_entities(None, 10).await, Ok(vec![entity(1)]));
    assert_eq!(state.apply(delta(11)).await, Ok(()));
    assert_eq!(state.applied().await, Ok(Position(11)));
}

pub(crate) async fn alert_events_continue_the_sequence(ground: &Ground) {
    let store = ground.open().await;
    let (state, records) = (store.state(), store.records());
    assert_eq!(records.alert_event_range().await, Ok(None));
    let with = |position, sequences: &[u64]| Delta {
        alert_events: sequences.iter().map(|&n| alert_event(n, alert(n % 3, n as i64, &[]))).collect(),
        ..delta(position)
    };
    let mut expected = 0;
    for (position, sequences, good) in [
        (1, vec![2], false),
        (1, vec![1, 2, 3], true),
        (2, vec![3], false),
        (2, vec![5], false),
        (2, vec![4, 6], false),
        (2, vec![4, 5], true),
    ] {
        let told = state.apply(with(position, &sequences)).await;
        assert_eq!(told.is_ok(), good, "{sequences:?}: {told:?}");
        if good {
            expected = *sequences.last().unwrap();
        }
        assert_eq!(state.last_alert_sequence().await, Ok(expected));
    }
    let numbers = |after, max| {
        let records = store.records();
        async move { records.alert_events(after, max).await.expect("reads").iter().map(|e| e.sequence).collect::<Vec<_>>() }
    };
    assert_eq!(numbers(0, 2).await, [1, 2]);
    assert_eq!(numbers(2, 10).await, [3, 4, 5]);
    assert_eq!(numbers(5, 10).await, [0; 0]);
    assert_eq!(records.alert_event_range().await, Ok(Some((1, 5))));
    // The row of an alert is as its last event left it; resolved ones are not open.
    assert_eq!(records.alert(alert(1, 0, &[]).id).await.map(|found| found.map(|a| a.updated_at.0)), Ok(Some(4)));
    let resolved = riskgraph_domain::alert::Alert { status: AlertStatus::Resolved, ..alert(1, 9, &[]) };
    let told = state.apply(Delta { alert_events: vec![alert_event(6, resolved)], ..delta(3) }).await;
    assert_eq!(told, Ok(()));
    assert_eq!(state.load_open_alerts().await.map(|open| open.len()), Ok(2));
}

/// Polls the future this often at most, then drops it, as a caller that goes away would.
async fn give_up_after<F: Future>(n_polls: usize, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = n_polls;
    std::future::poll_fn(move |cx| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(cx).map(Some)
    })
    .await
}

pub(crate) async fn a_delta_is_all_or_nothing(ground: &Ground) {
    let store = ground.open().await;
    let state = store.state();
    let mut applied = 0;
    let (mut n_done, mut n_dropped) = (0, 0);
    for n in 1..=60_u64 {
        let rows = n * 1_000..n * 1_000 + 700;
        let given = Delta {
            entities: rows.clone().map(entity).collect(),
            relations: rows.clone().map(relation).collect(),
            signals: rows.take(5).map(|k| signal(k, 1, &["user-1"])).collect(),
            blobs: vec![("risk".into(), n.to_le_bytes().to_vec())],
            ..delta(n)
        };
        match give_up_after(n as usize / 2, state.apply(given)).await {
            Some(told) => told.expect("applies"),
            None => n_dropped += 1,
        }
        // A write after it waits until the dropped transaction has ended either way.
        assert_eq!(store.jobs().enqueue(&format!("job-{n}"), riskgraph_domain::Timestamp(1)).await, Ok(true));
        let now = state.applied().await.expect("reads").0;
        let blob = state.load_blob("risk").await.expect("reads");
        let there = store.records().signal(signal(n * 1_000, 1, &[]).id).await.expect("reads").is_some();
        assert!(now == n || now == applied, "{now}");
        assert_eq!(there, now == n);
        assert_eq!(blob, (now > 0).then(|| now.to_le_bytes().to_vec()));
        n_done += u64::from(now == n);
        applied = now;
    }
    assert!(n_done > 0 && n_dropped > 0, "{n_done} done, {n_dropped} dropped");
    let n_rows = state.load_entities(None, 100_000).await.expect("reads").len() as u64;
    assert_eq!(n_rows, n_done * 700);
    assert_eq!(state.load_relations(None, 100_000).await.expect("reads").len() as u64, n_done * 700);
}

pub(crate) async fn the_last_of_equal_ids_wins(ground: &Ground) {
    let store = ground.open().await;
    let (state, records) = (store.state(), store.records());
    let renamed = |name: &str| riskgraph_domain::graph::Entity { name: name.into(), ..entity(1) };
    let moved = |tier| vendor("Acme", &["a.example", "a.example"], tier);
    let graded = |grade, at| (vendor("Acme", &[], VendorTier::Low).id, posture(grade, at));
    let twice = Delta {
        entities: vec![renamed("first"), entity(2), renamed("second")],
        signals: vec![signal(1, 5, &["u", "u"]), signal(1, 5, &["u", "w"])],
        alert_events: vec![alert_event(1, alert(1, 1, &["u", "u"])), alert_event(2, alert(1, 2, &["u"]))],
        alert_signals: vec![(alert(1, 0, &[]).id, signal(1, 0, &[]).id); 2],
        vendors: vec![moved(VendorTier::Low), moved(VendorTier::High)],
        postures: vec![graded(Grade::A, 3), graded(Grade::B, 3), graded(Grade::F, 2)],
        blobs: vec![("b".into(), vec![1]), ("b".into(), vec![2])],
        ..delta(1)
    };
    assert_eq!(state.apply(twice).await, Ok(()));
    let found = state.load_entities(None, 10).await.expect("reads");
    assert!(found.contains(&renamed("second")) && found.len() == 2);
    assert_eq!(records.alert(alert(1, 0, &[]).id).await, Ok(Some(alert(1, 2, &["u"]))));
    assert_eq!(records.vendor_by_name("acme").await, Ok(Some(moved(VendorTier::High))));
    assert_eq!(state.load_blob("b").await, Ok(Some(vec![2])));
    let again = Delta { entities: vec![renamed("third")], ..delta(2) };
    assert_eq!(state.apply(again).await, Ok(()));
    assert!(state.load_entities(None, 10).await.expect("reads").contains(&renamed("third")));
}

pub(crate) async fn large_deltas_load_in_pages(ground: &Ground) {
    let store = ground.open().await;
    let state = store.state();
    let large =
        Delta { entities: (0..4_444).map(entity).collect(), relations: (0..4_444).map(relation).collect(), ..delta(1) };
    assert_eq!(state.apply(large).await, Ok(()));
    let (mut n_entities, mut after) = (0, None);
    loop {
        let page = state.load_entities(after, 500).await.expect("reads");
        let Some(last) = page.last() else { break };
        assert!(after < Some(last.id));
        after = Some(last.id);
        n_entities += page.len();
    }
    assert_eq!(n_entities, 4_444);
    let (mut n_relations, mut after) = (0, None);
    loop {
        let page = state.load_relations(after, 1_000).await.expect("reads");
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        n_relations += page.len();
    }
    assert_eq!(n_relations, 4_444);
}

pub(crate) async fn removed_vendors_take_their_findings_along(ground: &Ground) {
    let store = ground.open().await;
    let (state, records) = (store.state(), store.records());
    let vendors: Vec<Vendor> =
        ["Acme", "Bolt"].map(|name| vendor(name, &[&format!("{name}.example")], VendorTier::Low)).into();
    let (acme, bolt) = (vendors[0].id, vendors[1].id);
    let first = Delta {
        integrations: vec![integration("a", Some(acme)), integration("b", Some(bolt))],
        findings: [acme, bolt].map(|id| finding("TLS-01", id, Severity::Low, FindingStatus::Open)).into(),
        postures: vec![(acme, posture(Grade::A, 1)), (bolt, posture(Grade::B, 1))],
        vendors,
        ..delta(1)
    };
    assert_eq!(state.apply(first).await, Ok(()));
    assert_eq!(state.apply(Delta { removed_vendors: vec![acme], ..delta(2) }).await, Ok(()));
    assert_eq!(records.vendor(acme).await, Ok(None));
    assert_eq!(records.vendor_by_domain("acme.example").await, Ok(None));
    assert_eq!(records.postures(acme, None).await, Ok(Vec::new()));
    let left = records.findings(FindingFilter::default(), PageRequest::first(10)).await.expect("reads");
    assert_eq!(left.items.iter().map(|(_, finding)| finding.vendor).collect::<Vec<_>>(), [Some(bolt)]);
    assert_eq!(records.integration_by_name("a").await, Ok(Some(integration("a", None))));
    assert_eq!(records.integration_by_name("b").await, Ok(Some(integration("b", Some(bolt)))));
    assert_eq!(state.load_integrations().await.map(|all| all.iter().filter(|i| i.vendor.is_none()).count()), Ok(1));
}

pub(crate) async fn checkpoints_and_blobs_read_back(ground: &Ground) {
    let store = ground.open().await;
    let state = store.state();
    assert_eq!(state.load_checkpoint().await, Ok(None));
    assert_eq!(state.load_blob("risk").await, Ok(None));
    // Bytes that do not compress, over several parts.
    let mut word = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        word.to_be_bytes()
    })
    .take(700_000)
    .flatten()
    .collect();
    for (position, bytes) in [(5, vec![]), (7, noise.clone()), (7, noise), (9, vec![3; 1_000])] {
        assert_eq!(state.save_checkpoint(Position(position), bytes.clone()).await, Ok(()));
        assert_eq!(state.load_checkpoint().await, Ok(Some((Position(position), bytes))), "{position}");
    }
    let with = |position, bytes: Vec<u8>| Delta { blobs: vec![("risk".into(), bytes)], ..delta(position) };
    assert_eq!(state.apply(with(1, vec![1, 2, 3])).await, Ok(()));
    assert_eq!(state.apply(with(2, Vec::new())).await, Ok(()));
    assert_eq!(state.load_blob("risk").await, Ok(None), "an empty blob is none");
    let beside = ground.connect().await;
    let sql = Statement::from_string(beside.get_database_backend(), "SELECT COUNT(*) FROM state_blob");
    let n_rows: i64 =
        beside.query_one_raw(sql).await.expect("reads").expect("a row").try_get_by_index(0).expect("a number");
    assert_eq!(n_rows, 0);
    beside.close().await.expect("closes");
    let back = Delta { blobs: vec![("risk".into(), vec![]), ("risk".into(), vec![9])], ..delta(3) };
    assert_eq!(state.apply(back).await, Ok(()));
    assert_eq!(state.load_blob("risk").await, Ok(Some(vec![9])), "the last of equal names counts");
    // Journal and state do not mix: neither position is the other's.
    assert_eq!(store.journal().append(batch("x", 3)).await, Ok(Position(3)));
    assert_eq!(state.applied().await, Ok(Position(3)));
}
