//! From signals to few alerts: what touches linked entities within a window is one story.
//!
//! An alert is a connected group of signals. When a signal links two alerts, the newer is folded into the older
//! and retracted with the reason, so that the set of alerts does not depend on the order of arrival. Method and
//! reasons: `docs/correlation.md`. It must *not* know events, rows of the store or the wall clock (`Context` carries it).

mod cases;
mod link;
mod live;
mod people;
mod score;
mod state;
mod storms;
mod tell;
mod told;

use std::collections::{BTreeMap, BTreeSet};

use riskgraph_domain::alert::{Alert, AlertCause, AlertChange, TimelineEntry, Verdict};
use riskgraph_domain::graph::RiskCause;
use riskgraph_domain::ports::Delta;
use riskgraph_domain::signal::{Signal, TouchRole};
use riskgraph_domain::time::DAY_MS;
use riskgraph_domain::{AlertId, CaseId, SignalId, Text, Timestamp};

use crate::cases::Cases;
use crate::detect::Context;
use crate::graph::{NodeIx, RiskGraph};
use crate::policy::Policy;
use crate::spread::{Cause, ppm, short_title};
use live::{End, Live, News};
pub use people::{By, Response};
pub use state::{POLICY_BLOB, blob_name};
use told::Telling;

/// Alerts that may still take in signals, at most; beyond it those touched longest ago take no more.
const LIVE_MAX: usize = 4_096;
/// Alerts that only wait for people, at most.
const RESTING_MAX: usize = 20_000;
/// How long after its window an alert still waits for late events.
const LATE_MS: i64 = DAY_MS;

/// A signal with the nodes it touches.
#[derive(Debug, Clone, Copy)]
pub struct Touching<'a> {
    pub signal: &'a Signal,
    pub nodes: &'a [(NodeIx, TouchRole)],
}

/// Open alerts and the sequence of their changes.
#[derive(Debug)]
pub struct Correlator {
    live: BTreeMap<AlertId, Live>,
    by_entity: BTreeMap<NodeIx, BTreeSet<AlertId>>,
    by_campaign: BTreeMap<Text, BTreeSet<AlertId>>,
    /// Alerts in `live` that rest.
    resting: BTreeSet<AlertId>,
    sequence: u64,
    dirty: BTreeSet<AlertId>,
    /// When the record being judged was accepted: the clock of everything that is not about events.
    now: Timestamp,
    pub(crate) policy: Policy,
    pub(crate) cases: Cases,
    /// Alerts that are over which the change that is judged brought along, and the number the sequence had then.
    recalled: BTreeMap<AlertId, Alert>,
    recalled_as_of: u64,
    /// Alerts whose mute is to be judged anew before the record is done.
    waiting: BTreeSet<AlertId>,
}

impl Correlator {
    /// No alerts yet.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        Self {
            live: BTreeMap::new(),
            by_entity: BTreeMap::new(),
            by_campaign: BTreeMap::new(),
            resting: BTreeSet::new(),
            sequence: 0,
            dirty: BTreeSet::new(),
            now: Timestamp::default(),
            policy,
            cases: Cases::default(),
            recalled: BTreeMap::new(),
            recalled_as_of: 0,
            waiting: BTreeSet::new(),
        }
    }

    /// The cases an open or recalled alert is in.
    fn cases_of(&self, id: AlertId) -> &[CaseId] {
        let alert = self.live.get(&id).map(|live| &live.alert).or_else(|| self.recalled.get(&id));
        alert.map_or(&[], |alert| &alert.cases)
    }

    /// Folds a signal into the alert it belongs to, opens one, or does neither; gives its entities their own risk.
    pub fn on_signal(
        &mut self,
        touching: Touching<'_>,
        graph: &mut RiskGraph,
        context: &Context,
        delta: &mut Delta,
    ) -> Option<AlertId> {
        let linked = self.candidates(touching, graph);
        let oldest = linked
            .keys()
            .filter_map(|id| self.live.get(id).map(|live| (live.alert.opened_at, *id)))
            .min()
            .map(|(_, id)| id);
        let id = match oldest {
            Some(id) => id,
            None if touching.signal.score >= graph.config.correlate.open_min => {
                self.open(touching.signal, context);
                AlertId::of(&[&touching.signal.id.to_string()])
            }
            None => {
                add_causes(touching, None, graph);
                return None;
            }
        };
        add_causes(touching, Some(id), graph);
        let mut news = News::default();
        for other in linked.keys().filter(|other| **other != id) {
            news.merged |= self.fold_alert(*other, id, graph, delta);
        }
        self.fold_signal(id, touching, graph, delta, &mut news);
        if let (Some(live), Some(Some(path))) = (self.live.get_mut(&id), linked.get(&id)) {
            let links: Vec<_> = path.iter().map(|&edge| graph.arena.relation_id(edge)).collect();
            live.add_links(&links);
        }
        // The neighbourhood is weighed for what is new, not for each of a campaign's thousand signals.
        if news.detector || news.subject || news.merged {
            self.weigh_context(id, touching, graph);
        }
        self.tell(id, &news, graph, delta);
        Some(id)
    }

    fn open(&mut self, signal: &Signal, context: &Context) {
        let id = AlertId::of(&[&signal.id.to_string()]);
        self.live.insert(id, Live::open(id, signal, context));
    }

    fn fold_signal(
        &mut self,
        id: AlertId,
        touching: Touching<'_>,
        graph: &RiskGraph,
        delta: &mut Delta,
        news: &mut News,
    ) {
        let signal = touching.signal;
        let Some(live) = self.live.get_mut(&id) else { return };
        let window_ms = graph.config.correlate.window_h.hours_ms(&signal.detector);
        live.fold(signal, news);
        for &(ix, role) in touching.nodes.iter().filter(|(_, role)| *role != TouchRole::Context) {
            let entity = graph.arena.id(ix);
            match live.touch(entity, role, signal.occurred_at, window_ms, news) {
                live::Touching::New => {
                    delta.alert_entities.push((id, entity));
                    self.by_entity.entry(ix).or_default().insert(id);
                }
                live::Touching::Known => {}
                live::Touching::Full => delta.alert_entities.push((id, entity)),
            }
        }
        if let Some(campaign) = &signal.campaign
            && live.add_campaign(campaign)
        {
            self.by_campaign.entry(campaign.clone()).or_default().insert(id);
        }
        delta.alert_signals.push((id, signal.id));
        self.dirty.insert(id);
    }

    /// Folds one alert into an older one; the newer is retracted and says so. Says whether there was one.
    fn fold_alert(&mut self, from: AlertId, into: AlertId, graph: &mut RiskGraph, delta: &mut Delta) -> bool {
        let Some(mut newer) = self.take(from, graph) else { return false };
        let Some(older) = self.live.get_mut(&into) else { return false };
        older.absorb(&newer);
        for &entity in newer.touched().keys() {
            delta.alert_entities.push((into, entity));
            if let Some(ix) = graph.arena.find(entity) {
                self.by_entity.entry(ix).or_default().insert(into);
            }
        }
        for campaign in newer.campaigns() {
            self.by_campaign.entry(campaign.clone()).or_default().insert(into);
        }
        delta.alert_signals.extend(newer.signals().iter().map(|&signal| (into, signal)));
        for ix in newer.touched().keys().filter_map(|entity| graph.arena.find(*entity)).collect::<Vec<_>>() {
            if graph.own.move_alert(ix, from, into) {
                graph.arena.mark(ix);
            }
        }
        let text = format!("Folded into the older alert {into}: the same entities and time.");
        let cases = older.alert.cases.clone();
        let severity = older.alert.severity;
        self.cases.follow(&cases, into, severity);
        newer.close(closed(Verdict::Duplicate, text, newer.alert.updated_at));
        self.emit_over(newer.alert, Telling::of(AlertChange::Retracted, AlertCause::Correlation), delta);
        true
    }

    /// Adds what the touched entities' neighbourhood says beyond this alert's own signals.
    fn weigh_context(&mut self, id: AlertId, touching: Touching<'_>, graph: &RiskGraph) {
        if let Some(live) = self.live.get_mut(&id) {
            live.weigh_context(touching.nodes, touching.signal.occurred_at, graph);
        }
    }

    /// Tells what changed when it is news.
    fn tell(&mut self, id: AlertId, news: &News, graph: &RiskGraph, delta: &mut Delta) {
        let Some(live) = self.live.get_mut(&id) else { return };
        live.rescore(&graph.config.correlate);
        self.dirty.insert(id);
        if let Some(change) = live.change(news, &graph.config.correlate) {
            self.describe(id, graph);
            if change == AlertChange::Opened {
                self.join_storm(id, delta);
            }
            let only_linked = news.merged || news.finding;
            let cause = if only_linked { AlertCause::Correlation } else { AlertCause::Signal };
            self.emit(id, Telling::of(change, cause), delta);
        }
        self.keep_bounded(graph, delta);
    }

    /// Takes an alert out of the correlation.
    fn take(&mut self, id: AlertId, graph: &RiskGraph) -> Option<Live> {
        let live = self.live.remove(&id)?;
        self.resting.remove(&id);
        self.unindex(id, &live, graph);
        self.dirty.insert(id);
        Some(live)
    }

    fn unindex(&mut self, id: AlertId, live: &Live, graph: &RiskGraph) {
        for &entity in live.touched().keys() {
            if let Some(ix) = graph.arena.find(entity)
                && let Some(ids) = self.by_entity.get_mut(&ix)
            {
                ids.remove(&id);
                if ids.is_empty() {
                    self.by_entity.remove(&ix);
                }
            }
        }
        for campaign in live.campaigns() {
            if let Some(ids) = self.by_campaign.get_mut(campaign) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.by_campaign.remove(campaign);
                }
            }
        }
    }

    /// Lets the alert touched longest ago rest when there are too many. A resting alert stays open for people; when
    /// people leave too many, the oldest is closed without a verdict.
    fn keep_bounded(&mut self, graph: &RiskGraph, delta: &mut Delta) {
        if self.live.len() - self.resting.len() > LIVE_MAX {
            let awake = self.live.iter().filter(|(_, live)| !live.resting());
            if let Some(id) = awake.min_by_key(|(id, live)| (live.last(), **id)).map(|(id, _)| *id) {
                self.rest(id, graph);
            }
        }
        if self.resting.len() > RESTING_MAX {
            let oldest =
                self.resting.iter().filter_map(|id| self.live.get(id)).min_by_key(|live| (live.last(), live.alert.id));
            if let Some(mut live) = oldest.map(|live| live.alert.id).and_then(|id| self.take(id, graph)) {
                let text = "Closed: nobody looked at it, and too many newer alerts are open.".to_owned();
                live.close(closed(Verdict::InsufficientData, text, live.alert.updated_at));
                self.emit_over(live.alert, Telling::of(AlertChange::Resolved, AlertCause::Correlation), delta);
            }
        }
    }

    /// Alerts whose window has passed take no more signals.
    pub fn sweep(&mut self, now: Timestamp, graph: &RiskGraph) {
        let passed: Vec<AlertId> = self
            .live
            .iter()
            .filter(|(_, live)| !live.resting() && live.until() + LATE_MS < now)
            .map(|(id, _)| *id)
            .collect();
        for id in passed {
            self.rest(id, graph);
        }
    }

    fn rest(&mut self, id: AlertId, graph: &RiskGraph) {
        if let Some(mut live) = self.take(id, graph) {
            live.rest();
            self.resting.insert(id);
            self.live.insert(id, live);
        }
    }

    /// Takes back a signal that turned out wrong. An alert of nothing else is retracted, others lose what it gave them.
    pub fn retract(
        &mut self,
        signal: SignalId,
        detector: &str,
        why: (Timestamp, &str),
        graph: &RiskGraph,
        delta: &mut Delta,
    ) {
        let (time, text) = why;
        let ids: Vec<AlertId> = self.live.keys().copied().collect();
        for id in ids {
            let Some(live) = self.live.get_mut(&id).filter(|live| !live.resting()) else { continue };
            if !live.retract(signal, detector) {
                continue;
            }
            self.dirty.insert(id);
            if live.detectors.is_empty() {
                if let Some(mut live) = self.take(id, graph) {
                    live.close(closed(Verdict::FalsePositive, text.to_owned(), time));
                    self.emit_over(live.alert, Telling::of(AlertChange::Retracted, AlertCause::Correlation), delta);
                }
                continue;
            }
            live.tell_time(TimelineEntry { time, text: text.to_owned(), signal: None, actor: None });
            live.alert.updated_at = live.alert.updated_at.max(time);
            live.rescore(&graph.config.correlate);
            live.mark_told();
            self.describe(id, graph);
            self.emit(id, Telling::of(AlertChange::Updated, AlertCause::Correlation), delta);
        }
    }

    /// The open alert, when there is one.
    #[must_use]
    pub fn alert(&self, id: AlertId) -> Option<&Alert> {
        self.live.get(&id).map(|live| &live.alert)
    }

    /// Open alerts.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.live.values().map(|live| &live.alert)
    }

    /// The number of the last change.
    #[must_use]
    pub const fn sequence(&self) -> u64 {
        self.sequence
    }
}

/// An end that nobody decided.
fn closed(verdict: Verdict, text: String, at: Timestamp) -> End {
    End { verdict, reason: Some(text.clone()), text, actor: None, at }
}

/// Gives every touched entity its share of the signal.
fn add_causes(touching: Touching<'_>, alert: Option<AlertId>, graph: &mut RiskGraph) {
    let signal = touching.signal;
    for &(ix, role) in touching.nodes.iter().filter(|(_, role)| *role != TouchRole::Context) {
        let cause = Cause {
            source: RiskCause::Signal(signal.id),
            detector: signal.detector.clone(),
            title: short_title(&signal.title),
            score_ppm: ppm(signal.score),
            role,
            at: signal.occurred_at,
            alert,
        };
        graph.own.add(ix, cause, &graph.config.own);
        graph.arena.mark(ix);
    }
}
