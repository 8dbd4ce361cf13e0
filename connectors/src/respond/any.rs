//! `http`: any HTTP API, by templates: those of the configuration under names of their own, and `http_call`, whose template
//! stands in the playbook's step and may only reach the origins the operator listed. It must *not* know any API.

use async_trait::async_trait;
use riskgraph_domain::error::Fault;
use riskgraph_domain::respond::{ActionRequest, ActionSpec, Effect, PlannedEffect, Responder, Verified};
use riskgraph_domain::text::Text;
use serde_json::{Map, Value, json};
use url::{Origin, Url};

use super::build::Tools;
use super::config::HttpConfig;
use super::fault::{bad_input, configuration};
use super::http::{ActionTemplate, Backing, CallTemplate, Caller, Templated, spec};
use super::ledger::Ledger;
use super::secret::SecretSource;
use super::spec::{parameter, required};

/// The action whose template is in the request.
const FREE: &str = "http_call";

/// Makes calls by template.
pub(super) struct Http {
    templated: Templated,
    /// Where `http_call` may go.
    origins: Vec<Origin>,
}

impl Http {
    pub(super) fn new(name: &str, config: &HttpConfig, tools: &Tools) -> Result<Self, Fault> {
        let wrong = |what: String| configuration(format!("connector {name}: {what}"));
        let url = |key: &str, text: &str| Url::parse(text).map_err(|error| wrong(format!("{key}: {error}")));
        let origins = config.allow_origins.iter().map(|text| Ok(url("allow_origins", text)?.origin()));
        let origins = origins.collect::<Result<Vec<_>, Fault>>()?;
        let base = if config.base_url.is_empty() { None } else { Some(url("base_url", &config.base_url)?) };
        for (action, template) in &config.actions {
            for call in calls(template) {
                call.origin(base.as_ref()).map_err(|fault| wrong(format!("{action}: {}", fault.message)))?;
            }
        }
        let ledger = Ledger::open(&tools.state_dir, name, tools.clock.now())?;
        let mut backing = Backing::new(Caller::new(name, &config.net)?, ledger, tools.clock.clone());
        backing.base = base;
        backing.secret = SecretSource::new(&config.token_file, &config.token_env);
        backing.headers.clone_from(&config.headers);
        let templated = Templated { name: Text::from(name), backing, actions: config.actions.clone() };
        Ok(Self { templated, origins })
    }

    /// The template and request of an `http_call`; `None` for the actions of the configuration.
    fn free(&self, request: &ActionRequest) -> Result<Option<(ActionTemplate, ActionRequest)>, Fault> {
        if request.action.as_str() != FREE || self.templated.actions.contains_key(FREE) {
            return Ok(None);
        }
        let mut parts = request.parameters.clone();
        let values = match parts.remove("values") {
            Some(Value::Object(values)) => values,
            None => Map::new(),
            Some(_) => return Err(bad_input("http_call: 'values' must be a table")),
        };
        let mut whole = json!({"description": "", "execute": {}});
        for name in ["verify", "undo", "repeatable"] {
            if let Some(part) = parts.remove(name) {
                whole[name] = part;
            }
        }
        whole["execute"] = Value::Object(parts);
        let template: ActionTemplate =
            serde_json::from_value(whole).map_err(|error| bad_input(format!("http_call: {error}")))?;
        for call in calls(&template) {
            let origin = call.origin(self.templated.backing.base.as_ref())?;
            if !self.origins.contains(&origin) {
                let message =
                    format!("http_call may not go to {}: list it in allow_origins", origin.ascii_serialization());
                return Err(bad_input(message));
            }
        }
        Ok(Some((template, ActionRequest { parameters: values, ..request.clone() })))
    }
}

fn calls(template: &ActionTemplate) -> impl Iterator<Item = &CallTemplate> {
    [Some(&template.execute), template.verify.as_ref(), template.undo.as_ref()].into_iter().flatten()
}

fn free_spec(connector: &Text) -> ActionSpec {
    let template = ActionTemplate {
        description: "Calls an HTTP API as the step says.".to_owned(),
        targets: Vec::new(),
        parameters: Vec::new(),
        execute: CallTemplate::new("POST", "/"),
        verify: None,
        undo: Some(CallTemplate::new("POST", "/")),
        repeatable: false,
    };
    let parameters = vec![
        required("method", "GET, POST, PUT, PATCH or DELETE."),
        required("url", "Absolute; its host without placeholders."),
        parameter("headers", "A table of headers."),
        parameter("body", "JSON; placeholders stand inside its texts."),
        parameter("form", "Instead of a body: the fields of a form."),
        parameter("expect", "Statuses that mean success; 200 to 204 when left out."),
        parameter("capture", "Names and JSON pointers of what verify and undo need of the answer."),
        parameter("verify", "A call like this one with `holds`: the look."),
        parameter("undo", "A call like this one that takes it back."),
        parameter("repeatable", "Whether the API knows Idempotency-Key."),
        parameter("values", "A table of values for placeholders {{param.NAME}}."),
    ];
    ActionSpec { parameters, ..spec(connector, FREE, &template) }
}

#[async_trait]
impl Responder for Http {
    fn actions(&self) -> Vec<ActionSpec> {
        let mut specs = self.templated.actions();
        if !self.origins.is_empty() && !self.templated.actions.contains_key(FREE) {
            specs.push(free_spec(&self.templated.name));
        }
        specs
    }
    async fn dry_run(&self, request: &ActionRequest) -> Result<PlannedEffect, Fault> {
        match self.free(request)? {
            Some((template, request)) => self.templated.backing.dry_run(&template, &request).await,
            None => self.templated.dry_run(request).await,
        }
    }
    async fn execute(&self, request: &ActionRequest) -> Result<Effect, Fault> {
        match self.free(request)? {
            Some((template, request)) => self.templated.backing.execute(&template, &request).await,
            None => self.templated.execute(request).await,
        }
    }
    async fn verify(&self, request: &ActionRequest, effect: &Effect) -> Result<Verified, Fault> {
        match self.free(request)? {
            Some((template, request)) => self.templated.backing.verify(&template, &request, effect).await,
            None => self.templated.verify(request, effect).await,
        }
    }
    async fn undo(&self, request: &ActionRequest, effect: &Effect) -> Result<Effect, Fault> {
        match self.free(request)? {
            Some((template, request)) => self.templated.backing.undo(&template, &request, effect).await,
            None => self.templated.undo(request, effect).await,
        }
    }
}
