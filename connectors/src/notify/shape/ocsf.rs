//! OCSF 1.8 Detection Finding (class 2004) with the incident profile.
//!
//! Only attributes of the published class are used; what has no place there is in `unmapped`.

mod things;

use riskgraph_domain::alert::{Alert, AlertChange, AlertStatus, Verdict};
use riskgraph_domain::delivery::{AlertMessage, Message};
use riskgraph_domain::signal::Severity;
use serde_json::{Value, json};

use super::{Letter, Letterhead, Trimmed};

/// Version of the schema the findings keep to.
const SCHEMA_VERSION: &str = "1.8.0";
const CATEGORY: u32 = 2;
const CLASS: u32 = 2004;
/// `activity_id`: what happened to the finding.
const CREATE: u32 = 1;
const UPDATE: u32 = 2;
const CLOSE: u32 = 3;
/// The names of `activity_id` and `severity_id`.
const ACTIVITIES: [&str; 4] = ["Unknown", "Create", "Update", "Close"];
const SEVERITIES: [&str; 6] = ["Unknown", "Informational", "Low", "Medium", "High", "Critical"];

/// The finding.
pub(super) fn finding(letter: &Letter<'_>, head: &Letterhead) -> Value {
    let mut finding = match letter.message {
        Message::Alert(message) => alert_finding(message, letter.changes, head),
        // Tests and reports are no findings, but the receiver takes nothing else.
        Message::Digest(_) | Message::Notice(_) => plain_finding(letter),
    };
    finding["metadata"] = metadata(letter, head);
    finding["message"] = letter.message.subject().into();
    finding
}

fn metadata(letter: &Letter<'_>, head: &Letterhead) -> Value {
    let mut metadata = json!({
        "version": SCHEMA_VERSION,
        "profiles": ["incident"],
        "product": { "name": "riskgraph", "vendor_name": "riskgraph", "version": head.version },
        "uid": letter.message_id,
    });
    if letter.trimmed == Trimmed::Yes {
        metadata["is_truncated"] = true.into();
    }
    metadata
}

fn alert_finding(message: &AlertMessage, changes: &[AlertChange], head: &Letterhead) -> Value {
    let alert = &message.alert;
    let activity = activity(message, changes);
    let severity = severity_id(alert.severity);
    let mut finding = json!({
        "activity_id": activity,
        "activity_name": ACTIVITIES[activity as usize],
        "category_uid": CATEGORY,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Detection Finding",
        "type_uid": CLASS * 100 + activity,
        "time": alert.updated_at.millis(),
        "severity_id": severity,
        "severity": SEVERITIES[severity as usize],
        "status_id": status_id(alert),
        "is_alert": true,
        "risk_score": alert.score.round() as i64,
        "risk_level_id": severity - 1,
        "priority_id": severity.clamp(2, 5) - 1,
        "finding_info": finding_info(message, head),
        "observables": alert.entities.iter().map(things::observable).collect::<Vec<_>>(),
        "unmapped": {
            "change": message.change.as_str(),
            "changes": changes.iter().map(|change| change.as_str()).collect::<Vec<_>>(),
            "sequence": message.sequence,
            "repeat": message.repeat,
            "entities_total": alert.entities_total,
            "detection_delay_seconds": alert.detection_delay_s,
        },
    });
    let evidences: Vec<Value> = message.signals.iter().map(things::evidence).collect();
    if !evidences.is_empty() {
        finding["evidences"] = evidences.into();
    }
    if !alert.recommendations.is_empty() {
        finding["remediation"] = json!({ "desc": alert.recommendations.join("\n") });
    }
    if let Some(assignee) = &alert.assignee {
        finding["assignee"] = json!({ "name": assignee });
    }
    if let Some(verdict) = alert.verdict {
        finding["verdict_id"] = verdict_id(verdict).into();
    }
    if let Some(reason) = alert.resolution.as_ref().and_then(|resolution| resolution.reason.as_ref()) {
        finding["status_detail"] = reason.as_str().into();
    }
    if let Some(url) = head.alert_url(alert.id) {
        finding["src_url"] = url.into();
    }
    finding
}

fn activity(message: &AlertMessage, changes: &[AlertChange]) -> u32 {
    if message.alert.status == AlertStatus::Resolved {
        CLOSE
    } else if message.repeat == 0 && (changes.contains(&AlertChange::Opened) || message.change == AlertChange::Opened) {
        CREATE
    } else {
        UPDATE
    }
}

fn finding_info(message: &AlertMessage, head: &Letterhead) -> Value {
    let alert = &message.alert;
    let mut info = json!({
        "uid": alert.id,
        "title": alert.title,
        "desc": alert.summary,
        "created_time": alert.opened_at.millis(),
        "modified_time": alert.updated_at.millis(),
        "first_seen_time": alert.opened_at.millis(),
        "last_seen_time": alert.updated_at.millis(),
        "types": alert.detectors,
        "attacks": alert.techniques.iter().map(|id| things::attack(id)).collect::<Vec<_>>(),
        "related_events_count": alert.count,
        "related_events": message.signals.iter().map(|signal| json!({
            "uid": signal.id, "title": signal.title, "first_seen_time": signal.occurred_at.millis(),
        })).collect::<Vec<_>>(),
    });
    if let Some(detector) = alert.detectors.first() {
        info["analytic"] = things::analytic(detector);
    }
    if let Some(url) = head.alert_url(alert.id) {
        info["src_url"] = url.into();
    }
    info
}

/// A finding that says nothing is wrong: for tests of the way.
fn plain_finding(letter: &Letter<'_>) -> Value {
    let (at, text, is_test) = match letter.message {
        Message::Notice(notice) => (notice.at, notice.text.as_str(), notice.kind.as_str() == "test"),
        _ => (letter.created_at, "", false),
    };
    let mut finding = json!({
        "activity_id": CREATE,
        "category_uid": CATEGORY,
        "class_uid": CLASS,
        "type_uid": CLASS * 100 + CREATE,
        "time": at.millis(),
        "severity_id": 1,
        "is_alert": false,
        "finding_info": { "uid": letter.message_id, "title": letter.message.subject(), "desc": text },
    });
    if is_test {
        finding["verdict_id"] = 6.into();
    }
    finding
}

const fn severity_id(severity: Severity) -> u32 {
    match severity {
        Severity::Info => 1,
        Severity::Low => 2,
        Severity::Medium => 3,
        Severity::High => 4,
        Severity::Critical => 5,
    }
}

/// New, in progress, suppressed, resolved.
const fn status_id(alert: &Alert) -> u32 {
    match alert.status {
        AlertStatus::Resolved => 4,
        _ if alert.muted.is_some() => 3,
        AlertStatus::Acknowledged => 2,
        AlertStatus::Open => 1,
    }
}

const fn verdict_id(verdict: Verdict) -> u32 {
    match verdict {
        Verdict::FalsePositive => 1,
        Verdict::TruePositive => 2,
        Verdict::Benign => 5,
        Verdict::InsufficientData => 7,
        Verdict::Duplicate => 10,
    }
}
