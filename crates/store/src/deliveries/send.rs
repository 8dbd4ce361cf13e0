//! What is due, and what became of it.

use riskgraph_domain::delivery::{ATTEMPTS_KEPT, Attempt, DeliveryState, Due, Outcome, Settled};
use riskgraph_domain::id::ChannelId;
use riskgraph_domain::time::Timestamp;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{BLOCKED, convert};
use crate::codec::{from_json, to_json};
use crate::db::Db;
use crate::error::StoreError;
use crate::rows::delivery::{Column, Entity, Model};
use crate::rows::delivery_channel as channel_rows;

type Result<T> = std::result::Result<T, StoreError>;

pub(super) async fn due(db: &Db, channel: ChannelId, now: Timestamp, max: usize) -> Result<Vec<Due>> {
    // Due further ahead than it could have been set: the clock was set back, so its time has come.
    let set_back = Expr::col(Column::DueAt).gt(Expr::col(Column::DelayMs).add(now.millis()));
    let come = Condition::any().add(Column::DueAt.lte(now.millis())).add(set_back);
    let found = Entity::find()
        .filter(Column::ChannelId.eq(channel.to_bytes().to_vec()))
        .filter(Column::Open.eq(1_i16))
        .filter(Column::DueAt.lt(BLOCKED))
        .filter(come)
        .order_by_asc(Column::DueAt)
        .order_by_asc(Column::Place)
        .limit(max as u64)
        .all(db.reader())
        .await?;
    let found = if found.iter().any(|row| row.closed == 0) { close(db, found).await? } else { found };
    found.iter().map(convert::due).collect()
}

/// Closes the deliveries for folding, and reads them again: a change may have been folded in a moment ago.
async fn close(db: &Db, rows: Vec<Model>) -> Result<Vec<Model>> {
    let ids: Vec<Vec<u8>> = rows.into_iter().map(|row| row.id).collect();
    let tx = db.write_tx().await?;
    Entity::update_many()
        .col_expr(Column::Closed, Expr::val(1_i16))
        .filter(Column::Id.is_in(ids.iter().cloned()))
        .exec(&tx)
        .await?;
    let mut found = Entity::find().filter(Column::Id.is_in(ids)).filter(Column::Open.eq(1_i16)).all(&tx).await?;
    tx.commit().await?;
    // What was given out must say the same after a power loss.
    db.sync().await?;
    found.sort_by_key(|row| (row.due_at, row.place));
    Ok(found)
}

pub(super) async fn next_due(db: &Db, channel: ChannelId) -> Result<Option<Timestamp>> {
    let at: Option<i64> = Entity::find()
        .select_only()
        .column(Column::DueAt)
        .filter(Column::ChannelId.eq(channel.to_bytes().to_vec()))
        .filter(Column::Open.eq(1_i16))
        .filter(Column::DueAt.lt(BLOCKED))
        .order_by_asc(Column::DueAt)
        .limit(1)
        .into_tuple()
        .one(db.reader())
        .await?;
    Ok(at.map(Timestamp))
}

pub(super) async fn settle(db: &Db, settled: Settled) -> Result<i64> {
    let tx = db.write_tx().await?;
    let Some(mut row) = Entity::find_by_id(settled.delivery.to_bytes().to_vec()).one(&tx).await? else {
        tx.rollback().await?;
        return Ok(0);
    };
    let mut attempts: Vec<Attempt> = from_json(&row.attempts, "delivery")?;
    attempts.push(settled.attempt.clone());
    if attempts.len() > ATTEMPTS_KEPT {
        attempts.remove(0);
    }
    row.attempts = to_json(&attempts, "delivery")?;
    let (state, open) = match settled.outcome {
        Outcome::Delivered => (DeliveryState::Delivered, 0_i16),
        Outcome::Dead => (DeliveryState::Dead, 0),
        Outcome::Retry { delay_ms } => {
            row.delay_ms = delay_ms;
            row.due_at = settled.now.millis().saturating_add(delay_ms);
            (DeliveryState::Retrying, 1)
        }
    };
    let delivered = state == DeliveryState::Delivered;
    let delivered_at = if delivered { Some(settled.now.millis()) } else { row.delivered_at };
    Entity::update_many()
        .col_expr(Column::State, Expr::val(state.as_str()))
        .col_expr(Column::Open, Expr::val(open))
        .col_expr(Column::Attempts, Expr::val(row.attempts))
        .col_expr(Column::DueAt, Expr::val(row.due_at))
        .col_expr(Column::DelayMs, Expr::val(row.delay_ms))
        .col_expr(Column::NFailed, Expr::val(row.n_failed + i64::from(!delivered)))
        .col_expr(Column::DeliveredAt, Expr::val(delivered_at))
        .filter(Column::Id.eq(row.id.clone()))
        .exec(&tx)
        .await?;
    if open == 0 {
        unblock(&tx, &row.channel_id, &row.lane, settled.now).await?;
    }
    let failing_ms = note(&tx, &settled).await?;
    tx.commit().await?;
    Ok(failing_ms)
}

/// The first open delivery of a lane gets its time.
pub(super) async fn unblock(tx: &DatabaseTransaction, channel: &[u8], lane: &[u8], now: Timestamp) -> Result<()> {
    let first = Entity::find()
        .filter(Column::ChannelId.eq(channel.to_vec()))
        .filter(Column::Lane.eq(lane.to_vec()))
        .filter(Column::Open.eq(1_i16))
        .order_by_asc(Column::Place)
        .one(tx)
        .await?;
    let Some(first) = first.filter(|row| row.due_at == BLOCKED) else { return Ok(()) };
    // Not later than its wait from now: the clock may have been set back since.
    let due_at = first.wait_until.clamp(now.millis(), now.millis().saturating_add(Ord::max(first.delay_ms, 0)));
    Entity::update_many().col_expr(Column::DueAt, Expr::val(due_at)).filter(Column::Id.eq(first.id)).exec(tx).await?;
    Ok(())
}

/// Notes on the channel whether the try was one of its failures; says how long it has been failing.
async fn note(tx: &DatabaseTransaction, settled: &Settled) -> Result<i64> {
    let id = settled.channel.to_bytes().to_vec();
    let Some(channel) = channel_rows::Entity::find_by_id(id.clone()).one(tx).await? else { return Ok(0) };
    let now = settled.now.millis();
    let change = channel_rows::Entity::update_many().filter(channel_rows::Column::ChannelId.eq(id));
    if settled.outcome == Outcome::Delivered {
        change
            .col_expr(channel_rows::Column::FailingMs, Expr::val(0_i64))
            .col_expr(channel_rows::Column::LastFailureAt, Expr::val(Option::<i64>::None))
            .col_expr(channel_rows::Column::LastDeliveredAt, Expr::val(now))
            .exec(tx)
            .await?;
        return Ok(0);
    }
    let since = channel.last_failure_at.map_or(0, |at| now.saturating_sub(at));
    let failing_ms = channel.failing_ms.saturating_add(since.clamp(0, settled.failing_step_max_ms));
    change
        .col_expr(channel_rows::Column::FailingMs, Expr::val(failing_ms))
        .col_expr(channel_rows::Column::LastFailureAt, Expr::val(now))
        .exec(tx)
        .await?;
    Ok(failing_ms)
}
