//! Who asks, and how they proved it.

use std::net::IpAddr;

use riskgraph_domain::access::Viewer;
use riskgraph_domain::digest::Sum;

use crate::app::App;

/// A viewer and what let them in.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pub(crate) viewer: Viewer,
    pub(crate) via: Via,
    /// Where the request came from.
    pub(crate) address: Option<IpAddr>,
}

/// What a viewer was let in by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    /// The token itself.
    Token,
    /// A browser's session of this key.
    Session(Sum),
}

impl Caller {
    pub(super) const fn by_token(viewer: Viewer, address: Option<IpAddr>) -> Self {
        Self { viewer, via: Via::Token, address }
    }

    /// Whether a stream of this caller may go on: token and session still live.
    pub(super) async fn may_stay(&self, app: &App) -> bool {
        if !app.services.gatekeeper.still_valid(&self.viewer).await {
            return false;
        }
        match self.via {
            Via::Token => true,
            Via::Session(key) => app.services.sessions.still_open(key).await,
        }
    }
}
