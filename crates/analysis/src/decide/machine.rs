//! What a run does next: a function of what is stored of it and the time.
//!
//! It is asked again after everything that happens, and after a restart, and always walks the playbook from its start:
//! steps that are done count as done, whatever else is not. So there is no place in the run that only memory knows. It
//! must *not* do anything itself: effects are [`Todo`]s for the engine.

use std::collections::BTreeSet;

use riskgraph_domain::playbook::{Ending, OnFailure, RunRecord, RunState, Step, StepKind, StepState, Way};
use riskgraph_domain::time::SECOND_MS;
use riskgraph_domain::{Text, Timestamp};
use serde_json::{Value, json};

use super::facts::VARIABLES;
use super::{condition, template};

mod asking;
mod ending;
mod outcome;

pub use outcome::{Again, Attempted, attempted, begin, notified, undone};

/// A due time may lie this much further ahead than the schedule could have set it before it counts as due: clocks are set
/// back by less than this when they are only corrected.
const SLACK_MS: i64 = 60 * SECOND_MS;

/// What the engine is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Todo {
    /// Execute and verify the action of this row.
    Execute(u32),
    /// Undo it.
    Undo(u32),
    /// Tell people.
    Notify(u32),
}

impl Todo {
    #[must_use]
    pub const fn place(self) -> u32 {
        match self {
            Self::Execute(place) | Self::Undo(place) | Self::Notify(place) => place,
        }
    }
}

/// What is known beside the record.
#[derive(Debug, Clone)]
pub struct Env<'a> {
    pub now: Timestamp,
    /// The run that goes first at one of the targets, in words; `None`: it is this run's turn.
    pub behind: Option<String>,
    /// Rows whose todo is under way.
    pub in_flight: &'a BTreeSet<u32>,
}

/// What comes next.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Next {
    pub todos: Vec<Todo>,
    /// When to ask again, if nothing happens before.
    pub due: Option<Timestamp>,
}

/// How far a step is.
enum Out {
    Done,
    Blocked,
    /// The run is to end.
    Stop(Ending),
}

/// Moves the record on as far as it goes without the outside, and says what the outside is to do.
pub fn advance(record: &mut RunRecord, env: &Env<'_>) -> Next {
    let mut walk = Walk { next: Next::default(), env, results: json!({}) };
    walk.expire(record);
    if record.run.state.is_active() && record.run.ending.is_none() {
        let main: Vec<Text> = record.plan.playbook.main().into_iter().cloned().collect();
        match walk.sequence(record, &main) {
            Out::Done => walk.finish(record),
            Out::Blocked => {}
            Out::Stop(ending) => record.run.ending = Some(ending),
        }
    }
    if record.run.ending.is_some() {
        walk.end(record);
    }
    walk.settle_state(record);
    walk.next
}

struct Walk<'a> {
    next: Next,
    env: &'a Env<'a>,
    /// What earlier steps came to: the variable `steps`.
    results: Value,
}

impl Walk<'_> {
    fn sequence(&mut self, record: &mut RunRecord, ids: &[Text]) -> Out {
        for id in ids {
            match self.step(record, id) {
                Out::Done => {}
                other => return other,
            }
        }
        Out::Done
    }

    fn step(&mut self, record: &mut RunRecord, id: &Text) -> Out {
        let Some(step) = record.plan.playbook.step(id).cloned() else { return Out::Done };
        let out = match &step.kind {
            StepKind::Action(_) => self.action(record, &step),
            StepKind::If { condition, then, otherwise } => self.branch(record, &step, condition, (then, otherwise)),
            StepKind::Parallel { steps } => self.group(record, &step, |walk, record| walk.parallel(record, steps)),
            StepKind::Sequence { steps } => self.group(record, &step, |walk, record| walk.sequence(record, steps)),
            StepKind::Ask(_) => self.ask(record, &step),
            StepKind::Notify { .. } => self.notify(record, &step),
            StepKind::Wait { seconds } => self.wait(record, &step, *seconds),
        };
        if matches!(out, Out::Done) {
            self.remember(record, &step);
        }
        out
    }

    /// Notes what a step came to, for the conditions of later ones.
    fn remember(&mut self, record: &RunRecord, step: &Step) {
        let rows = record.steps.iter().filter(|row| row.step == step.id);
        let states: Vec<StepState> = rows.clone().map(|row| row.state).collect();
        let state = states.iter().find(|state| **state == StepState::Failed).or(states.first());
        let n_done = states.iter().filter(|state| **state == StepState::Done).count();
        let mut result = json!({ "state": state.map_or("SKIPPED", |state| state.as_str()), "done": n_done });
        if matches!(step.kind, StepKind::Ask(_)) {
            result["answer"] = json!(rows.clone().any(|row| row.said.as_deref() == Some("yes")));
        }
        self.results[step.id.as_str()] = result;
    }

    fn facts(&self, record: &RunRecord) -> Value {
        let mut facts = record.plan.facts.clone();
        facts["steps"] = self.results.clone();
        facts
    }

    fn action(&mut self, record: &mut RunRecord, step: &Step) -> Out {
        let mine: Vec<usize> = (0..record.steps.len()).filter(|&ix| record.steps[ix].step == step.id).collect();
        let is_open = |record: &RunRecord, ix: usize| {
            matches!(record.steps[ix].state, StepState::Pending | StepState::Waiting | StepState::Running)
        };
        if mine.iter().any(|&ix| is_open(record, ix)) {
            if let Some(out) = self.gate(record, step, &mine) {
                return out;
            }
            if let Some(behind) = self.env.behind.clone() {
                hold(record, &mine, &behind);
                return Out::Blocked;
            }
            for &ix in &mine {
                if is_open(record, ix) {
                    self.ready(record, ix, Todo::Execute);
                }
            }
            return Out::Blocked;
        }
        self.after(record, step)
    }

    /// A row that may be done now, or later.
    fn ready(&mut self, record: &mut RunRecord, ix: usize, todo: fn(u32) -> Todo) {
        let row = &record.steps[ix];
        let retry_ms = i64::from(riskgraph_domain::playbook::BACKOFF_MAX_S) * SECOND_MS;
        match row.not_before {
            Some(at) if !is_due(at, self.env.now, retry_ms) => self.wake_at(at),
            _ if self.env.in_flight.contains(&row.place) => {}
            _ => self.next.todos.push(todo(row.place)),
        }
    }

    /// What a step whose rows are all settled comes to.
    fn after(&mut self, record: &mut RunRecord, step: &Step) -> Out {
        let failed = record.steps.iter().find(|row| row.step == step.id && row.state == StepState::Failed);
        let Some(failed) = failed else { return Out::Done };
        let state = if failed.refused.is_some() { RunState::Refused } else { RunState::Failed };
        let reason = format!("step {}: {}", step.id, failed.error.as_deref().unwrap_or("it failed"));
        self.failure(record, step, state, reason)
    }

    fn failure(&mut self, record: &mut RunRecord, step: &Step, state: RunState, reason: String) -> Out {
        match &step.on_failure {
            OnFailure::Continue => Out::Done,
            OnFailure::Abort => Out::Stop(Ending { way: Way::Stop, state, reason }),
            OnFailure::Compensate => Out::Stop(Ending { way: Way::Undo, state, reason }),
            OnFailure::Step(handler) => self.step(record, handler),
        }
    }

    fn notify(&mut self, record: &mut RunRecord, step: &Step) -> Out {
        let Some(ix) = place_of(record, step) else { return Out::Done };
        if record.steps[ix].is_settled() {
            return self.after(record, step);
        }
        if record.steps[ix].said.is_none()
            && let StepKind::Notify { text, .. } = &step.kind
        {
            let said = template::fill(text, &self.facts(record), VARIABLES);
            record.steps[ix].said = Some(said.unwrap_or_else(|_| text.clone()));
        }
        self.ready(record, ix, Todo::Notify);
        Out::Blocked
    }

    fn wait(&mut self, record: &mut RunRecord, step: &Step, seconds: u32) -> Out {
        let Some(ix) = place_of(record, step) else { return Out::Done };
        let length_ms = i64::from(seconds) * SECOND_MS;
        let now = self.env.now;
        let row = &mut record.steps[ix];
        if row.is_settled() {
            return Out::Done;
        }
        row.started_at.get_or_insert(now);
        let until = *row.not_before.get_or_insert(now + length_ms);
        if is_due(until, now, length_ms) {
            row.state = StepState::Done;
            row.finished_at = Some(now);
            return Out::Done;
        }
        row.state = StepState::Waiting;
        self.wake_at(until);
        Out::Blocked
    }

    fn branch(
        &mut self,
        record: &mut RunRecord,
        step: &Step,
        source: &str,
        (then, otherwise): (&[Text], &[Text]),
    ) -> Out {
        let Some(ix) = place_of(record, step) else { return Out::Done };
        if record.steps[ix].state == StepState::Failed {
            return self.after(record, step);
        }
        if record.steps[ix].said.is_none() {
            let holds =
                condition::compile(source, VARIABLES).and_then(|condition| condition.holds(&self.facts(record)));
            let row = &mut record.steps[ix];
            row.started_at = Some(self.env.now);
            match holds {
                Ok(holds) => {
                    row.said = Some(if holds { "then" } else { "else" }.to_owned());
                    row.state = StepState::Running;
                }
                Err(message) => {
                    row.state = StepState::Failed;
                    row.error = Some(message);
                    return self.after(record, step);
                }
            }
        }
        let took_then = record.steps[ix].said.as_deref() == Some("then");
        let (taken, left) = if took_then { (then, otherwise) } else { (otherwise, then) };
        for id in left {
            skip(record, id, "the other branch was taken");
        }
        let out = self.sequence(record, taken);
        self.close(record, ix, &out);
        out
    }

    fn group(
        &mut self,
        record: &mut RunRecord,
        step: &Step,
        inner: impl FnOnce(&mut Self, &mut RunRecord) -> Out,
    ) -> Out {
        let Some(ix) = place_of(record, step) else { return Out::Done };
        if record.steps[ix].state == StepState::Pending {
            record.steps[ix].state = StepState::Running;
            record.steps[ix].started_at = Some(self.env.now);
        }
        let out = inner(self, record);
        self.close(record, ix, &out);
        out
    }

    fn close(&self, record: &mut RunRecord, ix: usize, out: &Out) {
        let row = &mut record.steps[ix];
        if matches!(out, Out::Done) && row.state == StepState::Running {
            row.state = StepState::Done;
            row.finished_at = Some(self.env.now);
        }
    }

    /// All at once; the first that wants the run to end wins.
    fn parallel(&mut self, record: &mut RunRecord, ids: &[Text]) -> Out {
        let mut all = Out::Done;
        for id in ids {
            match (self.step(record, id), &all) {
                (Out::Stop(ending), _) => return Out::Stop(ending),
                (Out::Blocked, Out::Done) => all = Out::Blocked,
                _ => {}
            }
        }
        all
    }

    fn wake_at(&mut self, at: Timestamp) {
        self.next.due = Some(self.next.due.map_or(at, |due| due.min(at)));
    }
}

/// Whether a time has come: it is past, or further ahead than it could have been set (the clock was set back).
#[must_use]
pub fn is_due(at: Timestamp, now: Timestamp, length_ms: i64) -> bool {
    at <= now || at - now > length_ms.saturating_add(SLACK_MS)
}

fn place_of(record: &RunRecord, step: &Step) -> Option<usize> {
    record.steps.iter().position(|row| row.step == step.id)
}

/// Rows that could start, but not yet.
fn hold(record: &mut RunRecord, mine: &[usize], why: &str) {
    for &ix in mine {
        let row = &mut record.steps[ix];
        if matches!(row.state, StepState::Pending | StepState::Waiting) {
            row.state = StepState::Waiting;
            row.said = Some(why.to_owned());
        }
    }
}

/// A step that will not run, with everything in it.
fn skip(record: &mut RunRecord, id: &Text, why: &str) {
    let children: Vec<Text> = match record.plan.playbook.step(id) {
        Some(step) => step.children().cloned().collect(),
        None => return,
    };
    for row in record.steps.iter_mut().filter(|row| row.step == *id) {
        if matches!(row.state, StepState::Pending | StepState::Waiting) {
            row.state = StepState::Skipped;
            row.said = Some(why.to_owned());
        }
    }
    for child in &children {
        skip(record, child, why);
    }
}
