//! Where the store lies and how much of the machine it takes. It must not know how a database is opened.

/// Connections that read the state at once, when nothing else is said: more than cores bring nothing on SQLite.
const READERS: u32 = 4;

/// Where the store lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOptions {
    /// `sqlite:///dir/riskgraph.db` or `postgres://user@host/database`; folder and file are made when absent.
    pub url: String,
    /// Where the journal lies. On SQLite the default is a file of its own beside the state (`riskgraph.journal.db`), so
    /// that its group commit and the state's writer never wait for each other; on PostgreSQL it is the same database.
    pub journal_url: Option<String>,
    /// Where the audit log lies; as the journal a file of its own by default (`riskgraph.audit.db`), so that a reader's
    /// answer never waits for the state's writer.
    pub audit_url: Option<String>,
    /// Connections that read the state at once.
    pub readers: u32,
}

impl StoreOptions {
    /// The store at this URL, all else as usual.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self { url: url.into(), journal_url: None, audit_url: None, readers: READERS }
    }
}
