//! Cases: alerts that people work on as one. What a change means for the cases and which alerts it concerns.
//!
//! It must *not* know how alerts are judged or told, nor the wall clock.

use std::collections::{BTreeMap, BTreeSet};

use riskgraph_domain::alert::{COMMENTS_MAX, Comment, TimelineEntry};
use riskgraph_domain::command::Command;
use riskgraph_domain::triage::{
    CASE_ALERTS_MAX, Case, CaseInput, CaseStatus, CaseUpdate, Member, TEXT_CHARS_MAX, TITLE_CHARS_MAX,
};
use riskgraph_domain::{AlertId, CaseId, Fault, FaultCode, Severity, Text};

/// Cases that can be changed; beyond it the closed one changed longest ago is archived.
const CASES_MAX: usize = 10_000;
/// Cases merged into one.
const MERGED_MAX: usize = 32;
/// Entries of a case's timeline: the first and the latest stay.
const TIMELINE_MAX: usize = 200;
const TIMELINE_FIRST: usize = 20;

type Result<T> = std::result::Result<T, Fault>;

/// What a change of a case means for an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    pub alert: AlertId,
    /// The case it is in from now on, and the one it is no longer in.
    pub joins: Option<CaseId>,
    pub leaves: Option<CaseId>,
    /// What its timeline says.
    pub text: String,
}

/// A change of cases that was found to fit.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    cases: Vec<Case>,
    pub touched: Vec<Touched>,
}

/// All cases that can be changed.
#[derive(Debug, Default)]
pub struct Cases {
    all: BTreeMap<CaseId, Case>,
    changed: BTreeMap<CaseId, Case>,
}

impl Cases {
    /// Takes back the rows; archived ones stay where they are.
    pub fn load(&mut self, rows: Vec<Case>) {
        self.all = rows.into_iter().filter(|row| !row.archived).map(|row| (row.id, row)).collect();
    }

    /// Rows that changed since the last call.
    pub fn take_changed(&mut self) -> Vec<Case> {
        std::mem::take(&mut self.changed).into_values().collect()
    }

    #[must_use]
    pub fn case(&self, id: CaseId) -> Option<&Case> {
        self.all.get(&id)
    }

    /// Makes a planned change.
    pub fn apply(&mut self, plan: &Plan) {
        for case in &plan.cases {
            self.put(case.clone());
        }
    }

    fn put(&mut self, case: Case) {
        self.changed.insert(case.id, case.clone());
        self.all.insert(case.id, case);
    }

    /// Opens a case.
    ///
    /// # Errors
    /// `BadInput` for a wrong title or too many alerts, `Conflict` when the id is taken or there are too many cases.
    pub fn create(&mut self, id: CaseId, input: &CaseInput, command: &Command) -> Result<Plan> {
        if self.all.contains_key(&id) {
            return Err(conflict("a case with this id exists already"));
        }
        self.make_room()?;
        let case = Case {
            id,
            title: title(&input.title)?,
            status: CaseStatus::Open,
            severity: Severity::Info,
            assignee: input.assignee.clone(),
            created_by: command.by.clone(),
            created_at: command.at,
            updated_at: command.at,
            members: Vec::new(),
            comments: Vec::new(),
            timeline: vec![entry(command, "Opened".to_owned())],
            merged_into: None,
            status_before: None,
            merged: Vec::new(),
            archived: false,
        };
        let mut plan = join(case, &input.alerts, None, command)?;
        plan.touched.iter_mut().for_each(|touched| touched.joins = Some(id));
        Ok(plan)
    }

    /// Archives the closed case changed longest ago when there is no room for another.
    fn make_room(&mut self) -> Result<()> {
        if self.all.len() < CASES_MAX {
            return Ok(());
        }
        let closed = self.all.values().filter(|case| case.status == CaseStatus::Closed && case.merged_into.is_none());
        let alone = closed.filter(|case| case.merged.is_empty());
        let oldest = alone.min_by_key(|case| (case.updated_at, case.id)).map(|case| case.id);
        let Some(mut case) = oldest.and_then(|id| self.all.remove(&id)) else {
            return Err(conflict("there are 10000 open cases; close some first"));
        };
        case.archived = true;
        self.changed.insert(case.id, case);
        Ok(())
    }

    /// Changes title, assignee or status.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` when it is merged into another, `BadInput` for a wrong title.
    pub fn update(&self, id: CaseId, update: &CaseUpdate, command: &Command) -> Result<Plan> {
        let mut case = self.own(id)?.clone();
        let mut said = Vec::new();
        if let Some(given) = &update.title {
            case.title = title(given)?;
            said.push(format!("Named '{}'", case.title));
        }
        if let Some(assignee) = &update.assignee {
            case.assignee = (!assignee.trim().is_empty()).then(|| assignee.clone());
            said.push(
                case.assignee.as_ref().map_or("Assigned to nobody".to_owned(), |who| format!("Assigned to {who}")),
            );
        }
        if let Some(status) = update.status.filter(|status| *status != case.status) {
            case.status = status;
            said.push(if status == CaseStatus::Closed { "Closed".to_owned() } else { "Opened again".to_owned() });
        }
        if !said.is_empty() {
            tell(&mut case, command, said.join("; "));
        }
        Ok(Plan { cases: vec![case], touched: Vec::new() })
    }

    /// Adds what a person wrote.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` when it is merged into another or has too many comments.
    pub fn comment(&self, id: CaseId, text: &str, command: &Command) -> Result<Plan> {
        let mut case = self.own(id)?.clone();
        if case.comments.len() >= COMMENTS_MAX {
            return Err(conflict(&format!("a case holds at most {COMMENTS_MAX} comments")));
        }
        let text: String = text.chars().take(TEXT_CHARS_MAX).collect();
        case.comments.push(Comment { time: command.at, actor: command.by.clone(), text: text.clone() });
        tell(&mut case, command, format!("Comment: {text}"));
        Ok(Plan { cases: vec![case], touched: Vec::new() })
    }

    /// Puts alerts into a case; those that are in it stay.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` when it is merged into another or would hold too many.
    pub fn add(&self, id: CaseId, alerts: &[AlertId], command: &Command) -> Result<Plan> {
        let mut plan = join(self.own(id)?.clone(), alerts, None, command)?;
        plan.touched.iter_mut().for_each(|touched| touched.joins = Some(id));
        Ok(plan)
    }

    /// Takes alerts out of a case; those that are not in it change nothing.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` when it is merged into another.
    pub fn remove(&self, id: CaseId, alerts: &[AlertId], command: &Command) -> Result<Plan> {
        let mut case = self.own(id)?.clone();
        let gone: BTreeSet<AlertId> = alerts.iter().copied().collect();
        let (gone, kept): (Vec<Member>, Vec<Member>) =
            case.members.iter().partition(|member| gone.contains(&member.alert));
        case.members = kept;
        let text = format!("Taken out of case '{}'", case.title);
        let touched = gone
            .iter()
            .map(|member| Touched { alert: member.alert, joins: None, leaves: Some(id), text: text.clone() })
            .collect();
        if !gone.is_empty() {
            tell(&mut case, command, format!("{} taken out", alerts_of(gone.len())));
        }
        weigh(&mut case);
        Ok(Plan { cases: vec![case], touched })
    }

    /// Lets one case stand for another as well, until it is unmerged.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` when one of them is merged already or there would be too many alerts, `BadInput` when both
    /// are the same.
    pub fn merge(&self, from: CaseId, into: CaseId, command: &Command) -> Result<Plan> {
        if from == into {
            return Err(Fault::new(FaultCode::BadInput, "from and into: give two cases"));
        }
        let (mut source, target) = (self.own(from)?.clone(), self.own(into)?.clone());
        if target.merged.len() >= MERGED_MAX {
            return Err(conflict(&format!("a case takes in at most {MERGED_MAX} others")));
        }
        let ids: Vec<AlertId> = source.members.iter().map(|member| member.alert).collect();
        let mut plan = join(target, &ids, Some(&source), command)?;
        let Some(target) = plan.cases.first_mut() else { return Ok(plan) };
        target.merged.push(from);
        tell(target, command, format!("Case '{}' merged into this one", source.title));
        let text = format!("Case '{}' was merged into '{}'", source.title, target.title);
        let joined: BTreeSet<AlertId> = plan.touched.iter().map(|touched| touched.alert).collect();
        plan.touched = ids
            .into_iter()
            .map(|alert| Touched {
                alert,
                joins: joined.contains(&alert).then_some(into),
                leaves: Some(from),
                text: text.clone(),
            })
            .collect();
        source.status_before = Some(source.status);
        source.status = CaseStatus::Closed;
        source.merged_into = Some(into);
        tell(&mut source, command, format!("Merged into case '{}'", target.title));
        plan.cases.push(source);
        Ok(plan)
    }

    /// Takes a merge back: the case is as it was, and the other one loses what it brought.
    ///
    /// # Errors
    /// `NotFound`, `Conflict` when it is not merged, or what it is merged into is merged itself.
    pub fn unmerge(&self, id: CaseId, command: &Command) -> Result<Plan> {
        let mut source = self.all.get(&id).cloned().ok_or_else(|| Fault::not_found("case"))?;
        let Some(into) = source.merged_into else { return Err(conflict("the case is not merged into another")) };
        let mut target = self.own(into)?.clone();
        let brought: BTreeSet<AlertId> =
            target.members.iter().filter(|member| member.from == Some(id)).map(|member| member.alert).collect();
        target.members.retain(|member| member.from != Some(id));
        target.merged.retain(|merged| *merged != id);
        tell(&mut target, command, format!("Case '{}' is separate again", source.title));
        weigh(&mut target);
        source.merged_into = None;
        source.status = source.status_before.take().unwrap_or(CaseStatus::Open);
        tell(&mut source, command, format!("No longer merged into case '{}'", target.title));
        let text = format!("Case '{}' is no longer merged into '{}'", source.title, target.title);
        let touched = source
            .members
            .iter()
            .map(|member| Touched {
                alert: member.alert,
                joins: Some(id),
                leaves: brought.contains(&member.alert).then_some(into),
                text: text.clone(),
            })
            .collect();
        Ok(Plan { cases: vec![target, source], touched })
    }

    /// Takes note of an alert's severity in all cases that hold it, merged ones too.
    pub fn note_severity(&mut self, cases: &[CaseId], alert: AlertId, severity: Severity) {
        for id in cases {
            let merged = self.all.get(id).map(|case| case.merged.clone()).unwrap_or_default();
            for id in std::iter::once(*id).chain(merged) {
                let Some(case) = self.all.get(&id) else { continue };
                let stale = |member: &Member| member.alert == alert && member.severity != severity;
                if case.members.iter().any(stale) {
                    let mut case = case.clone();
                    for member in case.members.iter_mut().filter(|member| member.alert == alert) {
                        member.severity = severity;
                    }
                    weigh(&mut case);
                    self.put(case);
                }
            }
        }
    }

    /// Puts the alert that another one was folded into in the cases of that one.
    pub fn follow(&mut self, cases: &[CaseId], alert: AlertId, severity: Severity) {
        for id in cases {
            let Some(case) = self.all.get(id) else { continue };
            let is_in = case.members.iter().any(|member| member.alert == alert);
            if !is_in && case.members.len() < CASE_ALERTS_MAX {
                let mut case = case.clone();
                case.members.push(Member { alert, severity, from: None });
                weigh(&mut case);
                self.put(case);
            }
        }
    }

    /// The case, when it can be changed by itself.
    fn own(&self, id: CaseId) -> Result<&Case> {
        let case = self.all.get(&id).ok_or_else(|| Fault::not_found("case that can be changed"))?;
        match case.merged_into {
            None => Ok(case),
            Some(into) => Err(conflict(&format!("the case is merged into {into}; change that one, or unmerge it"))),
        }
    }
}

/// Puts alerts into a case. What they mean for the alerts is completed by the caller.
fn join(mut case: Case, alerts: &[AlertId], from: Option<&Case>, command: &Command) -> Result<Plan> {
    let known: BTreeSet<AlertId> = case.members.iter().map(|member| member.alert).collect();
    let mut fresh: Vec<AlertId> = Vec::new();
    for alert in alerts {
        if !known.contains(alert) && !fresh.contains(alert) {
            fresh.push(*alert);
        }
    }
    if case.members.len() + fresh.len() > CASE_ALERTS_MAX {
        return Err(conflict(&format!("a case holds at most {CASE_ALERTS_MAX} alerts")));
    }
    let severity_of = |alert: AlertId| {
        from.and_then(|case| case.members.iter().find(|member| member.alert == alert))
            .map_or(Severity::Info, |member| member.severity)
    };
    case.members.extend(fresh.iter().map(|&alert| Member {
        alert,
        severity: severity_of(alert),
        from: from.map(|case| case.id),
    }));
    if !fresh.is_empty() && from.is_none() {
        tell(&mut case, command, format!("{} put in", alerts_of(fresh.len())));
    }
    weigh(&mut case);
    let text = format!("Put into case '{}'", case.title);
    let touched =
        fresh.into_iter().map(|alert| Touched { alert, joins: None, leaves: None, text: text.clone() }).collect();
    Ok(Plan { cases: vec![case], touched })
}

fn alerts_of(n: usize) -> String {
    if n == 1 { "1 alert".to_owned() } else { format!("{n} alerts") }
}

fn weigh(case: &mut Case) {
    case.severity = case.members.iter().map(|member| member.severity).max().unwrap_or(Severity::Info);
}

fn tell(case: &mut Case, command: &Command, text: String) {
    case.updated_at = case.updated_at.max(command.at);
    case.timeline.push(entry(command, text));
    if case.timeline.len() > TIMELINE_MAX {
        case.timeline.remove(TIMELINE_FIRST);
    }
}

fn entry(command: &Command, text: String) -> TimelineEntry {
    TimelineEntry { time: command.at, text, signal: None, actor: Some(Text::clone(&command.by)) }
}

fn title(given: &str) -> Result<String> {
    let title = given.trim();
    if title.is_empty() || title.chars().count() > TITLE_CHARS_MAX {
        let message = format!("title: give 1 to {TITLE_CHARS_MAX} characters");
        return Err(Fault::new(FaultCode::BadInput, message));
    }
    Ok(title.to_owned())
}

fn conflict(message: &str) -> Fault {
    Fault::new(FaultCode::Conflict, message)
}
