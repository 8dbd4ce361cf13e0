//! Who may do what.

use serde::{Deserialize, Serialize};

use crate::alert::words;
use crate::id::TokenId;
use crate::text::Text;
use crate::time::Timestamp;

words! {
    /// What a token may do. `admin` may all, `analyst` reads, triages and responds, `reader` reads, `ingest` only sends events.
    Role { Admin = "admin", Analyst = "analyst", Reader = "reader", Ingest = "ingest" }
}

/// One thing that can be allowed. Every route and GraphQL field asks for exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Capability {
    /// Send events.
    Ingest,
    /// Read vendors, graph, findings, signals and alerts.
    Read,
    /// Change the state of alerts and findings, ask for an assessment.
    Triage,
    /// Start, cancel and undo runs of playbooks.
    Respond,
    /// Decide whether a run may go on where it asks; the approval itself names the role.
    Approve,
    /// Add, change and remove vendors, make and revoke tokens.
    Administer,
    /// Read `/metrics`.
    Observe,
}

impl Capability {
    /// All capabilities, in the order they are listed.
    pub const ALL: &'static [Self] =
        &[Self::Ingest, Self::Read, Self::Triage, Self::Respond, Self::Approve, Self::Administer, Self::Observe];
}

impl Role {
    /// Whether a token of this role has the capability.
    #[must_use]
    pub const fn may(self, capability: Capability) -> bool {
        match self {
            Self::Admin => true,
            Self::Analyst => matches!(
                capability,
                Capability::Read | Capability::Triage | Capability::Respond | Capability::Approve | Capability::Observe
            ),
            Self::Reader => matches!(capability, Capability::Read | Capability::Observe),
            Self::Ingest => matches!(capability, Capability::Ingest),
        }
    }
}

/// A token as it is kept: never its secret, only the secret's hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    pub id: TokenId,
    pub name: Text,
    pub role: Role,
    /// Lower-case hex SHA-256 of the secret, which is 256 random bits: a slow hash would protect nothing more.
    pub secret_hash: String,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

/// Who asks: a verified token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    pub token: TokenId,
    pub name: Text,
    pub role: Role,
    pub expires_at: Option<Timestamp>,
}
