//! The audit log: one row per entry, linked by hash in the transaction that appends it. It must not know what an entry
//! means.
//!
//! Every append reads the last hash inside the one write transaction there can be ([`Db::write_tx`]: `BEGIN IMMEDIATE` on
//! SQLite, an advisory lock on PostgreSQL), so that any number of processes make one chain.

use std::sync::Arc;

use async_trait::async_trait;
use riskgraph_domain::audit::chain::{Beside, Link};
use riskgraph_domain::audit::{AuditFilter, AuditLog, Entry, Head, Record, Recorder};
use riskgraph_domain::digest::Sum;
use riskgraph_domain::error::Fault;
use riskgraph_domain::page::{Page, PageRequest};
use riskgraph_domain::time::Timestamp;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::codec::{big, unsigned};
use crate::db::Db;
use crate::error::StoreError;
use crate::insert::{Clash, insert_all};
use crate::rows::{audit_anchor, audit_entry};

mod writer;

type Result<T> = std::result::Result<T, StoreError>;

/// Links of one question, at most: some megabytes.
const LINKS_MAX: u64 = 5_000;
/// What cannot be read back.
const WHAT: &str = "audit entry";

/// The audit log in an SQL database.
#[derive(Debug)]
pub(crate) struct SqlAudit {
    db: Arc<Db>,
    queue: writer::Queue,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl SqlAudit {
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
    pub(crate) async fn close(&self) -> Result<()> {
        self.stop.cancel();
        self.tasks.wait().await;
        self.db.close().await
    }

    async fn page(&self, filter: AuditFilter, request: PageRequest) -> Result<Page<Entry>> {
        let mut query = audit_entry::Entity::find();
        if let Some(actor) = filter.actor {
            query = query.filter(audit_entry::Column::Actor.eq(actor.as_str()));
        }
        if let Some(action) = filter.action {
            query = query.filter(audit_entry::Column::Action.eq(action.as_str()));
        }
        if let Some(since) = filter.since {
            query = query.filter(audit_entry::Column::At.gte(since.millis()));
        }
        if let Some(until) = filter.until {
            query = query.filter(audit_entry::Column::At.lt(until.millis()));
        }
        if let Some(after) = &request.after {
            let place: i64 = after.parse().map_err(|_| StoreError::Cursor)?;
            query = query.filter(audit_entry::Column::Sequence.lt(place));
        }
        let rows = query
            .order_by_desc(audit_entry::Column::Sequence)
            .limit(request.first as u64 + 1)
            .all(self.db.reader())
            .await?;
        let has_next = rows.len() > request.first;
        let items = rows.into_iter().take(request.first).map(|row| Ok((row.sequence.to_string(), entry(&row)?)));
        Ok(Page { items: items.collect::<Result<_>>()?, has_next, total: None })
    }

    async fn note_anchor(&self) -> Result<Option<Head>> {
        let tx = self.db.write_tx().await?;
        let Some(head) = last(&tx).await? else { return Ok(None) };
        let row =
            audit_anchor::Model { sequence: big(head.sequence), at: head.at.millis(), hash: head.hash.0.to_vec() };
        insert_all::<audit_anchor::Entity>(&tx, vec![row], Clash::Keep).await?;
        tx.commit().await?;
        Ok(Some(head))
    }

    async fn cut_until(&self, anchor: Head) -> Result<u64> {
        let tx = self.db.write_tx().await?;
        let until = big(anchor.sequence);
        let known = audit_anchor::Entity::find_by_id(until).one(&tx).await?;
        if known.is_none_or(|row| row.hash != anchor.hash.0) {
            return Err(StoreError::Corrupt { what: "audit anchor" });
        }
        let older = audit_anchor::Column::Sequence.lt(until);
        audit_anchor::Entity::delete_many().filter(older).exec(&tx).await?;
        let cut = audit_entry::Column::Sequence.lte(until);
        let done = audit_entry::Entity::delete_many().filter(cut).exec(&tx).await?;
        tx.commit().await?;
        Ok(done.rows_affected)
    }
}

#[async_trait]
impl Recorder for SqlAudit {
    /// A caller that stops waiting changes nothing: its record is then either not in the log or whole in it.
    async fn record(&self, record: Record) -> std::result::Result<Head, Fault> {
        self.queue.append(record).await
    }
}

#[async_trait]
impl AuditLog for SqlAudit {
    async fn entries(&self, filter: AuditFilter, page: PageRequest) -> std::result::Result<Page<Entry>, Fault> {
        Ok(self.page(filter, page).await?)
    }

    async fn links_after(&self, sequence: u64, max: usize) -> std::result::Result<Vec<Link>, Fault> {
        let rows = audit_entry::Entity::find()
            .filter(audit_entry::Column::Sequence.gt(big(sequence)))
            .order_by_asc(audit_entry::Column::Sequence)
            .limit((max as u64).min(LINKS_MAX))
            .all(self.db.reader())
            .await
            .map_err(StoreError::Database)?;
        Ok(rows.into_iter().map(link).collect::<Result<_>>()?)
    }

    async fn head(&self) -> std::result::Result<Option<Head>, Fault> {
        Ok(last(self.db.reader()).await?)
    }

    async fn anchor(&self) -> std::result::Result<Option<Head>, Fault> {
        Ok(self.note_anchor().await?)
    }

    async fn last_anchor(&self, before: Timestamp) -> std::result::Result<Option<Head>, Fault> {
        let row = audit_anchor::Entity::find()
            .filter(audit_anchor::Column::At.lt(before.millis()))
            .order_by_desc(audit_anchor::Column::Sequence)
            .one(self.db.reader())
            .await
            .map_err(StoreError::Database)?;
        Ok(row.map(|row| anchor(&row)).transpose()?)
    }

    async fn anchor_at(&self, sequence: u64) -> std::result::Result<Option<Head>, Fault> {
        let found = audit_anchor::Entity::find_by_id(big(sequence)).one(self.db.reader()).await;
        Ok(found.map_err(StoreError::Database)?.map(|row| anchor(&row)).transpose()?)
    }

    async fn cut(&self, anchor: Head) -> std::result::Result<u64, Fault> {
        Ok(self.cut_until(anchor).await?)
    }
}

/// The end of the chain.
async fn last(db: &impl ConnectionTrait) -> Result<Option<Head>> {
    let newest = audit_entry::Entity::find().order_by_desc(audit_entry::Column::Sequence).one(db).await?;
    if let Some(row) = newest {
        let sequence = unsigned(row.sequence, WHAT)?;
        return Ok(Some(Head { sequence, hash: sum(&row.hash)?, at: Timestamp(row.at) }));
    }
    // Everything may have been cut off: the chain goes on behind its anchor.
    let newest = audit_anchor::Entity::find().order_by_desc(audit_anchor::Column::Sequence).one(db).await?;
    newest.map(|row| anchor(&row)).transpose()
}

fn anchor(row: &audit_anchor::Model) -> Result<Head> {
    Ok(Head { sequence: unsigned(row.sequence, WHAT)?, hash: sum(&row.hash)?, at: Timestamp(row.at) })
}

fn entry(row: &audit_entry::Model) -> Result<Entry> {
    let (_, record) = Record::read(&row.body).ok_or(StoreError::Corrupt { what: WHAT })?;
    Ok(Entry { sequence: unsigned(row.sequence, WHAT)?, record, previous: sum(&row.previous)?, hash: sum(&row.hash)? })
}

/// The row as it is: a verification wants to see what is wrong with it.
fn link(row: audit_entry::Model) -> Result<Link> {
    Ok(Link {
        sequence: unsigned(row.sequence, WHAT)?,
        // A hash of another length matches nothing.
        previous: sum(&row.previous).unwrap_or(Sum([0xff; 32])),
        hash: sum(&row.hash).unwrap_or(Sum([0xff; 32])),
        body: row.body,
        beside: Some(Beside { at: Timestamp(row.at), actor: row.actor, action: row.action }),
    })
}

fn sum(bytes: &[u8]) -> Result<Sum> {
    bytes.try_into().map(Sum).map_err(|_| StoreError::Corrupt { what: WHAT })
}
