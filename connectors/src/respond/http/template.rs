//! Templates of calls: what stands between `{{` and `}}` is filled in so that it stays what it is meant to be: one segment
//! of a path, one value of a query, one JSON text, one header. It must *not* send anything.

use std::collections::BTreeMap;

use reqwest::Method;
use riskgraph_domain::EntityKind;
use riskgraph_domain::error::Fault;
use riskgraph_domain::respond::ActionRequest;
use riskgraph_domain::secret::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::{Origin, Url};

use super::caller::Call;
use crate::respond::fault::bad_input;
use crate::respond::mark;

/// Longest text after filling in, bytes.
const TEXT_MAX_BYTES: usize = 64 << 10;
/// Characters of a call shown to people.
const SHOWN_CHARS: usize = 600;
/// Methods a template may use.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// An action made of calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionTemplate {
    /// What it does, in one sentence for the person who approves it.
    pub description: String,
    /// Kinds of entities it can be aimed at (`USER`, `ORDER` ...); empty: it needs no target.
    #[serde(default)]
    pub targets: Vec<EntityKind>,
    /// Parameters it takes, used as `{{param.NAME}}`.
    #[serde(default)]
    pub parameters: Vec<ParameterTemplate>,
    /// The call that does it.
    pub execute: CallTemplate,
    /// The call that looks whether it is so; with its `holds`.
    #[serde(default)]
    pub verify: Option<CallTemplate>,
    /// The call that takes it back; without it the action cannot be undone.
    #[serde(default)]
    pub undo: Option<CallTemplate>,
    /// Whether the other side knows an `Idempotency-Key`, so that the same call may be sent again when no answer came.
    /// Without it and without `verify`, an action whose answer got lost is left to a person.
    #[serde(default)]
    pub repeatable: bool,
}

/// A parameter of such an action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ParameterTemplate {
    pub name: String,
    pub description: String,
    #[serde(default)]
    pub required: bool,
}

/// One call.
///
/// Placeholders: `{{target}}`, `{{target_kind}}`, `{{action}}`, `{{key}}` (the idempotency key), `{{short_key}}` (16
/// characters of it), `{{reason}}`, `{{expires_at}}`, `{{param.NAME}}`, `{{seen.NAME}}` (captured before), `{{secret}}`
/// (headers only).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallTemplate {
    /// GET, POST, PUT, PATCH or DELETE.
    pub method: String,
    /// Absolute, or a path below the connector's `base_url`. No placeholder before the path.
    pub url: String,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// JSON, as a table or as a text of JSON. Placeholders stand inside its texts.
    #[serde(default)]
    pub body: Option<Value>,
    /// Instead of a JSON body: fields of a form.
    #[serde(default)]
    pub form: BTreeMap<String, String>,
    /// Statuses that mean success; empty: 200 to 204.
    #[serde(default)]
    pub expect: Vec<u16>,
    /// What the answer says when the effect is there (of `verify`).
    #[serde(default)]
    pub holds: Vec<Expectation>,
    /// What the answer says when it is there by our key (of `verify`); empty when the other side does not tell.
    #[serde(default)]
    pub mine: Vec<Expectation>,
    /// What to remember of the answer: name and JSON pointer.
    #[serde(default)]
    pub capture: BTreeMap<String, String>,
}

/// What is expected of one place in a JSON answer: one of `is`, `has` and `exists`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// JSON pointer (RFC 6901), such as `/frozen`.
    pub at: String,
    /// The value there; texts may hold placeholders.
    #[serde(default)]
    pub is: Option<Value>,
    /// A list there has this element.
    #[serde(default)]
    pub has: Option<Value>,
    /// Something is there, or nothing.
    #[serde(default)]
    pub exists: Option<bool>,
}

/// What placeholders stand for.
#[derive(Debug, Clone)]
pub(in crate::respond) struct Values {
    values: BTreeMap<String, Value>,
    secret: Option<Secret>,
}

/// Where a value is put, and so how it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Url,
    Header,
    Text,
}

impl Values {
    pub(in crate::respond) fn new(request: &ActionRequest, secret: Option<Secret>) -> Self {
        let text = |text: &str| Value::String(text.to_owned());
        let key = request.idempotency_key.as_str();
        let expires_at = request.expires_at.map_or_else(String::new, |time| time.to_rfc3339());
        let mut values = BTreeMap::from([
            ("action".to_owned(), text(&request.action)),
            ("key".to_owned(), text(key)),
            ("short_key".to_owned(), Value::String(mark::short(key))),
            ("reason".to_owned(), text(&request.reason)),
            ("expires_at".to_owned(), Value::String(expires_at)),
        ]);
        if let Some(target) = &request.target {
            values.insert("target".to_owned(), text(&target.key));
            values.insert("target_kind".to_owned(), text(target.kind.as_str()));
        }
        for (name, value) in &request.parameters {
            values.insert(format!("param.{name}"), value.clone());
        }
        Self { values, secret }
    }

    /// The same with what an earlier answer said.
    pub(in crate::respond) fn seen(mut self, seen: &Value) -> Self {
        for (name, value) in seen.as_object().into_iter().flatten() {
            self.values.insert(format!("seen.{name}"), value.clone());
        }
        self
    }

    /// The same for showing: without the secret.
    pub(in crate::respond) fn public(mut self) -> Self {
        self.secret = self.secret.map(|_| Secret::new("***"));
        self
    }

    /// Parameters that were left out read as empty.
    pub(in crate::respond) fn default_parameters<'a>(mut self, names: impl Iterator<Item = &'a str>) -> Self {
        for name in names {
            self.values.entry(format!("param.{name}")).or_insert(Value::String(String::new()));
        }
        self
    }

    fn text(&self, name: &str, place: Place) -> Result<String, Fault> {
        if name == "secret" {
            let allowed = self.secret.as_ref().filter(|_| place == Place::Header);
            return allowed.map(|secret| secret.expose().to_owned()).ok_or_else(|| {
                bad_input("{{secret}} stands in headers only, and only where the connector has a token")
            });
        }
        match self.values.get(name) {
            Some(Value::String(text)) => Ok(text.clone()),
            Some(value) => Ok(value.to_string()),
            None => Err(bad_input(format!("the template asks for {{{{{name}}}}}, which the action does not have"))),
        }
    }
}

impl CallTemplate {
    /// A call with only what every call has.
    pub(in crate::respond) fn new(method: &str, url: &str) -> Self {
        Self {
            method: method.to_owned(),
            url: url.to_owned(),
            headers: BTreeMap::new(),
            body: None,
            form: BTreeMap::new(),
            expect: Vec::new(),
            holds: Vec::new(),
            mine: Vec::new(),
            capture: BTreeMap::new(),
        }
    }

    /// The call with everything filled in, at an origin the template alone decides.
    ///
    /// # Errors
    /// `BadInput` when the template or a value does not fit.
    pub(in crate::respond) fn render(&self, base: Option<&Url>, values: &Values) -> Result<Call, Fault> {
        if !METHODS.contains(&self.method.as_str()) {
            return Err(bad_input(format!("the method must be one of {}", METHODS.join(", "))));
        }
        let method = Method::from_bytes(self.method.as_bytes()).map_err(|_| bad_input("no such method"))?;
        let mut call = Call::new(method, self.url(base, values)?);
        if let Some(body) = self.body(values)? {
            call = call.json(&body);
        } else if !self.form.is_empty() {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            for (name, value) in &self.form {
                form.append_pair(name, &fill(value, values, Place::Text)?);
            }
            call.body = form.finish().into_bytes();
            call = call.header("content-type", "application/x-www-form-urlencoded")?;
        }
        for (name, value) in &self.headers {
            call = call.header(name, &fill(value, values, Place::Header)?)?;
        }
        Ok(call)
    }

    /// The call in words: method, address and body, without headers.
    ///
    /// # Errors
    /// As [`CallTemplate::render`].
    pub(in crate::respond) fn show(&self, base: Option<&Url>, values: &Values) -> Result<String, Fault> {
        let call = self.render(base, &values.clone().public())?;
        let body = String::from_utf8_lossy(&call.body);
        let gap = if body.is_empty() { "" } else { " " };
        Ok(format!("{} {}{gap}{body}", call.method, call.url).chars().take(SHOWN_CHARS).collect())
    }

    /// Whether this status means success.
    pub(in crate::respond) fn expects(&self, status: u16) -> bool {
        if self.expect.is_empty() { (200..=204).contains(&status) } else { self.expect.contains(&status) }
    }

    /// Where the call goes, by the template alone.
    ///
    /// # Errors
    /// `BadInput` when a placeholder could change it.
    pub(in crate::respond) fn origin(&self, base: Option<&Url>) -> Result<Origin, Fault> {
        let head = self.url.split("{{").next().unwrap_or_default();
        let origin = match base {
            Some(base) if head.starts_with('/') => Some(base.origin()),
            // The path must have begun before the first placeholder: nothing filled in can change the host.
            _ if head.splitn(4, '/').count() == 4 || !self.url.contains("{{") => {
                Url::parse(head).ok().map(|url| url.origin())
            }
            _ => None,
        };
        origin.ok_or_else(|| bad_input("the template's URL must name its host without placeholders"))
    }

    fn url(&self, base: Option<&Url>, values: &Values) -> Result<Url, Fault> {
        let wrong = |why: &str| bad_input(format!("the template's URL {why}"));
        let origin = self.origin(base)?;
        let filled = fill(&self.url, values, Place::Url)?;
        let url = match base {
            Some(base) if filled.starts_with('/') => {
                let root = base.as_str().trim_end_matches('/');
                Url::parse(&format!("{root}{filled}"))
            }
            _ => Url::parse(&filled),
        };
        let url = url.map_err(|error| wrong(&format!("cannot be read ({error})")))?;
        if url.origin() != origin || !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() {
            return Err(wrong("must be http or https at the host it names, without a user name"));
        }
        Ok(url)
    }

    fn body(&self, values: &Values) -> Result<Option<Value>, Fault> {
        let parsed;
        let body = match &self.body {
            Some(Value::String(text)) => {
                parsed =
                    serde_json::from_str(text).map_err(|_| bad_input("the template's body is a text but no JSON"))?;
                &parsed
            }
            Some(body) => body,
            None => return Ok(None),
        };
        fill_value(body, values).map(Some)
    }
}

impl Expectation {
    pub(in crate::respond) fn is(at: &str, value: impl Into<Value>) -> Self {
        Self { at: at.to_owned(), is: Some(value.into()), has: None, exists: None }
    }

    pub(in crate::respond) fn has(at: &str, value: impl Into<Value>) -> Self {
        Self { at: at.to_owned(), is: None, has: Some(value.into()), exists: None }
    }

    /// Whether the answer is as expected.
    ///
    /// # Errors
    /// `BadInput` when a placeholder is unknown.
    pub(in crate::respond) fn met(&self, answer: &Value, values: &Values) -> Result<bool, Fault> {
        let found = answer.pointer(&self.at);
        if let Some(want) = &self.is {
            return Ok(found == Some(&fill_value(want, values)?));
        }
        if let Some(want) = &self.has {
            let want = fill_value(want, values)?;
            return Ok(found.and_then(Value::as_array).is_some_and(|list| list.contains(&want)));
        }
        Ok(found.is_some_and(|value| !value.is_null()) == self.exists.unwrap_or(true))
    }
}

/// Fills in every text of a JSON value. A text that is one placeholder alone takes the value as it is, a number as a number.
fn fill_value(value: &Value, values: &Values) -> Result<Value, Fault> {
    Ok(match value {
        Value::String(text) => {
            let alone = text.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")).map(str::trim);
            match alone.filter(|name| !name.contains("{{")).and_then(|name| values.values.get(name)) {
                Some(value) => value.clone(),
                None => Value::String(fill(text, values, Place::Text)?),
            }
        }
        Value::Array(list) => {
            Value::Array(list.iter().map(|value| fill_value(value, values)).collect::<Result<_, _>>()?)
        }
        Value::Object(map) => {
            let filled = map.iter().map(|(name, value)| Ok((name.clone(), fill_value(value, values)?)));
            Value::Object(filled.collect::<Result<_, Fault>>()?)
        }
        other => other.clone(),
    })
}

fn fill(template: &str, values: &Values, place: Place) -> Result<String, Fault> {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) =
            after.split_once("}}").ok_or_else(|| bad_input("a placeholder of the template has no end"))?;
        out.push_str(before);
        let value = values.text(name.trim(), place)?;
        if place == Place::Url {
            out.push_str(&segment(name.trim(), &value)?)
        } else {
            out.push_str(&value)
        }
        rest = after;
        if out.len() > TEXT_MAX_BYTES {
            return Err(bad_input("the template filled in is too long"));
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// A value as one segment of a path or one value of a query: everything but RFC 3986's unreserved characters is escaped.
fn segment(name: &str, value: &str) -> Result<String, Fault> {
    // Dots alone are not escaped by anybody and would walk up the path.
    if value.is_empty() || value.bytes().all(|b| b == b'.') {
        return Err(bad_input(format!("{{{{{name}}}}} cannot stand in a URL: it is empty or only dots")));
    }
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests;
