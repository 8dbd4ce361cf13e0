//! The journal: one row per batch, and how far it has been forgotten.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::tables::{Holds, Layout, NewTable};

#[derive(Debug)]
pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "journal_0001_batches"
    }
}

// The small columns come first: SQLite then answers "which batches?" and "which identities?" without walking the
// overflow pages of the lines.
const SQLITE: &str = "CREATE TABLE journal (
    first INTEGER PRIMARY KEY,
    n_records INTEGER NOT NULL,
    accepted_at INTEGER NOT NULL,
    n_bytes INTEGER NOT NULL,
    identities BLOB NOT NULL,
    lines BLOB NOT NULL)";
const POSTGRES: &str = "CREATE TABLE journal (
    first BIGINT PRIMARY KEY,
    n_records BIGINT NOT NULL,
    accepted_at BIGINT NOT NULL,
    n_bytes BIGINT NOT NULL,
    identities BYTEA NOT NULL,
    lines BYTEA NOT NULL)";
// The lines are compressed already; the server should not try again.
const POSTGRES_STORAGE: &str =
    "ALTER TABLE journal ALTER COLUMN lines SET STORAGE EXTERNAL, ALTER COLUMN identities SET STORAGE EXTERNAL";

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let db = manager.get_connection();
        match manager.get_database_backend() {
            DbBackend::Postgres => {
                db.execute_unprepared(POSTGRES).await?;
                db.execute_unprepared(POSTGRES_STORAGE).await?;
            }
            _ => {
                db.execute_unprepared(SQLITE).await?;
            }
        }
        NewTable {
            name: "journal_mark",
            key: &["name"],
            required: &[("name", Holds::Text), ("value", Holds::Big)],
            optional: &[],
            layout: Layout::Heap,
        }
        .create(manager)
        .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
