//! Changes by people and jobs, each to what makes it; and what changes of cases mean for their alerts: an entry of each
//! one's sequence.

use riskgraph_domain::alert::{AlertCause, CASES_OF_ALERT_MAX};
use riskgraph_domain::command::{Change, Command};
use riskgraph_domain::ports::Delta;
use riskgraph_domain::{Fault, FaultCode};

use super::{By, Correlator, Response};
use crate::cases::{Plan, Touched};

impl Correlator {
    /// Makes a change of alerts, silences or cases.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` and `BadInput` when it does not fit what is there; then nothing has changed.
    pub fn triage(&mut self, change: &Change, command: &Command, delta: &mut Delta) -> Result<(), Fault> {
        match change {
            Change::AcknowledgeAlert { id, note } => {
                self.acknowledge(*id, By { command, note: note.as_deref() }, delta)
            }
            Change::AssignAlert { id, assignee } => self.assign(*id, command, assignee, delta),
            Change::CommentAlert { id, text } => self.comment(*id, command, text, delta),
            Change::ReopenAlert { id, note } => self.reopen(*id, By { command, note: note.as_deref() }, delta),
            Change::SetAlertDue { id, due_at } => self.set_due(*id, command, *due_at, delta),
            Change::RecordResponse { alert, key, text, contained_at } => {
                let response = Response { key, text, contained_at: *contained_at };
                self.note_response(*alert, command, response, delta)
            }
            Change::CreateSilence { id, input } => {
                self.policy.silence(*id, input, (&command.by, self.now))?;
                self.rejudge_some(delta);
                Ok(())
            }
            Change::ExpireSilence { id } => {
                self.policy.expire(*id, self.now)?;
                self.rejudge_some(delta);
                Ok(())
            }
            Change::Review => {
                self.review(delta);
                Ok(())
            }
            _ => self.change_cases(change, command, delta),
        }
    }

    /// Makes a change of cases.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` and `BadInput` when it does not fit what is there; then nothing has changed.
    pub fn change_cases(&mut self, change: &Change, command: &Command, delta: &mut Delta) -> Result<(), Fault> {
        let cases = &mut self.cases;
        let plan = match change {
            Change::CreateCase { id, input } => cases.create(*id, input, command)?,
            Change::UpdateCase { id, update } => cases.update(*id, update, command)?,
            Change::CommentCase { id, text } => cases.comment(*id, text, command)?,
            Change::AddToCase { id, alerts } => cases.add(*id, alerts, command)?,
            Change::RemoveFromCase { id, alerts } => cases.remove(*id, alerts, command)?,
            Change::MergeCases { from, into } => cases.merge(*from, *into, command)?,
            Change::UnmergeCase { id } => cases.unmerge(*id, command)?,
            _ => return Err(Fault::new(FaultCode::BadInput, "this change cannot be made here")),
        };
        self.check_plan(&plan)?;
        self.cases.apply(&plan);
        for touched in &plan.touched {
            self.touch_alert(touched, command, delta)?;
        }
        Ok(())
    }

    fn check_plan(&self, plan: &Plan) -> Result<(), Fault> {
        for touched in &plan.touched {
            self.changeable(touched.alert)?;
            let Some(joins) = touched.joins else { continue };
            let in_cases = self.cases_of(touched.alert);
            if !in_cases.contains(&joins) && in_cases.len() >= CASES_OF_ALERT_MAX && touched.leaves.is_none() {
                let message = format!("{}: an alert is in at most {CASES_OF_ALERT_MAX} cases", touched.alert);
                return Err(Fault::new(FaultCode::Conflict, message));
            }
        }
        Ok(())
    }

    fn touch_alert(&mut self, touched: &Touched, command: &Command, delta: &mut Delta) -> Result<(), Fault> {
        self.change(touched.alert, (AlertCause::Case, command), delta, |alert| {
            alert.cases.retain(|case| Some(*case) != touched.leaves);
            alert.cases.extend(touched.joins.filter(|case| !alert.cases.contains(case)));
            Ok(Some(touched.text.clone()))
        })
    }
}
