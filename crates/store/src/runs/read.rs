//! Lists of runs and approvals, newest first. It must not know who asks.

use async_trait::async_trait;
use riskgraph_domain::error::Fault;
use riskgraph_domain::id::{ApprovalId, PlaybookId, RunId};
use riskgraph_domain::page::{Page, PageRequest};
use riskgraph_domain::playbook::{Approval, ApprovalState, PlaybookStats, Run, RunFilter, RunState, RunStep, Runs};
use sea_orm::sea_query::{Expr, Order};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use super::Result;
use crate::codec::from_json;
use crate::error::StoreError;
use crate::records::place::{List, Place, Way, page, rows_wanted};
use crate::rows::{approval, run, run_step};
use crate::state::SqlState;

/// Contained runs from whose times the median is taken, newest first.
const MEDIAN_OF: u64 = 1_000;

#[async_trait]
impl Runs for SqlState {
    async fn runs(&self, filter: RunFilter, page: PageRequest) -> std::result::Result<Page<Run>, Fault> {
        Ok(self.list_runs(filter, page).await?)
    }

    async fn run(&self, id: RunId) -> std::result::Result<Option<Run>, Fault> {
        let body: Option<String> = run::Entity::find_by_id(id.to_bytes().to_vec())
            .select_only()
            .column(run::Column::Body)
            .into_tuple()
            .one(self.db.reader())
            .await
            .map_err(StoreError::Database)?;
        Ok(body.map(|body| from_json(&body, "run")).transpose()?)
    }

    async fn run_steps(&self, id: RunId) -> std::result::Result<Vec<RunStep>, Fault> {
        Ok(self.steps_of(id).await?)
    }

    async fn run_approvals(&self, id: RunId) -> std::result::Result<Vec<Approval>, Fault> {
        Ok(self.approvals_of(id).await?)
    }

    async fn approvals(
        &self,
        states: Vec<ApprovalState>,
        page: PageRequest,
    ) -> std::result::Result<Page<Approval>, Fault> {
        Ok(self.list_approvals(states, page).await?)
    }

    async fn approval(&self, id: ApprovalId) -> std::result::Result<Option<Approval>, Fault> {
        let row = approval::Entity::find_by_id(id.to_bytes().to_vec()).one(self.db.reader()).await;
        let row = row.map_err(StoreError::Database)?;
        Ok(row.map(|row| from_json(&row.body, "approval")).transpose()?)
    }

    async fn stats(&self, playbook: PlaybookId) -> std::result::Result<PlaybookStats, Fault> {
        Ok(self.playbook_stats(playbook).await?)
    }
}

impl SqlState {
    pub(super) async fn steps_of(&self, id: RunId) -> Result<Vec<RunStep>> {
        let rows = run_step::Entity::find()
            .filter(run_step::Column::RunId.eq(id.to_bytes().to_vec()))
            .order_by_asc(run_step::Column::Place)
            .all(self.db.reader())
            .await?;
        rows.iter().map(|row| from_json(&row.body, "run step")).collect()
    }

    pub(super) async fn approvals_of(&self, id: RunId) -> Result<Vec<Approval>> {
        let rows = approval::Entity::find()
            .filter(approval::Column::RunId.eq(id.to_bytes().to_vec()))
            .order_by_asc(approval::Column::CreatedAt)
            .order_by_asc(approval::Column::Id)
            .all(self.db.reader())
            .await?;
        rows.iter().map(|row| from_json(&row.body, "approval")).collect()
    }

    async fn list_runs(&self, filter: RunFilter, request: PageRequest) -> Result<Page<Run>> {
        let mut query = run::Entity::find()
            .select_only()
            .column(run::Column::Id)
            .column(run::Column::StartedAt)
            .column(run::Column::Body);
        if !filter.states.is_empty() {
            query = query.filter(run::Column::State.is_in(filter.states.iter().map(|state| state.as_str())));
        }
        if let Some(alert) = filter.alert {
            query = query.filter(run::Column::AlertId.eq(alert.to_bytes().to_vec()));
        }
        if let Some(playbook) = filter.playbook {
            query = query.filter(run::Column::PlaybookId.eq(playbook.to_bytes().to_vec()));
        }
        let order = ((run::Entity, run::Column::StartedAt), (run::Entity, run::Column::Id));
        if let Some(place) = Place::<i64>::open(List::Runs, &request)? {
            query = query.filter(place.beyond(order.0, order.1, Way::Down));
        }
        let found: Vec<(Vec<u8>, i64, String)> = query
            .order_by(Expr::col(order.0), Order::Desc)
            .order_by(Expr::col(order.1), Order::Desc)
            .limit(rows_wanted(&request))
            .into_tuple()
            .all(self.db.reader())
            .await?;
        page(&request, found, |(id, started_at, body)| {
            let place = Place { key: *started_at, id: id.clone() };
            Ok((place.seal(List::Runs), from_json(body, "run")?))
        })
    }

    async fn list_approvals(&self, states: Vec<ApprovalState>, request: PageRequest) -> Result<Page<Approval>> {
        let mut query = approval::Entity::find();
        if !states.is_empty() {
            query = query.filter(approval::Column::State.is_in(states.iter().map(|state| state.as_str())));
        }
        let order = ((approval::Entity, approval::Column::CreatedAt), (approval::Entity, approval::Column::Id));
        if let Some(place) = Place::<i64>::open(List::Approvals, &request)? {
            query = query.filter(place.beyond(order.0, order.1, Way::Down));
        }
        let found = query
            .order_by(Expr::col(order.0), Order::Desc)
            .order_by(Expr::col(order.1), Order::Desc)
            .limit(rows_wanted(&request))
            .all(self.db.reader())
            .await?;
        page(&request, found, |row| {
            let place = Place { key: row.created_at, id: row.id.clone() };
            Ok((place.seal(List::Approvals), from_json(&row.body, "approval")?))
        })
    }

    async fn playbook_stats(&self, playbook: PlaybookId) -> Result<PlaybookStats> {
        let mine = || run::Entity::find().filter(run::Column::PlaybookId.eq(playbook.to_bytes().to_vec()));
        let db = self.db.reader();
        let runs = mine().count(db).await?;
        let contained = mine().filter(run::Column::ContainedMs.is_not_null()).count(db).await?;
        let undone = mine().filter(run::Column::State.eq(RunState::Undone.as_str())).count(db).await?;
        let times: Vec<Option<i64>> = mine()
            .select_only()
            .column(run::Column::ContainedMs)
            .filter(run::Column::ContainedMs.is_not_null())
            .order_by_desc(run::Column::StartedAt)
            .limit(MEDIAN_OF)
            .into_tuple()
            .all(db)
            .await?;
        let mut times: Vec<i64> = times.into_iter().flatten().collect();
        times.sort_unstable();
        let count = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        Ok(PlaybookStats {
            runs: count(runs),
            contained: count(contained),
            undone: count(undone),
            median_time_to_contain_s: median(&times).map(|ms| ms / 1e3),
        })
    }
}

fn median(sorted: &[i64]) -> Option<f64> {
    let middle = sorted.len() / 2;
    let upper = *sorted.get(middle)? as f64;
    if sorted.len() % 2 == 1 { Some(upper) } else { Some((*sorted.get(middle - 1)? as f64 + upper) / 2.0) }
}
