//! Layer B of the pipeline: events and commands become graph, risk and alerts.
//!
//! Deterministic and in memory: what changes goes into a [`Delta`], and [`Loader`] makes of the rows exactly the stage that wrote
//! them. How the input was cut into deltas changes nothing but how often rows are written. It must *not* know
//! stores, threads or the wall clock.

mod assess;
mod intel;
mod load;
mod vendors;

use std::collections::{BTreeMap, BTreeSet};

use riskgraph_domain::alert::Alert;
use riskgraph_domain::command::{Change, Command};
use riskgraph_domain::event::Event;
use riskgraph_domain::ports::Delta;
use riskgraph_domain::posture::Finding;
use riskgraph_domain::signal::{Signal, TouchRole};
use riskgraph_domain::time::HOUR_MS;
use riskgraph_domain::vendor::{Integration, Vendor};
use riskgraph_domain::{
    AlertId, EntityId, EntityKind, EventKind, Fault, FindingId, IntegrationId, Text, Timestamp, VendorId,
};
use rustc_hash::FxHashMap;

use crate::correlate::{By, Correlator, Touching};
use crate::detect::Context;
use crate::facts::{self, News};
use crate::graph::{NodeIx, RiskGraph, Upsert};
use crate::policy::{Policy, PolicyConfig};
use crate::spread::RiskConfig;

pub use load::{Loader, StageRows};

/// Names of the stage's own detectors.
pub const VENDOR_INCIDENT: &str = "vendor_incident";
pub const LEAK_MATCH: &str = "leak_match";

/// Entities of one signal that are written.
const TOUCHED_MAX: usize = 256;
/// The blob with what is in no row.
const BLOB: &str = "stage";
/// Who says what a person declared, and what was found by likeness.
const DECLARED: &str = "declared";
const RESOLVED: &str = "resolved";

/// Graph, risk, correlation, vendors and findings.
#[derive(Debug)]
pub struct Stage {
    graph: RiskGraph,
    correlator: Correlator,
    vendors: BTreeMap<VendorId, Vendor>,
    integrations: BTreeMap<IntegrationId, Integration>,
    /// Findings that are not resolved.
    findings: BTreeMap<FindingId, Finding>,
    index: Index,
    changed: Changed,
    news: News,
}

/// Ways to nodes besides their keys; made anew from rows.
#[derive(Debug, Default)]
struct Index {
    /// First 64 bits of the SHA-256 of a lower-case login.
    logins: FxHashMap<u64, NodeIx>,
    /// API keys by public id, for prefixes.
    api_keys: BTreeMap<Text, NodeIx>,
    /// Staff by the registrable domain of their address.
    staff: BTreeMap<Text, BTreeSet<NodeIx>>,
    /// Vendors by registrable domain.
    vendors: BTreeMap<Text, VendorId>,
    /// Indicators of incidents.
    incidents: BTreeSet<NodeIx>,
    n_leaks: u64,
}

/// Rows to be written besides the graph's.
#[derive(Debug, Default)]
struct Changed {
    vendors: BTreeSet<VendorId>,
    removed_vendors: BTreeSet<VendorId>,
    integrations: BTreeSet<IntegrationId>,
    findings: BTreeMap<FindingId, Finding>,
    watermark: Watermark,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Watermark {
    #[default]
    Written,
    Moved,
}

impl Stage {
    /// An empty stage.
    #[must_use]
    pub fn new(config: &RiskConfig, policy: &PolicyConfig) -> Self {
        let kinds = config.correlate.shared_max.iter();
        let hubs = kinds.filter(|(_, max)| **max == 0).map(|(kind, _)| *kind).collect();
        Self {
            graph: RiskGraph::new(config.clone()),
            correlator: Correlator::new(Policy::new(policy, hubs)),
            vendors: BTreeMap::new(),
            integrations: BTreeMap::new(),
            findings: BTreeMap::new(),
            index: Index::default(),
            changed: Changed::default(),
            news: News::default(),
        }
    }

    /// The graph, for questions.
    #[must_use]
    pub const fn graph(&self) -> &RiskGraph {
        &self.graph
    }

    /// The number of the last alert change.
    #[must_use]
    pub const fn alert_sequence(&self) -> u64 {
        self.correlator.sequence()
    }

    /// An open alert as it is now; its row may be some signals behind.
    #[must_use]
    pub fn alert(&self, id: AlertId) -> Option<&Alert> {
        self.correlator.alert(id)
    }

    /// Open alerts as they are now.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.correlator.alerts()
    }

    /// Takes one event and the signals the detectors made of it.
    pub fn on_event(&mut self, event: &Event, signals: Vec<Signal>, context: &Context, delta: &mut Delta) {
        self.correlator.clock(context.accepted_at);
        self.advance(event.time);
        let mut news = std::mem::take(&mut self.news);
        facts::record(event, &mut self.graph, &mut news);
        if !signals.is_empty() {
            facts::record_judged(event, &mut self.graph, &mut news);
        }
        let leaked = self.welcome(&mut news, event.time);
        self.news = news;
        for signal in signals {
            self.judge(signal, context, delta);
        }
        for (ix, leak) in leaked {
            self.leaked(ix, leak, context, delta);
        }
        match event.kind {
            EventKind::VendorIncident => self.incident(event, context, delta),
            EventKind::LeakRecord => self.leak(event, context, delta),
            _ => {}
        }
    }

    /// Applies one change by a person or job.
    ///
    /// # Errors
    /// `Conflict` and `NotFound` when the change does not fit what is there; then nothing has changed.
    pub fn on_command(&mut self, command: &Command, context: &Context, delta: &mut Delta) -> Result<(), Fault> {
        self.correlator.clock(context.accepted_at);
        if let Change::Recalled { alerts, as_of, change } = &command.change {
            self.correlator.recall(alerts, *as_of);
            let done = self.change(change, command, context, delta);
            self.correlator.recall(&[], 0);
            return done;
        }
        self.change(&command.change, command, context, delta)
    }

    fn change(
        &mut self,
        change: &Change,
        command: &Command,
        context: &Context,
        delta: &mut Delta,
    ) -> Result<(), Fault> {
        match change {
            Change::AddVendor { id, input } => self.add_vendor(*id, input, command, (context, delta)),
            Change::UpdateVendor { id, input } => self.update_vendor(*id, input, command, delta),
            Change::RemoveVendor { id } => self.remove_vendor(*id, command, delta),
            Change::RecordAssessment(record) => self.record_assessment(record, command, delta),
            Change::AcceptFinding { id, reason, until } => self.accept_finding(*id, reason, *until, command),
            Change::DisputeFinding { id, reason, kind } => self.dispute_finding(*id, reason, *kind, command),
            Change::ResolveAlert { id, verdict, note } => {
                let by = By { command, note: note.as_deref() };
                self.correlator.resolve(*id, by, *verdict, &mut self.graph, delta)
            }
            other => self.correlator.triage(other, command, delta),
        }
    }

    /// Whether [`Change::Review`] would change something at this instant.
    #[must_use]
    pub fn review_due(&self, now: Timestamp) -> bool {
        self.correlator.review_due(now)
    }

    /// Writes the changed rows into the delta. Called once, when the delta is complete; signals and alert changes are in
    /// it already.
    pub fn flush(&mut self, delta: &mut Delta) {
        let (entities, relations) = self.graph.take_rows();
        delta.entities.extend(entities);
        delta.relations.extend(relations);
        let changed = std::mem::take(&mut self.changed);
        delta.vendors.extend(changed.vendors.iter().filter_map(|id| self.vendors.get(id)).cloned());
        delta.removed_vendors.extend(changed.removed_vendors);
        delta.integrations.extend(changed.integrations.iter().filter_map(|id| self.integrations.get(id)).cloned());
        delta.findings.extend(changed.findings.into_values());
        if changed.watermark == Watermark::Moved {
            delta.blobs.push((Text::from(BLOB), self.graph.now().0.to_be_bytes().to_vec()));
        }
        self.correlator.flush(delta);
    }

    fn advance(&mut self, time: Timestamp) {
        let before = self.graph.now();
        if self.graph.advance(time) {
            self.changed.watermark = Watermark::Moved;
            if before.floor(HOUR_MS) != self.graph.now().floor(HOUR_MS) {
                self.correlator.sweep(self.graph.now(), &self.graph);
            }
        }
    }

    /// Makes what a signal touches part of the graph, correlates it, and writes it.
    fn judge(&mut self, signal: Signal, context: &Context, delta: &mut Delta) {
        let mut news = std::mem::take(&mut self.news);
        let mut nodes: Vec<(NodeIx, TouchRole)> = Vec::with_capacity(signal.entities.len());
        for touched in signal.entities.iter().take(TOUCHED_MAX) {
            let Some(key) = facts::canonical(touched.entity.kind, &touched.entity.key) else { continue };
            let Some((ix, upsert)) = self.graph.see(touched.entity.kind, &key, signal.occurred_at) else { continue };
            if upsert == Upsert::New {
                news.nodes.push(ix);
            }
            match nodes.iter_mut().find(|(known, _)| *known == ix) {
                Some(known) if touched.role == TouchRole::Subject => known.1 = TouchRole::Subject,
                Some(_) => {}
                None => nodes.push((ix, touched.role)),
            }
        }
        self.welcome(&mut news, signal.occurred_at);
        self.news = news;
        let touching = Touching { signal: &signal, nodes: &nodes };
        self.correlator.on_signal(touching, &mut self.graph, context, delta);
        delta.signals.push(signal);
    }

    /// Indexes new entities and says whose they are; returns those that were in a leak before, with the leak.
    fn welcome(&mut self, news: &mut News, time: Timestamp) -> Vec<(NodeIx, NodeIx)> {
        let mut leaked = Vec::new();
        for ix in news.nodes.drain(..) {
            self.index_node(ix);
            match self.graph.arena.node(ix).kind {
                EntityKind::Integration => self.new_integration(ix, time),
                EntityKind::Domain => self.own_domain(ix, time),
                EntityKind::Staff => self.own_staff(ix, time),
                _ => {}
            }
            leaked.extend(self.leaked_before(ix).map(|leak| (ix, leak)));
        }
        leaked
    }

    /// Enters a node into the indexes that are not in rows.
    fn index_node(&mut self, ix: NodeIx) {
        let node = self.graph.arena.node(ix);
        match node.kind {
            EntityKind::User => {
                self.index.logins.insert(intel::login_hash(&node.key), ix);
            }
            EntityKind::Staff => {
                self.index.logins.insert(intel::login_hash(&node.key), ix);
                if let Some(domain) = vendors::mail_domain(&node.key) {
                    self.index.staff.entry(domain).or_default().insert(ix);
                }
            }
            EntityKind::ApiKey => {
                self.index.api_keys.insert(node.key.clone(), ix);
            }
            EntityKind::Indicator if node.key.starts_with(intel::INCIDENT) => {
                self.index.incidents.insert(ix);
            }
            EntityKind::Leak => self.index.n_leaks += 1,
            _ => {}
        }
    }

    /// Entities whose risk the touched ones of a delta may have changed: those themselves and their next neighbours.
    #[must_use]
    pub fn risk_changed(&self, delta: &Delta) -> Vec<EntityId> {
        /// Entities told of one delta.
        const CHANGED_MAX: usize = 1_000;
        let mut ids: BTreeSet<EntityId> = BTreeSet::new();
        let touched = delta.signals.iter().flat_map(|signal| signal.entities.iter());
        let touched = touched.filter(|touched| touched.role != TouchRole::Context).filter_map(|touched| {
            let key = facts::canonical(touched.entity.kind, &touched.entity.key)?;
            self.graph.arena.find_key(touched.entity.kind, &key)
        });
        let assessed = delta.postures.iter().filter_map(|(id, _)| self.vendors.get(id));
        let assessed = assessed.filter_map(|vendor| self.graph.arena.find(vendor.entity().id()));
        for ix in touched.chain(assessed) {
            if ids.len() >= CHANGED_MAX {
                break;
            }
            ids.insert(self.graph.arena.id(ix));
            ids.extend(self.graph.arena.neighbours(ix).take(32).map(|(_, next, _)| self.graph.arena.id(next)));
        }
        ids.into_iter().take(CHANGED_MAX).collect()
    }
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
