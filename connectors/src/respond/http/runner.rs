//! A responder made of templates: looks before it acts, remembers what it did, repeats nothing.
//!
//! Order of an execution: look; note in the ledger that it is about to happen; call; note that it did. After a crash the
//! note and another look tell whether the call was heard; where neither can, a person is asked instead of a second call
//! being risked. It must *not* know what the calls mean.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::Method;
use riskgraph_domain::error::Fault;
use riskgraph_domain::respond::{ActionRequest, ActionSpec, Effect, ParameterSpec, PlannedEffect, Responder, Verified};
use riskgraph_domain::text::Text;
use riskgraph_domain::time::Clock;
use serde_json::{Value, json};
use tokio::sync::{Mutex, MutexGuard};
use url::Url;

use super::caller::{Answer, Caller};
use super::template::{ActionTemplate, CallTemplate, Values};
use super::{Heard, Missed};
use crate::respond::fault::{bad_input, conflict};
use crate::respond::ledger::{Entry, Ledger, Stage};
use crate::respond::mark;
use crate::respond::secret::SecretSource;

/// Actions under way at once on one connector, by key.
const LANES: usize = 16;
/// Characters kept of one captured value, and values kept.
const CAPTURED_CHARS: usize = 256;
const CAPTURES_MAX: usize = 8;

/// What a templated responder stands on.
pub(in crate::respond) struct Backing {
    pub caller: Caller,
    pub ledger: Ledger,
    pub base: Option<Url>,
    pub secret: SecretSource,
    /// Sent with every call, such as `authorization: Bearer {{secret}}`.
    pub headers: BTreeMap<String, String>,
    pub clock: Arc<dyn Clock>,
    lanes: [Mutex<()>; LANES],
}

/// What a look showed.
struct Look {
    holds: bool,
    /// Whether it is by our key, where the other side tells.
    mine: Option<bool>,
    captured: Value,
    text: String,
}

/// A look, or why there is none.
enum Seen {
    Looked(Look),
    NoLook,
}

impl Backing {
    pub(in crate::respond) fn new(caller: Caller, ledger: Ledger, clock: Arc<dyn Clock>) -> Self {
        let lanes = std::array::from_fn(|_| Mutex::new(()));
        Self { caller, ledger, base: None, secret: SecretSource::default(), headers: BTreeMap::new(), clock, lanes }
    }

    async fn lane(&self, key: &str) -> MutexGuard<'_, ()> {
        let at = key.bytes().fold(0_usize, |sum, b| sum.wrapping_mul(31).wrapping_add(usize::from(b))) % LANES;
        match self.lanes.get(at) {
            Some(lane) => lane.lock().await,
            None => self.lanes[0].lock().await,
        }
    }

    fn values(&self, template: &ActionTemplate, request: &ActionRequest) -> Result<Values, Fault> {
        let names = template.parameters.iter().map(|parameter| parameter.name.as_str());
        Ok(Values::new(request, self.secret.read()?).default_parameters(names))
    }

    async fn send(&self, call: &CallTemplate, values: &Values) -> Result<Answer, Fault> {
        self.try_send(call, values).await.map_err(|missed| missed.fault)
    }

    async fn try_send(&self, call: &CallTemplate, values: &Values) -> Result<Answer, Missed> {
        let mut whole = call.clone();
        for (name, value) in &self.headers {
            whole.headers.entry(name.clone()).or_insert_with(|| value.clone());
        }
        if whole.method != Method::GET.as_str() {
            whole.headers.entry("idempotency-key".into()).or_insert_with(|| "{{key}}".into());
        }
        let rendered = whole.render(self.base.as_ref(), values);
        self.caller.try_call(rendered.map_err(|fault| Missed { fault, heard: Heard::No })?).await
    }

    fn who(&self, call: &CallTemplate, values: &Values) -> String {
        let rendered = call.render(self.base.as_ref(), &values.clone().public());
        rendered.ok().and_then(|call| call.url.host_str().map(str::to_owned)).unwrap_or_default()
    }

    async fn look(&self, template: &ActionTemplate, values: &Values) -> Result<Seen, Fault> {
        let Some(call) = &template.verify else { return Ok(Seen::NoLook) };
        let answer = self.send(call, values).await?;
        let what = format!("{} {}", call.method, self.who(call, values));
        if matches!(answer.status, 404 | 410) && !call.expects(answer.status) {
            let text = format!("{what} answered {}", answer.status);
            return Ok(Seen::Looked(Look { holds: false, mine: None, captured: json!({}), text }));
        }
        if !call.expects(answer.status) {
            return Err(answer.fault(&self.who(call, values)));
        }
        let body = answer.json();
        let mut unmet = Vec::new();
        for expectation in &call.holds {
            if !expectation.met(&body, values)? {
                unmet.push(expectation.at.as_str());
            }
        }
        let mine = if call.mine.is_empty() {
            None
        } else {
            let mut all = true;
            for expectation in &call.mine {
                all &= expectation.met(&body, values)?;
            }
            Some(all)
        };
        let holds = unmet.is_empty();
        let said = if holds { "as expected".to_owned() } else { format!("otherwise at {}", unmet.join(", ")) };
        let text = format!("{what} answered {} and says {said}", answer.status);
        Ok(Seen::Looked(Look { holds, mine, captured: captured(call, &body), text }))
    }

    pub(in crate::respond) async fn dry_run(
        &self,
        template: &ActionTemplate,
        request: &ActionRequest,
    ) -> Result<PlannedEffect, Fault> {
        let (key, values) = (mark::key(request)?, self.values(template, request)?);
        let call = template.execute.show(self.base.as_ref(), &values)?;
        let entry = self.ledger.get(key, &request.action, &target(request)).await?;
        if entry.is_some_and(|entry| entry.stage == Stage::Done) {
            return Ok(PlannedEffect { text: format!("nothing: done already ({call})"), changes: false });
        }
        Ok(match self.look(template, &values).await? {
            Seen::Looked(look) if look.holds => {
                PlannedEffect { text: format!("nothing: it is so already ({})", look.text), changes: false }
            }
            _ => PlannedEffect { text: format!("calls {call}"), changes: true },
        })
    }

    pub(in crate::respond) async fn execute(
        &self,
        template: &ActionTemplate,
        request: &ActionRequest,
    ) -> Result<Effect, Fault> {
        let (key, values) = (mark::key(request)?, self.values(template, request)?);
        let call = template.execute.show(self.base.as_ref(), &values)?;
        let _lane = self.lane(key).await;
        let known = self.ledger.get(key, &request.action, &target(request)).await?;
        let started = match known {
            Some(entry) if entry.stage == Stage::Done => return Ok(effect(&entry, &call)),
            Some(entry) if entry.stage == Stage::Undone => {
                return Err(conflict("this key was executed and undone: a new effect needs a new key"));
            }
            known => known.is_some(),
        };
        let seen = self.look(template, &values).await?;
        if let Seen::Looked(look) = &seen
            && look.holds
        {
            // After a crash it is ours; otherwise only when the other side says so.
            let ours = look.mine.unwrap_or(started);
            return self.done(key, request, &call, Done { ours, seen: look.captured.clone() }).await;
        }
        if started && !template.repeatable && matches!(seen, Seen::NoLook) {
            return Err(conflict(format!("whether this was done is not known, look there: {call}")));
        }
        self.ledger.put(key, &self.entry(request, Stage::Started, Done { ours: true, seen: json!({}) })).await?;
        let answer = match self.try_send(&template.execute, &values).await {
            Ok(answer) => answer,
            Err(missed) => {
                if missed.heard == Heard::No && !started {
                    self.ledger.forget(key).await;
                }
                return Err(missed.fault);
            }
        };
        if !template.execute.expects(answer.status) {
            let fault = answer.fault(&self.who(&template.execute, &values));
            // Refused, or asked to wait: it did not happen. Other failures may have, and so may a call before this one.
            if answer.status < 500 && !started {
                self.ledger.forget(key).await;
            }
            return Err(fault);
        }
        let seen = captured(&template.execute, &answer.json());
        self.done(key, request, &call, Done { ours: true, seen }).await
    }

    async fn done(&self, key: &str, request: &ActionRequest, call: &str, done: Done) -> Result<Effect, Fault> {
        let entry = self.entry(request, Stage::Done, done);
        self.ledger.put(key, &entry).await?;
        Ok(effect(&entry, call))
    }

    pub(in crate::respond) async fn verify(
        &self,
        template: &ActionTemplate,
        request: &ActionRequest,
        effect: &Effect,
    ) -> Result<Verified, Fault> {
        let values = self.values(template, request)?.seen(&effect.receipt["seen"]);
        match self.look(template, &values).await? {
            Seen::Looked(look) => Ok(Verified { holds: look.holds, text: look.text }),
            Seen::NoLook => {
                let entry = self.ledger.get(mark::key(request)?, &request.action, &target(request)).await?;
                let holds = entry.is_some_and(|entry| entry.stage == Stage::Done);
                Ok(Verified { holds, text: "the call was answered as expected; the template has no look".into() })
            }
        }
    }

    pub(in crate::respond) async fn undo(
        &self,
        template: &ActionTemplate,
        request: &ActionRequest,
        given: &Effect,
    ) -> Result<Effect, Fault> {
        let nothing = |text: &str| Effect { text: text.to_owned(), ours: false, receipt: Value::Null };
        let key = mark::key(request)?;
        let Some(undo) = &template.undo else {
            return Err(bad_input(format!("{} cannot be taken back", request.action)));
        };
        let _lane = self.lane(key).await;
        let known = self.ledger.get(key, &request.action, &target(request)).await?;
        let (ours, receipt) = match &known {
            Some(entry) if entry.stage == Stage::Undone => return Ok(nothing("taken back already")),
            Some(entry) => (entry.ours, entry.receipt.clone()),
            None => (given.ours, given.receipt.clone()),
        };
        if !ours {
            return Ok(nothing("it was so before this run and stays"));
        }
        let seen = if receipt["seen"].is_object() { &receipt["seen"] } else { &given.receipt["seen"] };
        let values = self.values(template, request)?.seen(seen);
        let undone = Done { ours, seen: seen.clone() };
        if let Seen::Looked(look) = self.look(template, &values).await?
            && (!look.holds || look.mine == Some(false))
        {
            self.ledger.put(key, &self.entry(request, Stage::Undone, undone)).await?;
            return Ok(nothing("what this run did is not there any more"));
        }
        let answer = self.send(undo, &values).await?;
        if !undo.expects(answer.status) && !matches!(answer.status, 404 | 410) {
            return Err(answer.fault(&self.who(undo, &values)));
        }
        self.ledger.put(key, &self.entry(request, Stage::Undone, undone)).await?;
        let text = format!("called {}", undo.show(self.base.as_ref(), &values)?);
        Ok(Effect { text, ours: true, receipt: Value::Null })
    }

    fn entry(&self, request: &ActionRequest, stage: Stage, done: Done) -> Entry {
        Entry {
            action: request.action.to_string(),
            target: target(request),
            stage,
            ours: done.ours,
            receipt: json!({ "seen": done.seen }),
            at: self.clock.now(),
        }
    }
}

/// What an execution came to.
struct Done {
    ours: bool,
    seen: Value,
}

fn effect(entry: &Entry, call: &str) -> Effect {
    let text = if entry.ours { format!("called {call}") } else { "it was so already".to_owned() };
    Effect { text, ours: entry.ours, receipt: entry.receipt.clone() }
}

/// What the ledger knows a target by.
fn target(request: &ActionRequest) -> String {
    request.target.as_ref().map_or_else(String::new, |target| format!("{} {}", target.kind.as_str(), target.key))
}

/// The named places of an answer, cut to what a receipt may hold.
fn captured(call: &CallTemplate, body: &Value) -> Value {
    let mut kept = serde_json::Map::new();
    for (name, at) in call.capture.iter().take(CAPTURES_MAX) {
        let value = match body.pointer(at) {
            Some(Value::String(text)) => Value::String(text.chars().take(CAPTURED_CHARS).collect()),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => value.clone(),
            _ => continue,
        };
        kept.insert(name.clone(), value);
    }
    Value::Object(kept)
}

/// A connector whose actions are templates.
pub(in crate::respond) struct Templated {
    pub name: Text,
    pub backing: Backing,
    pub actions: BTreeMap<String, ActionTemplate>,
}

impl Templated {
    fn template(&self, request: &ActionRequest) -> Result<&ActionTemplate, Fault> {
        let found = self.actions.get(request.action.as_str());
        found.ok_or_else(|| bad_input(format!("connector {} has no action {}", self.name, request.action)))
    }
}

/// The words of a templated action.
pub(in crate::respond) fn spec(connector: &Text, name: &str, template: &ActionTemplate) -> ActionSpec {
    ActionSpec {
        action: Text::from(name),
        connector: connector.clone(),
        description: template.description.clone(),
        targets: template.targets.clone(),
        reversible: template.undo.is_some(),
        parameters: template
            .parameters
            .iter()
            .map(|parameter| ParameterSpec {
                name: Text::from(parameter.name.as_str()),
                description: parameter.description.clone(),
                required: parameter.required,
            })
            .collect(),
    }
}

#[async_trait]
impl Responder for Templated {
    fn actions(&self) -> Vec<ActionSpec> {
        self.actions.iter().map(|(name, template)| spec(&self.name, name, template)).collect()
    }
    async fn dry_run(&self, request: &ActionRequest) -> Result<PlannedEffect, Fault> {
        self.backing.dry_run(self.template(request)?, request).await
    }
    async fn execute(&self, request: &ActionRequest) -> Result<Effect, Fault> {
        self.backing.execute(self.template(request)?, request).await
    }
    async fn verify(&self, request: &ActionRequest, effect: &Effect) -> Result<Verified, Fault> {
        self.backing.verify(self.template(request)?, request, effect).await
    }
    async fn undo(&self, request: &ActionRequest, effect: &Effect) -> Result<Effect, Fault> {
        self.backing.undo(self.template(request)?, request, effect).await
    }
}
