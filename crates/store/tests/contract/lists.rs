//! Every filter of every list.

use riskgraph_domain::alert::{Alert, AlertFilter, AlertStatus};
use riskgraph_domain::error::FaultCode;
use riskgraph_domain::graph::{EntityKey, EntityKind};
use riskgraph_domain::page::{PAGE_MAX, PageRequest};
use riskgraph_domain::ports::{Delta, FindingFilter, Records, SignalFilter, VendorFilter};
use riskgraph_domain::posture::{FindingStatus, Grade};
use riskgraph_domain::signal::{Severity, Signal};
use riskgraph_domain::time::Timestamp;
use riskgraph_domain::vendor::VendorTier;

use crate::ground::Ground;
use crate::samples::{alert, alert_event, delta, entity, finding, integration, key, posture, signal, vendor};

const ALL: PageRequest = PageRequest::first(PAGE_MAX);

pub(crate) async fn vendors_by_name_domain_tier_and_grade(ground: &Ground) {
    let store = ground.open().await;
    let records = store.records();
    let vendors = vec![
        vendor("Öko Pay", &["pay.example", "öko.example"], VendorTier::Critical),
        vendor("acme_100%", &["acme.example"], VendorTier::Low),
        vendor("Acme Ads", &["ads.acme.example"], VendorTier::High),
        vendor("Zeta\\Log", &[], VendorTier::Low),
    ];
    let graded = [(0, Grade::A, 1), (0, Grade::D, 2), (1, Grade::B, 5), (1, Grade::F, 4), (2, Grade::NR, 1)];
    let postures = graded.map(|(n, grade, at): (usize, _, _)| (vendors[n].id, posture(grade, at)));
    let first = Delta { vendors: vendors.clone(), postures: postures.into(), ..delta(1) };
    assert_eq!(store.state().apply(first).await, Ok(()));
    // A changed vendor keeps its grade; an older posture that comes late does not change it.
    let again = Delta { vendors: vendors.clone(), postures: vec![(vendors[0].id, posture(Grade::F, 1))], ..delta(2) };
    assert_eq!(store.state().apply(again).await, Ok(()));

    let check = async |query: Option<&str>, tiers: &[VendorTier], max_grade: Option<Grade>, names: &[&str]| {
        let filter = VendorFilter { query: query.map(Into::into), tiers: tiers.to_vec(), max_grade };
        let page = records.vendors(filter, ALL).await.expect("lists");
        let found: Vec<&str> = page.items.iter().map(|(_, vendor)| vendor.name.as_str()).collect();
        assert_eq!(found, names, "{query:?} {tiers:?} {max_grade:?}");
        assert_eq!(page.total, Some(names.len() as u64));
    };
    check(None, &[], None, &["Acme Ads", "acme_100%", "Zeta\\Log", "Öko Pay"]).await;
    check(Some(""), &[], None, &["Acme Ads", "acme_100%", "Zeta\\Log", "Öko Pay"]).await;
    check(Some("ACME"), &[], None, &["Acme Ads", "acme_100%"]).await;
    check(Some("öKO.ex"), &[], None, &["Öko Pay"]).await;
    check(Some("e_1"), &[], None, &["acme_100%"]).await;
    check(Some("_"), &[], None, &["acme_100%"]).await;
    check(Some("%"), &[], None, &["acme_100%"]).await;
    check(Some("\\"), &[], None, &["Zeta\\Log"]).await;
    check(Some("nothing"), &[], None, &[]).await;
    check(None, &[VendorTier::Low], None, &["acme_100%", "Zeta\\Log"]).await;
    check(None, &[VendorTier::Critical, VendorTier::High], None, &["Acme Ads", "Öko Pay"]).await;
    check(None, &[], Some(Grade::A), &["acme_100%", "Öko Pay"]).await;
    check(None, &[], Some(Grade::C), &["Öko Pay"]).await;
    check(None, &[], Some(Grade::F), &[]).await;
    check(None, &[], Some(Grade::NR), &["Acme Ads", "Zeta\\Log"]).await;
    check(Some("acme"), &[VendorTier::Low], Some(Grade::B), &["acme_100%"]).await;

    assert_eq!(records.vendor_by_name("ÖKO PAY").await, Ok(Some(vendors[0].clone())));
    assert_eq!(records.vendor_by_name("öko").await, Ok(None));
    assert_eq!(records.vendor_by_domain("ÖKO.example").await, Ok(Some(vendors[0].clone())));
    assert_eq!(records.vendor_by_domain("example").await, Ok(None));
    assert_eq!(records.vendor(vendors[3].id).await, Ok(Some(vendors[3].clone())));
}

pub(crate) async fn integrations_and_postures(ground: &Ground) {
    let store = ground.open().await;
    let records = store.records();
    let acme = vendor("Acme", &[], VendorTier::Low);
    let integrations =
        vec![integration("erp", Some(acme.id)), integration("crm", None), integration("api", Some(acme.id))];
    let postures = (1..=4).map(|at| (acme.id, posture(Grade::A, at))).collect();
    let given = Delta { vendors: vec![acme.clone()], integrations, postures, ..delta(1) };
    assert_eq!(store.state().apply(given).await, Ok(()));
    let names = async |vendor| {
        let page = records.integrations(vendor, ALL).await.expect("lists");
        page.items.into_iter().map(|(_, integration)| integration.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(None).await, ["api", "crm", "erp"]);
    assert_eq!(names(Some(acme.id)).await, ["api", "erp"]);
    let erp = integration("erp", Some(acme.id));
    assert_eq!(records.integration(erp.id).await, Ok(Some(erp.clone())));
    assert_eq!(records.integration_by_name("erp").await, Ok(Some(erp)));
    assert_eq!(records.integration_by_name("ERP").await, Ok(None));
    let times = async |since| {
        let found = records.postures(acme.id, since).await.expect("lists");
        found.iter().map(|posture| posture.assessed_at.0).collect::<Vec<_>>()
    };
    assert_eq!(times(None).await, [4, 3, 2, 1]);
    assert_eq!(times(Some(Timestamp(3))).await, [4, 3]);
}

pub(crate) async fn findings_by_filter(ground: &Ground) {
    let store = ground.open().await;
    let records = store.records();
    let (a, b) = (vendor("A", &[], VendorTier::Low).id, vendor("B", &[], VendorTier::Low).id);
    let findings = vec![
        finding("TLS-01", a, Severity::Low, FindingStatus::Open),
        finding("TLS-02", a, Severity::Critical, FindingStatus::Resolved),
        finding("TLS-01", b, Severity::High, FindingStatus::Accepted),
        finding("DNS-01", b, Severity::Medium, FindingStatus::Open),
    ];
    assert_eq!(store.state().apply(Delta { findings, ..delta(1) }).await, Ok(()));
    assert_eq!(store.state().load_findings().await.map(|left| left.len()), Ok(3));
    let check = async |filter: FindingFilter, severities: &[Severity]| {
        let page = records.findings(filter.clone(), ALL).await.expect("lists");
        let found: Vec<Severity> = page.items.iter().map(|(_, finding)| finding.outcome.severity).collect();
        assert_eq!(found, severities, "{filter:?}");
    };
    use Severity::{Critical, High, Low, Medium};
    let none = FindingFilter::default;
    check(none(), &[Critical, High, Medium, Low]).await;
    check(FindingFilter { vendor: Some(a), ..none() }, &[Critical, Low]).await;
    check(FindingFilter { check: Some("TLS-01".into()), ..none() }, &[High, Low]).await;
    check(FindingFilter { status: vec![FindingStatus::Open], ..none() }, &[Medium, Low]).await;
    let two = vec![FindingStatus::Resolved, FindingStatus::Accepted];
    check(FindingFilter { status: two, ..none() }, &[Critical, High]).await;
    check(FindingFilter { min_severity: Some(High), ..none() }, &[Critical, High]).await;
    check(FindingFilter { vendor: Some(b), min_severity: Some(High), ..none() }, &[High]).await;
    let id = finding("DNS-01", b, Low, FindingStatus::Open).id;
    assert_eq!(records.finding(id).await.map(|found| found.map(|f| f.outcome.severity)), Ok(Some(Medium)));
}

async fn signal_times(records: &dyn Records, filter: SignalFilter) -> Vec<i64> {
    let page = records.signals(filter, ALL).await.expect("lists");
    page.items.iter().map(|(_, signal)| signal.occurred_at.0).collect()
}

pub(crate) async fn signals_by_filter(ground: &Ground) {
    let store = ground.open().await;
    let records = store.records();
    // Severity is INFO, LOW, MEDIUM, HIGH, CRITICAL for 0..5.
    let mut signals: Vec<Signal> =
        (0..5).map(|n| signal(n, 100 + n as i64, if n < 3 { &["u", "w"] } else { &["w"] })).collect();
    signals[4].detector = "scraping".into();
    let one = alert(1, 1, &[]).id;
    let links = vec![(one, signals[1].id), (one, signals[4].id), (one, signal(99, 1, &[]).id)];
    let given = Delta { signals, alert_signals: links, ..delta(1) };
    assert_eq!(store.state().apply(given).await, Ok(()));
    // Links may come later than their signals.
    let late = Delta { alert_signals: vec![(one, signal(0, 0, &[]).id)], ..delta(2) };
    assert_eq!(store.state().apply(late).await, Ok(()));
    let check = async |filter: SignalFilter, times: &[i64]| {
        assert_eq!(signal_times(&*records, filter.clone()).await, times, "{filter:?}");
    };
    let none = SignalFilter::default;
    let (u, w) = (Some(key("u").id()), Some(key("w").id()));
    check(none(), &[104, 103, 102, 101, 100]).await;
    check(SignalFilter { detector: Some("brute_force".into()), ..none() }, &[103, 102, 101, 100]).await;
    check(SignalFilter { min_severity: Some(Severity::High), ..none() }, &[104, 103]).await;
    check(SignalFilter { since: Some(Timestamp(102)), ..none() }, &[104, 103, 102]).await;
    check(SignalFilter { entity: u, ..none() }, &[102, 101, 100]).await;
    check(SignalFilter { entity: w, since: Some(Timestamp(102)), ..none() }, &[104, 103, 102]).await;
    check(SignalFilter { entity: u, min_severity: Some(Severity::Medium), ..none() }, &[102]).await;
    check(SignalFilter { alert: Some(one), ..none() }, &[104, 101, 100]).await;
    check(SignalFilter { alert: Some(one), entity: u, ..none() }, &[101, 100]).await;
    check(SignalFilter { alert: Some(one), detector: Some("scraping".into()), ..none() }, &[104]).await;
    check(SignalFilter { alert: Some(alert(2, 1, &[]).id), ..none() }, &[]).await;
}

pub(crate) async fn alerts_by_filter(ground: &Ground) {
    let store = ground.open().await;
    let records = store.records();
    let mut acme = vendor("Acme", &["acme.example"], VendorTier::Low);
    acme.integrations = vec!["declared".into()];
    let keyed = |alert: Alert, kind, name: &str| Alert { entities: vec![EntityKey::new(kind, name)], ..alert };
    let alerts = [
        alert(0, 50, &["u"]),
        keyed(alert(1, 40, &[]), EntityKind::Integration, "erp"),
        keyed(alert(2, 30, &[]), EntityKind::Domain, "acme.example"),
        Alert { status: AlertStatus::Resolved, techniques: vec!["T1657".into()], ..alert(3, 60, &["u"]) },
        Alert { entities: vec![acme.entity()], ..alert(4, 20, &[]) },
        keyed(alert(5, 10, &[]), EntityKind::Integration, "declared"),
    ];
    let given = Delta {
        alert_events: alerts.iter().zip(1..).map(|(alert, n)| alert_event(n, alert.clone())).collect(),
        alert_entities: vec![(alerts[1].id, entity(77).id)],
        vendors: vec![acme.clone(), vendor("Other", &[], VendorTier::Low)],
        integrations: vec![integration("erp", Some(acme.id))],
        ..delta(1)
    };
    assert_eq!(store.state().apply(given).await, Ok(()));
    let check = async |filter: AlertFilter, times: &[i64]| {
        let page = records.alerts(filter.clone(), ALL).await.expect("lists");
        let found: Vec<i64> = page.items.iter().map(|(_, alert)| alert.updated_at.0).collect();
        assert_eq!(found, times, "{filter:?}");
    };
    let none = AlertFilter::default;
    check(none(), &[60, 50, 40, 30, 20, 10]).await;
    check(AlertFilter { status: vec![AlertStatus::Resolved], ..none() }, &[60]).await;
    check(AlertFilter { min_severity: Some(Severity::High), ..none() }, &[60, 20]).await;
    check(AlertFilter { since: Some(Timestamp(40)), ..none() }, &[60, 50, 40]).await;
    check(AlertFilter { entity: Some(key("u").id()), ..none() }, &[60, 50]).await;
    check(AlertFilter { entity: Some(entity(77).id), ..none() }, &[40]).await;
    check(AlertFilter { technique: Some("T1657".into()), ..none() }, &[60]).await;
    check(AlertFilter { vendor: Some(acme.id), ..none() }, &[40, 30, 20, 10]).await;
    check(AlertFilter { vendor: Some(vendor("Other", &[], VendorTier::Low).id), ..none() }, &[]).await;
    check(AlertFilter { vendor: Some(vendor("Nobody", &[], VendorTier::Low).id), ..none() }, &[]).await;
    let both = AlertFilter { entity: Some(key("u").id()), status: vec![AlertStatus::Open], ..none() };
    check(both, &[50]).await;
    // A changed alert moves to the front, and techniques it no longer has no longer find it.
    let changed = Alert { updated_at: Timestamp(70), techniques: vec!["T1098".into()], ..alerts[3].clone() };
    let later = Delta { alert_events: vec![alert_event(7, changed)], ..delta(2) };
    assert_eq!(store.state().apply(later).await, Ok(()));
    check(none(), &[70, 50, 40, 30, 20, 10]).await;
    check(AlertFilter { technique: Some("T1657".into()), ..none() }, &[]).await;
    check(AlertFilter { technique: Some("T1098".into()), ..none() }, &[70]).await;
}

pub(crate) async fn hostile_texts_are_kept_and_found(ground: &Ground) {
    let store = ground.open().await;
    let (state, records) = (store.state(), store.records());
    let long = "x".repeat(20_000);
    for (n, text) in
        ["nul\0inside", "'; DROP TABLE entity; --", "\u{1}json:", long.as_str(), "\u{202e}rtl", "NULL", "a\\\"{b},\\"]
            .iter()
            .enumerate()
    {
        let key = EntityKey::new(EntityKind::User, *text);
        let mut odd = entity(n as u64);
        (odd.id, odd.key, odd.name) = (key.id(), (*text).into(), (*text).into());
        odd.attributes = serde_json::json!({ *text: text });
        let mut seen = signal(n as u64, 1, &[text]);
        seen.detector = (*text).into();
        let who = vendor(text, &[text], VendorTier::Low);
        let mut fired = alert(n as u64, 1, &[text]);
        fired.techniques = vec![(*text).into()];
        let given = Delta {
            entities: vec![odd.clone()],
            signals: vec![seen.clone()],
            alert_events: vec![alert_event(n as u64 + 1, fired)],
            vendors: vec![who.clone()],
            integrations: vec![integration(text, Some(who.id))],
            findings: vec![finding(text, who.id, Severity::Low, FindingStatus::Open)],
            ..delta(n as u64 + 1)
        };
        assert_eq!(state.apply(given).await, Ok(()), "{text:.40}");
        assert!(state.load_entities(None, 100).await.expect("reads").contains(&odd));
        assert_eq!(records.vendor_by_name(text).await, Ok(Some(who.clone())));
        assert_eq!(records.vendor_by_domain(text).await, Ok(Some(who.clone())));
        assert_eq!(records.integration_by_name(text).await, Ok(Some(integration(text, Some(who.id)))));
        let detector = SignalFilter { detector: Some((*text).into()), ..SignalFilter::default() };
        assert_eq!(signal_times(&*records, detector).await, [1]);
        let technique = AlertFilter { technique: Some((*text).into()), ..AlertFilter::default() };
        assert_eq!(records.alerts(technique, ALL).await.map(|page| page.items.len()), Ok(1));
        let query = VendorFilter { query: Some((*text).to_owned()), ..VendorFilter::default() };
        assert_eq!(records.vendors(query, ALL).await.map(|page| page.items.len()), Ok(1), "{text:.40}");
        assert!(records.vendors(VendorFilter::default(), PageRequest::first(1)).await.is_ok());
    }
}

pub(crate) async fn wrong_cursors_are_refused(ground: &Ground) {
    let store = ground.open().await;
    let records = store.records();
    let signals = (0..3).map(|n| signal(n, n as i64, &["u"])).collect();
    assert_eq!(store.state().apply(Delta { signals, ..delta(1) }).await, Ok(()));
    let page = records.signals(SignalFilter::default(), PageRequest::first(1)).await.expect("lists");
    let good = page.items[0].0.clone();
    let at = |cursor: &str| PageRequest { first: 1, after: Some(cursor.to_owned()) };
    assert!(records.signals(SignalFilter::default(), at(&good)).await.is_ok());
    for cursor in ["", "s", "1", "' OR 1=1", &good[1..], &good.replace('s', "a"), &"s0".repeat(9_999)] {
        let told = records.signals(SignalFilter::default(), at(cursor)).await;
        assert_eq!(told.err().map(|fault| fault.code), Some(FaultCode::StaleCursor), "{cursor:.20}");
    }
    let told = records.alerts(AlertFilter::default(), at(&good)).await;
    assert_eq!(told.err().map(|fault| fault.code), Some(FaultCode::StaleCursor), "a cursor of another list");
}
