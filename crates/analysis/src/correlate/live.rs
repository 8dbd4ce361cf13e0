//! One open alert, with what the correlation knows of it.

use std::collections::{BTreeMap, BTreeSet};

use riskgraph_domain::alert::{
    Alert, AlertChange, AlertStatus, CASES_OF_ALERT_MAX, COMMENTS_MAX, RESPONSES_MAX, Resolution, TimelineEntry,
    Verdict,
};
use riskgraph_domain::graph::RiskCause;
use riskgraph_domain::signal::{Signal, TouchRole};
use riskgraph_domain::{AlertId, EntityId, FindingId, RelationId, Severity, SignalId, Text, Timestamp};
use serde::{Deserialize, Serialize};

use crate::detect::Context;
use crate::policy::StormMute;
use crate::spread::{CorrelateConfig, ppm};

/// Entities of one alert that are counted and link further signals; later ones are only told to the store.
const TOUCHED_MAX: usize = 2_048;
/// Signals whose ids are kept, so that they can be moved when the alert is folded into another.
const SIGNALS_MAX: usize = 512;
const CAMPAIGNS_MAX: usize = 32;
const DETECTORS_MAX: usize = 32;
const LINKS_MAX: usize = 32;
const ADVICE_MAX: usize = 12;
const TECHNIQUES_MAX: usize = 16;
const FINDINGS_MAX: usize = 64;
/// Entries of a timeline: the first and the latest stay.
const TIMELINE_MAX: usize = 64;
const TIMELINE_FIRST: usize = 16;
/// Subjects that are news one by one; after that only doubled counts are.
const SUBJECTS_NEWS_MAX: u32 = 8;

/// One entity of an alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Touch {
    pub count: u32,
    pub subject: bool,
    pub first: Timestamp,
    pub last: Timestamp,
    pub window_ms: i64,
}

impl Touch {
    /// Whether a signal at this time with this window belongs to it; the wider window of both holds.
    pub(super) fn near(&self, time: Timestamp, window_ms: i64) -> bool {
        let window = self.window_ms.max(window_ms);
        time >= self.first - window && time <= self.last + window
    }
}

/// What became of an entity that was touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Touching {
    New,
    Known,
    /// One too many to count and to link.
    Full,
}

/// The best signal of one detector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Best {
    pub score_ppm: u32,
    pub title: String,
    pub count: u32,
    pub signal: Option<SignalId>,
}

/// Risk from outside the alert's own signals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Backdrop {
    /// Before the share of the alert's strongest signal.
    pub points: f64,
    /// The strongest cause of it.
    pub cause: RiskCause,
    pub reason: String,
    pub path: Vec<RelationId>,
}

/// What the last change told.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Told {
    count: u32,
    score: f64,
    severity: Option<Severity>,
}

/// What a signal brought that was not there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct News {
    pub detector: bool,
    pub subject: bool,
    pub merged: bool,
    pub finding: bool,
}

/// An open alert and its state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Live {
    pub(super) alert: Alert,
    pub(super) detectors: BTreeMap<Text, Best>,
    touched: BTreeMap<EntityId, Touch>,
    campaigns: BTreeSet<Text>,
    signals: Vec<SignalId>,
    pub(super) links: Vec<RelationId>,
    pub(super) backdrop: Option<Backdrop>,
    n_subjects: u32,
    first: Timestamp,
    last: Timestamp,
    window_ms: i64,
    told: Told,
    resting: bool,
    /// The storm it was opened in.
    pub(super) storm: Option<StormMute>,
}

/// How an alert ends.
#[derive(Debug)]
pub(super) struct End {
    pub verdict: Verdict,
    /// What the timeline says.
    pub text: String,
    pub reason: Option<String>,
    pub actor: Option<Text>,
    pub at: Timestamp,
}

impl Live {
    pub(super) fn open(id: AlertId, signal: &Signal, context: &Context) -> Self {
        let alert = Alert {
            accepted_at: Some(signal.accepted_at),
            detection_delay_s: (context.now - signal.accepted_at).max(0) as f64 / 1000.0,
            ..Alert::new(id, signal.title.clone(), signal.occurred_at)
        };
        Self::of_row(alert)
    }

    /// The state of an alert of which only the row is known: open for people, deaf to signals until one is folded in.
    pub(super) fn of_row(alert: Alert) -> Self {
        Self {
            first: alert.opened_at,
            last: alert.updated_at,
            detectors: BTreeMap::new(),
            touched: BTreeMap::new(),
            campaigns: BTreeSet::new(),
            signals: Vec::new(),
            links: Vec::new(),
            backdrop: None,
            n_subjects: 0,
            window_ms: 0,
            told: Told::default(),
            resting: false,
            storm: StormMute::of_row(&alert),
            alert,
        }
    }

    pub(super) fn fold(&mut self, signal: &Signal, news: &mut News) {
        let score_ppm = ppm(signal.score);
        if self.detectors.len() < DETECTORS_MAX || self.detectors.contains_key(&signal.detector) {
            let best = self.detectors.entry(signal.detector.clone()).or_insert_with(|| {
                news.detector = true;
                Best { score_ppm: 0, title: String::new(), count: 0, signal: None }
            });
            best.count += 1;
            if score_ppm > best.score_ppm || (score_ppm == best.score_ppm && signal.title < best.title) {
                best.score_ppm = score_ppm;
                best.title.clone_from(&signal.title);
                best.signal = Some(signal.id);
            }
            union(&mut self.alert.detectors, std::slice::from_ref(&signal.detector), DETECTORS_MAX);
        }
        if self.signals.len() < SIGNALS_MAX {
            self.signals.push(signal.id);
        }
        let alert = &mut self.alert;
        alert.count += 1;
        alert.opened_at = alert.opened_at.min(signal.occurred_at);
        alert.updated_at = alert.updated_at.max(signal.occurred_at);
        self.first = self.first.min(signal.occurred_at);
        self.last = self.last.max(signal.occurred_at);
        union(&mut alert.techniques, &signal.techniques, TECHNIQUES_MAX);
        union(&mut alert.recommendations, &signal.advice, ADVICE_MAX);
        self.tell_time(TimelineEntry {
            time: signal.occurred_at,
            text: signal.title.clone(),
            signal: Some(signal.id),
            actor: None,
        });
    }

    pub(super) fn tell_time(&mut self, entry: TimelineEntry) {
        tell_time(&mut self.alert, entry);
    }

    pub(super) fn touch(
        &mut self,
        entity: EntityId,
        role: TouchRole,
        time: Timestamp,
        window_ms: i64,
        news: &mut News,
    ) -> Touching {
        self.window_ms = self.window_ms.max(window_ms);
        let subject = role == TouchRole::Subject;
        if let Some(touch) = self.touched.get_mut(&entity) {
            if subject && !touch.subject {
                touch.subject = true;
                self.n_subjects += 1;
                news.subject |= self.n_subjects <= SUBJECTS_NEWS_MAX;
            }
            touch.count += 1;
            touch.first = touch.first.min(time);
            touch.last = touch.last.max(time);
            touch.window_ms = touch.window_ms.max(window_ms);
            return Touching::Known;
        }
        if self.touched.len() >= TOUCHED_MAX {
            return Touching::Full;
        }
        if subject {
            self.n_subjects += 1;
            news.subject |= self.n_subjects <= SUBJECTS_NEWS_MAX;
        }
        self.alert.entities_total += 1;
        self.touched.insert(entity, Touch { count: 1, subject, first: time, last: time, window_ms });
        Touching::New
    }

    pub(super) fn touched(&self) -> &BTreeMap<EntityId, Touch> {
        &self.touched
    }

    pub(super) fn touch_of(&self, entity: EntityId) -> Option<&Touch> {
        self.touched.get(&entity)
    }

    pub(super) fn campaigns(&self) -> &BTreeSet<Text> {
        &self.campaigns
    }

    pub(super) fn signals(&self) -> &[SignalId] {
        &self.signals
    }

    pub(super) fn add_campaign(&mut self, campaign: &Text) -> bool {
        self.campaigns.len() < CAMPAIGNS_MAX && self.campaigns.insert(campaign.clone())
    }

    pub(super) fn add_links(&mut self, links: &[RelationId]) {
        union(&mut self.links, links, LINKS_MAX);
    }

    pub(super) fn add_finding(&mut self, finding: FindingId, news: &mut News) {
        if self.alert.findings.len() < FINDINGS_MAX && !self.alert.findings.contains(&finding) {
            self.alert.findings.push(finding);
            news.finding = true;
        }
    }

    /// Takes back a signal that turned out wrong, and what it cast on other alerts; says whether that changed anything.
    pub(super) fn retract(&mut self, signal: SignalId, detector: &str) -> bool {
        let cast = self.backdrop.as_ref().is_some_and(|backdrop| backdrop.cause == RiskCause::Signal(signal));
        if cast {
            self.backdrop = None;
        }
        let Some(place) = self.signals.iter().position(|known| *known == signal) else { return cast };
        self.signals.remove(place);
        self.alert.count = self.alert.count.saturating_sub(1);
        if let Some(best) = self.detectors.get_mut(detector) {
            best.count = best.count.saturating_sub(1);
            if best.signal == Some(signal) {
                best.signal = None;
            }
            if best.count == 0 {
                self.detectors.remove(detector);
                self.alert.detectors.retain(|name| name.as_str() != detector);
            }
        }
        true
    }

    /// Whether a time lies within the alert's window.
    pub(super) fn near(&self, time: Timestamp, window_ms: i64) -> bool {
        let window = self.window_ms.max(window_ms);
        !self.resting && time >= self.first - window && time <= self.last + window
    }

    /// Event time after which it takes in no more.
    pub(super) fn until(&self) -> Timestamp {
        self.last + self.window_ms
    }

    pub(super) const fn last(&self) -> Timestamp {
        self.last
    }

    pub(super) const fn resting(&self) -> bool {
        self.resting
    }

    /// Forgets what only correlation needs.
    pub(super) fn rest(&mut self) {
        let alert = self.alert.clone();
        *self = Self { resting: true, told: self.told.clone(), storm: self.storm.take(), ..Self::of_row(alert) };
    }

    /// Takes in all of a newer alert.
    pub(super) fn absorb(&mut self, newer: &Self) {
        for (detector, best) in &newer.detectors {
            let mine = self.detectors.entry(detector.clone()).or_insert_with(|| Best {
                score_ppm: 0,
                title: String::new(),
                count: 0,
                signal: None,
            });
            mine.count += best.count;
            if best.score_ppm > mine.score_ppm {
                mine.score_ppm = best.score_ppm;
                mine.title.clone_from(&best.title);
                mine.signal = best.signal;
            }
        }
        for (&entity, touch) in &newer.touched {
            let mut news = News::default();
            let role = if touch.subject { TouchRole::Subject } else { TouchRole::Involved };
            if self.touch(entity, role, touch.first, touch.window_ms, &mut news) != Touching::Full
                && let Some(mine) = self.touched.get_mut(&entity)
            {
                mine.count += touch.count - 1;
                mine.last = mine.last.max(touch.last);
            }
        }
        self.campaigns.extend(newer.campaigns.iter().take(CAMPAIGNS_MAX).cloned());
        union(&mut self.signals, &newer.signals, SIGNALS_MAX);
        self.add_links(&newer.links);
        let (alert, other) = (&mut self.alert, &newer.alert);
        alert.count += other.count;
        alert.opened_at = alert.opened_at.min(other.opened_at);
        alert.updated_at = alert.updated_at.max(other.updated_at);
        alert.assignee = alert.assignee.take().or_else(|| other.assignee.clone());
        union(&mut alert.techniques, &other.techniques, TECHNIQUES_MAX);
        union(&mut alert.recommendations, &other.recommendations, ADVICE_MAX);
        union(&mut alert.findings, &other.findings, FINDINGS_MAX);
        union(&mut alert.detectors, &other.detectors, DETECTORS_MAX);
        union(&mut alert.cases, &other.cases, CASES_OF_ALERT_MAX);
        union(&mut alert.responses, &other.responses, RESPONSES_MAX);
        union(&mut alert.comments, &other.comments, COMMENTS_MAX);
        alert.comments.sort_by_key(|comment| comment.time);
        alert.accepted_at = alert.accepted_at.min(other.accepted_at).or(alert.accepted_at).or(other.accepted_at);
        alert.contained_at = alert.contained_at.or(other.contained_at);
        alert.acknowledged_at = alert.acknowledged_at.or(other.acknowledged_at);
        self.first = self.first.min(newer.first);
        self.last = self.last.max(newer.last);
        for entry in &other.timeline {
            self.tell_time(entry.clone());
        }
        let stronger = |mine: &Backdrop| newer.backdrop.as_ref().is_some_and(|other| other.points > mine.points);
        if self.backdrop.as_ref().is_none_or(stronger) && newer.backdrop.is_some() {
            self.backdrop.clone_from(&newer.backdrop);
        }
    }

    /// What kind of change this is, when it is news; then it counts as told.
    pub(super) fn change(&mut self, news: &News, config: &CorrelateConfig) -> Option<AlertChange> {
        let change = match self.told.severity {
            None => AlertChange::Opened,
            Some(severity) if self.alert.severity > severity => AlertChange::Escalated,
            Some(_) => {
                let grown = self.alert.count >= self.told.count.saturating_mul(2)
                    || self.alert.score >= self.told.score + config.score_step;
                if !(grown || news.detector || news.subject || news.merged || news.finding) {
                    return None;
                }
                AlertChange::Updated
            }
        };
        if let (AlertChange::Escalated, Some(before)) = (change, self.told.severity) {
            let text =
                format!("Severity raised from {} to {}{}", before.as_str(), self.alert.severity.as_str(), self.why());
            self.tell_time(TimelineEntry { time: self.alert.updated_at, text, signal: None, actor: None });
        }
        self.mark_told();
        Some(change)
    }

    /// What makes it worse than its strongest signal alone.
    fn why(&self) -> String {
        let said = self.detectors.iter().find(|(name, _)| super::tell::is_intel(name)).map(|(_, best)| &best.title);
        let backdrop = self.backdrop.as_ref().map(|backdrop| &backdrop.reason);
        match said.filter(|_| self.detectors.len() > 1).or(backdrop) {
            Some(reason) => format!(" because of {reason}"),
            None if self.detectors.len() > 1 => format!(": {} detectors agree", self.detectors.len()),
            None => String::new(),
        }
    }

    pub(super) fn mark_told(&mut self) {
        let alert = &self.alert;
        self.told = Told { count: alert.count, score: alert.score, severity: Some(alert.severity) };
    }

    /// Ends it with a verdict and the reason.
    pub(super) fn close(&mut self, end: End) {
        close(&mut self.alert, end);
    }
}

/// Ends an alert, or ends it anew with another verdict.
pub(super) fn close(alert: &mut Alert, end: End) {
    let End { verdict, text, reason, actor, at } = end;
    alert.status = AlertStatus::Resolved;
    alert.verdict = Some(verdict);
    alert.updated_at = alert.updated_at.max(at);
    alert.resolution = Some(Resolution { at, by: actor.clone(), reason });
    tell_time(alert, TimelineEntry { time: at, text, signal: None, actor });
}

/// Adds an entry to an alert's timeline.
pub(super) fn tell_time(alert: &mut Alert, entry: TimelineEntry) {
    let timeline = &mut alert.timeline;
    timeline.push(entry);
    // What follows from a signal stands behind it.
    timeline.sort_by_key(|entry| (entry.time, entry.signal.is_none(), entry.signal));
    if timeline.len() > TIMELINE_MAX {
        timeline.remove(TIMELINE_FIRST);
    }
}

/// Adds what is not there yet, in order, up to a bound.
fn union<T: PartialEq + Clone>(into: &mut Vec<T>, more: &[T], max: usize) {
    for item in more {
        if into.len() < max && !into.contains(item) {
            into.push(item.clone());
        }
    }
}
