//! Time to contain: from the order to act until a look at the real thing shows that it holds.

use std::time::Instant;

use riskgraph_domain::EntityKind;
use riskgraph_domain::respond::Responder as _;
use riskgraph_lab::{Dice, Gate, Shop, ShopOptions};

use super::world::{World, request};

#[tokio::test]
async fn an_attack_stops_when_its_source_is_blocked() {
    let world = World::start().await;
    let gate: Gate = world.shop.gate();
    let shop = Shop::new(ShopOptions { seed: 11, n_users: 300, events_per_day: 2_000, ..ShopOptions::default() });
    let mut events = shop.scenario(riskgraph_lab::ScenarioId::S4, shop.midnight(0), 0.2);
    let mut dice = Dice::of(11, &["contain"]);
    assert!(!events.is_empty() && dice.unit() < 1.0);
    for labelled in &mut events {
        let before = labelled.event.clone();
        gate.pass(&mut labelled.event);
        assert_eq!(labelled.event, before, "nothing is held yet");
    }
    let stolen = events.iter().rev().find_map(|labelled| labelled.event.actor.key.clone()).expect("a key");
    let source = events.iter().rev().find_map(|labelled| labelled.event.client.ip.clone()).expect("a source");
    let began = Instant::now();
    let suspend = request("suspend_key", (EntityKind::ApiKey, &stolen), "run_1");
    let effect = world.responders.execute(&suspend).await.expect("executes");
    assert!(world.holds(&suspend, &effect).await);
    let (suspended, again) = (began.elapsed(), Instant::now());
    let block = request("block_address", (EntityKind::Address, &source), "run_1b");
    let blocked = world.responders.execute(&block).await.expect("executes");
    assert!(world.holds(&block, &blocked).await);
    println!("key suspended and seen refused in {suspended:?}, address blocked and probed in {:?}", again.elapsed());

    let fresh = world.shop.gate();
    let mut n_denied = 0;
    for labelled in &mut events {
        fresh.pass(&mut labelled.event);
        let event = &labelled.event;
        if event.actor.key.as_ref() == Some(&stolen) || event.client.ip.as_ref() == Some(&source) {
            assert_eq!(event.outcome, riskgraph_domain::Outcome::Denied, "{event:?}");
            assert_eq!(event.records, None);
            n_denied += 1;
        }
    }
    assert_eq!(fresh.n_refused(), n_denied);
    assert!(n_denied > 100, "{n_denied}");
}
