//! Silences, inhibition, storms and due times, through the whole stage.

use riskgraph_domain::alert::{Alert, AlertCause as C, AlertChange, MuteKind, Verdict};
use riskgraph_domain::command::Change;
use riskgraph_domain::signal::TouchRole;
use riskgraph_domain::time::DAY_MS;
use riskgraph_domain::triage::{MatchField, MatchOp, Matcher, SilenceInput, SilenceState};
use riskgraph_domain::{AlertId, EntityKind as E, FaultCode, Severity, SilenceId};

use super::triage::oddity;
use crate::stage::testing::{HOUR, MINUTE, World, at, input};

const QUIET: &str = r#"{"kind":"account.change","outcome":"success","actor":{"user":"x"}}"#;

fn silence(n: u128, field: MatchField, value: &str, until: i64) -> Change {
    let matchers = vec![Matcher { field, op: MatchOp::Contains, value: value.into() }];
    let input = SilenceInput { matchers, reason: "load test".to_owned(), starts_at: None, ends_at: at(until) };
    Change::CreateSilence { id: SilenceId(n), input }
}

fn kind(alert: &Alert) -> Option<MuteKind> {
    alert.muted.as_ref().map(|mute| mute.kind)
}

fn review(world: &mut World, offset: i64) {
    assert!(world.stage.review_due(at(offset)), "something is due");
    assert_eq!(world.change(offset, Change::Review), Ok(()));
    assert!(!world.stage.review_due(at(offset)), "a review leaves nothing due");
}

#[test]
fn a_silence_mutes_what_is_open_and_what_comes() {
    let mut world = World::new();
    world.run(&[oddity("e1", 0, "tester-1", 0.5), oddity("e2", 0, "somebody", 0.5)]);
    assert_eq!(world.change(MINUTE, silence(1, MatchField::Entity, "tester-", HOUR)), Ok(()));
    assert_eq!(world.told_after(2), [(AlertChange::Updated, C::Muted, "odd at tester-1")]);
    world.run(&[oddity("e3", 2, "tester-2", 0.5)]);
    for (title, muted) in [("odd at tester-1", true), ("odd at somebody", false), ("odd at tester-2", true)] {
        let alert = world.alert(title);
        assert_eq!(kind(alert), muted.then_some(MuteKind::Silenced), "{title}");
        assert!(alert.score > 0.0 && !alert.entities.is_empty());
        if let Some(mute) = &alert.muted {
            assert_eq!((mute.silence, mute.until, mute.by), (Some(SilenceId(1)), Some(at(HOUR)), None));
            assert_eq!(mute.reason, "load test");
        }
    }
    assert_eq!(world.rows.silences[&SilenceId(1)].mutes, 2);
    assert_eq!(world.rows.sequence[3].change, AlertChange::Opened);
    assert!(world.rows.sequence[3].muted(), "what is muted from its beginning is in the sequence, muted");
    // A restart tells nothing again, and the silence goes on.
    world = world.restarted();
    assert!(!world.stage.review_due(at(HOUR - 1)));
    review(&mut world, HOUR);
    assert_eq!(world.rows.silences[&SilenceId(1)].state, SilenceState::Over);
    let unmuted = world.told_after(4);
    assert_eq!(unmuted.len(), 2);
    assert!(unmuted.iter().all(|(change, cause, _)| (*change, *cause) == (AlertChange::Updated, C::Unmuted)));
    assert!(world.restarted().open().iter().all(|alert| alert.muted.is_none()));
}

#[test]
fn silences_can_wait_and_be_ended() {
    let mut world = World::new();
    world.run(&[oddity("e1", 0, "u1", 0.5)]);
    let Change::CreateSilence { id, mut input } = silence(1, MatchField::Title, "odd", 3 * HOUR) else { return };
    input.starts_at = Some(at(HOUR));
    assert_eq!(world.change(MINUTE, Change::CreateSilence { id, input }), Ok(()));
    assert_eq!(world.rows.sequence.len(), 1);
    review(&mut world, HOUR);
    assert_eq!(kind(world.alert("odd at u1")), Some(MuteKind::Silenced));
    assert_eq!(world.change(2 * HOUR, Change::ExpireSilence { id }), Ok(()));
    assert_eq!(kind(world.alert("odd at u1")), None);
    assert_eq!(world.rows.silences[&id].ends_at, at(2 * HOUR));
    assert_eq!(
        world.change(2 * HOUR, Change::ExpireSilence { id }).map_err(|fault| fault.code),
        Err(FaultCode::NotFound)
    );
    let wrong = silence(2, MatchField::Title, "odd", HOUR);
    assert_eq!(world.change(2 * HOUR, wrong).map_err(|fault| fault.code), Err(FaultCode::BadInput));
}

#[test]
fn a_clock_that_went_back_ends_silences_it_could_not_have_set() {
    let mut world = World::new();
    world.run(&[oddity("e1", 0, "u1", 0.5)]);
    let year = 365 * DAY_MS;
    assert_eq!(world.change(year, silence(1, MatchField::Title, "odd", year + HOUR)), Ok(()));
    assert_eq!(kind(world.alert("odd at u1")), Some(MuteKind::Silenced));
    review(&mut world, HOUR);
    assert_eq!(kind(world.alert("odd at u1")), None);
}

#[test]
fn a_critical_alert_mutes_small_ones_on_the_same_entity() {
    let mut world = World::new();
    // Resting alerts do not merge: one window apart they are two stories of one user.
    let far = 80 * 60;
    world.run(&[oddity("e1", 0, "u1", 0.3), oddity("e2", 1, "u2", 0.3)]);
    world.run(&[oddity("e3", far, "u1", 0.9)]);
    let muted: Vec<(Severity, Option<MuteKind>)> =
        world.open().iter().map(|alert| (alert.severity, kind(alert))).collect();
    let critical = (Severity::Critical, None);
    assert_eq!(muted, [(Severity::Low, Some(MuteKind::Inhibited)), (Severity::Low, None), critical]);
    let parent_id = world.open()[2].id;
    assert_eq!(world.open()[0].muted.as_ref().and_then(|mute| mute.by), Some(parent_id));
    world = world.restarted();
    assert_eq!(
        world.change(far * MINUTE + HOUR, Change::ResolveAlert { id: parent_id, verdict: Verdict::Benign, note: None }),
        Ok(())
    );
    assert!(world.open().iter().all(|alert| alert.muted.is_none()), "its mute goes with it");
    let last: Vec<C> = world.rows.sequence.iter().rev().take(2).map(|event| event.cause).collect();
    assert_eq!(last, [C::Unmuted, C::Resolved]);
}

#[test]
fn what_is_silenced_mutes_nothing() {
    let mut world = World::new();
    let far = 80 * 60;
    world.run(&[oddity("e1", 0, "u1", 0.3), oddity("e3", far, "u1", 0.9)]);
    assert_eq!(kind(world.open()[0]), Some(MuteKind::Inhibited));
    let critical = Matcher { field: MatchField::Severity, op: MatchOp::AtLeast, value: "CRITICAL".into() };
    let input = SilenceInput {
        matchers: vec![critical],
        reason: "drill".to_owned(),
        starts_at: None,
        ends_at: at(far * MINUTE + 2 * HOUR),
    };
    let id = SilenceId(1);
    assert_eq!(world.change(far * MINUTE + HOUR, Change::CreateSilence { id, input }), Ok(()));
    assert_eq!(world.open().iter().map(|alert| kind(alert)).collect::<Vec<_>>(), [None, Some(MuteKind::Silenced)]);
    assert_eq!(world.change(far * MINUTE + HOUR, Change::ExpireSilence { id }), Ok(()));
    assert_eq!(world.open().iter().map(|alert| kind(alert)).collect::<Vec<_>>(), [Some(MuteKind::Inhibited), None]);
}

/// This many alerts of one detector within two minutes.
fn storm(n: i64) -> World {
    let mut world = World::new();
    for i in 0..n {
        let user = format!("u{i}");
        let touched = [(E::User, user.as_str(), TouchRole::Subject)];
        world.run(&[input(&format!("s{i}"), i * 100, QUIET, &[("odd", 0.5, &touched)])]);
    }
    world
}

fn summary(world: &World) -> &Alert {
    let mut found = world.rows.alerts.values().filter(|alert| alert.title.starts_with("Alert storm"));
    let first = found.next().expect("a summary");
    assert!(found.next().is_none(), "one summary");
    first
}

#[test]
fn a_storm_of_a_thousand_is_told_by_one_alert() {
    let mut world = storm(1_000);
    let told = summary(&world).clone();
    let (muted, open): (Vec<&Alert>, Vec<&Alert>) = world.open().into_iter().partition(|alert| alert.muted.is_some());
    // The test's policy lets ten through; the summary is the eleventh.
    assert_eq!((muted.len(), open.len()), (990, 11));
    for alert in &muted {
        let mute = alert.muted.as_ref().expect("muted");
        assert_eq!((mute.kind, mute.by), (MuteKind::Storm, Some(told.id)));
    }
    let heard = world.rows.sequence.iter().filter(|event| !event.muted()).count();
    assert!(heard <= 10 + 12, "{heard} changes are told");
    world = world.restarted();
    // When it pauses the count is told, before the storm is over.
    review(&mut world, 2 * MINUTE);
    assert_eq!(summary(&world).count, 990);
    review(&mut world, HOUR);
    let alert = summary(&world);
    assert_eq!((alert.count, alert.title.as_str()), (990, "Alert storm: 990 alerts of odd"));
    assert!(alert.summary.contains("990 alerts of odd") && alert.timeline.len() > 20);
    assert!(alert.timeline.iter().any(|entry| entry.text.contains("odd at u10 (")));
    assert!(alert.timeline.iter().any(|entry| entry.text.contains("odd at u999 (")));
    assert!(alert.timeline.iter().any(|entry| entry.text.contains("The storm is over: 990 alerts")));
    // A later alert is told again.
    world.run(&[oddity("later", 600, "later", 0.5)]);
    assert_eq!(kind(world.alert("odd at later")), None);
}

#[test]
fn resolving_a_storm_resolves_what_is_folded_into_it() {
    let mut world = storm(30).restarted();
    let id = summary(&world).id;
    assert_eq!(world.change(HOUR, Change::ResolveAlert { id, verdict: Verdict::FalsePositive, note: None }), Ok(()));
    assert_eq!(world.open().len(), 10);
    let resolved = world.rows.alerts.values().filter(|alert| alert.verdict == Some(Verdict::FalsePositive)).count();
    assert_eq!(resolved, 21);
}

#[test]
fn an_alert_of_a_storm_that_gets_worse_is_told() {
    let mut world = storm(20);
    assert_eq!(kind(world.alert("odd at u15")), Some(MuteKind::Storm));
    world.run(&[oddity("worse", 5, "u15", 0.95)]);
    let alert = world.alert("odd at u15");
    assert_eq!((kind(alert), alert.severity), (None, Severity::Critical));
    assert_eq!(world.rows.sequence.last().map(|event| event.change), Some(AlertChange::Escalated));
}

#[test]
fn overdue_alerts_are_told_level_by_level() {
    let mut world = World::new();
    world.run(&[oddity("e1", 0, "u1", 0.9)]);
    assert_eq!(world.alert("odd at u1").due_at, Some(at(HOUR)));
    assert!(!world.stage.review_due(at(HOUR - 1)));
    for (minute, level) in [(60, 1), (90, 2), (150, 4)] {
        review(&mut world, minute * MINUTE);
        assert_eq!(world.alert("odd at u1").escalation, level);
        world = world.restarted();
    }
    assert!(!world.stage.review_due(at(1_000 * HOUR)), "it is told as often as the policy says");
    let causes: Vec<C> = world.rows.sequence.iter().map(|event| event.cause).collect();
    assert_eq!(causes, [C::Signal, C::Overdue, C::Overdue, C::Overdue]);
    // Somebody says when.
    let id = world.alert("odd at u1").id;
    assert_eq!(world.change(160 * MINUTE, Change::SetAlertDue { id, due_at: at(5 * HOUR) }), Ok(()));
    assert_eq!(world.alert("odd at u1").escalation, 0);
    review(&mut world, 5 * HOUR);
    assert_eq!(world.alert("odd at u1").escalation, 1);
}

#[test]
fn what_is_muted_is_overdue_only_when_it_is_told_again() {
    let mut world = World::new();
    world.run(&[oddity("e1", 0, "u1", 0.9)]);
    assert_eq!(world.change(MINUTE, silence(1, MatchField::Title, "odd", 3 * HOUR)), Ok(()));
    assert!(!world.stage.review_due(at(3 * HOUR - 1)));
    assert_eq!(world.change(3 * HOUR, Change::Review), Ok(()));
    assert_eq!(world.change(3 * HOUR, Change::Review), Ok(()));
    let alert = world.alert("odd at u1");
    assert_eq!((kind(alert), alert.escalation), (None, 4));
}

#[test]
fn the_clock_may_jump() {
    let mut world = World::new();
    world.run(&[oddity("e1", 0, "u1", 0.9)]);
    let id: AlertId = world.alert("odd at u1").id;
    review(&mut world, 10_000 * DAY_MS);
    assert_eq!((world.rows.sequence.len(), world.rows.alerts[&id].escalation), (2, 4));
    // Back again: nothing is due by itself, and a review puts right what the wrong clock did.
    assert!(!world.stage.review_due(at(MINUTE)));
    assert_eq!(world.change(MINUTE, Change::Review), Ok(()));
    assert_eq!(world.rows.alerts[&id].escalation, 0);
    assert_eq!(world.rows.sequence.last().map(|event| event.cause), Some(C::DueSet));
    review(&mut world, HOUR);
    assert_eq!(world.rows.alerts[&id].escalation, 1);
}
