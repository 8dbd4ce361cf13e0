use riskgraph_domain::{EntityKind as E, RelationKind as R};

use super::*;

fn at(minutes: i64) -> Timestamp {
    Timestamp(1_772_438_400_000 + minutes * MINUTE_MS)
}

fn seen(kind: R, from: NodeIx, to: NodeIx, time: Timestamp) -> Seen<'static> {
    Seen { kind, from, to, time, confidence: 1.0, source: "events" }
}

#[test]
fn writes_a_row_only_when_something_worth_it_changed() {
    let mut arena = Arena::default();
    let (user, new) = arena.see(E::User, "mia.holm", at(0)).expect("place");
    assert_eq!(new, Upsert::New);
    let (address, _) = arena.see(E::Address, "198.51.100.24", at(0)).expect("place");
    arena.relate(seen(R::AuthenticatedFrom, user, address, at(0)));
    assert_eq!((arena.take_dirty_nodes().len(), arena.take_dirty_edges().len()), (2, 1));
    let check = |arena: &mut Arena, minutes: i64, rows: usize, last: i64| {
        arena.see(E::User, "mia.holm", at(minutes));
        arena.relate(seen(R::AuthenticatedFrom, user, address, at(minutes)));
        assert_eq!((arena.take_dirty_nodes().len(), arena.take_dirty_edges().len()), (rows, rows), "{minutes}");
        assert_eq!(arena.entity(user).last_seen, at(last), "{minutes}");
    };
    check(&mut arena, 59, 0, 0);
    check(&mut arena, 60, 1, 60);
    check(&mut arena, 30, 0, 60);
    check(&mut arena, -5, 1, 60);
    assert_eq!(arena.entity(user).first_seen, at(-5));
}

#[test]
fn finds_by_key_id_and_ends() {
    let mut arena = Arena::default();
    for i in 0..1_000 {
        let (user, _) = arena.see(E::User, &format!("u{i}"), at(0)).expect("place");
        let (address, _) = arena.see(E::Address, &format!("10.0.{}.{}", i / 50, i % 50), at(0)).expect("place");
        arena.relate(seen(R::AuthenticatedFrom, user, address, at(0)));
    }
    let user = arena.find_key(E::User, "u777").expect("is there");
    assert_eq!(arena.key(user).key.as_str(), "u777");
    let (edge, row) = arena.edges_at(user, Observed::Observed, Direction::Out).next().expect("one edge");
    assert_eq!(arena.find_edge(R::AuthenticatedFrom, user, row.to), Some(edge));
    assert_eq!(arena.find_relation(arena.relation_id(edge)), Some(edge));
    assert_eq!(arena.find_key(E::Device, "u777"), None);
    assert_eq!(arena.find_edge(R::UsedDevice, user, row.to), None);
}

#[test]
fn comes_back_from_rows_as_it_was() {
    let mut arena = Arena::default();
    let (user, _) = arena.see(E::User, "mia.holm", at(0)).expect("place");
    let (address, _) = arena.see(E::Address, "198.51.100.24", at(1)).expect("place");
    arena.set_country(address, "se");
    arena.note(user, |notes| notes.name = Some(Text::from("Mia")));
    arena.relate(Seen { confidence: 0.7, source: "resolved", ..seen(R::AuthenticatedFrom, user, address, at(2)) });
    let entities: Vec<_> = arena.take_dirty_nodes().into_iter().map(|ix| arena.entity(ix)).collect();
    let relations: Vec<_> = arena.take_dirty_edges().into_iter().map(|ix| arena.relation(ix)).collect();
    let mut again = Arena::default();
    for entity in entities.iter().rev() {
        again.load_entity(entity.clone());
    }
    for relation in &relations {
        again.load_relation(relation);
    }
    let back: Vec<_> = entities.iter().filter_map(|entity| again.find(entity.id)).map(|ix| again.entity(ix)).collect();
    assert_eq!(back, entities);
    let edge = again.find_relation(relations[0].id).expect("is there");
    assert_eq!(again.relation(edge), relations[0]);
    assert!(again.take_dirty_nodes().is_empty() && again.take_dirty_edges().is_empty());
    assert_eq!(entities[1].attributes["country"], "SE");
}

#[test]
fn a_withdrawn_relation_is_walked_by_nobody_and_can_come_back() {
    let mut arena = Arena::default();
    let (vendor, _) = arena.see(E::Vendor, "acme.example", at(0)).expect("place");
    let (integration, _) = arena.see(E::Integration, "acme", at(0)).expect("place");
    let (edge, _) = arena.relate(seen(R::Operates, vendor, integration, at(0))).expect("place");
    arena.set_confidence(edge, 0.0);
    assert_eq!(arena.edges_at(vendor, Observed::Structural, Direction::Out).count(), 0);
    let again = arena.relate(seen(R::Operates, vendor, integration, at(1)));
    assert_eq!(again, Some((edge, Upsert::New)));
    assert_eq!(arena.edges_at(vendor, Observed::Structural, Direction::Out).count(), 1);
}
