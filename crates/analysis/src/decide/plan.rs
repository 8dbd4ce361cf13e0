//! From a playbook and an alert to a run: every step at every target, before anything is done.

use std::collections::BTreeSet;

use riskgraph_domain::playbook::{
    ActionStep, BlastPart, Plan, Playbook, Rule, Run, RunRecord, RunStep, Step, StepKind, StepState, effect_key,
};
use riskgraph_domain::respond::ActionSpec;
use riskgraph_domain::{EntityKey, RunId};
use serde_json::Value;

use super::condition::{self, kind_of};
use super::facts::{VARIABLES, VARIABLES_AT_TARGET, entity_key, reachable};
use super::template;

/// Rows of one run; a step with more targets is cut and says so.
pub const ROWS_MAX: usize = 2_000;

/// Makes the run. What cannot be aimed or done is skipped with its reason; rules on what may be hit come after
/// ([`super::admit`]).
#[must_use]
pub fn plan(run: Run, playbook: Playbook, facts: Value, specs: &[ActionSpec]) -> RunRecord {
    let mut steps: Vec<RunStep> = Vec::new();
    for step in &playbook.steps {
        let room = ROWS_MAX.saturating_sub(steps.len());
        let rows = match &step.kind {
            StepKind::Action(action) => {
                action_rows(&Aim { run: run.id, step, action, facts: &facts, specs }, room.max(1))
            }
            _ => vec![blank(step)],
        };
        steps.extend(rows);
    }
    for (place, row) in steps.iter_mut().enumerate() {
        row.place = u32::try_from(place).unwrap_or(u32::MAX);
    }
    RunRecord { run, plan: Plan { playbook, facts }, steps, approvals: Vec::new() }
}

/// The specification an action step goes by.
#[must_use]
pub fn spec_of<'a>(action: &ActionStep, specs: &'a [ActionSpec]) -> Option<&'a ActionSpec> {
    specs.iter().find(|spec| {
        spec.action == action.action && action.connector.as_ref().is_none_or(|connector| *connector == spec.connector)
    })
}

struct Aim<'a> {
    run: RunId,
    step: &'a Step,
    action: &'a ActionStep,
    facts: &'a Value,
    specs: &'a [ActionSpec],
}

fn blank(step: &Step) -> RunStep {
    RunStep {
        place: 0,
        step: step.id.clone(),
        title: step.title.clone(),
        action: step.action().map(Into::into),
        connector: None,
        target: None,
        parameters: serde_json::Map::new(),
        state: StepState::Pending,
        said: None,
        effect: None,
        reversible: false,
        attempts: 0,
        started_at: None,
        finished_at: None,
        not_before: None,
        error: None,
        refused: None,
        verified: None,
        expires_at: None,
        blast: BlastPart::default(),
        key: None,
    }
}

/// Marks a row as one that will not be done.
pub fn refuse(row: &mut RunStep, rule: Rule, reason: String) {
    row.state = StepState::Skipped;
    row.refused = Some(rule);
    row.error = Some(reason);
}

fn action_rows(aim: &Aim<'_>, room: usize) -> Vec<RunStep> {
    let refused = |rule, reason: String| {
        let mut row = blank(aim.step);
        refuse(&mut row, rule, reason);
        vec![row]
    };
    let Some(spec) = spec_of(aim.action, aim.specs) else {
        let by = aim.action.connector.as_ref().map_or(String::new(), |name| format!(" of the connector '{name}'"));
        return refused(
            Rule::NoResponder,
            format!("no configured connector does {}{by}; add one under [respond]", aim.action.action),
        );
    };
    if let Some(parameter) =
        spec.parameters.iter().find(|p| p.required && !aim.action.parameters.contains_key(p.name.as_str()))
    {
        return refused(
            Rule::Expression,
            format!("the parameter '{}' is missing: {}", parameter.name, parameter.description),
        );
    }
    let targets = match &aim.action.targets {
        None if spec.targets.is_empty() => return vec![row(aim, spec, None)],
        None => return refused(Rule::WrongTarget, format!("{} needs a target; give 'targets'", spec.action)),
        Some(source) => match select(source, aim.facts) {
            Ok(targets) => targets,
            Err(message) => return refused(Rule::Expression, format!("targets: {message}")),
        },
    };
    if targets.is_empty() {
        let mut none = blank(aim.step);
        none.state = StepState::Skipped;
        none.said = Some("the alert has no entity for it".to_owned());
        return vec![none];
    }
    let known = reachable(aim.facts);
    let n_targets = targets.len();
    let mut rows: Vec<RunStep> = Vec::with_capacity(n_targets.min(room));
    for target in targets.into_iter().take(room) {
        let mut row = row(aim, spec, Some(target.clone()));
        if !known.contains(&target) {
            refuse(
                &mut row,
                Rule::WrongTarget,
                format!("{} {} is no entity of the alert", target.kind.as_str(), target.key),
            );
        } else if !spec.targets.is_empty() && !spec.targets.contains(&target.kind) {
            refuse(&mut row, Rule::WrongTarget, format!("{} cannot be aimed at {}", spec.action, target.kind.as_str()));
        }
        rows.push(row);
    }
    if n_targets > room
        && let Some(last) = rows.last_mut()
    {
        refuse(
            last,
            Rule::Cap,
            format!("a run has at most {ROWS_MAX} effects; {} targets were left out", n_targets - room + 1),
        );
    }
    rows
}

fn row(aim: &Aim<'_>, spec: &ActionSpec, target: Option<EntityKey>) -> RunStep {
    let mut row = blank(aim.step);
    row.connector = Some(spec.connector.clone());
    row.reversible = spec.reversible;
    row.key = Some(effect_key(aim.run, &aim.step.id, target.as_ref()));
    // Lists of entities are only copied where a parameter has an expression.
    let has_holes = aim.action.parameters.values().any(|value| value.to_string().contains("${"));
    let at_target = target.as_ref().filter(|_| has_holes).map(|target| {
        let mut facts = aim.facts.clone();
        facts["target"] = entity_of(aim.facts, target);
        facts
    });
    let variables = if at_target.is_some() { VARIABLES_AT_TARGET } else { VARIABLES };
    let facts = at_target.as_ref().unwrap_or(aim.facts);
    for (name, value) in &aim.action.parameters {
        match template::fill_value(value, facts, variables) {
            Ok(value) => drop(row.parameters.insert(name.clone(), value)),
            Err(message) => refuse(&mut row, Rule::Expression, format!("the parameter '{name}': {message}")),
        }
    }
    row.target = target;
    row
}

fn entity_of(facts: &Value, target: &EntityKey) -> Value {
    let lists = ["entities", "related"].into_iter().filter_map(|list| facts[list].as_array());
    let found = lists.flatten().find(|entity| entity_key(entity).as_ref() == Some(target));
    found.cloned().unwrap_or_else(|| serde_json::json!({ "kind": target.kind.as_str(), "key": target.key }))
}

/// The entities a target expression names, in its order, each once.
///
/// # Errors
/// When it fails, or gives something else than a list of entities.
pub fn select(source: &str, facts: &Value) -> Result<Vec<EntityKey>, String> {
    let value = condition::compile(source, VARIABLES)?.value(facts)?;
    let Value::Array(items) = &value else {
        return Err(format!("it gives {}, not a list of entities; use entities.filter(e, ...)", kind_of(&value)));
    };
    let mut seen = BTreeSet::new();
    let mut targets = Vec::with_capacity(items.len());
    for item in items {
        let key =
            entity_key(item).ok_or("it gives a list of something else than entities; use entities.filter(e, ...)")?;
        if seen.insert(key.clone()) {
            targets.push(key);
        }
    }
    Ok(targets)
}
