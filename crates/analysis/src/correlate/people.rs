//! What people and jobs do to alerts, open ones and those that are over.
//!
//! An alert that is over is in no memory: its change comes with the alert as it was read from its row, and is refused when
//! that is not its last version (`changed_meanwhile`).

use riskgraph_domain::alert::{
    Alert, AlertCause, AlertChange, AlertStatus, COMMENTS_MAX, Comment, RESPONSES_MAX, Verdict,
};
use riskgraph_domain::command::Command;
use riskgraph_domain::ports::Delta;
use riskgraph_domain::posture::Finding;
use riskgraph_domain::triage::{DUE_MS_MAX, TEXT_CHARS_MAX, changed_meanwhile};
use riskgraph_domain::{AlertId, Fault, FaultCode, Severity, Text, Timestamp};

use super::live::{End, Live, News, close};
use super::told::Telling;
use super::{Correlator, tell};
use crate::graph::{NodeIx, RiskGraph};

/// Characters of a response's key.
const KEY_CHARS_MAX: usize = 128;

type Result<T> = std::result::Result<T, Fault>;

/// What a response says of itself.
#[derive(Debug, Clone, Copy)]
pub struct Response<'a> {
    pub key: &'a Text,
    pub text: &'a str,
    pub contained_at: Option<Timestamp>,
}

/// Who does something, and what they say to it.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    pub command: &'a Command,
    pub note: Option<&'a str>,
}

impl By<'_> {
    /// What they said, when it is something.
    pub(super) fn note(&self) -> Option<String> {
        let note = self.note.map(str::trim).filter(|note| !note.is_empty())?;
        Some(note.chars().take(TEXT_CHARS_MAX).collect())
    }

    fn with_note(&self, text: &str) -> String {
        self.note().map_or_else(|| text.to_owned(), |note| format!("{text}: {note}"))
    }
}

impl Correlator {
    /// Marks an alert as seen.
    ///
    /// # Errors
    /// `NotFound`, or `Conflict` when it is over.
    pub fn acknowledge(&mut self, id: AlertId, by: By<'_>, delta: &mut Delta) -> Result<()> {
        let now = self.now;
        self.change(id, (AlertCause::Acknowledged, by.command), delta, |alert| {
            still_open(alert)?;
            alert.status = AlertStatus::Acknowledged;
            alert.acknowledged_at.get_or_insert(now);
            Ok(Some(by.with_note("Acknowledged")))
        })
    }

    /// Gives an alert to somebody.
    ///
    /// # Errors
    /// `NotFound`, or `Conflict` when it is over.
    pub fn assign(&mut self, id: AlertId, command: &Command, assignee: &Text, delta: &mut Delta) -> Result<()> {
        self.change(id, (AlertCause::Assigned, command), delta, |alert| {
            still_open(alert)?;
            alert.assignee = Some(assignee.clone());
            Ok(Some(format!("Assigned to {assignee}")))
        })
    }

    /// Adds what a person wrote.
    ///
    /// # Errors
    /// `NotFound`, or `Conflict` when it has too many comments.
    pub fn comment(&mut self, id: AlertId, command: &Command, text: &str, delta: &mut Delta) -> Result<()> {
        self.change(id, (AlertCause::Commented, command), delta, |alert| {
            if alert.comments.len() >= COMMENTS_MAX {
                let message = format!("an alert holds at most {COMMENTS_MAX} comments; go on in a case");
                return Err(Fault::new(FaultCode::Conflict, message));
            }
            let text: String = text.trim().chars().take(TEXT_CHARS_MAX).collect();
            alert.comments.push(Comment { time: command.at, actor: command.by.clone(), text: text.clone() });
            Ok(Some(format!("Comment: {text}")))
        })
    }

    /// Says by when an alert is to be resolved.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` when it is over, `BadInput` for a time that has passed or lies more than a year ahead.
    pub fn set_due(&mut self, id: AlertId, command: &Command, due_at: Timestamp, delta: &mut Delta) -> Result<()> {
        let now = self.now;
        self.change(id, (AlertCause::DueSet, command), delta, |alert| {
            still_open(alert)?;
            if due_at <= now || due_at - now > DUE_MS_MAX {
                let message = "dueAt: give a time to come, at most a year ahead";
                return Err(Fault::new(FaultCode::BadInput, message));
            }
            alert.due_at = Some(due_at);
            alert.due_by = Some(command.by.clone());
            alert.escalation = 0;
            Ok(Some(format!("Due at {due_at}")))
        })
    }

    /// Writes down what a response did; a repeat of its key changes nothing.
    ///
    /// # Errors
    /// `NotFound`, or `BadInput` for a key that is too long.
    pub fn note_response(
        &mut self,
        id: AlertId,
        command: &Command,
        response: Response<'_>,
        delta: &mut Delta,
    ) -> Result<()> {
        if response.key.is_empty() || response.key.chars().count() > KEY_CHARS_MAX {
            return Err(Fault::new(FaultCode::BadInput, format!("key: give 1 to {KEY_CHARS_MAX} characters")));
        }
        self.change(id, (AlertCause::Response, command), delta, |alert| {
            if alert.responses.contains(response.key) {
                return Ok(None);
            }
            if alert.responses.len() >= RESPONSES_MAX {
                alert.responses.remove(0);
            }
            alert.responses.push(response.key.clone());
            alert.contained_at = alert.contained_at.or(response.contained_at);
            Ok(Some(response.text.chars().take(TEXT_CHARS_MAX).collect()))
        })
    }

    /// Ends an alert, or gives one that is over another verdict. What was a false alarm or harmless leaves no risk behind;
    /// the alerts of a storm end with the one that stands for them.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn resolve(
        &mut self,
        id: AlertId,
        by: By<'_>,
        verdict: Verdict,
        graph: &mut RiskGraph,
        delta: &mut Delta,
    ) -> Result<()> {
        let text = by.with_note(&format!("Resolved as {}", verdict.as_str()));
        let end = End { verdict, text, reason: by.note(), actor: Some(by.command.by.clone()), at: by.command.at };
        let telling = Telling::by(AlertChange::Resolved, AlertCause::Resolved, &by.command.by);
        let folded = self.folded_into(id);
        let Some(mut live) = self.take(id, graph) else {
            let mut alert = self.past(id)?;
            close(&mut alert, end);
            self.emit_over(alert, telling, delta);
            return Ok(());
        };
        live.close(end);
        self.emit_over(live.alert, telling.clone(), delta);
        lift_risk(id, verdict, graph);
        for id in folded {
            if let Some(mut live) = self.take(id, graph) {
                live.close(self.end_with(verdict, &by));
                self.emit_over(live.alert, telling.clone(), delta);
                lift_risk(id, verdict, graph);
            }
        }
        Ok(())
    }

    /// Opens an alert again. It waits for people; new signals open alerts of their own.
    ///
    /// # Errors
    /// `NotFound`, or `Conflict` when it is not over.
    pub fn reopen(&mut self, id: AlertId, by: By<'_>, delta: &mut Delta) -> Result<()> {
        if self.live.contains_key(&id) {
            return Err(Fault::new(FaultCode::Conflict, "the alert is open"));
        }
        let mut alert = self.past(id)?;
        alert.status = AlertStatus::Open;
        (alert.verdict, alert.resolution, alert.muted) = (None, None, None);
        (alert.due_at, alert.due_by, alert.escalation) = (None, None, 0);
        alert.updated_at = alert.updated_at.max(by.command.at);
        Self::note(&mut alert, by.command.at, by.with_note("Opened again"), Some(&by.command.by));
        let mut live = Live::of_row(alert);
        live.mark_told();
        live.rest();
        self.policy.note_open(id);
        self.resting.insert(id);
        self.live.insert(id, live);
        self.emit(id, Telling::by(AlertChange::Updated, AlertCause::Reopened, &by.command.by), delta);
        Ok(())
    }

    /// Changes an alert, open or over, and tells it with what the edit says; when it says nothing, nothing has changed.
    pub(super) fn change(
        &mut self,
        id: AlertId,
        (cause, command): (AlertCause, &Command),
        delta: &mut Delta,
        edit: impl FnOnce(&mut Alert) -> Result<Option<String>>,
    ) -> Result<()> {
        let telling = Telling::by(AlertChange::Updated, cause, &command.by);
        if let Some(live) = self.live.get_mut(&id) {
            let Some(text) = edit(&mut live.alert)? else { return Ok(()) };
            live.alert.updated_at = live.alert.updated_at.max(command.at);
            Self::note(&mut live.alert, command.at, text, Some(&command.by));
            live.mark_told();
            self.emit(id, telling, delta);
            return Ok(());
        }
        let mut alert = self.past(id)?;
        let Some(text) = edit(&mut alert)? else { return Ok(()) };
        alert.updated_at = alert.updated_at.max(command.at);
        Self::note(&mut alert, command.at, text, Some(&command.by));
        self.emit_over(alert, telling, delta);
        Ok(())
    }

    /// An alert that is over, as the change that is judged brought it along.
    fn past(&self, id: AlertId) -> Result<Alert> {
        let Some(alert) = self.recalled.get(&id) else {
            let lately = self.policy.ended_lately(id);
            return Err(if lately { changed_meanwhile() } else { Fault::not_found("alert") });
        };
        self.policy.check_recalled(alert, self.recalled_as_of)?;
        Ok(alert.clone())
    }

    /// Whether an alert can be changed now.
    ///
    /// # Errors
    /// `NotFound`, or that it changed meanwhile.
    pub(super) fn changeable(&self, id: AlertId) -> Result<()> {
        if self.live.contains_key(&id) { Ok(()) } else { self.past(id).map(drop) }
    }

    /// Takes along alerts that are over, as they were read when the sequence was at this number.
    pub fn recall(&mut self, alerts: &[Alert], as_of: u64) {
        self.recalled = alerts.iter().map(|alert| (alert.id, alert.clone())).collect();
        self.recalled_as_of = as_of;
    }

    /// A serious finding joins the open alerts around its vendor and may raise them.
    pub fn on_finding(
        &mut self,
        vendor: NodeIx,
        finding: &Finding,
        time: Timestamp,
        graph: &RiskGraph,
        delta: &mut Delta,
    ) {
        if finding.outcome.severity < Severity::High {
            return;
        }
        for id in self.around(vendor, time, graph) {
            let Some(live) = self.live.get_mut(&id) else { continue };
            let mut news = News::default();
            live.add_finding(finding.id, &mut news);
            if !news.finding {
                continue;
            }
            let text = format!("Finding at {}: {}", tell::noun(&graph.arena, vendor), finding.outcome.title);
            Self::note(&mut live.alert, time, text, None);
            let nodes: Vec<_> = live
                .touched()
                .iter()
                .filter(|(_, touch)| touch.subject)
                .filter_map(|(id, _)| graph.arena.find(*id))
                .map(|ix| (ix, riskgraph_domain::signal::TouchRole::Subject))
                .take(8)
                .collect();
            live.weigh_context(&nodes, time, graph);
            self.tell(id, &news, graph, delta);
        }
    }
}

fn still_open(alert: &Alert) -> Result<()> {
    if alert.status == AlertStatus::Resolved {
        return Err(Fault::new(FaultCode::Conflict, "the alert is resolved; reopen it first"));
    }
    Ok(())
}

/// What was a false alarm or harmless leaves no risk behind.
fn lift_risk(id: AlertId, verdict: Verdict, graph: &mut RiskGraph) {
    if matches!(verdict, Verdict::FalsePositive | Verdict::Benign | Verdict::Duplicate) {
        for ix in graph.own.remove(|_, cause| cause.alert == Some(id)) {
            graph.arena.mark(ix);
        }
    }
}
