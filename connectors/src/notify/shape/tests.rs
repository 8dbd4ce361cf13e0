use jsonschema::Validator;
use riskgraph_domain::alert::{Alert, AlertChange, AlertStatus, Mute, MuteKind, Resolution, TimelineEntry, Verdict};
use riskgraph_domain::delivery::{AlertMessage, Attachment, Digest, DigestAlert, Notice};
use riskgraph_domain::graph::{EntityKey, EntityKind};
use riskgraph_domain::signal::{Reason, Severity, Signal, TECHNIQUES, TouchRole, Touched};
use riskgraph_domain::{AlertId, FindingId, RelationId, SignalId, Text};
use serde_json::json;

use super::*;

const CLOUDEVENTS: &str = include_str!("../../../tests/data/cloudevents-1.0.json");
const OCSF: &str = include_str!("../../../tests/data/ocsf-1.8.0-detection_finding-incident.json");
const AT: Timestamp = Timestamp(1_772_438_401_120);

fn head() -> Letterhead {
    Letterhead { base_url: "https://risk.shop.example".to_owned(), version: "1.2.3".to_owned() }
}

fn validator(schema: &str) -> Validator {
    let schema: Value = serde_json::from_str(schema).expect("a schema");
    jsonschema::options().should_validate_formats(true).build(&schema).expect("a schema")
}

fn alert(name: &str, text: &str, n: usize) -> Alert {
    let mut alert = Alert::new(AlertId::of(&[name]), format!("{name} {text}"), AT);
    alert.summary = text.to_owned();
    alert.severity = Severity::High;
    alert.score = 71.25;
    alert.count = 12;
    alert.entities_total = 900;
    alert.detectors = vec![Text::from("credential_stuffing"), Text::from("scanning")];
    for k in 0..n {
        let kind = EntityKind::ALL[k % EntityKind::ALL.len()];
        alert.entities.push(EntityKey::new(kind, format!("{k}{text}")));
        alert.timeline.push(TimelineEntry {
            time: AT + 1_000,
            text: format!("step {k} {text}"),
            signal: Some(SignalId::of(&["s"])),
            actor: Some(Text::from(text)),
        });
        alert.path.push(RelationId::of(&[&k.to_string()]));
        alert.findings.push(FindingId::of(&[&k.to_string()]));
        alert.recommendations.push(format!("advice {k} {text}"));
    }
    alert.entities.push(EntityKey::new(EntityKind::Address, "203.0.113.9"));
    alert.entities.push(EntityKey::new(EntityKind::Address, "2001:db8::1"));
    alert.entities.push(EntityKey::new(EntityKind::Network, "203.0.113.0/24"));
    alert.entities.push(EntityKey::new(EntityKind::Script, "https://cdn.example/a.js"));
    alert.techniques = TECHNIQUES.iter().map(|known| Text::from(known.id)).chain([Text::from("T9999.001")]).collect();
    alert.assignee = Some(Text::from("mia.holm"));
    alert
}

fn signal(text: &str) -> Signal {
    let touched = |kind, key: &str| Touched { entity: EntityKey::new(kind, key), role: TouchRole::Subject };
    Signal {
        id: SignalId::of(&["s"]),
        detector: Text::from("credential_stuffing"),
        title: format!("many logins {text}"),
        score: 0.8,
        severity: Severity::High,
        occurred_at: AT,
        accepted_at: AT,
        detected_at: AT,
        entities: vec![
            touched(EntityKind::Address, "203.0.113.9"),
            touched(EntityKind::User, "mia"),
            touched(EntityKind::Endpoint, "POST /login"),
        ],
        reasons: vec![Reason { text: text.to_owned(), weight: 0.8, observed: Some("9".to_owned()), expected: None }],
        techniques: vec![Text::from("T1110.004")],
        advice: vec![text.to_owned()],
        evidence: json!({ "n": 9 }),
        campaign: None,
    }
}

fn told(change: AlertChange, alert: Alert, text: &str, n_signals: usize) -> Message {
    let signals = (0..n_signals).map(|_| signal(text)).collect();
    Message::Alert(Box::new(AlertMessage { sequence: 42, change, repeat: 0, alert, signals }))
}

/// Messages of every kind and state, with texts from plain to hostile.
fn messages() -> Vec<(Message, Vec<AlertChange>)> {
    let bell = "\u{7}\"\\\u{1f}\u{2028}<script>&amp;*_`[x](y)\r\nBcc: a@b".repeat(10);
    let wide = "😀ß漢\u{202e}".repeat(300);
    let escaped = "\u{1}".repeat(3_000);
    let mut all = Vec::new();
    for (text, n) in [("", 0), ("plain", 3), (bell.as_str(), 64), (wide.as_str(), 64), (escaped.as_str(), 64)] {
        for &change in AlertChange::ALL {
            all.push((
                told(
                    change,
                    alert("a", text, n.min(if change == AlertChange::Opened { 64 } else { 3 })),
                    text,
                    n.min(8),
                ),
                vec![AlertChange::Opened, change],
            ));
        }
        for &verdict in Verdict::ALL {
            let mut closed = alert("c", text, n.min(4));
            closed.status = AlertStatus::Resolved;
            closed.verdict = Some(verdict);
            closed.resolution = Some(Resolution { at: AT, by: None, reason: Some(text.to_owned()) });
            all.push((told(AlertChange::Resolved, closed, text, 1), vec![AlertChange::Resolved]));
        }
        let mut muted = alert("m", text, n.min(4));
        muted.muted =
            Some(Mute { kind: MuteKind::Storm, reason: text.to_owned(), until: None, silence: None, by: None });
        all.push((told(AlertChange::Updated, muted, text, 1), Vec::new()));
        for &severity in Severity::ALL {
            let mut other = alert("s", text, 1);
            other.severity = severity;
            other.status = AlertStatus::Acknowledged;
            all.push((told(AlertChange::Escalated, other, text, 1), Vec::new()));
        }
        let entry = || DigestAlert { alert: alert("d", text, 2), changes: AlertChange::ALL.to_vec() };
        let digest = Digest {
            since: AT,
            until: AT + 60_000,
            sequence: 99,
            alerts: (0..if n > 0 { 50 } else { 200 }).map(|_| entry()).collect(),
            alerts_total: 1_000,
            changes_total: 5_000,
        };
        all.push((Message::Digest(digest), Vec::new()));
        for kind in ["test", "report"] {
            let file =
                Attachment { name: "r.pdf".to_owned(), content_type: "application/pdf".to_owned(), bytes: vec![1] };
            let notice = Notice {
                kind: Text::from(kind),
                at: AT,
                subject: text.to_owned(),
                text: text.to_owned(),
                link: "https://risk.shop.example/reports/1".to_owned(),
                data: json!({ "text": text }),
                attachments: vec![file],
            };
            all.push((Message::Notice(notice), Vec::new()));
        }
    }
    all
}

fn each(mut check: impl FnMut(&Letter<'_>)) {
    for (message, changes) in messages() {
        let letter = Letter {
            message_id: "msg_00000000000000000000000001",
            message: &message,
            changes: &changes,
            created_at: AT,
            trimmed: Trimmed::No,
        };
        check(&letter);
    }
}

fn read(body: &[u8]) -> Value {
    serde_json::from_slice(body).expect("JSON")
}

#[test]
fn cloudevents_keep_to_the_published_schema() {
    let schema = validator(CLOUDEVENTS);
    each(|letter| {
        for max in [20_000, usize::MAX] {
            let event = read(&body_for(PayloadFormat::Cloudevents, letter, &head(), max));
            let problems: Vec<String> = schema.iter_errors(&event).map(|problem| problem.to_string()).collect();
            assert!(problems.is_empty(), "{problems:?}");
            let names = event.as_object().expect("an object").keys();
            for name in names.filter(|name| *name != "data") {
                assert!(
                    name.len() <= 20 && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()),
                    "{name}"
                );
            }
            assert_eq!(event["id"], letter.message_id);
        }
    });
}

#[test]
fn findings_keep_to_the_published_schema() {
    let schema = validator(OCSF);
    assert!(schema.iter_errors(&json!({ "class_uid": 2004 })).count() > 3, "the schema asks for something");
    each(|letter| {
        if matches!(letter.message, Message::Digest(_)) {
            return;
        }
        for max in [20_000, usize::MAX] {
            let finding = read(&body_for(PayloadFormat::Ocsf, letter, &head(), max));
            let problems: Vec<String> =
                schema.iter_errors(&finding).map(|problem| format!("{}: {problem}", problem.instance_path())).collect();
            assert!(problems.is_empty(), "{problems:?}\n{finding:#}");
            let (class, activity) = (finding["class_uid"].as_u64(), finding["activity_id"].as_u64());
            assert_eq!(
                finding["type_uid"].as_u64(),
                class.zip(activity).map(|(class, activity)| class * 100 + activity)
            );
        }
    });
}

#[test]
fn bodies_fit_and_say_when_they_were_cut() {
    each(|letter| {
        for &format in PayloadFormat::ALL {
            let whole = body_for(format, letter, &head(), usize::MAX);
            let body = body_for(format, letter, &head(), 20_000);
            assert!(body.len() <= 20_000, "{format:?}: {} bytes of {:?}", body.len(), letter.message.subject());
            let marked = body.windows(9).any(|window| window == b"truncated");
            assert_eq!(whole.len() > 20_000, marked, "{format:?}");
            assert_eq!(body, body_for(format, letter, &head(), 20_000), "the same bytes at every try");
        }
    });
}

#[test]
fn chat_messages_keep_to_their_limits() {
    each(|letter| {
        let slack = slack::message(letter, &head());
        let blocks = slack["blocks"].as_array().expect("blocks");
        assert!(blocks.len() <= 50);
        for block in blocks {
            let length = |value: &Value| value["text"].as_str().map_or(0, |text| text.chars().count());
            match block["type"].as_str() {
                Some("header") => assert!((1..=150).contains(&length(&block["text"])), "{block}"),
                Some("section") if block["text"].is_object() => {
                    assert!((1..=3_000).contains(&length(&block["text"])), "{block}");
                    assert!(!block["text"]["text"].as_str().expect("text").contains('<'), "{block}");
                }
                Some("section") => {
                    let fields = block["fields"].as_array().expect("fields");
                    assert!((1..=10).contains(&fields.len()) && fields.iter().all(|field| length(field) <= 2_000));
                }
                Some("actions" | "context") => {}
                other => panic!("{other:?}"),
            }
        }
        let teams = fitting(letter, teams::MESSAGE_MAX_BYTES, |letter| teams::message(letter, &head()));
        assert!(teams.len() <= 28_000, "{}", teams.len());
        let card = &read(&teams)["attachments"][0];
        assert_eq!(card["contentType"], "application/vnd.microsoft.card.adaptive");
        assert_eq!(card["content"]["type"], "AdaptiveCard");
    });
}

#[test]
fn pages_and_indexed_events_keep_to_their_limits() {
    each(|letter| {
        let page = fitting(letter, pagerduty::EVENT_MAX_BYTES, |letter| pagerduty::event(letter, &head()));
        assert!(page.len() <= 512 * 1_024);
        let page = read(&page);
        assert!(matches!(page["event_action"].as_str(), Some("trigger" | "acknowledge" | "resolve")));
        assert!(page["dedup_key"].as_str().is_some_and(|key| (1..=255).contains(&key.len())));
        assert!(page["payload"]["summary"].as_str().is_some_and(|text| text.chars().count() <= 1_024));
        assert!(matches!(page["payload"]["severity"].as_str(), Some("critical" | "error" | "warning" | "info")));
        if let Message::Alert(message) = letter.message {
            assert_eq!(page["dedup_key"], message.alert.id.to_string());
            let resolved = message.alert.status == AlertStatus::Resolved;
            assert_eq!(page["event_action"] == "resolve", resolved);
        }
        for &format in PayloadFormat::ALL {
            let hec = splunk::envelope(format, letter, &head());
            assert!(hec["time"].is_number() && hec["event"].is_object() && hec["sourcetype"].is_string());
        }
    });
}

#[test]
fn activities_follow_the_alert() {
    let check = |message: Message, changes: &[AlertChange], want: u64| {
        let letter = Letter { message_id: "m", message: &message, changes, created_at: AT, trimmed: Trimmed::No };
        assert_eq!(ocsf::finding(&letter, &head())["activity_id"], want, "{changes:?}");
    };
    let open = || alert("a", "x", 1);
    check(told(AlertChange::Opened, open(), "", 0), &[AlertChange::Opened], 1);
    check(told(AlertChange::Updated, open(), "", 0), &[AlertChange::Opened, AlertChange::Updated], 1);
    check(told(AlertChange::Updated, open(), "", 0), &[AlertChange::Updated], 2);
    let mut closed = open();
    closed.status = AlertStatus::Resolved;
    check(told(AlertChange::Resolved, closed, "", 0), &[AlertChange::Opened, AlertChange::Resolved], 3);
}

#[test]
fn words_hold_what_a_person_needs() {
    let message = told(AlertChange::Opened, alert("Stuffing", "Many logins failed.", 2), "", 1);
    let letter = Letter { message_id: "m", message: &message, changes: &[], created_at: AT, trimmed: Trimmed::No };
    let text = words(&letter, &head()).plain();
    for part in
        ["[HIGH] OPENED: Stuffing", "Many logins failed.", "T1110", "advice 0", "https://risk.shop.example/alerts/"]
    {
        assert!(text.contains(part), "{part} in {text}");
    }
}
