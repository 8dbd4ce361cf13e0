//! Entities, signals and techniques as OCSF objects.

use std::net::IpAddr;

use riskgraph_domain::graph::{EntityKey, EntityKind};
use riskgraph_domain::signal::{Signal, technique};
use serde_json::{Value, json};

/// What took part, as an observable.
pub(super) fn observable(entity: &EntityKey) -> Value {
    let is_address = entity.key.parse::<IpAddr>().is_ok();
    let (type_id, kind) = match entity.kind {
        EntityKind::Domain | EntityKind::Host => (1, "Hostname"),
        EntityKind::Address if is_address => (2, "IP Address"),
        EntityKind::User | EntityKind::Staff => (4, "User Name"),
        EntityKind::Script if entity.key.contains("://") => (6, "URL String"),
        EntityKind::Network if entity.key.parse::<ipnet::IpNet>().is_ok() => (12, "Subnet"),
        EntityKind::ApiKey => (19, "User Credential ID"),
        EntityKind::Device | EntityKind::Certificate => (30, "Fingerprint"),
        _ => (10, "Resource UID"),
    };
    json!({ "type_id": type_id, "type": kind, "name": entity.kind.as_str().to_lowercase(), "value": entity.key })
}

/// A signal as evidence: who and where, and its reasons as data.
pub(super) fn evidence(signal: &Signal) -> Value {
    let reasons = signal.reasons.iter().map(|reason| {
        json!({
            "text": reason.text,
            "weight": reason.weight,
            "observed": reason.observed,
            "expected": reason.expected,
        })
    });
    let mut evidence = json!({
        "data": {
            "signal": signal.id,
            "detector": signal.detector,
            "title": signal.title,
            "score": signal.score,
            "reasons": reasons.collect::<Vec<_>>(),
        },
    });
    let first = |kinds: &[EntityKind]| {
        signal.entities.iter().map(|touched| &touched.entity).find(|entity| kinds.contains(&entity.kind))
    };
    if let Some(address) = first(&[EntityKind::Address]).filter(|entity| entity.key.parse::<IpAddr>().is_ok()) {
        evidence["src_endpoint"] = json!({ "ip": address.key });
    }
    if let Some(user) = first(&[EntityKind::User, EntityKind::Staff]) {
        evidence["user"] = json!({ "name": user.key, "uid": user.id() });
    }
    if let Some(endpoint) = first(&[EntityKind::Endpoint]) {
        evidence["api"] = json!({ "operation": endpoint.key });
    }
    evidence
}

/// A technique of MITRE ATT&CK with its tactic.
pub(super) fn attack(id: &str) -> Value {
    let known = technique(id);
    let name = known.map_or(id, |known| known.name);
    let mut attack = match id.split_once('.') {
        Some((parent, _)) => json!({
            "technique": { "uid": parent },
            "sub_technique": { "uid": id, "name": name },
        }),
        None => json!({ "technique": { "uid": id, "name": name } }),
    };
    if let Some(known) = known {
        attack["tactic"] = json!({ "name": known.tactic });
    }
    attack
}

/// What found it: 3 is statistical, 2 behavioural, 1 a rule.
pub(super) fn analytic(detector: &str) -> Value {
    let (type_id, kind) = match detector {
        "integration" | "integration_traffic" | "payment_habit" => (3, "Statistical"),
        "vendor_incident" | "leak" | "intel" => (1, "Rule"),
        _ => (2, "Behavioral"),
    };
    json!({ "type_id": type_id, "type": kind, "name": detector, "uid": detector })
}
