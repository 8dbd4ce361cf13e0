//! What the API is given: the ports of the other parts, and its options.

use std::sync::Arc;
use std::time::Duration;

use riskgraph_domain::audit::Audit;
use riskgraph_domain::delivery::DeliveryDesk;
use riskgraph_domain::playbook::{PlaybookDesk, Runs};
use riskgraph_domain::ports::{BaselineView, Commands, Gatekeeper, GraphView, Intake, Live, Records, Status};
use riskgraph_domain::posture::PostureDesk;
use riskgraph_domain::report::Reports;
use riskgraph_domain::session::Sessions;
use riskgraph_domain::triage::{PastAlerts, TriageRecords};
use riskgraph_domain::vendor::VendorTable;
use tokio_util::sync::CancellationToken;

use crate::audit::Reads;
use crate::http::Networks;

/// The ports the API serves; cheap to clone.
#[derive(Clone)]
pub struct Services {
    pub intake: Arc<dyn Intake>,
    pub graph: Arc<dyn GraphView>,
    pub baseline: Arc<dyn BaselineView>,
    pub records: Arc<dyn Records>,
    pub triage: Arc<dyn TriageRecords>,
    pub past: Arc<dyn PastAlerts>,
    pub commands: Arc<dyn Commands>,
    pub live: Arc<dyn Live>,
    pub gatekeeper: Arc<dyn Gatekeeper>,
    pub sessions: Arc<dyn Sessions>,
    pub audit: Audit,
    pub vendor_table: Arc<dyn VendorTable>,
    pub status: Arc<dyn Status>,
    pub delivery: Arc<dyn DeliveryDesk>,
    pub runs: Arc<dyn Runs>,
    pub playbooks: Arc<dyn PlaybookDesk>,
    pub reports: Arc<dyn Reports>,
    pub postures: Arc<dyn PostureDesk>,
}

/// How the API behaves; the defaults are what a shop should run with.
#[derive(Debug, Clone)]
pub struct ApiOptions {
    pub graphql: GraphqlLimits,
    pub ingest: IngestLimits,
    pub live: LiveLimits,
    pub connections: ConnectionLimits,
    /// Whether `/graphiql` is served.
    pub graphiql: Graphiql,
    /// Proxies in front whose `X-Forwarded-` headers are believed.
    pub proxies: Networks,
    /// Whether reads of personal data are recorded.
    pub reads: Reads,
    /// Cancelled when the service stops: streams end, so that clients resume elsewhere by cursor.
    pub stop: CancellationToken,
}

/// Whether the query page is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Graphiql {
    Served,
    Hidden,
}

/// What one GraphQL request may cost. All are refused before anything is executed, except `nodes_max` and `timeout`.
#[derive(Debug, Clone)]
pub struct GraphqlLimits {
    /// Bytes of the request body.
    pub body_bytes_max: usize,
    /// Lexical tokens of the document.
    pub tokens_max: usize,
    /// `@` in the document.
    pub directives_max: usize,
    /// Levels of fields, fragments expanded.
    pub depth_max: usize,
    /// Objects the answer may hold, estimated from the document: children count once for each row asked for.
    pub cost_max: u64,
    /// Aliases, fragments expanded.
    pub aliases_max: u64,
    /// Root fields, fragments expanded.
    pub root_fields_max: u64,
    /// Nodes one request may really load: the estimate's safety net for lists without `first`.
    pub nodes_max: u64,
    /// Wall time of a query or mutation.
    pub timeout: Duration,
    /// Queries executed at the same time; more wait within their `timeout`.
    pub concurrent_max: usize,
}

/// What ingest holds in memory.
#[derive(Debug, Clone)]
pub struct IngestLimits {
    /// Bytes of a body as sent.
    pub wire_bytes_max: usize,
    /// Bytes of a body after decompression.
    pub decoded_bytes_max: usize,
    /// Bytes of all bodies in memory together; beyond it the answer is 429.
    pub memory_bytes_max: usize,
    /// Wall time in which a body must have arrived.
    pub read_timeout: Duration,
}

/// What streams may take.
#[derive(Debug, Clone)]
pub struct LiveLimits {
    /// Open WebSocket and SSE connections together.
    pub streams_max: usize,
    /// Operations on one WebSocket.
    pub operations_max: usize,
    /// Wall time in which `connection_init` must come.
    pub init_timeout: Duration,
    /// How often the server pings, and sends a comment on SSE.
    pub ping_every: Duration,
    /// Silence after which a WebSocket peer is taken for dead.
    pub silence_max: Duration,
    /// Wall time a peer may take to accept one message.
    pub send_timeout: Duration,
    /// How often a stream's token is checked again.
    pub recheck_every: Duration,
}

/// What [`crate::serve`] grants a connection.
#[derive(Debug, Clone)]
pub struct ConnectionLimits {
    /// Open connections; more wait in the kernel's backlog.
    pub connections_max: usize,
    /// Wall time in which the head of a request must have arrived; also how long a connection may idle between two.
    pub header_timeout: Duration,
    /// Wall time requests get to end after the stop.
    pub drain_timeout: Duration,
}

impl Default for ApiOptions {
    fn default() -> Self {
        Self {
            graphql: GraphqlLimits::default(),
            ingest: IngestLimits::default(),
            live: LiveLimits::default(),
            connections: ConnectionLimits::default(),
            graphiql: Graphiql::Served,
            proxies: Networks::default(),
            reads: Reads::Recorded,
            stop: CancellationToken::new(),
        }
    }
}

impl Default for GraphqlLimits {
    fn default() -> Self {
        Self {
            body_bytes_max: 256 * 1024,
            tokens_max: 2_000,
            directives_max: 50,
            depth_max: 12,
            cost_max: 5_000,
            aliases_max: 15,
            root_fields_max: 10,
            nodes_max: 20_000,
            timeout: Duration::from_secs(10),
            concurrent_max: 64,
        }
    }
}

impl Default for IngestLimits {
    fn default() -> Self {
        Self {
            wire_bytes_max: 16 << 20,
            decoded_bytes_max: 64 << 20,
            memory_bytes_max: 192 << 20,
            read_timeout: Duration::from_secs(30),
        }
    }
}

impl Default for LiveLimits {
    fn default() -> Self {
        Self {
            streams_max: 1_024,
            operations_max: 20,
            init_timeout: Duration::from_secs(5),
            ping_every: Duration::from_secs(25),
            silence_max: Duration::from_secs(80),
            send_timeout: Duration::from_secs(10),
            recheck_every: Duration::from_secs(60),
        }
    }
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self { connections_max: 4_096, header_timeout: Duration::from_secs(30), drain_timeout: Duration::from_secs(10) }
    }
}
