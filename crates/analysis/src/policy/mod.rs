//! Alert policy: whom an alert is told to and by when. Silences, inhibition, storm guard, due times.
//!
//! Judged at each change of an alert by the time at which the record was accepted, so a replay judges the same. Nothing here
//! hides an alert: a mute is a mark on it that those who tell people look at. Method: `docs/triage.md`. It must *not* know
//! signals, the graph or the wall clock.

mod config;
mod due;
mod index;
mod matching;
mod recent;
mod storm;

use std::collections::{BTreeMap, BTreeSet};

use riskgraph_domain::alert::{Alert, AlertChange, Mute, MuteKind};
use riskgraph_domain::triage::{Silence, SilenceInput, SilenceState};
use riskgraph_domain::vendor::Vendor;
use riskgraph_domain::{
    AlertId, EntityId, EntityKind, Fault, FaultCode, Severity, SilenceId, Text, Timestamp, VendorId,
};
use serde::{Deserialize, Serialize};

pub use config::{DueRule, InhibitRule, PolicyConfig, SHIPPED, Share, StormConfig};
pub use matching::{Vendors, meets};

use due::Due;
use index::{Index, Stir};
use recent::Recent;
pub(crate) use storm::Hit;
use storm::Storms;

/// Silences that are not over; each is matched with every change of an alert.
const SILENCES_MAX: usize = 1_000;

/// How an alert came to be muted by a storm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StormMute {
    /// The alert that stands for all of the storm.
    pub by: AlertId,
    /// Of the alert at that time: when it gets worse, it is told after all.
    pub severity: Severity,
    pub detector: Text,
}

/// What judging a mute came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MuteChange {
    Same,
    Muted,
    Unmuted,
}

/// What of the policy's state is in no row of its own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Kept {
    storms: Storms,
    recent: Recent,
    /// Alerts from this id on are still to be judged anew.
    rejudge_from: Option<AlertId>,
}

/// The alert policy and its state.
#[derive(Debug)]
pub struct Policy {
    config: PolicyConfig,
    /// Kinds of entities that so many share that they say nothing.
    hubs: BTreeSet<EntityKind>,
    vendors: Vendors,
    vendor_nodes: BTreeMap<EntityId, VendorId>,
    /// Those that are not over.
    silences: BTreeMap<SilenceId, Silence>,
    changed: BTreeMap<SilenceId, Silence>,
    index: Index,
    kept: Kept,
    /// What was written last of `kept`.
    written: Kept,
}

impl Policy {
    /// The policy before anything happened.
    #[must_use]
    pub fn new(config: &PolicyConfig, hubs: BTreeSet<EntityKind>) -> Self {
        Self {
            config: config.clone(),
            hubs,
            vendors: Vendors::new(),
            vendor_nodes: BTreeMap::new(),
            silences: BTreeMap::new(),
            changed: BTreeMap::new(),
            index: Index::default(),
            kept: Kept::default(),
            written: Kept::default(),
        }
    }

    // ------------------------------------------------------------ what it needs to know

    /// Enters a vendor, or its new state.
    pub(crate) fn know_vendor(&mut self, vendor: &Vendor) {
        self.forget_vendor(vendor.id);
        self.vendor_nodes.insert(vendor.entity().id(), vendor.id);
        self.vendors.insert(vendor.id, vendor.clone());
    }

    pub(crate) fn forget_vendor(&mut self, id: VendorId) {
        if let Some(old) = self.vendors.remove(&id) {
            self.vendor_nodes.remove(&old.entity().id());
        }
    }

    /// The vendor behind a node of the graph.
    pub(crate) fn vendor_at(&self, node: EntityId) -> Option<VendorId> {
        self.vendor_nodes.get(&node).copied()
    }

    /// Takes back the silences that are not over.
    pub(crate) fn load_silences(&mut self, rows: Vec<Silence>) {
        self.silences =
            rows.into_iter().filter(|row| row.state != SilenceState::Over).map(|row| (row.id, row)).collect();
    }

    /// Takes back what [`Self::blob`] wrote; without it storms begin anew.
    pub(crate) fn load_blob(&mut self, bytes: &[u8]) {
        if let Ok(kept) = postcard::from_bytes::<Kept>(bytes) {
            self.written = kept.clone();
            self.kept = kept;
        }
    }

    /// The state that is in no row, when it changed since the last call.
    pub(crate) fn blob(&mut self) -> Option<Vec<u8>> {
        if self.kept == self.written {
            return None;
        }
        self.written = self.kept.clone();
        postcard::to_stdvec(&self.kept).ok()
    }

    /// Silences whose rows changed since the last call.
    pub(crate) fn take_silences(&mut self) -> Vec<Silence> {
        std::mem::take(&mut self.changed).into_values().collect()
    }

    // ------------------------------------------------------------ judging one alert

    /// Decides about an alert that is about to be told: due times always, storms when it is new.
    pub(crate) fn prepare(&self, alert: &mut Alert, change: AlertChange, now: Timestamp) {
        Due::of(&self.config, alert.severity).set(alert, change, now);
    }

    /// Counts a new alert; says which storm it is part of.
    pub(crate) fn count_opened(&mut self, alert: &Alert, now: Timestamp) -> Option<Hit> {
        let detector = alert.detectors.first().cloned().unwrap_or_default();
        self.kept.storms.open(&detector, now, &self.config.storm)
    }

    /// The storm an alert stands for.
    pub(crate) fn storms(&mut self) -> &mut Storms {
        &mut self.kept.storms
    }

    /// Mutes the alert or lifts its mute, as things are now.
    pub(crate) fn mute(&mut self, alert: &mut Alert, storm: Option<&StormMute>) -> MuteChange {
        let judged = self.judge(alert, storm);
        let key = |mute: &Option<Mute>| mute.as_ref().map(|mute| (mute.kind, mute.silence, mute.by));
        if key(&judged) == key(&alert.muted) {
            return MuteChange::Same;
        }
        if let Some(silence) = judged.as_ref().and_then(|mute| mute.silence).and_then(|id| self.silences.get_mut(&id)) {
            silence.mutes = silence.mutes.saturating_add(1);
            self.changed.insert(silence.id, silence.clone());
        }
        alert.muted = judged;
        if alert.muted.is_some() { MuteChange::Muted } else { MuteChange::Unmuted }
    }

    fn judge(&self, alert: &Alert, storm: Option<&StormMute>) -> Option<Mute> {
        self.silenced(alert).or_else(|| self.inhibited(alert)).or_else(|| {
            let storm = storm.filter(|storm| alert.severity <= storm.severity)?;
            let reason = format!("part of an alert storm of {}", storm::noun(&storm.detector));
            Some(Mute { kind: MuteKind::Storm, reason, until: None, silence: None, by: Some(storm.by) })
        })
    }

    /// The active silence that lasts longest.
    fn silenced(&self, alert: &Alert) -> Option<Mute> {
        let active = self.silences.values().filter(|silence| silence.state == SilenceState::Active);
        let met = active.filter(|silence| meets(&silence.matchers, alert, &self.vendors));
        let silence = met.max_by_key(|silence| (silence.ends_at, silence.id))?;
        Some(Mute {
            kind: MuteKind::Silenced,
            reason: silence.reason.clone(),
            until: Some(silence.ends_at),
            silence: Some(silence.id),
            by: None,
        })
    }

    fn inhibited(&self, alert: &Alert) -> Option<Mute> {
        for (place, rule) in self.config.inhibit.iter().enumerate() {
            if !meets(&rule.target, alert, &self.vendors) {
                continue;
            }
            let keys = self.keys_of(alert);
            if let Some((source, title)) = self.index.source_for(place, rule.share, &keys, alert) {
                let reason = format!("{}: {title}", rule.reason);
                return Some(Mute { kind: MuteKind::Inhibited, reason, until: None, silence: None, by: Some(source) });
            }
        }
        None
    }

    // ------------------------------------------------------------ what one alert means for others

    /// Enters an alert as it was just told; says whether others are to be judged anew for it.
    pub(crate) fn index(&mut self, alert: &Alert) -> Stir {
        let by_itself = |mute: &Mute| matches!(mute.kind, MuteKind::Silenced | MuteKind::Storm);
        let rules = &self.config.inhibit;
        let mut as_source: Vec<usize> = Vec::new();
        if !alert.muted.as_ref().is_some_and(by_itself) {
            let sources = rules.iter().enumerate().filter(|(_, rule)| meets(&rule.source, alert, &self.vendors));
            as_source.extend(sources.map(|(place, _)| place));
        }
        let is_target = rules.iter().any(|rule| meets(&rule.target, alert, &self.vendors));
        let keys = if as_source.is_empty() && !is_target { index::Keys::default() } else { self.keys_of(alert) };
        let next = Due::of(&self.config, alert.severity).next(alert);
        self.index.put(alert, index::Entry::new(alert, as_source, is_target, keys, next))
    }

    /// Takes out an alert that is over.
    pub(crate) fn unindex(&mut self, id: AlertId) -> Stir {
        self.index.remove(id)
    }

    /// Alerts whose mute may depend on this one.
    pub(crate) fn dependents(&self, id: AlertId) -> BTreeSet<AlertId> {
        self.index.dependents(id)
    }

    /// Alerts that this one stands for as the summary of a storm.
    pub(crate) fn children(&self, id: AlertId) -> BTreeSet<AlertId> {
        self.index.children(id)
    }

    fn keys_of(&self, alert: &Alert) -> index::Keys {
        index::Keys::of(alert, &self.hubs)
    }

    // ------------------------------------------------------------ silences

    /// Begins a silence.
    ///
    /// # Errors
    /// `BadInput` when it cannot be, `Conflict` when there are too many or the id is taken.
    pub(crate) fn silence(
        &mut self,
        id: SilenceId,
        input: &SilenceInput,
        (author, now): (&Text, Timestamp),
    ) -> Result<(), Fault> {
        input.check(now)?;
        if self.silences.contains_key(&id) {
            return Err(Fault::new(FaultCode::Conflict, "a silence with this id exists already"));
        }
        if self.silences.len() >= SILENCES_MAX {
            let message = format!("{SILENCES_MAX} silences are in force; expire some, or use fewer, wider ones");
            return Err(Fault::new(FaultCode::Conflict, message));
        }
        let mut silence = Silence {
            id,
            matchers: input.matchers.clone(),
            author: author.clone(),
            reason: input.reason.trim().to_owned(),
            starts_at: input.starts_at.unwrap_or(now).max(now),
            ends_at: input.ends_at,
            state: SilenceState::Waiting,
            mutes: 0,
        };
        silence.state = silence.state_at(now);
        self.changed.insert(id, silence.clone());
        self.silences.insert(id, silence);
        self.rejudge_all();
        Ok(())
    }

    /// Ends a silence before its time.
    ///
    /// # Errors
    /// `NotFound` when there is none in force or waiting.
    pub(crate) fn expire(&mut self, id: SilenceId, now: Timestamp) -> Result<(), Fault> {
        let mut silence = self.silences.remove(&id).ok_or_else(|| Fault::not_found("silence in force or to come"))?;
        silence.state = SilenceState::Over;
        silence.ends_at = silence.ends_at.min(now).max(silence.starts_at.min(now));
        self.changed.insert(id, silence);
        self.rejudge_all();
        Ok(())
    }

    /// Begins and ends silences whose time has come.
    pub(crate) fn turn_silences(&mut self, now: Timestamp) {
        let turned: Vec<Silence> = self
            .silences
            .values()
            .filter(|silence| silence.state_at(now) != silence.state)
            .map(|silence| Silence { state: silence.state_at(now), ..silence.clone() })
            .collect();
        if turned.is_empty() {
            return;
        }
        for silence in turned {
            self.changed.insert(silence.id, silence.clone());
            if silence.state == SilenceState::Over {
                self.silences.remove(&silence.id);
            } else {
                self.silences.insert(silence.id, silence);
            }
        }
        self.rejudge_all();
    }

    // ------------------------------------------------------------ review

    /// Whether a review would change something at this instant.
    #[must_use]
    pub fn review_due(&self, now: Timestamp) -> bool {
        self.kept.rejudge_from.is_some()
            || self.index.first_due().is_some_and(|due| due <= now)
            || self.silences.values().any(|silence| silence.state_at(now) != silence.state)
            || self.kept.storms.any_due(now, &self.config.storm)
    }

    /// Storms that are over.
    pub(crate) fn end_storms(&mut self, now: Timestamp) -> Vec<storm::Over> {
        self.kept.storms.end(now, &self.config.storm)
    }

    /// Brings the due time and level of an alert up to now; says what changed.
    pub(crate) fn escalate(&self, alert: &mut Alert, now: Timestamp) -> Option<due::Told> {
        Due::of(&self.config, alert.severity).review(alert, now)
    }

    fn rejudge_all(&mut self) {
        self.kept.rejudge_from = Some(AlertId(0));
    }

    /// Remembers that alerts from this one on are to be judged anew with the next review; `None` that all are.
    pub(crate) fn rejudged_until(&mut self, next: Option<AlertId>) {
        self.kept.rejudge_from = next;
    }

    /// Where judging anew goes on; `None` when nothing is to be.
    pub(crate) fn rejudge_from(&self) -> Option<AlertId> {
        self.kept.rejudge_from
    }

    // ------------------------------------------------------------ alerts that are over

    /// Notes the last number of an alert that is over.
    pub(crate) fn note_over(&mut self, id: AlertId, revision: u64) {
        self.kept.recent.note(id, revision);
    }

    /// An alert that is open again.
    pub(crate) fn note_open(&mut self, id: AlertId) {
        self.kept.recent.forget(id);
    }

    /// Whether this is the alert as it was last told.
    ///
    /// # Errors
    /// When it may have changed since it was read.
    pub(crate) fn check_recalled(&self, alert: &Alert, as_of: u64) -> Result<(), Fault> {
        self.kept.recent.check(alert, as_of)
    }

    /// Whether the alert ended lately.
    pub(crate) fn ended_lately(&self, id: AlertId) -> bool {
        self.kept.recent.knows(id)
    }
}

pub(crate) use due::Told as DueTold;
pub(crate) use index::Stir as PolicyStir;
pub(crate) use storm::noun as storm_noun;
