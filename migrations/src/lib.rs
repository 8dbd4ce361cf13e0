//! The schema of the journal, of the state and of the audit log, as numbered steps for SQLite and PostgreSQL.
//!
//! Rules: steps are additive (a new table, a new column with a default, a new index), an applied step is never edited,
//! what is no longer used is dropped one release later. A step runs in one transaction on both engines, so a crash
//! in the middle leaves the schema as it was. It must *not* know the rows' meaning: that is the store's.
//!
//! They are three ladders with a table of applied steps each, because they may lie in different databases and in the
//! same one.

use sea_orm_migration::prelude::*;

mod audit_0001_entries;
mod journal_0001_batches;
mod state_0001_tables;
mod state_0002_alert_paths;
mod state_0003_triage;
mod state_0004_delivery;
mod state_0005_runs;
mod state_0006_reports;
mod state_0007_sessions;
mod state_0008_documents;
mod tables;

/// The steps of the journal's schema.
#[derive(Debug)]
pub struct JournalMigrator;

#[async_trait::async_trait]
impl MigratorTrait for JournalMigrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(journal_0001_batches::Step)]
    }
    fn migration_table_name() -> DynIden {
        "journal_migration".into_iden()
    }
}

/// The steps of the audit log's schema.
#[derive(Debug)]
pub struct AuditMigrator;

#[async_trait::async_trait]
impl MigratorTrait for AuditMigrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(audit_0001_entries::Step)]
    }
    fn migration_table_name() -> DynIden {
        "audit_migration".into_iden()
    }
}

/// The steps of the state's schema.
#[derive(Debug)]
pub struct StateMigrator;

#[async_trait::async_trait]
impl MigratorTrait for StateMigrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(state_0001_tables::Step),
            Box::new(state_0002_alert_paths::Step),
            Box::new(state_0003_triage::Step),
            Box::new(state_0004_delivery::Step),
            Box::new(state_0005_runs::Step),
            Box::new(state_0006_reports::Step),
            Box::new(state_0007_sessions::Step),
            Box::new(state_0008_documents::Step),
        ]
    }
    fn migration_table_name() -> DynIden {
        "state_migration".into_iden()
    }
}

/// Brings a database to the schema of this program.
///
/// # Errors
/// [`Refused::TooNew`] when a newer program has been at it; nothing is changed then.
pub async fn migrate<M: MigratorTrait>(db: &sea_orm::DatabaseConnection) -> Result<(), Refused> {
    let known: Vec<String> = M::migrations().iter().map(|step| step.name().to_owned()).collect();
    let applied = M::get_migration_models(db).await?;
    if let Some(newer) = applied.iter().find(|step| !known.contains(&step.version)) {
        return Err(Refused::TooNew { step: newer.version.clone() });
    }
    M::up(db, None).await?;
    Ok(())
}

/// Why a database could not be brought to this program's schema.
#[derive(Debug)]
pub enum Refused {
    /// A step was applied that this program does not have.
    TooNew {
        /// Name of that step.
        step: String,
    },
    /// The database answered with an error.
    Database(DbErr),
}

impl From<DbErr> for Refused {
    fn from(error: DbErr) -> Self {
        Self::Database(error)
    }
}
