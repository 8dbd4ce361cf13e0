//! The lab's stories through the whole judgement: attacks are caught at the severity they deserve, twins and normal days stay
//! quiet. Several seeds, so that nothing is tuned to one.

#![expect(clippy::expect_used, reason = "a test that cannot go on should panic")]

use riskgraph_analysis::replay::Replay;
use riskgraph_domain::Severity;
use riskgraph_domain::time::{DAY_MS, HOUR_MS};
use riskgraph_domain::vendor::VendorInput;
use riskgraph_lab::{DayFlavour, Detail, Labelled, Role, ScenarioId, Sheet, Shop, ShopOptions, Truth, shuffle_within};

/// Days of everyday traffic before anything happens: what the baselines need.
const HISTORY_DAYS: u32 = 8;
/// Alerts above LOW on all of these days together.
const FALSE_ALERTS_MAX: usize = HISTORY_DAYS as usize;
/// How small a shop: enough events an hour for the population detectors, few enough for a debug build.
const EVENTS_PER_DAY: u64 = 12_000;

/// Plays history, then a day with the happenings; gives the score sheet and the number of alerts above LOW on quiet days.
fn play(seed: u64, role: Role, detail: Detail) -> (Sheet, usize) {
    let varied = ShopOptions::varied(seed);
    let mut shop = Shop::new(ShopOptions { events_per_day: EVENTS_PER_DAY, n_users: 2_000, detail, ..varied });
    let mut replay = Replay::new().expect("shipped quantities");
    for company in shop.companies() {
        let input = VendorInput {
            name: company.name.as_str().into(),
            domains: vec![company.domain.as_str().into()],
            tier: Some(company.tier),
            owner: None,
            integrations: Some(company.integrations.iter().map(|name| name.as_str().into()).collect()),
        };
        replay.add_vendor(input, shop.midnight(0)).expect("the roster has no vendor twice");
    }
    let mut truth = Truth::default();
    for day in 0..HISTORY_DAYS {
        let events: Vec<Labelled> = shop.day(day, DayFlavour::Normal).collect();
        events.iter().for_each(|labelled| replay.event(&labelled.event));
    }
    let quiet_days = truth.compare(&replay.alert_events).false_alerts.len();
    let mut day = HISTORY_DAYS;
    for &id in ScenarioId::ALL {
        let midnight = shop.midnight(day);
        let at = midnight + 9 * HOUR_MS;
        let mut events = match role {
            Role::Attack => shop.scenario(id, at, 1.0),
            _ => shop.twin(id, at, 1.0),
        };
        // A story longer than its day goes on in the next ones.
        let last = events.iter().map(|labelled| labelled.event.time).max().unwrap_or(at);
        let days = ((last - midnight) / DAY_MS).clamp(0, 3) as u32 + 1;
        for offset in 0..days {
            events.extend(shop.day(day + offset, DayFlavour::Normal));
        }
        day += days;
        for labelled in shuffle_within(events, 60_000, seed) {
            truth.note(&labelled.event, labelled.label);
            replay.event(&labelled.event);
        }
    }
    (truth.compare(&replay.alert_events), quiet_days)
}

fn describe(sheet: &Sheet) -> String {
    let mut text = String::new();
    for verdict in &sheet.verdicts {
        let happening = &verdict.happening;
        let delay_s = verdict.caught_at.map(|at| (at - happening.starts) / 1_000);
        text += &format!(
            "{} {:?}: worst {:?}, {} alerts, after {delay_s:?} s of {} s\n",
            happening.scenario,
            happening.role,
            verdict.worst,
            verdict.alerts.len(),
            (happening.ends - happening.starts) / 1_000
        );
    }
    for alert in &sheet.false_alerts {
        text += &format!("false: {:?} {} {} | {}\n", alert.severity, alert.opened_at, alert.title, alert.summary);
        for entry in alert.timeline.iter().take(4) {
            text += &format!("    {} {}\n", entry.time, entry.text);
        }
    }
    text
}

/// Every attack deserves HIGH; S7, which harms nobody yet, MEDIUM.
fn check_attacks(seed: u64, detail: Detail) {
    let (sheet, _) = play(seed, Role::Attack, detail);
    let text = describe(&sheet);
    println!("seed {seed}\n{text}");
    for verdict in sheet.verdicts.iter().filter(|verdict| verdict.happening.role == Role::Attack) {
        let wanted = if verdict.happening.scenario == ScenarioId::S7 { Severity::Medium } else { Severity::High };
        let scenario = verdict.happening.scenario;
        assert!(verdict.worst >= Some(wanted), "seed {seed}: {scenario} deserves {wanted:?}\n{text}");
    }
}

/// No twin deserves more than LOW, and a normal day has at most one alert above it.
fn check_quiet(seed: u64, detail: Detail) {
    let (sheet, n_false) = play(seed, Role::Twin, detail);
    let text = describe(&sheet);
    println!("seed {seed}: {n_false} on {HISTORY_DAYS} quiet days\n{text}");
    assert!(
        n_false <= FALSE_ALERTS_MAX,
        "seed {seed}: {n_false} alerts above LOW on {HISTORY_DAYS} normal days\n{text}"
    );
    for verdict in &sheet.verdicts {
        let scenario = verdict.happening.scenario;
        assert!(verdict.worst <= Some(Severity::Low), "seed {seed}: the twin of {scenario} must stay quiet\n{text}");
    }
}

#[test]
fn attacks_are_caught() {
    check_attacks(3, Detail::Full);
}

#[test]
fn attacks_are_caught_without_fingerprints() {
    check_attacks(11, Detail::NoFingerprint);
}

#[test]
fn attacks_are_caught_without_fingerprints_and_networks() {
    check_attacks(20, Detail::Bare);
}

#[test]
fn twins_and_normal_days_stay_quiet() {
    check_quiet(3, Detail::Full);
}

#[test]
fn twins_and_normal_days_stay_quiet_in_another_shop() {
    check_quiet(31, Detail::Full);
}

#[test]
fn twins_and_normal_days_stay_quiet_without_networks() {
    check_quiet(20, Detail::Bare);
}
