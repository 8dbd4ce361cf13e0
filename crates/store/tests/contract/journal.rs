//! The journal keeps what it acknowledged, in order, without gaps.

use std::collections::BTreeMap;

use futures::future::join_all;
use riskgraph_domain::error::FaultCode;
use riskgraph_domain::journal::{Position, StoredBatch};
use riskgraph_domain::ports::Journal;

use crate::ground::Ground;
use crate::samples::batch;

/// The whole journal, checked to be gapless.
async fn whole(journal: &dyn Journal) -> Vec<StoredBatch> {
    let mut all: Vec<StoredBatch> = Vec::new();
    let mut after = Position(0);
    loop {
        let read = journal.read_after(after, 1_000).await.expect("reads");
        let Some(last) = read.last() else { break };
        let next = Position(last.first.0 + u64::from(last.batch.n_records) - 1);
        for stored in &read {
            let expected = all.last().map_or(1, |b: &StoredBatch| b.first.0 + u64::from(b.batch.n_records));
            assert_eq!(stored.first.0, expected, "a gap or an overlap");
            assert_eq!(stored.batch.identities.len(), stored.batch.n_records as usize);
            all.push(stored.clone());
        }
        assert!(next > after);
        after = next;
    }
    assert_eq!(journal.end().await, Ok(after));
    all
}

pub(crate) async fn keeps_batches_in_order(ground: &Ground) {
    let store = ground.open().await;
    let journal = store.journal();
    assert_eq!(journal.end().await, Ok(Position(0)));
    assert_eq!(journal.read_after(Position(0), 10).await, Ok(Vec::new()));
    assert_eq!(journal.append(batch("a", 3)).await, Ok(Position(3)));
    assert_eq!(journal.append(batch("b", 1)).await, Ok(Position(4)));
    assert_eq!(journal.append(batch("c", 700)).await, Ok(Position(704)));
    let all = whole(&*journal).await;
    let expected = [batch("a", 3), batch("b", 1), batch("c", 700)];
    assert!(all.iter().map(|stored| &stored.batch).eq(&expected));
    assert!(journal.size_bytes().await.expect("size") > 1_000);
}

pub(crate) async fn concurrent_appends_get_gapless_disjoint_places(ground: &Ground) {
    let store = ground.open().await;
    let journal = store.journal();
    let appends = (0..400_u32).map(|n| {
        let journal = store.journal();
        tokio::spawn(async move {
            let batch = batch(&format!("task-{n:03}"), n % 7 + 1);
            (journal.append(batch.clone()).await.expect("appends"), batch)
        })
    });
    let mut told = BTreeMap::new();
    for joined in join_all(appends).await {
        let (last, batch) = joined.expect("no panic");
        let first = last.0 + 1 - u64::from(batch.n_records);
        assert!(told.insert(first, batch).is_none(), "two batches at one place");
    }
    let all = whole(&*journal).await;
    assert_eq!(all.len(), 400);
    for stored in all {
        assert_eq!(told.get(&stored.first.0), Some(&stored.batch), "each caller was told its own place");
    }
}

pub(crate) async fn callers_that_go_away_leave_whole_batches(ground: &Ground) {
    let store = ground.open().await;
    let tasks: Vec<_> = (0..200_u32)
        .map(|n| {
            let journal = store.journal();
            tokio::spawn(async move { journal.append(batch(&format!("gone-{n}"), 5)).await })
        })
        .collect();
    for (n, task) in tasks.iter().enumerate() {
        if n % 3 != 0 {
            task.abort();
        }
        tokio::task::yield_now().await;
    }
    let mut acknowledged = BTreeMap::new();
    for (n, task) in tasks.into_iter().enumerate() {
        if let Ok(last) = task.await {
            acknowledged.insert(last.expect("appends").0 - 4, batch(&format!("gone-{n}"), 5));
        }
    }
    assert_eq!(store.journal().append(batch("after", 1)).await.map(|last| last.0 % 5), Ok(1));
    let all: BTreeMap<u64, _> =
        whole(&*store.journal()).await.into_iter().map(|stored| (stored.first.0, stored.batch)).collect();
    assert!(acknowledged.len() >= 67);
    for (first, batch) in acknowledged {
        assert_eq!(all.get(&first), Some(&batch));
    }
}

pub(crate) async fn reopening_keeps_what_was_acknowledged(ground: &Ground) {
    let mut expected = Vec::new();
    for round in 0..3 {
        let store = ground.open().await;
        let journal = store.journal();
        let appends = (0..20).map(|n| journal.append(batch(&format!("round-{round}-{n}"), 4)));
        for told in join_all(appends).await {
            expected.push(told.expect("appends").0);
        }
        // The first round ends without a word, as a crash would; the others close.
        if round > 0 {
            store.close().await.expect("closes");
        }
    }
    expected.sort_unstable();
    let store = ground.open().await;
    let found: Vec<u64> = whole(&*store.journal()).await.iter().map(|stored| stored.first.0 + 3).collect();
    assert_eq!(found, expected);
}

pub(crate) async fn reads_within_bounds(ground: &Ground) {
    let store = ground.open().await;
    let journal = store.journal();
    for n_records in [10, 20, 5, 40] {
        journal.append(batch("x", n_records)).await.expect("appends");
    }
    let check = async |after: u64, max: usize, firsts: &[u64]| {
        let read = journal.read_after(Position(after), max).await.expect("reads");
        let found: Vec<u64> = read.iter().map(|stored| stored.first.0).collect();
        assert_eq!(found, firsts, "after {after}, at most {max}");
    };
    check(0, 0, &[1]).await;
    check(0, 9, &[1]).await;
    check(0, 29, &[1]).await;
    check(0, 30, &[1, 11]).await;
    check(0, usize::MAX, &[1, 11, 31, 36]).await;
    check(10, 25, &[11, 31]).await;
    // In the middle of a batch: that batch whole.
    check(9, 1, &[1]).await;
    check(15, 25, &[11, 31]).await;
    check(74, 100, &[36]).await;
    check(75, 100, &[]).await;
    check(u64::MAX, 100, &[]).await;
}

pub(crate) async fn knows_recent_identities(ground: &Ground) {
    let store = ground.open().await;
    let journal = store.journal();
    let mut all = Vec::new();
    for n in 0..30 {
        let batch = batch(&"n".repeat(n + 1), 3);
        all.extend(batch.identities.clone());
        journal.append(batch).await.expect("appends");
    }
    for max in [0, 1, 2, 3, 4, 50, 90, 1_000] {
        let from = all.len().saturating_sub(max);
        assert_eq!(journal.recent_identities(max).await.as_deref(), Ok(&all[from..]), "{max}");
    }
}

pub(crate) async fn forgets_whole_batches_and_goes_on_counting(ground: &Ground) {
    let store = ground.open().await;
    let journal = store.journal();
    for n in 0..300 {
        journal.append(batch(&format!("old-{n}"), 10)).await.expect("appends");
    }
    assert_eq!(journal.forget_until(Position(9)).await, Ok(0));
    assert_eq!(journal.forget_until(Position(25)).await, Ok(20));
    assert_eq!(journal.read_after(Position(0), 1).await.expect("reads")[0].first, Position(21));
    assert_eq!(journal.forget_until(Position(2_999)).await, Ok(2_970));
    assert_eq!(journal.forget_until(Position(u64::MAX)).await, Ok(10));
    assert_eq!(journal.read_after(Position(0), 1).await, Ok(Vec::new()));
    assert_eq!(journal.end().await, Ok(Position(3_000)));
    store.close().await.expect("closes");
    let store = ground.open().await;
    assert_eq!(store.journal().append(batch("new", 2)).await, Ok(Position(3_002)));
}

pub(crate) async fn refuses_bad_batches_and_a_closed_store(ground: &Ground) {
    let store = ground.open().await;
    let journal = store.journal();
    let code = |told: Result<Position, riskgraph_domain::Fault>| told.err().map(|fault| fault.code);
    assert_eq!(code(journal.append(batch("none", 0)).await), Some(FaultCode::Internal));
    let mut short = batch("short", 3);
    short.identities.pop();
    assert_eq!(code(journal.append(short).await), Some(FaultCode::Internal));
    assert_eq!(journal.end().await, Ok(Position(0)));
    store.close().await.expect("closes");
    assert_eq!(code(journal.append(batch("late", 1)).await), Some(FaultCode::Stopping));
}
