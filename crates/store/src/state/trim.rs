//! Bounds what only grows. It must not know who reads it.

use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::codec::big;
use crate::error::StoreError;
use crate::rows::alert_event::{Column, Entity};

/// Alert events kept, the newest: at some 1.5 KB each about 1.5 GB, and weeks of a shop that is attacked all day. A
/// subscriber who comes back later than that is told so, and begins anew from the alerts' list.
const ALERT_EVENTS_KEPT: u64 = 1_000_000;
/// Events between two trims; so many more than the bound may be there. Deleting as many takes some milliseconds.
const TRIM_EVERY: u64 = 10_000;
/// Trims whose events go at once at most: a store far over the bound comes down to it by and by, not in one long delta.
const TRIMS_AT_ONCE: u64 = 2;

/// Deletes the oldest alert events when the sequence, going on from `before` to `last`, passed a multiple of
/// [`TRIM_EVERY`]. The place decides and no clock, so a repeated run trims at the same delta.
pub(super) async fn alert_events(tx: &DatabaseTransaction, before: u64, last: u64) -> Result<(), StoreError> {
    if before / TRIM_EVERY == last / TRIM_EVERY || last <= ALERT_EVENTS_KEPT {
        return Ok(());
    }
    let oldest: Option<i64> = Entity::find()
        .select_only()
        .column(Column::Sequence)
        .order_by_asc(Column::Sequence)
        .limit(1)
        .into_tuple()
        .one(tx)
        .await?;
    let Some(oldest) = oldest else { return Ok(()) };
    let share = (TRIM_EVERY * TRIMS_AT_ONCE).max(last - before);
    let until = big(last - ALERT_EVENTS_KEPT).min(oldest.saturating_add(big(share)));
    Entity::delete_many().filter(Column::Sequence.lte(until)).exec(tx).await?;
    Ok(())
}
