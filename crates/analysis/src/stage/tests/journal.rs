//! Nothing depends on restarts, on how the input was cut, or on the order within a minute.

use proptest::prelude::*;
use riskgraph_domain::alert::{AlertStatus, Verdict};
use riskgraph_domain::command::Change;
use riskgraph_domain::signal::TouchRole;
use riskgraph_domain::{EntityKind as E, VendorId};

use crate::stage::testing::{HOUR, Input, MINUTE, Rows, SECOND, World, command, input, vendor};

/// One record of a small world, made of a few numbers.
fn record(i: usize, (what, who, score, minute): (u8, u8, f64, i64)) -> Input {
    let (id, offset) = (format!("e{i}"), minute * MINUTE + i as i64 % 60 * SECOND);
    let (user, key, address) = (format!("u{}", who % 7), format!("ak_key{}", who % 3), format!("192.0.2.{}", who % 5));
    let name = format!("partner-{}", who % 3);
    let score = if what % 3 == 0 { score } else { 0.0 };
    match what % 8 {
        0..=2 => {
            let json = format!(
                r#"{{"kind":"auth.login","outcome":"success","actor":{{"user":"{user}"}},"client":{{"ip":"{address}","asn":{who},"country":"DE","device":"d{}"}}}}"#,
                who % 4
            );
            let touched =
                [(E::User, user.as_str(), TouchRole::Subject), (E::Address, address.as_str(), TouchRole::Involved)];
            let signals: &[(&str, f64, &[_])] = &[("odd_login", score, &touched)];
            input(&id, offset, &json, if score > 0.05 { signals } else { &[] })
        }
        3..=5 => {
            let json = format!(
                r#"{{"kind":"api.call","outcome":"success","actor":{{"integration":"{name}","key":"{key}"}},"client":{{"ip":"{address}"}}}}"#
            );
            let touched =
                [(E::ApiKey, key.as_str(), TouchRole::Subject), (E::Integration, name.as_str(), TouchRole::Involved)];
            let signals: &[(&str, f64, &[_])] = &[("odd_call", score, &touched)];
            input(&id, offset, &json, if score > 0.05 { signals } else { &[] })
        }
        6 => {
            let json = format!(
                r#"{{"kind":"vendor.incident","object":{{"type":"company","id":"Partner {} Ltd"}},"message":"breach"}}"#,
                who % 4
            );
            input(&id, offset, &json, &[])
        }
        _ => {
            let json = format!(
                r#"{{"kind":"leak.record","object":{{"type":"api_key"}},"labels":{{"prefix":"{key}","source":"paste"}}}}"#
            );
            input(&id, offset, &json, &[])
        }
    }
}

fn journal(seeds: &[(u8, u8, f64, i64)]) -> Vec<Input> {
    let mut inputs = vec![
        command(0, vendor("Partner 0 GmbH", &["partner-zero.example"], &["partner-0"])),
        command(0, vendor("Partner 1 Inc.", &["partner-one.example"], &[])),
    ];
    inputs.extend(seeds.iter().enumerate().map(|(i, &seed)| record(i, seed)));
    inputs
}

fn run(inputs: &[Input], cuts: &[usize], restart: Restart) -> World {
    let mut world = World::new();
    let mut from = 0;
    for &cut in cuts.iter().chain([&inputs.len()]) {
        let to = cut.clamp(from, inputs.len());
        world.run(&inputs[from..to]);
        from = to;
        if restart == Restart::AtEachCut {
            world = World { stage: world.rows.load(), rows: world.rows };
        }
    }
    world
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Restart {
    Never,
    AtEachCut,
}

/// What people see of the open alerts, without ids.
fn told(world: &World) -> Vec<(String, u32, f64, u32)> {
    let mut told: Vec<_> = world
        .open()
        .iter()
        .map(|alert| (alert.severity.as_str().to_owned(), alert.count, alert.score, alert.entities_total))
        .collect();
    told.sort_by(|a, b| a.partial_cmp(b).expect("scores are numbers"));
    told
}

/// Compares table by table, so that a difference can be read.
fn same(a: &Rows, b: &Rows) -> Result<(), TestCaseError> {
    for (one, other) in a.entities.values().zip(b.entities.values()) {
        prop_assert_eq!(one, other);
    }
    for (one, other) in a.relations.values().zip(b.relations.values()) {
        prop_assert_eq!(one, other);
    }
    for (one, other) in a.sequence.iter().zip(&b.sequence) {
        prop_assert_eq!(one, other);
    }
    prop_assert_eq!(a.blobs.keys().collect::<Vec<_>>(), b.blobs.keys().collect::<Vec<_>>());
    prop_assert!(a == b);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn restarts_and_cuts_change_nothing(
        seeds in prop::collection::vec((any::<u8>(), any::<u8>(), 0.0..1.0_f64, 0..3000_i64), 1..60),
        mut cuts in prop::collection::vec(0..60_usize, 0..6),
    ) {
        cuts.sort_unstable();
        let inputs = journal(&seeds);
        let whole = run(&inputs, &[], Restart::Never);
        let cut = run(&inputs, &cuts, Restart::Never);
        same(&whole.rows, &cut.rows)?;
        let restarted = run(&inputs, &cuts, Restart::AtEachCut);
        same(&whole.rows, &restarted.rows)?;
        for (id, row) in &whole.rows.entities {
            let (a, b) = (whole.stage.graph().risk(*id), restarted.stage.graph().risk(*id));
            prop_assert_eq!(a.map(|risk| (risk.score, risk.own)), b.map(|risk| (risk.score, risk.own)), "{:?}", row);
        }
    }

    #[test]
    fn risk_adds_up_exactly_and_stays_in_range(
        seeds in prop::collection::vec((any::<u8>(), any::<u8>(), 0.0..1.0_f64, 0..3000_i64), 1..80),
    ) {
        let world = run(&journal(&seeds), &[], Restart::Never);
        for id in world.rows.entities.keys() {
            let risk = world.stage.graph().risk(*id).expect("known");
            let sum: f64 = risk.contributions.iter().map(|part| part.points).sum();
            let own: f64 = risk.contributions.iter().filter(|part| part.via.is_none()).map(|part| part.points).sum();
            prop_assert!(sum == risk.score && own == risk.own && risk.own + risk.propagated == risk.score, "{:?}", risk);
            prop_assert!((0.0..=100.0).contains(&risk.score), "{:?}", risk);
        }
    }

    #[test]
    fn the_order_within_a_minute_does_not_matter(
        // Few who share little: an address at its limit of sharers links or not by who came first (docs/correlation.md).
        seeds in prop::collection::vec((0..6_u8, 0..5_u8, 0.2..1.0_f64, 0..1_i64), 2..24),
        order in any::<u64>(),
    ) {
        // Everybody has been here before; what is shuffled are one minute's signals.
        let mut inputs = journal(&[]);
        inputs.extend(seeds.iter().enumerate().map(|(i, &(what, who, ..))| record(100 + i, (what, who, 0.0, -10))));
        let minute: Vec<Input> = seeds.iter().enumerate().map(|(i, &seed)| record(i, seed)).collect();
        let mut shuffled: Vec<(u64, Input)> = minute
            .iter()
            .enumerate()
            .map(|(i, input)| ((i as u64 + 1).wrapping_mul(order | 1).rotate_left(17), input.clone()))
            .collect();
        shuffled.sort_by_key(|(rank, _)| *rank);
        let straight = run(&[inputs.clone(), minute].concat(), &[], Restart::Never);
        let other = run(&[inputs, shuffled.into_iter().map(|(_, input)| input).collect()].concat(), &[], Restart::Never);
        let counts = |world: &World| {
            let mut counts: Vec<_> = told(world).into_iter().map(|(_, count, _, total)| (count, total)).collect();
            counts.sort_unstable();
            counts
        };
        prop_assert_eq!(counts(&straight), counts(&other));
    }
}

#[test]
fn commands_survive_restarts_too() {
    let id = VendorId::of(&["partner-zero.example"]);
    let mut inputs = journal(&[(0, 1, 0.6, 1), (3, 0, 0.5, 2), (6, 0, 0.5, 3), (3, 0, 0.7, 4)]);
    let world = run(&inputs, &[], Restart::Never);
    let alert = world.open()[0].id;
    inputs.push(command(HOUR, Change::AcknowledgeAlert { id: alert, note: Some("looking".to_owned()) }));
    inputs.push(command(2 * HOUR, Change::AssignAlert { id: alert, assignee: "bo".into() }));
    inputs.push(command(3 * HOUR, Change::ResolveAlert { id: alert, verdict: Verdict::Benign, note: None }));
    inputs.push(command(4 * HOUR, Change::RemoveVendor { id }));
    let n = inputs.len();
    let whole = run(&inputs, &[], Restart::Never);
    let restarted = run(&inputs, &[n - 4, n - 3, n - 2, n - 1], Restart::AtEachCut);
    assert_eq!(whole.rows, restarted.rows);
    assert_eq!(whole.rows.alerts[&alert].status, AlertStatus::Resolved);
    assert!(!whole.rows.vendors.contains_key(&id));
}
