//! How channels do. It must not know their settings: those are documents.

use std::collections::HashMap;

use riskgraph_domain::delivery::{Census, ChannelState, DeliveryState, Disabled};
use riskgraph_domain::id::ChannelId;
use riskgraph_domain::time::Timestamp;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::codec::{big, column_text, id_of, read_text, unsigned};
use crate::db::Db;
use crate::error::StoreError;
use crate::insert::{Clash, insert_all};
use crate::rows::{delivery, delivery_channel as rows, delivery_told};

type Result<T> = std::result::Result<T, StoreError>;

pub(super) async fn open(db: &Db, channel: ChannelId, cursor: u64, now: Timestamp) -> Result<()> {
    let row = rows::Model {
        channel_id: channel.to_bytes().to_vec(),
        cursor: big(cursor),
        next_place: 1,
        digest_at: now.millis(),
        failing_ms: 0,
        last_failure_at: None,
        last_delivered_at: None,
        disabled_at: None,
        disabled_reason: None,
    };
    let tx = db.write_tx().await?;
    insert_all::<rows::Entity>(&tx, vec![row], Clash::Keep).await?;
    tx.commit().await?;
    db.sync().await
}

pub(super) async fn close(db: &Db, channel: ChannelId) -> Result<()> {
    let id = channel.to_bytes().to_vec();
    let tx = db.write_tx().await?;
    delivery::Entity::delete_many().filter(delivery::Column::ChannelId.eq(id.clone())).exec(&tx).await?;
    delivery_told::Entity::delete_many().filter(delivery_told::Column::ChannelId.eq(id.clone())).exec(&tx).await?;
    rows::Entity::delete_by_id(id).exec(&tx).await?;
    tx.commit().await?;
    db.sync().await
}

pub(super) async fn set_disabled(db: &Db, channel: ChannelId, disabled: Option<Disabled>) -> Result<()> {
    let (at, reason) = match disabled {
        Some(disabled) => (Some(disabled.at.millis()), Some(column_text(&disabled.reason))),
        None => (None, None),
    };
    let mut change = rows::Entity::update_many()
        .col_expr(rows::Column::DisabledAt, Expr::val(at))
        .col_expr(rows::Column::DisabledReason, Expr::val(reason))
        .filter(rows::Column::ChannelId.eq(channel.to_bytes().to_vec()));
    if at.is_none() {
        change = change
            .col_expr(rows::Column::FailingMs, Expr::val(0_i64))
            .col_expr(rows::Column::LastFailureAt, Expr::val(Option::<i64>::None));
    }
    let tx = db.write_tx().await?;
    change.exec(&tx).await?;
    tx.commit().await?;
    db.sync().await
}

/// All channels, or one.
pub(super) async fn states(db: &Db, only: Option<ChannelId>) -> Result<Vec<ChannelState>> {
    let mut query = rows::Entity::find().order_by_asc(rows::Column::ChannelId);
    let mut counts = delivery::Entity::find();
    if let Some(channel) = only {
        query = query.filter(rows::Column::ChannelId.eq(channel.to_bytes().to_vec()));
        counts = counts.filter(delivery::Column::ChannelId.eq(channel.to_bytes().to_vec()));
    }
    let found = query.all(db.reader()).await?;
    let counts: Vec<(Vec<u8>, String, i64)> = counts
        .select_only()
        .column(delivery::Column::ChannelId)
        .column(delivery::Column::State)
        .column_as(Expr::col(delivery::Column::Id).count(), "n")
        .filter(delivery::Column::State.ne(DeliveryState::Delivered.as_str()))
        .group_by(delivery::Column::ChannelId)
        .group_by(delivery::Column::State)
        .into_tuple()
        .all(db.reader())
        .await?;
    let mut by_channel: HashMap<Vec<u8>, (u64, u64)> = HashMap::new();
    for (channel, state, n) in counts {
        let entry = by_channel.entry(channel).or_default();
        let n = unsigned(n, "count")?;
        if state == DeliveryState::Dead.as_str() { entry.1 += n } else { entry.0 += n }
    }
    found.iter().map(|row| state(row, by_channel.get(&row.channel_id).copied().unwrap_or_default())).collect()
}

fn state(row: &rows::Model, (waiting, dead): (u64, u64)) -> Result<ChannelState> {
    let reason = row.disabled_reason.clone().map(|text| read_text(text, "channel")).transpose()?;
    Ok(ChannelState {
        channel: id_of!(ChannelId, &row.channel_id, "channel")?,
        cursor: unsigned(row.cursor, "channel")?,
        digest_at: Timestamp(row.digest_at),
        last_delivered_at: row.last_delivered_at.map(Timestamp),
        failing_ms: row.failing_ms,
        disabled: row.disabled_at.map(|at| Disabled { at: Timestamp(at), reason: reason.unwrap_or_default() }),
        waiting,
        dead,
    })
}

pub(super) async fn census(db: &Db) -> Result<Census> {
    let mut by_state = Vec::with_capacity(DeliveryState::ALL.len());
    for &state in DeliveryState::ALL {
        let n: Option<i64> = delivery::Entity::find()
            .select_only()
            .column_as(Expr::col(delivery::Column::Id).count(), "n")
            .filter(delivery::Column::State.eq(state.as_str()))
            .into_tuple()
            .one(db.reader())
            .await?;
        by_state.push((state, unsigned(n.unwrap_or(0), "count")?));
    }
    let mut oldest: Option<i64> = None;
    for state in [DeliveryState::Waiting, DeliveryState::Retrying] {
        let first: Option<i64> = delivery::Entity::find()
            .select_only()
            .column(delivery::Column::CreatedAt)
            .filter(delivery::Column::State.eq(state.as_str()))
            .order_by_asc(delivery::Column::CreatedAt)
            .limit(1)
            .into_tuple()
            .one(db.reader())
            .await?;
        oldest = [oldest, first].into_iter().flatten().min();
    }
    let disabled = rows::Entity::find().filter(rows::Column::DisabledAt.is_not_null()).all(db.reader()).await?;
    Ok(Census { by_state, oldest_waiting: oldest.map(Timestamp), channels_disabled: disabled.len() as u64 })
}
