//! What the end of an attempt makes of its row.

use riskgraph_domain::Timestamp;
use riskgraph_domain::playbook::{Retry, Rule, RunRecord, StepState};
use riskgraph_domain::respond::Effect;
use riskgraph_domain::time::SECOND_MS;

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Attempted {
    /// Done, and what a look at the real thing showed.
    Done { effect: Effect, verified: bool, seen: String },
    /// Not known to be done, or done and not seen.
    Failed { effect: Option<Effect>, error: String, again: Again },
    /// A rule stood in the way; nothing was done.
    Refused(Rule, String),
}

/// Whether the same may succeed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    Yes,
    No,
}

/// Characters of an error that are kept.
const ERROR_MAX: usize = 500;
/// Longest wait between two tries to undo; undoing is never given up.
const UNDO_WAIT_MAX_S: u32 = 300;

/// Notes that an attempt at a row begins; stored before it does.
pub fn begin(record: &mut RunRecord, place: u32, now: Timestamp) {
    let expires_after_s = record
        .steps
        .get(place as usize)
        .and_then(|row| record.plan.playbook.step(&row.step))
        .and_then(|step| step.expires_after_s);
    let Some(row) = record.steps.get_mut(place as usize) else { return };
    row.attempts = row.attempts.saturating_add(1);
    row.state = StepState::Running;
    row.not_before = None;
    row.error = None;
    row.started_at.get_or_insert(now);
    if row.expires_at.is_none() {
        row.expires_at = expires_after_s.map(|seconds| now + i64::from(seconds) * SECOND_MS);
    }
}

/// Notes how the attempt at a row ended.
pub fn attempted(record: &mut RunRecord, place: u32, outcome: Attempted, now: Timestamp) {
    let retry = retry_of(record, place);
    let Some(row) = record.steps.get_mut(place as usize) else { return };
    match outcome {
        Attempted::Done { effect, verified, seen } => {
            row.state = if verified { StepState::Done } else { StepState::Failed };
            row.said = Some(cut(&format!("{}; {seen}", effect.text)));
            row.effect = Some(effect);
            row.verified = Some(verified);
            row.error = (!verified).then(|| cut(&format!("the effect is not there: {seen}")));
            row.finished_at = Some(now);
        }
        Attempted::Failed { effect, error, again } => {
            row.effect = effect.or(row.effect.take());
            row.error = Some(cut(&error));
            if again == Again::Yes && row.attempts < retry.attempts {
                row.state = StepState::Running;
                row.not_before = Some(now + i64::from(retry.wait_s(row.attempts)) * SECOND_MS);
            } else {
                row.state = StepState::Failed;
                row.finished_at = Some(now);
            }
        }
        Attempted::Refused(rule, reason) => {
            // What is never touched leaves the others alone; a cap or a switch ends the step.
            let leaves_others = matches!(rule, Rule::NeverTouch | Rule::WrongTarget);
            row.state = if leaves_others && row.attempts == 0 { StepState::Skipped } else { StepState::Failed };
            row.refused = Some(rule);
            row.error = Some(cut(&reason));
            row.finished_at = Some(now);
        }
    }
}

/// Notes how telling people ended.
pub fn notified(record: &mut RunRecord, place: u32, outcome: Result<(), (String, Again)>, now: Timestamp) {
    let retry = retry_of(record, place);
    let Some(row) = record.steps.get_mut(place as usize) else { return };
    match outcome {
        Ok(()) => {
            row.state = StepState::Done;
            row.error = None;
            row.finished_at = Some(now);
        }
        Err((error, again)) => {
            row.error = Some(cut(&error));
            if again == Again::Yes && row.attempts < retry.attempts {
                row.state = StepState::Running;
                row.not_before = Some(now + i64::from(retry.wait_s(row.attempts)) * SECOND_MS);
            } else {
                row.state = StepState::Failed;
                row.finished_at = Some(now);
            }
        }
    }
}

/// Notes how undoing a row ended.
pub fn undone(record: &mut RunRecord, place: u32, outcome: Result<Effect, String>, now: Timestamp) {
    let Some(row) = record.steps.get_mut(place as usize) else { return };
    match outcome {
        Ok(effect) => {
            row.state = StepState::Undone;
            row.said = Some(cut(&effect.text));
            row.error = None;
            row.finished_at = Some(now);
            row.not_before = None;
        }
        Err(error) => {
            row.error = Some(cut(&format!("undoing: {error}")));
            row.attempts = row.attempts.saturating_add(1);
            let wait_s = 1_u32.checked_shl(row.attempts.min(16)).unwrap_or(u32::MAX).min(UNDO_WAIT_MAX_S);
            row.not_before = Some(now + i64::from(wait_s) * SECOND_MS);
        }
    }
}

fn retry_of(record: &RunRecord, place: u32) -> Retry {
    let row = record.steps.get(place as usize);
    let step = row.and_then(|row| record.plan.playbook.step(&row.step));
    step.map_or(Retry { attempts: 1, backoff_s: 1 }, |step| step.retry)
}

fn cut(text: &str) -> String {
    text.chars().take(ERROR_MAX).collect()
}
