//! Script sources, and the policy the edge makes of them.

use riskgraph_domain::EntityKind;
use riskgraph_domain::respond::Responder as _;
use serde_json::json;

use super::world::{World, build, connectors, request};

const VENDOR: &str = "https://cdn.tagdock.example";

async fn world() -> World {
    let mut world = World::start().await;
    let mut config = serde_json::to_value(&world.config).expect("JSON");
    config["csp"] = json!({
        "kind": "csp", "file": world.shop.files.scripts,
        "probe_url": format!("http://{}/checkout", world.shop.edge),
        "net": {"allow_networks": ["127.0.0.0/8"]},
    });
    world.config = connectors(config);
    world.responders = build(&world.config, world.dir.path());
    world
}

#[tokio::test]
async fn one_vendors_script_is_switched_off_and_comes_back() {
    let mut world = world().await;
    let before = std::fs::read_to_string(&world.shop.files.scripts).expect("file");
    let policy = world.policy().await;
    let off = request("disable_script", (EntityKind::Script, "https://cdn.tagdock.example/a.js"), "run_1");
    let planned = world.responders.dry_run(&off).await.expect("plans");
    assert!(planned.changes && planned.text.contains(VENDOR), "{}", planned.text);
    let effect = world.responders.execute(&off).await.expect("executes");
    let seen = world.responders.verify(&off, &effect).await.expect("looks");
    assert!(seen.holds && seen.text.contains("/checkout keeps it out"), "{}", seen.text);
    assert_eq!(world.policy().await, policy.replace(&format!(" {VENDOR}"), ""), "all else is kept");
    world.restart();
    assert!(world.responders.execute(&off).await.expect("again").ours);
    let undone = world.responders.undo(&off, &effect).await.expect("undoes");
    assert!(undone.ours && !world.holds(&off, &effect).await);
    assert_eq!(std::fs::read_to_string(&world.shop.files.scripts).expect("file"), before);
}

#[tokio::test]
async fn two_runs_hold_one_script() {
    let world = world().await;
    let list = "# by hand\r\n'self'\r\n  *.tagdock.example  \r\nhttps://pay.cardpath.example";
    std::fs::write(&world.shop.files.scripts, list).expect("written");
    let [a, b] = [(EntityKind::Script, "https://cdn.tagdock.example/a.js"), (EntityKind::Domain, "tagdock.example")]
        .map(|target| request("disable_script", target, &format!("run_{}", target.0.as_str())));
    let (done_a, done_b) =
        (world.responders.execute(&a).await.expect("executes"), world.responders.execute(&b).await.expect("executes"));
    assert!(done_a.ours && done_b.ours);
    world.responders.undo(&a, &done_a).await.expect("undoes");
    assert!(world.holds(&a, &done_a).await, "the other run holds it still");
    world.responders.undo(&b, &done_b).await.expect("undoes");
    assert_eq!(std::fs::read_to_string(&world.shop.files.scripts).expect("file"), list);
}

#[tokio::test]
async fn what_cannot_be_switched_off_is_said() {
    let world = world().await;
    let other = request("disable_script", (EntityKind::Host, "elsewhere.example"), "run_1");
    assert!(!world.responders.dry_run(&other).await.expect("plans").changes);
    let effect = world.responders.execute(&other).await.expect("nothing to do");
    assert!(!effect.ours && !world.responders.undo(&other, &effect).await.expect("nothing").ours);
    std::fs::write(&world.shop.files.scripts, "'self'\nhttps:\nhttps://cdn.tagdock.example\n").expect("written");
    let off = request("disable_script", (EntityKind::Host, "cdn.tagdock.example"), "run_2");
    let fault = world.responders.execute(&off).await.expect_err("https: lets everything through");
    assert!(fault.message.contains("line 2"), "{fault}");
    let mut odd = request("disable_script", (EntityKind::Host, "x"), "run_3");
    odd.parameters.insert("source".into(), json!("https://a.example; default-src *"));
    assert!(world.responders.execute(&odd).await.is_err());
}
