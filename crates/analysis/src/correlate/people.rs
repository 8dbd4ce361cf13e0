//! What people and jobs do to alerts.

use riskgraph_domain::alert::{AlertCause, AlertChange, AlertStatus, RESPONSES_MAX, TimelineEntry, Verdict};
use riskgraph_domain::command::Command;
use riskgraph_domain::ports::Delta;
use riskgraph_domain::posture::Finding;
use riskgraph_domain::{AlertId, Fault, Severity, Text, Timestamp};

use super::live::News;
use super::{Correlator, Telling, tell};
use crate::graph::{NodeIx, RiskGraph};

/// Characters of a person's note that are kept.
const NOTE_CHARS_MAX: usize = 2_000;

/// What a response says of itself.
#[derive(Debug, Clone, Copy)]
pub struct Response<'a> {
    pub key: &'a Text,
    pub text: &'a str,
    pub contained_at: Option<Timestamp>,
}

impl Correlator {
    /// Marks an alert as seen.
    pub fn acknowledge(
        &mut self,
        id: AlertId,
        command: &Command,
        note: Option<&str>,
        delta: &mut Delta,
    ) -> Result<(), Fault> {
        let live = self.live.get_mut(&id).ok_or_else(|| Fault::not_found("open alert"))?;
        live.alert.status = AlertStatus::Acknowledged;
        let text = with_note("Acknowledged", note);
        self.person_changed(id, command, (AlertCause::Acknowledged, text), delta);
        Ok(())
    }

    /// Gives an alert to somebody.
    pub fn assign(&mut self, id: AlertId, command: &Command, assignee: &Text, delta: &mut Delta) -> Result<(), Fault> {
        let live = self.live.get_mut(&id).ok_or_else(|| Fault::not_found("open alert"))?;
        live.alert.assignee = Some(assignee.clone());
        self.person_changed(id, command, (AlertCause::Assigned, format!("Assigned to {assignee}")), delta);
        Ok(())
    }

    /// Writes down what a response did; a repeat of its key changes nothing.
    pub fn note_response(
        &mut self,
        id: AlertId,
        command: &Command,
        response: Response<'_>,
        delta: &mut Delta,
    ) -> Result<(), Fault> {
        let live = self.live.get_mut(&id).ok_or_else(|| Fault::not_found("open alert"))?;
        let alert = &mut live.alert;
        if alert.responses.contains(response.key) {
            return Ok(());
        }
        if alert.responses.len() >= RESPONSES_MAX {
            alert.responses.remove(0);
        }
        alert.responses.push(response.key.clone());
        alert.contained_at = alert.contained_at.or(response.contained_at);
        let text = response.text.chars().take(NOTE_CHARS_MAX).collect();
        self.person_changed(id, command, (AlertCause::Response, text), delta);
        Ok(())
    }

    fn person_changed(
        &mut self,
        id: AlertId,
        command: &Command,
        (cause, text): (AlertCause, String),
        delta: &mut Delta,
    ) {
        let Some(live) = self.live.get_mut(&id) else { return };
        live.alert.updated_at = live.alert.updated_at.max(command.at);
        live.tell_time(TimelineEntry { time: command.at, text, signal: None, actor: Some(command.by.clone()) });
        live.mark_told();
        let alert = live.alert.clone();
        self.dirty.insert(id);
        self.emit(Telling::by(AlertChange::Updated, cause, &command.by), alert, delta);
    }

    /// Ends an alert. What was a false alarm or harmless leaves no risk behind.
    pub fn resolve(
        &mut self,
        id: AlertId,
        command: &Command,
        verdict: (Verdict, Option<&str>),
        graph: &mut RiskGraph,
        delta: &mut Delta,
    ) -> Result<(), Fault> {
        let mut live = self.take(id, graph).ok_or_else(|| Fault::not_found("open alert"))?;
        let (verdict, note) = verdict;
        let text = with_note(&format!("Resolved as {}", verdict.as_str()), note);
        live.close(verdict, text, Some(command.by.clone()), command.at);
        self.emit(Telling::by(AlertChange::Resolved, AlertCause::Resolved, &command.by), live.alert, delta);
        if matches!(verdict, Verdict::FalsePositive | Verdict::Benign | Verdict::Duplicate) {
            for ix in graph.own.remove(|_, cause| cause.alert == Some(id)) {
                graph.arena.mark(ix);
            }
        }
        Ok(())
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
            live.tell_time(TimelineEntry { time, text, signal: None, actor: None });
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

fn with_note(text: &str, note: Option<&str>) -> String {
    match note.map(str::trim).filter(|note| !note.is_empty()) {
        Some(note) => format!("{text}: {}", note.chars().take(NOTE_CHARS_MAX).collect::<String>()),
        None => text.to_owned(),
    }
}
