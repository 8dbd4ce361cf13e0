//! How a run comes to its end: by its last step, before it, by being undone, by what it did expiring.

use riskgraph_domain::playbook::{ApprovalState, RunRecord, RunState, RunStep, StepState, Telling, Way};
use riskgraph_domain::text::Text;
use riskgraph_domain::time::SECOND_MS;

use super::{Todo, Walk, is_due};
use crate::decide::rules::has_blast;

impl Walk<'_> {
    /// Marks what has been in force long enough, and goes on with what is being undone for that.
    pub(super) fn expire(&mut self, record: &mut RunRecord) {
        for ix in 0..record.steps.len() {
            let length_ms = length_ms(record, &record.steps[ix]);
            let row = &mut record.steps[ix];
            if self.env.in_flight.contains(&row.place) {
                continue;
            }
            if row.reversible && row.is_in_force() && !matches!(row.state, StepState::Undoing | StepState::Running) {
                match row.expires_at {
                    Some(at) if is_due(at, self.env.now, length_ms) => {
                        row.state = StepState::Undoing;
                        row.not_before = None;
                        row.said = Some("its time is up".to_owned());
                    }
                    Some(at) => self.wake_at(at),
                    None => {}
                }
            }
        }
        let is_undoing_all = record.run.ending.as_ref().is_some_and(|ending| ending.way == Way::Undo);
        if is_undoing_all {
            return; // One after the other, in the order of the ending.
        }
        for ix in 0..record.steps.len() {
            if record.steps[ix].state == StepState::Undoing {
                self.ready(record, ix, Todo::Undo);
            }
        }
    }

    /// The last step is done.
    pub(super) fn finish(&mut self, record: &mut RunRecord) {
        for row in record.steps.iter_mut().filter(|row| matches!(row.state, StepState::Pending | StepState::Waiting)) {
            row.state = StepState::Skipped;
            row.said = Some("it was not needed".to_owned());
        }
        let has_done = record.steps.iter().any(|row| row.key.is_some() && row.attempts > 0);
        let refused = record.steps.iter().find(|row| row.refused.is_some());
        let run = &mut record.run;
        run.finished_at = Some(self.env.now);
        match refused {
            Some(row) if !has_done => {
                run.state = RunState::Refused;
                run.reason = row.error.clone();
                tell(record, "end", format!("refused: {}", record.run.reason.as_deref().unwrap_or_default()));
            }
            _ => {
                run.state = RunState::Done;
                let text = done_text(record);
                tell(record, "end", text);
            }
        }
    }

    /// The run ends otherwise: what has not begun does not begin, and where so decided what was done is taken back, last
    /// first.
    pub(super) fn end(&mut self, record: &mut RunRecord) {
        let Some(ending) = record.run.ending.clone() else { return };
        for row in &mut record.steps {
            let has_begun = row.attempts > 0;
            match row.state {
                StepState::Pending | StepState::Waiting if has_begun => row.state = StepState::Failed,
                StepState::Pending | StepState::Waiting => row.state = StepState::Skipped,
                // Control steps that held others.
                StepState::Running if row.key.is_none() && !self.env.in_flight.contains(&row.place) => {
                    row.state = StepState::Skipped;
                }
                _ => {}
            }
        }
        for approval in record.approvals.iter_mut().filter(|approval| approval.state == ApprovalState::Pending) {
            approval.state = ApprovalState::Expired;
        }
        let open: Vec<usize> =
            (0..record.steps.len()).filter(|&ix| record.steps[ix].state == StepState::Running).collect();
        for &ix in &open {
            if self.env.in_flight.contains(&record.steps[ix].place) {
                continue;
            }
            if ending.way == Way::Undo {
                record.steps[ix].state = StepState::Undoing;
                record.steps[ix].not_before = None;
            } else if record.steps[ix].error.is_some() {
                record.steps[ix].state = StepState::Failed; // Between two attempts: there is no further one.
            } else {
                // It had begun before a crash: only the responder knows whether it happened, and the key makes it safe to ask.
                self.ready(record, ix, Todo::Execute);
            }
        }
        if record.steps.iter().any(|row| row.state == StepState::Running) {
            return;
        }
        if ending.way == Way::Undo && self.undo_last(record) {
            return;
        }
        if record.run.finished_at.is_none() || record.run.state != ending.state {
            record.run.state = ending.state;
            record.run.finished_at = Some(self.env.now);
            record.run.reason = Some(ending.reason.clone());
            let word = ending.state.as_str().to_lowercase();
            tell(record, &format!("end-{word}"), format!("{word}: {}", ending.reason));
        }
    }

    /// Undoes the newest effect that is still there; `false` when there is none.
    fn undo_last(&mut self, record: &mut RunRecord) -> bool {
        let undoable = |row: &RunStep| row.reversible && row.is_in_force();
        let newest = (0..record.steps.len())
            .filter(|&ix| record.steps[ix].state == StepState::Undoing || undoable(&record.steps[ix]))
            .max_by_key(|&ix| {
                let row = &record.steps[ix];
                (row.state == StepState::Undoing, row.finished_at, row.place)
            });
        let Some(ix) = newest else { return false };
        let row = &mut record.steps[ix];
        if row.state != StepState::Undoing {
            row.state = StepState::Undoing;
            row.not_before = None;
        }
        self.ready(record, ix, Todo::Undo);
        true
    }

    /// The run's state follows what it waits for; containment is noted as soon as everything that contains is verified.
    pub(super) fn settle_state(&mut self, record: &mut RunRecord) {
        if record.run.state.is_active() {
            let waits = record.approvals.iter().any(|approval| approval.state == ApprovalState::Pending);
            record.run.state = if waits { RunState::WaitingApproval } else { RunState::Running };
        }
        if record.run.contained_at.is_none()
            && let Some(at) = contained_at(record)
        {
            record.run.contained_at = Some(at);
            let text = format!("contained: {}", done_text(record));
            record.run.untold.push(Telling {
                key: Text::from(format!("{}-contained", record.run.id)),
                text: format!("playbook {}: {text}", record.run.name),
                contained_at: Some(at),
            });
        }
    }
}

/// How long a row's effect may last.
fn length_ms(record: &RunRecord, row: &RunStep) -> i64 {
    let step = record.plan.playbook.step(&row.step);
    step.and_then(|step| step.expires_after_s).map_or(i64::MAX / 2, |seconds| i64::from(seconds) * SECOND_MS)
}

/// When the last effect was verified, once nothing that contains is left, failed or refused.
fn contained_at(record: &RunRecord) -> Option<riskgraph_domain::Timestamp> {
    let mut last = None;
    for row in record.steps.iter().filter(|row| matters(record, row)) {
        match row.state {
            StepState::Done if row.verified == Some(true) => last = last.max(row.finished_at),
            StepState::Skipped if row.error.is_none() => {}
            _ => return None,
        }
    }
    last
}

fn matters(record: &RunRecord, row: &RunStep) -> bool {
    let step = record.plan.playbook.step(&row.step);
    step.is_some_and(|step| matches!(step.kind, riskgraph_domain::playbook::StepKind::Action(_)))
        && row.action.as_deref().is_some_and(has_blast)
}

/// Adds a line to what the alert will say.
fn tell(record: &mut RunRecord, what: &str, text: String) {
    let key = Text::from(format!("{}-{what}", record.run.id));
    let text = format!("playbook {}: {text}", record.run.name);
    record.run.untold.push(Telling { key, text, contained_at: None });
}

/// What was done, action by action.
fn done_text(record: &RunRecord) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for row in record.steps.iter().filter(|row| row.state == StepState::Done && row.key.is_some()) {
        let action = row.action.as_deref().unwrap_or_default();
        match counts.iter_mut().find(|(known, _)| *known == action) {
            Some((_, n)) => *n += 1,
            None => counts.push((action, 1)),
        }
    }
    if counts.is_empty() {
        return "done".to_owned();
    }
    counts.iter().map(|(action, n)| format!("{action} ({n})")).collect::<Vec<_>>().join(", ")
}
