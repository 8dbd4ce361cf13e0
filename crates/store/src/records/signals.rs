//! Signals, of all, of one entity or of one alert. It must not know what detectors mean.

use riskgraph_domain::id::SignalId;
use riskgraph_domain::page::{Page, PageRequest};
use riskgraph_domain::ports::SignalFilter;
use riskgraph_domain::signal::Signal;
use sea_orm::sea_query::{Expr, ExprTrait, IntoColumnRef, Order};
use sea_orm::{ColumnTrait, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select};

use super::place::{List, Place, Way, page, rows_wanted};
use crate::codec::index_text;
use crate::db::Db;
use crate::error::StoreError;
use crate::rows::{alert_signal, signal as rows, signal_entity};
use crate::state::convert;

type Result<T> = std::result::Result<T, StoreError>;

/// Newest first. The list of an alert or an entity walks that link table's key, which has the time in it; the list of
/// all walks the signals' own index.
pub(super) async fn list(db: &Db, filter: SignalFilter, request: PageRequest) -> Result<Page<Signal>> {
    let mut query = rows::Entity::find();
    if let Some(detector) = &filter.detector {
        query = query.filter(rows::Column::Detector.eq(index_text(detector)));
    }
    if let Some(severity) = filter.min_severity {
        query = query.filter(rows::Column::Severity.gte(convert::severity(severity)));
    }
    let entity = filter.entity.map(|entity| entity.to_bytes().to_vec());
    if let Some(alert) = filter.alert {
        query = query
            .join(JoinType::InnerJoin, link(alert_signal::Entity, alert_signal::Column::SignalId))
            .filter(alert_signal::Column::AlertId.eq(alert.to_bytes().to_vec()));
        if let Some(entity) = entity {
            let touching = signal_entity::Entity::find()
                .select_only()
                .column(signal_entity::Column::SignalId)
                .filter(signal_entity::Column::EntityId.eq(entity));
            query = query.filter(rows::Column::Id.in_subquery(touching.into_query()));
        }
        let (time, id) = (alert_signal::Column::OccurredAt, alert_signal::Column::SignalId);
        let order = ((alert_signal::Entity, time), (alert_signal::Entity, id));
        return walk(db, query, &filter, &request, order).await;
    }
    if let Some(entity) = entity {
        query = query
            .join(JoinType::InnerJoin, link(signal_entity::Entity, signal_entity::Column::SignalId))
            .filter(signal_entity::Column::EntityId.eq(entity));
        let (time, id) = (signal_entity::Column::OccurredAt, signal_entity::Column::SignalId);
        let order = ((signal_entity::Entity, time), (signal_entity::Entity, id));
        return walk(db, query, &filter, &request, order).await;
    }
    let order = ((rows::Entity, rows::Column::OccurredAt), (rows::Entity, rows::Column::Id));
    walk(db, query, &filter, &request, order).await
}

/// The join from signals to a link table.
fn link<E: EntityTrait>(table: E, signal_id: E::Column) -> sea_orm::RelationDef {
    rows::Entity::belongs_to(table).from(rows::Column::Id).to(signal_id).into()
}

/// One page of the query in order of these columns (when, which).
async fn walk<C: IntoColumnRef + Clone>(
    db: &Db,
    mut query: Select<rows::Entity>,
    filter: &SignalFilter,
    request: &PageRequest,
    (time, id): (C, C),
) -> Result<Page<Signal>> {
    if let Some(since) = filter.since {
        query = query.filter(Expr::col(time.clone()).gte(since.millis()));
    }
    if let Some(place) = Place::<i64>::open(List::Signals, request)? {
        query = query.filter(place.beyond(time.clone(), id.clone(), Way::Down));
    }
    let found = query
        .order_by(Expr::col(time), Order::Desc)
        .order_by(Expr::col(id), Order::Desc)
        .limit(rows_wanted(request))
        .all(db.reader())
        .await?;
    page(request, found, |row| {
        let place = Place { key: row.occurred_at, id: row.id.clone() };
        Ok((place.seal(List::Signals), convert::signal(row)?))
    })
}

pub(super) async fn by_id(db: &Db, id: SignalId) -> Result<Option<Signal>> {
    let row = rows::Entity::find_by_id(id.to_bytes().to_vec()).one(db.reader()).await?;
    row.as_ref().map(convert::signal).transpose()
}
