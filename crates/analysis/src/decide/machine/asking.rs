//! Waiting for people: approvals before a step, questions as a step.

use riskgraph_domain::access::Role;
use riskgraph_domain::playbook::{
    Answer, Approval, ApprovalState, Ending, OnFailure, RunRecord, RunState, SafeDefault, Step, StepKind, StepState,
    Way,
};
use riskgraph_domain::time::SECOND_MS;
use riskgraph_domain::{ApprovalId, RunId, Timestamp};

use super::{Out, Walk, hold, is_due, place_of};
use crate::decide::facts::VARIABLES;
use crate::decide::template;

impl Walk<'_> {
    /// Asks people before a step; `Some` when it is not to go on to the effects.
    pub(super) fn gate(&mut self, record: &mut RunRecord, step: &Step, mine: &[usize]) -> Option<Out> {
        let rule = step.approval.as_ref()?;
        if mine.iter().any(|&ix| record.steps[ix].attempts > 0) {
            return None; // It was agreed; the effects are under way.
        }
        let named: Vec<String> = mine
            .iter()
            .filter(|&&ix| record.steps[ix].state != StepState::Skipped)
            .filter_map(|&ix| record.steps[ix].target.as_ref().map(|target| target.key.to_string()))
            .collect();
        let question = || {
            let at = if named.is_empty() { String::new() } else { format!(" at {}", list(&named)) };
            format!("{} ({}){at}?", step.title, step.action().unwrap_or_default())
        };
        let ask = Asked {
            step,
            question: question(),
            role: rule.role,
            needed: rule.needed,
            four_eyes: rule.four_eyes,
            within_s: rule.within_s,
            default: rule.default,
        };
        let approval = self.approval(record, ask);
        match approval.state {
            ApprovalState::Pending => {
                hold(record, mine, "waits for approval");
                Some(Out::Blocked)
            }
            _ if approval.says_yes() => None,
            _ => {
                let reason = refusal_text(&approval);
                for &ix in mine {
                    let row = &mut record.steps[ix];
                    if matches!(row.state, StepState::Pending | StepState::Waiting) {
                        row.state = StepState::Skipped;
                        row.error = Some(reason.clone());
                    }
                }
                let reason = format!("step {}: {reason}", step.id);
                // Nothing failed: what was done before stays until it expires or a person undoes it.
                Some(match step.on_failure {
                    OnFailure::Compensate => Out::Stop(Ending { way: Way::Stop, state: RunState::Refused, reason }),
                    _ => self.failure(record, step, RunState::Refused, reason),
                })
            }
        }
    }

    pub(super) fn ask(&mut self, record: &mut RunRecord, step: &Step) -> Out {
        let Some(ix) = place_of(record, step) else { return Out::Done };
        if record.steps[ix].is_settled() {
            return self.after(record, step);
        }
        let StepKind::Ask(question) = &step.kind else { return Out::Done };
        let facts = self.facts(record);
        let ask = Asked {
            step,
            question: template::fill(&question.text, &facts, VARIABLES).unwrap_or_else(|_| question.text.clone()),
            role: question.role,
            needed: 1,
            four_eyes: false,
            within_s: question.answer_within_s,
            default: match question.default {
                Answer::Yes => SafeDefault::Approve,
                Answer::No => SafeDefault::Reject,
            },
        };
        let approval = self.approval(record, ask);
        let row = &mut record.steps[ix];
        row.started_at.get_or_insert(self.env.now);
        if approval.state == ApprovalState::Pending {
            row.state = StepState::Waiting;
            return Out::Blocked;
        }
        row.state = StepState::Done;
        row.finished_at = Some(self.env.now);
        row.said = Some(if approval.says_yes() { "yes" } else { "no" }.to_owned());
        Out::Done
    }

    /// The approval of a step as it is now; made when it is first needed, expired when its time is up.
    fn approval(&mut self, record: &mut RunRecord, asked: Asked<'_>) -> Approval {
        let now = self.env.now;
        let id = ApprovalId::of(&[record.run.id.to_string().as_str(), asked.step.id.as_str()]);
        if !record.approvals.iter().any(|approval| approval.id == id) {
            record.approvals.push(Approval {
                id,
                run: record.run.id,
                step: asked.step.id.clone(),
                question: asked.question.clone(),
                role: asked.role,
                needed: asked.needed,
                four_eyes: asked.four_eyes,
                decisions: Vec::new(),
                created_at: now,
                expires_at: now + i64::from(asked.within_s) * SECOND_MS,
                default: asked.default,
                state: ApprovalState::Pending,
            });
        }
        let Some(approval) = record.approvals.iter_mut().find(|approval| approval.id == id) else {
            // It was just put there; a record without room for it would wait for ever.
            return expired(asked, record.run.id, id, now);
        };
        if approval.state == ApprovalState::Pending {
            if is_due(approval.expires_at, now, i64::from(asked.within_s) * SECOND_MS) {
                approval.state = ApprovalState::Expired;
            } else {
                let at = approval.expires_at;
                let approval = approval.clone();
                self.wake_at(at);
                return approval;
            }
        }
        approval.clone()
    }
}

/// An approval to be asked for.
struct Asked<'a> {
    step: &'a Step,
    question: String,
    role: Role,
    needed: u32,
    four_eyes: bool,
    within_s: u32,
    default: SafeDefault,
}

fn expired(asked: Asked<'_>, run: RunId, id: ApprovalId, now: Timestamp) -> Approval {
    Approval {
        id,
        run,
        step: asked.step.id.clone(),
        question: asked.question,
        role: asked.role,
        needed: asked.needed,
        four_eyes: asked.four_eyes,
        decisions: Vec::new(),
        created_at: now,
        expires_at: now,
        default: asked.default,
        state: ApprovalState::Expired,
    }
}

fn refusal_text(approval: &Approval) -> String {
    match approval.decisions.iter().find(|decision| !decision.approved) {
        Some(no) => match &no.note {
            Some(note) => format!("{} rejected it: {note}", no.by),
            None => format!("{} rejected it", no.by),
        },
        None => "nobody agreed in time".to_owned(),
    }
}

/// Names for a person; the first few.
fn list(names: &[String]) -> String {
    const LISTED: usize = 5;
    let shown = names.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > LISTED { format!("{shown} and {} more", names.len() - LISTED) } else { shown }
}
