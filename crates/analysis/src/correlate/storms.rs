//! The alert that stands for a storm: it counts and names those that are muted.

use riskgraph_domain::AlertId;
use riskgraph_domain::alert::{Alert, AlertCause, AlertChange, ScorePart, TimelineEntry, Verdict};
use riskgraph_domain::ports::Delta;
use riskgraph_domain::time::MINUTE_MS;

use super::live::{End, Live};
use super::told::Telling;
use super::{Correlator, people};
use crate::policy::{Hit, StormMute, storm_noun};

/// Entities, techniques and vendors listed on a summary.
const LISTED_MAX: usize = 64;
/// Alerts resolved together with the storm they are part of.
const RESOLVED_MAX: usize = 5_000;

impl Correlator {
    /// Counts an alert that is about to be told for the first time, and folds it into a storm when there is one.
    pub(super) fn join_storm(&mut self, id: AlertId, delta: &mut Delta) {
        let Some(live) = self.live.get_mut(&id) else { return };
        let Some(hit) = self.policy.count_opened(&live.alert, self.now) else { return };
        let alert = live.alert.clone();
        let known = hit.summary.filter(|summary| self.live.contains_key(summary));
        let summary = known.unwrap_or_else(|| self.begin_summary(&hit, &alert));
        if let Some(live) = self.live.get_mut(&id) {
            live.storm = Some(StormMute { by: summary, severity: alert.severity, detector: hit.key.clone() });
        }
        self.fold_into_summary(summary, &hit, &alert, delta);
    }

    fn begin_summary(&mut self, hit: &Hit, first: &Alert) -> AlertId {
        let id = AlertId::of(&["storm", &hit.key, &(self.sequence + 1).to_string()]);
        let mut alert = Alert::new(id, "", first.opened_at);
        alert.accepted_at = Some(self.now);
        alert.recommendations = vec![
            "Look at what the muted alerts have in common, and whether the input is what it should be.".to_owned(),
            "Resolve this alert to resolve all that are folded into it with the same verdict.".to_owned(),
        ];
        let mut live = Live::of_row(alert);
        live.rest();
        self.policy.storms().summarised(&hit.key, id);
        self.resting.insert(id);
        self.live.insert(id, live);
        id
    }

    fn fold_into_summary(&mut self, summary: AlertId, hit: &Hit, member: &Alert, delta: &mut Delta) {
        let minutes = ((self.now - hit.since).max(0) + MINUTE_MS - 1) / MINUTE_MS;
        let Some(live) = self.live.get_mut(&summary) else { return };
        let before = live.alert.severity;
        let is_first = live.alert.count == 0;
        let alert = &mut live.alert;
        alert.count = alert.count.saturating_add(1);
        alert.opened_at = alert.opened_at.min(member.opened_at);
        alert.updated_at = alert.updated_at.max(member.updated_at);
        alert.severity = alert.severity.max(member.severity);
        if is_first || member.score > alert.score {
            alert.score = member.score;
            let reason = format!("The strongest of its alerts: {}", member.title);
            alert.score_parts = vec![ScorePart { points: member.score, reason, detector: None, signal: None }];
        }
        list(&mut alert.entities, member.entities.first());
        alert.entities_total = alert.entities_total.saturating_add(member.entities_total);
        member.detectors.iter().for_each(|name| list(&mut alert.detectors, Some(name)));
        member.techniques.iter().for_each(|name| list(&mut alert.techniques, Some(name)));
        member.vendors.iter().for_each(|id| list(&mut alert.vendors, Some(id)));
        let noun = storm_noun(&hit.key);
        alert.title = format!("Alert storm: {} of {noun}", alerts(alert.count));
        alert.summary = format!(
            "{} of {noun} came within {} and are muted; this one stands for them. The worst is {}. The timeline names the \
             first and the latest.",
            alerts(alert.count),
            if minutes <= 1 { "a minute".to_owned() } else { format!("{minutes} minutes") },
            alert.severity.as_str(),
        );
        let text = format!("{} {} ({})", member.severity.as_str(), member.title, member.id);
        live.tell_time(TimelineEntry { time: member.updated_at, text, signal: None, actor: None });
        live.mark_told();
        self.dirty.insert(summary);
        let change = match live.alert.severity {
            _ if is_first => AlertChange::Opened,
            severity if severity > before => AlertChange::Escalated,
            // Told again when it has doubled: a storm of a thousand makes ten entries.
            _ if live.alert.count.is_power_of_two() => AlertChange::Updated,
            _ => return,
        };
        self.policy.storms().told(&hit.key);
        self.emit(summary, Telling::of(change, AlertCause::Correlation), delta);
    }

    /// Tells the count of storms that pause, and the last one of those that are over.
    pub(super) fn end_storms(&mut self, delta: &mut Delta) {
        for summary in self.policy.storms().settled(self.now) {
            self.emit(summary, Telling::of(AlertChange::Updated, AlertCause::Correlation), delta);
        }
        for over in self.policy.end_storms(self.now) {
            let Some(live) = self.live.get_mut(&over.summary) else { continue };
            let text = format!("The storm is over: {} folded into this one", alerts(live.alert.count));
            live.tell_time(TimelineEntry { time: self.now, text, signal: None, actor: None });
            self.emit(over.summary, Telling::of(AlertChange::Updated, AlertCause::Correlation), delta);
        }
    }

    /// The alerts that are resolved when this one is.
    pub(super) fn folded_into(&self, summary: AlertId) -> Vec<AlertId> {
        self.policy.children(summary).into_iter().take(RESOLVED_MAX).collect()
    }

    /// The end of an alert that was folded into a storm, with the storm's.
    pub(super) fn end_with(&self, verdict: Verdict, by: &people::By<'_>) -> End {
        let text = format!("Resolved as {} with the storm it was part of", verdict.as_str());
        End { verdict, text, reason: by.note(), actor: Some(by.command.by.clone()), at: by.command.at }
    }
}

fn list<T: PartialEq + Clone>(into: &mut Vec<T>, item: Option<&T>) {
    if let Some(item) = item.filter(|item| into.len() < LISTED_MAX && !into.contains(item)) {
        into.push(item.clone());
    }
}

fn alerts(n: u32) -> String {
    if n == 1 { "1 alert".to_owned() } else { format!("{n} alerts") }
}

impl StormMute {
    /// What the row alone says of it.
    pub(super) fn of_row(alert: &Alert) -> Option<Self> {
        let mute = alert.muted.as_ref().filter(|mute| mute.kind == riskgraph_domain::alert::MuteKind::Storm)?;
        let detector = alert.detectors.first().cloned().unwrap_or_default();
        Some(Self { by: mute.by?, severity: alert.severity, detector })
    }
}
