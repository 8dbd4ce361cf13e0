//! Many things at once, by id: what is there, each once, as asking one by one would answer.

use riskgraph_domain::id::{FindingId, SignalId, VendorId};
use riskgraph_domain::ports::Delta;
use riskgraph_domain::posture::{Finding, FindingStatus, Grade, Posture};
use riskgraph_domain::signal::{Severity, Signal};
use riskgraph_domain::vendor::{Vendor, VendorTier};

use crate::ground::Ground;
use crate::samples::{delta, finding, posture, signal, vendor};

/// More than two queries' worth.
const MANY: u64 = 1_203;

pub(crate) async fn many_at_once_by_id(ground: &Ground) {
    let store = ground.open().await;
    let records = store.records();
    let vendors: Vec<Vendor> = (0..MANY).map(|n| vendor(&format!("v{n}"), &[], VendorTier::Low)).collect();
    let findings: Vec<Finding> =
        vendors.iter().map(|vendor| finding("TLS-01", vendor.id, Severity::Low, FindingStatus::Open)).collect();
    let signals: Vec<Signal> = (0..MANY).map(|n| signal(n, 5, &["u"])).collect();
    let given = Delta { vendors: vendors.clone(), findings: findings.clone(), signals: signals.clone(), ..delta(1) };
    assert_eq!(store.state().apply(given).await, Ok(()));
    for n in [0, 1, 499, 500, 501, 1_000, MANY as usize] {
        // Every id twice, and one that is not there.
        let twice = || (0..n).chain(0..n);
        let mut ids: Vec<VendorId> = twice().map(|n| vendors[n].id).collect();
        ids.push(VendorId::of(&["nobody"]));
        let mut found = records.vendors_by_id(&ids).await.expect("reads");
        found.sort_by_key(|vendor| vendor.id);
        assert_eq!(found, sorted(&vendors[..n], |vendor| vendor.id), "{n} vendors");

        let mut ids: Vec<SignalId> = twice().map(|n| signals[n].id).collect();
        ids.push(SignalId::of(&["nothing"]));
        let mut found = records.signals_by_id(&ids).await.expect("reads");
        found.sort_by_key(|signal| signal.id);
        assert_eq!(found, sorted(&signals[..n], |signal| signal.id), "{n} signals");

        let mut ids: Vec<FindingId> = twice().map(|n| findings[n].id).collect();
        ids.push(FindingId::of(&["nothing"]));
        let mut found = records.findings_by_id(&ids).await.expect("reads");
        found.sort_by_key(|finding| finding.id);
        assert_eq!(found, sorted(&findings[..n], |finding| finding.id), "{n} findings");
    }
}

fn sorted<T: Clone, K: Ord>(items: &[T], key: impl Fn(&T) -> K) -> Vec<T> {
    let mut items = items.to_vec();
    items.sort_by_key(|item| key(item));
    items
}

pub(crate) async fn current_postures_are_the_newest(ground: &Ground) {
    let store = ground.open().await;
    let records = store.records();
    let vendors: Vec<Vendor> = (0..700).map(|n| vendor(&format!("v{n}"), &[], VendorTier::Low)).collect();
    // Vendor n has n % 4 postures; of those that come together or later, time decides and not the order they come in.
    let at = |n: usize, k: usize| posture(Grade::ALL[(n + k) % 5], (n * 7 + k * 100) as i64);
    let all = |k: usize| -> Vec<(VendorId, Posture)> {
        let with = (0..vendors.len()).filter(|n| n % 4 > k);
        with.map(|n| (vendors[n].id, at(n, k))).collect()
    };
    let first = Delta { vendors: vendors.clone(), postures: [all(2), all(0)].concat(), ..delta(1) };
    assert_eq!(store.state().apply(first).await, Ok(()));
    assert_eq!(store.state().apply(Delta { postures: all(1), ..delta(2) }).await, Ok(()));

    let ids: Vec<VendorId> = vendors.iter().map(|vendor| vendor.id).chain([VendorId::of(&["nobody"])]).collect();
    let mut found = records.current_postures(&ids).await.expect("reads");
    found.sort_by_key(|(vendor, _)| *vendor);
    let expected: Vec<(VendorId, Posture)> =
        (0..vendors.len()).filter(|n| n % 4 > 0).map(|n| (vendors[n].id, at(n, n % 4 - 1))).collect();
    assert_eq!(found, sorted(&expected, |(vendor, _)| *vendor));
    for (vendor, posture) in found.iter().step_by(50) {
        let listed = records.postures(*vendor, None).await.expect("reads");
        assert_eq!(listed.first(), Some(posture), "the list's first is the same");
    }
    assert_eq!(records.current_postures(&[]).await, Ok(Vec::new()));
}
