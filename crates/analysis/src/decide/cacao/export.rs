//! From a playbook to CACAO.

use riskgraph_domain::playbook::{OnFailure, Playbook, Step, StepKind};
use riskgraph_domain::text::Text;
use serde_json::{Map, Value, json};

use super::{EPOCH, EXTENSION, EXTENSION_SCHEMA, extension_id, identifier};
use crate::decide::{duration, write};

/// Priority and severity of a playbook, which CACAO grades from 0 (undefined) to 100: we leave it to the alert.
const UNGRADED: u32 = 0;

/// The playbook as a CACAO document.
#[must_use]
pub fn export(playbook: &Playbook) -> Value {
    let name = playbook.name.as_str();
    let identity = identifier("identity", &[EXTENSION]);
    let mut out = Flow { playbook, workflow: Map::new() };
    let start = identifier("start", &[name]);
    let main: Vec<Text> = playbook.main().into_iter().cloned().collect();
    let end = out.end("end");
    let first = out.chain(&main, &end);
    out.workflow.insert(start.clone(), json!({ "type": "start", "name": "start", "on_completion": first }));
    let head = write::raw(playbook);
    let order: Vec<&str> = playbook.steps.iter().map(|step| step.id.as_str()).collect();
    let mut extension_definitions = Map::new();
    extension_definitions.insert(
        extension_id(),
        json!({
            "type": "extension-definition", "name": EXTENSION, "created_by": identity, "schema": EXTENSION_SCHEMA,
            "version": "1.0.0", "description": "trigger, targets, approvals, expiry, limits and tests of riskgraph",
        }),
    );
    let mut playbook_extensions = Map::new();
    playbook_extensions.insert(
        extension_id(),
        json!({
            "name": head.name, "enabled": head.enabled, "trigger": head.trigger, "limits": head.limits, "order": order,
            "description": head.description, "tests": head.tests,
        }),
    );
    let mut agents = Map::new();
    agents.insert(agent(), json!({ "type": "organization", "name": "riskgraph" }));
    json!({
        "type": "playbook",
        "spec_version": "cacao-2.0",
        "id": identifier("playbook", &[name]),
        "name": playbook.title,
        "description": if playbook.description.is_empty() { playbook.title.clone() } else { playbook.description.clone() },
        "playbook_types": ["mitigation"],
        "playbook_activities": ["contain-incident"],
        "created_by": identity,
        "created": EPOCH,
        "modified": EPOCH,
        "priority": UNGRADED,
        "severity": UNGRADED,
        "impact": UNGRADED,
        "labels": ["riskgraph"],
        "workflow_start": start,
        "workflow": out.workflow,
        "agent_definitions": agents,
        "extension_definitions": extension_definitions,
        "playbook_extensions": playbook_extensions,
    })
}

fn agent() -> String {
    identifier("organization", &["riskgraph"])
}

struct Flow<'a> {
    playbook: &'a Playbook,
    workflow: Map<String, Value>,
}

impl Flow<'_> {
    /// Adds an end step; every branch has its own.
    fn end(&mut self, of: &str) -> String {
        let id = identifier("end", &[self.playbook.name.as_str(), of]);
        self.workflow.insert(id.clone(), json!({ "type": "end", "name": "end" }));
        id
    }

    /// Adds steps one after the other; gives the id of the first, or of what follows when there are none.
    fn chain(&mut self, ids: &[Text], after: &str) -> String {
        let mut next = after.to_owned();
        for id in ids.iter().rev() {
            if let Some(step) = self.playbook.step(id) {
                next = self.step(step, &next);
            }
        }
        next
    }

    fn id_of(&self, step: &Step) -> String {
        let kind = match step.kind {
            StepKind::If { .. } => "if-condition",
            StepKind::Parallel { .. } | StepKind::Sequence { .. } => "parallel",
            _ => "action",
        };
        identifier(kind, &[self.playbook.name.as_str(), step.id.as_str()])
    }

    fn step(&mut self, step: &Step, next: &str) -> String {
        let id = self.id_of(step);
        let mut out = Map::new();
        out.insert("name".to_owned(), json!(step.title));
        out.insert("on_completion".to_owned(), json!(next));
        match &step.kind {
            StepKind::If { condition, then, otherwise } => {
                out.insert("type".to_owned(), json!("if-condition"));
                out.insert("condition".to_owned(), json!(condition));
                let end = self.end(&format!("{}/then", step.id));
                out.insert("on_true".to_owned(), json!(self.chain(then, &end)));
                if !otherwise.is_empty() {
                    let end = self.end(&format!("{}/else", step.id));
                    out.insert("on_false".to_owned(), json!(self.chain(otherwise, &end)));
                }
            }
            StepKind::Parallel { steps } => {
                out.insert("type".to_owned(), json!("parallel"));
                let branches: Vec<String> = steps
                    .iter()
                    .map(|branch| {
                        let end = self.end(&format!("{}/{branch}", step.id));
                        self.chain(std::slice::from_ref(branch), &end)
                    })
                    .collect();
                out.insert("next_steps".to_owned(), json!(branches));
            }
            StepKind::Sequence { steps } => {
                out.insert("type".to_owned(), json!("parallel"));
                let end = self.end(&format!("{}/sequence", step.id));
                out.insert("next_steps".to_owned(), json!([self.chain(steps, &end)]));
            }
            other => {
                out.insert("type".to_owned(), json!("action"));
                out.insert("agent".to_owned(), json!(agent()));
                out.insert("timeout".to_owned(), json!(u64::from(step.timeout_s) * 1_000));
                out.insert("commands".to_owned(), json!([{ "type": "manual", "command": told(other) }]));
                if let StepKind::Wait { seconds } = other {
                    out.insert("delay".to_owned(), json!(u64::from(*seconds) * 1_000));
                }
            }
        }
        if let OnFailure::Step(handler) = &step.on_failure
            && let Some(handler) = self.playbook.step(handler).cloned()
        {
            let handled = self.step(&handler, next);
            out.insert("on_failure".to_owned(), json!(handled));
        }
        let raw = write::step(step);
        let mut extensions = Map::new();
        extensions.insert(extension_id(), serde_json::to_value(raw).unwrap_or_default());
        out.insert("step_extensions".to_owned(), Value::Object(extensions));
        self.workflow.insert(id.clone(), Value::Object(out));
        id
    }
}

/// A step in words, for people who read the document without us.
fn told(kind: &StepKind) -> String {
    match kind {
        StepKind::Action(action) => match &action.targets {
            Some(targets) => format!("{} at: {targets}", action.action),
            None => action.action.to_string(),
        },
        StepKind::Ask(question) => format!("ask: {}", question.text),
        StepKind::Notify { channel, text } => format!("notify {channel}: {text}"),
        StepKind::Wait { seconds } => format!("wait {}", duration::print(*seconds)),
        _ => String::new(),
    }
}
