//! Streams of what happens: alert changes by durable cursor, risk changes, assessments under way.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use riskgraph_domain::alert::AlertEvent;
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::graph::{Entity, EntityKind};
use riskgraph_domain::ports::{AssessmentProgress, GraphView, Live, LiveAlert, Records};
use riskgraph_domain::{EntityId, VendorId};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::pipeline::apply::Announcements;

/// Alert changes replayed in one read.
const REPLAY_PAGE: usize = 500;
/// Entities whose last told risk one subscriber's stream remembers.
const TOLD_MAX: usize = 50_000;

/// Makes the streams.
pub struct Streams {
    pub records: Arc<dyn Records>,
    pub graph: Arc<dyn GraphView>,
    pub announcements: Announcements,
    pub assessments: broadcast::Sender<AssessmentProgress>,
}

/// Where one alert stream is.
struct AlertCursor {
    records: Arc<dyn Records>,
    live: broadcast::Receiver<Arc<AlertEvent>>,
    /// Sequence number last given out, or before which nothing is wanted.
    last: u64,
    /// Changes read from the store and not yet given out, newest first.
    replayed: Vec<AlertEvent>,
    /// The store may hold more beyond `last`.
    replaying: bool,
}

impl AlertCursor {
    /// The next change: from the store until it is exhausted, then live. The live receiver was opened before the first
    /// read, so nothing falls between; what comes twice is known by its number.
    async fn next(&mut self) -> Option<LiveAlert> {
        loop {
            if let Some(event) = self.replayed.pop() {
                return Some(self.give(Arc::new(event)));
            }
            if self.replaying {
                let mut page = match self.records.alert_events(self.last, REPLAY_PAGE).await {
                    Ok(page) => page,
                    Err(fault) => {
                        tracing::error!(%fault, "an alert stream ends: the sequence cannot be read");
                        return None;
                    }
                };
                self.replaying = page.len() == REPLAY_PAGE;
                page.reverse();
                self.replayed = page;
                continue;
            }
            match self.live.recv().await {
                Ok(event) if event.sequence <= self.last => {}
                Ok(event) => return Some(self.give(event)),
                // The jump in the sequence says how many were missed.
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    }

    fn give(&mut self, event: Arc<AlertEvent>) -> LiveAlert {
        let lagged = event.sequence.saturating_sub(self.last + 1);
        self.last = event.sequence;
        LiveAlert { event, lagged }
    }
}

#[async_trait]
impl Live for Streams {
    async fn alerts(&self, after: Option<u64>) -> Result<BoxStream<'static, LiveAlert>, Fault> {
        let live = self.announcements.alerts.subscribe();
        let range = self.records.alert_event_range().await?;
        let newest = range.map_or(0, |(_, newest)| newest);
        let last = match after {
            None => newest,
            Some(after) if after > newest => {
                return Err(Fault::new(
                    FaultCode::StaleCursor,
                    format!("cursor {after} is not known yet; the newest is {newest}"),
                ));
            }
            Some(after) => {
                if let Some((oldest, _)) = range.filter(|(oldest, _)| after + 1 < *oldest) {
                    let message = format!("what follows cursor {after} is no longer kept; resume after {}", oldest - 1);
                    return Err(Fault::new(FaultCode::StaleCursor, message));
                }
                after
            }
        };
        let cursor = AlertCursor {
            records: Arc::clone(&self.records),
            live,
            last,
            replayed: Vec::new(),
            replaying: after.is_some(),
        };
        let stream = stream::unfold(cursor, |mut cursor| async move {
            let next = cursor.next().await?;
            Some((next, cursor))
        });
        Ok(stream.boxed())
    }

    fn risk_changes(&self, kinds: Vec<EntityKind>, min_delta: f64) -> BoxStream<'static, Entity> {
        let told: HashMap<EntityId, f64> = HashMap::new();
        let state = (self.announcements.risks.subscribe(), Arc::clone(&self.graph), told);
        let changes = stream::unfold(state, move |(mut notices, graph, mut told)| {
            let kinds = kinds.clone();
            async move {
                loop {
                    let ids = match notices.recv().await {
                        Ok(ids) => ids,
                        Err(RecvError::Lagged(_)) => continue,
                        Err(RecvError::Closed) => return None,
                    };
                    let changed = changed_entities(graph.as_ref(), &ids, &kinds, min_delta, &mut told);
                    if !changed.is_empty() {
                        return Some((stream::iter(changed), (notices, graph, told)));
                    }
                }
            }
        });
        changes.flatten().boxed()
    }

    fn assessments(&self, vendor: Option<VendorId>) -> BoxStream<'static, AssessmentProgress> {
        let receiver = self.assessments.subscribe();
        let steps = stream::unfold(receiver, |mut receiver| async move {
            loop {
                match receiver.recv().await {
                    Ok(step) => return Some((step, receiver)),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                }
            }
        });
        steps.filter(move |step| std::future::ready(vendor.is_none_or(|wanted| wanted == step.vendor))).boxed()
    }
}

/// The entities among these whose risk moved by at least `min_delta` since this subscriber was last told.
fn changed_entities(
    graph: &dyn GraphView,
    ids: &[EntityId],
    kinds: &[EntityKind],
    min_delta: f64,
    told: &mut HashMap<EntityId, f64>,
) -> Vec<Entity> {
    let mut changed = Vec::new();
    for entity in graph.entities(ids).into_iter().flatten() {
        if !(kinds.is_empty() || kinds.contains(&entity.kind)) {
            continue;
        }
        let score = graph.risk(entity.id).map_or(0.0, |risk| risk.score);
        let before = told.get(&entity.id).copied().unwrap_or(0.0);
        if (score - before).abs() >= min_delta.max(f64::EPSILON) {
            if told.len() >= TOLD_MAX {
                told.clear();
            }
            told.insert(entity.id, score);
            changed.push(entity);
        }
    }
    changed
}
