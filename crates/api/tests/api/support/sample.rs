//! Things to fill the world with.

use riskgraph_domain::alert::{Alert, TimelineEntry};
use riskgraph_domain::graph::{Entity, EntityKey, EntityKind, Relation, RelationKind};
use riskgraph_domain::id::{AlertId, SignalId, VendorId};
use riskgraph_domain::posture::{
    CheckOutcome, CheckResult, Finding, FindingStatus, Grade, Posture, PostureFactor, PosturePoints,
};
use riskgraph_domain::signal::{Reason, Severity, Signal, TouchRole, Touched};
use riskgraph_domain::text::Text;
use riskgraph_domain::time::Timestamp;
use riskgraph_domain::vendor::{Vendor, VendorTier};
use serde_json::json;

pub(crate) const NOW: Timestamp = Timestamp(1_772_438_400_000);

pub(crate) fn vendor(name: &str) -> Vendor {
    let domain = format!("{name}.example");
    Vendor {
        id: VendorId::of(&[&domain]),
        name: name.into(),
        domains: vec![domain.into()],
        tier: VendorTier::High,
        owner: None,
        integrations: vec![format!("{name}-sync").into()],
        added_at: NOW,
    }
}

pub(crate) fn entity(kind: EntityKind, key: &str) -> Entity {
    let id = EntityKey::new(kind, key).id();
    let (key, name) = (key.into(), key.into());
    Entity { id, kind, key, name, attributes: json!({}), first_seen: NOW, last_seen: NOW }
}

pub(crate) fn relation(kind: RelationKind, from: &EntityKey, to: &EntityKey) -> Relation {
    let (from, to) = (from.id(), to.id());
    Relation {
        id: Relation::id_of(kind, from, to),
        kind,
        from,
        to,
        first_seen: NOW,
        last_seen: NOW,
        confidence: 1.0,
        source: "declared".into(),
    }
}

pub(crate) fn signal(name: &str, subject: EntityKey) -> Signal {
    Signal {
        id: SignalId::of(&[name]),
        detector: "partner_baseline".into(),
        title: format!("signal {name}"),
        score: 0.7,
        severity: Severity::High,
        occurred_at: NOW,
        accepted_at: NOW,
        detected_at: NOW,
        entities: vec![Touched { entity: subject, role: TouchRole::Subject }],
        reasons: vec![Reason { text: "more records than ever".into(), weight: 0.7, observed: None, expected: None }],
        techniques: vec!["T1020".into(), "T9999".into()],
        advice: vec!["rotate the key".into()],
        evidence: json!({ "event": "e1" }),
        campaign: None,
    }
}

pub(crate) fn alert(name: &str, severity: Severity, entities: Vec<EntityKey>) -> Alert {
    Alert {
        summary: "what happened".into(),
        severity,
        score: 70.0,
        entities_total: entities.len() as u32,
        entities,
        timeline: vec![TimelineEntry {
            time: NOW,
            text: "it began".into(),
            signal: Some(SignalId::of(&["s1"])),
            actor: None,
        }],
        techniques: vec!["T1110.004".into()],
        recommendations: vec!["look at it".into()],
        count: 1,
        detection_delay_s: 0.2,
        ..Alert::new(AlertId::of(&[name]), format!("alert {name}"), NOW)
    }
}

pub(crate) fn finding(vendor: &Vendor, check: &str) -> Finding {
    let asset = vendor.domains[0].clone();
    Finding {
        id: Finding::id_of(check, vendor.id, &asset),
        vendor: Some(vendor.id),
        outcome: CheckOutcome {
            check: check.into(),
            asset,
            result: CheckResult::Fail,
            severity: Severity::High,
            title: "no HSTS".into(),
            recommendation: "send it".into(),
            reference: "RFC 6797".into(),
            evidence: json!({}),
            confidence: 1.0,
        },
        status: FindingStatus::Open,
        first_seen: NOW,
        last_seen: NOW,
        accepted_until: None,
        note: None,
        dispute: None,
    }
}

pub(crate) fn posture(finding: &Finding) -> Posture {
    Posture {
        score: Some(90.0),
        grade: Grade::A,
        coverage: 0.9,
        assessed_at: NOW,
        model: "rg-score/1".into(),
        factors: vec![PostureFactor { name: "tls".into(), score: None, weight: 10.0, coverage: 0.0 }],
        waterfall: vec![PosturePoints {
            points: 10.0,
            reason: "no HSTS".into(),
            check: Some(finding.outcome.check.clone()),
            asset: Some(finding.outcome.asset.clone()),
            cost: None,
        }],
        compat: json!({ "dnssec": false }),
    }
}

pub(crate) fn text(value: &str) -> Text {
    Text::from(value)
}
