use riskgraph_domain::alert::{AlertChange, AlertStatus, Verdict};
use riskgraph_domain::command::Change;
use riskgraph_domain::signal::{Severity, TouchRole};
use riskgraph_domain::{EntityKey, EntityKind as E};

use super::testing::{HOUR, Input, Judged, MINUTE, SECOND, World, command, input, vendor};

const SUBJECT: TouchRole = TouchRole::Subject;
const INVOLVED: TouchRole = TouchRole::Involved;

const CALL: &str = r#"{"kind":"api.call","outcome":"success","actor":{"integration":"parcels","key":"ak_51d0aa"},
    "client":{"ip":"203.0.113.40","asn":64510}}"#;

fn incident(id: &str, offset: i64, company: &str, domain: Option<&str>) -> Input {
    let domain = domain.map(|domain| format!(",\"domain\":\"{domain}\"")).unwrap_or_default();
    let json = format!(
        r#"{{"kind":"vendor.incident","source":"news","object":{{"type":"company","id":"{company}"}},
            "labels":{{"vendor":"{company}","source":"news"{domain}}},"message":"{company} confirms a breach"}}"#
    );
    input(id, offset, &json, &[])
}

/// A partner of a vendor, calm traffic, perhaps an incident, then one odd call of the key.
fn odd_call_after(company: &str, domain: Option<&str>, score: f64) -> World {
    let mut world = World::new();
    world.run(&[
        command(0, vendor("Logistix GmbH & Co. KG", &["logistix.example"], &["parcels"])),
        input("c1", MINUTE, CALL, &[]),
        incident("i1", 2 * MINUTE, company, domain),
        input("c2", 9 * HOUR, CALL, &[("partner_novelty", score, &[(E::ApiKey, "ak_51d0aa", SUBJECT)])]),
    ]);
    world
}

#[test]
fn an_odd_call_of_a_breached_vendors_key_is_high_because_of_the_breach() {
    for score in [0.4, 0.5, 0.59] {
        let world = odd_call_after("Logistix Ltd", None, score);
        let open = world.open();
        assert_eq!(open.len(), 1, "{open:#?}");
        let alert = open[0];
        assert_eq!(alert.severity, Severity::High, "{alert:#?}");
        assert_eq!(alert.count, 2);
        assert_eq!(
            world.path(alert)[..2],
            ["OPERATES logistix.example > parcels", "USES parcels > ak_51d0aa"],
            "{:?}",
            world.path(alert)
        );
        assert!(alert.summary.contains("because") && alert.summary.contains("Logistix"), "{}", alert.summary);
        assert!(alert.timeline.iter().any(|entry| entry.text.contains("Incident at vendor")));
        let raised = alert.timeline.last().map(|entry| entry.text.clone()).unwrap_or_default();
        assert!(raised.starts_with("Severity raised from MEDIUM to HIGH because of Incident at vendor"), "{raised}");
        let changes: Vec<AlertChange> = world.rows.sequence.iter().map(|event| event.change).collect();
        assert_eq!(changes, [AlertChange::Opened, AlertChange::Escalated]);
        assert!((alert.detection_delay_s - 0.04).abs() < 1e-9);
    }
}

#[test]
fn a_weak_oddity_stays_what_it_is() {
    let world = odd_call_after("Logistix Ltd", None, 0.3);
    assert_eq!(world.open().iter().map(|alert| alert.severity).max(), Some(Severity::Medium));
}

#[test]
fn the_breach_of_a_namesake_changes_nothing() {
    for (company, domain) in [("Logistix Ltd", Some("logistix-foods.example")), ("Logisma Ltd", None)] {
        let world = odd_call_after(company, domain, 0.5);
        let open = world.open();
        assert_eq!(open.len(), 1, "{open:#?}");
        assert_eq!((open[0].severity, open[0].count), (Severity::Medium, 1));
        let vendor = EntityKey::new(E::Vendor, "logistix.example").id();
        assert_eq!(world.stage.graph().risk(vendor).map(|risk| risk.own), Some(0.0));
        // It is kept all the same.
        assert!(world.stage.graph().entity(EntityKey::new(E::Indicator, "incident/i1").id()).is_some());
    }
}

#[test]
fn an_incident_endangers_what_the_vendor_runs() {
    let world = odd_call_after("Logistix Ltd", Some("logistix.example"), 0.5);
    let graph = world.stage.graph();
    let score = |kind, key: &str| graph.risk(EntityKey::new(kind, key).id()).map_or(0.0, |risk| risk.score);
    let (vendor, integration) = (score(E::Vendor, "logistix.example"), score(E::Integration, "parcels"));
    assert!(vendor > integration && integration > 20.0, "{vendor} {integration}");
    assert!(score(E::Address, "203.0.113.40") < integration);
}

#[test]
fn a_leaked_key_prefix_is_matched_with_the_key_and_joins_its_story() {
    let mut world = World::new();
    let leak = |id: &str, prefix: &str| {
        let json = format!(
            r#"{{"kind":"leak.record","object":{{"type":"api_key"}},"labels":{{"kind":"api_key","prefix":"{prefix}","source":"paste"}}}}"#
        );
        input(id, HOUR, &json, &[])
    };
    world.run(&[input("c1", 0, CALL, &[]), leak("l0", "ak_5"), leak("l1", "zz_51d0")]);
    assert!(world.open().is_empty());
    world.run(&[leak("l2", "ak_51d0")]);
    assert_eq!(world.open().iter().map(|alert| alert.severity).collect::<Vec<_>>(), [Severity::Medium]);
    world.run(&[input("c2", 4 * HOUR, CALL, &[("partner_novelty", 0.6, &[(E::ApiKey, "ak_51d0aa", SUBJECT)])])]);
    let open = world.open();
    assert_eq!((open.len(), open[0].severity), (1, Severity::High), "{open:#?}");
}

#[test]
fn a_leaked_login_counts_for_staff_more_than_for_a_customer() {
    use sha2::{Digest, Sha256};
    let check = |actor: &str, login: &str, expected: Severity| {
        let mut world = World::new();
        let hash: String = Sha256::digest(login.to_lowercase()).iter().map(|byte| format!("{byte:02x}")).collect();
        let json = format!(
            r#"{{"kind":"leak.record","object":{{"type":"credential"}},"labels":{{"kind":"credential","id_hash":"{hash}","source":"combo"}}}}"#
        );
        let seen = format!(
            r#"{{"kind":"auth.login","outcome":"success","actor":{{"{actor}":"{login}"}},"client":{{"ip":"198.51.100.24"}}}}"#
        );
        world.run(&[input("a", 0, &seen, &[]), input("l", HOUR, &json, &[])]);
        assert_eq!(world.open().iter().map(|alert| alert.severity).collect::<Vec<_>>(), [expected], "{actor}");
    };
    check("staff", "Eve@shop.example", Severity::Medium);
    check("user", "Mia.Holm", Severity::Low);
}

#[test]
fn seventy_four_takeovers_of_one_campaign_are_one_incident() {
    let mut world = World::new();
    let mut inputs = Vec::new();
    for i in 0..74_i64 {
        let json = format!(
            r#"{{"kind":"auth.login","outcome":"success","actor":{{"user":"u{i}"}},"client":{{"ip":"192.0.2.{i}"}}}}"#
        );
        let mut one = input(
            &format!("t{i}"),
            i * 10 * SECOND,
            &json,
            &[("credential_stuffing", 0.7, &[(E::User, &format!("u{i}"), INVOLVED)])],
        );
        if let Input::Event(_, signals) = &mut one {
            signals[0].campaign = Some("ja4:t13d".into());
        }
        inputs.push(one);
    }
    world.run(&inputs);
    let open = world.open();
    assert_eq!(open.len(), 1);
    assert_eq!((open[0].count, open[0].entities_total, open[0].entities.len()), (74, 74, 64));
    assert!(open[0].timeline.len() <= 64);
    assert!(world.rows.sequence.len() < 12, "few changes: {}", world.rows.sequence.len());
}

#[test]
fn strangers_behind_one_address_have_nothing_to_do_with_each_other() {
    fn login(i: usize, signals: Judged<'_>) -> Input {
        let json = format!(
            r#"{{"kind":"auth.login","outcome":"success","actor":{{"user":"u{i}"}},"client":{{"ip":"192.0.2.1","asn":64501}}}}"#
        );
        input(&format!("l{i}{}", signals.len()), i as i64 * MINUTE, &json, signals)
    }
    let mut world = World::new();
    for i in 0..20 {
        world.run(&[login(i, &[])]);
    }
    for i in [3, 9] {
        let user = format!("u{i}");
        let touched = [(E::User, user.as_str(), SUBJECT), (E::Address, "192.0.2.1", INVOLVED)];
        world.run(&[login(i, &[("new_device", 0.3, &touched)])]);
    }
    assert_eq!(world.open().len(), 2);
    // Two people on an address of their own do.
    let mut world = World::new();
    for i in [3, 9] {
        let user = format!("u{i}");
        let touched = [(E::User, user.as_str(), SUBJECT), (E::Address, "192.0.2.1", INVOLVED)];
        world.run(&[login(i, &[("new_device", 0.3, &touched)])]);
    }
    assert_eq!(world.open().len(), 1);
}

#[test]
fn two_vendors_scripts_on_one_page_are_two_stories() {
    let mut world = World::new();
    let script = |id: &str, host: &str, signals: &[_]| {
        let json = format!(
            r#"{{"kind":"script.seen","object":{{"type":"script","id":"https://{host}/t.js"}},
                "labels":{{"page":"https://www.shop.example/checkout"}}}}"#
        );
        input(id, 0, &json, signals)
    };
    world.run(&[
        script(
            "s1",
            "cdn.tags.example",
            &[("script_change", 0.5, &[(E::Script, "https://cdn.tags.example/t.js", SUBJECT)])],
        ),
        script(
            "s2",
            "cdn.chat.example",
            &[("script_change", 0.5, &[(E::Script, "https://cdn.chat.example/t.js", SUBJECT)])],
        ),
    ]);
    assert_eq!(world.open().len(), 2);
}

#[test]
fn a_signal_that_links_two_alerts_makes_one_of_them() {
    let mut world = World::new();
    let json = r#"{"kind":"account.change","outcome":"success","actor":{"user":"x"}}"#;
    world.run(&[
        input("a", 0, json, &[("first", 0.5, &[(E::User, "a", SUBJECT)])]),
        input("b", MINUTE, json, &[("second", 0.5, &[(E::User, "b", SUBJECT)])]),
    ]);
    assert_eq!(world.open().len(), 2);
    world.run(&[input("c", 2 * MINUTE, json, &[("third", 0.3, &[(E::User, "a", SUBJECT), (E::User, "b", INVOLVED)])])]);
    let open = world.open();
    assert_eq!((open.len(), open[0].count), (1, 3));
    let retracted: Vec<_> = world.rows.sequence.iter().filter(|event| event.change == AlertChange::Retracted).collect();
    assert_eq!(retracted.len(), 1);
    assert_eq!(retracted[0].alert.verdict, Some(Verdict::Duplicate));
    assert_eq!(world.rows.alerts.values().filter(|alert| alert.status == AlertStatus::Open).count(), 1);
}

#[test]
fn weak_signals_open_nothing_and_a_resolved_alert_stays_resolved() {
    let mut world = World::new();
    let json = r#"{"kind":"account.change","outcome":"success","actor":{"user":"a"}}"#;
    world.run(&[input("a", 0, json, &[("weak", 0.19, &[(E::User, "a", SUBJECT)])])]);
    assert!(world.open().is_empty() && world.rows.signals.len() == 1);
    world.run(&[input("b", MINUTE, json, &[("strong", 0.7, &[(E::User, "a", SUBJECT)])])]);
    let id = world.open()[0].id;
    let user = EntityKey::new(E::User, "a").id();
    let before = world.stage.graph().risk(user).expect("known").own;
    world.run(&[command(2 * MINUTE, Change::ResolveAlert { id, verdict: Verdict::FalsePositive, note: None })]);
    let after = world.stage.graph().risk(user).expect("known").own;
    assert!(world.open().is_empty() && after < 20.0 && before > 60.0, "{before} {after}");
    world.run(&[input("c", 3 * MINUTE, json, &[("strong", 0.7, &[(E::User, "a", SUBJECT)])])]);
    assert_eq!(world.open().len(), 1);
    assert_ne!(world.open()[0].id, id);
}

#[test]
fn windows_are_of_event_time() {
    let mut world = World::new();
    let json = r#"{"kind":"account.change","outcome":"success","actor":{"user":"a"}}"#;
    let one = |id: &str, offset: i64| input(id, offset, json, &[("odd", 0.5, &[(E::User, "a", SUBJECT)])]);
    world.run(&[one("a", 0), one("b", 30 * HOUR)]);
    assert_eq!(world.open().len(), 2);
    // What comes late belongs where its own time puts it.
    world.run(&[one("c", 2 * HOUR)]);
    assert_eq!(world.open().iter().map(|alert| alert.count).collect::<Vec<_>>(), [2, 1]);
}

mod cases;
mod journal;
mod people;
mod policy;
mod questions;
mod restarts;
mod triage;

#[test]
fn what_a_source_takes_back_is_taken_back() {
    let retraction = |labels: &str, outcome: &str| {
        let json = format!(
            r#"{{"kind":"vendor.incident","outcome":"{outcome}","object":{{"type":"company","id":"Logistix"}},
                "labels":{{"vendor":"Logistix"{labels}}},"message":"It was another company"}}"#
        );
        input("r1", 10 * HOUR, &json, &[])
    };
    for (labels, outcome) in [(r#","retracts":"i1""#, "unknown"), ("", "denied")] {
        // With a signal of our own, the alert goes back to what that signal is worth.
        let mut world = odd_call_after("Logistix Ltd", None, 0.5);
        world.run(&[retraction(labels, outcome)]);
        let open = world.open();
        assert_eq!((open.len(), open[0].severity, open[0].count), (1, Severity::Medium, 1), "{open:#?}");
        let vendor = EntityKey::new(E::Vendor, "logistix.example").id();
        assert!(world.stage.graph().risk(vendor).is_some_and(|risk| risk.own < 1.0));
        // Without one, nothing is left of it.
        let mut world = World::new();
        world.run(&[
            command(0, vendor_of_tests()),
            incident("i1", HOUR, "Logistix", None),
            retraction(labels, outcome),
        ]);
        assert!(world.open().is_empty());
        assert_eq!(world.rows.sequence.last().map(|event| event.change), Some(AlertChange::Retracted));
    }
}

fn vendor_of_tests() -> Change {
    vendor("Logistix GmbH & Co. KG", &["logistix.example"], &["parcels"])
}

#[test]
fn news_from_before_a_vendor_was_registered_counts() {
    let mut world = World::new();
    world.run(&[incident("i1", 0, "Logistix Ltd", None), incident("i2", 0, "Brook Ltd", None)]);
    assert!(world.open().is_empty());
    world.run(&[command(48 * HOUR, vendor_of_tests())]);
    let open = world.open();
    assert_eq!((open.len(), open[0].count, open[0].severity), (1, 1, Severity::Medium));
}

#[test]
fn a_login_first_seen_after_its_leak_is_matched_too() {
    use sha2::{Digest, Sha256};
    let hash: String = Sha256::digest("eve@shop.example").iter().map(|byte| format!("{byte:02X}")).collect();
    let leak =
        format!(r#"{{"kind":"leak.record","labels":{{"kind":"credential","id_hash":"{hash}","source":"combo"}}}}"#);
    let key = r#"{"kind":"leak.record","labels":{"kind":"api_key","prefix":"ak_51d0","source":"paste"}}"#;
    let login = r#"{"kind":"auth.login","outcome":"success","actor":{"staff":"Eve@shop.example"},"client":{"ip":"198.51.100.24"}}"#;
    let mut world = World::new();
    world.run(&[input("l", 0, &leak, &[]), input("k", 0, key, &[])]);
    assert!(world.open().is_empty());
    world.run(&[input("a", HOUR, login, &[]), input("c", HOUR, CALL, &[])]);
    assert_eq!(world.open().iter().map(|alert| alert.severity).collect::<Vec<_>>(), [Severity::Medium; 2]);
}
