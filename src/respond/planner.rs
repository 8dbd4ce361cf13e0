//! Makes runs: gathers what is known, plans every step, asks the rules. Nothing is done here.

use std::collections::BTreeSet;

use riskgraph_analysis::decide::admit::refusals;
use riskgraph_analysis::decide::facts::{Known, facts};
use riskgraph_analysis::decide::plan::plan;
use riskgraph_analysis::decide::{admit, duration};
use riskgraph_domain::access::Viewer;
use riskgraph_domain::alert::Alert;
use riskgraph_domain::error::Fault;
use riskgraph_domain::playbook::{
    DryEffect, DryRun, Ending, KeptPlaybook, Refusal, Rule, Run, RunRecord, RunState, RunStep, StepKind, StepState, Way,
};
use riskgraph_domain::respond::ActionRequest;
use riskgraph_domain::{EntityKey, RunId, Text};

use super::act;
use super::core::Core;

/// Effects whose exact words a dry run asks the responders for; the others are told as planned.
const DRY_RUNS_MAX: usize = 200;
/// Responders asked at once.
const DRY_RUNS_AT_ONCE: usize = 8;

/// Who wants a run.
pub(super) enum Cause<'a> {
    Trigger,
    Person(&'a Viewer),
}

impl Core {
    /// A run of this playbook about this alert, with everything a rule forbids marked.
    pub(super) async fn make_run(
        &self,
        kept: &KeptPlaybook,
        alert: &Alert,
        known: &Known,
        cause: &Cause<'_>,
    ) -> Result<RunRecord, Fault> {
        let now = self.ground.clock.now();
        let (alert_id, at) = (alert.id.to_string(), now.millis().to_string());
        let (id, started_by, requester) = match cause {
            Cause::Trigger => (RunId::of(&["trigger", &kept.playbook.name, &alert_id]), Text::from("trigger"), None),
            Cause::Person(viewer) => {
                let by = viewer.token.to_string();
                let id = RunId::of(&["person", &kept.playbook.name, &alert_id, &by, &at]);
                (id, viewer.name.clone(), Some(viewer.token))
            }
        };
        let run = Run {
            id,
            ordinal: 0,
            playbook: kept.playbook.id(),
            name: kept.playbook.name.clone(),
            version: kept.version,
            alert: alert.id,
            about: alert.title.clone(),
            state: RunState::Running,
            started_by,
            requester,
            started_at: now,
            finished_at: None,
            reason: None,
            opened_at: alert.accepted_at.or(known.opened_at).unwrap_or(now),
            contained_at: None,
            ending: None,
            untold: Vec::new(),
        };
        let mut record = plan(run, kept.playbook.clone(), facts(alert, known), &self.responders.actions());
        let targets: BTreeSet<EntityKey> = record.steps.iter().filter_map(|row| row.target.clone()).collect();
        let world = self.world(&targets.into_iter().collect::<Vec<_>>(), None).await?;
        if let Some(reason) = self.rules.admit(&mut record, &world) {
            record.run.ending = Some(Ending { way: Way::Stop, state: RunState::Refused, reason });
        }
        Ok(record)
    }

    /// What a run would do now, in the responders' own words.
    pub(super) async fn dry(&self, kept: &KeptPlaybook, alert: &Alert) -> Result<DryRun, Fault> {
        use futures::StreamExt as _;
        let known = self.knowledge.of(alert).await?;
        let record = self.make_run(kept, alert, &known, &Cause::Trigger).await?;
        let planned: Vec<&RunStep> =
            record.steps.iter().filter(|row| row.action.is_some() && row.state == StepState::Pending).collect();
        let asked = planned.iter().enumerate().map(|(n, row)| self.dry_effect(&record, row, n));
        let told: Vec<(DryEffect, Option<Refusal>)> =
            futures::stream::iter(asked.collect::<Vec<_>>()).buffered(DRY_RUNS_AT_ONCE).collect().await;
        let mut refused = refusals(&record);
        let (mut effects, mut n_doing) = (Vec::new(), 0_usize);
        for (effect, refusal) in told {
            match refusal {
                Some(refusal) => refused.push(refusal),
                None => {
                    n_doing += 1;
                    effects.push(effect);
                }
            }
        }
        let whole = record.run.ending.as_ref().map(|ending| Refusal {
            step: Text::default(),
            target: String::new(),
            rule: Rule::Cap,
            reason: ending.reason.clone(),
        });
        let allowed = whole.is_none() && (n_doing > 0 || refused.is_empty());
        refused.extend(whole);
        let blast = admit::planned(&record).blast(&self.rules.currency);
        Ok(DryRun { allowed, effects, refusals: refused, blast, approvals: approvals(&record) })
    }

    async fn dry_effect(&self, record: &RunRecord, row: &RunStep, n: usize) -> (DryEffect, Option<Refusal>) {
        let step = record.plan.playbook.step(&row.step);
        let mut effect = DryEffect {
            step: row.step.clone(),
            action: row.action.clone().unwrap_or_default(),
            target: admit::target_text(row),
            effect: row.title.clone(),
            reversible: row.reversible,
            expires_in_s: step.and_then(|step| step.expires_after_s),
        };
        if row.key.is_none() {
            return (effect, None);
        }
        if n >= DRY_RUNS_MAX {
            effect.effect = format!("{} (not asked: there are more than {DRY_RUNS_MAX} effects)", row.title);
            return (effect, None);
        }
        let request: ActionRequest = act::request(record, row, None);
        match act::dry_run(&self.responders, request, step.map_or(10, |step| step.timeout_s)).await {
            Ok(planned) => {
                effect.effect = if planned.changes { planned.text } else { format!("nothing: {}", planned.text) };
                (effect, None)
            }
            Err(fault) => {
                let (rule, reason) =
                    (Rule::NoResponder, format!("the connector cannot say what it would do: {}", fault.message));
                let refusal = Refusal { step: row.step.clone(), target: effect.target.clone(), rule, reason };
                (effect, Some(refusal))
            }
        }
    }
}

/// Which steps wait for whom.
fn approvals(record: &RunRecord) -> Vec<String> {
    let steps = record
        .plan
        .playbook
        .steps
        .iter()
        .filter(|step| record.steps.iter().any(|row| row.step == step.id && row.state == StepState::Pending));
    let told = steps.filter_map(|step| {
        if let StepKind::Ask(question) = &step.kind {
            let within = duration::print(question.answer_within_s);
            let (role, default) = (question.role.as_str(), question.default.as_str());
            return Some(format!(
                "{}: asks one {role} '{}'; without an answer in {within}: {default}",
                step.id, question.text
            ));
        }
        let rule = step.approval.as_ref()?;
        let eyes = if rule.four_eyes { ", not the one who started the run" } else { "" };
        let (role, needed, within) = (rule.role.as_str(), rule.needed, duration::print(rule.within_s));
        Some(format!("{}: {needed} x {role}{eyes}; without a decision in {within}: {}", step.id, rule.default.as_str()))
    });
    told.collect()
}
