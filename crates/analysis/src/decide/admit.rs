//! Asks the rules about a planned run, and about one effect right before it happens.

use std::collections::BTreeMap;

use riskgraph_domain::playbook::{BlastPart, Refusal, Rule, RunRecord, RunStep, StepState};
use riskgraph_domain::{EntityKey, Text};

use super::plan::refuse;
use super::rules::{Caps, Untouchable, Used, has_blast};

/// What is known outside of the run when rules are asked.
#[derive(Debug, Clone, Default)]
pub struct World {
    /// What each target is of the shop's recent life, and what it belongs to.
    pub targets: BTreeMap<EntityKey, TargetWorld>,
    /// Actions switched off, with the reason; `*` stands for all.
    pub killed: BTreeMap<Text, String>,
    /// What other runs hit in the last hour.
    pub used_hour: Used,
}

/// One target's part of [`World`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TargetWorld {
    pub blast: BlastPart,
    pub owners: Vec<EntityKey>,
}

/// The rules as configured.
#[derive(Debug, Clone)]
pub struct Rules {
    pub untouchable: Untouchable,
    pub run: Caps,
    pub hour: Caps,
    pub currency: String,
}

impl World {
    /// Why an action is off.
    #[must_use]
    pub fn killed(&self, action: &str) -> Option<String> {
        let all = self.killed.get("*").map(|why| format!("all actions are switched off: {why}"));
        all.or_else(|| self.killed.get(action).map(|why| format!("{action} is switched off: {why}")))
    }

    fn blast(&self, row: &RunStep) -> BlastPart {
        let counts = row.action.as_deref().is_some_and(has_blast);
        let found = row.target.as_ref().filter(|_| counts).and_then(|target| self.targets.get(target));
        found.map(|target| target.blast.clone()).unwrap_or_default()
    }

    fn owners(&self, row: &RunStep) -> &[EntityKey] {
        row.target.as_ref().and_then(|target| self.targets.get(target)).map_or(&[], |target| target.owners.as_slice())
    }
}

impl Rules {
    /// Asks about every planned effect: what a rule forbids is skipped with its reason. `Some`: the whole run is too much.
    pub fn admit(&self, record: &mut RunRecord, world: &World) -> Option<String> {
        let mut used = Used::default();
        for row in record.steps.iter_mut().filter(|row| row.key.is_some() && row.state == StepState::Pending) {
            row.blast = world.blast(row);
            match self.forbids(row, world) {
                Some((rule, reason)) => refuse(row, rule, reason),
                None if row.action.as_deref().is_some_and(has_blast) => used.add(&row.blast),
                None => {}
            }
        }
        let own = self.run.within(&record.plan.playbook.limits);
        own.refuses(&used, "this run").or_else(|| self.hour.refuses(&merged(&world.used_hour, &used), "the last hour"))
    }

    /// Asks about one effect that is about to happen; `used_run` is what the run has hit so far.
    #[must_use]
    pub fn recheck(&self, record: &RunRecord, row: &RunStep, used_run: &Used, world: &World) -> Option<(Rule, String)> {
        if let Some(found) = self.forbids(row, world) {
            return Some(found);
        }
        if !row.action.as_deref().is_some_and(has_blast) {
            return None;
        }
        let own = self.run.within(&record.plan.playbook.limits);
        let with = |used: &Used| used.clone().with(&row.blast);
        let over = own
            .refuses(&with(used_run), "this run")
            .or_else(|| self.hour.refuses(&with(&world.used_hour), "the last hour"));
        over.map(|reason| (Rule::Cap, reason))
    }

    fn forbids(&self, row: &RunStep, world: &World) -> Option<(Rule, String)> {
        let killed = world.killed(row.action.as_deref().unwrap_or_default()).map(|reason| (Rule::KillSwitch, reason));
        killed.or_else(|| row.target.as_ref().and_then(|target| self.untouchable.refuses(target, world.owners(row))))
    }
}

/// What the planned effects of a run hit together.
#[must_use]
pub fn planned(record: &RunRecord) -> Used {
    let mut used = Used::default();
    let wanted = |row: &&RunStep| {
        row.key.is_some() && row.state != StepState::Skipped && row.action.as_deref().is_some_and(has_blast)
    };
    record.steps.iter().filter(wanted).for_each(|row| used.add(&row.blast));
    used
}

/// What the effects hit that a run has begun.
#[must_use]
pub fn begun(record: &RunRecord, but: u32) -> Used {
    let mut used = Used::default();
    let wanted = |row: &&RunStep| {
        row.place != but && row.attempts > 0 && row.action.as_deref().is_some_and(has_blast) && row.key.is_some()
    };
    record.steps.iter().filter(wanted).for_each(|row| used.add(&row.blast));
    used
}

/// What a plan refuses, for people.
#[must_use]
pub fn refusals(record: &RunRecord) -> Vec<Refusal> {
    let refused = record.steps.iter().filter_map(|row| Some((row, row.refused?)));
    refused
        .map(|(row, rule)| Refusal {
            step: row.step.clone(),
            target: target_text(row),
            rule,
            reason: row.error.clone().unwrap_or_default(),
        })
        .collect()
}

/// A row's target in words; the action itself where it has none.
#[must_use]
pub fn target_text(row: &RunStep) -> String {
    match &row.target {
        Some(target) => target.key.to_string(),
        None => String::new(),
    }
}

fn merged(left: &Used, right: &Used) -> Used {
    Used {
        accounts: left.accounts.union(&right.accounts).cloned().collect(),
        traffic_share: left.traffic_share + right.traffic_share,
        money_minor: left.money_minor + right.money_minor,
        targets: left.targets.saturating_add(right.targets),
    }
}
