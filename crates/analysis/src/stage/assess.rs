//! Findings: their life cycle, and the risk they lay on their vendor.

use std::collections::BTreeSet;

use riskgraph_domain::command::{AssessmentRecord, Command};
use riskgraph_domain::graph::RiskCause;
use riskgraph_domain::ports::Delta;
use riskgraph_domain::posture::{CheckOutcome, CheckResult, DisputeKind, Finding, FindingStatus};
use riskgraph_domain::signal::TouchRole;
use riskgraph_domain::{EntityKind, Fault, FaultCode, FindingId, Severity, Text, Timestamp, VendorId};
use serde_json::Value;

use super::Stage;
use crate::facts;
use crate::graph::Seen;
use crate::spread::{Cause, ppm, short_title};

/// Outcomes and relations taken from one assessment.
const OUTCOMES_MAX: usize = 2_000;
const RELATIONS_MAX: usize = 2_000;
/// Who says what a crawl saw.
const CRAWL: &str = "crawl";
/// A warning weighs half of a failure.
const WARN_SHARE: f64 = 0.5;

impl Stage {
    pub(super) fn record_assessment(
        &mut self,
        record: &AssessmentRecord,
        command: &Command,
        delta: &mut Delta,
    ) -> Result<(), Fault> {
        let Some(node) = self.vendor_node(record.vendor) else { return Err(Fault::not_found("vendor")) };
        self.advance(command.at);
        let mut judged: BTreeSet<&str> = BTreeSet::new();
        let mut told: BTreeSet<FindingId> = BTreeSet::new();
        let mut serious: Vec<Finding> = Vec::new();
        for outcome in record.outcomes.iter().take(OUTCOMES_MAX) {
            let id = Finding::id_of(&outcome.check, record.vendor, &outcome.asset);
            told.insert(id);
            if outcome.result != CheckResult::Unknown {
                judged.insert(&outcome.check);
            }
            self.graph.see(EntityKind::Domain, &outcome.asset, command.at);
            serious.extend(self.take_outcome(id, outcome, record.vendor, command.at));
        }
        self.resolve_vanished(record.vendor, &judged, &told, command.at);
        for relation in record.relations.iter().take(RELATIONS_MAX) {
            self.take_relation(relation, command.at);
        }
        self.graph.arena.note(node, |notes| {
            let posture = &record.posture;
            notes.attributes.insert("grade".to_owned(), Value::from(posture.grade.as_str()));
            let score = posture.score.map_or(Value::Null, |score| Value::from((score * 10.0).round() / 10.0));
            notes.attributes.insert("posture".to_owned(), score);
        });
        delta.postures.push((record.vendor, record.posture.clone()));
        self.weigh_findings(record.vendor);
        for finding in serious {
            self.correlator.on_finding(node, &finding, command.at, &self.graph, delta);
        }
        Ok(())
    }

    /// Brings one outcome into the life of its finding; returns it when it is newly failed.
    ///
    /// What passed and what could not be judged needs nobody: status RESOLVED, the result tells which. What was open and
    /// cannot be judged now stays as it was.
    fn take_outcome(
        &mut self,
        id: FindingId,
        outcome: &CheckOutcome,
        vendor: VendorId,
        at: Timestamp,
    ) -> Option<Finding> {
        let bad = matches!(outcome.result, CheckResult::Warn | CheckResult::Fail);
        let known = self.findings.get(&id).cloned();
        if outcome.result == CheckResult::Unknown && known.is_some() {
            return None;
        }
        let fresh = known.is_none();
        let mut finding = known.unwrap_or_else(|| Finding {
            id,
            vendor: Some(vendor),
            outcome: outcome.clone(),
            status: FindingStatus::Open,
            first_seen: at,
            last_seen: at,
            accepted_until: None,
            note: None,
            dispute: None,
        });
        finding.outcome = outcome.clone();
        finding.last_seen = finding.last_seen.max(at);
        if !bad {
            finding.status = FindingStatus::Resolved;
            finding.dispute = None;
        } else if finding.dispute == Some(DisputeKind::Fixed) {
            // It was looked at again, and is not.
            finding.status = FindingStatus::Open;
            finding.dispute = None;
        } else if finding.status == FindingStatus::Accepted && finding.accepted_until.is_none_or(|until| until <= at) {
            finding.status = FindingStatus::Open;
            finding.accepted_until = None;
        }
        if bad {
            self.findings.insert(id, finding.clone());
        } else {
            self.findings.remove(&id);
        }
        self.changed.findings.insert(id, finding.clone());
        (fresh && outcome.result == CheckResult::Fail && outcome.severity >= Severity::High).then_some(finding)
    }

    /// A finding whose check was judged, but no longer for its asset: the asset is gone.
    fn resolve_vanished(
        &mut self,
        vendor: VendorId,
        judged: &BTreeSet<&str>,
        told: &BTreeSet<FindingId>,
        at: Timestamp,
    ) {
        let gone: Vec<FindingId> = self
            .findings
            .values()
            .filter(|finding| finding.vendor == Some(vendor) && !told.contains(&finding.id))
            .filter(|finding| judged.contains(finding.outcome.check.as_str()))
            .map(|finding| finding.id)
            .collect();
        for id in gone {
            if let Some(mut finding) = self.findings.remove(&id) {
                finding.status = FindingStatus::Resolved;
                finding.last_seen = finding.last_seen.max(at);
                finding.note = Some("the asset is no longer part of the vendor's site".to_owned());
                self.changed.findings.insert(id, finding);
            }
        }
    }

    fn take_relation(&mut self, seen: &riskgraph_domain::command::SeenRelation, at: Timestamp) {
        let node = |stage: &mut Self, key: &riskgraph_domain::EntityKey| {
            let text = facts::canonical(key.kind, &key.key)?;
            stage.graph.see(key.kind, &text, at).map(|(ix, _)| ix)
        };
        let (Some(from), Some(to)) = (node(self, &seen.from), node(self, &seen.to)) else { return };
        let confidence = seen.confidence.clamp(0.0, 1.0);
        self.graph.arena.relate(Seen { kind: seen.kind, from, to, time: at, confidence, source: CRAWL });
    }

    /// Lays the open findings of a vendor on its node anew.
    pub(super) fn weigh_findings(&mut self, vendor: VendorId) {
        let Some(node) = self.vendor_node(vendor) else { return };
        self.graph.own.remove_at(node, |cause| matches!(cause.source, RiskCause::Finding(_)));
        let scores = &self.graph.config.own.finding;
        let open = self.findings.values().filter(|finding| finding.vendor == Some(vendor));
        for finding in open.filter(|finding| finding.status == FindingStatus::Open) {
            let outcome = &finding.outcome;
            let share = if outcome.result == CheckResult::Fail { 1.0 } else { WARN_SHARE };
            let score = scores.of(outcome.severity) * share * outcome.confidence.clamp(0.0, 1.0);
            if score > 0.0 {
                let cause = Cause {
                    source: RiskCause::Finding(finding.id),
                    detector: outcome.check.clone(),
                    title: short_title(&outcome.title),
                    score_ppm: ppm(score),
                    role: TouchRole::Subject,
                    at: finding.first_seen,
                    alert: None,
                };
                self.graph.own.add(node, cause, &self.graph.config.own);
            }
        }
    }

    pub(super) fn accept_finding(
        &mut self,
        id: FindingId,
        reason: &str,
        until: Timestamp,
        command: &Command,
    ) -> Result<(), Fault> {
        if until <= command.at {
            return Err(Fault::new(FaultCode::BadInput, "a finding is accepted until some time to come"));
        }
        self.set_status(id, FindingStatus::Accepted, Some(until), (reason, &command.by))
    }

    pub(super) fn dispute_finding(
        &mut self,
        id: FindingId,
        reason: &str,
        kind: Option<DisputeKind>,
        command: &Command,
    ) -> Result<(), Fault> {
        self.set_status(id, FindingStatus::Disputed, None, (reason, &command.by))?;
        if let Some(finding) = self.findings.get_mut(&id) {
            finding.dispute = kind;
            self.changed.findings.insert(id, finding.clone());
        }
        Ok(())
    }

    fn set_status(
        &mut self,
        id: FindingId,
        status: FindingStatus,
        until: Option<Timestamp>,
        (reason, by): (&str, &Text),
    ) -> Result<(), Fault> {
        /// Characters of a reason that are kept.
        const REASON_CHARS_MAX: usize = 2_000;
        let finding = self.findings.get_mut(&id).ok_or_else(|| Fault::not_found("open finding"))?;
        finding.status = status;
        finding.accepted_until = until;
        finding.dispute = None;
        finding.note = Some(format!("{}: {}", by, reason.chars().take(REASON_CHARS_MAX).collect::<String>()));
        self.changed.findings.insert(id, finding.clone());
        if let Some(vendor) = finding.vendor {
            self.weigh_findings(vendor);
        }
        Ok(())
    }
}
