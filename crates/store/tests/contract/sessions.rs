//! Sign-in sessions and one-time codes.

use futures::future::join_all;
use riskgraph_domain::digest::Sum;
use riskgraph_domain::id::TokenId;
use riskgraph_domain::session::{Session, SignInCode};
use riskgraph_domain::time::Timestamp;

use crate::ground::Ground;

fn key(n: u64) -> Sum {
    Sum::of(&[&n.to_be_bytes()])
}

fn session(n: u64, token: u128, at: i64) -> Session {
    let (created_at, expires_at) = (Timestamp(at), Timestamp(at + 1_000));
    Session { key: key(n), token: TokenId(token), created_at, last_used_at: created_at, expires_at }
}

pub(crate) async fn sessions_live_and_end(ground: &Ground) {
    let store = ground.open().await;
    let sessions = store.sessions();
    for n in 1..=5 {
        assert_eq!(sessions.insert_session(session(n, 7, n as i64), 3).await, Ok(()));
    }
    assert_eq!(sessions.insert_session(session(6, 8, 3), 3).await, Ok(()));
    assert!(sessions.insert_session(session(6, 8, 3), 3).await.is_err(), "the same key twice");
    for (n, is_there) in [(1, false), (2, false), (3, true), (5, true), (6, true), (9, false)] {
        assert_eq!(sessions.session(key(n)).await.map(|found| found.is_some()), Ok(is_there), "{n}");
    }
    assert_eq!(sessions.touch_session(key(5), Timestamp(50)).await, Ok(()));
    assert_eq!(sessions.touch_session(key(5), Timestamp(40)).await, Ok(()));
    let found = sessions.session(key(5)).await.expect("reads").expect("is there");
    assert_eq!(found, Session { last_used_at: Timestamp(50), ..session(5, 7, 5) });
    assert_eq!(sessions.remove_session(key(5)).await, Ok(true));
    assert_eq!(sessions.remove_session(key(5)).await, Ok(false));
    // A later session sweeps out those that have ended.
    assert_eq!(sessions.insert_session(session(10, 9, 1_004), 3).await, Ok(()));
    assert_eq!(sessions.session(key(3)).await, Ok(None));
    assert_eq!(sessions.session(key(4)).await, Ok(Some(session(4, 7, 4))));
}

pub(crate) async fn a_code_goes_to_exactly_one(ground: &Ground) {
    let store = ground.open().await;
    let code = |n: u64, at: i64| SignInCode {
        key: key(n),
        token: TokenId(7),
        created_at: Timestamp(at),
        expires_at: Timestamp(at + 10),
    };
    assert_eq!(store.sessions().insert_code(code(1, 5)).await, Ok(()));
    let takers = (0..20).map(|_| {
        let sessions = store.sessions();
        async move { sessions.take_code(key(1)).await.expect("answers") }
    });
    let taken: Vec<SignInCode> = join_all(takers).await.into_iter().flatten().collect();
    assert_eq!(taken, vec![code(1, 5)]);
    store.close().await.expect("closes");
    let sessions = ground.open().await.sessions();
    assert_eq!(sessions.take_code(key(1)).await, Ok(None), "also after a restart");
    assert_eq!(sessions.insert_code(code(2, 5)).await, Ok(()));
    assert_eq!(sessions.insert_code(code(3, 16)).await, Ok(()));
    assert_eq!(sessions.take_code(key(2)).await, Ok(None), "it had ended");
}
