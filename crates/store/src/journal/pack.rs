//! Turns a batch into the columns of its row and back. It must not know where rows lie.

use riskgraph_domain::journal::{Batch, Position, StoredBatch};
use riskgraph_domain::time::Timestamp;

use crate::codec::{big_len, pack, unpack, unsigned};
use crate::error::StoreError;
use crate::rows::journal::Model;

/// Bytes of a batch's lines: what the largest allowed request body holds, with room.
const LINES_MAX_BYTES: usize = 64 << 20;
/// Bytes of one identity.
const IDENTITY_BYTES: usize = 8;

/// A batch ready to be written, without its place.
#[derive(Debug)]
pub(super) struct Packed {
    pub(super) n_records: u32,
    row: Model,
}

impl Packed {
    /// Checks and compresses the batch.
    pub(super) fn of(batch: &Batch) -> Result<Self, StoreError> {
        if batch.n_records == 0 {
            return Err(StoreError::BadBatch("it has no record"));
        }
        if batch.identities.len() != batch.n_records as usize {
            return Err(StoreError::BadBatch("it has not one identity a record"));
        }
        if batch.lines.len() > LINES_MAX_BYTES {
            return Err(StoreError::BadBatch("its lines are longer than 64 MiB"));
        }
        let row = Model {
            first: 0,
            n_records: i64::from(batch.n_records),
            accepted_at: batch.accepted_at.millis(),
            n_bytes: big_len(batch.lines.len()),
            identities: batch.identities.iter().flat_map(|identity| identity.to_le_bytes()).collect(),
            lines: pack(&batch.lines, "batch")?,
        };
        Ok(Self { n_records: batch.n_records, row })
    }

    /// The row of the batch at this place.
    pub(super) fn at(self, first: i64) -> Model {
        Model { first, ..self.row }
    }
}

/// Reads a row back.
pub(super) fn stored(row: &Model) -> Result<StoredBatch, StoreError> {
    Ok(StoredBatch {
        first: Position(unsigned(row.first, "batch")?),
        batch: Batch {
            accepted_at: Timestamp(row.accepted_at),
            n_records: u32::try_from(row.n_records).map_err(|_| StoreError::Corrupt { what: "batch" })?,
            lines: unpack(&row.lines, row.n_bytes, "batch")?,
            identities: identities(&row.identities),
        },
    })
}

/// Reads the identities of a batch.
pub(super) fn identities(column: &[u8]) -> Vec<u64> {
    let (chunks, _) = column.as_chunks::<IDENTITY_BYTES>();
    chunks.iter().map(|bytes| u64::from_le_bytes(*bytes)).collect()
}
