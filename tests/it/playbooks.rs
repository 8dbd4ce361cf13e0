//! Runs of playbooks: nothing is done twice, nothing forbidden is done, and what was done can be taken back.

mod kills;
mod world;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use riskgraph_domain::access::Role;
use riskgraph_domain::playbook::{ApprovalState, KillSwitch, PlaybookDesk as _, Rule, RunState, StepState, Verdict};
use riskgraph_domain::time::{HOUR_MS, MINUTE_MS};

use crate::support::wait_for;
use world::{Death, Mood, Mortal, World, distinct, viewer};

const BLOCK: &str = "[[step]]\nid = \"block\"\naction = \"block_address\"\ntargets = ADDRESS\n";
const FREEZE: &str = "[[step]]\nid = \"freeze\"\naction = \"freeze_account\"\ntargets = USER\n";
const QUICK: &str = "timeout = \"1s\"\nretry = { attempts = 2, backoff = \"0s\" }\n";

fn yes() -> Verdict {
    Verdict { approved: true, note: None }
}

/// The process dies before or after each write of a run in turn, and another goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_crash_at_any_write_repeats_nothing() {
    let world = World::new().await;
    let first = world.engine().await;
    let steps = format!("{BLOCK}{FREEZE}[[step]]\nid = \"out\"\naction = \"end_sessions\"\ntargets = USER\n");
    let playbook = world.playbook(&first, "crash", &steps).await;
    drop(first);
    for death in [Death::Before, Death::After] {
        for writes in 0.. {
            // The caps of an hour are none of this test's.
            world.clock.move_by(HOUR_MS + 1);
            let mortal = Arc::new(Mortal {
                inner: world.store.run_store(),
                left: AtomicU64::new(writes),
                death,
                dead: tokio::sync::Notify::new(),
            });
            let dying = world.engine_on(Arc::clone(&mortal) as _).await;
            let run = world.start(&dying, playbook, "ben").await;
            let survived = tokio::select! {
                () = mortal.dead.notified() => false,
                _ = world.wait(run, RunState::Done) => true,
            };
            drop(dying);
            let next = world.engine().await;
            let ended = world.wait(run, RunState::Done).await;
            drop(next);
            assert!(ended.contained_at.is_some(), "all effects were verified");
            let mut done = world.fake.0.lock();
            assert_eq!(done.changed.len(), 3, "{death:?} {writes}: {:?}", done.changed);
            assert_eq!(distinct(&done.changed), 3);
            done.changed.clear();
            drop(done);
            if survived {
                break;
            }
            assert!(writes < 60, "a run of three steps has fewer writes");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn four_eyes_time_limits_and_rejections_hold() {
    let world = World::new().await;
    let desk = world.engine().await;
    let approval = "approval = { role = \"analyst\", needed = 2, timeout = \"15m\" }\n";
    let playbook = world.playbook(&desk, "agree", &format!("{BLOCK}{approval}expires_after = \"1h\"\n")).await;
    let run = world.start(&desk, playbook, "ben").await;
    world.wait(run, RunState::WaitingApproval).await;
    let asked = world.store.runs().run_approvals(run).await.expect("reads").remove(0);
    let record = world.store.runs().run(run).await.expect("reads").expect("is there");
    let why = |who: &str, role| desk.why_not(&viewer(who, role), &asked, &record);
    assert!(why("ben", Role::Admin).expect("he started it").contains("you started"));
    assert!(why("rita", Role::Reader).expect("a reader").contains("role"));
    assert_eq!(why("eva", Role::Analyst), None);
    desk.decide(&viewer("ben", Role::Analyst), asked.id, yes()).await.expect_err("not his own");
    desk.decide(&viewer("eva", Role::Analyst), asked.id, yes()).await.expect("one");
    desk.decide(&viewer("eva", Role::Analyst), asked.id, yes()).await.expect_err("not twice");
    assert!(world.fake.0.lock().changed.is_empty(), "one of two is not enough");
    desk.decide(&viewer("uma", Role::Admin), asked.id, yes()).await.expect("two");
    world.wait(run, RunState::Done).await;
    assert_eq!(world.fake.0.lock().changed.len(), 1);
    // An effect ends by itself, also when the clock jumps.
    world.clock.move_by(HOUR_MS + 1);
    wait_for("the block to end", || async { (world.fake.0.lock().undone.len() == 1).then_some(()) }).await;
    // A clock that is set back does not make an effect last.
    let quick = world.playbook(&desk, "quick", &format!("{BLOCK}expires_after = \"1h\"\n")).await;
    let run = world.start(&desk, quick, "ben").await;
    world.wait(run, RunState::Done).await;
    world.clock.move_by(-26 * HOUR_MS);
    wait_for("the second block to end", || async { (world.fake.0.lock().undone.len() == 2).then_some(()) }).await;
    // Time is up: the safe default.
    let run = world.start(&desk, playbook, "ben").await;
    world.wait(run, RunState::WaitingApproval).await;
    world.clock.move_by(16 * MINUTE_MS);
    world.wait(run, RunState::Refused).await;
    let expired = world.store.runs().run_approvals(run).await.expect("reads").remove(0);
    assert_eq!(expired.state, ApprovalState::Expired);
    desk.decide(&viewer("eva", Role::Analyst), expired.id, yes()).await.expect_err("too late");
    // A no ends it.
    let run = world.start(&desk, playbook, "ben").await;
    world.wait(run, RunState::WaitingApproval).await;
    let asked = world.store.runs().run_approvals(run).await.expect("reads").remove(0);
    let no = Verdict { approved: false, note: Some("a customer".to_owned()) };
    desk.decide(&viewer("eva", Role::Analyst), asked.id, no).await.expect("decides");
    let ended = world.wait(run, RunState::Refused).await;
    assert!(ended.reason.expect("a reason").contains("a customer"));
    assert_eq!(world.fake.0.lock().changed.len(), 2, "nothing more was done");
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_stand_above_playbooks() {
    let world = World::new().await;
    let desk = world.engine().await;
    // Every address is a tenth of the traffic here.
    let small = world.playbook(&desk, "small", &format!("[limits]\ntraffic_share = 0.05\n{BLOCK}")).await;
    let dry = desk.dry_run(small, world.alert.id).await.expect("dry run");
    assert!(!dry.allowed && dry.refusals.iter().any(|refusal| refusal.rule == Rule::Cap), "{dry:?}");
    let run = world.start(&desk, small, "ben").await;
    world.wait(run, RunState::Refused).await;
    // Three tenths an hour are the cap of all runs together.
    let block = world.playbook(&desk, "block", BLOCK).await;
    let dry = desk.dry_run(block, world.alert.id).await.expect("dry run");
    assert!(
        dry.allowed && dry.effects.len() == 1 && dry.effects[0].effect.starts_with("would block_address"),
        "{dry:?}"
    );
    assert!(world.fake.0.lock().changed.is_empty(), "dry runs change nothing");
    for _ in 0..3 {
        let run = world.start(&desk, block, "ben").await;
        world.wait(run, RunState::Done).await;
    }
    let run = world.start(&desk, block, "ben").await;
    let refused = world.wait(run, RunState::Refused).await;
    assert!(refused.reason.expect("a reason").contains("last hour"));
    world.clock.move_by(HOUR_MS + 1);
    // A switch thrown while a run waits stops what has not begun.
    let waits = format!("[[step]]\nid = \"pause\"\nwait = \"10m\"\n{BLOCK}");
    let paused = world.playbook(&desk, "paused", &waits).await;
    let run = world.start(&desk, paused, "ben").await;
    wait_for("the pause", || async { (world.steps(run).await[0].state == StepState::Waiting).then_some(()) }).await;
    let thrown = |on| KillSwitch { action: None, on, by: None, at: None, reason: Some("drill".to_owned()) };
    desk.set_kill_switch(&viewer("ann", Role::Admin), thrown(true)).await.expect("throws");
    world.clock.move_by(11 * MINUTE_MS);
    let refused = world.wait(run, RunState::Refused).await;
    assert!(refused.reason.expect("a reason").contains("drill"));
    desk.set_kill_switch(&viewer("ann", Role::Admin), thrown(false)).await.expect("throws");
    let run = world.start(&desk, block, "ben").await;
    world.wait(run, RunState::Done).await;
    assert_eq!(world.fake.0.lock().changed.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_responders_end_a_run_and_what_was_done_is_undone() {
    let world = World::new().await;
    let desk = world.engine().await;
    let steps = format!("{BLOCK}{FREEZE}{QUICK}on_failure = \"compensate\"\n");
    let playbook = world.playbook(&desk, "hostile", &steps).await;
    for (n, mood) in [Mood::Stalls, Mood::Fails, Mood::Panics, Mood::Lies].into_iter().enumerate() {
        world.fake.mood("freeze_account", mood);
        world.clock.move_by(HOUR_MS);
        let run = world.start(&desk, playbook, "ben").await;
        let ended = world.wait(run, RunState::Failed).await;
        assert!(ended.contained_at.is_none(), "{mood:?}");
        let done = world.fake.0.lock();
        assert!(done.held.is_empty(), "{mood:?}: {:?}", done.held);
        assert_eq!(done.undone.len(), n + 1, "{mood:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_at_one_target_go_one_after_the_other_and_people_can_stop_and_undo() {
    let world = World::new().await;
    let desk = world.engine().await;
    let long = world.playbook(&desk, "long", &format!("{BLOCK}[[step]]\nid = \"pause\"\nwait = \"30m\"\n")).await;
    let short = world.playbook(&desk, "short", BLOCK).await;
    let first = world.start(&desk, long, "ben").await;
    wait_for("the first block", || async { (world.fake.0.lock().changed.len() == 1).then_some(()) }).await;
    let second = world.start(&desk, short, "eva").await;
    let said = wait_for("the second to wait", || async {
        world.steps(second).await[0].said.clone().filter(|said| said.contains("waits for the run"))
    })
    .await;
    assert!(said.contains(&first.to_string()));
    desk.cancel(&viewer("ben", Role::Analyst), first, "enough".to_owned()).await.expect("cancels");
    world.wait(first, RunState::Cancelled).await;
    world.wait(second, RunState::Done).await;
    assert_eq!(world.fake.0.lock().undone.len(), 0, "cancelling leaves what was done");
    for run in [first, second] {
        desk.undo(&viewer("ben", Role::Analyst), run, "wrong address".to_owned()).await.expect("undoes");
        world.wait(run, RunState::Undone).await;
    }
    assert_eq!(world.fake.0.lock().undone.len(), 2);
    desk.undo(&viewer("ben", Role::Analyst), first, "again".to_owned()).await.expect_err("nothing is left");
    let told = world.app.records.alert(world.alert.id).await.expect("reads").expect("is there");
    assert!(told.contained_at.is_some(), "the alert says that it was contained");
}

/// The tests in the shipped files pass, and CACAO loses nothing of them.
#[test]
fn shipped_playbooks_pass_their_own_tests_and_survive_cacao() {
    use riskgraph_analysis::decide::{cacao, source};
    let config = riskgraph::config::Config::load(None).expect("defaults");
    let judged = riskgraph::respond::library::check(std::path::Path::new(""), config.respond.caps.run).expect("reads");
    assert!(judged.len() >= 5);
    for (file, result) in judged {
        assert!(result.as_ref().is_ok_and(|n_tests| *n_tests > 0), "{file}: {result:?}");
    }
    for (file, text) in riskgraph::respond::library::SHIPPED {
        let playbook = source::parse(text).expect("reads");
        let document = cacao::export(&playbook);
        assert_eq!(cacao::import(&document).as_ref(), Ok(&playbook), "{file}");
        // What was changed elsewhere and contradicts us is refused with its step.
        let mut changed = document.clone();
        let steps = changed["workflow"].as_object_mut().expect("steps");
        let (id, step) = steps.iter_mut().find(|(_, step)| step["type"] == "action").expect("an action");
        let id = id.clone();
        step["on_completion"] = "action--other".into();
        let problems = cacao::import(&changed).expect_err("contradicts");
        assert!(problems.iter().any(|problem| problem.contains(&id)), "{problems:?}");
    }
}

#[test]
fn foreign_cacao_is_taken_or_refused_step_by_step() {
    use riskgraph_analysis::decide::cacao;
    let document = |command: &str| {
        serde_json::json!({
            "type": "playbook", "spec_version": "cacao-2.0", "id": "playbook--1", "name": "Block it",
            "playbook_variables": { "__who__": { "type": "string", "value": "the firewall team" } },
            "workflow_start": "start--1",
            "workflow": {
                "start--1": { "type": "start", "on_completion": "if-condition--1" },
                "if-condition--1": { "type": "if-condition", "condition": "severity >= HIGH", "on_true": "action--1",
                    "on_false": "end--2", "on_completion": "end--1" },
                "action--1": { "type": "action", "name": "Call", "on_completion": "end--3",
                    "commands": [{ "type": command, "command": "call __who__:value" }] },
                "end--1": { "type": "end" }, "end--2": { "type": "end" }, "end--3": { "type": "end" },
            }
        })
    };
    let playbook = cacao::import(&document("manual")).expect("a person can do it");
    let asked = playbook.steps.iter().any(|step| {
        matches!(&step.kind, riskgraph_domain::playbook::StepKind::Ask(question) if question.text == "call the firewall team")
    });
    assert!(asked && !playbook.enabled, "{playbook:?}");
    let refused = cacao::import(&document("bash")).expect_err("no shell");
    assert!(refused.iter().any(|problem| problem.contains("action--1") && problem.contains("bash")), "{refused:?}");
    assert!(cacao::import(&serde_json::json!({ "type": "playbook" })).is_err());
}
