//! Cases: several alerts as one, merged and unmerged.

use riskgraph_domain::alert::{AlertCause, Verdict};
use riskgraph_domain::command::Change;
use riskgraph_domain::triage::{CASE_ALERTS_MAX, CaseInput, CaseStatus, CaseUpdate};
use riskgraph_domain::{AlertId, CaseId, FaultCode, Severity};

use super::triage::oddity;
use crate::stage::testing::{HOUR, MINUTE, World};

const A: CaseId = CaseId(1);
const B: CaseId = CaseId(2);
const C: CaseId = CaseId(3);

/// Four alerts; the last is resolved.
fn world() -> (World, Vec<AlertId>) {
    let mut world = World::new();
    let scores = [0.3, 0.5, 0.7, 0.9];
    for (n, score) in scores.into_iter().enumerate() {
        world.run(&[oddity(&format!("e{n}"), n as i64, &format!("u{n}"), score)]);
    }
    let ids: Vec<AlertId> = world.open().iter().map(|alert| alert.id).collect();
    world.change(MINUTE, Change::ResolveAlert { id: ids[3], verdict: Verdict::Benign, note: None }).expect("resolved");
    (world, ids)
}

fn create(id: CaseId, title: &str, alerts: &[AlertId]) -> Change {
    Change::CreateCase { id, input: CaseInput { title: title.to_owned(), alerts: alerts.to_vec(), assignee: None } }
}

fn members(world: &World, id: CaseId) -> Vec<AlertId> {
    world.rows.cases[&id].members.iter().map(|member| member.alert).collect()
}

fn cases(world: &World, alert: AlertId) -> Vec<CaseId> {
    world.rows.alerts[&alert].cases.clone()
}

#[test]
fn a_case_holds_alerts_and_each_says_so() {
    let (mut world, ids) = world();
    let before = world.rows.sequence.len();
    assert_eq!(world.change(HOUR, create(A, " Key theft ", &[ids[0], ids[3], ids[0]])), Ok(()));
    assert_eq!(world.change(HOUR, Change::AddToCase { id: A, alerts: vec![ids[1], ids[3]] }), Ok(()));
    assert_eq!(world.change(HOUR, create(B, "Another", &[ids[0]])), Ok(()));
    assert_eq!(members(&world, A), [ids[0], ids[3], ids[1]]);
    assert_eq!((cases(&world, ids[0]), cases(&world, ids[3])), (vec![A, B], vec![A]));
    let causes: Vec<AlertCause> = world.told_after(before).into_iter().map(|(_, cause, _)| cause).collect();
    assert_eq!(causes, [AlertCause::Case; 4]);
    assert_eq!((world.rows.cases[&A].title.as_str(), world.rows.cases[&A].severity), ("Key theft", Severity::Critical));
    world = world.restarted();
    assert_eq!(world.change(HOUR, Change::RemoveFromCase { id: A, alerts: vec![ids[3], ids[2]] }), Ok(()));
    assert_eq!(members(&world, A), [ids[0], ids[1]]);
    assert_eq!((cases(&world, ids[3]), world.rows.cases[&A].severity), (vec![], Severity::Medium));
    // The severity follows the alerts.
    world.run(&[oddity("e9", 60, "u0", 0.95)]);
    assert_eq!(world.rows.cases[&A].severity, Severity::Critical);
    assert_eq!(world.rows.cases[&B].severity, Severity::Critical);
}

#[test]
fn a_case_has_a_life_of_its_own() {
    let (mut world, ids) = world();
    assert_eq!(world.change(HOUR, create(A, "Case", &[ids[0]])), Ok(()));
    assert_eq!(world.change(HOUR, Change::CommentCase { id: A, text: "asked the vendor".to_owned() }), Ok(()));
    let update = |title: Option<&str>, assignee: Option<&str>, status: Option<CaseStatus>| Change::UpdateCase {
        id: A,
        update: CaseUpdate { title: title.map(str::to_owned), assignee: assignee.map(Into::into), status },
    };
    assert_eq!(world.change(HOUR, update(Some("New name"), Some("bo"), None)), Ok(()));
    assert_eq!(world.change(HOUR, update(None, None, Some(CaseStatus::Closed))), Ok(()));
    world = world.restarted();
    assert_eq!(world.change(2 * HOUR, update(None, None, Some(CaseStatus::Open))), Ok(()));
    let case = &world.rows.cases[&A];
    assert_eq!(
        (case.title.as_str(), case.assignee.as_deref(), case.status),
        ("New name", Some("bo"), CaseStatus::Open)
    );
    assert_eq!((case.comments[0].text.as_str(), case.comments[0].actor.as_str()), ("asked the vendor", "ana"));
    let told: Vec<&str> = case.timeline.iter().map(|entry| entry.text.as_str()).collect();
    let named = "Named 'New name'; Assigned to bo";
    assert_eq!(told, ["Opened", "1 alert put in", "Comment: asked the vendor", named, "Closed", "Opened again"]);
}

#[test]
fn merging_is_reversible() {
    let (mut world, ids) = world();
    assert_eq!(world.change(HOUR, create(A, "First", &[ids[0], ids[1]])), Ok(()));
    assert_eq!(world.change(HOUR, create(B, "Second", &[ids[1], ids[2], ids[3]])), Ok(()));
    let before = world.rows.sequence.len();
    assert_eq!(world.change(HOUR, Change::MergeCases { from: B, into: A }), Ok(()));
    assert_eq!(members(&world, A), [ids[0], ids[1], ids[2], ids[3]]);
    assert_eq!(world.rows.cases[&A].merged, [B]);
    assert_eq!((world.rows.cases[&B].merged_into, world.rows.cases[&B].status), (Some(A), CaseStatus::Closed));
    for id in &ids {
        assert_eq!(cases(&world, *id), [A], "{id}");
    }
    assert_eq!(world.told_after(before).len(), 3, "each alert of the merged case says so");
    // What is merged is changed through the other.
    let comment = Change::CommentCase { id: B, text: "x".to_owned() };
    assert_eq!(world.change(HOUR, comment).map_err(|fault| fault.code), Err(FaultCode::Conflict));
    world = world.restarted();
    assert_eq!(world.change(2 * HOUR, Change::UnmergeCase { id: B }), Ok(()));
    assert_eq!(members(&world, A), [ids[0], ids[1]]);
    assert_eq!(members(&world, B), [ids[1], ids[2], ids[3]]);
    assert_eq!((world.rows.cases[&B].merged_into, world.rows.cases[&B].status), (None, CaseStatus::Open));
    let mut both = cases(&world, ids[1]);
    both.sort_unstable();
    assert_eq!((cases(&world, ids[0]), both, cases(&world, ids[3])), (vec![A], vec![A, B], vec![B]));
    assert_eq!((world.rows.cases[&A].severity, world.rows.cases[&B].severity), (Severity::Medium, Severity::Critical));
}

#[test]
fn merges_nest_and_come_apart_from_the_outside() {
    let (mut world, ids) = world();
    for (id, alert) in [(A, ids[0]), (B, ids[1]), (C, ids[2])] {
        assert_eq!(world.change(HOUR, create(id, "case", &[alert])), Ok(()));
    }
    assert_eq!(world.change(HOUR, Change::MergeCases { from: A, into: B }), Ok(()));
    assert_eq!(world.change(HOUR, Change::MergeCases { from: B, into: C }), Ok(()));
    assert_eq!(members(&world, C), [ids[2], ids[1], ids[0]]);
    let early = Change::UnmergeCase { id: A };
    assert_eq!(world.change(HOUR, early.clone()).map_err(|fault| fault.code), Err(FaultCode::Conflict));
    assert_eq!(world.change(HOUR, Change::UnmergeCase { id: B }), Ok(()));
    assert_eq!(world.change(HOUR, early), Ok(()));
    assert_eq!([A, B, C].map(|id| members(&world, id)), [vec![ids[0]], vec![ids[1]], vec![ids[2]]]);
    assert_eq!(ids[..3].iter().map(|id| cases(&world, *id)).collect::<Vec<_>>(), [vec![A], vec![B], vec![C]]);
}

#[test]
fn what_does_not_fit_is_refused_whole() {
    let (mut world, ids) = world();
    assert_eq!(world.change(HOUR, create(A, "Case", &[ids[0]])), Ok(()));
    let none = AlertId::of(&["none"]);
    let many: Vec<AlertId> = (0..=CASE_ALERTS_MAX).map(|n| AlertId::of(&[&n.to_string()])).collect();
    for (change, code) in [
        (create(A, "Again", &[]), FaultCode::Conflict),
        (create(B, "  ", &[]), FaultCode::BadInput),
        (create(B, &"x".repeat(201), &[]), FaultCode::BadInput),
        (create(B, "Case", &[ids[1], none]), FaultCode::NotFound),
        (create(B, "Case", &many), FaultCode::Conflict),
        (Change::AddToCase { id: B, alerts: vec![ids[0]] }, FaultCode::NotFound),
        (Change::AddToCase { id: A, alerts: vec![ids[1], none] }, FaultCode::NotFound),
        (Change::MergeCases { from: A, into: A }, FaultCode::BadInput),
        (Change::MergeCases { from: A, into: B }, FaultCode::NotFound),
        (Change::UnmergeCase { id: A }, FaultCode::Conflict),
    ] {
        let before = world.rows.clone();
        assert_eq!(world.change(HOUR, change.clone()).map_err(|fault| fault.code), Err(code), "{change:?}");
        assert!(world.rows == before, "{change:?} left something behind");
    }
}

#[test]
fn the_alert_that_another_is_folded_into_is_in_its_cases() {
    let mut world = World::new();
    world.run(&[oddity("e1", 0, "a", 0.5), oddity("e2", 1, "b", 0.5)]);
    let ids: Vec<AlertId> = world.open().iter().map(|alert| alert.id).collect();
    assert_eq!(world.change(2 * MINUTE, create(A, "Case", &[ids[1]])), Ok(()));
    assert_eq!(world.change(2 * MINUTE, Change::CommentAlert { id: ids[1], text: "mine".to_owned() }), Ok(()));
    let json = r#"{"kind":"account.change","outcome":"success","actor":{"user":"x"}}"#;
    use riskgraph_domain::EntityKind::User;
    use riskgraph_domain::signal::TouchRole::{Involved, Subject};
    let both = [(User, "a", Subject), (User, "b", Involved)];
    world.run(&[crate::stage::testing::input("e3", 3 * MINUTE, json, &[("third", 0.5, &both)])]);
    assert_eq!(world.open().len(), 1);
    assert_eq!(members(&world, A), [ids[1], ids[0]]);
    assert_eq!((cases(&world, ids[0]), world.open()[0].comments.len()), (vec![A], 1));
}
