//! Runs the tests that stand inside a playbook: the same planning, rules and machine as in earnest, on fake targets.

use std::collections::{BTreeMap, BTreeSet};

use riskgraph_domain::playbook::{
    ApprovalState, BlastPart, Decision, Playbook, PlaybookTest, Run, RunRecord, RunState, RunStep, StepKind, StepState,
};
use riskgraph_domain::respond::{ActionSpec, Effect};
use riskgraph_domain::{AlertId, EntityKey, EntityKind, RunId, Text, Timestamp, TokenId};
use serde_json::Value;

use super::admit::{Rules, TargetWorld, World, target_text};
use super::facts::facts_of_test;
use super::machine::{Again, Attempted, Env, Todo, advance, attempted, begin, notified, undone};
use super::rules::{Caps, NeverTouch, Untouchable};
use super::{plan, trigger};

/// Rounds of one test: far more than the longest playbook takes.
const ROUNDS_MAX: usize = 10_000;

/// Runs every test of a playbook.
///
/// # Errors
/// For each test that fails, its name and what was otherwise than expected.
pub fn run_tests(playbook: &Playbook, caps: Caps) -> Result<usize, Vec<String>> {
    let mut failed = Vec::new();
    for test in &playbook.tests {
        if let Err(differences) = run_test(playbook, test, caps) {
            failed.extend(differences.into_iter().map(|difference| format!("test '{}': {difference}", test.name)));
        }
    }
    if failed.is_empty() { Ok(playbook.tests.len()) } else { Err(failed) }
}

fn run_test(playbook: &Playbook, test: &PlaybookTest, caps: Caps) -> Result<(), Vec<String>> {
    let facts = facts_of_test(test).map_err(|message| vec![message])?;
    let (matches, why) = trigger::matches(playbook, &facts);
    let mut differences = Vec::new();
    if let Some(wanted) = test.expect.matches
        && wanted != matches
    {
        differences
            .push(format!("expected that it {} the alert: {why}", if wanted { "matches" } else { "does not match" }));
    }
    let expect = &test.expect;
    if expect.effects.is_some() || expect.refusals.is_some() || expect.undone.is_some() || expect.state.is_some() {
        let record = Trial::new(playbook, test, facts, caps).play();
        compare("effects", expect.effects.as_ref(), &effects(&record, &test.failing), &mut differences);
        compare("refusals", expect.refusals.as_ref(), &refused(&record), &mut differences);
        compare(
            "undone",
            expect.undone.as_ref(),
            &texts(&record, |row| row.state == StepState::Undone),
            &mut differences,
        );
        if let Some(wanted) = expect.state
            && wanted != record.run.state
        {
            let reason = record.run.reason.as_deref().unwrap_or("no reason");
            differences.push(format!(
                "the run ended {} ({reason}), expected {}",
                record.run.state.as_str(),
                wanted.as_str()
            ));
        }
    }
    if differences.is_empty() { Ok(()) } else { Err(differences) }
}

fn compare(what: &str, wanted: Option<&Vec<String>>, got: &[String], differences: &mut Vec<String>) {
    let Some(wanted) = wanted else { return };
    if wanted != got {
        differences.push(format!("{what}: got [{}], expected [{}]", got.join(", "), wanted.join(", ")));
    }
}

fn effects(record: &RunRecord, failing: &[Text]) -> Vec<String> {
    texts(record, |row| row.key.is_some() && row.attempts > 0 && !failing.contains(&row.step))
}

fn texts(record: &RunRecord, wanted: impl Fn(&RunStep) -> bool) -> Vec<String> {
    record.steps.iter().filter(|row| wanted(row)).map(text_of).collect()
}

fn text_of(row: &RunStep) -> String {
    format!("{} {}", row.action.as_deref().unwrap_or_default(), target_text(row)).trim_end().to_owned()
}

fn refused(record: &RunRecord) -> Vec<String> {
    let rows = record.steps.iter().filter_map(|row| Some((row, row.refused?)));
    rows.map(|(row, rule)| format!("{}: {}", text_of(row), rule.as_str())).collect()
}

/// One test under way.
struct Trial<'a> {
    test: &'a PlaybookTest,
    record: RunRecord,
    now: Timestamp,
}

impl<'a> Trial<'a> {
    fn new(playbook: &Playbook, test: &'a PlaybookTest, facts: Value, caps: Caps) -> Self {
        let start = Timestamp(0);
        let run = Run {
            id: RunId::of(&["test", &playbook.name, &test.name]),
            ordinal: 0,
            playbook: playbook.id(),
            name: playbook.name.clone(),
            version: 0,
            alert: AlertId::of(&["test"]),
            about: test.name.clone(),
            state: RunState::Running,
            started_by: "test".into(),
            requester: None,
            started_at: start,
            finished_at: None,
            reason: None,
            opened_at: start,
            contained_at: None,
            ending: None,
            untold: Vec::new(),
        };
        let mut record = plan::plan(run, playbook.clone(), facts, &specs(playbook));
        let rules = Rules { untouchable: untouchable(test), run: caps, hour: caps, currency: String::new() };
        if let Some(reason) = rules.admit(&mut record, &world(test)) {
            use riskgraph_domain::playbook::{Ending, Way};
            record.run.ending = Some(Ending { way: Way::Stop, state: RunState::Refused, reason });
        }
        Self { test, record, now: start }
    }

    /// Plays until nothing is left to do.
    fn play(mut self) -> RunRecord {
        let nothing = BTreeSet::new();
        for _ in 0..ROUNDS_MAX {
            let env = Env { now: self.now, behind: None, in_flight: &nothing };
            let next = advance(&mut self.record, &env);
            if !self.record.run.state.is_active() && next.todos.is_empty() {
                break;
            }
            if self.answer() {
                continue;
            }
            match (next.todos.is_empty(), next.due) {
                (false, _) => next.todos.into_iter().for_each(|todo| self.act(todo)),
                (true, Some(due)) => self.now = self.now.max(due),
                (true, None) => break,
            }
        }
        self.record
    }

    /// Gives the answers the test has; says whether there was one to give.
    fn answer(&mut self) -> bool {
        let mut answered = false;
        let now = self.now;
        for approval in self.record.approvals.iter_mut().filter(|approval| approval.state == ApprovalState::Pending) {
            let Some((_, answer)) = self.test.answers.iter().find(|(step, _)| *step == approval.step) else { continue };
            let approved = matches!(answer.as_str(), "approve" | "yes");
            let note = None;
            approval.decisions.push(Decision { by: "test".into(), token: TokenId(1), approved, note, at: now });
            approval.state = if approved { ApprovalState::Approved } else { ApprovalState::Rejected };
            answered = true;
        }
        answered
    }

    fn act(&mut self, todo: Todo) {
        let now = self.now;
        let Some(row) = self.record.steps.get(todo.place() as usize) else { return };
        let effect = Effect { text: text_of(row), ours: true, receipt: Value::Null };
        let fails = self.test.failing.contains(&row.step);
        match todo {
            Todo::Execute(place) => {
                begin(&mut self.record, place, now);
                let outcome = if fails {
                    let error = "the test lets it fail".to_owned();
                    Attempted::Failed { effect: None, error, again: Again::No }
                } else {
                    Attempted::Done { effect, verified: true, seen: "seen".to_owned() }
                };
                attempted(&mut self.record, place, outcome, now);
            }
            Todo::Undo(place) => undone(&mut self.record, place, Ok(effect), now),
            Todo::Notify(place) => {
                begin(&mut self.record, place, now);
                notified(&mut self.record, place, Ok(()), now);
            }
        }
    }
}

/// Responders that can do whatever the playbook asks for.
fn specs(playbook: &Playbook) -> Vec<ActionSpec> {
    let mut specs = Vec::new();
    for step in &playbook.steps {
        if let StepKind::Action(action) = &step.kind {
            specs.push(ActionSpec {
                action: action.action.clone(),
                connector: action.connector.clone().unwrap_or_else(|| "fake".into()),
                description: String::new(),
                targets: if action.targets.is_some() { EntityKind::ALL.to_vec() } else { Vec::new() },
                reversible: true,
                parameters: Vec::new(),
            });
        }
    }
    specs
}

fn untouchable(test: &PlaybookTest) -> Untouchable {
    let of = |kinds: &[EntityKind]| {
        let listed = test.never_touch.iter().filter(|key| kinds.contains(&key.kind));
        listed.map(|key| key.key.to_string()).collect()
    };
    let list = NeverTouch {
        networks: of(&[EntityKind::Address, EntityKind::Network]),
        accounts: of(&[EntityKind::User, EntityKind::Staff]),
        integrations: of(&[EntityKind::Integration]),
        keys: of(&[EntityKind::ApiKey]),
        vendors: of(&[EntityKind::Vendor]),
        hosts: of(&[EntityKind::Host, EntityKind::Domain, EntityKind::Script]),
    };
    Untouchable::new(&list).unwrap_or_default()
}

fn world(test: &PlaybookTest) -> World {
    let mut targets: BTreeMap<EntityKey, TargetWorld> = BTreeMap::new();
    for entity in test.entities.iter().chain(&test.related) {
        let is_account = matches!(entity.key.kind, EntityKind::User | EntityKind::Staff);
        let blast = BlastPart {
            accounts: if is_account { vec![entity.key.key.clone()] } else { Vec::new() },
            traffic_share: entity.traffic_share,
            money_minor: entity.money_minor,
        };
        targets.insert(entity.key.clone(), TargetWorld { blast, owners: Vec::new() });
    }
    World { targets, ..World::default() }
}
