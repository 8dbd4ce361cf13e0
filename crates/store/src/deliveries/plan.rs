//! Planning: a channel's new deliveries and its cursor, in one transaction.

use riskgraph_domain::delivery::{ChannelPlan, NewDelivery, Told, When};
use riskgraph_domain::id::{AlertId, ChannelId};
use riskgraph_domain::time::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::{BLOCKED, convert};
use crate::codec::{big, column_text};
use crate::db::Db;
use crate::error::StoreError;
use crate::insert::{Clash, insert_all};
use crate::rows::{delivery, delivery_channel, delivery_told};

type Result<T> = std::result::Result<T, StoreError>;

/// Deliveries kept of a channel once they are done, the newest: at some 2 KB each 40 MB, and twice what can be recovered.
const DONE_KEPT: i64 = 20_000;
/// Deliveries between two trims of a channel.
const TRIM_EVERY: i64 = 1_000;
/// Ids in one statement.
const IDS_A_STATEMENT: usize = 500;

pub(super) async fn write(db: &Db, plans: Vec<ChannelPlan>) -> Result<()> {
    let tells = plans.iter().any(|plan| !plan.deliveries.is_empty());
    let tx = db.write_tx().await?;
    for plan in plans {
        write_one(&tx, plan).await?;
    }
    tx.commit().await?;
    // What is sent must not be forgotten: a message planned anew after a power loss could fold other changes under the
    // same id.
    if tells { db.sync().await } else { Ok(()) }
}

async fn write_one(tx: &DatabaseTransaction, plan: ChannelPlan) -> Result<()> {
    let id = plan.channel.to_bytes().to_vec();
    let found = delivery_channel::Entity::find_by_id(id.clone()).one(tx).await?;
    let moved = |channel: &delivery_channel::Model| plan.cursor.is_some_and(|(from, _)| channel.cursor != big(from));
    let Some(mut channel) = found.filter(|channel| !moved(channel)) else { return Ok(()) };
    let before = channel.next_place;
    for new in &plan.deliveries {
        add(tx, &mut channel, new, plan.now).await?;
    }
    let told = plan.told.iter().map(|told| told_row(plan.channel, told)).collect();
    insert_all::<delivery_told::Entity>(tx, told, Clash::Replace).await?;
    let mut change = delivery_channel::Entity::update_many()
        .col_expr(delivery_channel::Column::Cursor, Expr::val(plan.cursor.map_or(channel.cursor, |(_, to)| big(to))))
        .col_expr(delivery_channel::Column::NextPlace, Expr::val(channel.next_place))
        .filter(delivery_channel::Column::ChannelId.eq(id.clone()));
    if let Some(at) = plan.digest_at {
        change = change.col_expr(delivery_channel::Column::DigestAt, Expr::val(at.millis()));
    }
    change.exec(tx).await?;
    if before / TRIM_EVERY != channel.next_place / TRIM_EVERY {
        delivery::Entity::delete_many()
            .filter(delivery::Column::ChannelId.eq(id))
            .filter(delivery::Column::Open.eq(0_i16))
            .filter(delivery::Column::Place.lt(channel.next_place - DONE_KEPT))
            .exec(tx)
            .await?;
    }
    Ok(())
}

/// Inserts a delivery, or folds it into the newest one of its alert that was never tried.
async fn add(
    tx: &DatabaseTransaction,
    channel: &mut delivery_channel::Model,
    new: &NewDelivery,
    now: Timestamp,
) -> Result<()> {
    if delivery::Entity::find_by_id(new.id.to_bytes().to_vec()).one(tx).await?.is_some() {
        return Ok(());
    }
    let lane = match new.alert {
        Some(alert) => alert.to_bytes(),
        None => new.id.to_bytes(),
    };
    let last_open = delivery::Entity::find()
        .filter(delivery::Column::ChannelId.eq(channel.channel_id.clone()))
        .filter(delivery::Column::Lane.eq(lane.to_vec()))
        .filter(delivery::Column::Open.eq(1_i16))
        .order_by_desc(delivery::Column::Place)
        .one(tx)
        .await?;
    let (body, n_bytes) = convert::body(&new.message)?;
    let subject = column_text(&new.message.subject());
    let blocked = last_open.is_some();
    if blocked && new.when == When::NothingWaits {
        return Ok(());
    }
    if let Some(open) = last_open.filter(|open| new.wait_ms > 0 && open.closed == 0) {
        delivery::Entity::update_many()
            .col_expr(delivery::Column::Subject, Expr::val(subject))
            .col_expr(delivery::Column::Changes, Expr::val(convert::with_change(&open.changes, new.change)))
            .col_expr(delivery::Column::Body, Expr::val(body))
            .col_expr(delivery::Column::NBytes, Expr::val(n_bytes))
            .filter(delivery::Column::Id.eq(open.id))
            .exec(tx)
            .await?;
        return Ok(());
    }
    let wait_until = (now + new.wait_ms).millis();
    let row = delivery::Model {
        id: new.id.to_bytes().to_vec(),
        channel_id: channel.channel_id.clone(),
        place: channel.next_place,
        lane: lane.to_vec(),
        sequence: channel.cursor,
        state: "WAITING".to_owned(),
        open: 1,
        created_at: now.millis(),
        due_at: if blocked { BLOCKED } else { wait_until },
        delay_ms: new.wait_ms,
        wait_until,
        n_failed: 0,
        closed: i16::from(new.wait_ms == 0),
        tries: convert::tries(new.tries),
        subject,
        changes: convert::with_change("", new.change),
        attempts: "[]".to_owned(),
        n_bytes,
        body,
        alert_id: new.alert.map(|alert| alert.to_bytes().to_vec()),
        delivered_at: None,
    };
    channel.next_place += 1;
    insert_all::<delivery::Entity>(tx, vec![row], Clash::Fail).await?;
    Ok(())
}

fn told_row(channel: ChannelId, told: &Told) -> delivery_told::Model {
    delivery_told::Model {
        channel_id: channel.to_bytes().to_vec(),
        alert_id: told.alert.to_bytes().to_vec(),
        sequence: big(told.sequence),
        told_at: told.at.millis(),
        repeats: i16::from(told.repeats),
        n_repeats: i64::from(told.n_repeats),
    }
}

pub(super) async fn told(db: &Db, channel: ChannelId, alerts: &[AlertId]) -> Result<Vec<Told>> {
    let mut found = Vec::new();
    for ids in alerts.chunks(IDS_A_STATEMENT) {
        let rows = delivery_told::Entity::find()
            .filter(delivery_told::Column::ChannelId.eq(channel.to_bytes().to_vec()))
            .filter(delivery_told::Column::AlertId.is_in(ids.iter().map(|id| id.to_bytes().to_vec())))
            .all(db.reader())
            .await?;
        found.extend(rows);
    }
    found.iter().map(convert::told).collect()
}

pub(super) async fn repeats_due(
    db: &Db,
    channel: ChannelId,
    (before, now): (Timestamp, Timestamp),
    max: usize,
) -> Result<Vec<Told>> {
    let at = delivery_told::Column::ToldAt;
    let rows = delivery_told::Entity::find()
        .filter(delivery_told::Column::ChannelId.eq(channel.to_bytes().to_vec()))
        .filter(delivery_told::Column::Repeats.eq(1_i16))
        .filter(Condition::any().add(at.lte(before.millis())).add(at.gt(now.millis())))
        .order_by_asc(at)
        .limit(max as u64)
        .all(db.reader())
        .await?;
    rows.iter().map(convert::told).collect()
}
