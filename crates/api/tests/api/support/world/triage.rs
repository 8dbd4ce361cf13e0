//! Silences and cases over the tables of the world: no judgement, only what the API shows.

use async_trait::async_trait;
use riskgraph_domain::access::Viewer;
use riskgraph_domain::alert::{Alert, AlertStatus, Comment};
use riskgraph_domain::command::Change;
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::id::{AlertId, CaseId, SilenceId};
use riskgraph_domain::page::{Page, PageRequest};
use riskgraph_domain::signal::Severity;
use riskgraph_domain::triage::{
    Case, CaseFilter, CaseStatus, Member, PastAlerts, Silence, SilenceState, Similar, TriageRecords,
};

use super::super::sample::NOW;
use super::ports::page;
use super::{Tables, World};

type Result<T> = std::result::Result<T, Fault>;

#[async_trait]
impl TriageRecords for World {
    async fn silences(&self, active: Option<bool>, request: PageRequest) -> Result<Page<Silence>> {
        let wanted = |row: &&Silence| active.is_none_or(|active| (row.state == SilenceState::Active) == active);
        self.read(|tables| page(tables.silences.iter().filter(wanted).cloned(), &request))
    }
    async fn silence(&self, id: SilenceId) -> Result<Option<Silence>> {
        self.read(|tables| tables.silences.iter().find(|row| row.id == id).cloned())
    }
    async fn cases(&self, filter: CaseFilter, request: PageRequest) -> Result<Page<Case>> {
        let wanted = |row: &&Case| {
            filter.status.is_none_or(|status| row.status == status)
                && filter.query.as_ref().is_none_or(|text| row.title.contains(text.as_str()))
        };
        self.read(|tables| page(tables.cases.iter().filter(wanted).cloned(), &request))
    }
    async fn case(&self, id: CaseId) -> Result<Option<Case>> {
        self.read(|tables| tables.cases.iter().find(|row| row.id == id).cloned())
    }
    async fn alerts_by_id(&self, ids: &[AlertId]) -> Result<Vec<Alert>> {
        self.read(|tables| tables.alerts.iter().filter(|row| ids.contains(&row.id)).cloned().collect())
    }
    async fn alike(&self, _: &Alert, _: usize) -> Result<Vec<Alert>> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl PastAlerts for World {
    async fn similar(&self, alert: &Alert, max: usize) -> Result<Vec<Similar>> {
        let similar = |row: &Alert| Similar { alert: row.clone(), similarity: 0.5, shared: vec!["key-1".to_owned()] };
        let id = alert.id;
        self.read(|tables| tables.alerts.iter().filter(|row| row.id != id).take(max).map(similar).collect())
    }
}

pub(super) fn change(tables: &mut Tables, viewer: &Viewer, change: Change) -> Result<()> {
    match change {
        Change::CommentAlert { id, text } => {
            let comment = Comment { time: NOW, actor: viewer.name.clone(), text };
            alert(tables, id)?.comments.push(comment);
        }
        Change::ReopenAlert { id, .. } => alert(tables, id)?.status = AlertStatus::Open,
        Change::SetAlertDue { id, due_at } => alert(tables, id)?.due_at = Some(due_at),
        Change::CreateSilence { id, input } => {
            input.check(NOW)?;
            tables.silences.push(Silence {
                id,
                matchers: input.matchers,
                author: viewer.name.clone(),
                reason: input.reason,
                starts_at: input.starts_at.unwrap_or(NOW),
                ends_at: input.ends_at,
                state: SilenceState::Active,
                mutes: 0,
            });
        }
        Change::ExpireSilence { id } => {
            let silence = tables.silences.iter_mut().find(|row| row.id == id);
            silence.ok_or_else(|| Fault::not_found("silence"))?.state = SilenceState::Over;
        }
        Change::CreateCase { id, input } => tables.cases.push(Case {
            id,
            title: input.title,
            status: CaseStatus::Open,
            severity: Severity::High,
            assignee: input.assignee,
            created_by: viewer.name.clone(),
            created_at: NOW,
            updated_at: NOW,
            members: input.alerts.into_iter().map(member).collect(),
            comments: Vec::new(),
            timeline: Vec::new(),
            merged_into: None,
            status_before: None,
            merged: Vec::new(),
            archived: false,
        }),
        Change::UpdateCase { id, update } => {
            let case = case(tables, id)?;
            case.status = update.status.unwrap_or(case.status);
            case.title = update.title.unwrap_or_else(|| case.title.clone());
        }
        Change::CommentCase { id, text } => {
            let comment = Comment { time: NOW, actor: viewer.name.clone(), text };
            case(tables, id)?.comments.push(comment);
        }
        Change::AddToCase { id, alerts } => case(tables, id)?.members.extend(alerts.into_iter().map(member)),
        Change::RemoveFromCase { id, alerts } => {
            case(tables, id)?.members.retain(|member| !alerts.contains(&member.alert));
        }
        Change::MergeCases { from, into } => {
            case(tables, from)?.merged_into = Some(into);
            case(tables, into)?.merged.push(from);
        }
        Change::UnmergeCase { id } => {
            let into = case(tables, id)?.merged_into.take();
            let into = into.ok_or_else(|| Fault::new(FaultCode::Conflict, "the case is not merged"))?;
            case(tables, into)?.merged.retain(|merged| *merged != id);
        }
        _ => {}
    }
    Ok(())
}

fn member(alert: AlertId) -> Member {
    Member { alert, severity: Severity::High, from: None }
}

fn alert(tables: &mut Tables, id: AlertId) -> Result<&mut Alert> {
    tables.alerts.iter_mut().find(|row| row.id == id).ok_or_else(|| Fault::not_found("alert"))
}

fn case(tables: &mut Tables, id: CaseId) -> Result<&mut Case> {
    tables.cases.iter_mut().find(|row| row.id == id).ok_or_else(|| Fault::not_found("case"))
}
