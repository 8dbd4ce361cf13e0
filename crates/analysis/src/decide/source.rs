//! The text form of a playbook: TOML, as people write it and as the API keeps it.
//!
//! Every wrong thing is named with its step, its field and the remedy, all at once.

use std::collections::BTreeMap;
use std::fmt;

use riskgraph_domain::playbook::{Limits, Playbook};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::check;

/// Bytes of one playbook's text.
pub const TEXT_MAX: usize = 128 * 1024;

/// Something wrong with a playbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// `step 'freeze'`, `test 'twin'`, or empty for the playbook itself.
    pub place: String,
    pub field: String,
    /// What is wrong and what to do.
    pub message: String,
}

impl Problem {
    pub(super) fn new(place: impl Into<String>, field: &str, message: impl Into<String>) -> Self {
        Self { place: place.into(), field: field.to_owned(), message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.place.is_empty() {
            write!(f, "{}, ", self.place)?;
        }
        if !self.field.is_empty() {
            write!(f, "field '{}': ", self.field)?;
        }
        f.write_str(&self.message)
    }
}

/// Reads and checks a playbook.
///
/// # Errors
/// Everything that is wrong with it.
pub fn parse(text: &str) -> Result<Playbook, Vec<Problem>> {
    if text.len() > TEXT_MAX {
        return Err(vec![Problem::new(
            "",
            "",
            format!("the text is longer than {TEXT_MAX} bytes; split the playbook"),
        )]);
    }
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        vec![Problem::new("", "", format!("line {line} is not TOML: {}", error.message()))]
    })?;
    let raw = RawPlaybook::read(table)?;
    check::playbook(raw)
}

/// Writes a playbook as text that reads back the same.
#[must_use]
pub fn print(playbook: &Playbook) -> String {
    toml::to_string_pretty(&super::write::raw(playbook)).unwrap_or_default()
}

/// As in the file, before it is checked.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct RawPlaybook {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) enabled: bool,
    pub(super) trigger: String,
    #[serde(skip_serializing_if = "is_default")]
    pub(super) limits: Limits,
    #[serde(rename = "step")]
    pub(super) steps: Vec<RawStep>,
    #[serde(rename = "test", skip_serializing_if = "Vec::is_empty")]
    pub(super) tests: Vec<RawTest>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    name: String,
    title: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    enabled: bool,
    trigger: String,
    #[serde(default)]
    limits: Limits,
}

impl RawPlaybook {
    /// Reads part by part, so that an error names its part.
    fn read(mut table: toml::Table) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let steps = parts::<RawStep>(&mut table, "step", "id", &mut problems);
        let tests = parts::<RawTest>(&mut table, "test", "name", &mut problems);
        match Head::deserialize(toml::Value::Table(table)) {
            Ok(head) if problems.is_empty() => Ok(Self {
                name: head.name,
                title: head.title,
                description: head.description,
                enabled: head.enabled,
                trigger: head.trigger,
                limits: head.limits,
                steps,
                tests,
            }),
            Ok(_) => Err(problems),
            Err(error) => {
                problems.push(Problem::new("", "", one_line(error.message())));
                Err(problems)
            }
        }
    }
}

/// Takes the tables of an array out, each named in its errors by its own field.
fn parts<T: for<'de> Deserialize<'de>>(
    table: &mut toml::Table,
    kind: &str,
    named_by: &str,
    problems: &mut Vec<Problem>,
) -> Vec<T> {
    let items = match table.remove(kind) {
        None => Vec::new(),
        Some(toml::Value::Array(items)) => items,
        Some(_) => {
            problems.push(Problem::new("", kind, format!("write each as a table of its own under [[{kind}]]")));
            Vec::new()
        }
    };
    let mut read = Vec::with_capacity(items.len());
    for (place, item) in items.into_iter().enumerate() {
        let name = item.get(named_by).and_then(toml::Value::as_str).map(str::to_owned);
        let name = name.unwrap_or_else(|| format!("number {}", place + 1));
        match serde_path_to_error::deserialize::<_, T>(item) {
            Ok(part) => read.push(part),
            Err(error) => {
                let field = error.path().to_string();
                let field = if field == "." { String::new() } else { field };
                problems.push(Problem::new(format!("{kind} '{name}'"), &field, one_line(error.inner().message())));
            }
        }
    }
    read
}

fn one_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStep {
    pub(super) id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) action: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) connector: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) targets: Option<String>,
    #[serde(default, rename = "if", skip_serializing_if = "Option::is_none")]
    pub(super) condition: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) then: Option<Vec<String>>,
    #[serde(default, rename = "else", skip_serializing_if = "Option::is_none")]
    pub(super) otherwise: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) parallel: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sequence: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ask: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) within: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) default: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) notify: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) wait: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) timeout: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) on_failure: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expires_after: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) retry: Option<RawRetry>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) approval: Option<RawApproval>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) parameters: Option<Map<String, Value>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRetry {
    pub(super) attempts: u32,
    #[serde(default = "default_backoff")]
    pub(super) backoff: String,
}

fn default_backoff() -> String {
    "2s".to_owned()
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawApproval {
    pub(super) role: String,
    #[serde(default = "one")]
    pub(super) needed: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) four_eyes: Option<bool>,
    pub(super) timeout: String,
    #[serde(default = "reject")]
    pub(super) default: String,
}

const fn one() -> u32 {
    1
}

fn reject() -> String {
    "reject".to_owned()
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTest {
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) failing: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) never_touch: Vec<RawKey>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) entities: Vec<RawEntity>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) related: Vec<RawEntity>,
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub(super) alert: Map<String, Value>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) answers: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) expect: RawExpect,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawKey {
    pub(super) kind: String,
    pub(super) key: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEntity {
    pub(super) kind: String,
    pub(super) key: String,
    #[serde(default = "subject", skip_serializing_if = "is_subject")]
    pub(super) role: String,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) money_minor: f64,
    #[serde(default, skip_serializing_if = "is_default")]
    pub(super) traffic_share: f64,
}

fn subject() -> String {
    "subject".to_owned()
}

fn is_subject(role: &str) -> bool {
    role == "subject"
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawExpect {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) matches: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) effects: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refusals: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) undone: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) state: Option<String>,
}
