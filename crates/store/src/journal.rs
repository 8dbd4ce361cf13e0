//! The journal: one row per batch, written by one task that commits everything that waits in one transaction.
//!
//! It must not know what a record means: lines come in and go out as bytes.

use std::sync::Arc;

use async_trait::async_trait;
use riskgraph_domain::error::Fault;
use riskgraph_domain::journal::{Batch, Position, StoredBatch};
use riskgraph_domain::ports::Journal;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::db::Db;
use crate::error::StoreError;

mod forget;
mod pack;
mod read;
mod writer;

/// The journal in an SQL database.
#[derive(Debug)]
pub(crate) struct SqlJournal {
    db: Arc<Db>,
    queue: writer::Queue,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl SqlJournal {
    /// Starts the writer task.
    pub(crate) fn start(db: Db) -> Self {
        let db = Arc::new(db);
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let (queue, writer) = writer::new(Arc::clone(&db));
        tasks.spawn(writer.run(stop.clone()));
        tasks.close();
        Self { db, queue, stop, tasks }
    }

    /// Commits what waits, ends the writer task and closes the database.
    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        self.stop.cancel();
        self.tasks.wait().await;
        self.db.close().await
    }
}

#[async_trait]
impl Journal for SqlJournal {
    /// The position is that of the batch's last record. A caller that stops waiting changes nothing: its batch is then
    /// either not in the journal or whole in it, and sending it again makes duplicates that are known by their ids.
    async fn append(&self, batch: Batch) -> Result<Position, Fault> {
        self.queue.append(batch).await
    }

    /// A position inside a batch gives that batch whole; `StoredBatch::first` tells how much of it was seen before.
    async fn read_after(&self, after: Position, max_records: usize) -> Result<Vec<StoredBatch>, Fault> {
        Ok(read::after(&self.db, after, max_records).await?)
    }

    async fn recent_identities(&self, max: usize) -> Result<Vec<u64>, Fault> {
        Ok(read::recent_identities(&self.db, max).await?)
    }

    async fn end(&self) -> Result<Position, Fault> {
        Ok(Position(read::end(self.db.reader()).await?))
    }

    async fn size_bytes(&self) -> Result<u64, Fault> {
        Ok(self.db.size_bytes("journal").await?)
    }

    /// Answers how many records were forgotten. Never forget more than a detector checkpoint covers that
    /// `StateStore::save_checkpoint` has acknowledged: everything behind it can only be judged again from here.
    async fn forget_until(&self, position: Position) -> Result<u64, Fault> {
        Ok(forget::until(&self.db, position).await?)
    }
}
