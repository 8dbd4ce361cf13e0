use riskgraph_domain::alert::{Mute, MuteKind};
use riskgraph_domain::delivery::{ChannelFilter, ChannelKind, PayloadFormat};
use riskgraph_domain::graph::{EntityKey, EntityKind};
use riskgraph_domain::{AlertId, ChannelId, Severity, Text, Timestamp, VendorId};

use super::*;

pub(super) fn channel(filter: ChannelFilter) -> Channel {
    Channel {
        id: ChannelId::of(&["c"]),
        name: Text::from("c"),
        kind: ChannelKind::Webhook,
        format: PayloadFormat::Native,
        target: String::new(),
        target_shown: String::new(),
        token: None,
        secrets: Vec::new(),
        filter,
        digest: None,
        time_zone: None,
        group_wait_s: 0,
        repeat_s: Some(60),
        created_by: Text::from("t"),
        created_at: Timestamp(0),
    }
}

fn event(change: AlertChange, severity: Severity) -> AlertEvent {
    let mut alert = Alert::new(AlertId::of(&["a"]), "title", Timestamp(1));
    alert.severity = severity;
    alert.detectors = vec![Text::from("scanning")];
    alert.techniques = vec![Text::from("T1110.004")];
    alert.vendors = vec![VendorId::of(&["v"])];
    alert.entities = vec![EntityKey::new(EntityKind::User, "mia")];
    AlertEvent { sequence: 1, change, cause: AlertCause::Signal, actor: None, at: Timestamp(1), alert }
}

fn mute() -> Option<Mute> {
    Some(Mute { kind: MuteKind::Silenced, reason: "night".to_owned(), until: None, silence: None, by: None })
}

fn told() -> Told {
    Told { alert: AlertId::of(&["a"]), sequence: 1, at: Timestamp(0), repeats: true, n_repeats: 0 }
}

#[test]
fn every_part_of_a_filter_counts() {
    let check = |filter: ChannelFilter, want: bool| {
        let event = event(AlertChange::Opened, Severity::Medium);
        assert_eq!(is_told(&channel(filter.clone()), &event, None), want, "{filter:?}");
    };
    let base = ChannelFilter::default;
    check(base(), true);
    check(ChannelFilter { min_severity: Some(Severity::Medium), ..base() }, true);
    check(ChannelFilter { min_severity: Some(Severity::High), ..base() }, false);
    check(ChannelFilter { changes: vec![AlertChange::Opened, AlertChange::Resolved], ..base() }, true);
    check(ChannelFilter { changes: vec![AlertChange::Updated], ..base() }, false);
    check(ChannelFilter { detectors: vec![Text::from("scanning"), Text::from("x")], ..base() }, true);
    check(ChannelFilter { detectors: vec![Text::from("scan")], ..base() }, false);
    check(ChannelFilter { techniques: vec![Text::from("T1110")], ..base() }, true);
    check(ChannelFilter { techniques: vec![Text::from("T1595")], ..base() }, false);
    check(ChannelFilter { vendor: Some(VendorId::of(&["v"])), ..base() }, true);
    check(ChannelFilter { vendor: Some(VendorId::of(&["w"])), ..base() }, false);
    check(ChannelFilter { entity: Some(EntityKey::new(EntityKind::User, "mia").id()), ..base() }, true);
    check(ChannelFilter { entity: Some(EntityKey::new(EntityKind::User, "bo").id()), ..base() }, false);
    check(ChannelFilter { min_severity: Some(Severity::Low), detectors: vec![Text::from("x")], ..base() }, false);
}

#[test]
fn muted_alerts_are_told_once_they_are_not() {
    let quiet = channel(ChannelFilter { changes: vec![AlertChange::Opened], ..ChannelFilter::default() });
    let mut muted = event(AlertChange::Opened, Severity::High);
    muted.alert.muted = mute();
    assert!(!is_told(&quiet, &muted, None));
    assert!(is_told(&channel(ChannelFilter { include_muted: true, ..ChannelFilter::default() }), &muted, None));
    let mut unmuted = event(AlertChange::Updated, Severity::High);
    unmuted.cause = AlertCause::Unmuted;
    assert!(is_told(&quiet, &unmuted, None), "the first news counts as the opening");
    assert!(!is_told(&quiet, &unmuted, Some(&told())), "it was told before");
    assert!(!is_told(&quiet, &event(AlertChange::Updated, Severity::High), None), "an update is none");
    unmuted.alert.status = AlertStatus::Resolved;
    assert!(!is_told(&quiet, &unmuted, None), "it is over");
}

#[test]
fn who_heard_the_beginning_hears_the_end() {
    let filter = ChannelFilter { min_severity: Some(Severity::High), ..ChannelFilter::default() };
    for change in [AlertChange::Resolved, AlertChange::Retracted] {
        let mut end = event(change, Severity::Low);
        end.alert.muted = mute();
        assert!(is_told(&channel(filter.clone()), &end, Some(&told())), "{change:?}");
        assert!(!is_told(&channel(filter.clone()), &end, None), "{change:?}");
        let only = ChannelFilter { changes: vec![AlertChange::Opened], ..filter.clone() };
        assert!(!is_told(&channel(only), &end, Some(&told())), "{change:?}");
    }
    assert!(!is_told(&channel(filter), &event(AlertChange::Updated, Severity::Low), Some(&told())));
}

#[test]
fn only_open_alerts_repeat() {
    let channel = channel(ChannelFilter::default());
    let mut alert = event(AlertChange::Opened, Severity::High).alert;
    assert!(repeats(&channel, &alert));
    assert!(!repeats(&Channel { repeat_s: None, ..channel.clone() }, &alert));
    alert.muted = mute();
    assert!(!repeats(&channel, &alert));
    alert.muted = None;
    for status in [AlertStatus::Acknowledged, AlertStatus::Resolved] {
        alert.status = status;
        assert!(!repeats(&channel, &alert), "{status:?}");
    }
}
