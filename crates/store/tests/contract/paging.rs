//! All pages joined are the whole list, whatever is inserted meanwhile.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use riskgraph_domain::alert::AlertFilter;
use riskgraph_domain::page::PageRequest;
use riskgraph_domain::ports::{Delta, SignalFilter, VendorFilter};
use riskgraph_domain::vendor::VendorTier;
use riskgraph_store::Store;

use crate::ground::Ground;
use crate::samples::{alert, alert_event, delta, key, signal, vendor};

/// Cases of the property; each is some dozen statements.
const N_CASES: u32 = 24;

/// Times of the rows that are there before the first page, and of those that come after each page. Few different
/// times, so that many rows share one and only the id decides.
#[derive(Debug, Clone)]
struct Plan {
    before: Vec<i64>,
    between: Vec<Vec<i64>>,
    page_size: usize,
}

fn plan() -> impl Strategy<Value = Plan> {
    let times = |max| prop::collection::vec(-3_i64..6, 0..max);
    (times(40), prop::collection::vec(times(4), 0..12), 1_usize..9).prop_map(|(before, between, page_size)| Plan {
        before,
        between,
        page_size,
    })
}

/// Numbers rows over all cases, so that they share one store.
#[derive(Default)]
struct Counter {
    row: AtomicU64,
    position: AtomicU64,
    sequence: AtomicU64,
}

impl Counter {
    fn next(of: &AtomicU64) -> u64 {
        of.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Signals, alerts and vendors of one case with these times; their titles are returned.
    fn rows(&self, case: &str, times: &[i64]) -> (Delta, BTreeSet<String>) {
        let mut given = delta(Self::next(&self.position));
        let mut titles = BTreeSet::new();
        for &time in times {
            let n = Self::next(&self.row);
            let signal = signal(n, time, &[case]);
            titles.insert(format!("{time} {n}"));
            given.alert_signals.push((alert(0, 0, &[case]).id, signal.id));
            given.signals.push(riskgraph_domain::Signal {
                title: format!("{time} {n}"),
                detector: case.into(),
                ..signal
            });
            let alert = riskgraph_domain::alert::Alert { title: format!("{time} {n}"), ..alert(n, time, &[case]) };
            given.alert_events.push(alert_event(Self::next(&self.sequence), alert));
            let mut vendor = vendor(&format!("{time} {n}"), &[case], VendorTier::Low);
            vendor.owner = None;
            given.vendors.push(vendor);
        }
        (given, titles)
    }
}

/// One page of each list of the case: titles, cursor of the last, whether there are more.
type Seen = (Vec<String>, Option<String>, bool);

async fn page_of(store: &Store, list: usize, case: &str, request: PageRequest) -> Seen {
    let records = store.records();
    fn seen<T>(page: riskgraph_domain::page::Page<T>, title: impl Fn(&T) -> String) -> Seen {
        let cursor = page.items.last().map(|(cursor, _)| cursor.clone());
        (page.items.iter().map(|(_, item)| title(item)).collect(), cursor, page.has_next)
    }
    match list {
        0 => {
            let filter = SignalFilter { detector: Some(case.into()), ..SignalFilter::default() };
            seen(records.signals(filter, request).await.expect("lists"), |signal| signal.title.clone())
        }
        1 => {
            let filter = SignalFilter { entity: Some(key(case).id()), ..SignalFilter::default() };
            seen(records.signals(filter, request).await.expect("lists"), |signal| signal.title.clone())
        }
        2 => {
            let filter = AlertFilter { entity: Some(key(case).id()), ..AlertFilter::default() };
            seen(records.alerts(filter, request).await.expect("lists"), |alert| alert.title.clone())
        }
        _ => {
            let filter = VendorFilter { query: Some(case.to_owned()), ..VendorFilter::default() };
            seen(records.vendors(filter, request).await.expect("lists"), |vendor| vendor.name.to_string())
        }
    }
}

async fn holds(store: &Store, counter: &Counter, case: &str, plan: &Plan) {
    let (given, there) = counter.rows(case, &plan.before);
    store.state().apply(given).await.expect("applies");
    let mut requests: Vec<Option<PageRequest>> = vec![Some(PageRequest::first(plan.page_size)); 4];
    let mut read: Vec<Vec<String>> = vec![Vec::new(); 4];
    let mut between = plan.between.iter();
    let mut later = BTreeSet::new();
    while requests.iter().any(Option::is_some) {
        for list in 0..4 {
            let Some(request) = requests[list].take() else { continue };
            let (titles, last, has_next) = page_of(store, list, case, request).await;
            assert!(titles.len() <= plan.page_size && (!has_next || titles.len() == plan.page_size));
            read[list].extend(titles);
            requests[list] = has_next.then_some(PageRequest { first: plan.page_size, after: last });
        }
        if let Some(times) = between.next() {
            let (given, titles) = counter.rows(case, times);
            store.state().apply(given).await.expect("applies");
            later.extend(titles);
        }
    }
    for (list, read) in read.into_iter().enumerate() {
        let unique: BTreeSet<String> = read.iter().cloned().collect();
        assert_eq!(unique.len(), read.len(), "list {list} repeats a row");
        assert!(there.is_subset(&unique), "list {list} hides a row");
        assert!(unique.iter().all(|title| there.contains(title) || later.contains(title)), "list {list} made up a row");
        let times: Vec<i64> = read.iter().map(|t| t.split(' ').next().unwrap().parse().unwrap()).collect();
        assert!(list == 3 || times.is_sorted_by(|a, b| a >= b), "list {list} is out of order");
    }
}

pub(crate) async fn pages_joined_are_the_list(ground: &Ground) {
    let store = ground.open().await;
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        let counter = Counter::default();
        let config = Config { cases: N_CASES, failure_persistence: None, max_shrink_iters: 64, ..Config::default() };
        let case = AtomicU64::new(0);
        TestRunner::new(config)
            .run(&plan(), |plan| {
                let name = format!("case{}.", Counter::next(&case));
                runtime.block_on(holds(&store, &counter, &name, &plan));
                Ok(())
            })
            .expect("the property holds");
    })
    .await
    .expect("no panic");
}
