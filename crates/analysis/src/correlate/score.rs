//! What an alert's score is made of: its signals, strongest first, and what was known before.

use riskgraph_domain::alert::ScorePart;
use riskgraph_domain::graph::RiskCause;
use riskgraph_domain::signal::TouchRole;
use riskgraph_domain::{Severity, Text, Timestamp};

use super::live::{Backdrop, Live};
use crate::graph::{NodeIx, RiskGraph};
use crate::spread::{Cause, CorrelateConfig, arriving, ppm, rank_damped};

/// Nodes of one signal whose neighbourhood is weighed.
const WEIGHED_MAX: usize = 4;

impl Live {
    /// Looks at the risk the touched entities have from elsewhere, and keeps the worst.
    pub(super) fn weigh_context(&mut self, nodes: &[(NodeIx, TouchRole)], time: Timestamp, graph: &RiskGraph) {
        let without = Some(self.alert.id);
        let subjects_first = |(_, role): &(NodeIx, TouchRole)| *role != TouchRole::Subject;
        let mut nodes: Vec<(NodeIx, TouchRole)> =
            nodes.iter().copied().filter(|(_, role)| *role != TouchRole::Context).collect();
        nodes.sort_by_key(subjects_first);
        for (ix, _) in nodes.into_iter().take(WEIGHED_MAX) {
            let own = graph.own.points(ix, time, without, &graph.config.own);
            let arrived = arriving(&graph.arena, &graph.own, ix, (time, without), &graph.config);
            let share = |ix: NodeIx, place: usize| {
                graph.own.of(ix).get(place).map_or(0.0, |cause| context_share(cause, &graph.config.correlate))
            };
            let mut addends: Vec<(usize, f64)> =
                arrived.iter().map(|a| a.points * share(a.origin, a.place)).enumerate().collect();
            let n_arrived = arrived.len();
            let own_share = |place: usize| share(ix, place);
            addends.extend(own.iter().map(|&(place, points)| (n_arrived + place, points * own_share(place))));
            let damped = rank_damped(addends);
            let points: f64 = damped.iter().map(|addend| addend.1).sum();
            if self.backdrop.as_ref().is_some_and(|known| known.points >= points) {
                continue;
            }
            let Some(&(top, _)) = damped.first() else { continue };
            let (origin, place) = arrived.get(top).map_or((ix, top.saturating_sub(n_arrived)), |a| (a.origin, a.place));
            let Some(cause) = graph.own.of(origin).get(place) else { continue };
            let reason = format!("{}: {}", super::tell::noun(&graph.arena, origin), cause.title);
            let path = arrived.get(top).map_or(&[][..], |arrived| &arrived.path);
            let path = path.iter().map(|&edge| graph.arena.relation_id(edge)).collect();
            self.backdrop = Some(Backdrop { points, cause: cause.source, reason, path });
        }
    }

    /// Points the backdrop adds: a share of the risk from elsewhere, whole only for signals that are something by themselves.
    pub(super) fn context_points(&self, config: &CorrelateConfig) -> f64 {
        let best = self.detectors.values().map(|best| best.score_ppm).max().unwrap_or(0);
        let full = f64::from(ppm(config.context_full_at)).max(1.0);
        let share = (f64::from(best) / full).min(1.0);
        let points = self.backdrop.as_ref().map_or(0.0, |backdrop| backdrop.points);
        (config.context_weight * points * share).min(config.context_max)
    }

    /// Computes score, its parts and severity anew.
    pub(super) fn rescore(&mut self, config: &CorrelateConfig) {
        let named: Vec<(&Text, &super::live::Best)> = self.detectors.iter().collect();
        let addends = named.iter().map(|(_, best)| f64::from(best.score_ppm) / 1e4).enumerate().collect();
        let damped = rank_damped(addends);
        let signals: f64 = damped.iter().map(|addend| addend.1).sum();
        let score = (signals + self.context_points(config)).min(100.0);
        let mut parts: Vec<ScorePart> = damped
            .iter()
            .filter_map(|&(place, points)| {
                let (name, best) = named.get(place)?;
                let times = if best.count > 1 { format!(" ({}x)", best.count) } else { String::new() };
                let reason = format!("{}{times}", best.title);
                Some(ScorePart { points, reason, detector: Some(Text::clone(name)), signal: best.signal })
            })
            .collect();
        if let Some(backdrop) = self.backdrop.as_ref().filter(|_| score > signals) {
            let reason = format!("Known before: {}", backdrop.reason);
            parts.push(ScorePart { points: score - signals, reason, detector: None, signal: None });
        }
        // Two decimals read back from any row as they were written.
        self.alert.score = (score * 100.0).round() / 100.0;
        self.alert.score_parts = settled(parts, self.alert.score);
        self.alert.severity = Severity::of_score(self.alert.score / 100.0);
    }
}

/// Rounds the parts to hundredths so that they add up to the score; what rounding leaves goes to the largest.
fn settled(mut parts: Vec<ScorePart>, score: f64) -> Vec<ScorePart> {
    let hundredths = |points: f64| (points * 100.0).round();
    let sum: f64 = parts.iter().map(|part| hundredths(part.points)).sum();
    let left = hundredths(score) - sum;
    for (place, part) in parts.iter_mut().enumerate() {
        part.points = (hundredths(part.points) + if place == 0 { left } else { 0.0 }) / 100.0;
    }
    parts.retain(|part| part.points != 0.0);
    parts
}

/// Share of a cause that counts as context: what stands for months is no news, and one oddity is no reason to believe
/// another. What is known from outside always counts.
fn context_share(cause: &Cause, config: &CorrelateConfig) -> f64 {
    match cause.source {
        RiskCause::Finding(_) => config.context_finding_share,
        RiskCause::Signal(_) if super::tell::is_intel(&cause.detector) => 1.0,
        RiskCause::Signal(_) if cause.score_ppm < ppm(config.context_cause_min) => 0.0,
        RiskCause::Signal(_) => 1.0,
    }
}
