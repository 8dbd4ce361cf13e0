//! What can go wrong in the store, and what of it a caller is told. It must not know who calls.

use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::journal::Position;
use riskgraph_migrations::Refused;
use sea_orm::DbErr;

/// Why the store could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL is none the store can open.
    #[error("the store's url must be 'sqlite:///folder/file.db' or 'postgres://user@host/database'")]
    Url,
    /// The folder of an SQLite file cannot be made.
    #[error("the database's folder cannot be made")]
    Folder(#[source] std::io::Error),
    /// A newer program has changed the schema.
    #[error("the database was changed by a newer riskgraph (schema step '{step}' is unknown here); run that version")]
    TooNew {
        /// Name of the unknown step.
        step: String,
    },
    /// The database answered with an error.
    #[error("the database answered with an error")]
    Database(#[from] DbErr),
    /// A row cannot be read back.
    #[error("a stored {what} cannot be read")]
    Corrupt {
        /// What kind of row.
        what: &'static str,
    },
    /// A value cannot be written as JSON or compressed.
    #[error("a {what} cannot be written")]
    Unwritable {
        /// What kind of row.
        what: &'static str,
    },
    /// A write that must survive a power loss may not have reached the disk.
    #[error("the write is not known to be on disk; send it again")]
    NotDurable,
    /// The store is closed, or closing.
    #[error("the store is closed")]
    Closed,
    /// The batch breaks a rule of the journal.
    #[error("the batch cannot be journalled: {0}")]
    BadBatch(&'static str),
    /// The delta belongs before what is applied already.
    #[error("the delta ends at {given}, but everything up to {applied} is applied")]
    Stale {
        /// Where the delta ends.
        given: Position,
        /// What is applied.
        applied: Position,
    },
    /// Alert events do not continue the sequence.
    #[error("the alert event {given} cannot follow; {expected} is next")]
    Sequence {
        /// The number that is next.
        expected: u64,
        /// The number that came.
        given: u64,
    },
    /// The cursor is none of this list.
    #[error("the cursor is none of this list")]
    Cursor,
}

impl From<Refused> for StoreError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::TooNew { step } => Self::TooNew { step },
            Refused::Database(error) => Self::Database(error),
        }
    }
}

impl From<StoreError> for Fault {
    /// Faults never hold SQL or paths; the log does.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Cursor => {
                Self::new(FaultCode::StaleCursor, "the cursor is none of this list; start again without 'after'")
            }
            StoreError::Closed => Self::new(FaultCode::Stopping, "the store is closing; try again after the restart"),
            StoreError::Stale { .. } => Self::new(FaultCode::Conflict, error.to_string()),
            StoreError::Url | StoreError::Folder(_) | StoreError::TooNew { .. } => {
                Self::new(FaultCode::Configuration, error.to_string())
            }
            StoreError::BadBatch(_) | StoreError::Sequence { .. } | StoreError::Unwritable { .. } => {
                tracing::error!(%error, "store refused a write");
                Self::new(FaultCode::Internal, error.to_string())
            }
            StoreError::Database(_) | StoreError::Corrupt { .. } | StoreError::NotDurable => {
                let source = std::error::Error::source(&error).map(ToString::to_string);
                tracing::error!(%error, source, "store failed");
                Self::new(FaultCode::Store, format!("{error}; the log of the service tells more"))
            }
        }
    }
}
