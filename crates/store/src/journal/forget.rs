//! Forgets the oldest part of the journal. It must not know who still needs it; the caller does.

use riskgraph_domain::journal::Position;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::codec::{big, unsigned};
use crate::db::Db;
use crate::error::StoreError;
use crate::insert::{Clash, insert_all};
use crate::rows::journal::{Column, Entity};
use crate::rows::journal_mark;

/// Batches a transaction deletes, so that appends wait only some milliseconds.
const DELETE_BATCHES: u64 = 128;
/// Pages given back to the file system after each: about what the deletes freed.
const SHRINK_PAGES: u32 = 1_024;

/// Deletes every batch that ends at or before the position; answers the number of records.
pub(super) async fn until(db: &Db, position: Position) -> Result<u64, StoreError> {
    let until = big(position.0);
    let mut forgotten = 0_u64;
    loop {
        let tx = db.write_tx().await?;
        let oldest: Vec<(i64, i64)> = Entity::find()
            .select_only()
            .columns([Column::First, Column::NRecords])
            .order_by_asc(Column::First)
            .limit(DELETE_BATCHES)
            .into_tuple()
            .all(&tx)
            .await?;
        let ends: Vec<i64> =
            oldest.iter().map(|(first, n_records)| first + n_records - 1).take_while(|end| *end <= until).collect();
        let Some(&last) = ends.last() else {
            tx.rollback().await?;
            return Ok(forgotten);
        };
        Entity::delete_many().filter(Column::First.lte(last)).exec(&tx).await?;
        // The end must be known when nothing is left, or positions would begin again at 1.
        let mark = journal_mark::Model { name: "forgotten".to_owned(), value: last };
        insert_all::<journal_mark::Entity>(&tx, vec![mark], Clash::Replace).await?;
        tx.commit().await?;
        db.shrink(SHRINK_PAGES).await?;
        let n_records: i64 = oldest.iter().take(ends.len()).map(|(_, n_records)| n_records).sum();
        forgotten += unsigned(n_records, "batch")?;
    }
}
