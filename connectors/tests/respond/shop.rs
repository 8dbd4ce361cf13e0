//! The shop's admin API, and a shop that means it.

use riskgraph_domain::respond::{Effect, Responder as _};
use riskgraph_domain::{EntityKind, FaultCode};
use riskgraph_lab::Lever;
use serde_json::json;

use super::world::{World, request};

#[tokio::test]
async fn a_frozen_login_is_refused_and_released() {
    let world = World::start().await;
    let login = json!({"user": "alice", "password": "x"});
    let session = world.post("/login", login.clone()).await.1["session"].as_str().expect("let in").to_owned();
    let freeze = request("freeze_account", (EntityKind::User, "alice"), "run_1");
    let planned = world.responders.dry_run(&freeze).await.expect("plans");
    assert!(planned.changes && planned.text.contains("/admin/accounts/alice/freeze"), "{}", planned.text);
    assert!(!planned.text.contains(riskgraph_lab::ADMIN_TOKEN), "secrets are not shown");
    let effect = world.responders.execute(&freeze).await.expect("executes");
    assert!(effect.ours && world.holds(&freeze, &effect).await);
    assert_eq!(world.post("/login", login.clone()).await.0, 403);
    assert_eq!(world.get("/account", &[("x-session", &session)]).await, 403);
    assert_eq!(world.post("/login", json!({"user": "bob"})).await.0, 200);
    world.responders.undo(&freeze, &effect).await.expect("undoes");
    assert_eq!(world.post("/login", login).await.0, 200);
    assert!(!world.holds(&freeze, &effect).await);
}

#[tokio::test]
async fn ended_sessions_are_over() {
    let world = World::start().await;
    let login = world.post("/login", json!({"user": "alice"})).await;
    let session = login.1["session"].as_str().expect("let in").to_owned();
    let end = request("end_sessions", (EntityKind::User, "alice"), "run_1");
    let effect = world.responders.execute(&end).await.expect("executes");
    assert!(effect.ours && world.holds(&end, &effect).await);
    assert_eq!(world.get("/account", &[("x-session", &session)]).await, 401);
    assert!(world.responders.undo(&end, &effect).await.is_err(), "nobody is logged in again by us");
}

#[tokio::test]
async fn every_switch_holds_and_lets_go() {
    let world = World::start().await;
    let check = async |action: &str, target: (EntityKind, &str), lever: Lever, reversible: bool| {
        let wanted = request(action, target, &format!("run_{action}"));
        let effect = world.responders.execute(&wanted).await.expect("executes");
        let held = |lever| world.shop.locks.lock().expect("locks").held(lever, target.1);
        assert!(held(lever) && world.holds(&wanted, &effect).await, "{action}");
        let spec = world.responders.actions().into_iter().find(|spec| spec.action.as_str() == action).expect("listed");
        assert_eq!(spec.reversible, reversible, "{action}");
        assert_eq!(world.responders.undo(&wanted, &effect).await.is_ok(), reversible, "{action}");
        assert_eq!(held(lever), !reversible, "{action}");
    };
    check("force_reset", (EntityKind::User, "al/ice?#"), Lever::Reset, false).await;
    check("suspend_key", (EntityKind::ApiKey, "pk_1"), Lever::Suspend, true).await;
    check("rotate_key", (EntityKind::ApiKey, "pk_2"), Lever::Rotate, false).await;
    check("hold_order", (EntityKind::Order, "400001"), Lever::HoldOrder, true).await;
    check("hold_gift_card", (EntityKind::GiftCard, "GC-1"), Lever::HoldCard, true).await;
    check("isolate_system", (EntityKind::Asset, "erp"), Lever::Isolate, true).await;
    assert_eq!(world.get("/api/orders", &[("x-api-key", "pk_1")]).await, 200);
    assert_eq!(world.get("/api/orders", &[("x-api-key", "pk_2")]).await, 401);
    assert_eq!(world.post("/orders/400001/ship", json!({})).await.0, 200);
}

#[tokio::test]
async fn held_things_are_refused() {
    let world = World::start().await;
    for (action, target) in [
        ("hold_order", (EntityKind::Order, "1")),
        ("hold_gift_card", (EntityKind::GiftCard, "1")),
        ("isolate_system", (EntityKind::Host, "1")),
        ("suspend_key", (EntityKind::ApiKey, "1")),
    ] {
        world.responders.execute(&request(action, target, action)).await.expect("executes");
    }
    assert_eq!(world.post("/orders/1/ship", json!({})).await.0, 409);
    assert_eq!(world.post("/gift-cards/1/redeem", json!({})).await.0, 409);
    assert_eq!(world.get("/systems/1", &[]).await, 503);
    assert!(world.policy().await.contains("script-src 'self'"), "pages carry the script policy");
    assert_eq!(world.get("/api/orders", &[("x-api-key", "1")]).await, 403);
}

#[tokio::test]
async fn a_crash_between_execute_and_record_repeats_nothing() {
    let mut world = World::start().await;
    let freeze = request("freeze_account", (EntityKind::User, "alice"), "run_1");
    let first = world.responders.execute(&freeze).await.expect("executes");
    let n_changes = world.shop.locks.lock().expect("locks").n_changes();
    world.restart();
    assert_eq!(world.responders.execute(&freeze).await.expect("executes"), first);
    // Killed after the call was heard and before the ledger knew: the note says 'started'.
    let entry = world.dir.path().join("state/shop/run_1.json");
    let text = std::fs::read_to_string(&entry).expect("noted");
    for damaged in [text.replace("\"done\"", "\"started\""), String::new()] {
        std::fs::write(&entry, damaged).expect("written");
        world.restart();
        assert!(world.responders.execute(&freeze).await.expect("executes").ours, "known by the key it holds");
    }
    assert_eq!(world.shop.locks.lock().expect("locks").n_changes(), n_changes);
    world.responders.undo(&freeze, &first).await.expect("undoes");
    assert!(world.responders.execute(&freeze).await.is_err(), "an undone key does nothing more");
    assert_eq!(world.post("/login", json!({"user": "alice"})).await.0, 200);
}

#[tokio::test]
async fn a_freeze_that_stood_before_stays() {
    let world = World::start().await;
    world.shop.locks.lock().expect("locks").hold(Lever::Freeze, "alice", "support");
    let freeze = request("freeze_account", (EntityKind::User, "alice"), "run_1");
    assert!(!world.responders.dry_run(&freeze).await.expect("plans").changes);
    let effect = world.responders.execute(&freeze).await.expect("executes");
    assert!(!effect.ours && world.holds(&freeze, &effect).await);
    // Not even a record that claims otherwise takes it back.
    world.responders.undo(&freeze, &Effect { ours: true, ..effect }).await.expect("nothing to do");
    assert_eq!(world.post("/login", json!({"user": "alice"})).await.0, 403);
}

#[tokio::test]
async fn a_wrong_token_is_said_and_a_dead_shop_may_be_tried_again() {
    let mut world = World::start().await;
    std::fs::write(world.dir.path().join("token"), "not-the-token").expect("written");
    let freeze = request("freeze_account", (EntityKind::User, "alice"), "run_1");
    let fault = world.responders.execute(&freeze).await.expect_err("refused");
    assert_eq!(fault.code, FaultCode::UpstreamRefused);
    assert!(!fault.message.contains("not-the-token"), "{fault}");
    let mut config = serde_json::to_value(&world.config).expect("JSON");
    config["shop"]["base_url"] = json!("http://127.0.0.1:1");
    world.config = super::world::connectors(config.clone());
    world.restart();
    let fault = world.responders.execute(&freeze).await.expect_err("nobody there");
    assert!(fault.code.retry(), "{fault}");
    config["shop"]["net"] = json!({});
    world.config = super::world::connectors(config);
    world.restart();
    let fault = world.responders.execute(&freeze).await.expect_err("a private address that is not listed");
    assert!(fault.message.contains("allow_networks"), "{fault}");
}

#[tokio::test]
async fn a_ticket_is_opened_once_and_closed() {
    let mut world = World::start().await;
    let mut open = request("open_ticket", (EntityKind::ApiKey, "ak_1"), "run_1");
    open.parameters.insert("title".into(), json!("Stolen key"));
    let effect = world.responders.execute(&open).await.expect("opens");
    std::fs::remove_file(world.dir.path().join("state/tracker/run_1.json")).expect("forgotten");
    world.restart();
    let again = world.responders.execute(&open).await.expect("found by its label");
    assert_eq!((again.ours, &again.receipt), (true, &effect.receipt));
    assert!(world.holds(&open, &again).await);
    assert!(world.responders.undo(&open, &again).await.expect("closes").ours);
}
