//! Who asks.

use async_graphql::{Enum, SimpleObject};
use riskgraph_domain::access as model;

use super::words::{DateTime, Role};
use crate::access::Reader;
use crate::http::caller::Via;

/// One thing that can be allowed.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "riskgraph_domain::access::Capability")]
pub(crate) enum Capability {
    Ingest,
    Read,
    Triage,
    /// Start, cancel and undo runs of playbooks.
    Respond,
    /// Decide where a run asks.
    Approve,
    Administer,
    Observe,
}

/// Who asks, and what they may do.
#[derive(SimpleObject)]
pub(crate) struct Me {
    /// Name of the token.
    name: String,
    role: Role,
    capabilities: Vec<Capability>,
    /// When the token, or before it the session, ends; null when it does not.
    expires_at: Option<DateTime>,
    /// Signed in as a browser, not by the token itself.
    session: bool,
}

impl Me {
    pub(crate) fn of(reader: &Reader) -> Self {
        let session = reader.session();
        let viewer = &session.viewer;
        let may = model::Capability::ALL.iter().filter(|&&capability| viewer.role.may(capability));
        Self {
            name: viewer.name.to_string(),
            role: viewer.role.into(),
            capabilities: may.copied().map(Into::into).collect(),
            expires_at: viewer.expires_at.map(DateTime),
            session: matches!(session.via, Via::Session(_)),
        }
    }
}
