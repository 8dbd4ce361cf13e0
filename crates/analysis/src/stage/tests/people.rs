//! Vendors, findings and what people decide.

use riskgraph_domain::command::{AssessmentRecord, Change, SeenRelation};
use riskgraph_domain::posture::{CheckOutcome, CheckResult, FindingStatus, Grade, Posture};
use riskgraph_domain::signal::Severity;
use riskgraph_domain::vendor::VendorInput;
use riskgraph_domain::{EntityKey, EntityKind as E, FaultCode, RelationKind, Text, VendorId};

use crate::stage::testing::{HOUR, Input, World, at, command, context, input, vendor};

fn outcome(check: &str, result: CheckResult, severity: Severity) -> CheckOutcome {
    CheckOutcome {
        check: Text::from(check),
        asset: Text::from("logistix.example"),
        result,
        severity,
        title: format!("{check} says {}", result.as_str()),
        recommendation: String::new(),
        reference: String::new(),
        evidence: serde_json::json!({}),
        confidence: 1.0,
    }
}

fn assessment(offset: i64, outcomes: Vec<CheckOutcome>) -> Input {
    let posture = Posture {
        score: Some(71.25),
        grade: Grade::C,
        coverage: 0.9,
        assessed_at: at(offset),
        model: Text::from("rg-score/1"),
        factors: Vec::new(),
        waterfall: Vec::new(),
        compat: serde_json::json!({}),
    };
    let relations = vec![SeenRelation {
        kind: RelationKind::DependsOn,
        from: EntityKey::new(E::Domain, "logistix.example"),
        to: EntityKey::new(E::Domain, "cloudy.example"),
        confidence: 0.8,
    }];
    let vendor = VendorId::of(&["logistix.example"]);
    command(offset, Change::RecordAssessment(Box::new(AssessmentRecord { vendor, outcomes, posture, relations })))
}

fn register() -> Input {
    command(0, vendor("Logistix GmbH", &["logistix.example"], &["parcels"]))
}

#[test]
fn a_finding_lives_from_open_to_resolved_and_back() {
    let mut world = World::new();
    let status =
        |world: &World| world.rows.findings.values().map(|row| (row.status, row.first_seen)).collect::<Vec<_>>();
    let fail = || outcome("TLS-09", CheckResult::Fail, Severity::High);
    world.run(&[register(), assessment(HOUR, vec![fail()])]);
    assert_eq!(status(&world), [(FindingStatus::Open, at(HOUR))]);
    let vendor = EntityKey::new(E::Vendor, "logistix.example").id();
    assert!(world.stage.graph().risk(vendor).is_some_and(|risk| risk.own > 10.0));
    let id = *world.rows.findings.keys().next().expect("one finding");
    let until = at(10 * HOUR);
    world.run(&[command(2 * HOUR, Change::AcceptFinding { id, reason: "known".to_owned(), until })]);
    assert_eq!(world.stage.graph().risk(vendor).map(|risk| risk.own), Some(0.0));
    world.run(&[assessment(3 * HOUR, vec![fail()])]);
    assert_eq!(status(&world), [(FindingStatus::Accepted, at(HOUR))]);
    world.run(&[assessment(11 * HOUR, vec![fail()])]);
    assert_eq!(status(&world), [(FindingStatus::Open, at(HOUR))]);
    // What cannot be judged leaves it as it was; what passes resolves it.
    world.run(&[assessment(12 * HOUR, vec![outcome("TLS-09", CheckResult::Unknown, Severity::High)])]);
    assert_eq!(status(&world), [(FindingStatus::Open, at(HOUR))]);
    world.run(&[assessment(13 * HOUR, vec![outcome("TLS-09", CheckResult::Pass, Severity::High)])]);
    assert_eq!(status(&world), [(FindingStatus::Resolved, at(HOUR))]);
    assert_eq!(world.stage.graph().risk(vendor).map(|risk| risk.own), Some(0.0));
    world.run(&[assessment(14 * HOUR, vec![fail()])]);
    assert_eq!(status(&world)[0].0, FindingStatus::Open);
}

#[test]
fn findings_alone_make_no_alert_but_join_one() {
    let mut world = World::new();
    let fail = || outcome("TLS-09", CheckResult::Fail, Severity::Critical);
    world.run(&[register(), assessment(HOUR, vec![fail()])]);
    assert!(world.open().is_empty());
    let mut world = World::new();
    let incident = r#"{"kind":"vendor.incident","labels":{"vendor":"Logistix"},"message":"breach"}"#;
    world.run(&[register(), input("i", HOUR, incident, &[])]);
    world.run(&[assessment(2 * HOUR, vec![fail()])]);
    let open = world.open();
    assert_eq!((open.len(), open[0].findings.len()), (1, 1));
    assert!(open[0].score > 46.0);
}

#[test]
fn a_crawl_shows_whom_a_vendor_depends_on() {
    let mut world = World::new();
    world.run(&[register(), assessment(HOUR, Vec::new())]);
    let graph = world.stage.graph();
    let vendor = EntityKey::new(E::Vendor, "logistix.example");
    let parties = graph.fourth_parties(&vendor);
    assert_eq!(parties.iter().map(|row| row.kind).collect::<Vec<_>>(), [RelationKind::DependsOn]);
    let concentration = graph.concentration(5);
    assert_eq!((concentration[0].entity.key.as_str(), concentration[0].critical_vendors), ("cloudy.example", 1));
    let entity = graph.entity(vendor.id()).expect("is there");
    assert_eq!((entity.name.as_str(), &entity.attributes["grade"]), ("Logistix GmbH", &serde_json::json!("C")));
}

#[test]
fn integrations_follow_the_register() {
    let call = r#"{"kind":"api.call","outcome":"success","actor":{"integration":"logistix-api","key":"ak_51d0aa"},"client":{"ip":"203.0.113.40"}}"#;
    let mut world = World::new();
    let owner = |world: &World| {
        world.rows.integrations.values().find(|row| row.name.as_str() == "logistix-api").and_then(|row| row.vendor)
    };
    world.run(&[input("c", 0, call, &[])]);
    assert_eq!(owner(&world), None);
    world.run(&[register()]);
    let id = VendorId::of(&["logistix.example"]);
    assert_eq!(owner(&world), Some(id));
    let vendor = EntityKey::new(E::Vendor, "logistix.example").id();
    let integration = EntityKey::new(E::Integration, "logistix-api").id();
    let path = world.stage.graph().path(vendor, integration, 3).expect("a path");
    assert!(path[0].confidence < 1.0 && path[0].source.as_str() == "resolved");
    // Declared elsewhere, it is the other's.
    world.run(&[command(HOUR, super::super::testing::vendor("Brook Ltd", &["brook.example"], &["logistix-api"]))]);
    assert_eq!(owner(&world), Some(VendorId::of(&["brook.example"])));
    world.run(&[command(2 * HOUR, Change::RemoveVendor { id: VendorId::of(&["brook.example"]) })]);
    assert_eq!(owner(&world), Some(id));
    let keys: Vec<String> = world.stage.graph().keys_of(integration).iter().map(|key| key.key.to_string()).collect();
    assert_eq!(keys, ["ak_51d0aa"]);
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let mut world = World::new();
    world.run(&[register()]);
    let check = |world: &mut World, change: Change, code: FaultCode| {
        let Input::Command(command) = command(HOUR, change) else { return };
        let before = world.rows.clone();
        let mut delta = riskgraph_domain::ports::Delta::default();
        let fault = world.stage.on_command(&command, &context(0), &mut delta).expect_err("refused");
        assert_eq!(fault.code, code);
        world.stage.flush(&mut delta);
        world.rows.apply(delta);
        assert_eq!(world.rows, before);
    };
    check(&mut world, vendor("Again", &["logistix.example"], &[]), FaultCode::Conflict);
    let input = VendorInput { name: "x".into(), domains: Vec::new(), tier: None, owner: None, integrations: None };
    let id = VendorId::of(&["nobody"]);
    check(&mut world, Change::UpdateVendor { id, input }, FaultCode::NotFound);
    check(&mut world, Change::RemoveVendor { id }, FaultCode::NotFound);
    check(
        &mut world,
        Change::AcknowledgeAlert { id: riskgraph_domain::AlertId::of(&["none"]), note: None },
        FaultCode::NotFound,
    );
}

#[test]
fn staff_of_a_vendor_are_known_by_their_address() {
    let mut world = World::new();
    let login = r#"{"kind":"auth.login","outcome":"success","actor":{"staff":"help@support.logistix.example"},"client":{"ip":"203.0.113.9"}}"#;
    world.run(&[register(), input("l", 0, login, &[])]);
    let path = world.stage.graph().path(
        EntityKey::new(E::Vendor, "logistix.example").id(),
        EntityKey::new(E::Staff, "help@support.logistix.example").id(),
        2,
    );
    assert_eq!(path.map(|path| path.len()), Some(1));
}
