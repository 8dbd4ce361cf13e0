//! Made-up facts, the same for the same arguments.

use std::collections::BTreeMap;

use riskgraph_domain::alert::{Alert, AlertStatus, Resolution, Verdict};
use riskgraph_domain::graph::{EntityKey, EntityKind};
use riskgraph_domain::posture::{
    CheckOutcome, CheckResult, Finding, FindingStatus, Grade, Posture, PostureFactor, PosturePoints,
};
use riskgraph_domain::report::ReportKind;
use riskgraph_domain::time::{DAY_MS, HOUR_MS};
use riskgraph_domain::vendor::{Vendor, VendorTier};
use riskgraph_domain::{AlertId, Severity, Timestamp, VendorId};

use crate::{AlertFacts, Facts, Quantities, VendorFacts};

const NOW: Timestamp = Timestamp(1_772_438_400_000);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Size {
    Empty,
    Shop,
    Huge,
}

/// Facts of a shop whose vendors and alerts bear these names first.
pub(super) fn facts(kind: ReportKind, size: Size, names: &[&str]) -> Facts {
    let (n_vendors, n_alerts) = match size {
        Size::Empty => (0, 0),
        Size::Shop => (14, 60),
        Size::Huge => (500, 3_000),
    };
    let n_vendors = if kind == ReportKind::Vendor { n_vendors.min(1) } else { n_vendors };
    let name = |kind: &str, n: usize| names.get(n).map_or_else(|| format!("{kind} {n}"), |name| (*name).to_owned());
    let vendors: Vec<VendorFacts> = (0..n_vendors).map(|n| vendor(n, &name("Vendor", n), size)).collect();
    let alerts = (0..n_alerts).map(|n| alert(n, &name("Alert", n), vendors.first().map(|v| v.vendor.id))).collect();
    Facts {
        kind,
        since: NOW - 7 * DAY_MS,
        as_of: NOW,
        public_url: "https://console.shop.example".to_owned(),
        vendors,
        alerts,
        alerts_left_out: 0,
        silences: Vec::new(),
        history_begins: None,
        quantities: Quantities {
            assessed_within_h: [VendorTier::Critical, VendorTier::High, VendorTier::Medium, VendorTier::Low]
                .map(|tier| (tier, 48)),
            fixed_within_days: [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info]
                .map(|severity| (severity, 14)),
        },
    }
}

fn vendor(n: usize, name: &str, size: Size) -> VendorFacts {
    let id = VendorId::of(&["vendor", &n.to_string()]);
    let n_findings = if size == Size::Huge { 12 } else { 5 };
    let findings: Vec<Finding> = (0..n_findings).map(|k| finding(id, n + k, name)).collect();
    let findings_before: BTreeMap<_, _> = findings.iter().skip(2).map(|f| (f.id, f.clone())).collect();
    VendorFacts {
        vendor: Vendor {
            id,
            name: name.into(),
            domains: vec![format!("vendor-{n}.example").as_str().into()],
            tier: VendorTier::ALL[n % 4],
            owner: Some("Olga Owner".into()),
            integrations: Vec::new(),
            added_at: if n % 7 == 6 { NOW - HOUR_MS } else { NOW - 90 * DAY_MS },
        },
        posture: (n % 7 != 6).then(|| posture(n, 0)),
        grade_before: Some(Grade::ALL[(n + 1) % 5]),
        history: (0..90).rev().map(|back| posture(n + back, back as i64)).collect(),
        findings,
        findings_before,
        new_fourth_parties: vec![(format!("cdn-{n}.example"), NOW - DAY_MS)],
        n_fourth_parties: 4,
    }
}

fn posture(n: usize, days_ago: i64) -> Posture {
    let score = 95.0 - (n % 6) as f64 * 9.3;
    let factor =
        |name: &str, score: Option<f64>| PostureFactor { name: name.into(), score, weight: 10.0, coverage: 1.0 };
    let points = |points: f64| PosturePoints {
        points,
        reason: "No record says who may send mail".to_owned(),
        check: Some("MAIL-01".into()),
        asset: Some("vendor-0.example".into()),
        cost: None,
    };
    Posture {
        score: Some(score),
        grade: Grade::ALL[n % 5],
        coverage: 0.93,
        assessed_at: NOW - days_ago * DAY_MS - HOUR_MS,
        model: "rg-score/1".into(),
        factors: vec![factor("tls", Some(score)), factor("mail", Some(61.0)), factor("dns", None)],
        waterfall: (0..14).map(|n| points(f64::from(n) * 0.7)).collect(),
        compat: serde_json::json!({}),
    }
}

fn finding(vendor: VendorId, n: usize, name: &str) -> Finding {
    let check = format!("MAIL-{n:02}");
    let asset = format!("vendor-{n}.example");
    Finding {
        id: Finding::id_of(&check, vendor, &asset),
        vendor: Some(vendor),
        outcome: CheckOutcome {
            check: check.as_str().into(),
            asset: asset.as_str().into(),
            result: if n.is_multiple_of(2) { CheckResult::Fail } else { CheckResult::Warn },
            severity: Severity::ALL[n % 5],
            title: format!("Mail is protected from forgery: {name}"),
            recommendation: "Publish a record that says who may send mail.".to_owned(),
            reference: "RFC 7208".to_owned(),
            evidence: serde_json::json!({ "record": name, "servers": [1, 2, 3], "valid": false, "none": null }),
            confidence: 1.0,
        },
        status: FindingStatus::ALL[n % 4],
        first_seen: NOW - (n as i64 % 60) * DAY_MS,
        last_seen: NOW - HOUR_MS,
        accepted_until: None,
        note: Some("Olga Owner: known since the audit".to_owned()),
        dispute: None,
    }
}

fn alert(n: usize, name: &str, vendor: Option<VendorId>) -> AlertFacts {
    let raised_at = NOW - (n as i64 % 80) * 5 * HOUR_MS;
    let status = AlertStatus::ALL[n % 3];
    let resolved_at = (status == AlertStatus::Resolved).then(|| raised_at + 2 * HOUR_MS);
    let alert = Alert {
        id: AlertId::of(&["alert", &n.to_string()]),
        title: format!("Password guessing: {name}"),
        summary: name.to_owned(),
        severity: Severity::ALL[n % 5],
        score: 100.0 - (n % 97) as f64,
        status,
        verdict: resolved_at.map(|_| Verdict::ALL[n % 5]),
        opened_at: raised_at,
        updated_at: raised_at + HOUR_MS,
        assignee: n.is_multiple_of(4).then(|| "Ines".into()),
        entities: vec![
            EntityKey::new(EntityKind::User, format!("user-{}", n % 9)),
            EntityKey::new(EntityKind::ApiKey, name.to_owned()),
        ],
        entities_total: 2,
        findings: Vec::new(),
        timeline: Vec::new(),
        path: Vec::new(),
        techniques: Vec::new(),
        recommendations: vec!["Block the address.".to_owned()],
        count: 3,
        detection_delay_s: 0.2,
        revision: 1,
        accepted_at: Some(raised_at),
        detectors: vec![["password_guessing", "scraping", "vendor_incident"][n % 3].into()],
        vendors: vendor.filter(|_| n.is_multiple_of(3)).into_iter().collect(),
        score_parts: Vec::new(),
        muted: None,
        due_at: None,
        due_by: None,
        escalation: 0,
        acknowledged_at: (status != AlertStatus::Open).then(|| raised_at + HOUR_MS / 2),
        contained_at: n.is_multiple_of(5).then(|| raised_at + HOUR_MS),
        resolution: resolved_at.map(|at| Resolution { at, by: Some("Ines".into()), reason: None }),
        comments: Vec::new(),
        cases: Vec::new(),
        responses: Vec::new(),
    };
    AlertFacts { alert, raised_at, resolved_at }
}
