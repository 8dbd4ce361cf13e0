//! The walls' doors: what each part needs of the others, without knowing them.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;

use crate::access::{Role, Token, Viewer};
use crate::alert::{Alert, AlertEvent, AlertFilter};
use crate::command::Change;
use crate::error::{Fault, Reject};
use crate::graph::{Concentration, Entity, EntityKey, EntityKind, Reached, Relation, RelationKind, Risk};
use crate::id::{AlertId, EntityId, FindingId, IntegrationId, RelationId, SignalId, TokenId, VendorId};
use crate::journal::{Batch, Position, StoredBatch};
use crate::page::{Page, PageRequest};
use crate::posture::{Finding, FindingStatus, Grade, Posture};
use crate::signal::{Severity, Signal};
use crate::text::Text;
use crate::time::Timestamp;
use crate::triage::{Case, Silence};
use crate::vendor::{Integration, TrafficPoint, Vendor, VendorTier};

type Result<T> = std::result::Result<T, Fault>;

// ---------------------------------------------------------------- journal and store (made by `store`, used by the root)

/// The durable, ordered record of all input. Two makers: SQLite and PostgreSQL (NATS JetStream later).
#[async_trait]
pub trait Journal: Send + Sync {
    /// Makes the batch durable and says where it lies. Concurrent appends share one sync (group commit).
    async fn append(&self, batch: Batch) -> Result<Position>;
    /// Batches after a position, oldest first, at most `max_records` records (but at least one batch when there is one).
    async fn read_after(&self, after: Position, max_records: usize) -> Result<Vec<StoredBatch>>;
    /// Identities of the newest records, newest last, at most `max`.
    async fn recent_identities(&self, max: usize) -> Result<Vec<u64>>;
    /// The last durable position.
    async fn end(&self) -> Result<Position>;
    /// Bytes the journal takes on disk.
    async fn size_bytes(&self) -> Result<u64>;
    /// Forgets whole batches that end at or before this position.
    async fn forget_until(&self, position: Position) -> Result<u64>;
}

/// What processing a stretch of the journal changed. Written in one transaction, with the position it reaches.
#[derive(Debug, Clone, Default)]
pub struct Delta {
    /// Everything up to here is judged and part of this or an earlier delta.
    pub position: Position,
    /// New or changed rows; each replaces the row of the same id.
    pub entities: Vec<Entity>,
    pub relations: Vec<Relation>,
    pub signals: Vec<Signal>,
    /// Appended to the sequence; the alert inside replaces the row of its id.
    pub alert_events: Vec<AlertEvent>,
    /// Signals that were folded into an alert; links only come, they never go. A link already there is no error.
    pub alert_signals: Vec<(AlertId, SignalId)>,
    /// Entities an alert touches beyond those its `entities` list has room for; those listed are linked without this.
    pub alert_entities: Vec<(AlertId, EntityId)>,
    pub vendors: Vec<Vendor>,
    pub removed_vendors: Vec<VendorId>,
    pub integrations: Vec<Integration>,
    pub findings: Vec<Finding>,
    pub postures: Vec<(VendorId, Posture)>,
    pub silences: Vec<Silence>,
    pub cases: Vec<Case>,
    /// Opaque state of the graph and correlation stage that is not in rows (risk contributions, open links), by name;
    /// each replaces the blob of the same name, an empty one removes it.
    pub blobs: Vec<(Text, Vec<u8>)>,
}

impl Delta {
    /// Whether it changes nothing but the position.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entities.is_empty()
            && self.relations.is_empty()
            && self.signals.is_empty()
            && self.alert_events.is_empty()
            && self.alert_signals.is_empty()
            && self.alert_entities.is_empty()
            && self.vendors.is_empty()
            && self.removed_vendors.is_empty()
            && self.integrations.is_empty()
            && self.findings.is_empty()
            && self.postures.is_empty()
            && self.silences.is_empty()
            && self.cases.is_empty()
            && self.blobs.is_empty()
    }
}

/// The writing side of the store; one writer.
#[async_trait]
pub trait StateStore: Send + Sync {
    /// Writes the delta in one transaction.
    async fn apply(&self, delta: Delta) -> Result<()>;
    /// The position of the last applied delta.
    async fn applied(&self) -> Result<Position>;
    /// All entities, in pages by id: `after` is the last id of the page before.
    async fn load_entities(&self, after: Option<EntityId>, max: usize) -> Result<Vec<Entity>>;
    /// All relations, in pages by id.
    async fn load_relations(&self, after: Option<RelationId>, max: usize) -> Result<Vec<Relation>>;
    /// A blob of `Delta::blobs`.
    async fn load_blob(&self, name: &str) -> Result<Option<Vec<u8>>>;
    /// Alerts that are not resolved, for the correlation stage.
    async fn load_open_alerts(&self) -> Result<Vec<Alert>>;
    /// All vendors, integrations and findings that are not resolved.
    async fn load_vendors(&self) -> Result<Vec<Vendor>>;
    async fn load_integrations(&self) -> Result<Vec<Integration>>;
    async fn load_findings(&self) -> Result<Vec<Finding>>;
    /// Silences that are not over.
    async fn load_silences(&self) -> Result<Vec<Silence>>;
    /// Cases that are not archived.
    async fn load_cases(&self) -> Result<Vec<Case>>;
    /// The sequence number of the last alert event.
    async fn last_alert_sequence(&self) -> Result<u64>;
    /// Keeps the newest detector checkpoint: opaque state as of a position.
    async fn save_checkpoint(&self, position: Position, state: Vec<u8>) -> Result<()>;
    async fn load_checkpoint(&self) -> Result<Option<(Position, Vec<u8>)>>;
}

/// Assessment jobs: deduplicated, leased, repeated after a crash.
#[async_trait]
pub trait JobStore: Send + Sync {
    /// Puts a job in the queue unless one with this key waits or runs; says whether it did.
    async fn enqueue(&self, key: &str, due_at: Timestamp) -> Result<bool>;
    /// Takes the job that has been due longest and leases it until `lease_until`; jobs with a passed lease are free again.
    async fn lease(&self, now: Timestamp, lease_until: Timestamp) -> Result<Option<String>>;
    /// The job is done: it leaves the queue and `finished_at` is its last run.
    async fn finish(&self, key: &str, finished_at: Timestamp) -> Result<()>;
    /// The job failed: due again at `due_at`; counts the attempt.
    async fn retry(&self, key: &str, due_at: Timestamp) -> Result<()>;
    /// Frees every lease: for the start of a service that is the only one on its store, whose leases died with it.
    async fn release_all(&self) -> Result<u64>;
    /// When the job of this key last finished.
    async fn last_run(&self, key: &str) -> Result<Option<Timestamp>>;
}

/// Tokens, by id; never a secret in clear.
#[async_trait]
pub trait TokenStore: Send + Sync {
    async fn insert(&self, token: Token) -> Result<()>;
    async fn get(&self, id: TokenId) -> Result<Option<Token>>;
    async fn list(&self) -> Result<Vec<Token>>;
    async fn touch(&self, id: TokenId, at: Timestamp) -> Result<()>;
    async fn revoke(&self, id: TokenId, at: Timestamp) -> Result<bool>;
}

/// Which findings are wanted.
#[derive(Debug, Clone, Default)]
pub struct FindingFilter {
    pub vendor: Option<VendorId>,
    pub check: Option<Text>,
    pub status: Vec<FindingStatus>,
    pub min_severity: Option<Severity>,
}

/// Which signals are wanted.
#[derive(Debug, Clone, Default)]
pub struct SignalFilter {
    pub detector: Option<Text>,
    pub min_severity: Option<Severity>,
    pub since: Option<Timestamp>,
    pub entity: Option<EntityId>,
    pub alert: Option<AlertId>,
}

/// Which vendors are wanted.
#[derive(Debug, Clone, Default)]
pub struct VendorFilter {
    /// Part of the name or of a domain.
    pub query: Option<String>,
    pub tiers: Vec<VendorTier>,
    /// This grade or worse.
    pub max_grade: Option<Grade>,
}

/// The reading side of the store.
#[async_trait]
pub trait Records: Send + Sync {
    async fn vendors(&self, filter: VendorFilter, page: PageRequest) -> Result<Page<Vendor>>;
    async fn vendor(&self, id: VendorId) -> Result<Option<Vendor>>;
    async fn vendor_by_name(&self, name: &str) -> Result<Option<Vendor>>;
    async fn vendor_by_domain(&self, domain: &str) -> Result<Option<Vendor>>;
    async fn integrations(&self, vendor: Option<VendorId>, page: PageRequest) -> Result<Page<Integration>>;
    async fn integration(&self, id: IntegrationId) -> Result<Option<Integration>>;
    async fn integration_by_name(&self, name: &str) -> Result<Option<Integration>>;
    /// Newest first; the first is the current one.
    async fn postures(&self, vendor: VendorId, since: Option<Timestamp>) -> Result<Vec<Posture>>;
    async fn findings(&self, filter: FindingFilter, page: PageRequest) -> Result<Page<Finding>>;
    async fn finding(&self, id: FindingId) -> Result<Option<Finding>>;
    /// Newest first.
    async fn signals(&self, filter: SignalFilter, page: PageRequest) -> Result<Page<Signal>>;
    async fn signal(&self, id: SignalId) -> Result<Option<Signal>>;
    /// Last changed first.
    async fn alerts(&self, filter: AlertFilter, page: PageRequest) -> Result<Page<Alert>>;
    async fn alert(&self, id: AlertId) -> Result<Option<Alert>>;
    /// The sequence after a number, oldest first, at most `max`.
    async fn alert_events(&self, after: u64, max: usize) -> Result<Vec<AlertEvent>>;
    /// The oldest and newest kept sequence numbers; `None` when the sequence is empty.
    async fn alert_event_range(&self) -> Result<Option<(u64, u64)>>;

    // Many at once, for pages that name others. A maker with a database answers each in one query; the bodies here are
    // right but ask one by one.

    /// The vendors of these ids that exist, in any order.
    async fn vendors_by_id(&self, ids: &[VendorId]) -> Result<Vec<Vendor>> {
        let mut found = Vec::with_capacity(ids.len());
        for &id in ids {
            found.extend(self.vendor(id).await?);
        }
        Ok(found)
    }
    /// The signals of these ids that exist, in any order.
    async fn signals_by_id(&self, ids: &[SignalId]) -> Result<Vec<Signal>> {
        let mut found = Vec::with_capacity(ids.len());
        for &id in ids {
            found.extend(self.signal(id).await?);
        }
        Ok(found)
    }
    /// The findings of these ids that exist, in any order.
    async fn findings_by_id(&self, ids: &[FindingId]) -> Result<Vec<Finding>> {
        let mut found = Vec::with_capacity(ids.len());
        for &id in ids {
            found.extend(self.finding(id).await?);
        }
        Ok(found)
    }
    /// The current posture of each of these vendors that has one.
    async fn current_postures(&self, vendors: &[VendorId]) -> Result<Vec<(VendorId, Posture)>> {
        let mut found = Vec::with_capacity(vendors.len());
        for &vendor in vendors {
            found.extend(self.postures(vendor, None).await?.into_iter().next().map(|posture| (vendor, posture)));
        }
        Ok(found)
    }
}

// ---------------------------------------------------------------- what the API needs (made by the root)

/// Raw input as it came over HTTP or from a file.
#[derive(Debug, Clone)]
pub struct RawBatch {
    /// `native`, `nginx`, `apache`, `auto` ...
    pub format: Text,
    /// Decompressed body: NDJSON or JSON array for `native`, lines for log formats.
    pub body: bytes::Bytes,
    /// Name of the token that sent it; becomes `source` where the event has none.
    pub sender: Text,
}

/// What became of a batch, after it is durable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    pub accepted: u64,
    pub duplicates: u64,
    pub rejected: Vec<Reject>,
    /// Rejects beyond those listed (the list is cut at 1,000).
    pub rejected_more: u64,
    /// Last position of the batch; `None` when nothing was new.
    pub position: Option<Position>,
}

/// Takes input and makes it durable.
#[async_trait]
pub trait Intake: Send + Sync {
    /// Returns once every accepted event is durable. `FaultCode::Overloaded` when the pipeline is too far behind.
    async fn accept(&self, batch: RawBatch) -> Result<Receipt>;
}

/// The risk graph in memory. Calls are short and do not block on I/O.
pub trait GraphView: Send + Sync {
    fn entity(&self, id: EntityId) -> Option<Entity>;
    fn entities(&self, ids: &[EntityId]) -> Vec<Option<Entity>>;
    /// Fuzzy over names and keys when there is a query, best first; else by risk, highest first.
    fn search(
        &self,
        query: Option<&str>,
        kinds: &[EntityKind],
        min_risk: Option<f64>,
        page: &PageRequest,
    ) -> Page<Entity>;
    fn relation(&self, id: RelationId) -> Option<Relation>;
    /// Edges at this entity in both directions, newest first.
    fn relations(&self, entity: EntityId, kinds: &[RelationKind], page: &PageRequest) -> Page<Relation>;
    fn risk(&self, entity: EntityId) -> Option<Risk>;
    /// Shortest path within `max_depth` edges; `None` when there is none.
    fn path(&self, from: EntityId, to: EntityId, max_depth: u32) -> Option<Vec<Relation>>;
    fn blast_radius(&self, entity: EntityId, max_depth: u32) -> Vec<Reached>;
    fn concentration(&self, first: usize) -> Vec<Concentration>;
    /// What the vendor's own crawl showed it depends on.
    fn fourth_parties(&self, vendor: &EntityKey) -> Vec<Relation>;
    /// API keys of an integration.
    fn keys_of(&self, integration: EntityId) -> Vec<Entity>;
}

/// The learned normal of integrations.
pub trait BaselineView: Send + Sync {
    /// What is normal for the integration, as JSON: rate by hour of week, endpoints, statuses, networks, records.
    fn baseline(&self, integration: &str) -> serde_json::Value;
    fn traffic(&self, integration: &str, since: Timestamp, until: Option<Timestamp>, step_s: u32) -> Vec<TrafficPoint>;
}

/// Makes changes: journals the command, waits until it is judged.
#[async_trait]
pub trait Commands: Send + Sync {
    async fn execute(&self, viewer: &Viewer, change: Change) -> Result<()>;
    /// Queues an assessment of the vendor now.
    async fn assess(&self, viewer: &Viewer, vendor: VendorId) -> Result<bool>;
}

/// A step of a running assessment.
#[derive(Debug, Clone, PartialEq)]
pub struct AssessmentProgress {
    pub vendor: VendorId,
    pub done: u32,
    pub total: u32,
    pub finished: bool,
}

/// One item of the live alert stream.
#[derive(Debug, Clone)]
pub struct LiveAlert {
    pub event: Arc<AlertEvent>,
    /// Events this subscriber missed before this one.
    pub lagged: u64,
}

/// Streams of what happens.
#[async_trait]
pub trait Live: Send + Sync {
    /// Replays what came after `after` and goes on live, without gap or repeat. `None` starts live.
    async fn alerts(&self, after: Option<u64>) -> Result<BoxStream<'static, LiveAlert>>;
    /// Entities whose risk changed by at least `min_delta` points, with their new risk.
    fn risk_changes(&self, kinds: Vec<EntityKind>, min_delta: f64) -> BoxStream<'static, Entity>;
    fn assessments(&self, vendor: Option<VendorId>) -> BoxStream<'static, AssessmentProgress>;
}

/// Checks and makes tokens.
#[async_trait]
pub trait Gatekeeper: Send + Sync {
    /// The viewer of a bearer token; `FaultCode::Unauthenticated` when it is not valid now.
    async fn authenticate(&self, bearer: &str) -> Result<Viewer>;
    /// Whether a viewer's token is still valid (not expired or revoked); asked again during long streams.
    async fn still_valid(&self, viewer: &Viewer) -> bool;
    /// Makes a token; the returned secret is shown once and kept nowhere.
    async fn create(&self, name: &str, role: Role, expires_at: Option<Timestamp>) -> Result<(Token, String)>;
    async fn tokens(&self) -> Result<Vec<Token>>;
    async fn revoke(&self, id: TokenId) -> Result<bool>;
}

/// How the service is.
#[async_trait]
pub trait Status: Send + Sync {
    /// Prometheus text of `GET /metrics`.
    async fn metrics(&self) -> String;
    /// `Ok` when it can take and judge events.
    async fn ready(&self) -> Result<()>;
}

// ---------------------------------------------------------------- what jobs need of the outside (made by `connectors`)

/// Looks at one domain from outside.
#[async_trait]
pub trait Crawler: Send + Sync {
    /// Never fails: what could not be seen is a `ProbeFailure` inside.
    async fn observe(&self, domain: &str, now: Timestamp) -> crate::observation::DomainObservations;
}
