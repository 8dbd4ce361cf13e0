//! Jobs, tokens and the schema.

use futures::future::join_all;
use riskgraph_domain::id::TokenId;
use riskgraph_domain::time::Timestamp;
use riskgraph_store::{Store, StoreError};
use sea_orm::ConnectionTrait;

use crate::ground::Ground;
use crate::samples::token;

pub(crate) async fn jobs_are_deduplicated_leased_and_repeated(ground: &Ground) {
    let store = ground.open().await;
    let jobs = store.jobs();
    let at = Timestamp;
    assert_eq!(jobs.lease(at(100), at(200)).await, Ok(None));
    assert_eq!(jobs.enqueue("late", at(50)).await, Ok(true));
    assert_eq!(jobs.enqueue("early", at(10)).await, Ok(true));
    assert_eq!(jobs.enqueue("early", at(5)).await, Ok(false), "it waits already");
    assert_eq!(jobs.lease(at(9), at(20)).await, Ok(None), "not due");
    assert_eq!(jobs.lease(at(60), at(100)).await, Ok(Some("early".into())));
    assert_eq!(jobs.enqueue("early", at(60)).await, Ok(false), "it runs");
    assert_eq!(jobs.lease(at(60), at(100)).await, Ok(Some("late".into())));
    assert_eq!(jobs.lease(at(99), at(200)).await, Ok(None), "both are leased");
    assert_eq!(jobs.finish("early", at(70)).await, Ok(()));
    assert_eq!(jobs.last_run("early").await, Ok(Some(at(70))));
    assert_eq!(jobs.last_run("late").await, Ok(None));
    store.close().await.expect("closes");

    let store = ground.open().await;
    let jobs = store.jobs();
    assert_eq!(jobs.lease(at(100), at(150)).await, Ok(Some("late".into())), "its lease is over");
    assert_eq!(jobs.retry("late", at(300)).await, Ok(()));
    assert_eq!(jobs.lease(at(299), at(400)).await, Ok(None));
    assert_eq!(jobs.lease(at(300), at(400)).await, Ok(Some("late".into())));
    assert_eq!(jobs.finish("late", at(301)).await, Ok(()));
    assert_eq!(jobs.enqueue("late", at(1)).await, Ok(true), "it is done, so it may come again");
    assert_eq!(jobs.last_run("late").await, Ok(Some(at(301))));
}

pub(crate) async fn a_job_goes_to_one_of_many(ground: &Ground) {
    let store = ground.open().await;
    let enqueued = join_all((0..60).map(|n| {
        let jobs = store.jobs();
        async move { jobs.enqueue(&format!("job-{}", n % 20), Timestamp(1)).await.expect("enqueues") }
    }))
    .await;
    assert_eq!(enqueued.into_iter().filter(|new| *new).count(), 20);
    let mut leased: Vec<String> = join_all((0..30).map(|_| {
        let jobs = store.jobs();
        async move { jobs.lease(Timestamp(2), Timestamp(100)).await.expect("leases") }
    }))
    .await
    .into_iter()
    .flatten()
    .collect();
    leased.sort();
    leased.dedup();
    assert_eq!(leased.len(), 20);
}

pub(crate) async fn tokens_live_and_end(ground: &Ground) {
    let store = ground.open().await;
    let tokens = store.tokens();
    for n in 1..=3 {
        assert_eq!(tokens.insert(token(n)).await, Ok(()));
    }
    assert!(tokens.insert(token(2)).await.is_err(), "the same id twice");
    assert_eq!(tokens.get(TokenId(2)).await, Ok(Some(token(2))));
    assert_eq!(tokens.get(TokenId(9)).await, Ok(None));
    assert_eq!(tokens.list().await, Ok(vec![token(3), token(2), token(1)]));
    assert_eq!(tokens.touch(TokenId(2), Timestamp(50)).await, Ok(()));
    assert_eq!(tokens.touch(TokenId(2), Timestamp(40)).await, Ok(()));
    assert_eq!(tokens.touch(TokenId(9), Timestamp(40)).await, Ok(()));
    assert_eq!(tokens.revoke(TokenId(2), Timestamp(60)).await, Ok(true));
    assert_eq!(tokens.revoke(TokenId(2), Timestamp(70)).await, Ok(false));
    assert_eq!(tokens.revoke(TokenId(9), Timestamp(70)).await, Ok(false));
    store.close().await.expect("closes");
    let found = ground.open().await.tokens().get(TokenId(2)).await.expect("reads").expect("is there");
    assert_eq!((found.last_used_at, found.revoked_at), (Some(Timestamp(50)), Some(Timestamp(60))));
}

pub(crate) async fn a_newer_schema_is_refused(ground: &Ground) {
    ground.open().await.close().await.expect("closes");
    ground.open().await.close().await.expect("opens again as it is");
    let beside = ground.connect().await;
    let sql = "INSERT INTO state_migration (version, applied_at) VALUES ('state_9999_of_tomorrow', 1)";
    beside.execute_unprepared(sql).await.expect("writes");
    beside.close().await.expect("closes");
    match Store::open(ground.options.clone()).await {
        Err(StoreError::TooNew { step }) => assert_eq!(step, "state_9999_of_tomorrow"),
        other => panic!("opened: {other:?}"),
    }
}
