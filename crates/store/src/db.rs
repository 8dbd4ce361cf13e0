//! One database: a writer of one connection, and readers. It must not know any table.
//!
//! Every write transaction of the crate begins in [`Db::write_tx`]. On SQLite that is `BEGIN IMMEDIATE` on the only
//! writing connection, so a transaction that reads and then writes can never fail with `SQLITE_BUSY_SNAPSHOT`; the
//! readers are `query_only`. On PostgreSQL an advisory lock gives the same order, also against a second process.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use riskgraph_migrations::{AuditMigrator, JournalMigrator, StateMigrator, migrate};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, SqliteTransactionMode, SqlxPostgresConnector,
    SqlxSqliteConnector, Statement, TransactionOptions, TransactionTrait,
};
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use crate::error::StoreError;

type Result<T> = std::result::Result<T, StoreError>;

/// How long a writer waits for another process to let go of the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a write waits for the one before it; the longest is a delta of some 100,000 rows.
const WRITER_WAIT: Duration = Duration::from_secs(120);
/// How long a read waits for a free connection.
const READER_WAIT: Duration = Duration::from_secs(30);
/// Prepared statements a connection keeps: all sizes of all bulk inserts, and the lists.
const STATEMENTS_MAX: usize = 128;
/// Rows a reader's thread hands over before it waits: a load of millions of rows spends much on that.
const READ_AHEAD_ROWS: usize = 512;
/// The write-ahead file is cut to this after a checkpoint, bytes.
const WAL_KEPT_BYTES: i64 = 64 << 20;
/// Waiting writers on PostgreSQL are told apart by this and the schema; any number that no one else uses.
const LOCK_JOURNAL: i32 = 0x7267_0001;
const LOCK_STATE: i32 = 0x7267_0002;
const LOCK_AUDIT: i32 = 0x7267_0003;

/// Which of the two databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The only truth: every commit is on disk before it is acknowledged (`synchronous=FULL`).
    Journal,
    /// A function of the journal: after a power loss it may be some commits back, never torn (`synchronous=NORMAL`).
    /// What is not a function of the journal (tokens, checkpoints) calls [`Db::sync`].
    State,
    /// Who did and read what: durable at every commit, as the journal.
    Audit,
}

#[derive(Debug)]
enum Engine {
    Sqlite { file: PathBuf },
    Postgres,
}

/// An open database.
#[derive(Debug)]
pub(crate) struct Db {
    writer: DatabaseConnection,
    reader: DatabaseConnection,
    engine: Engine,
    part: Part,
}

impl Db {
    /// Opens the database, makes it when absent, and brings its schema up to date.
    pub(crate) async fn open(url: &str, part: Part, readers: u32) -> Result<Self> {
        if is_sqlite(url) {
            Self::open_sqlite(url, part, readers).await
        } else if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            Self::open_postgres(url, part, readers).await
        } else {
            Err(StoreError::Url)
        }
    }

    async fn open_sqlite(url: &str, part: Part, readers: u32) -> Result<Self> {
        let options = SqliteConnectOptions::from_str(url).map_err(|_| StoreError::Url)?;
        let file = options.get_filename().to_owned();
        if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            tokio::fs::create_dir_all(folder).await.map_err(StoreError::Folder)?;
        }
        let options = sqlite_options(options, part);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .min_connections(1)
            .acquire_timeout(WRITER_WAIT)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_with(options.clone().pragma("cache_size", writer_cache(part)))
            .await
            .map_err(conn_error)?;
        let writer = SqlxSqliteConnector::from_sqlx_sqlite_pool(writer);
        bring_up_to_date(&writer, part).await?;
        let reader = SqlitePoolOptions::new()
            .max_connections(readers.max(1))
            .acquire_timeout(READER_WAIT)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_with(options.pragma("cache_size", "-4096").pragma("query_only", "ON"))
            .await
            .map_err(conn_error)?;
        let reader = SqlxSqliteConnector::from_sqlx_sqlite_pool(reader);
        Ok(Self { writer, reader, engine: Engine::Sqlite { file }, part })
    }

    async fn open_postgres(url: &str, part: Part, readers: u32) -> Result<Self> {
        let options = PgConnectOptions::from_str(url)
            .map_err(|_| StoreError::Url)?
            .application_name("riskgraph")
            .statement_cache_capacity(STATEMENTS_MAX)
            .disable_statement_logging();
        // A server set to answer before its log is on disk must not do so for us: tokens lie in the state.
        let durable = options.clone().options([("synchronous_commit", "on")]);
        let writer = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(WRITER_WAIT)
            .connect_with(durable)
            .await
            .map_err(conn_error)?;
        let writer = SqlxPostgresConnector::from_sqlx_postgres_pool(writer);
        bring_up_to_date(&writer, part).await?;
        let reader = PgPoolOptions::new()
            .max_connections(readers.max(1))
            .acquire_timeout(READER_WAIT)
            .connect_with(options.options([("default_transaction_read_only", "on")]))
            .await
            .map_err(conn_error)?;
        let reader = SqlxPostgresConnector::from_sqlx_postgres_pool(reader);
        Ok(Self { writer, reader, engine: Engine::Postgres, part })
    }

    /// A connection that only reads.
    pub(crate) const fn reader(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// Begins the one write transaction there can be; waits for the one before it.
    pub(crate) async fn write_tx(&self) -> Result<DatabaseTransaction> {
        let options = TransactionOptions {
            sqlite_transaction_mode: matches!(self.engine, Engine::Sqlite { .. })
                .then_some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let tx = self.writer.begin_with_options(options).await?;
        if matches!(self.engine, Engine::Postgres) {
            let lock = match self.part {
                Part::Journal => LOCK_JOURNAL,
                Part::State => LOCK_STATE,
                Part::Audit => LOCK_AUDIT,
            };
            tx.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({lock}, hashtext(current_schema()))")).await?;
        }
        Ok(tx)
    }

    /// Returns once everything committed so far survives a power loss. PostgreSQL has done that at the commit.
    pub(crate) async fn sync(&self) -> Result<()> {
        if matches!(self.engine, Engine::Postgres) || self.part != Part::State {
            return Ok(());
        }
        // A checkpoint first syncs the write-ahead file; `busy` is set when another process is checkpointing.
        let statement = Statement::from_string(self.writer.get_database_backend(), "PRAGMA wal_checkpoint(PASSIVE)");
        let busy = match self.writer.query_one_raw(statement).await? {
            Some(row) => row.try_get_by_index::<i32>(0)?,
            None => 1,
        };
        if busy == 0 { Ok(()) } else { Err(StoreError::NotDurable) }
    }

    /// Gives pages freed by deletes back to the file system, at most `pages_max` of them.
    pub(crate) async fn shrink(&self, pages_max: u32) -> Result<()> {
        if matches!(self.engine, Engine::Sqlite { .. }) {
            self.writer.execute_unprepared(&format!("PRAGMA incremental_vacuum({pages_max})")).await?;
        }
        Ok(())
    }

    /// Bytes the database takes on disk: of this table on PostgreSQL, of the files on SQLite.
    pub(crate) async fn size_bytes(&self, table: &'static str) -> Result<u64> {
        match &self.engine {
            Engine::Sqlite { file } => {
                let mut wal = file.clone().into_os_string();
                wal.push("-wal");
                Ok(file_size(file).await + file_size(Path::new(&wal)).await)
            }
            Engine::Postgres => {
                let sql = format!("SELECT pg_total_relation_size('{table}')");
                let statement = Statement::from_string(self.reader.get_database_backend(), sql);
                let size = match self.reader.query_one_raw(statement).await? {
                    Some(row) => row.try_get_by_index::<i64>(0)?,
                    None => 0,
                };
                crate::codec::unsigned(size, "table size")
            }
        }
    }

    /// Closes every connection; later calls fail.
    pub(crate) async fn close(&self) -> Result<()> {
        self.reader.close_by_ref().await?;
        self.writer.close_by_ref().await?;
        Ok(())
    }
}

/// Whether the URL names an SQLite file.
pub(crate) fn is_sqlite(url: &str) -> bool {
    url.starts_with("sqlite:")
}

async fn bring_up_to_date(writer: &DatabaseConnection, part: Part) -> Result<()> {
    match part {
        Part::Journal => migrate::<JournalMigrator>(writer).await?,
        Part::State => migrate::<StateMigrator>(writer).await?,
        Part::Audit => migrate::<AuditMigrator>(writer).await?,
    }
    Ok(())
}

/// The pragmas of every connection.
fn sqlite_options(options: SqliteConnectOptions, part: Part) -> SqliteConnectOptions {
    let options = options
        .create_if_missing(true)
        .auto_vacuum(SqliteAutoVacuum::Incremental)
        .journal_mode(SqliteJournalMode::Wal)
        .busy_timeout(BUSY_TIMEOUT)
        .statement_cache_capacity(STATEMENTS_MAX)
        .row_buffer_size(READ_AHEAD_ROWS)
        .pragma("temp_store", "MEMORY")
        .pragma("journal_size_limit", WAL_KEPT_BYTES.to_string())
        .disable_statement_logging();
    match part {
        // Rows of some 50 KB: large pages make short overflow chains; a checkpoint every 16 MiB costs few syncs.
        Part::Journal => options
            .page_size(16_384)
            .synchronous(SqliteSynchronous::Full)
            .pragma("wal_autocheckpoint", "1024")
            .pragma("mmap_size", "0"),
        // Rows of some 600 bytes, appended: few pages are touched, and each commit is synced.
        Part::Audit => options
            .page_size(4_096)
            .synchronous(SqliteSynchronous::Full)
            .pragma("wal_autocheckpoint", "1024")
            .pragma("mmap_size", "0"),
        // Small rows; the map is what lets a graph of a million nodes load without copying pages.
        Part::State => options
            .page_size(4_096)
            .synchronous(SqliteSynchronous::Normal)
            .pragma("wal_autocheckpoint", "4096")
            .pragma("mmap_size", (128_i64 << 20).to_string()),
    }
}

/// `cache_size` of the writing connection, in -KiB: the index pages that random ids touch.
const fn writer_cache(part: Part) -> &'static str {
    match part {
        Part::Journal => "-8192",
        Part::Audit => "-2048",
        Part::State => "-49152",
    }
}

fn conn_error(error: sqlx::Error) -> StoreError {
    StoreError::Database(sea_orm::DbErr::Conn(sea_orm::RuntimeErr::SqlxError(error.into())))
}

async fn file_size(file: &Path) -> u64 {
    tokio::fs::metadata(file).await.map_or(0, |found| found.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn pragma(db: &DatabaseConnection, name: &str) -> String {
        let statement = Statement::from_string(db.get_database_backend(), format!("PRAGMA {name}"));
        let row = db.query_one_raw(statement).await.expect("answers").expect("has a value");
        match row.try_get_by_index::<i64>(0) {
            Ok(number) => number.to_string(),
            Err(_) => row.try_get_by_index(0).expect("text"),
        }
    }

    #[tokio::test]
    async fn every_sqlite_connection_has_its_pragmas() {
        let folder = tempfile::tempdir().expect("a folder");
        for (part, synchronous) in [(Part::Journal, "2"), (Part::State, "1"), (Part::Audit, "2")] {
            let url = format!("sqlite://{}/{part:?}.db", folder.path().display());
            let db = Db::open(&url, part, 2).await.expect("opens");
            for connection in [&db.writer, &db.reader] {
                for (name, value) in [("journal_mode", "wal"), ("synchronous", synchronous), ("busy_timeout", "10000")]
                {
                    assert_eq!(pragma(connection, name).await, value, "{part:?} {name}");
                }
            }
            assert_eq!(pragma(&db.writer, "auto_vacuum").await, "2");
            assert_eq!(pragma(&db.reader, "query_only").await, "1");
            assert!(db.reader.execute_unprepared("CREATE TABLE x (y)").await.is_err(), "a reader cannot write");
            db.sync().await.expect("syncs");
        }
    }

    #[tokio::test]
    async fn other_urls_are_refused() {
        for url in ["", "mysql://db/x", "riskgraph.db", "postgres"] {
            assert!(matches!(Db::open(url, Part::State, 1).await, Err(StoreError::Url)), "{url}");
        }
        let told = Db::open("sqlite:///proc/nowhere/rg.db", Part::State, 1).await;
        assert!(matches!(told, Err(StoreError::Folder(_))), "{told:?}");
    }
}
