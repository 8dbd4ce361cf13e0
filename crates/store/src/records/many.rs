//! Many things at once, by id: what a page names is asked for in one query, not one by one.
//!
//! It must not know what asks. Ids of things that are not there are left out; each id is answered once.

use riskgraph_domain::alert::Alert;
use riskgraph_domain::id::{AlertId, FindingId, SignalId, VendorId};
use riskgraph_domain::posture::{Finding, Posture};
use riskgraph_domain::signal::Signal;
use riskgraph_domain::vendor::Vendor;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait};

use crate::codec::id_of;
use crate::db::Db;
use crate::error::StoreError;
use crate::rows;
use crate::state::convert;

type Result<T> = std::result::Result<T, StoreError>;

/// Ids a query; five full pages' worth, and far below the 32,766 bound values SQLite allows.
const IDS_A_QUERY: usize = 500;

pub(super) async fn vendors(db: &Db, ids: &[VendorId]) -> Result<Vec<Vendor>> {
    let ids = unique(ids.iter().map(|id| id.to_bytes().to_vec()));
    all_of::<rows::vendor::Entity>(db, rows::vendor::Column::Id, &ids).await?.iter().map(convert::vendor).collect()
}

pub(super) async fn alerts(db: &Db, ids: &[AlertId]) -> Result<Vec<Alert>> {
    let ids = unique(ids.iter().map(|id| id.to_bytes().to_vec()));
    all_of::<rows::alert::Entity>(db, rows::alert::Column::Id, &ids).await?.iter().map(convert::alert).collect()
}

pub(super) async fn signals(db: &Db, ids: &[SignalId]) -> Result<Vec<Signal>> {
    let ids = unique(ids.iter().map(|id| id.to_bytes().to_vec()));
    all_of::<rows::signal::Entity>(db, rows::signal::Column::Id, &ids).await?.iter().map(convert::signal).collect()
}

pub(super) async fn findings(db: &Db, ids: &[FindingId]) -> Result<Vec<Finding>> {
    let ids = unique(ids.iter().map(|id| id.to_bytes().to_vec()));
    all_of::<rows::finding::Entity>(db, rows::finding::Column::Id, &ids).await?.iter().map(convert::finding).collect()
}

/// The newest posture of each vendor. Of older ones only their places in the key are looked at, never their bodies.
pub(super) async fn current_postures(db: &Db, vendors: &[VendorId]) -> Result<Vec<(VendorId, Posture)>> {
    use rows::posture::{Column, Entity};
    let ids = unique(vendors.iter().map(|id| id.to_bytes().to_vec()));
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(IDS_A_QUERY) {
        let newest = Entity::find()
            .select_only()
            .column(Column::VendorId)
            .column_as(Column::AssessedAt.max(), "newest")
            .filter(Column::VendorId.is_in(ids.iter().cloned()))
            .group_by(Column::VendorId)
            .into_query();
        let place = Expr::tuple([Expr::col(Column::VendorId), Expr::col(Column::AssessedAt)]);
        for row in Entity::find().filter(place.in_subquery(newest)).all(db.reader()).await? {
            found.push((id_of!(VendorId, &row.vendor_id, "posture")?, convert::posture(&row)?));
        }
    }
    Ok(found)
}

/// The rows with these ids.
async fn all_of<E: EntityTrait>(db: &Db, id: E::Column, ids: &[Vec<u8>]) -> Result<Vec<E::Model>> {
    let mut found = Vec::with_capacity(ids.len());
    for ids in ids.chunks(IDS_A_QUERY) {
        found.extend(E::find().filter(id.is_in(ids.iter().cloned())).all(db.reader()).await?);
    }
    Ok(found)
}

fn unique(ids: impl Iterator<Item = Vec<u8>>) -> Vec<Vec<u8>> {
    let mut ids: Vec<Vec<u8>> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
