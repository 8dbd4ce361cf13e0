//! Reads the journal. It must not know how it is written.

use riskgraph_domain::journal::{Position, StoredBatch};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Statement};

use super::pack;
use crate::codec::{big, unsigned};
use crate::db::Db;
use crate::error::StoreError;
use crate::rows::journal::{Column, Entity};

type Result<T> = std::result::Result<T, StoreError>;

/// Batches a read looks at; with `max_records` the other bound of its memory.
const READ_BATCHES_MAX: u64 = 4_096;
/// Bytes of lines a read returns, beyond its first batch.
const READ_LINES_MAX_BYTES: i64 = 64 << 20;
/// Batches a statement reads identities of.
const IDENTITY_BATCHES: u64 = 1_024;

/// Where the forgotten part ends, when all that was kept is forgotten too.
const END_SQL: &str = "SELECT COALESCE(\
    (SELECT first + n_records - 1 FROM journal ORDER BY first DESC LIMIT 1), \
    (SELECT value FROM journal_mark WHERE name = 'forgotten'), 0)";

/// The last position.
pub(super) async fn end<C: ConnectionTrait>(db: &C) -> Result<u64> {
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), END_SQL)).await?;
    let end = match row {
        Some(row) => row.try_get_by_index::<i64>(0)?,
        None => 0,
    };
    unsigned(end, "journal end")
}

/// The batches that hold records after a position.
pub(super) async fn after(db: &Db, after: Position, max_records: usize) -> Result<Vec<StoredBatch>> {
    let Some((from, to)) = stretch(db, big(after.0), i64::try_from(max_records).unwrap_or(i64::MAX)).await? else {
        return Ok(Vec::new());
    };
    let rows =
        Entity::find().filter(Column::First.between(from, to)).order_by_asc(Column::First).all(db.reader()).await?;
    tokio::task::spawn_blocking(move || rows.iter().map(pack::stored).collect())
        .await
        .map_err(|_| StoreError::Closed)?
}

/// `first` of the first and last batch to read, found without touching the lines.
async fn stretch(db: &Db, after: i64, max_records: i64) -> Result<Option<(i64, i64)>> {
    // The batch that holds `after` may hold records beyond it: begin there.
    let begin: Option<i64> = Entity::find()
        .select_only()
        .column(Column::First)
        .filter(Column::First.lte(after))
        .order_by_desc(Column::First)
        .into_tuple()
        .one(db.reader())
        .await?;
    let batches: Vec<(i64, i64, i64)> = Entity::find()
        .select_only()
        .columns([Column::First, Column::NRecords, Column::NBytes])
        .filter(Column::First.gte(begin.unwrap_or(0)))
        .order_by_asc(Column::First)
        .limit(READ_BATCHES_MAX)
        .into_tuple()
        .all(db.reader())
        .await?;
    let mut found: Option<(i64, i64)> = None;
    let (mut n_records, mut n_bytes) = (0_i64, 0_i64);
    for (first, records, bytes) in batches {
        if first + records - 1 <= after {
            continue;
        }
        n_records = n_records.saturating_add(records);
        n_bytes = n_bytes.saturating_add(bytes);
        match &mut found {
            None => found = Some((first, first)),
            Some(_) if n_records > max_records || n_bytes > READ_LINES_MAX_BYTES => break,
            Some((_, last)) => *last = first,
        }
    }
    Ok(found)
}

/// Identities of the newest records, newest last.
pub(super) async fn recent_identities(db: &Db, max: usize) -> Result<Vec<u64>> {
    let mut newest_first: Vec<Vec<u64>> = Vec::new();
    let mut n_found = 0_usize;
    let mut before = i64::MAX;
    while n_found < max {
        let batches: Vec<(i64, Vec<u8>)> = Entity::find()
            .select_only()
            .columns([Column::First, Column::Identities])
            .filter(Column::First.lt(before))
            .order_by_desc(Column::First)
            .limit(IDENTITY_BATCHES)
            .into_tuple()
            .all(db.reader())
            .await?;
        let Some((oldest, _)) = batches.last() else { break };
        before = *oldest;
        for (_, column) in &batches {
            if n_found >= max {
                break;
            }
            let identities = pack::identities(column);
            n_found += identities.len();
            newest_first.push(identities);
        }
    }
    let mut all: Vec<u64> = newest_first.into_iter().rev().flatten().collect();
    all.drain(..all.len().saturating_sub(max));
    Ok(all)
}
