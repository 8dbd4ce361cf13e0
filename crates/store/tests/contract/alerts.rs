//! What an alert is found by beyond its own words, and how much of the sequence is kept.

use riskgraph_domain::alert::{Alert, AlertEvent, AlertFilter};
use riskgraph_domain::graph::{EntityKey, EntityKind, Relation, RelationKind};
use riskgraph_domain::id::RelationId;
use riskgraph_domain::page::{PAGE_MAX, PageRequest};
use riskgraph_domain::ports::{Delta, Records};
use riskgraph_domain::vendor::VendorTier;
use sea_orm::ConnectionTrait;

use crate::ground::Ground;
use crate::samples::{alert, alert_event, delta, integration, relation, vendor};

/// When the alerts that pass the filter changed, which tells them apart here.
async fn times(records: &dyn Records, filter: AlertFilter) -> Vec<i64> {
    let page = records.alerts(filter, PageRequest::first(PAGE_MAX)).await.expect("lists");
    page.items.iter().map(|(_, alert)| alert.updated_at.0).collect()
}

fn edge(kind: RelationKind, from: &EntityKey, to: &EntityKey) -> Relation {
    let (from, to) = (from.id(), to.id());
    Relation { id: Relation::id_of(kind, from, to), kind, from, to, ..relation(1) }
}

fn events(first: u64, alerts: &[Alert]) -> Vec<AlertEvent> {
    alerts.iter().zip(first..).map(|(alert, n)| alert_event(n, alert.clone())).collect()
}

pub(crate) async fn a_vendors_alerts_pass_its_nodes_or_keys(ground: &Ground) {
    let store = ground.open().await;
    let (state, records) = (store.state(), store.records());
    let mut acme = vendor("Acme", &["acme.example", "cdn.acme.example"], VendorTier::Low);
    acme.integrations = vec!["declared".into()];
    let other = vendor("Other", &["other.example"], VendorTier::Low);
    let integrated = |name: &str| EntityKey::new(EntityKind::Integration, name);
    let api_key = |name: &str| EntityKey::new(EntityKind::ApiKey, name);
    let relations = vec![
        edge(RelationKind::Uses, &integrated("erp"), &api_key("k1")),
        edge(RelationKind::Uses, &integrated("declared"), &api_key("k2")),
        edge(RelationKind::Uses, &integrated("foreign"), &api_key("k3")),
        edge(RelationKind::CalledFrom, &integrated("erp"), &api_key("no-key")),
        edge(RelationKind::Operates, &acme.entity(), &integrated("erp")),
        edge(
            RelationKind::Loads,
            &EntityKey::new(EntityKind::Asset, "page"),
            &EntityKey::new(EntityKind::Domain, "cdn.acme.example"),
        ),
        edge(RelationKind::Matches, &api_key("k2"), &EntityKey::new(EntityKind::Leak, "leak")),
    ];
    let touches = |n: u64, key: EntityKey| Alert { entities: vec![key], ..alert(n, n as i64, &[]) };
    let passes = |n: u64, path: &[RelationId]| Alert { path: path.to_vec(), ..alert(n, n as i64, &["u"]) };
    let unknown = RelationId::of(&["no such relation"]);
    let alerts = [
        touches(1, api_key("k1")),
        touches(2, api_key("k2")),
        touches(3, api_key("k3")),
        touches(4, api_key("no-key")),
        passes(5, &[unknown, relations[4].id]),
        passes(6, &[relations[5].id]),
        passes(7, &[relations[6].id, relations[6].id]),
        passes(8, &[relations[2].id]),
        passes(9, &[unknown]),
    ];
    let given = Delta {
        vendors: vec![acme.clone(), other.clone()],
        integrations: vec![integration("erp", Some(acme.id)), integration("foreign", Some(other.id))],
        alert_events: events(1, &alerts),
        relations: relations.clone(),
        ..delta(1)
    };
    assert_eq!(state.apply(given).await, Ok(()));
    let of = |vendor| AlertFilter { vendor: Some(vendor), ..AlertFilter::default() };
    assert_eq!(times(&*records, of(acme.id)).await, [7, 6, 5, 2, 1]);
    assert_eq!(times(&*records, of(other.id)).await, [8, 3]);
    // An entity's alerts are those it takes part in; lying on a path is not that.
    let leak = AlertFilter { entity: Some(EntityKey::new(EntityKind::Leak, "leak").id()), ..AlertFilter::default() };
    assert_eq!(times(&*records, leak).await, [0; 0]);
    // A path that changes takes the alert along: away from one vendor, to the other.
    let moved = Alert { updated_at: riskgraph_domain::Timestamp(70), ..passes(7, &[relations[2].id]) };
    assert_eq!(state.apply(Delta { alert_events: events(10, &[moved]), ..delta(2) }).await, Ok(()));
    assert_eq!(times(&*records, of(acme.id)).await, [6, 5, 2, 1]);
    assert_eq!(times(&*records, of(other.id)).await, [70, 8, 3]);
}

pub(crate) async fn a_technique_has_its_sub_techniques(ground: &Ground) {
    let store = ground.open().await;
    let records = store.records();
    let showing = |n: u64, techniques: &[&str]| Alert {
        techniques: techniques.iter().map(|&technique| technique.into()).collect(),
        ..alert(n, n as i64, &[])
    };
    let alerts = [
        showing(1, &["T1110"]),
        showing(2, &["T1110.004", "T1110.003"]),
        showing(3, &["T11104"]),
        showing(4, &["AML.T0024.001"]),
        showing(5, &["T1110.0041", "T1078"]),
        showing(6, &[]),
    ];
    assert_eq!(store.state().apply(Delta { alert_events: events(1, &alerts), ..delta(1) }).await, Ok(()));
    for (wanted, expected) in [
        ("T1110", [5, 2, 1].as_slice()),
        ("T1110.004", &[2]),
        ("T1110.003", &[2]),
        ("T1110.", &[]),
        ("T111", &[]),
        ("T11104", &[3]),
        ("t1110", &[]),
        ("AML", &[4]),
        ("AML.T0024", &[4]),
        ("T1078", &[5]),
        ("T%", &[]),
        ("", &[]),
    ] {
        let filter = AlertFilter { technique: Some(wanted.into()), ..AlertFilter::default() };
        assert_eq!(times(&*records, filter).await, expected, "{wanted}");
    }
}

/// The store keeps the newest million and looks every ten thousand. The sequence is moved on by hand, because writing
/// a million events would only take long.
pub(crate) async fn the_oldest_alert_events_go(ground: &Ground) {
    let store = ground.open().await;
    let (state, records) = (store.state(), store.records());
    let stretch = |from: u64, to: u64| (from..=to).map(|n| alert_event(n, alert(n % 3, 1, &[]))).collect();
    assert_eq!(state.apply(Delta { alert_events: stretch(1, 9_000), ..delta(1) }).await, Ok(()));
    let jump = async |to: u64| {
        let beside = ground.connect().await;
        let sql = format!("UPDATE mark SET value = {to} WHERE name = 'alert_sequence'");
        beside.execute_unprepared(&sql).await.expect("writes");
        beside.close().await.expect("closes");
    };
    let mut position = 1;
    let mut check = async |from: u64, to: u64, range: (u64, u64)| {
        position += 1;
        assert_eq!(state.apply(Delta { alert_events: stretch(from, to), ..delta(position) }).await, Ok(()));
        assert_eq!(records.alert_event_range().await, Ok(Some(range)), "after {from} to {to}");
    };
    check(9_001, 10_001, (1, 10_001)).await;
    jump(1_000_005).await;
    // Over the bound, but not yet at the next look.
    check(1_000_006, 1_000_010, (1, 1_000_010)).await;
    jump(1_009_000).await;
    check(1_009_001, 1_009_999, (1, 1_009_999)).await;
    check(1_010_000, 1_010_000, (10_001, 1_010_000)).await;
    // Far over the bound, a look takes a share only.
    jump(1_039_998).await;
    check(1_039_999, 1_040_001, (1_000_006, 1_040_001)).await;
    let read = records.alert_events(0, 2).await.expect("reads");
    assert_eq!(read.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1_000_006, 1_000_007]);
    assert_eq!(state.last_alert_sequence().await, Ok(1_040_001));
}
