//! Playbooks from their text to what a run does, by the tests that stand in them.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on should panic")]

use riskgraph_analysis::decide::rules::Caps;
use riskgraph_analysis::decide::{source, trial};

const CAPS: Caps = Caps { accounts: 100, traffic_share: 0.5, money_minor: 1e6, targets: 100 };

/// Reads a playbook with tests in it and runs them.
fn check(text: &str) {
    let playbook = source::parse(text).unwrap_or_else(|problems| panic!("{problems:?}"));
    let n_tests = trial::run_tests(&playbook, CAPS).unwrap_or_else(|failed| panic!("{failed:#?}"));
    assert!(n_tests > 0);
    let again = source::parse(&source::print(&playbook)).expect("what is printed reads");
    assert_eq!(again, playbook, "printing loses nothing");
}

#[test]
fn steps_go_in_order_and_failures_where_they_are_sent() {
    check(
        r#"
name = "order"
title = "Order"
trigger = "severity >= HIGH"
[[step]]
id = "block"
action = "block_address"
targets = "entities.filter(e, e.kind == 'ADDRESS')"
on_failure = "throttle"
expires_after = "6h"
[[step]]
id = "throttle"
action = "throttle_address"
targets = "entities.filter(e, e.kind == 'ADDRESS')"
[[step]]
id = "both"
parallel = ["sessions", "many"]
[[step]]
id = "sessions"
action = "end_sessions"
targets = "entities.filter(e, e.kind == 'USER')"
on_failure = "compensate"
[[step]]
id = "many"
if = "size(entities) > 2"
then = ["reset"]
else = ["tell"]
[[step]]
id = "reset"
action = "force_reset"
targets = "entities.filter(e, e.kind == 'USER')"
approval = { role = "analyst", needed = 2, timeout = "15m" }
[[step]]
id = "tell"
notify = ""
text = "few: ${alert.title}"
[[step]]
id = "sure"
ask = "Freeze as well?"
within = "10m"
default = "no"
[[step]]
id = "when-sure"
if = "steps.sure.answer"
then = ["freeze"]
[[step]]
id = "freeze"
action = "freeze_account"
targets = "entities.filter(e, e.kind == 'USER')"
[[step]]
id = "pause"
wait = "1h"

[[test]]
name = "all goes well, nobody answers the question"
entities = [{ kind = "ADDRESS", key = "203.0.113.7" }, { kind = "USER", key = "mia" }]
[test.expect]
matches = true
effects = ["block_address 203.0.113.7", "end_sessions mia"]
undone = []
state = "DONE"

[[test]]
name = "agreed and asked"
entities = [{ kind = "USER", key = "mia" }, { kind = "USER", key = "ben" }, { kind = "USER", key = "eva" }]
answers = { reset = "approve", sure = "yes" }
[test.expect]
effects = ["end_sessions mia", "end_sessions ben", "end_sessions eva", "force_reset mia", "force_reset ben", "force_reset eva", "freeze_account mia", "freeze_account ben", "freeze_account eva"]
state = "DONE"

[[test]]
name = "nobody agrees in time"
entities = [{ kind = "USER", key = "mia" }, { kind = "USER", key = "ben" }, { kind = "USER", key = "eva" }]
[test.expect]
effects = ["end_sessions mia", "end_sessions ben", "end_sessions eva"]
state = "REFUSED"

[[test]]
name = "blocking fails: throttle instead"
failing = ["block"]
entities = [{ kind = "ADDRESS", key = "203.0.113.7" }]
[test.expect]
effects = ["throttle_address 203.0.113.7"]
state = "DONE"

[[test]]
name = "ending sessions fails: what was done is undone"
failing = ["sessions"]
entities = [{ kind = "ADDRESS", key = "203.0.113.7" }, { kind = "USER", key = "mia" }]
[test.expect]
undone = ["block_address 203.0.113.7", "end_sessions mia"]
state = "FAILED"

[[test]]
name = "what is never touched is left out, the others are not"
never_touch = [{ kind = "USER", key = "mia" }]
entities = [{ kind = "USER", key = "mia" }, { kind = "USER", key = "ben" }]
[test.expect]
effects = ["end_sessions ben"]
refusals = ["end_sessions mia: never_touch", "force_reset mia: never_touch", "freeze_account mia: never_touch"]
state = "DONE"

[[test]]
name = "nothing but what is never touched"
never_touch = [{ kind = "NETWORK", key = "203.0.113.0/24" }]
entities = [{ kind = "ADDRESS", key = "203.0.113.7" }]
[test.expect]
effects = []
state = "REFUSED"

[[test]]
name = "too much of the traffic"
entities = [{ kind = "ADDRESS", key = "203.0.113.7", traffic_share = 0.6 }]
[test.expect]
effects = []
state = "REFUSED"

[[test]]
name = "a mild alert is none of it"
alert = { severity = "MEDIUM" }
[test.expect]
matches = false
"#,
    );
}

#[test]
fn a_wrong_playbook_is_told_with_step_field_and_remedy() {
    let head = "name = \"n\"\ntitle = \"t\"\ntrigger = \"true\"\n";
    let check = |rest: &str, says: &[&str]| {
        let problems = source::parse(&format!("{head}{rest}")).expect_err(rest);
        let told = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        for part in says {
            assert!(told.contains(part), "{rest}\n{told}\ndoes not say {part}");
        }
    };
    check("", &["1 to 64 steps"]);
    check("[[step]]\nid = \"a\"\n", &["step 'a'", "exactly one of"]);
    check("[[step]]\nid = \"a\"\nwait = \"1x\"\n", &["step 'a'", "field 'wait'", "90s"]);
    check("[[step]]\nid = \"a\"\nwiat = \"1s\"\n", &["step 'a'", "wiat", "expected one of"]);
    check(
        "[[step]]\nid = \"a\"\naction = \"x\"\ntargets = \"entitys\"\n",
        &["step 'a'", "field 'targets'", "'entitys' is not known"],
    );
    check("[[step]]\nid = \"a\"\nparallel = [\"b\"]\n", &["'b', which does not exist"]);
    check("[[step]]\nid = \"a\"\nsequence = [\"b\"]\n[[step]]\nid = \"b\"\nsequence = [\"a\"]\n", &["contains itself"]);
    check("[[step]]\nid = \"a\"\nwait = \"1s\"\n[[step]]\nid = \"a\"\nwait = \"1s\"\n", &["another step has this id"]);
    check(
        "[[step]]\nid = \"a\"\nwait = \"1s\"\napproval = { role = \"analyst\", timeout = \"1m\" }\n",
        &["field 'approval'", "take it away"],
    );
    check(
        "[[step]]\nid = \"a\"\naction = \"x\"\napproval = { role = \"reader\", timeout = \"1m\" }\n",
        &["approval.role", "analyst or admin"],
    );
    check("[[step]]\nid = \"a\"\naction = \"x\"\nparameters = { p = \"${nothing}\" }\n", &["field 'parameters'", "p:"]);
    check("[[step]\n", &["line 4", "not TOML"]);
    let all = source::parse("name = \"N\"\ntitle = \"\"\ntrigger = \"1 +\"\nstep = 4\n").expect_err("wrong");
    assert!(!all.is_empty());
}
