//! What the capabilities [`Capability::Ingest`] and [`Capability::Observe`] allow.

use std::sync::Arc;

use bytes::Bytes;
use riskgraph_domain::access::Capability;
use riskgraph_domain::error::Fault;
use riskgraph_domain::ports::{RawBatch, Receipt};
use riskgraph_domain::text::Text;

use super::{Grant, Session};

/// May send events.
pub(crate) struct Sender(Arc<Session>);

impl Grant for Sender {
    const CAPABILITY: Capability = Capability::Ingest;
    fn wrap(session: Arc<Session>) -> Self {
        Self(session)
    }
}

impl Sender {
    /// Hands a decompressed body over; returns when every accepted event is durable.
    pub(crate) async fn accept(&self, format: &str, body: Bytes) -> Result<Receipt, Fault> {
        let batch = RawBatch { format: Text::from(format), body, sender: self.0.viewer.name.clone() };
        self.0.services.intake.accept(batch).await
    }
}

/// May read the service's metrics.
pub(crate) struct Observer(Arc<Session>);

impl Grant for Observer {
    const CAPABILITY: Capability = Capability::Observe;
    fn wrap(session: Arc<Session>) -> Self {
        Self(session)
    }
}

impl Observer {
    pub(crate) async fn metrics(&self) -> String {
        self.0.services.status.metrics().await
    }
}
