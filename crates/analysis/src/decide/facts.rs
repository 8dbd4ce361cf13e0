//! The alert as conditions see it: a JSON object whose fields are the variables of an expression.

use std::collections::BTreeSet;

use riskgraph_domain::alert::Alert;
use riskgraph_domain::playbook::{PlaybookTest, TestEntity};
use riskgraph_domain::vendor::Vendor;
use riskgraph_domain::{EntityKey, EntityKind, Severity, Text, Timestamp};
use serde_json::{Map, Value, json};

/// Entities in one list of the facts; bounds what an expression can cost and what a run can aim at.
pub const LIST_MAX: usize = 500;

/// Variables of the expressions of a parameter or text that is for a target.
pub const VARIABLES_AT_TARGET: &[&str] = &[
    "alert",
    "severity",
    "score",
    "detectors",
    "techniques",
    "entities",
    "related",
    "vendors",
    "kinds",
    "steps",
    "INFO",
    "LOW",
    "MEDIUM",
    "HIGH",
    "CRITICAL",
    "target",
];
/// Variables of every other expression of a playbook: the same without the target, which is last.
pub const VARIABLES: &[&str] = VARIABLES_AT_TARGET.split_at(VARIABLES_AT_TARGET.len() - 1).0;

/// An entity a playbook can aim at.
#[derive(Debug, Clone, PartialEq)]
pub struct FactEntity {
    pub key: EntityKey,
    pub name: Text,
    /// `subject`, `involved` or `context`, as the signals touch it; `related` for neighbours.
    pub role: Text,
    /// Signals of the alert that touch it.
    pub signals: u32,
    /// For neighbours: the entity it hangs on.
    pub via: Option<EntityKey>,
}

/// What is known of an alert when a run is planned.
#[derive(Debug, Clone, Default)]
pub struct Known {
    pub detectors: BTreeSet<Text>,
    pub entities: Vec<FactEntity>,
    pub related: Vec<FactEntity>,
    pub vendors: Vec<Vendor>,
    /// Wall time at which the event that opened the alert was accepted.
    pub opened_at: Option<Timestamp>,
    pub muted: bool,
}

/// The facts of an alert.
#[must_use]
pub fn facts(alert: &Alert, known: &Known) -> Value {
    let mut fields = Map::new();
    fields.insert("id".to_owned(), json!(alert.id.to_string()));
    fields.insert("title".to_owned(), json!(alert.title));
    fields.insert("summary".to_owned(), json!(alert.summary));
    fields.insert("status".to_owned(), json!(alert.status.as_str()));
    fields.insert("severity".to_owned(), json!(severity_word(alert.severity)));
    fields.insert("verdict".to_owned(), json!(alert.verdict.map_or("", |verdict| verdict.as_str())));
    fields.insert("score".to_owned(), json!(alert.score));
    fields.insert("count".to_owned(), json!(alert.count));
    fields.insert("entities_total".to_owned(), json!(alert.entities_total));
    fields.insert("assignee".to_owned(), json!(alert.assignee.as_deref().unwrap_or_default()));
    fields.insert("muted".to_owned(), json!(known.muted));
    let entities = known.entities.iter().take(LIST_MAX).map(entity_value).collect();
    let related = known.related.iter().take(LIST_MAX).map(entity_value).collect();
    let vendors = known.vendors.iter().take(LIST_MAX).map(vendor_value).collect();
    assemble(Parts {
        alert: fields,
        severity: alert.severity,
        score: alert.score,
        detectors: known.detectors.iter().cloned().collect(),
        techniques: alert.techniques.clone(),
        entities,
        related,
        vendors,
    })
}

struct Parts {
    alert: Map<String, Value>,
    severity: Severity,
    score: f64,
    detectors: Vec<Text>,
    techniques: Vec<Text>,
    entities: Vec<Value>,
    related: Vec<Value>,
    vendors: Vec<Value>,
}

fn assemble(parts: Parts) -> Value {
    let kinds: BTreeSet<&str> = parts.entities.iter().filter_map(|entity| entity["kind"].as_str()).collect();
    json!({
        "kinds": kinds,
        "alert": parts.alert,
        "severity": severity_rank(parts.severity),
        "score": parts.score,
        "detectors": parts.detectors,
        "techniques": parts.techniques,
        "entities": parts.entities,
        "related": parts.related,
        "vendors": parts.vendors,
        "steps": {},
        "INFO": severity_rank(Severity::Info),
        "LOW": severity_rank(Severity::Low),
        "MEDIUM": severity_rank(Severity::Medium),
        "HIGH": severity_rank(Severity::High),
        "CRITICAL": severity_rank(Severity::Critical),
    })
}

/// The facts of a test inside a playbook. What it does not give is that of a plain alert of severity HIGH.
///
/// # Errors
/// When it gives a field of the wrong kind.
pub fn facts_of_test(test: &PlaybookTest) -> Result<Value, String> {
    let mut alert = Map::new();
    for (name, value) in [
        ("id", json!("alr_test")),
        ("title", json!("a test")),
        ("summary", json!("")),
        ("status", json!("OPEN")),
        ("severity", json!("HIGH")),
        ("verdict", json!("")),
        ("score", json!(70.0)),
        ("count", json!(1)),
        ("entities_total", json!(test.entities.len())),
        ("assignee", json!("")),
        ("muted", json!(false)),
    ] {
        let given = test.alert.get(name).cloned().unwrap_or(value);
        alert.insert(name.to_owned(), given);
    }
    let list = |name: &str| match test.alert.get(name) {
        None => Ok(Vec::new()),
        Some(Value::Array(items)) => Ok(items.iter().filter_map(Value::as_str).map(Text::from).collect()),
        Some(_) => Err(format!("alert.{name} must be a list of texts")),
    };
    let vendors = match test.alert.get("vendors") {
        None => Vec::new(),
        Some(Value::Array(items)) => items.clone(),
        Some(_) => return Err("alert.vendors must be a list of tables".to_owned()),
    };
    let named = alert["severity"].as_str().unwrap_or_default().to_owned();
    let severity = SEVERITIES.iter().find(|(word, _)| *word == named).map(|(_, severity)| *severity);
    let severity =
        severity.ok_or_else(|| format!("alert.severity '{named}' is none of INFO, LOW, MEDIUM, HIGH, CRITICAL"))?;
    let score = alert["score"].as_f64().ok_or("alert.score must be a number")?;
    Ok(assemble(Parts {
        severity,
        score,
        detectors: list("detectors")?,
        techniques: list("techniques")?,
        entities: test.entities.iter().take(LIST_MAX).map(test_entity).collect(),
        related: test.related.iter().take(LIST_MAX).map(test_entity).collect(),
        vendors,
        alert,
    }))
}

/// The entities of the facts that a step may aim at.
#[must_use]
pub fn reachable(facts: &Value) -> BTreeSet<EntityKey> {
    let lists = ["entities", "related"].into_iter().filter_map(|list| facts[list].as_array());
    lists.flatten().filter_map(entity_key).collect()
}

/// The key an entity of the facts stands for.
#[must_use]
pub fn entity_key(value: &Value) -> Option<EntityKey> {
    let kind = EntityKind::parse(value["kind"].as_str()?)?;
    Some(EntityKey::new(kind, value["key"].as_str()?))
}

const SEVERITIES: [(&str, Severity); 5] = [
    ("INFO", Severity::Info),
    ("LOW", Severity::Low),
    ("MEDIUM", Severity::Medium),
    ("HIGH", Severity::High),
    ("CRITICAL", Severity::Critical),
];

pub(super) fn severity_word(severity: Severity) -> &'static str {
    SEVERITIES.iter().find(|(_, known)| *known == severity).map_or("INFO", |(word, _)| word)
}

fn severity_rank(severity: Severity) -> usize {
    SEVERITIES.iter().position(|(_, known)| *known == severity).unwrap_or_default()
}

fn entity_value(entity: &FactEntity) -> Value {
    json!({
        "kind": entity.key.kind.as_str(),
        "key": entity.key.key,
        "name": entity.name,
        "role": entity.role,
        "signals": entity.signals,
        "via": entity.via.as_ref().map_or("", |via| via.key.as_str()),
        "via_kind": entity.via.as_ref().map_or("", |via| via.kind.as_str()),
    })
}

fn test_entity(entity: &TestEntity) -> Value {
    json!({
        "kind": entity.key.kind.as_str(),
        "key": entity.key.key,
        "name": entity.key.key,
        "role": entity.role,
        "signals": 1,
        "via": "",
        "via_kind": "",
    })
}

fn vendor_value(vendor: &Vendor) -> Value {
    json!({ "name": vendor.name, "tier": vendor.tier.as_str(), "domains": vendor.domains })
}
