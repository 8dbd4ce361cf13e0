//! What every request shares: services, schema, limits and the permits that bound them.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use riskgraph_domain::access::Viewer;
use riskgraph_domain::error::{Fault, FaultCode};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::access::{Budget, Session};
use crate::audit::trail::Trail;
use crate::audit::watch::watched;
use crate::fault::RequestIds;
use crate::graphql::loader::Loaders;
use crate::graphql::{ApiSchema, schema};
use crate::http::caller::{Caller, Via};
use crate::http::memory::Memory;
use crate::services::{ApiOptions, Services};

pub(crate) struct App {
    pub(crate) services: Services,
    pub(crate) options: ApiOptions,
    pub(crate) schema: ApiSchema,
    pub(crate) requests: RequestIds,
    /// Bytes ingest bodies may hold.
    pub(crate) memory: Memory,
    /// Queries executed at the same time.
    pub(crate) queries: Semaphore,
    /// Sign-ins sent away since the last one in the audit log.
    pub(crate) sent_away: AtomicU64,
    loaders: Loaders,
    streams: Arc<Semaphore>,
}

impl App {
    pub(crate) fn new(services: Services, options: ApiOptions) -> Self {
        Self {
            schema: schema(),
            requests: RequestIds::new(),
            memory: Memory::new(options.ingest.memory_bytes_max),
            queries: Semaphore::new(options.graphql.concurrent_max),
            loaders: Loaders::new(&services),
            sent_away: AtomicU64::new(0),
            streams: Arc::new(Semaphore::new(options.live.streams_max)),
            services,
            options,
        }
    }

    pub(crate) fn session(&self, viewer: Viewer, budget: Budget) -> Arc<Session> {
        self.session_of(Caller { viewer, via: Via::Token, address: None }, budget)
    }

    pub(crate) fn session_of(&self, caller: Caller, budget: Budget) -> Arc<Session> {
        let trail = Arc::new(Trail::default());
        let services = watched(&self.services, &trail);
        Arc::new(Session::new(services, caller, self.loaders.clone(), budget).with_trail(trail))
    }

    /// The permit of one open stream; held as long as the stream.
    pub(crate) fn stream_permit(&self) -> Result<OwnedSemaphorePermit, Fault> {
        Arc::clone(&self.streams).try_acquire_owned().map_err(|_| Fault {
            retry_after_s: Some(10),
            ..Fault::new(FaultCode::Overloaded, "too many streams are open; try again later")
        })
    }
}
