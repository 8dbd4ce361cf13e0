//! nginx's files, and the edge that reads them.

use riskgraph_domain::EntityKind;
use riskgraph_domain::respond::Responder as _;

use super::world::{World, request};

#[tokio::test]
async fn a_blocked_address_is_really_refused_and_let_in_again() {
    let world = World::start().await;
    let (attacker, neighbour) = ("203.0.113.7", "203.0.113.8");
    let block = request("block_address", (EntityKind::Address, attacker), "run_1-a");
    let planned = world.responders.dry_run(&block).await.expect("plans");
    assert_eq!(planned.text, "adds 'deny 203.0.113.7;' to deny.conf (0 entries now)");
    assert!(planned.changes);
    assert_eq!(world.as_client(attacker).await, 200, "a dry run changes nothing");

    let effect = world.responders.execute(&block).await.expect("executes");
    assert!(effect.ours);
    assert_eq!((world.as_client(attacker).await, world.as_client(neighbour).await), (403, 200));
    let seen = world.responders.verify(&block, &effect).await.expect("looks");
    assert!(seen.holds && seen.text.contains("answered 403"), "{}", seen.text);
    let text = std::fs::read_to_string(&world.shop.files.deny).expect("file");
    assert_eq!(
        text,
        "# addresses the edge refuses\ndeny 203.0.113.7; # riskgraph run_1-a until 2026-05-01T11:00:00Z\n"
    );

    let undone = world.responders.undo(&block, &effect).await.expect("undoes");
    assert!(undone.ours);
    assert_eq!(world.as_client(attacker).await, 200);
    assert!(!world.holds(&block, &effect).await);
    assert_eq!(std::fs::read_to_string(&world.shop.files.deny).expect("file"), "# addresses the edge refuses\n");
    assert!(!world.responders.undo(&block, &effect).await.expect("again").ours);
}

#[tokio::test]
async fn a_crash_before_the_record_repeats_nothing() {
    let mut world = World::start().await;
    let block = request("block_network", (EntityKind::Network, "203.0.113.0/24"), "run_2");
    let first = world.responders.execute(&block).await.expect("executes");
    let text = std::fs::read_to_string(&world.shop.files.deny).expect("file");
    world.restart();
    assert!(!world.responders.dry_run(&block).await.expect("plans").changes);
    assert_eq!(world.responders.execute(&block).await.expect("executes"), first);
    assert_eq!(std::fs::read_to_string(&world.shop.files.deny).expect("file"), text);
    assert_eq!(world.as_client("203.0.113.200").await, 403);
}

#[tokio::test]
async fn a_block_that_stood_before_stays() {
    let world = World::start().await;
    let by_hand = "deny 198.51.100.0/24; # since May\nallow 192.0.2.9;\nallow all;\n";
    std::fs::write(&world.shop.files.deny, by_hand).expect("write");
    let covered = request("block_address", (EntityKind::Address, "198.51.100.9"), "run_3");
    let planned = world.responders.dry_run(&covered).await.expect("plans");
    assert!(!planned.changes && planned.text.contains("line 1"), "{}", planned.text);
    let effect = world.responders.execute(&covered).await.expect("executes");
    assert!(!effect.ours);
    assert!(world.holds(&covered, &effect).await);
    assert!(!world.responders.undo(&covered, &effect).await.expect("undoes").ours);
    assert_eq!(world.as_client("198.51.100.9").await, 403);
    assert_eq!(std::fs::read_to_string(&world.shop.files.deny).expect("file"), by_hand);

    let exempt = request("block_address", (EntityKind::Address, "192.0.2.9"), "run_4");
    let fault = world.responders.execute(&exempt).await.expect_err("the operator lets it in");
    assert!(fault.message.contains("line 2"), "{fault}");

    let fresh = request("block_address", (EntityKind::Address, "203.0.113.7"), "run_5");
    let effect = world.responders.execute(&fresh).await.expect("executes");
    assert_eq!(world.as_client("203.0.113.7").await, 403, "it stands before 'allow all'");
    world.responders.undo(&fresh, &effect).await.expect("undoes");
    assert_eq!(std::fs::read_to_string(&world.shop.files.deny).expect("file"), by_hand);
}

#[tokio::test]
async fn two_runs_hold_one_address_until_both_let_go() {
    let world = World::start().await;
    let (a, b) = (("block_address", "run_a"), ("block_address", "run_b"));
    let [a, b] = [a, b].map(|(action, key)| request(action, (EntityKind::Address, "2001:db8::7"), key));
    let done_a = world.responders.execute(&a).await.expect("executes");
    let done_b = world.responders.execute(&b).await.expect("executes");
    world.responders.undo(&a, &done_a).await.expect("undoes");
    assert_eq!(world.as_client("2001:db8::7").await, 403);
    world.responders.undo(&b, &done_b).await.expect("undoes");
    assert_eq!(world.as_client("2001:db8::7").await, 200);
}

#[tokio::test]
async fn a_throttled_address_is_slowed_down() {
    let world = World::start().await;
    let slow = request("throttle_address", (EntityKind::Address, "203.0.113.7"), "run_6");
    let effect = world.responders.execute(&slow).await.expect("executes");
    assert!(world.holds(&slow, &effect).await);
    let mut answers = Vec::new();
    for _ in 0..8 {
        answers.push(world.as_client("203.0.113.7").await);
    }
    assert_eq!(answers.first(), Some(&200));
    assert!(answers.contains(&429), "{answers:?}");
    assert_eq!(world.as_client("203.0.113.8").await, 200);
    world.responders.undo(&slow, &effect).await.expect("undoes");
    assert_eq!(world.as_client("203.0.113.7").await, 200);
}

#[cfg(unix)]
#[tokio::test]
async fn what_nginx_refuses_is_put_back() {
    let mut world = World::start().await;
    let mut config = serde_json::to_value(&world.config).expect("JSON");
    let marker = world.dir.path().join("reloaded");
    config["nginx"]["test"] = serde_json::json!(["/bin/false"]);
    config["nginx"]["reload"] = serde_json::json!(["/usr/bin/touch", marker]);
    world.config = super::world::connectors(config.clone());
    world.restart();
    let before = std::fs::read_to_string(&world.shop.files.deny).expect("file");
    let block = request("block_address", (EntityKind::Address, "203.0.113.7"), "run_7");
    world.responders.execute(&block).await.expect_err("the test fails");
    assert_eq!(std::fs::read_to_string(&world.shop.files.deny).expect("file"), before);
    assert!(!marker.exists());
    config["nginx"]["test"] = serde_json::json!(["/bin/true"]);
    world.config = super::world::connectors(config);
    world.restart();
    world.responders.execute(&block).await.expect("executes");
    assert!(marker.exists());
    // Written before a crash and never reloaded: the repetition reloads.
    std::fs::remove_file(&marker).expect("removed");
    world.responders.execute(&block).await.expect("executes");
    assert!(marker.exists());
}

#[tokio::test]
async fn refuses_what_is_no_address() {
    let world = World::start().await;
    for bad in ["0.0.0.0/0", "127.0.0.1", "203.0.113.7; allow all", "AS64512", ""] {
        let block = request("block_network", (EntityKind::Network, bad), "run_8");
        assert!(world.responders.execute(&block).await.is_err(), "{bad}");
    }
    let block = request("block_address", (EntityKind::User, "alice"), "run_8");
    assert!(world.responders.execute(&block).await.is_err());
    let mut block = request("block_network", (EntityKind::Network, "AS64512"), "../run");
    assert!(world.responders.execute(&block).await.is_err(), "the key would leave its folder");
    block.idempotency_key = "run_9".into();
    block.parameters.insert("network".into(), "203.0.113.0/24".into());
    assert!(world.responders.execute(&block).await.is_ok(), "the parameter names the networks of an AS");
}
