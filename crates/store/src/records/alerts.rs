//! Alerts and the sequence of their changes. It must not know what correlates.

use std::collections::HashMap;

use riskgraph_domain::alert::{Alert, AlertEvent, AlertFilter};
use riskgraph_domain::graph::{EntityKey, EntityKind};
use riskgraph_domain::id::{AlertId, VendorId};
use riskgraph_domain::page::{Page, PageRequest};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select};

use super::place::{List, Place, Way, page, rows_wanted};
use super::vendors;
use crate::codec::{big, index_text, unsigned};
use crate::db::Db;
use crate::error::StoreError;
use crate::rows::{
    alert as rows, alert_entity, alert_event, alert_path, alert_technique, alert_triage, case_alert, integration,
    relation,
};
use crate::state::convert;

type Result<T> = std::result::Result<T, StoreError>;

/// Nodes of each kind of a vendor that its alerts are looked up by.
const VENDOR_NODES_MAX: usize = 500;
/// Relations from an integration to its keys. Written out, for a bound value would not let the partial index be used.
const IS_USES: &str = "kind = 'USES'";

/// Places first, then the alerts of the page: where no index has the order, the database sorts places and not bodies.
pub(super) async fn list(db: &Db, filter: AlertFilter, request: PageRequest) -> Result<Page<Alert>> {
    use rows::Column;
    let mut query = filtered(&filter);
    if let Some(vendor) = filter.vendor {
        let nodes = vendor_nodes(db, vendor).await?;
        let near = Condition::any()
            .add(Column::Id.in_subquery(touching(nodes.clone())))
            .add(Column::Id.in_subquery(passing(nodes)));
        query = query.filter(near);
    }
    if let Some(place) = Place::<i64>::open(List::Alerts, &request)? {
        query = query.filter(place.beyond(Column::UpdatedAt, Column::Id, Way::Down));
    }
    let keys: Vec<(i64, Vec<u8>)> = query
        .select_only()
        .columns([Column::UpdatedAt, Column::Id])
        .order_by_desc(Column::UpdatedAt)
        .order_by_desc(Column::Id)
        .limit(rows_wanted(&request))
        .into_tuple()
        .all(db.reader())
        .await?;
    let ids = keys.iter().map(|(_, id)| id.clone());
    let found = rows::Entity::find().filter(Column::Id.is_in(ids)).all(db.reader()).await?;
    let bodies: HashMap<&[u8], &rows::Model> = found.iter().map(|row| (row.id.as_slice(), row)).collect();
    page(&request, keys, |(updated_at, id)| {
        let place = Place { key: *updated_at, id: id.clone() };
        let row = bodies.get(id.as_slice()).ok_or(StoreError::Corrupt { what: "alert" })?;
        Ok((place.seal(List::Alerts), convert::alert(row)?))
    })
}

fn filtered(filter: &AlertFilter) -> Select<rows::Entity> {
    use rows::Column;
    let mut query = rows::Entity::find();
    if !filter.status.is_empty() {
        query = query.filter(Column::Status.is_in(filter.status.iter().map(|status| status.as_str())));
    }
    if let Some(severity) = filter.min_severity {
        query = query.filter(Column::Severity.gte(convert::severity(severity)));
    }
    if let Some(since) = filter.since {
        query = query.filter(Column::UpdatedAt.gte(since.millis()));
    }
    if let Some(entity) = filter.entity {
        query = query.filter(Column::Id.in_subquery(touching(vec![entity.to_bytes().to_vec()])));
    }
    if let Some(technique) = &filter.technique {
        let with = alert_technique::Entity::find()
            .select_only()
            .column(alert_technique::Column::AlertId)
            .filter(alert_technique::Column::Technique.eq(index_text(technique)));
        query = query.filter(Column::Id.in_subquery(with.into_query()));
    }
    triaged(query, filter)
}

/// The conditions on what people did with an alert. Few alerts are muted or overdue, so those are looked up and the others
/// are all but them; the words are written out for the indexes of only those.
fn triaged(mut query: Select<rows::Entity>, filter: &AlertFilter) -> Select<rows::Entity> {
    use alert_triage::Column;
    let alerts = |condition: Condition| {
        let with = alert_triage::Entity::find().select_only().column(Column::AlertId).filter(condition);
        with.into_query()
    };
    for (wanted, flag) in [(filter.muted, "muted = 1"), (filter.overdue, "overdue = 1")] {
        let flagged = || alerts(Condition::all().add(Expr::cust(flag)));
        query = match wanted {
            None => query,
            Some(true) => query.filter(rows::Column::Id.in_subquery(flagged())),
            Some(false) => query.filter(rows::Column::Id.not_in_subquery(flagged())),
        };
    }
    let mut all = Condition::all();
    if let Some(assignee) = &filter.assignee {
        all = all.add(Column::Assignee.eq(convert::fold(assignee)));
    }
    if !filter.verdict.is_empty() {
        all = all.add(Column::Verdict.is_in(filter.verdict.iter().map(|verdict| verdict.as_str())));
    }
    if let Some(text) = filter.query.as_deref().filter(|text| !text.is_empty()) {
        all = all.add(Expr::col(Column::Search).like(vendors::contains(text)));
    }
    if !all.is_empty() {
        query = query.filter(rows::Column::Id.in_subquery(alerts(all)));
    }
    if let Some(case) = filter.case {
        let with = case_alert::Entity::find()
            .select_only()
            .column(case_alert::Column::AlertId)
            .filter(case_alert::Column::CaseId.eq(case.to_bytes().to_vec()));
        query = query.filter(rows::Column::Id.in_subquery(with.into_query()));
    }
    query
}

/// The alerts that touch one of these entities.
pub(super) fn touching(entities: Vec<Vec<u8>>) -> sea_orm::sea_query::SelectStatement {
    alert_entity::Entity::find()
        .select_only()
        .column(alert_entity::Column::AlertId)
        .filter(alert_entity::Column::EntityId.is_in(entities))
        .into_query()
}

/// The alerts whose path passes one of these entities.
fn passing(entities: Vec<Vec<u8>>) -> sea_orm::sea_query::SelectStatement {
    alert_path::Entity::find()
        .select_only()
        .column(alert_path::Column::AlertId)
        .filter(alert_path::Column::EntityId.is_in(entities))
        .into_query()
}

/// The nodes that stand for a vendor: its own, its domains', its integrations' and those ones' keys'. None when there
/// is no such vendor.
async fn vendor_nodes(db: &Db, id: VendorId) -> Result<Vec<Vec<u8>>> {
    let Some(vendor) = vendors::by_id(db, id).await? else { return Ok(Vec::new()) };
    let mut nodes: Vec<Vec<u8>> = integration::Entity::find()
        .select_only()
        .column(integration::Column::EntityId)
        .filter(integration::Column::VendorId.eq(id.to_bytes().to_vec()))
        .order_by_asc(integration::Column::Name)
        .limit(VENDOR_NODES_MAX as u64)
        .into_tuple()
        .all(db.reader())
        .await?;
    let id_of = |key: EntityKey| key.id().to_bytes().to_vec();
    let declared = vendor.integrations.iter().map(|name| EntityKey::new(EntityKind::Integration, name.clone()));
    nodes.extend(declared.take(VENDOR_NODES_MAX).map(id_of));
    let keys: Vec<Vec<u8>> = relation::Entity::find()
        .select_only()
        .column(relation::Column::ToId)
        .filter(Expr::cust(IS_USES))
        .filter(relation::Column::FromId.is_in(nodes.iter().cloned()))
        .order_by_asc(relation::Column::ToId)
        .limit(VENDOR_NODES_MAX as u64)
        .into_tuple()
        .all(db.reader())
        .await?;
    nodes.extend(keys);
    nodes.push(id_of(vendor.entity()));
    let domains = vendor.domains.iter().map(|domain| EntityKey::new(EntityKind::Domain, domain.clone()));
    nodes.extend(domains.take(VENDOR_NODES_MAX).map(id_of));
    Ok(nodes)
}

pub(super) async fn by_id(db: &Db, id: AlertId) -> Result<Option<Alert>> {
    let row = rows::Entity::find_by_id(id.to_bytes().to_vec()).one(db.reader()).await?;
    row.as_ref().map(convert::alert).transpose()
}

pub(super) async fn events(db: &Db, after: u64, max: usize) -> Result<Vec<AlertEvent>> {
    let found = alert_event::Entity::find()
        .filter(alert_event::Column::Sequence.gt(big(after)))
        .order_by_asc(alert_event::Column::Sequence)
        .limit(max as u64)
        .all(db.reader())
        .await?;
    found.iter().map(convert::alert_event).collect()
}

pub(super) async fn event_range(db: &Db) -> Result<Option<(u64, u64)>> {
    let oldest = end_of_sequence(db, sea_orm::Order::Asc).await?;
    let newest = end_of_sequence(db, sea_orm::Order::Desc).await?;
    match oldest.zip(newest) {
        Some((oldest, newest)) => Ok(Some((unsigned(oldest, "alert event")?, unsigned(newest, "alert event")?))),
        None => Ok(None),
    }
}

async fn end_of_sequence(db: &Db, order: sea_orm::Order) -> Result<Option<i64>> {
    let found = alert_event::Entity::find()
        .select_only()
        .column(alert_event::Column::Sequence)
        .order_by(alert_event::Column::Sequence, order)
        .limit(1)
        .into_tuple()
        .one(db.reader())
        .await?;
    Ok(found)
}
