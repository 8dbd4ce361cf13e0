//! riskgraph's own shape: the names of the GraphQL alert.

use riskgraph_domain::alert::{Alert, AlertChange};
use riskgraph_domain::delivery::{AlertMessage, Digest, Message, Notice};
use riskgraph_domain::signal::{Signal, technique};
use serde_json::{Value, json};

use super::{Letter, Letterhead, Trimmed};

/// The whole message.
pub(super) fn message(letter: &Letter<'_>, head: &Letterhead) -> Value {
    let mut body = match letter.message {
        Message::Alert(message) => alert_message(message, letter.changes, head),
        Message::Digest(digest) => self::digest(digest, head),
        Message::Notice(notice) => self::notice(notice),
    };
    body["id"] = letter.message_id.into();
    if letter.trimmed == Trimmed::Yes {
        body["truncated"] = true.into();
    }
    body
}

/// What kind of message it is: `alert.opened`, `digest`, `test` ...
pub(super) fn kind(message: &Message) -> String {
    match message {
        Message::Alert(message) if message.repeat > 0 => "alert.repeated".to_owned(),
        Message::Alert(message) => format!("alert.{}", message.change.as_str().to_lowercase()),
        Message::Digest(_) => "digest".to_owned(),
        Message::Notice(notice) => notice.kind.to_string(),
    }
}

fn alert_message(message: &AlertMessage, changes: &[AlertChange], head: &Letterhead) -> Value {
    let told: Vec<&str> = changes.iter().map(|change| change.as_str()).collect();
    json!({
        "type": kind(&Message::Alert(Box::new(message.clone()))),
        "time": message.alert.updated_at,
        "sequence": message.sequence,
        "change": message.change.as_str(),
        "changes": told,
        "repeat": message.repeat,
        "alert": alert(&message.alert, head),
        "signals": message.signals.iter().map(signal).collect::<Vec<_>>(),
    })
}

/// An alert with the names GraphQL gives its fields.
pub(super) fn alert(alert: &Alert, head: &Letterhead) -> Value {
    let entities = alert
        .entities
        .iter()
        .map(|entity| json!({ "id": entity.id(), "kind": entity.kind.as_str(), "key": entity.key }));
    let timeline = alert.timeline.iter().map(|entry| {
        let signal = entry.signal.map(|id| json!({ "id": id }));
        json!({ "time": entry.time, "text": entry.text, "signal": signal, "actor": entry.actor })
    });
    json!({
        "id": alert.id,
        "url": head.alert_url(alert.id),
        "title": alert.title,
        "summary": alert.summary,
        "severity": alert.severity.as_str(),
        "score": alert.score,
        "status": alert.status.as_str(),
        "verdict": alert.verdict.map(|verdict| verdict.as_str()),
        "openedAt": alert.opened_at,
        "updatedAt": alert.updated_at,
        "assignee": alert.assignee,
        "entities": entities.collect::<Vec<_>>(),
        "entitiesTotal": alert.entities_total,
        "findings": alert.findings.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>(),
        "timeline": timeline.collect::<Vec<_>>(),
        "path": alert.path.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>(),
        "techniques": alert.techniques.iter().map(|id| technique_of(id)).collect::<Vec<_>>(),
        "recommendations": alert.recommendations,
        "count": alert.count,
        "detectionDelaySeconds": alert.detection_delay_s,
        "detectors": alert.detectors,
        "muted": alert.muted.as_ref().map(|mute| {
            json!({ "kind": mute.kind.as_str(), "reason": mute.reason, "until": mute.until })
        }),
        "dueAt": alert.due_at,
        "overdue": alert.overdue(),
        "escalation": alert.escalation,
        "containedAt": alert.contained_at,
        "timeToContainSeconds": alert.time_to_contain_s(),
    })
}

fn technique_of(id: &str) -> Value {
    match technique(id) {
        Some(known) => json!({ "id": known.id, "name": known.name, "tactic": known.tactic }),
        None => json!({ "id": id, "name": id, "tactic": "" }),
    }
}

fn signal(signal: &Signal) -> Value {
    let reasons = signal.reasons.iter().map(|reason| {
        json!({
            "text": reason.text,
            "weight": reason.weight,
            "observed": reason.observed,
            "expected": reason.expected,
        })
    });
    json!({
        "id": signal.id,
        "detector": signal.detector,
        "title": signal.title,
        "score": signal.score,
        "severity": signal.severity.as_str(),
        "occurredAt": signal.occurred_at,
        "reasons": reasons.collect::<Vec<_>>(),
    })
}

fn digest(digest: &Digest, head: &Letterhead) -> Value {
    let alerts = digest.alerts.iter().map(|entry| {
        json!({
            "id": entry.alert.id,
            "url": head.alert_url(entry.alert.id),
            "title": entry.alert.title,
            "severity": entry.alert.severity.as_str(),
            "score": entry.alert.score,
            "status": entry.alert.status.as_str(),
            "updatedAt": entry.alert.updated_at,
            "changes": entry.changes.iter().map(|change| change.as_str()).collect::<Vec<_>>(),
        })
    });
    json!({
        "type": "digest",
        "time": digest.until,
        "sequence": digest.sequence,
        "since": digest.since,
        "until": digest.until,
        "alerts": alerts.collect::<Vec<_>>(),
        "alertsTotal": digest.alerts_total,
        "changesTotal": digest.changes_total,
    })
}

fn notice(notice: &Notice) -> Value {
    let link = (!notice.link.is_empty()).then_some(&notice.link);
    json!({
        "type": notice.kind,
        "time": notice.at,
        "subject": notice.subject,
        "text": notice.text,
        "link": link,
        "data": notice.data,
        "attachments": notice.attachments.iter().map(|file| &file.name).collect::<Vec<_>>(),
    })
}
