//! What people do to alerts, open ones and those that are over.

use riskgraph_domain::alert::{AlertCause as C, AlertChange, AlertStatus, COMMENTS_MAX, RESPONSES_MAX, Verdict};
use riskgraph_domain::command::{Change, Command};
use riskgraph_domain::ports::Delta;
use riskgraph_domain::signal::TouchRole;
use riskgraph_domain::time::DAY_MS;
use riskgraph_domain::{AlertId, EntityKind as E, FaultCode};

use crate::stage::testing::{HOUR, Input, MINUTE, World, at, context, input};

const QUIET: &str = r#"{"kind":"account.change","outcome":"success","actor":{"user":"x"}}"#;

pub(super) fn oddity(id: &str, minute: i64, user: &str, score: f64) -> Input {
    input(id, minute * MINUTE, QUIET, &[("odd", score, &[(E::User, user, TouchRole::Subject)])])
}

fn world() -> (World, AlertId) {
    let mut world = World::new();
    world.run(&[oddity("e1", 0, "u1", 0.5)]);
    let id = world.open()[0].id;
    (world, id)
}

fn resolve(id: AlertId, verdict: Verdict, note: Option<&str>) -> Change {
    Change::ResolveAlert { id, verdict, note: note.map(str::to_owned) }
}

fn comment(id: AlertId, text: &str) -> Change {
    Change::CommentAlert { id, text: text.to_owned() }
}

#[test]
fn each_change_is_an_entry_with_cause_and_actor() {
    let (mut world, id) = world();
    let response = |key: &str, contained: Option<i64>| Change::RecordResponse {
        alert: id,
        key: key.into(),
        text: "blocked 192.0.2.7".to_owned(),
        contained_at: contained.map(|minute| at(minute * MINUTE)),
    };
    let steps = [
        (Change::AcknowledgeAlert { id, note: Some("looking".to_owned()) }, C::Acknowledged, "Acknowledged: looking"),
        (Change::AssignAlert { id, assignee: "bo".into() }, C::Assigned, "Assigned to bo"),
        (comment(id, " a word "), C::Commented, "Comment: a word"),
        (Change::SetAlertDue { id, due_at: at(DAY_MS) }, C::DueSet, "Due at 2026-03-03T08:00:00.000Z"),
        (response("run/1", None), C::Response, "blocked 192.0.2.7"),
        (response("run/2", Some(7)), C::Response, "blocked 192.0.2.7"),
        (resolve(id, Verdict::TruePositive, Some("it was he")), C::Resolved, "Resolved as TRUE_POSITIVE: it was he"),
    ];
    for (place, (change, cause, text)) in steps.into_iter().enumerate() {
        assert_eq!(world.change((place as i64 + 1) * MINUTE, change), Ok(()));
        let event = world.rows.sequence.last().expect("told");
        assert_eq!((event.sequence, event.cause, event.actor.as_deref()), (place as u64 + 2, cause, Some("ana")));
        let told = event.alert.timeline.iter().any(|entry| entry.text == text && entry.actor.as_deref() == Some("ana"));
        assert!(told, "{text}: {:?}", event.alert.timeline);
        assert_eq!((event.at, event.alert.revision), (at((place as i64 + 1) * MINUTE), event.sequence));
    }
    let alert = &world.rows.alerts[&id];
    assert_eq!((alert.status, alert.verdict), (AlertStatus::Resolved, Some(Verdict::TruePositive)));
    assert_eq!(alert.acknowledged_at, Some(at(MINUTE)));
    assert_eq!((alert.contained_at, alert.time_to_contain_s()), (Some(at(7 * MINUTE)), Some(420.0)));
    let resolution = alert.resolution.as_ref().expect("resolved");
    assert_eq!((resolution.by.as_deref(), resolution.reason.as_deref()), (Some("ana"), Some("it was he")));
    assert_eq!(alert.comments[0].text, "a word");
}

#[test]
fn a_response_is_noted_once_for_each_key() {
    let (mut world, id) = world();
    let response = |key: String| Change::RecordResponse {
        alert: id,
        key: key.into(),
        text: "done".to_owned(),
        contained_at: None,
    };
    for _ in 0..3 {
        assert_eq!(world.change(MINUTE, response("run/1".to_owned())), Ok(()));
    }
    assert_eq!(world.rows.sequence.len(), 2);
    world = world.restarted();
    assert_eq!(world.change(MINUTE, response("run/1".to_owned())), Ok(()));
    assert_eq!(world.rows.sequence.len(), 2);
    for n in 0..RESPONSES_MAX + 5 {
        assert_eq!(world.change(MINUTE, response(format!("more/{n}"))), Ok(()));
    }
    assert_eq!(world.rows.alerts[&id].responses.len(), RESPONSES_MAX);
    for key in [String::new(), "k".repeat(129)] {
        assert_eq!(world.change(MINUTE, response(key)).map_err(|fault| fault.code), Err(FaultCode::BadInput));
    }
    // Also on an alert that is over.
    assert_eq!(world.change(HOUR, resolve(id, Verdict::Benign, None)), Ok(()));
    let before = world.rows.sequence.len();
    for _ in 0..2 {
        assert_eq!(world.change(HOUR, response("late".to_owned())), Ok(()));
    }
    assert_eq!(world.rows.sequence.len(), before + 1);
}

#[test]
fn what_does_not_fit_is_refused() {
    let (mut world, id) = world();
    let none = AlertId::of(&["none"]);
    let check = |world: &mut World, change: Change, code: FaultCode| {
        let before = world.rows.clone();
        let fault = world.change(HOUR, change.clone()).expect_err("refused");
        assert_eq!(fault.code, code, "{change:?}");
        assert!(world.rows == before, "{change:?} left something behind");
    };
    check(&mut world, comment(none, "x"), FaultCode::NotFound);
    check(&mut world, Change::ReopenAlert { id: none, note: None }, FaultCode::NotFound);
    check(&mut world, Change::ReopenAlert { id, note: None }, FaultCode::Conflict);
    check(&mut world, Change::SetAlertDue { id, due_at: at(HOUR) }, FaultCode::BadInput);
    check(&mut world, Change::SetAlertDue { id, due_at: at(400 * DAY_MS) }, FaultCode::BadInput);
    assert_eq!(world.change(HOUR, resolve(id, Verdict::Benign, None)), Ok(()));
    check(&mut world, Change::AcknowledgeAlert { id, note: None }, FaultCode::Conflict);
    check(&mut world, Change::AssignAlert { id, assignee: "bo".into() }, FaultCode::Conflict);
    check(&mut world, Change::SetAlertDue { id, due_at: at(2 * HOUR) }, FaultCode::Conflict);
    let nested = Change::Recalled { alerts: Vec::new(), as_of: 0, change: Box::new(comment(id, "x")) };
    check(&mut world, Change::Recalled { alerts: Vec::new(), as_of: 0, change: Box::new(nested) }, FaultCode::BadInput);
}

#[test]
fn comments_have_a_bound() {
    let (mut world, id) = world();
    for n in 0..COMMENTS_MAX {
        assert_eq!(world.change(MINUTE, comment(id, &format!("comment {n}"))), Ok(()));
    }
    assert_eq!(world.change(MINUTE, comment(id, "one more")).map_err(|fault| fault.code), Err(FaultCode::Conflict));
    assert_eq!(world.rows.alerts[&id].comments.len(), COMMENTS_MAX);
}

#[test]
fn an_alert_that_is_over_is_commented_judged_anew_and_opened_again() {
    let (mut world, id) = world();
    assert_eq!(world.change(MINUTE, resolve(id, Verdict::FalsePositive, None)), Ok(()));
    world = world.restarted();
    assert_eq!(world.change(2 * MINUTE, comment(id, "on second thought")), Ok(()));
    assert_eq!(world.change(3 * MINUTE, resolve(id, Verdict::TruePositive, Some("seen again"))), Ok(()));
    world = world.restarted();
    assert_eq!(world.change(4 * MINUTE, Change::ReopenAlert { id, note: Some("not done".to_owned()) }), Ok(()));
    world = world.restarted();
    let alert = world.stage.alert(id).expect("open");
    assert_eq!((alert.status, alert.verdict, &alert.resolution), (AlertStatus::Open, None, &None));
    assert_eq!((alert.comments.len(), alert.escalation), (1, 0));
    assert!(alert.due_at.is_some_and(|due| due > at(4 * MINUTE)), "due anew");
    let told: Vec<_> = world.told_after(1).into_iter().map(|(change, cause, _)| (change, cause)).collect();
    let expected = [
        (AlertChange::Resolved, C::Resolved),
        (AlertChange::Updated, C::Commented),
        (AlertChange::Resolved, C::Resolved),
        (AlertChange::Updated, C::Reopened),
    ];
    assert_eq!(told, expected);
    // It waits for people: what comes now is a story of its own.
    world.run(&[oddity("e2", 5, "u1", 0.5)]);
    assert_eq!(world.open().len(), 2);
    assert_eq!(world.change(6 * MINUTE, Change::AcknowledgeAlert { id, note: None }), Ok(()));
}

#[test]
fn a_change_made_for_an_old_version_is_refused_and_fits_when_made_anew() {
    let (mut world, id) = world();
    assert_eq!(world.change(MINUTE, resolve(id, Verdict::Benign, None)), Ok(()));
    let old = world.rows.alerts[&id].clone();
    assert_eq!(world.change(2 * MINUTE, comment(id, "first")), Ok(()));
    let mut raced = |change: Change| {
        let command = Command { at: at(3 * MINUTE), by: "bo".into(), change };
        let mut delta = Delta::default();
        let result = world.stage.on_command(&command, &context(command.at.0), &mut delta);
        world.stage.flush(&mut delta);
        assert!(result.is_ok() || delta.alert_events.is_empty());
        world.rows.apply(delta);
        result.map_err(|fault| fault.code)
    };
    let stale = Change::Recalled { alerts: vec![old], as_of: 2, change: Box::new(comment(id, "second")) };
    assert_eq!(raced(stale), Err(FaultCode::Conflict));
    // It was still open when it was looked at.
    assert_eq!(raced(comment(id, "second")), Err(FaultCode::Conflict));
    assert_eq!(world.change(3 * MINUTE, comment(id, "second")), Ok(()));
    let texts: Vec<&str> = world.rows.alerts[&id].comments.iter().map(|comment| comment.text.as_str()).collect();
    assert_eq!(texts, ["first", "second"]);
}

#[test]
fn the_parts_of_a_score_add_up_to_it() {
    let mut world = World::new();
    let scores = [0.314_15, 0.5, 0.333_333, 0.9, 0.05, 0.777_777, 0.21];
    for (place, score) in scores.into_iter().enumerate() {
        let detector = ["odd", "odder", "oddest", "even", "evener"][place % 5];
        let id = format!("e{place}");
        let touched = [(E::User, "u1", TouchRole::Subject)];
        world.run(&[input(&id, place as i64 * MINUTE, QUIET, &[(detector, score, &touched)])]);
        for alert in world.open() {
            let sum: f64 = alert.score_parts.iter().map(|part| part.points).sum();
            assert_eq!((sum * 100.0).round() / 100.0, alert.score, "{:?}", alert.score_parts);
            for part in &alert.score_parts {
                assert_eq!((part.points * 100.0).round() / 100.0, part.points);
                assert!(part.detector.is_none() || part.signal.is_some(), "{part:?}");
            }
        }
    }
    let alert = world.open()[0];
    assert_eq!(alert.detectors.len(), 5);
    let first = &alert.score_parts[0];
    assert_eq!(first.detector.as_deref(), Some("even"), "the strongest comes first");
    assert!(alert.score_parts.windows(2).all(|pair| pair[0].points >= pair[1].points));
}

#[test]
fn what_was_known_before_is_a_part_of_its_own() {
    let world = super::odd_call_after("Logistix Ltd", None, 0.5);
    let alert = world.open()[0];
    let sum: f64 = alert.score_parts.iter().map(|part| part.points).sum();
    assert_eq!((sum * 100.0).round() / 100.0, alert.score);
    assert_eq!(alert.vendors, [riskgraph_domain::VendorId::of(&["logistix.example"])]);
}
