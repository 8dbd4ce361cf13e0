//! Delivering once more what was delivered or given up.

use riskgraph_domain::id::{ChannelId, DeliveryId};
use riskgraph_domain::time::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{BLOCKED, convert};
use crate::db::Db;
use crate::error::StoreError;
use crate::rows::delivery::{Column, Entity};

type Result<T> = std::result::Result<T, StoreError>;

/// Ids in one statement.
const IDS_A_STATEMENT: usize = 500;
/// An earlier open delivery of the same lane.
const EARLIER: &str = "EXISTS (SELECT 1 FROM delivery e WHERE e.channel_id = delivery.channel_id \
    AND e.lane = delivery.lane AND e.open = 1 AND e.place < delivery.place)";

pub(super) async fn retry(db: &Db, id: DeliveryId, now: Timestamp) -> Result<bool> {
    let tx = db.write_tx().await?;
    let Some(row) = Entity::find_by_id(id.to_bytes().to_vec()).one(&tx).await? else {
        tx.rollback().await?;
        return Ok(false);
    };
    reopen(&tx, &[row.id]).await?;
    order(&tx, &row.channel_id, now).await?;
    tx.commit().await?;
    db.sync().await?;
    Ok(true)
}

pub(super) async fn recover(
    db: &Db,
    channel: ChannelId,
    (since, now): (Timestamp, Timestamp),
    max: usize,
) -> Result<u64> {
    let id = channel.to_bytes().to_vec();
    let tx = db.write_tx().await?;
    let found: Vec<Vec<u8>> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::ChannelId.eq(id.clone()))
        .filter(Column::CreatedAt.gte(since.millis()))
        .filter(Column::Tries.eq(convert::tries(riskgraph_domain::delivery::Tries::Many)))
        .order_by_asc(Column::Place)
        .limit(max as u64)
        .into_tuple()
        .all(&tx)
        .await?;
    for ids in found.chunks(IDS_A_STATEMENT) {
        reopen(&tx, ids).await?;
    }
    order(&tx, &id, now).await?;
    tx.commit().await?;
    db.sync().await?;
    Ok(found.len() as u64)
}

/// Opens deliveries again, from the start of the schedule; what they say stays.
async fn reopen(tx: &DatabaseTransaction, ids: &[Vec<u8>]) -> Result<()> {
    Entity::update_many()
        .col_expr(Column::State, Expr::val("WAITING"))
        .col_expr(Column::Open, Expr::val(1_i16))
        .col_expr(Column::NFailed, Expr::val(0_i64))
        .col_expr(Column::DueAt, Expr::val(BLOCKED))
        .col_expr(Column::DelayMs, Expr::val(0_i64))
        .col_expr(Column::WaitUntil, Expr::val(0_i64))
        .col_expr(Column::Closed, Expr::val(1_i16))
        .filter(Column::Id.is_in(ids.iter().cloned()))
        .exec(tx)
        .await?;
    Ok(())
}

/// Of each lane the first open delivery is due, the others are blocked.
async fn order(tx: &DatabaseTransaction, channel: &[u8], now: Timestamp) -> Result<()> {
    debug_assert!(tx.get_database_backend() != sea_orm::DbBackend::MySql);
    let open = |query: sea_orm::UpdateMany<Entity>| {
        query.filter(Column::ChannelId.eq(channel.to_vec())).filter(Column::Open.eq(1_i16))
    };
    open(Entity::update_many())
        .col_expr(Column::DueAt, Expr::val(BLOCKED))
        .filter(Expr::cust(EARLIER))
        .exec(tx)
        .await?;
    open(Entity::update_many())
        .col_expr(Column::DueAt, Expr::val(now.millis()))
        .filter(Column::DueAt.eq(BLOCKED))
        .filter(Expr::cust(format!("NOT {EARLIER}")))
        .exec(tx)
        .await?;
    Ok(())
}
