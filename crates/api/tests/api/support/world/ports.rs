//! The ports, over the tables of the world. Filters that no test looks at are not applied.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use futures::stream::{BoxStream, StreamExt};
use riskgraph_domain::access::{Role, Token, Viewer};
use riskgraph_domain::alert::{Alert, AlertEvent, AlertFilter, AlertStatus};
use riskgraph_domain::command::Change;
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::graph::{
    Concentration, Entity, EntityKey, EntityKind, Reached, Relation, RelationKind, Risk, RiskCause, RiskContribution,
};
use riskgraph_domain::id::{AlertId, EntityId, FindingId, IntegrationId, RelationId, SignalId, TokenId, VendorId};
use riskgraph_domain::journal::Position;
use riskgraph_domain::page::{Page, PageRequest};
use riskgraph_domain::ports::*;
use riskgraph_domain::posture::{Finding, FindingStatus, Posture, PostureDesk, ScoreDiff, ScoreFix};
use riskgraph_domain::signal::{Severity, Signal};
use riskgraph_domain::time::Timestamp;
use riskgraph_domain::vendor::{Integration, TrafficPoint, Vendor, VendorTier};
use serde_json::{Value, json};
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::wrappers::errors::BroadcastStreamRecvError;

use super::super::sample::NOW;
use super::{Tables, World};

type Result<T> = std::result::Result<T, Fault>;

pub(super) fn page<T: Clone>(rows: impl Iterator<Item = T>, request: &PageRequest) -> Page<T> {
    let skip: usize = request.after.as_deref().and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
    let rows: Vec<T> = rows.collect();
    let total = rows.len() as u64;
    let items: Vec<(String, T)> = rows
        .into_iter()
        .enumerate()
        .skip(skip)
        .take(request.first)
        .map(|(at, row)| ((at + 1).to_string(), row))
        .collect();
    Page { has_next: ((skip + items.len()) as u64) < total, items, total: Some(total) }
}

impl World {
    pub(super) fn read<T>(&self, question: impl FnOnce(&Tables) -> T) -> Result<T> {
        self.questions.fetch_add(1, Ordering::Relaxed);
        let tables = self.tables.lock();
        match &tables.broken {
            Some(fault) => Err(fault.clone()),
            None => Ok(question(&tables)),
        }
    }
}

#[async_trait]
impl Intake for World {
    async fn accept(&self, batch: RawBatch) -> Result<Receipt> {
        let gate = self.gate.lock().clone();
        if let Some(gate) = gate {
            self.waiting.fetch_add(1, Ordering::SeqCst);
            let _permit = gate.acquire().await;
        }
        if let Some(fault) = self.refuse.lock().clone() {
            return Err(fault);
        }
        let mut receipt = Receipt::default();
        for (at, line) in batch.body.split(|&byte| byte == b'\n').enumerate() {
            match serde_json::from_slice::<Value>(line) {
                _ if line.is_empty() => {}
                Ok(_) => receipt.accepted += 1,
                Err(_) => {
                    receipt.rejected.push(riskgraph_domain::Reject::new(at as u64 + 1, FaultCode::Syntax, "not JSON"))
                }
            }
        }
        receipt.position = (receipt.accepted > 0).then_some(Position(receipt.accepted));
        self.batches.lock().push(batch);
        Ok(receipt)
    }
}

impl GraphView for World {
    fn entity(&self, id: EntityId) -> Option<Entity> {
        self.tables.lock().entities.iter().find(|row| row.id == id).cloned()
    }
    fn entities(&self, ids: &[EntityId]) -> Vec<Option<Entity>> {
        ids.iter().map(|&id| self.entity(id)).collect()
    }
    fn search(&self, query: Option<&str>, kinds: &[EntityKind], _: Option<f64>, request: &PageRequest) -> Page<Entity> {
        let tables = self.tables.lock();
        let wanted = |row: &&Entity| {
            (kinds.is_empty() || kinds.contains(&row.kind)) && query.is_none_or(|query| row.key.contains(query))
        };
        page(tables.entities.iter().filter(wanted).cloned(), request)
    }
    fn relation(&self, id: RelationId) -> Option<Relation> {
        self.tables.lock().relations.iter().find(|row| row.id == id).cloned()
    }
    fn relations(&self, entity: EntityId, kinds: &[RelationKind], request: &PageRequest) -> Page<Relation> {
        let tables = self.tables.lock();
        let wanted = |row: &&Relation| {
            (row.from == entity || row.to == entity) && (kinds.is_empty() || kinds.contains(&row.kind))
        };
        page(tables.relations.iter().filter(wanted).cloned(), request)
    }
    fn risk(&self, entity: EntityId) -> Option<Risk> {
        let key = EntityKey::new(EntityKind::ApiKey, "key-1").id();
        (entity == key).then(|| Risk {
            score: 35.0,
            level: Severity::Low,
            own: 35.0,
            propagated: 0.0,
            contributions: vec![RiskContribution {
                points: 35.0,
                reason: "signal s1".into(),
                cause: RiskCause::Signal(SignalId::of(&["s1"])),
                via: None,
            }],
            model: "rg-risk/1".into(),
        })
    }
    fn path(&self, from: EntityId, _: EntityId, _: u32) -> Option<Vec<Relation>> {
        let tables = self.tables.lock();
        tables.relations.first().filter(|edge| edge.from == from).map(|_| tables.relations.clone())
    }
    fn blast_radius(&self, entity: EntityId, _: u32) -> Vec<Reached> {
        let edges = self.relations(entity, &[], &PageRequest::first(10)).items;
        let reached = edges.into_iter().filter(|(_, edge)| edge.from == entity);
        reached
            .filter_map(|(_, edge)| {
                Some(Reached { entity: self.entity(edge.to)?, distance: 1, path: vec![edge], exposure: 0.5 })
            })
            .collect()
    }
    fn concentration(&self, first: usize) -> Vec<Concentration> {
        let entities = self.tables.lock().entities.clone();
        let rows = entities.into_iter().take(first);
        rows.map(|entity| Concentration { entity, vendors: 1, critical_vendors: 0, share: 1.0 }).collect()
    }
    fn fourth_parties(&self, _: &EntityKey) -> Vec<Relation> {
        Vec::new()
    }
    fn keys_of(&self, _: EntityId) -> Vec<Entity> {
        self.tables.lock().entities.iter().filter(|row| row.kind == EntityKind::ApiKey).cloned().collect()
    }
}

impl BaselineView for World {
    fn baseline(&self, integration: &str) -> Value {
        json!({ "integration": integration })
    }
    fn traffic(&self, _: &str, since: Timestamp, _: Option<Timestamp>, _: u32) -> Vec<TrafficPoint> {
        vec![TrafficPoint {
            time: since,
            calls: 1.0,
            expected: 1.0,
            lower: 0.0,
            upper: 2.0,
            errors: 0.0,
            records: 3.0,
            anomaly: 0.1,
        }]
    }
}

#[async_trait]
impl Records for World {
    async fn vendors(&self, filter: VendorFilter, request: PageRequest) -> Result<Page<Vendor>> {
        self.read(|t| {
            let wanted = |row: &&Vendor| filter.query.as_ref().is_none_or(|query| row.name.contains(query.as_str()));
            page(t.vendors.iter().filter(wanted).cloned(), &request)
        })
    }
    async fn vendor(&self, id: VendorId) -> Result<Option<Vendor>> {
        self.read(|t| t.vendors.iter().find(|row| row.id == id).cloned())
    }
    async fn vendor_by_name(&self, name: &str) -> Result<Option<Vendor>> {
        self.read(|t| t.vendors.iter().find(|row| row.name.as_str() == name).cloned())
    }
    async fn vendor_by_domain(&self, domain: &str) -> Result<Option<Vendor>> {
        self.read(|t| t.vendors.iter().find(|row| row.domains.iter().any(|d| d.as_str() == domain)).cloned())
    }
    async fn integrations(&self, vendor: Option<VendorId>, request: PageRequest) -> Result<Page<Integration>> {
        self.read(|t| {
            let wanted = |row: &&Integration| vendor.is_none() || row.vendor == vendor;
            page(t.integrations.iter().filter(wanted).cloned(), &request)
        })
    }
    async fn integration(&self, id: IntegrationId) -> Result<Option<Integration>> {
        self.read(|t| t.integrations.iter().find(|row| row.id == id).cloned())
    }
    async fn integration_by_name(&self, name: &str) -> Result<Option<Integration>> {
        self.read(|t| t.integrations.iter().find(|row| row.name.as_str() == name).cloned())
    }
    async fn postures(&self, vendor: VendorId, _: Option<Timestamp>) -> Result<Vec<Posture>> {
        self.read(|t| t.postures.iter().filter(|row| row.0 == vendor).map(|row| row.1.clone()).collect())
    }
    async fn findings(&self, filter: FindingFilter, request: PageRequest) -> Result<Page<Finding>> {
        self.read(|t| {
            let wanted = |row: &&Finding| filter.vendor.is_none() || row.vendor == filter.vendor;
            page(t.findings.iter().filter(wanted).cloned(), &request)
        })
    }
    async fn finding(&self, id: FindingId) -> Result<Option<Finding>> {
        self.read(|t| t.findings.iter().find(|row| row.id == id).cloned())
    }
    async fn signals(&self, _: SignalFilter, request: PageRequest) -> Result<Page<Signal>> {
        self.read(|t| page(t.signals.iter().cloned(), &request))
    }
    async fn signal(&self, id: SignalId) -> Result<Option<Signal>> {
        self.read(|t| t.signals.iter().find(|row| row.id == id).cloned())
    }
    async fn signals_by_id(&self, ids: &[SignalId]) -> Result<Vec<Signal>> {
        self.read(|t| t.signals.iter().filter(|row| ids.contains(&row.id)).cloned().collect())
    }
    async fn vendors_by_id(&self, ids: &[VendorId]) -> Result<Vec<Vendor>> {
        self.read(|t| t.vendors.iter().filter(|row| ids.contains(&row.id)).cloned().collect())
    }
    async fn alerts(&self, filter: AlertFilter, request: PageRequest) -> Result<Page<Alert>> {
        self.read(|t| {
            let wanted = |row: &&Alert| filter.min_severity.is_none_or(|least| row.severity >= least);
            page(t.alerts.iter().filter(wanted).cloned(), &request)
        })
    }
    async fn alert(&self, id: AlertId) -> Result<Option<Alert>> {
        self.read(|t| t.alerts.iter().find(|row| row.id == id).cloned())
    }
    async fn alert_events(&self, after: u64, max: usize) -> Result<Vec<AlertEvent>> {
        self.read(|t| t.events.iter().filter(|event| event.sequence > after).take(max).cloned().collect())
    }
    async fn alert_event_range(&self) -> Result<Option<(u64, u64)>> {
        self.read(|t| Some((t.events.first()?.sequence, t.events.last()?.sequence)))
    }
}

#[async_trait]
impl Commands for World {
    async fn execute(&self, viewer: &Viewer, change: Change) -> Result<()> {
        let mut tables = self.tables.lock();
        match change {
            Change::AddVendor { id, input } | Change::UpdateVendor { id, input } => {
                tables.vendors.retain(|row| row.id != id);
                tables.vendors.push(Vendor {
                    id,
                    name: input.name,
                    domains: input.domains,
                    tier: input.tier.unwrap_or(VendorTier::Medium),
                    owner: input.owner,
                    integrations: input.integrations.unwrap_or_default(),
                    added_at: NOW,
                });
            }
            Change::RemoveVendor { id } => tables.vendors.retain(|row| row.id != id),
            Change::RecordAssessment(_) => {}
            Change::AcknowledgeAlert { id, .. } => {
                change_alert(&mut tables, id, |alert| alert.status = AlertStatus::Acknowledged);
            }
            Change::AssignAlert { id, assignee } => {
                change_alert(&mut tables, id, |alert| alert.assignee = Some(assignee));
            }
            Change::ResolveAlert { id, verdict, .. } => change_alert(&mut tables, id, |alert| {
                alert.status = AlertStatus::Resolved;
                alert.verdict = Some(verdict);
            }),
            Change::AcceptFinding { id, until, reason } => change_finding(&mut tables, id, |finding| {
                finding.status = FindingStatus::Accepted;
                finding.accepted_until = Some(until);
                finding.note = Some(format!("{reason} ({})", viewer.name));
            }),
            Change::DisputeFinding { id, .. } => {
                change_finding(&mut tables, id, |finding| finding.status = FindingStatus::Disputed);
            }
            other => super::triage::change(&mut tables, viewer, other)?,
        }
        Ok(())
    }
    async fn assess(&self, _: &Viewer, _: VendorId) -> Result<bool> {
        Ok(true)
    }
}

/// The postures of the world, as if nothing had ever changed.
#[async_trait]
impl PostureDesk for World {
    async fn what_if(&self, vendor: VendorId, _: &[FindingId]) -> Result<Option<Posture>> {
        Ok(Records::current_postures(self, &[vendor]).await?.into_iter().next().map(|(_, posture)| posture))
    }
    async fn without_disputed(&self, vendor: VendorId) -> Result<Option<Posture>> {
        self.what_if(vendor, &[]).await
    }
    async fn fixes(&self, _: VendorId, _: usize) -> Result<Vec<ScoreFix>> {
        Ok(Vec::new())
    }
    async fn difference(&self, vendor: VendorId, _: Timestamp, _: Option<Timestamp>) -> Result<Option<ScoreDiff>> {
        let posture = self.what_if(vendor, &[]).await?;
        Ok(posture.map(|posture| ScoreDiff { before: posture.clone(), after: posture, steps: Vec::new() }))
    }
}

fn change_alert(tables: &mut Tables, id: AlertId, change: impl FnOnce(&mut Alert)) {
    tables.alerts.iter_mut().find(|row| row.id == id).map(change);
}

fn change_finding(tables: &mut Tables, id: FindingId, change: impl FnOnce(&mut Finding)) {
    tables.findings.iter_mut().find(|row| row.id == id).map(change);
}

#[async_trait]
impl Live for World {
    async fn alerts(&self, after: Option<u64>) -> Result<BoxStream<'static, LiveAlert>> {
        let tables = self.tables.lock();
        let live = BroadcastStream::new(self.alerts.subscribe());
        let replay: Vec<AlertEvent> = match after {
            Some(after) => tables.events.iter().filter(|event| event.sequence > after).cloned().collect(),
            None => Vec::new(),
        };
        let live = live.scan(0_u64, |missed, item| {
            let out = match item {
                Ok(event) => Some(LiveAlert { event, lagged: std::mem::take(missed) }),
                Err(BroadcastStreamRecvError::Lagged(count)) => {
                    *missed += count;
                    None
                }
            };
            std::future::ready(Some(out))
        });
        let replay = replay.into_iter().map(|event| LiveAlert { event: Arc::new(event), lagged: 0 });
        Ok(futures::stream::iter(replay).chain(live.filter_map(std::future::ready)).boxed())
    }
    fn risk_changes(&self, _: Vec<EntityKind>, _: f64) -> BoxStream<'static, Entity> {
        BroadcastStream::new(self.risks.subscribe()).filter_map(|item| std::future::ready(item.ok())).boxed()
    }
    fn assessments(&self, _: Option<VendorId>) -> BoxStream<'static, AssessmentProgress> {
        BroadcastStream::new(self.steps.subscribe()).filter_map(|item| std::future::ready(item.ok())).boxed()
    }
}

#[async_trait]
impl Gatekeeper for World {
    async fn authenticate(&self, bearer: &str) -> Result<Viewer> {
        let viewer = self.tables.lock().viewers.get(bearer).cloned();
        viewer.ok_or_else(|| Fault::new(FaultCode::Unauthenticated, "the token is not valid"))
    }
    async fn still_valid(&self, viewer: &Viewer) -> bool {
        self.tables.lock().viewers.values().any(|known| known.token == viewer.token)
    }
    async fn create(&self, name: &str, role: Role, expires_at: Option<Timestamp>) -> Result<(Token, String)> {
        let secret = format!("secret-of-{name}");
        let id = TokenId::of(&[name]);
        let token = Token {
            id,
            name: name.into(),
            role,
            secret_hash: "not shown".into(),
            created_at: NOW,
            expires_at,
            last_used_at: None,
            revoked_at: None,
        };
        let mut tables = self.tables.lock();
        tables.viewers.insert(secret.clone(), Viewer { token: id, name: name.into(), role, expires_at });
        tables.tokens.push(token.clone());
        Ok((token, secret))
    }
    async fn tokens(&self) -> Result<Vec<Token>> {
        Ok(self.tables.lock().tokens.clone())
    }
    async fn revoke(&self, id: TokenId) -> Result<bool> {
        let mut tables = self.tables.lock();
        let n_before = tables.viewers.len();
        tables.viewers.retain(|_, viewer| viewer.token != id);
        Ok(tables.viewers.len() < n_before)
    }
}

#[async_trait]
impl Status for World {
    async fn metrics(&self) -> String {
        "riskgraph_events_lag 0\n".to_owned()
    }
    async fn ready(&self) -> Result<()> {
        self.read(|_| ())
    }
}
