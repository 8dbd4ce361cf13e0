use riskgraph_domain::event::{Card, Event, Object};
use riskgraph_domain::{EntityKind as E, RelationKind as R, Text};

use super::*;
use crate::graph::{Direction, Observed};
use crate::spread::RiskConfig;

fn graph() -> RiskGraph {
    RiskGraph::new(RiskConfig::defaults().expect("the defaults parse"))
}

fn event(json: &str) -> Event {
    serde_json::from_str(json).expect("an event")
}

/// Relations of the graph as `KIND from > to`, sorted.
fn told(graph: &RiskGraph) -> Vec<String> {
    let mut told: Vec<String> = (0..graph.arena.n_edges() as u32)
        .map(|ix| {
            let edge = graph.arena.edge(ix);
            let (from, to) = (graph.arena.node(edge.from), graph.arena.node(edge.to));
            format!("{} {} > {}", edge.kind.as_str(), from.key, to.key)
        })
        .collect();
    told.sort();
    told
}

fn check(json: &str, expected: &[&str]) {
    let mut graph = graph();
    record(&event(json), &mut graph, &mut News::default());
    assert_eq!(told(&graph), expected, "{json}");
}

#[test]
fn writes_what_is_worth_knowing() {
    check(
        r#"{"id":"1","time":1772438403,"kind":"auth.login","outcome":"success","actor":{"user":"mia"},
            "client":{"ip":"::ffff:198.51.100.24","asn":64501,"device":"d-91"}}"#,
        &["AUTHENTICATED_FROM mia > 198.51.100.24", "OWNS AS64501 > 198.51.100.24", "USED_DEVICE mia > d-91"],
    );
    check(
        r#"{"id":"1","time":1772438403,"kind":"api.call","outcome":"success",
            "actor":{"integration":"acme","key":"ak_51d0"},"client":{"ip":"2001:DB8:0::40"}}"#,
        &["CALLED_FROM ak_51d0 > 2001:db8::40", "USES acme > ak_51d0"],
    );
    check(
        r#"{"id":"1","time":1772438403,"kind":"payment.attempt","outcome":"success","actor":{"user":"mia"},
            "card":{"bin":"411111","last4":"1111"}}"#,
        &["PAID_WITH mia > 411111-1111"],
    );
    check(
        r#"{"id":"1","time":1772438403,"kind":"script.seen","object":{"type":"script",
            "id":"https://cdn.tags.co.uk/t.js?v=3"},"labels":{"page":"https://www.shop.example/checkout"}}"#,
        &["LOADS www.shop.example > https://cdn.tags.co.uk/t.js", "OWNS tags.co.uk > https://cdn.tags.co.uk/t.js"],
    );
    check(
        r#"{"id":"1","time":1772438403,"kind":"giftcard.redeem","outcome":"success","actor":{"user":"mia"},
            "object":{"type":"giftcard","id":"gc-1"}}"#,
        &["REDEEMED mia > gc-1"],
    );
}

#[test]
fn strangers_cannot_fill_the_graph() {
    let check_none = |json: &str| {
        let mut graph = graph();
        record(&event(json), &mut graph, &mut News::default());
        assert_eq!(graph.size(), (0, 0), "{json}");
    };
    check_none(
        r#"{"id":"1","time":1,"kind":"auth.login","outcome":"failure","actor":{"user":"x"},"client":{"ip":"192.0.2.1"}}"#,
    );
    check_none(r#"{"id":"1","time":1,"kind":"http.request","client":{"ip":"192.0.2.1"},"http":{"path":"/"}}"#);
    check_none(
        r#"{"id":"1","time":1,"kind":"payment.attempt","outcome":"failure","actor":{"user":"x"},"card":{"fingerprint":"f"}}"#,
    );
    check_none(
        r#"{"id":"1","time":1,"kind":"api.call","outcome":"denied","actor":{"integration":"x","key":"y"},"client":{"ip":"192.0.2.1"}}"#,
    );
}

#[test]
fn keys_are_canonical() {
    let check = |kind: E, key: &str, expected: Option<&str>| {
        assert_eq!(canonical(kind, key).as_deref(), expected, "{key}");
    };
    check(E::Address, " 192.0.2.7", Some("192.0.2.7"));
    check(E::Address, "2001:0DB8:0:0::1", Some("2001:db8::1"));
    check(E::Address, "::ffff:c000:0207", Some("192.0.2.7"));
    check(E::Address, "not an address", None);
    check(E::Domain, "Shop.Example.", Some("shop.example"));
    check(E::User, "Mia.Holm", Some("Mia.Holm"));
    check(E::User, " ", None);
    assert_eq!(canonical(E::Script, &"é".repeat(400)).map(|key| key.len()), Some(512));
}

#[test]
fn a_card_with_a_fingerprint_is_known_by_it() {
    let mut graph = graph();
    let mut event = Event::new("1", Timestamp(1), EventKind::GiftcardPurchase);
    event.actor.user = Some(Text::from("mia"));
    event.object = Some(Box::new(Object { id: Some(Text::from("gc-1")), ..Object::default() }));
    event.card = Some(Box::new(Card { fingerprint: Some(Text::from("card-7f")), ..Card::default() }));
    record(&event, &mut graph, &mut News::default());
    let user = graph.arena.find_key(E::User, "mia").expect("is there");
    let kinds: Vec<R> =
        graph.arena.edges_at(user, Observed::Observed, Direction::Out).map(|(_, edge)| edge.kind).collect();
    assert_eq!(kinds, [R::PaidWith, R::Placed]);
}
