//! The reading side of triage: silences, cases, past alerts worth comparing. It must not know how they are judged.

use async_trait::async_trait;
use riskgraph_domain::alert::{Alert, AlertStatus};
use riskgraph_domain::error::Fault;
use riskgraph_domain::id::{AlertId, CaseId, SilenceId};
use riskgraph_domain::page::{Page, PageRequest};
use riskgraph_domain::triage::{Case, CaseFilter, Silence, SilenceState, TriageRecords};
use sea_orm::sea_query::{Expr, ExprTrait, SelectStatement};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};

use super::place::{List, Place, Way, page, rows_wanted};
use super::{alerts, many, vendors};
use crate::codec::index_text;
use crate::db::Db;
use crate::error::StoreError;
use crate::rows::{alert as alert_rows, alert_technique, case_file, silence};
use crate::state::{SqlState, convert, triage as rows};

type Result<T> = std::result::Result<T, StoreError>;

/// Entities and techniques of an alert by which others like it are looked for.
const ALIKE_BY_MAX: usize = 16;

#[async_trait]
impl TriageRecords for SqlState {
    async fn silences(&self, active: Option<bool>, page: PageRequest) -> std::result::Result<Page<Silence>, Fault> {
        Ok(silences(&self.db, active, page).await?)
    }

    async fn silence(&self, id: SilenceId) -> std::result::Result<Option<Silence>, Fault> {
        Ok(silence_by_id(&self.db, id).await?)
    }

    async fn cases(&self, filter: CaseFilter, page: PageRequest) -> std::result::Result<Page<Case>, Fault> {
        Ok(cases(&self.db, filter, page).await?)
    }

    async fn case(&self, id: CaseId) -> std::result::Result<Option<Case>, Fault> {
        Ok(case_by_id(&self.db, id).await?)
    }

    async fn alerts_by_id(&self, ids: &[AlertId]) -> std::result::Result<Vec<Alert>, Fault> {
        Ok(many::alerts(&self.db, ids).await?)
    }

    async fn alike(&self, alert: &Alert, max: usize) -> std::result::Result<Vec<Alert>, Fault> {
        Ok(alike(&self.db, alert, max).await?)
    }
}

async fn silences(db: &Db, active: Option<bool>, request: PageRequest) -> Result<Page<Silence>> {
    use silence::{Column, Entity};
    let mut query = Entity::find();
    query = match active {
        None => query,
        Some(true) => query.filter(Column::State.eq(SilenceState::Active.as_str())),
        Some(false) => query.filter(Column::State.ne(SilenceState::Active.as_str())),
    };
    if let Some(place) = Place::<i64>::open(List::Silences, &request)? {
        query = query.filter(place.beyond(Column::EndsAt, Column::Id, Way::Down));
    }
    let found = query
        .order_by_desc(Column::EndsAt)
        .order_by_desc(Column::Id)
        .limit(rows_wanted(&request))
        .all(db.reader())
        .await?;
    page(&request, found, |row| {
        let place = Place { key: row.ends_at, id: row.id.clone() };
        Ok((place.seal(List::Silences), rows::silence(row)?))
    })
}

async fn silence_by_id(db: &Db, id: SilenceId) -> Result<Option<Silence>> {
    let row = silence::Entity::find_by_id(id.to_bytes().to_vec()).one(db.reader()).await?;
    row.as_ref().map(rows::silence).transpose()
}

async fn cases(db: &Db, filter: CaseFilter, request: PageRequest) -> Result<Page<Case>> {
    use case_file::{Column, Entity};
    let mut query = Entity::find();
    if let Some(status) = filter.status {
        query = query.filter(Column::Status.eq(status.as_str()));
    }
    if let Some(text) = filter.query.filter(|text| !text.is_empty()) {
        query = query.filter(Expr::col(Column::Search).like(vendors::contains(&text)));
    }
    if let Some(place) = Place::<i64>::open(List::Cases, &request)? {
        query = query.filter(place.beyond(Column::UpdatedAt, Column::Id, Way::Down));
    }
    let found = query
        .order_by_desc(Column::UpdatedAt)
        .order_by_desc(Column::Id)
        .limit(rows_wanted(&request))
        .all(db.reader())
        .await?;
    page(&request, found, |row| {
        let place = Place { key: row.updated_at, id: row.id.clone() };
        Ok((place.seal(List::Cases), rows::case(row)?))
    })
}

async fn case_by_id(db: &Db, id: CaseId) -> Result<Option<Case>> {
    let row = case_file::Entity::find_by_id(id.to_bytes().to_vec()).one(db.reader()).await?;
    row.as_ref().map(rows::case).transpose()
}

/// The newest resolved alerts with one of the alert's entities, and those with one of its techniques: half of each, so that
/// a frequent technique does not crowd out the same entity.
async fn alike(db: &Db, alert: &Alert, max: usize) -> Result<Vec<Alert>> {
    let entities = alert.entities.iter().take(ALIKE_BY_MAX).map(|entity| entity.id().to_bytes().to_vec()).collect();
    let named = alert.techniques.iter().take(ALIKE_BY_MAX).map(|technique| index_text(technique));
    let by_technique = alert_technique::Entity::find()
        .select_only()
        .column(alert_technique::Column::AlertId)
        .filter(alert_technique::Column::Technique.is_in(named))
        .into_query();
    let half = max.div_ceil(2) as u64;
    let mut found = past(db, alert.id, alerts::touching(entities), half).await?;
    for row in past(db, alert.id, by_technique, half).await? {
        if found.len() < max && !found.iter().any(|known| known.id == row.id) {
            found.push(row);
        }
    }
    found.iter().map(convert::alert).collect()
}

async fn past(db: &Db, but: AlertId, among: SelectStatement, max: u64) -> Result<Vec<alert_rows::Model>> {
    use alert_rows::{Column, Entity};
    let found = Entity::find()
        .filter(Column::Status.eq(AlertStatus::Resolved.as_str()))
        .filter(Column::Id.in_subquery(among))
        .filter(Column::Id.ne(but.to_bytes().to_vec()))
        .order_by_desc(Column::UpdatedAt)
        .order_by_desc(Column::Id)
        .limit(max)
        .all(db.reader())
        .await?;
    Ok(found)
}
