//! From CACAO to a playbook. What we cannot do is refused, all of it at once, step by step.

use std::collections::{BTreeMap, BTreeSet};

use riskgraph_domain::playbook::Playbook;
use serde_json::{Map, Value};

use super::{export, extension_id};
use crate::decide::source::{RawPlaybook, RawStep, RawTest};
use crate::decide::{check, duration};

/// Steps of a document.
const STEPS_MAX: usize = 256;
/// Bytes of a document as text.
const DOCUMENT_MAX: usize = 512 * 1024;
/// Times a variable is put in; a variable may name another.
const VARIABLE_DEPTH_MAX: usize = 4;
/// CACAO's time for a person: ten minutes, then the step has failed.
const MANUAL_TIMEOUT_S: u32 = 600;

/// Reads a CACAO 2.0 document.
///
/// # Errors
/// Everything in it that cannot be done, each with its step.
pub fn import(document: &Value) -> Result<Playbook, Vec<String>> {
    let size = serde_json::to_string(document).map_or(usize::MAX, |text| text.len());
    if size > DOCUMENT_MAX {
        return Err(vec![format!("the document is longer than {DOCUMENT_MAX} bytes")]);
    }
    if document["type"] != "playbook" || document["spec_version"] != "cacao-2.0" {
        return Err(vec![
            "it is no CACAO 2.0 playbook: 'type' must be playbook and 'spec_version' cacao-2.0".to_owned(),
        ]);
    }
    let Some(workflow) = document["workflow"].as_object() else {
        return Err(vec!["field 'workflow' is missing; it holds the steps".to_owned()]);
    };
    if workflow.len() > STEPS_MAX {
        return Err(vec![format!("there are more than {STEPS_MAX} steps")]);
    }
    let ours = document["playbook_extensions"][extension_id()].as_object();
    let raw = match ours {
        Some(head) => return own(document, head),
        None => Foreign::new(document, workflow).read()?,
    };
    check::playbook(raw).map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

/// A document we exported: the extension has everything; what the standard fields say must not contradict it.
fn own(document: &Value, head: &Map<String, Value>) -> Result<Playbook, Vec<String>> {
    let text = |name: &str| head.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut problems = Vec::new();
    let mut steps: BTreeMap<String, RawStep> = BTreeMap::new();
    for (id, step) in document["workflow"].as_object().into_iter().flatten() {
        let extension = &step["step_extensions"][extension_id()];
        if extension.is_null() {
            if !matches!(step["type"].as_str(), Some("start" | "end")) {
                problems.push(format!("step {id}: it has no x-riskgraph extension; it was added outside of riskgraph, where its target is not known"));
            }
            continue;
        }
        match serde_json::from_value::<RawStep>(extension.clone()) {
            Ok(raw) => drop(steps.insert(raw.id.clone(), raw)),
            Err(error) => problems.push(format!("step {id}: its x-riskgraph extension does not read: {error}")),
        }
    }
    let order: Vec<String> = serde_json::from_value(head.get("order").cloned().unwrap_or_default()).unwrap_or_default();
    let listed: Vec<RawStep> = order.iter().filter_map(|id| steps.remove(id)).collect();
    let tests: Vec<RawTest> = match serde_json::from_value(head.get("tests").cloned().unwrap_or_default()) {
        Ok(tests) => tests,
        Err(error) => {
            problems.push(format!("the tests do not read: {error}"));
            Vec::new()
        }
    };
    let limits = serde_json::from_value(head.get("limits").cloned().unwrap_or_default()).unwrap_or_default();
    if !problems.is_empty() {
        return Err(problems);
    }
    let raw = RawPlaybook {
        name: text("name"),
        title: document["name"].as_str().unwrap_or_default().to_owned(),
        description: text("description"),
        enabled: head.get("enabled").and_then(Value::as_bool).unwrap_or_default(),
        trigger: text("trigger"),
        limits,
        steps: listed.into_iter().chain(steps.into_values()).collect(),
        tests,
    };
    let playbook =
        check::playbook(raw).map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let again = export(&playbook);
    let (given, made) = (document["workflow"].as_object(), again["workflow"].as_object());
    for (id, step) in made.into_iter().flatten() {
        for field in ["type", "on_completion", "on_failure", "on_true", "on_false", "next_steps", "condition"] {
            let other = given.and_then(|given| given.get(id)).map_or(&Value::Null, |given| &given[field]);
            if *other != step[field] {
                problems.push(format!(
                    "step {id}, field '{field}': it was changed outside of riskgraph and contradicts the x-riskgraph extension; change it in the playbook"
                ));
            }
        }
    }
    if problems.is_empty() { Ok(playbook) } else { Err(problems) }
}

/// A document somebody else made.
struct Foreign<'a> {
    document: &'a Value,
    workflow: &'a Map<String, Value>,
    variables: BTreeMap<String, String>,
    steps: Vec<RawStep>,
    problems: Vec<String>,
    seen: BTreeSet<String>,
}

impl<'a> Foreign<'a> {
    fn new(document: &'a Value, workflow: &'a Map<String, Value>) -> Self {
        let given = document["playbook_variables"].as_object().into_iter().flatten();
        let variables = given.filter_map(|(name, variable)| {
            let value = match &variable["value"] {
                Value::String(text) => text.clone(),
                Value::Null => return None,
                other => other.to_string(),
            };
            Some((name.clone(), value))
        });
        Self {
            document,
            workflow,
            variables: variables.collect(),
            steps: Vec::new(),
            problems: Vec::new(),
            seen: BTreeSet::new(),
        }
    }

    fn read(mut self) -> Result<RawPlaybook, Vec<String>> {
        let start = self.document["workflow_start"].as_str().unwrap_or_default().to_owned();
        let first = match self.workflow.get(&start) {
            Some(step) if step["type"] == "start" => step["on_completion"].as_str().unwrap_or_default().to_owned(),
            _ => {
                self.problems.push("field 'workflow_start': it names no start step".to_owned());
                String::new()
            }
        };
        self.chain(&first);
        let workflow = self.workflow;
        for (id, step) in workflow {
            let is_frame = matches!(step["type"].as_str(), Some("start" | "end"));
            if !is_frame && !self.seen.contains(id) {
                self.problems.push(format!("step {id}: nothing leads to it"));
            }
        }
        if !self.problems.is_empty() {
            return Err(self.problems);
        }
        let title = self.document["name"].as_str().unwrap_or("imported").to_owned();
        Ok(RawPlaybook {
            name: slug(&title),
            description: self.document["description"].as_str().unwrap_or_default().to_owned(),
            title,
            enabled: false,
            // Which alerts it is for is not in the document: people start it until somebody writes a trigger.
            trigger: "false".to_owned(),
            limits: riskgraph_domain::playbook::Limits::default(),
            steps: self.steps,
            tests: Vec::new(),
        })
    }

    /// Reads the steps from here to an end; gives their ids.
    fn chain(&mut self, first: &str) -> Vec<String> {
        let mut ids = Vec::new();
        let mut at = first.to_owned();
        while !at.is_empty() {
            let Some(step) = self.workflow.get(&at) else {
                self.problems.push(format!("step {at}: it is named but not there"));
                break;
            };
            if step["type"] == "end" {
                break;
            }
            if !self.seen.insert(at.clone()) {
                self.problems.push(format!("step {at}: two ways lead to it, or a circle; riskgraph has no jumps"));
                break;
            }
            let id = short_id(&at, step);
            ids.push(id.clone());
            if let Some(raw) = self.step(&at, id, step) {
                self.steps.push(raw);
            }
            let next = step["on_completion"].as_str().or_else(|| step["on_success"].as_str());
            at = next.unwrap_or_default().to_owned();
        }
        ids
    }

    fn step(&mut self, at: &str, id: String, step: &Value) -> Option<RawStep> {
        let mut raw = RawStep { id, title: step["name"].as_str().map(str::to_owned), ..RawStep::default() };
        raw.on_failure = self.on_failure(at, step);
        match step["type"].as_str().unwrap_or_default() {
            "action" => self.action(at, step, raw),
            "parallel" => {
                let mut branches = Vec::new();
                for (n, branch) in step["next_steps"].as_array().into_iter().flatten().enumerate() {
                    let chain = self.chain(branch.as_str().unwrap_or_default());
                    match chain.len() {
                        0 => {}
                        1 => branches.extend(chain),
                        _ => {
                            let id = format!("{}-{}", raw.id, n + 1);
                            self.steps.push(RawStep { id: id.clone(), sequence: Some(chain), ..RawStep::default() });
                            branches.push(id);
                        }
                    }
                }
                raw.parallel = Some(branches);
                Some(raw)
            }
            "if-condition" => {
                raw.condition = Some(self.filled(step["condition"].as_str().unwrap_or_default()));
                raw.then = Some(self.chain(step["on_true"].as_str().unwrap_or_default()));
                let otherwise = self.chain(step["on_false"].as_str().unwrap_or_default());
                raw.otherwise = (!otherwise.is_empty()).then_some(otherwise);
                Some(raw)
            }
            other => {
                self.problems.push(format!(
                    "step {at}: the type '{other}' cannot be done; there are action, parallel and if-condition"
                ));
                None
            }
        }
    }

    fn on_failure(&mut self, at: &str, step: &Value) -> Option<String> {
        let handler = step["on_failure"].as_str()?;
        if step["on_completion"].as_str() == Some(handler) {
            return Some("continue".to_owned());
        }
        if self.workflow.get(handler).is_some_and(|step| step["type"] == "end") {
            return None;
        }
        let next = self.workflow.get(handler).and_then(|handler| handler["on_completion"].as_str());
        let returns = next == step["on_completion"].as_str();
        let Some(found) = self.workflow.get(handler).filter(|_| returns) else {
            self.problems.push(format!(
                "step {at}, field 'on_failure': it must lead to an end, to the next step, or to one step that leads to the next"
            ));
            return None;
        };
        if !self.seen.insert(handler.to_owned()) {
            self.problems.push(format!("step {handler}: two ways lead to it; riskgraph has no jumps"));
            return None;
        }
        let id = short_id(handler, found);
        let raw = self.step(handler, id.clone(), found)?;
        self.steps.push(raw);
        Some(id)
    }

    fn action(&mut self, at: &str, step: &Value, mut raw: RawStep) -> Option<RawStep> {
        let timeout_s = step["timeout"].as_u64().map(|ms| u32::try_from(ms.div_ceil(1_000)).unwrap_or(u32::MAX));
        let commands = step["commands"].as_array().map(Vec::as_slice).unwrap_or_default();
        let [command] = commands else {
            self.problems.push(format!("step {at}: it has {} commands; a step of ours does one thing", commands.len()));
            return None;
        };
        let text = self.filled(command["command"].as_str().unwrap_or_default());
        match command["type"].as_str().unwrap_or_default() {
            "manual" => {
                raw.ask = Some(if text.is_empty() { raw.title.clone().unwrap_or_default() } else { text });
                raw.within = Some(duration::print(timeout_s.unwrap_or(MANUAL_TIMEOUT_S).max(1)));
                raw.default = Some("no".to_owned());
            }
            "http-api" => {
                let mut parts = text.split_whitespace();
                let (method, url) = (parts.next().unwrap_or("GET"), parts.next().unwrap_or_default());
                let mut parameters = Map::new();
                parameters.insert("method".to_owned(), method.into());
                parameters.insert("url".to_owned(), url.into());
                if let Some(headers) = command["headers"].as_object() {
                    parameters.insert("headers".to_owned(), Value::Object(headers.clone()));
                }
                if let Some(content) = command["content"].as_str() {
                    parameters.insert("body".to_owned(), self.filled(content).into());
                }
                raw.action = Some("http_call".to_owned());
                raw.parameters = Some(parameters);
                raw.timeout = timeout_s.map(|seconds| duration::print(seconds.max(1)));
            }
            other => {
                self.problems.push(format!(
                    "step {at}: the command type '{other}' cannot be done; there are manual and http-api"
                ));
                return None;
            }
        }
        Some(raw)
    }

    /// The text with the playbook's constants put in for `__name__:value`.
    fn filled(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for _ in 0..VARIABLE_DEPTH_MAX {
            let mut next = text.clone();
            for (name, value) in &self.variables {
                next = next.replace(&format!("{name}:value"), value);
            }
            if next == text || next.len() > DOCUMENT_MAX {
                break;
            }
            text = next;
        }
        text
    }
}

/// A short name for a step: its own, made fit, and the beginning of its identifier, so that it is unique.
fn short_id(at: &str, step: &Value) -> String {
    let unique: String =
        at.rsplit("--").next().unwrap_or(at).chars().filter(char::is_ascii_alphanumeric).take(12).collect();
    let name: String = slug(step["name"].as_str().unwrap_or("step")).chars().take(40).collect();
    format!("{name}-{}", unique.to_lowercase())
}

fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars().take(60) {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_alphanumeric() => slug.push(c),
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "imported".to_owned() } else { slug.to_owned() }
}
