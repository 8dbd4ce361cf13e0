//! Whatever people do, in whatever order: a restart after each step changes nothing, and tells nothing again.

use proptest::prelude::*;
use riskgraph_domain::alert::{AlertStatus, Verdict};
use riskgraph_domain::command::Change;
use riskgraph_domain::triage::{CaseInput, CaseStatus, CaseUpdate, MatchField, MatchOp, Matcher, SilenceInput};
use riskgraph_domain::{AlertId, CaseId, SilenceId};

use super::triage::oddity;
use crate::stage::testing::{MINUTE, World, at};

/// One step, made of a few numbers: what, on which alert or case, and how many minutes later.
type Step = (u8, usize, i64);

fn silence(n: usize, minute: i64) -> Change {
    let field = if n.is_multiple_of(2) { MatchField::Entity } else { MatchField::Title };
    let matchers = vec![Matcher { field, op: MatchOp::Contains, value: format!("u{}", n % 5).into() }];
    let starts_at = n.is_multiple_of(3).then(|| at((minute + 20) * MINUTE));
    let ends_at = at((minute + 60) * MINUTE);
    let input = SilenceInput { matchers, reason: "drill".to_owned(), starts_at, ends_at };
    Change::CreateSilence { id: SilenceId(n as u128), input }
}

fn change(world: &World, what: u8, n: usize, minute: i64) -> Change {
    let ids: Vec<AlertId> = world.rows.alerts.keys().copied().collect();
    let id = ids.get(n % ids.len().max(1)).copied().unwrap_or(AlertId::of(&["none"]));
    let (case, other) = (CaseId((n % 4) as u128), CaseId((n / 4 % 4) as u128));
    let text = || format!("at {minute}");
    match what {
        0 => silence(n, minute),
        1 => Change::ExpireSilence { id: SilenceId(n as u128) },
        2 => Change::CommentAlert { id, text: text() },
        3 => Change::ResolveAlert { id, verdict: Verdict::ALL[n % Verdict::ALL.len()], note: Some(text()) },
        4 => Change::ReopenAlert { id, note: None },
        5 => Change::SetAlertDue { id, due_at: at((minute + 30) * MINUTE) },
        6 => Change::CreateCase { id: case, input: CaseInput { title: text(), alerts: vec![id], assignee: None } },
        7 => Change::AddToCase { id: case, alerts: vec![id] },
        8 => Change::RemoveFromCase { id: case, alerts: vec![id] },
        9 => Change::MergeCases { from: case, into: other },
        10 => Change::UnmergeCase { id: case },
        11 => Change::UpdateCase {
            id: case,
            update: CaseUpdate { status: Some(CaseStatus::ALL[n % 2]), ..CaseUpdate::default() },
        },
        12 => {
            Change::RecordResponse { alert: id, key: format!("run/{}", n % 7).into(), text: text(), contained_at: None }
        }
        13 => Change::AcknowledgeAlert { id, note: None },
        _ => Change::Review,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Restart {
    Never,
    AfterEach,
}

/// Runs all steps; gives how many of the changes fitted.
fn run(steps: &[Step], restart: Restart) -> (World, usize) {
    let mut world = World::new();
    let (mut minute, mut fitted) = (0, 0);
    for (place, &(what, n, pause)) in steps.iter().enumerate() {
        minute += pause;
        match what {
            0..=14 => {
                let change = change(&world, what, n, minute);
                fitted += usize::from(world.change(minute * MINUTE, change).is_ok());
            }
            // A burst is a storm in the policy of the tests.
            15 => {
                for i in 0..14 {
                    world.run(&[oddity(&format!("b{place}-{i}"), minute, &format!("u{place}x{i}"), 0.5)]);
                }
            }
            _ => {
                let score = [0.3, 0.5, 0.95][n % 3];
                world.run(&[oddity(&format!("e{place}"), minute, &format!("u{}", n % 9), score)]);
            }
        }
        if restart == Restart::AfterEach {
            world = world.restarted();
        }
    }
    (world, fitted)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_restart_after_each_step_changes_nothing(
        steps in prop::collection::vec((0..22_u8, 0..64_usize, 0..90_i64), 4..60),
    ) {
        let (whole, fitted) = run(&steps, Restart::Never);
        let (restarted, again) = run(&steps, Restart::AfterEach);
        prop_assert_eq!(fitted, again);
        prop_assert_eq!(&whole.rows.sequence, &restarted.rows.sequence);
        prop_assert_eq!(&whole.rows.silences, &restarted.rows.silences);
        prop_assert_eq!(&whole.rows.cases, &restarted.rows.cases);
        prop_assert!(whole.rows == restarted.rows);
        // What holds of every alert, whatever was done.
        for alert in whole.rows.alerts.values() {
            prop_assert_eq!(alert.status == AlertStatus::Resolved, alert.resolution.is_some(), "{:?}", alert);
            prop_assert_eq!(alert.status == AlertStatus::Resolved, alert.verdict.is_some());
            let sum: f64 = alert.score_parts.iter().map(|part| part.points).sum();
            prop_assert_eq!((sum * 100.0).round() / 100.0, alert.score, "{:?}", alert.score_parts);
            for case in &alert.cases {
                let holds = whole.rows.cases[case].members.iter().any(|member| member.alert == alert.id);
                prop_assert!(holds, "{} says it is in {}", alert.id, case);
            }
        }
        // Every open alert of a case says so, unless the case is merged into another.
        for case in whole.rows.cases.values().filter(|case| case.merged_into.is_none()) {
            for member in &case.members {
                let alert = &whole.rows.alerts[&member.alert];
                prop_assert!(alert.cases.contains(&case.id), "{:?} does not say it is in {}", alert.cases, case.id);
                prop_assert_eq!(alert.severity, member.severity);
            }
        }
    }
}
