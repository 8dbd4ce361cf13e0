//! Group commit: while one transaction is being synced, the next batches gather and go together into the one after.
//!
//! It must not know who appends. One sync a commit is what the disk gives (some hundreds a second); how many batches
//! share it is what makes the throughput.

use std::sync::Arc;

use riskgraph_domain::error::Fault;
use riskgraph_domain::journal::{Batch, Position};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::pack::Packed;
use super::read;
use crate::codec::big;
use crate::db::Db;
use crate::error::StoreError;
use crate::insert::{Clash, insert_all};
use crate::rows::journal;

/// Batches that wait for the writer; callers beyond wait in turn.
const QUEUE_BATCHES_MAX: usize = 1_024;
/// KiB of lines and identities that wait or are being written; callers beyond wait before they compress.
const QUEUE_KIB_MAX: u32 = 64 << 10;
/// Batches a transaction: beyond, a longer transaction only adds delay.
const GROUP_BATCHES_MAX: usize = 256;
/// Lines longer than this are compressed on the blocking pool: zstd needs some 0.3 ms for them.
const INLINE_PACK_MAX_BYTES: usize = 128 << 10;

/// A batch that waits, and who for.
#[derive(Debug)]
struct Request {
    packed: Packed,
    reply: oneshot::Sender<Result<Position, Fault>>,
    /// Gives the queue's room back when the request is answered.
    _room: OwnedSemaphorePermit,
}

/// The callers' end.
#[derive(Debug)]
pub(super) struct Queue {
    send: mpsc::Sender<Request>,
    room: Arc<Semaphore>,
}

/// The writer's end.
#[derive(Debug)]
pub(super) struct Writer {
    db: Arc<Db>,
    queue: mpsc::Receiver<Request>,
}

/// A queue and its writer.
pub(super) fn new(db: Arc<Db>) -> (Queue, Writer) {
    let (send, queue) = mpsc::channel(QUEUE_BATCHES_MAX);
    (Queue { send, room: Arc::new(Semaphore::new(QUEUE_KIB_MAX as usize)) }, Writer { db, queue })
}

impl Queue {
    /// Waits for room, then for the commit.
    pub(super) async fn append(&self, batch: Batch) -> Result<Position, Fault> {
        let bytes = batch.lines.len() + batch.identities.len() * 8;
        let kib = u32::try_from(bytes.div_ceil(1_024)).unwrap_or(u32::MAX).clamp(1, QUEUE_KIB_MAX);
        let closed = || Fault::from(StoreError::Closed);
        let room = Arc::clone(&self.room).acquire_many_owned(kib).await.map_err(|_| closed())?;
        let packed = if batch.lines.len() > INLINE_PACK_MAX_BYTES {
            tokio::task::spawn_blocking(move || Packed::of(&batch)).await.map_err(|_| closed())?
        } else {
            Packed::of(&batch)
        }?;
        let (reply, answer) = oneshot::channel();
        self.send.send(Request { packed, reply, _room: room }).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

impl Writer {
    /// Commits groups until every caller is gone or `stop` is set and the queue is empty.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut group = Vec::with_capacity(GROUP_BATCHES_MAX);
        loop {
            let received = tokio::select! {
                biased;
                n = self.queue.recv_many(&mut group, GROUP_BATCHES_MAX) => n,
                () = stop.cancelled(), if !self.queue.is_closed() => {
                    self.queue.close();
                    continue;
                }
            };
            if received == 0 {
                return;
            }
            self.commit(std::mem::replace(&mut group, Vec::with_capacity(GROUP_BATCHES_MAX))).await;
        }
    }

    /// Commits the group and answers each of its callers, who may be gone.
    async fn commit(&self, group: Vec<Request>) {
        let mut packed = Vec::with_capacity(group.len());
        let mut waiting = Vec::with_capacity(group.len());
        for request in group {
            waiting.push((u64::from(request.packed.n_records), request.reply, request._room));
            packed.push(request.packed);
        }
        match self.write(packed).await {
            Ok(end) => {
                let mut last = end;
                for (n_records, reply, _room) in waiting {
                    last += n_records;
                    // A caller that no longer waits has its batch in the journal all the same.
                    let _ = reply.send(Ok(Position(last)));
                }
            }
            Err(error) => {
                let fault = Fault::from(error);
                for (_, reply, _room) in waiting {
                    let _ = reply.send(Err(fault.clone()));
                }
            }
        }
    }

    /// Writes the group in one transaction; answers the end before it. The end is read inside the transaction, so a
    /// second process on the same journal is in order too.
    async fn write(&self, group: Vec<Packed>) -> Result<u64, StoreError> {
        let tx = self.db.write_tx().await?;
        let end = read::end(&tx).await?;
        let mut next = big(end) + 1;
        let mut rows = Vec::with_capacity(group.len());
        for packed in group {
            let first = next;
            next += i64::from(packed.n_records);
            rows.push(packed.at(first));
        }
        insert_all::<journal::Entity>(&tx, rows, Clash::Fail).await?;
        tx.commit().await?;
        Ok(end)
    }
}
