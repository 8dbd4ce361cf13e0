//! Documents: what people set up that is no function of the journal (channels, playbooks, schedules), as versions. It must
//! *not* know what is in them.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::error::Fault;
use crate::text::Text;
use crate::time::Timestamp;

/// One version of one document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// What kind of thing it is: `channel`, `playbook`, `report_schedule` ...
    pub kind: Text,
    /// Which one; at most 128 bytes, unique within the kind.
    pub id: Text,
    /// From 1, without gaps.
    pub version: u64,
    /// At most 256 KiB as text.
    pub body: serde_json::Value,
    /// Who made this version, and when.
    pub by: Text,
    pub at: Timestamp,
    pub note: Option<String>,
}

/// Keeps documents. What a call has written is on disk when it returns.
#[async_trait]
pub trait DocumentStore: Send + Sync {
    /// Adds a version. `document.version` is the one it makes: 1 for a new document, else one more than the newest.
    ///
    /// # Errors
    /// `Conflict` when that version is there already or would leave a gap: someone else was faster, read again.
    /// `BadInput` when the body is too large.
    async fn put(&self, document: Document) -> Result<(), Fault>;
    /// The newest version.
    async fn get(&self, kind: &str, id: &str) -> Result<Option<Document>, Fault>;
    /// A certain version.
    async fn version(&self, kind: &str, id: &str, version: u64) -> Result<Option<Document>, Fault>;
    /// All versions, newest first, at most 1,000.
    async fn versions(&self, kind: &str, id: &str) -> Result<Vec<Document>, Fault>;
    /// The newest version of every document of a kind, by id, in pages: `after` is the last id of the page before.
    async fn list(&self, kind: &str, after: Option<&str>, max: usize) -> Result<Vec<Document>, Fault>;
    /// Removes a document with all its versions; says whether it was there.
    async fn remove(&self, kind: &str, id: &str) -> Result<bool, Fault>;
}
