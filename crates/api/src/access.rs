//! Access control as types: what a viewer may not do, a resolver cannot call.
//!
//! A capability object exists only for a viewer whose role has the capability, and carries just the calls that belong to
//! it. Resolvers and handlers get theirs from [`crate::surface`], the one table of who may enter where.

mod admin;
mod import;
mod reader;
mod respond;
mod sender;
mod triage;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_graphql::Context;
use riskgraph_domain::access::{Capability, Viewer};
use riskgraph_domain::error::{Fault, FaultCode};

use crate::audit::trail::Trail;
use crate::graphql::loader::Loaders;
use crate::http::caller::{Caller, Via};
use crate::services::Services;

pub(crate) use admin::Administrator;
pub(crate) use reader::Reader;
pub(crate) use respond::{Approver, Responder};
pub(crate) use sender::{Observer, Sender};
pub(crate) use triage::Triager;

/// One signed-in request (or one stream) and what it may still load.
pub(crate) struct Session {
    pub(crate) services: Services,
    pub(crate) viewer: Viewer,
    /// How the viewer came in.
    pub(crate) via: Via,
    pub(crate) loaders: Loaders,
    /// What personal data was read, for the audit log.
    pub(crate) trail: Arc<Trail>,
    budget: Budget,
}

/// How many nodes a session may load.
pub(crate) enum Budget {
    /// A query or mutation.
    Nodes { left: AtomicU64, max: u64 },
    /// A stream: each of its events is bounded by the query's estimated cost alone.
    Stream,
}

impl Budget {
    pub(crate) const fn nodes(max: u64) -> Self {
        Self::Nodes { left: AtomicU64::new(max), max }
    }
}

impl Session {
    pub(crate) fn new(services: Services, caller: Caller, loaders: Loaders, budget: Budget) -> Self {
        Self { services, viewer: caller.viewer, via: caller.via, loaders, trail: Arc::default(), budget }
    }

    /// The same, leaving this trail.
    pub(crate) fn with_trail(self, trail: Arc<Trail>) -> Self {
        Self { trail, ..self }
    }

    /// Counts nodes about to be loaded.
    pub(crate) fn spend(&self, nodes: usize) -> Result<(), Fault> {
        let Budget::Nodes { left, max } = &self.budget else { return Ok(()) };
        let spent = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(nodes as u64));
        spent.map(drop).map_err(|_| {
            let message = format!("the query loads more than {max} nodes; ask for fewer rows with 'first'");
            Fault::new(FaultCode::CostExceeded, message)
        })
    }
}

/// A capability object.
pub(crate) trait Grant: Sized {
    /// What the viewer's role must have.
    const CAPABILITY: Capability;

    /// Wraps a session whose viewer has the capability; only [`grant_to`] calls this.
    fn wrap(session: Arc<Session>) -> Self;
}

/// The capability object for this session, when its viewer may have it.
pub(crate) fn grant_to<G: Grant>(session: Arc<Session>) -> Result<G, Fault> {
    demand(&session.viewer, G::CAPABILITY)?;
    Ok(G::wrap(session))
}

/// The capability object for the viewer of this GraphQL request.
pub(crate) fn grant<G: Grant>(ctx: &Context<'_>) -> Result<G, Fault> {
    let session = ctx.data_opt::<Arc<Session>>().ok_or_else(unauthenticated)?;
    grant_to(Arc::clone(session))
}

/// Refuses a viewer whose role lacks the capability.
pub(crate) fn demand(viewer: &Viewer, capability: Capability) -> Result<(), Fault> {
    if viewer.role.may(capability) {
        return Ok(());
    }
    let needed = match capability {
        Capability::Ingest => "ingest or admin",
        Capability::Read | Capability::Observe => "reader, analyst or admin",
        Capability::Triage | Capability::Respond | Capability::Approve => "analyst or admin",
        Capability::Administer => "admin",
    };
    let message = format!("the role {} may not do this; use a token of the role {needed}", viewer.role.as_str());
    Err(Fault::new(FaultCode::Forbidden, message))
}

/// The fault of a request without a valid token.
pub(crate) fn unauthenticated() -> Fault {
    Fault::new(FaultCode::Unauthenticated, "no valid token; send 'Authorization: Bearer <token>', or sign in")
}
