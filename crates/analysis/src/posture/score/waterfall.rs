//! The account of points lost. Every row is a difference of two states of the score, so that the rows add up to the whole
//! by construction.

use riskgraph_domain::posture::{CheckOutcome, CheckResult, PosturePoints};
use riskgraph_domain::time::DAY_MS;
use riskgraph_domain::{Severity, Timestamp};

use super::{FactorScore, Incident, IncidentKind, lost_share, weight_of};
use crate::posture::config::ScoreConfig;

/// Rows below this many points are rounding, not reasons.
const POINTS_MIN: f64 = 1e-12;

#[derive(Default)]
pub(super) struct Waterfall {
    pub(super) rows: Vec<PosturePoints>,
}

impl Waterfall {
    /// Points lost so far, as the reader would add them up.
    pub(super) fn total(&self) -> f64 {
        self.rows.iter().map(|row| row.points).sum()
    }

    fn add(&mut self, points: f64, reason: String) {
        if points.abs() > POINTS_MIN {
            self.rows.push(PosturePoints { points, reason, check: None, asset: None, cost: None });
        }
    }

    /// Findings, weak tails and caps of the factors, each scaled by the factor's share of the known weight.
    pub(super) fn add_factors(&mut self, factors: &[FactorScore<'_>], rules: &ScoreConfig) {
        let known: f64 = factors.iter().filter(|f| f.score.is_some()).map(|f| f.weight).sum();
        for factor in factors.iter().filter(|f| f.score.is_some() && known > 0.0) {
            let share = factor.weight / known;
            for (outcome, points) in &factor.findings {
                self.rows.push(PosturePoints {
                    points: points * share,
                    reason: outcome.title.clone(),
                    check: Some(outcome.check.clone()),
                    asset: Some(outcome.asset.clone()),
                    cost: Some(weight_of(outcome.severity, rules) * lost_share(outcome, rules)),
                });
            }
            let name = factor.factor.as_str();
            self.add(share * (factor.mean - factor.with_tail), format!("weak tail: the weakest assets of {name}"));
            if let (Some(score), Some((cap, reason))) = (factor.score, &factor.cap) {
                self.add(share * (factor.with_tail - score), format!("factor cap: {name} at most {cap}, {reason}"));
            }
        }
    }

    /// What past incidents take off what is left.
    pub(super) fn add_incidents(&mut self, incidents: &[Incident], rules: &ScoreConfig, now: Timestamp) {
        let mut ordered: Vec<(&Incident, f64)> =
            incidents.iter().map(|incident| (incident, heat(incident, rules, now))).collect();
        ordered.sort_by(|(a, _), (b, _)| {
            (a.occurred_at, &a.title, a.kind == IncidentKind::Breach).cmp(&(
                b.occurred_at,
                &b.title,
                b.kind == IncidentKind::Breach,
            ))
        });
        let whole = 100.0 - self.total();
        let mut left = 1.0_f64;
        for (incident, heat) in ordered {
            let after = (left * (1.0 - rules.incident.loss * heat)).max(rules.incident.floor);
            self.add(whole * (left - after), format!("incident: {}", incident.title));
            left = after;
        }
    }

    /// What the limits on the whole take away.
    pub(super) fn add_caps(
        &mut self,
        outcomes: &[&CheckOutcome],
        incidents: &[Incident],
        rules: &ScoreConfig,
        now: Timestamp,
    ) {
        let caps = &rules.caps;
        let failed = |check: &str, least: Severity| {
            outcomes.iter().any(|o| {
                o.check.as_str() == check
                    && o.result == CheckResult::Fail
                    && o.severity >= least
                    && o.confidence >= caps.confirmed_confidence
            })
        };
        let mut lowest: Option<(f64, &str)> = None;
        let mut take = |cap: f64, reason: &'static str| {
            if lowest.is_none_or(|(low, _)| cap < low) {
                lowest = Some((cap, reason));
            }
        };
        if failed("PAY-10", Severity::Info) {
            take(caps.live_skimmer, "evidence of a live skimmer");
        }
        if failed("VULN-03", Severity::Critical) {
            take(caps.kev_overdue, "a vulnerability known to be exploited is past its due date");
        }
        if failed("RAN-01", Severity::Info) || incidents.iter().any(|i| recent_ransomware(i, rules, now)) {
            take(caps.ransomware, "listed by a ransomware crew within the last weeks");
        }
        if ["TLS-02", "TLS-03", "TLS-04"].iter().any(|check| failed(check, Severity::Critical)) {
            take(caps.refused_certificate, "browsers refuse the certificate");
        }
        let before = 100.0 - self.total();
        if let Some((cap, reason)) = lowest
            && before > cap
        {
            self.add(before - cap, format!("overall cap: at most {cap}, {reason}"));
        }
    }
}

/// How fresh an incident is: 1 on its day, linearly 0 at the end of the window; one from the future counts in full.
fn heat(incident: &Incident, rules: &ScoreConfig, now: Timestamp) -> f64 {
    let window = rules.incident.days * DAY_MS as f64;
    (1.0 - (now - incident.occurred_at).max(0) as f64 / window).clamp(0.0, 1.0)
}

fn recent_ransomware(incident: &Incident, rules: &ScoreConfig, now: Timestamp) -> bool {
    let age = (now - incident.occurred_at).max(0) as f64;
    incident.kind == IncidentKind::Ransomware && age < rules.caps.ransomware_days * DAY_MS as f64
}
