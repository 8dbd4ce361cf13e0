//! Reads the state back at a start. It must not know what is built from it.

use riskgraph_domain::alert::{Alert, AlertStatus};
use riskgraph_domain::graph::{Entity, Relation};
use riskgraph_domain::id::{EntityId, RelationId};
use riskgraph_domain::posture::{Finding, FindingStatus};
use riskgraph_domain::vendor::{Integration, Vendor};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::convert;
use crate::codec::{unpack, unsigned};
use crate::db::Db;
use crate::error::StoreError;
use crate::rows;

type Result<T> = std::result::Result<T, StoreError>;

/// Name of the mark that holds the applied position.
pub(crate) const APPLIED: &str = "applied";
/// Name of the mark that holds the last number of the alert sequence.
pub(crate) const SEQUENCE: &str = "alert_sequence";

/// The value of a mark; 0 before it is first set.
pub(crate) async fn mark<C: ConnectionTrait>(db: &C, name: &'static str) -> Result<u64> {
    let row = rows::mark::Entity::find_by_id(name.to_owned()).one(db).await?;
    row.map_or(Ok(0), |row| unsigned(row.value, "mark"))
}

/// Read as tuples, by place: millions of rows should not look each column up by its name.
pub(super) async fn entities(db: &Db, after: Option<EntityId>, max: usize) -> Result<Vec<Entity>> {
    use rows::entity::Column;
    type Row = (Vec<u8>, String, String, String, String, i64, i64);
    let mut query = rows::entity::Entity::find()
        .select_only()
        .columns([Column::Id, Column::Kind, Column::Key, Column::Name, Column::Attributes])
        .columns([Column::FirstSeen, Column::LastSeen])
        .order_by_asc(Column::Id)
        .limit(max as u64);
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after.to_bytes().to_vec()));
    }
    let found: Vec<Row> = query.into_tuple().all(db.reader()).await?;
    found
        .into_iter()
        .map(|(id, kind, key, name, attributes, first_seen, last_seen)| {
            convert::entity(rows::entity::Model { id, kind, key, name, attributes, first_seen, last_seen })
        })
        .collect()
}

pub(super) async fn relations(db: &Db, after: Option<RelationId>, max: usize) -> Result<Vec<Relation>> {
    use rows::relation::Column;
    type Row = (Vec<u8>, String, Vec<u8>, Vec<u8>, i64, i64, f64, String);
    let mut query = rows::relation::Entity::find()
        .select_only()
        .columns([Column::Id, Column::Kind, Column::FromId, Column::ToId, Column::FirstSeen, Column::LastSeen])
        .columns([Column::Confidence, Column::Source])
        .order_by_asc(Column::Id)
        .limit(max as u64);
    if let Some(after) = after {
        query = query.filter(Column::Id.gt(after.to_bytes().to_vec()));
    }
    let found: Vec<Row> = query.into_tuple().all(db.reader()).await?;
    found
        .into_iter()
        .map(|(id, kind, from_id, to_id, first_seen, last_seen, confidence, source)| {
            let row = rows::relation::Model { id, kind, from_id, to_id, first_seen, last_seen, confidence, source };
            convert::relation(row)
        })
        .collect()
}

pub(super) async fn blob(db: &Db, name: &str) -> Result<Option<Vec<u8>>> {
    let row = rows::state_blob::Entity::find_by_id(name.to_owned()).one(db.reader()).await?;
    row.map(|row| unpack(&row.data, row.n_bytes, "blob")).transpose()
}

pub(super) async fn open_alerts(db: &Db) -> Result<Vec<Alert>> {
    rows::alert::Entity::find()
        .filter(rows::alert::Column::Status.ne(AlertStatus::Resolved.as_str()))
        .order_by_asc(rows::alert::Column::Id)
        .all(db.reader())
        .await?
        .iter()
        .map(convert::alert)
        .collect()
}

pub(super) async fn vendors(db: &Db) -> Result<Vec<Vendor>> {
    let found = rows::vendor::Entity::find().order_by_asc(rows::vendor::Column::Id).all(db.reader()).await?;
    found.iter().map(convert::vendor).collect()
}

pub(super) async fn integrations(db: &Db) -> Result<Vec<Integration>> {
    let found = rows::integration::Entity::find().order_by_asc(rows::integration::Column::Id).all(db.reader()).await?;
    found.iter().map(convert::integration).collect()
}

pub(super) async fn findings(db: &Db) -> Result<Vec<Finding>> {
    rows::finding::Entity::find()
        .filter(rows::finding::Column::Status.ne(FindingStatus::Resolved.as_str()))
        .order_by_asc(rows::finding::Column::Id)
        .all(db.reader())
        .await?
        .iter()
        .map(convert::finding)
        .collect()
}
