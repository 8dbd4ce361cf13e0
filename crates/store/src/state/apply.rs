//! Writes a delta in one transaction. It must not know what the rows mean.

use std::collections::HashMap;

use riskgraph_domain::journal::Position;
use riskgraph_domain::ports::Delta;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, IntoActiveModel,
    QueryFilter, QuerySelect,
};

use super::load::{self, APPLIED, SEQUENCE};
use super::shape::{Shaped, shape};
use super::{history, links, triage, trim};
use crate::codec::big;
use crate::db::Db;
use crate::error::StoreError;
use crate::insert::{Clash, insert_all};
use crate::{rows, unnest};

type Result<T> = std::result::Result<T, StoreError>;

/// Ids in one `IN (...)`; the same bound as rows a statement.
pub(super) const IDS_A_STATEMENT: usize = 500;

/// Writes the delta, or refuses it whole.
pub(super) async fn apply(db: &Db, delta: Delta) -> Result<()> {
    let position = delta.position;
    let sequences: Vec<u64> = delta.alert_events.iter().map(|event| event.sequence).collect();
    let changes_something = !delta.is_empty();
    let shaped = tokio::task::spawn_blocking(move || shape(delta)).await.map_err(|_| StoreError::Closed)??;
    let tx = db.write_tx().await?;
    let applied = Position(load::mark(&tx, APPLIED).await?);
    if position < applied || (position == Position(0) && changes_something) {
        return Err(StoreError::Stale { given: position, applied });
    }
    if position == applied {
        tx.rollback().await?;
        return Ok(());
    }
    let mut marks = vec![rows::mark::Model { name: APPLIED.to_owned(), value: big(position.0) }];
    let before = load::mark(&tx, SEQUENCE).await?;
    let last = follows(before, &sequences)?;
    if let Some(last) = last {
        marks.push(rows::mark::Model { name: SEQUENCE.to_owned(), value: big(last) });
    }
    write(&tx, shaped, position).await?;
    if let Some(last) = last {
        trim::alert_events(&tx, before, last).await?;
    }
    insert_all::<rows::mark::Entity>(&tx, marks, Clash::Replace).await?;
    tx.commit().await?;
    Ok(())
}

/// The last number, when the numbers go on from `last` without a gap.
fn follows(last: u64, sequences: &[u64]) -> Result<Option<u64>> {
    let mut expected = last;
    for &given in sequences {
        expected += 1;
        if given != expected {
            return Err(StoreError::Sequence { expected, given });
        }
    }
    Ok((expected > last).then_some(expected))
}

async fn write(tx: &DatabaseTransaction, shaped: Shaped, position: Position) -> Result<()> {
    graph::<rows::entity::Entity>(tx, shaped.entities).await?;
    history::fourth_parties(tx, &shaped.relations, position).await?;
    graph::<rows::relation::Entity>(tx, shaped.relations).await?;
    insert_all::<rows::signal::Entity>(tx, shaped.signals, Clash::Replace).await?;
    insert_all::<rows::signal_entity::Entity>(tx, shaped.signal_entities, Clash::Keep).await?;
    remove_vendors(tx, &shaped.removed_vendors).await?;
    let changed: Vec<Vec<u8>> = shaped.vendors.iter().map(|row| row.id.clone()).collect();
    history::vendors(tx, &shaped.vendors, position).await?;
    insert_all::<rows::vendor::Entity>(tx, shaped.vendors, Clash::ReplaceBut(&["grade"])).await?;
    for ids in changed.chunks(IDS_A_STATEMENT) {
        rows::vendor_domain::Entity::delete_many()
            .filter(rows::vendor_domain::Column::VendorId.is_in(ids.iter().cloned()))
            .exec(tx)
            .await?;
    }
    insert_all::<rows::vendor_domain::Entity>(tx, shaped.vendor_domains, Clash::Keep).await?;
    insert_all::<rows::integration::Entity>(tx, shaped.integrations, Clash::Replace).await?;
    postures(tx, shaped.postures, position).await?;
    history::findings(tx, &shaped.findings, position).await?;
    insert_all::<rows::finding::Entity>(tx, shaped.findings, Clash::Replace).await?;
    let alerts: Vec<Vec<u8>> = shaped.alerts.iter().map(|row| row.id.clone()).collect();
    insert_all::<rows::alert::Entity>(tx, shaped.alerts, Clash::Replace).await?;
    for ids in alerts.chunks(IDS_A_STATEMENT) {
        rows::alert_technique::Entity::delete_many()
            .filter(rows::alert_technique::Column::AlertId.is_in(ids.iter().cloned()))
            .exec(tx)
            .await?;
        rows::alert_path::Entity::delete_many()
            .filter(rows::alert_path::Column::AlertId.is_in(ids.iter().cloned()))
            .exec(tx)
            .await?;
    }
    insert_all::<rows::alert_technique::Entity>(tx, shaped.alert_techniques, Clash::Keep).await?;
    insert_all::<rows::alert_entity::Entity>(tx, shaped.alert_entities, Clash::Keep).await?;
    insert_all::<rows::alert_event::Entity>(tx, shaped.alert_events, Clash::Fail).await?;
    triage::write(tx, shaped.triage).await?;
    links::paths(tx, &shaped.alert_paths).await?;
    links::signals(tx, &shaped.alert_signals).await?;
    insert_all::<rows::state_blob::Entity>(tx, shaped.blobs, Clash::Replace).await?;
    for names in shaped.removed_blobs.chunks(IDS_A_STATEMENT) {
        rows::state_blob::Entity::delete_many()
            .filter(rows::state_blob::Column::Name.is_in(names.iter().cloned()))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// Rows of the graph, which come in tens of thousands, in the way that is fastest on the engine.
async fn graph<E>(tx: &DatabaseTransaction, rows: Vec<E::Model>) -> Result<()>
where
    E: EntityTrait,
    E::ActiveModel: ActiveModelTrait<Entity = E> + Send,
    E::Model: IntoActiveModel<E::ActiveModel> + Send,
{
    if tx.get_database_backend() == DbBackend::Postgres {
        unnest::replace_all::<E>(tx, rows).await?;
    } else {
        insert_all::<E>(tx, rows, Clash::Replace).await?;
    }
    Ok(())
}

/// Vendors go with what was found about them; their integrations stay, without a vendor.
async fn remove_vendors(tx: &DatabaseTransaction, vendors: &[Vec<u8>]) -> Result<()> {
    for ids in vendors.chunks(IDS_A_STATEMENT) {
        let ids = || ids.iter().cloned();
        rows::vendor::Entity::delete_many().filter(rows::vendor::Column::Id.is_in(ids())).exec(tx).await?;
        rows::vendor_domain::Entity::delete_many()
            .filter(rows::vendor_domain::Column::VendorId.is_in(ids()))
            .exec(tx)
            .await?;
        rows::posture::Entity::delete_many().filter(rows::posture::Column::VendorId.is_in(ids())).exec(tx).await?;
        rows::finding::Entity::delete_many().filter(rows::finding::Column::VendorId.is_in(ids())).exec(tx).await?;
        history::forget(tx, ids().collect()).await?;
        rows::integration::Entity::update_many()
            .col_expr(rows::integration::Column::VendorId, Expr::val(Option::<Vec<u8>>::None))
            .filter(rows::integration::Column::VendorId.is_in(ids()))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// Adds the postures; a vendor's grade is that of its newest one, which may be an older row.
async fn postures(tx: &DatabaseTransaction, mut postures: Vec<rows::posture::Model>, at: Position) -> Result<()> {
    postures.iter_mut().for_each(|row| row.position = Some(big(at.0)));
    // In order of vendor and time: the last of each vendor is its newest here.
    let newest: HashMap<Vec<u8>, (i64, i16)> =
        postures.iter().map(|row| (row.vendor_id.clone(), (row.assessed_at, row.grade))).collect();
    insert_all::<rows::posture::Entity>(tx, postures, Clash::Replace).await?;
    for (vendor, (assessed_at, grade)) in newest {
        let later: Option<i64> = rows::posture::Entity::find()
            .select_only()
            .column(rows::posture::Column::AssessedAt)
            .filter(rows::posture::Column::VendorId.eq(vendor.clone()))
            .filter(rows::posture::Column::AssessedAt.gt(assessed_at))
            .limit(1)
            .into_tuple()
            .one(tx)
            .await?;
        if later.is_none() {
            rows::vendor::Entity::update_many()
                .col_expr(rows::vendor::Column::Grade, Expr::val(grade))
                .filter(rows::vendor::Column::Id.eq(vendor))
                .exec(tx)
                .await?;
        }
    }
    Ok(())
}
