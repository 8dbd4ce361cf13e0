//! What people ask of the graph.

use riskgraph_domain::page::PageRequest;
use riskgraph_domain::signal::{Severity, TouchRole};
use riskgraph_domain::{EntityId, EntityKey, EntityKind as E, RelationKind};

use crate::stage::testing::{HOUR, MINUTE, World, command, input, vendor};

const CALL: &str = r#"{"kind":"api.call","outcome":"success","actor":{"integration":"parcels","key":"ak_51d0aa"},
    "client":{"ip":"203.0.113.40","asn":64510,"country":"DE"}}"#;

fn id(kind: E, key: &str) -> EntityId {
    EntityKey::new(kind, key).id()
}

fn world() -> World {
    let mut world = World::new();
    world.run(&[command(0, vendor("Logistix GmbH", &["logistix.example"], &["parcels"])), input("c", 0, CALL, &[])]);
    for i in 0..30 {
        let json = format!(
            r#"{{"kind":"auth.login","outcome":"success","actor":{{"user":"user{i}"}},"client":{{"ip":"192.0.2.1","device":"dev{i}"}}}}"#
        );
        world.run(&[input(&format!("l{i}"), i * MINUTE, &json, &[])]);
    }
    world
}

#[test]
fn the_blast_radius_follows_influence_and_names_its_path() {
    let world = world();
    let reached = world.stage.graph().blast_radius(id(E::Vendor, "logistix.example"), 3);
    let told: Vec<(&str, u32)> = reached.iter().map(|one| (one.entity.key.as_str(), one.distance)).collect();
    assert_eq!(told, [("parcels", 1), ("logistix.example", 1), ("ak_51d0aa", 2), ("203.0.113.40", 3)]);
    assert!(reached.windows(2).all(|pair| pair[0].exposure >= pair[1].exposure));
    let kinds: Vec<RelationKind> = reached[3].path.iter().map(|row| row.kind).collect();
    assert_eq!(kinds, [RelationKind::Operates, RelationKind::Uses, RelationKind::CalledFrom]);
    assert_eq!(world.stage.graph().blast_radius(id(E::Vendor, "logistix.example"), 1).len(), 2);
    assert!(world.stage.graph().blast_radius(id(E::Vendor, "nobody.example"), 3).is_empty());
}

/// A breached vendor is named in hundreds of leaks; what it operates is found behind them all the same.
#[test]
fn mentions_hide_nothing() {
    let mut world = world();
    for i in 0..400 {
        let json = format!(
            r#"{{"kind":"leak.record","object":{{"type":"credential"}},"labels":{{"id_hash":"{i:064x}","domain":"logistix.example","source":"forum"}}}}"#
        );
        world.run(&[input(&format!("leak{i}"), HOUR + i * MINUTE, &json, &[])]);
    }
    let graph = world.stage.graph();
    let mentions = |kinds: &[RelationKind]| {
        graph.relations(id(E::Vendor, "logistix.example"), kinds, &PageRequest::first(500)).items.len()
    };
    assert!(mentions(&[RelationKind::MentionedIn]) > 256);
    let reached = graph.blast_radius(id(E::Vendor, "logistix.example"), 3);
    assert!(reached.iter().any(|one| one.entity.key.as_str() == "ak_51d0aa"), "{reached:?}");
}

#[test]
fn paths_are_the_shortest_and_bounded() {
    let world = world();
    let graph = world.stage.graph();
    let len = |from, to, depth| graph.path(from, to, depth).map(|path| path.len());
    let (one, other) = (id(E::Device, "dev3"), id(E::Device, "dev9"));
    assert_eq!((len(one, other, 4), len(one, other, 3), len(one, one, 3)), (Some(4), None, Some(0)));
    assert_eq!(len(one, id(E::ApiKey, "ak_51d0aa"), 9), None);
    let path = graph.path(one, id(E::Address, "192.0.2.1"), 5).expect("there is one");
    assert_eq!(
        path.iter().map(|row| row.kind).collect::<Vec<_>>(),
        [RelationKind::UsedDevice, RelationKind::AuthenticatedFrom]
    );
}

#[test]
fn relations_come_in_pages_without_gap_or_repeat() {
    let world = world();
    let graph = world.stage.graph();
    let (mut page, mut seen) = (PageRequest::first(7), Vec::new());
    loop {
        let rows = graph.relations(id(E::Address, "192.0.2.1"), &[], &page);
        assert_eq!(rows.total, Some(30));
        seen.extend(rows.items.iter().map(|(_, row)| row.id));
        let Some((cursor, _)) = rows.items.last().filter(|_| rows.has_next) else { break };
        page.after = Some(cursor.clone());
    }
    let n = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!((n, seen.len()), (30, 30));
    let kinds = [RelationKind::UsedDevice];
    assert_eq!(graph.relations(id(E::User, "user1"), &kinds, &PageRequest::first(9)).items.len(), 1);
}

#[test]
fn search_forgives_and_orders() {
    let mut world = world();
    let keys = |world: &World, query: Option<&str>, kinds: &[E], min_risk: Option<f64>| -> Vec<String> {
        let page = world.stage.graph().search(query, kinds, min_risk, &PageRequest::first(3));
        page.items.into_iter().map(|(_, entity)| entity.key.to_string()).collect()
    };
    assert_eq!(keys(&world, Some("USER7"), &[], None)[0], "user7");
    assert_eq!(keys(&world, Some("lgstx"), &[E::Vendor], None), ["logistix.example"]);
    assert_eq!(keys(&world, Some("logistix gm"), &[], None)[0], "logistix.example");
    assert!(keys(&world, Some("nothing of the kind"), &[], None).is_empty());
    assert!(keys(&world, None, &[], Some(1.0)).is_empty());
    let json = r#"{"kind":"account.change","outcome":"success","actor":{"user":"user5"}}"#;
    world.run(&[input("s", HOUR, json, &[("odd", 0.7, &[(E::User, "user5", TouchRole::Subject)])])]);
    assert_eq!(keys(&world, None, &[E::User], Some(50.0)), ["user5"]);
    assert_eq!(keys(&world, None, &[E::User], None)[0], "user5");
}

#[test]
fn a_breached_vendors_support_login_is_high() {
    let mut world = world();
    let login = r#"{"kind":"auth.login","outcome":"success","actor":{"staff":"help@logistix.example"},"client":{"ip":"198.51.100.77"}}"#;
    let incident =
        r#"{"kind":"vendor.incident","labels":{"vendor":"LOGISTIX","domain":"logistix.example"},"message":"breach"}"#;
    let change = r#"{"kind":"account.change","outcome":"success","actor":{"staff":"help@logistix.example"}}"#;
    let staff = [(E::Staff, "help@logistix.example", TouchRole::Subject)];
    world.run(&[input("i", HOUR, incident, &[]), input("l", 9 * HOUR, login, &[("login_novelty", 0.55, &staff)])]);
    assert_eq!(world.open().iter().map(|alert| alert.severity).collect::<Vec<_>>(), [Severity::High]);
    assert_eq!(world.path(world.open()[0])[0], "OWNS logistix.example > help@logistix.example");
    world.run(&[input("c", 9 * HOUR + MINUTE, change, &[("privilege_change", 0.6, &staff)])]);
    let open = world.open();
    assert_eq!((open.len(), open[0].severity), (1, Severity::Critical), "{open:#?}");
}
