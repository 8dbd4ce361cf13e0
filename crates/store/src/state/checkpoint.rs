//! Detector checkpoints: one opaque state, in parts. It must not know what is inside.
//!
//! The parts are written in several transactions, so that deltas go on in between; the row of `checkpoint` comes last
//! and makes the parts count. Parts without it are rubbish of a crash and go with the next checkpoint.

use riskgraph_domain::journal::Position;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::codec::{big, big_len, pack, unpack, unsigned};
use crate::db::Db;
use crate::error::StoreError;
use crate::insert::{Clash, insert_all};
use crate::rows::{checkpoint, checkpoint_part};

type Result<T> = std::result::Result<T, StoreError>;

/// Bytes of a part: a transaction of one takes the writer some milliseconds.
const PART_BYTES: usize = 2 << 20;

/// Writes the state and then removes older ones.
pub(super) async fn save(db: &Db, position: Position, state: Vec<u8>) -> Result<()> {
    let n_bytes = big_len(state.len());
    let packed =
        tokio::task::spawn_blocking(move || pack(&state, "checkpoint")).await.map_err(|_| StoreError::Closed)??;
    let position = big(position.0);
    let tx = db.write_tx().await?;
    checkpoint::Entity::delete_many().filter(checkpoint::Column::Position.eq(position)).exec(&tx).await?;
    checkpoint_part::Entity::delete_many().filter(checkpoint_part::Column::Position.eq(position)).exec(&tx).await?;
    tx.commit().await?;
    let mut n_parts = 0_i64;
    for data in packed.chunks(PART_BYTES) {
        let tx = db.write_tx().await?;
        let part = checkpoint_part::Model { position, part: n_parts, data: data.to_vec() };
        insert_all::<checkpoint_part::Entity>(&tx, vec![part], Clash::Fail).await?;
        tx.commit().await?;
        n_parts += 1;
    }
    let tx = db.write_tx().await?;
    let row = checkpoint::Model { position, n_bytes, n_parts };
    insert_all::<checkpoint::Entity>(&tx, vec![row], Clash::Fail).await?;
    checkpoint::Entity::delete_many().filter(checkpoint::Column::Position.ne(position)).exec(&tx).await?;
    checkpoint_part::Entity::delete_many().filter(checkpoint_part::Column::Position.ne(position)).exec(&tx).await?;
    tx.commit().await?;
    db.sync().await
}

/// The newest whole state.
pub(super) async fn newest(db: &Db) -> Result<Option<(Position, Vec<u8>)>> {
    const WHAT: &str = "checkpoint";
    let found = checkpoint::Entity::find().order_by_desc(checkpoint::Column::Position).one(db.reader()).await?;
    let Some(row) = found else { return Ok(None) };
    let parts = checkpoint_part::Entity::find()
        .filter(checkpoint_part::Column::Position.eq(row.position))
        .order_by_asc(checkpoint_part::Column::Part)
        .all(db.reader())
        .await?;
    if big_len(parts.len()) != row.n_parts {
        return Err(StoreError::Corrupt { what: WHAT });
    }
    let packed: Vec<u8> = parts.into_iter().flat_map(|part| part.data).collect();
    let state = tokio::task::spawn_blocking(move || unpack(&packed, row.n_bytes, WHAT))
        .await
        .map_err(|_| StoreError::Closed)??;
    Ok(Some((Position(unsigned(row.position, WHAT)?), state)))
}
