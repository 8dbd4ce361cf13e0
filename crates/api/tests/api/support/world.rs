//! In-memory makers of every port the API needs.

mod delivery;
mod ledger;
mod playbooks;
mod ports;
mod reports;
mod sessions;
mod triage;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize};

use parking_lot::Mutex;
use riskgraph_domain::access::{Role, Token, Viewer};
use riskgraph_domain::alert::{Alert, AlertCause, AlertChange, AlertEvent, TimelineEntry};
use riskgraph_domain::audit::Entry;
use riskgraph_domain::error::Fault;
use riskgraph_domain::graph::{Entity, EntityKey, EntityKind, Relation, RelationKind};
use riskgraph_domain::id::TokenId;
use riskgraph_domain::ports::{AssessmentProgress, RawBatch};
use riskgraph_domain::posture::{Finding, Posture};
use riskgraph_domain::signal::{Severity, Signal};
use riskgraph_domain::triage::{Case, Silence};
use riskgraph_domain::vendor::{Integration, Vendor};
use tokio::sync::{Semaphore, broadcast};

pub(crate) use reports::SHARED;
pub(crate) use sessions::CODE;

use super::sample::{self, NOW, alert, entity, finding, posture, relation, signal, vendor};
use super::{ADMIN, ANALYST, INGEST, READER};

/// Live events a slow subscriber may be behind before it misses some.
const BEHIND_MAX: usize = 16;

/// A small world: one vendor that operates an integration whose key misbehaved.
pub(crate) struct World {
    pub(crate) tables: Mutex<Tables>,
    pub(crate) batches: Mutex<Vec<RawBatch>>,
    /// What the intake answers next, when not the receipt of an accepted batch.
    pub(crate) refuse: Mutex<Option<Fault>>,
    /// Permits an `accept` takes before it answers; closed by default means none needed.
    pub(crate) gate: Mutex<Option<Arc<Semaphore>>>,
    pub(crate) waiting: AtomicUsize,
    /// Questions to the records, to see that pages do not ask once a row.
    pub(crate) questions: AtomicU64,
    pub(crate) alerts: broadcast::Sender<Arc<AlertEvent>>,
    pub(crate) risks: broadcast::Sender<Entity>,
    pub(crate) steps: broadcast::Sender<AssessmentProgress>,
}

#[derive(Default)]
pub(crate) struct Tables {
    pub(crate) vendors: Vec<Vendor>,
    pub(crate) integrations: Vec<Integration>,
    pub(crate) entities: Vec<Entity>,
    pub(crate) relations: Vec<Relation>,
    pub(crate) signals: Vec<Signal>,
    pub(crate) alerts: Vec<Alert>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) silences: Vec<Silence>,
    pub(crate) cases: Vec<Case>,
    pub(crate) postures: Vec<(riskgraph_domain::id::VendorId, Posture)>,
    pub(crate) events: Vec<AlertEvent>,
    /// Sequence numbers up to here are no longer kept.
    pub(crate) forgotten: u64,
    pub(crate) viewers: BTreeMap<String, Viewer>,
    pub(crate) tokens: Vec<Token>,
    /// Secret of a session -> its token's viewer.
    pub(crate) sessions: BTreeMap<String, Viewer>,
    pub(crate) n_sessions: u64,
    pub(crate) code_taken: bool,
    /// The audit log.
    pub(crate) entries: Vec<Entry>,
    /// A fault every record meets.
    pub(crate) log_broken: Option<Fault>,
    /// A fault every question to the records meets.
    pub(crate) broken: Option<Fault>,
}

impl World {
    pub(crate) fn new() -> Arc<Self> {
        let mut tables = Tables::default();
        for (bearer, role) in
            [(ADMIN, Role::Admin), (ANALYST, Role::Analyst), (READER, Role::Reader), (INGEST, Role::Ingest)]
        {
            let token = TokenId::of(&[bearer]);
            let viewer = Viewer { token, name: role.as_str().into(), role, expires_at: None };
            tables.viewers.insert(bearer.to_owned(), viewer);
        }
        fill(&mut tables);
        Arc::new(Self {
            tables: Mutex::new(tables),
            batches: Mutex::default(),
            refuse: Mutex::default(),
            gate: Mutex::default(),
            waiting: AtomicUsize::new(0),
            questions: AtomicU64::new(0),
            alerts: broadcast::channel(BEHIND_MAX).0,
            risks: broadcast::channel(BEHIND_MAX).0,
            steps: broadcast::channel(BEHIND_MAX).0,
        })
    }

    /// Appends an alert change to the sequence and publishes it.
    pub(crate) fn happen(&self, change: AlertChange, alert: Alert) -> u64 {
        let mut tables = self.tables.lock();
        let sequence = tables.forgotten + tables.events.len() as u64 + 1;
        let (cause, at) = (AlertCause::Signal, NOW);
        let event = AlertEvent { sequence, change, cause, actor: None, at, alert };
        tables.events.push(event.clone());
        // Nobody may be listening.
        let _unheard = self.alerts.send(Arc::new(event));
        sequence
    }
}

/// Adds a user, what they did, and an alert of it; gives alert and user.
pub(crate) fn personal(world: &World) -> (Alert, EntityKey) {
    let user = EntityKey::new(EntityKind::User, "mia");
    let mut tables = world.tables.lock();
    let seen = signal("of-mia", user.clone());
    let mut told = alert("of-mia", Severity::High, vec![user.clone()]);
    told.timeline = vec![TimelineEntry { time: NOW, text: "mia".into(), signal: Some(seen.id), actor: None }];
    tables.entities.push(entity(EntityKind::User, "mia"));
    tables.entities.push(entity(EntityKind::Address, "198.51.100.7"));
    tables.signals.push(seen);
    tables.alerts.push(told.clone());
    (told, user)
}

/// VENDOR acme OPERATES INTEGRATION acme-sync USES API_KEY key-1, with a signal, an alert and a finding.
fn fill(tables: &mut Tables) {
    let acme = vendor("acme");
    let integration = EntityKey::new(EntityKind::Integration, "acme-sync");
    let key = EntityKey::new(EntityKind::ApiKey, "key-1");
    tables.entities = vec![
        entity(EntityKind::Vendor, "acme.example"),
        entity(EntityKind::Integration, "acme-sync"),
        entity(EntityKind::ApiKey, "key-1"),
        entity(EntityKind::Domain, "acme.example"),
    ];
    tables.relations = vec![
        relation(RelationKind::Operates, &acme.entity(), &integration),
        relation(RelationKind::Uses, &integration, &key),
    ];
    let integration_id = riskgraph_domain::id::IntegrationId::of(&["acme-sync"]);
    tables.integrations =
        vec![Integration { id: integration_id, name: sample::text("acme-sync"), vendor: Some(acme.id) }];
    tables.signals = vec![signal("s1", key.clone())];
    let hsts = finding(&acme, "HTTP-01");
    tables.postures = vec![(acme.id, posture(&hsts))];
    let mut first = alert("a1", Severity::High, vec![key]);
    first.path = tables.relations.iter().map(|edge| edge.id).collect();
    first.findings = vec![hsts.id];
    tables.findings = vec![hsts];
    tables.alerts = vec![first];
    tables.vendors = vec![acme];
    tables.tokens = vec![Token {
        id: TokenId::of(&[ADMIN]),
        name: "first".into(),
        role: Role::Admin,
        secret_hash: "not shown".into(),
        created_at: NOW,
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
    }];
}
