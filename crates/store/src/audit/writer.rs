//! Group commit of the audit log: while one transaction is being synced, the next records gather and go together into
//! the one after. It must not know who records.

use std::sync::Arc;

use riskgraph_domain::audit::chain;
use riskgraph_domain::audit::{Head, Record};
use riskgraph_domain::digest::Sum;
use riskgraph_domain::error::Fault;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::codec::big;
use crate::db::Db;
use crate::error::StoreError;
use crate::insert::{Clash, insert_all};
use crate::rows::audit_entry;

/// Records that wait for the writer; callers beyond wait in turn.
const QUEUE_MAX: usize = 1_024;
/// Records a transaction: beyond, a longer transaction only adds delay.
const GROUP_MAX: usize = 256;
/// Bytes of a record's text; a longer one loses its detail. The API's bounds keep far below.
const BODY_BYTES_MAX: usize = 64 << 10;

#[derive(Debug)]
struct Request {
    record: Record,
    reply: oneshot::Sender<Result<Head, Fault>>,
}

/// The callers' end.
#[derive(Debug)]
pub(super) struct Queue {
    send: mpsc::Sender<Request>,
}

/// The writer's end.
#[derive(Debug)]
pub(super) struct Writer {
    db: Arc<Db>,
    queue: mpsc::Receiver<Request>,
}

/// A queue and its writer.
pub(super) fn new(db: Arc<Db>) -> (Queue, Writer) {
    let (send, queue) = mpsc::channel(QUEUE_MAX);
    (Queue { send }, Writer { db, queue })
}

impl Queue {
    /// Waits for room, then for the commit.
    pub(super) async fn append(&self, record: Record) -> Result<Head, Fault> {
        let closed = || Fault::from(StoreError::Closed);
        let (reply, answer) = oneshot::channel();
        self.send.send(Request { record, reply }).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

impl Writer {
    /// Commits groups until every caller is gone, or `stop` is set and the queue is empty.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut group = Vec::with_capacity(GROUP_MAX);
        loop {
            let received = tokio::select! {
                biased;
                n = self.queue.recv_many(&mut group, GROUP_MAX) => n,
                () = stop.cancelled(), if !self.queue.is_closed() => {
                    self.queue.close();
                    continue;
                }
            };
            if received == 0 {
                return;
            }
            self.commit(std::mem::take(&mut group)).await;
        }
    }

    /// Commits the group and answers each of its callers, who may be gone.
    async fn commit(&self, group: Vec<Request>) {
        let (records, replies): (Vec<Record>, Vec<_>) =
            group.into_iter().map(|request| (request.record, request.reply)).unzip();
        match self.write(records).await {
            Ok(heads) => {
                for (head, reply) in heads.into_iter().zip(replies) {
                    // A caller that no longer waits has its record in the log all the same.
                    let _gone = reply.send(Ok(head));
                }
            }
            Err(error) => {
                let fault = Fault::from(error);
                for reply in replies {
                    let _gone = reply.send(Err(fault.clone()));
                }
            }
        }
    }

    /// Links the records to the end of the chain, whoever else has appended meanwhile.
    async fn write(&self, records: Vec<Record>) -> Result<Vec<Head>, StoreError> {
        let tx = self.db.write_tx().await?;
        let last = super::last(&tx).await?;
        let (mut sequence, mut previous) = last.map_or((0, Sum::ZERO), |head| (head.sequence, head.hash));
        let mut heads = Vec::with_capacity(records.len());
        let mut rows = Vec::with_capacity(records.len());
        for record in records {
            sequence += 1;
            let body = body(&record, sequence);
            let hash = chain::hash(previous, &body);
            rows.push(audit_entry::Model {
                sequence: big(sequence),
                at: record.at.millis(),
                actor: plain(&record.actor),
                action: plain(&record.action),
                previous: previous.0.to_vec(),
                hash: hash.0.to_vec(),
                body,
            });
            heads.push(Head { sequence, hash, at: record.at });
            previous = hash;
        }
        insert_all::<audit_entry::Entity>(&tx, rows, Clash::Fail).await?;
        tx.commit().await?;
        Ok(heads)
    }
}

fn body(record: &Record, sequence: u64) -> String {
    let body = record.body(sequence);
    if body.len() <= BODY_BYTES_MAX {
        return body;
    }
    let detail = serde_json::json!({ "cut": format!("the detail had {} bytes", body.len()) });
    Record { detail, target: None, ..record.clone() }.body(sequence)
}

/// What PostgreSQL's TEXT can hold; names with a NUL are made by nobody of good will.
fn plain(text: &str) -> String {
    text.replace('\0', "")
}
