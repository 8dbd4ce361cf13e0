//! Silences, cases, and the alerts people ask for.

use riskgraph_domain::alert::{Alert, AlertFilter, AlertStatus, Mute, MuteKind, Verdict};
use riskgraph_domain::id::{CaseId, SilenceId};
use riskgraph_domain::page::{PAGE_MAX, PageRequest};
use riskgraph_domain::ports::Delta;
use riskgraph_domain::signal::Severity;
use riskgraph_domain::time::Timestamp;
use riskgraph_domain::triage::{Case, CaseFilter, CaseStatus, Member, Silence, SilenceState};

use crate::ground::Ground;
use crate::samples::{alert, alert_event, delta};

fn silence(n: u128, state: SilenceState) -> Silence {
    Silence {
        id: SilenceId(n),
        matchers: Vec::new(),
        author: "ana".into(),
        reason: "drill\0".to_owned(),
        starts_at: Timestamp(1),
        ends_at: Timestamp(n as i64 * 10),
        state,
        mutes: 3,
    }
}

fn case(n: u128, title: &str, status: CaseStatus, alerts: &[&Alert]) -> Case {
    let member = |alert: &&Alert| Member { alert: alert.id, severity: alert.severity, from: None };
    Case {
        id: CaseId(n),
        title: title.to_owned(),
        status,
        severity: Severity::High,
        assignee: None,
        created_by: "ana".into(),
        created_at: Timestamp(1),
        updated_at: Timestamp(n as i64),
        members: alerts.iter().map(member).collect(),
        comments: Vec::new(),
        timeline: Vec::new(),
        merged_into: None,
        status_before: None,
        merged: Vec::new(),
        archived: false,
    }
}

pub(crate) async fn silences_and_cases_read_back(ground: &Ground) {
    let store = ground.open().await;
    let (state, triage) = (store.state(), store.triage());
    let silences =
        vec![silence(1, SilenceState::Over), silence(2, SilenceState::Active), silence(3, SilenceState::Waiting)];
    let archived = Case { archived: true, ..case(3, "Old", CaseStatus::Closed, &[]) };
    let cases = vec![
        case(1, "Key theft", CaseStatus::Open, &[]),
        case(2, "50% off", CaseStatus::Closed, &[]),
        archived.clone(),
    ];
    let given = Delta { silences: silences.clone(), cases: cases.clone(), ..delta(1) };
    assert_eq!(state.apply(given).await, Ok(()));
    assert_eq!(state.load_silences().await, Ok(silences[1..].to_vec()));
    assert_eq!(state.load_cases().await, Ok(cases[..2].to_vec()));
    assert_eq!(triage.silence(SilenceId(1)).await, Ok(Some(silences[0].clone())));
    assert_eq!(triage.silence(SilenceId(9)).await, Ok(None));
    assert_eq!(triage.case(CaseId(3)).await, Ok(Some(archived)));
    for (active, expected) in [(None, vec![3, 2, 1]), (Some(true), vec![2]), (Some(false), vec![3, 1])] {
        let page = triage.silences(active, PageRequest::first(PAGE_MAX)).await.expect("lists");
        let ids: Vec<u128> = page.items.iter().map(|(_, row)| row.id.0).collect();
        assert_eq!(ids, expected, "{active:?}");
    }
    for (status, query, expected) in [
        (None, None, vec![3, 2, 1]),
        (Some(CaseStatus::Closed), None, vec![3, 2]),
        (None, Some("THEFT"), vec![1]),
        (None, Some("%"), vec![2]),
        (Some(CaseStatus::Open), Some("off"), vec![]),
    ] {
        let filter = CaseFilter { status, query: query.map(str::to_owned) };
        let mut ids = Vec::new();
        let mut page = PageRequest::first(1);
        loop {
            let found = triage.cases(filter.clone(), page).await.expect("lists");
            ids.extend(found.items.iter().map(|(_, row)| row.id.0));
            match found.items.last() {
                Some((cursor, _)) if found.has_next => page = PageRequest { first: 1, after: Some(cursor.clone()) },
                _ => break,
            }
        }
        assert_eq!(ids, expected, "{query:?}");
    }
    // A change takes the row's place, and its alerts are those it has now.
    let (one, two) = (alert(1, 1, &[]), alert(2, 2, &[]));
    let put = |n, alerts: &[&Alert]| Delta { cases: vec![case(1, "Key theft", CaseStatus::Open, alerts)], ..delta(n) };
    let events = vec![alert_event(1, one.clone()), alert_event(2, two.clone())];
    assert_eq!(state.apply(Delta { alert_events: events, ..put(2, &[&one, &two]) }).await, Ok(()));
    assert_eq!(state.apply(put(3, &[&two])).await, Ok(()));
    let filter = AlertFilter { case: Some(CaseId(1)), ..AlertFilter::default() };
    let page = store.records().alerts(filter, PageRequest::first(PAGE_MAX)).await.expect("lists");
    assert_eq!(page.items.iter().map(|(_, row)| row.id).collect::<Vec<_>>(), [two.id]);
}

pub(crate) async fn alerts_by_what_people_did(ground: &Ground) {
    let store = ground.open().await;
    let mute = Mute { kind: MuteKind::Storm, reason: "storm".to_owned(), until: None, silence: None, by: None };
    let resolved = |n: u64, verdict: Verdict, entities: &[&str]| Alert {
        status: AlertStatus::Resolved,
        verdict: Some(verdict),
        ..alert(n, n as i64, entities)
    };
    let alerts = [
        Alert { muted: Some(mute), ..alert(1, 1, &[]) },
        Alert { assignee: Some("Bo".into()), escalation: 2, ..alert(2, 2, &["Mia_Holm"]) },
        resolved(3, Verdict::TruePositive, &["x"]),
        Alert { escalation: 1, ..resolved(4, Verdict::Benign, &["x"]) },
        Alert { title: "100% ODD\0".to_owned(), techniques: Vec::new(), ..alert(5, 5, &["x"]) },
    ];
    let events = alerts.iter().zip(1..).map(|(alert, n)| alert_event(n, alert.clone())).collect();
    assert_eq!(store.state().apply(Delta { alert_events: events, ..delta(1) }).await, Ok(()));
    let records = store.records();
    let check = async |filter: AlertFilter, expected: &[i64]| {
        let page = records.alerts(filter.clone(), PageRequest::first(PAGE_MAX)).await.expect("lists");
        let times: Vec<i64> = page.items.iter().map(|(_, alert)| alert.updated_at.0).collect();
        assert_eq!(times, expected, "{filter:?}");
    };
    let any = AlertFilter::default;
    check(AlertFilter { muted: Some(true), ..any() }, &[1]).await;
    check(AlertFilter { muted: Some(false), ..any() }, &[5, 4, 3, 2]).await;
    check(AlertFilter { overdue: Some(true), ..any() }, &[2]).await;
    check(AlertFilter { overdue: Some(false), muted: Some(false), ..any() }, &[5, 4, 3]).await;
    check(AlertFilter { assignee: Some("bO".into()), ..any() }, &[2]).await;
    check(AlertFilter { assignee: Some("b".into()), ..any() }, &[]).await;
    check(AlertFilter { verdict: vec![Verdict::Benign, Verdict::TruePositive], ..any() }, &[4, 3]).await;
    for (query, expected) in
        [("alert 3", [3].as_slice()), ("100% odd", &[5]), ("mia_holm", &[2]), ("mia-holm", &[]), ("", &[5, 4, 3, 2, 1])]
    {
        check(AlertFilter { query: Some(query.to_owned()), ..any() }, expected).await;
    }
    check(AlertFilter { query: Some("x".to_owned()), status: vec![AlertStatus::Resolved], ..any() }, &[4, 3]).await;
    check(AlertFilter { case: Some(CaseId(7)), ..any() }, &[]).await;
    // Past alerts worth comparing: resolved, with an entity or a technique of it.
    let triage = store.triage();
    let alike = async |alert: &Alert, max: usize| -> Vec<i64> {
        triage.alike(alert, max).await.expect("reads").iter().map(|alert| alert.updated_at.0).collect()
    };
    assert_eq!(alike(&alerts[4], 10).await, [4, 3]);
    assert_eq!(alike(&alerts[0], 10).await, [4, 3]);
    assert_eq!(alike(&alerts[2], 10).await, [4], "not itself");
    assert_eq!(alike(&alerts[0], 1).await, [4]);
    let none = Alert { techniques: Vec::new(), ..alert(9, 9, &["nobody"]) };
    assert_eq!(alike(&none, 10).await, [0; 0]);
    let ids = [alerts[1].id, alerts[3].id, alerts[1].id];
    assert_eq!(triage.alerts_by_id(&ids).await.expect("reads").len(), 2);
}
