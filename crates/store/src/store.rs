//! The open store: hands out the ports. It must not know what is behind them.

use std::sync::Arc;

use riskgraph_domain::audit::AuditLog;
use riskgraph_domain::delivery::Deliveries;
use riskgraph_domain::document::DocumentStore;
use riskgraph_domain::playbook::{RunStore, Runs};
use riskgraph_domain::ports::{JobStore, Journal, Records, StateStore, TokenStore};
use riskgraph_domain::report::{History, ReportStore};
use riskgraph_domain::session::SessionStore;
use riskgraph_domain::triage::TriageRecords;

use crate::audit::SqlAudit;
use crate::db::{Db, Part, is_sqlite};
use crate::error::StoreError;
use crate::journal::SqlJournal;
use crate::options::StoreOptions;
use crate::state::SqlState;

/// Connections that read the journal: the pipeline, and one for whoever asks for its end or size.
const JOURNAL_READERS: u32 = 2;
/// Connections that read the audit log: one that verifies and one that lists.
const AUDIT_READERS: u32 = 2;

/// The journal, the state and the audit log, open. Cheap to clone; the last clone of a port keeps its database open.
#[derive(Debug, Clone)]
pub struct Store {
    journal: Arc<SqlJournal>,
    state: Arc<SqlState>,
    audit: Arc<SqlAudit>,
}

impl Store {
    /// Opens the databases, makes them when absent and brings their schemas up to date.
    ///
    /// Must run inside a tokio runtime: the journal's writer is a task on it.
    ///
    /// # Errors
    /// [`StoreError::Url`] and [`StoreError::Folder`] when it cannot be there, [`StoreError::TooNew`] when a newer
    /// program has changed the schema (nothing is changed then), [`StoreError::Database`] for the rest.
    pub async fn open(options: StoreOptions) -> Result<Self, StoreError> {
        let journal_url = options.journal_url.clone().unwrap_or_else(|| beside(&options.url, "journal"));
        let audit_url = options.audit_url.clone().unwrap_or_else(|| beside(&options.url, "audit"));
        let journal = Db::open(&journal_url, Part::Journal, JOURNAL_READERS).await?;
        let state = Db::open(&options.url, Part::State, options.readers).await?;
        let audit = Db::open(&audit_url, Part::Audit, AUDIT_READERS).await?;
        Ok(Self {
            journal: Arc::new(SqlJournal::start(journal)),
            state: Arc::new(SqlState::new(state)),
            audit: Arc::new(SqlAudit::start(audit)),
        })
    }

    /// The durable record of all input.
    #[must_use]
    pub fn journal(&self) -> Arc<dyn Journal> {
        Arc::clone(&self.journal) as Arc<dyn Journal>
    }

    /// The writing side of the state.
    #[must_use]
    pub fn state(&self) -> Arc<dyn StateStore> {
        Arc::clone(&self.state) as Arc<dyn StateStore>
    }

    /// The reading side of the state.
    #[must_use]
    pub fn records(&self) -> Arc<dyn Records> {
        Arc::clone(&self.state) as Arc<dyn Records>
    }

    /// The reading side of triage.
    #[must_use]
    pub fn triage(&self) -> Arc<dyn TriageRecords> {
        Arc::clone(&self.state) as Arc<dyn TriageRecords>
    }

    /// The assessment jobs.
    #[must_use]
    pub fn jobs(&self) -> Arc<dyn JobStore> {
        Arc::clone(&self.state) as Arc<dyn JobStore>
    }

    /// The access tokens.
    #[must_use]
    pub fn tokens(&self) -> Arc<dyn TokenStore> {
        Arc::clone(&self.state) as Arc<dyn TokenStore>
    }

    /// What people set up.
    #[must_use]
    pub fn documents(&self) -> Arc<dyn DocumentStore> {
        Arc::clone(&self.state) as Arc<dyn DocumentStore>
    }

    /// The audit log.
    #[must_use]
    pub fn audit(&self) -> Arc<dyn AuditLog> {
        Arc::clone(&self.audit) as Arc<dyn AuditLog>
    }

    /// The sign-in sessions.
    #[must_use]
    pub fn sessions(&self) -> Arc<dyn SessionStore> {
        Arc::clone(&self.state) as Arc<dyn SessionStore>
    }

    /// What was known when.
    #[must_use]
    pub fn history(&self) -> Arc<dyn History> {
        Arc::clone(&self.state) as Arc<dyn History>
    }

    /// The reports that were made.
    #[must_use]
    pub fn reports(&self) -> Arc<dyn ReportStore> {
        Arc::clone(&self.state) as Arc<dyn ReportStore>
    }

    /// The deliveries to channels.
    #[must_use]
    pub fn deliveries(&self) -> Arc<dyn Deliveries> {
        Arc::clone(&self.state) as Arc<dyn Deliveries>
    }

    /// Runs of playbooks, to write.
    #[must_use]
    pub fn run_store(&self) -> Arc<dyn RunStore> {
        Arc::clone(&self.state) as Arc<dyn RunStore>
    }

    /// Runs of playbooks, to read.
    #[must_use]
    pub fn runs(&self) -> Arc<dyn Runs> {
        Arc::clone(&self.state) as Arc<dyn Runs>
    }

    /// Commits what waits in the journal's queue, refuses more, and closes the databases.
    ///
    /// # Errors
    /// When a connection cannot be closed; what was acknowledged is safe all the same.
    pub async fn close(&self) -> Result<(), StoreError> {
        self.journal.close().await?;
        self.audit.close().await?;
        self.state.close().await
    }
}

/// Where a part lies when nothing is said: in a file of its own beside the state, or in the same PostgreSQL database.
fn beside(url: &str, part: &str) -> String {
    if !is_sqlite(url) {
        return url.to_owned();
    }
    let (path, query) = url.split_once('?').map_or((url, None), |(path, query)| (path, Some(query)));
    let stem = path.strip_suffix(".db").unwrap_or(path);
    match query {
        Some(query) => format!("{stem}.{part}.db?{query}"),
        None => format!("{stem}.{part}.db"),
    }
}

#[cfg(test)]
mod tests {
    use super::beside;

    #[test]
    fn the_journal_has_its_own_file() {
        for (state, journal) in [
            ("sqlite:///var/rg/riskgraph.db", "sqlite:///var/rg/riskgraph.journal.db"),
            ("sqlite://rg.db?mode=rwc", "sqlite://rg.journal.db?mode=rwc"),
            ("sqlite:data", "sqlite:data.journal.db"),
            ("postgres://rg@db/rg", "postgres://rg@db/rg"),
        ] {
            assert_eq!(beside(state, "journal"), journal);
        }
    }
}
