//! Values to store, different for every number.

use riskgraph_domain::access::{Role, Token};
use riskgraph_domain::alert::{Alert, AlertCause, AlertChange, AlertEvent, TimelineEntry};
use riskgraph_domain::graph::{Entity, EntityKey, EntityKind, Relation, RelationKind};
use riskgraph_domain::id::{AlertId, FindingId, IntegrationId, SignalId, TokenId, VendorId};
use riskgraph_domain::journal::{Batch, Position};
use riskgraph_domain::ports::Delta;
use riskgraph_domain::posture::{CheckOutcome, CheckResult, Finding, FindingStatus, Grade, Posture, PostureFactor};
use riskgraph_domain::signal::{Reason, Severity, Signal, TouchRole, Touched};
use riskgraph_domain::time::Timestamp;
use riskgraph_domain::vendor::{Integration, Vendor, VendorTier};
use serde_json::json;

/// A number that has no short decimal form.
pub(crate) fn uneven(n: u64) -> f64 {
    (n as f64 + 1.0) / 3.0 * 0.1
}

pub(crate) fn batch(name: &str, n_records: u32) -> Batch {
    let mut lines = Vec::new();
    for n in 0..n_records {
        lines.extend_from_slice(format!("{{\"id\":\"{name}-{n}\",\"time\":1772438401120}}\n").as_bytes());
    }
    let identities = (0..n_records).map(|n| (name.len() as u64) << 40 | u64::from(n)).collect();
    Batch { accepted_at: Timestamp(1_772_438_401_120), n_records, lines, identities }
}

pub(crate) fn delta(position: u64) -> Delta {
    Delta { position: Position(position), ..Delta::default() }
}

pub(crate) fn key(name: &str) -> EntityKey {
    EntityKey::new(EntityKind::User, name)
}

pub(crate) fn entity(n: u64) -> Entity {
    let key = key(&format!("user-{n}"));
    Entity {
        id: key.id(),
        kind: key.kind,
        name: format!("User {n}").into(),
        key: key.key,
        attributes: if n.is_multiple_of(2) {
            json!({})
        } else {
            json!({"n": n, "share": uneven(n), "deep": {"a": [1]}})
        },
        first_seen: Timestamp(n as i64),
        last_seen: Timestamp(n as i64 * 60_000),
    }
}

pub(crate) fn relation(n: u64) -> Relation {
    let (from, to) = (key(&format!("user-{n}")).id(), key(&format!("user-{}", n + 1)).id());
    Relation {
        id: Relation::id_of(RelationKind::UsedDevice, from, to),
        kind: RelationKind::UsedDevice,
        from,
        to,
        first_seen: Timestamp(n as i64),
        last_seen: Timestamp(n as i64 + 1),
        confidence: uneven(n % 10) as f32,
        source: "events".into(),
    }
}

pub(crate) fn signal(n: u64, at: i64, entities: &[&str]) -> Signal {
    Signal {
        id: SignalId::of(&["signal", &n.to_string()]),
        detector: "brute_force".into(),
        title: format!("signal {n}"),
        score: uneven(n % 20),
        severity: Severity::ALL[(n % 5) as usize],
        occurred_at: Timestamp(at),
        accepted_at: Timestamp(at + 1),
        detected_at: Timestamp(at + 2),
        entities: entities.iter().map(|name| Touched { entity: key(name), role: TouchRole::Subject }).collect(),
        reasons: vec![Reason { text: "because".into(), weight: uneven(n), observed: Some("7".into()), expected: None }],
        techniques: vec!["T1110.003".into()],
        advice: vec!["look".into()],
        evidence: json!({"event": format!("e{n}"), "ratio": uneven(n)}),
        campaign: None,
    }
}

pub(crate) fn alert(n: u64, at: i64, entities: &[&str]) -> Alert {
    Alert {
        summary: "summary".into(),
        severity: Severity::ALL[(n % 5) as usize],
        score: uneven(n) * 7.0,
        entities: entities.iter().map(|name| key(name)).collect(),
        entities_total: entities.len() as u32,
        timeline: vec![TimelineEntry { time: Timestamp(at), text: "opened".into(), signal: None, actor: None }],
        techniques: vec!["T1110.003".into()],
        recommendations: vec!["look".into()],
        count: 1,
        detection_delay_s: uneven(n),
        ..Alert::new(AlertId::of(&["alert", &n.to_string()]), format!("alert {n}"), Timestamp(at))
    }
}

pub(crate) fn alert_event(sequence: u64, alert: Alert) -> AlertEvent {
    let (change, cause, at) = (AlertChange::Opened, AlertCause::Signal, alert.opened_at);
    AlertEvent { sequence, change, cause, actor: None, at, alert }
}

pub(crate) fn vendor(name: &str, domains: &[&str], tier: VendorTier) -> Vendor {
    Vendor {
        id: VendorId::of(&[name]),
        name: name.into(),
        domains: domains.iter().map(|&domain| domain.into()).collect(),
        tier,
        owner: Some("Ada".into()),
        integrations: Vec::new(),
        added_at: Timestamp(5),
    }
}

pub(crate) fn integration(name: &str, vendor: Option<VendorId>) -> Integration {
    Integration { id: IntegrationId::of(&[name]), name: name.into(), vendor }
}

pub(crate) fn posture(grade: Grade, at: i64) -> Posture {
    Posture {
        score: Some(uneven(at.unsigned_abs())),
        grade,
        coverage: 0.7,
        assessed_at: Timestamp(at),
        model: "rg-score/1".into(),
        factors: vec![PostureFactor { name: "tls".into(), score: None, weight: 0.3, coverage: 0.0 }],
        waterfall: Vec::new(),
        compat: json!({"spf": "pass"}),
    }
}

pub(crate) fn finding(check: &str, vendor: VendorId, severity: Severity, status: FindingStatus) -> Finding {
    Finding {
        id: FindingId::of(&[check, &vendor.to_string()]),
        vendor: Some(vendor),
        outcome: CheckOutcome {
            check: check.into(),
            asset: "a.example".into(),
            result: CheckResult::Fail,
            severity,
            title: "t".into(),
            recommendation: "r".into(),
            reference: "RFC".into(),
            evidence: json!({"seen": uneven(3)}),
            confidence: uneven(2),
        },
        status,
        first_seen: Timestamp(1),
        last_seen: Timestamp(2),
        accepted_until: None,
        note: None,
        dispute: None,
    }
}

pub(crate) fn token(n: u128) -> Token {
    Token {
        id: TokenId(n),
        name: "ci".into(),
        role: Role::Analyst,
        secret_hash: "ab".repeat(32),
        created_at: Timestamp(n as i64),
        expires_at: Some(Timestamp(9_000)),
        last_used_at: None,
        revoked_at: None,
    }
}
