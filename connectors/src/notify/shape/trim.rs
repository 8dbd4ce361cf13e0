//! Making a message smaller: long lists and texts are cut, step by step.

use riskgraph_domain::alert::Alert;
use riskgraph_domain::delivery::{AlertMessage, Digest, Message, Notice, one_line};
use riskgraph_domain::signal::Signal;
use riskgraph_domain::text::Text;
use serde_json::Value;

/// What one step leaves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Level {
    items: usize,
    chars: usize,
    signals: usize,
    digest_alerts: usize,
}

/// From a little to a lot. At the last step a message of nothing but escaped characters (six bytes each) still has less
/// than 15 kB.
pub(super) const LEVELS: [Level; 5] = [
    Level { items: 32, chars: 1_000, signals: 4, digest_alerts: 40 },
    Level { items: 12, chars: 500, signals: 2, digest_alerts: 20 },
    Level { items: 6, chars: 240, signals: 1, digest_alerts: 10 },
    Level { items: 3, chars: 120, signals: 0, digest_alerts: 5 },
    Level { items: 2, chars: 80, signals: 0, digest_alerts: 2 },
];

/// The message with no list and text longer than the level allows.
pub(super) fn trimmed(message: &Message, level: Level) -> Message {
    match message {
        Message::Alert(message) => Message::Alert(Box::new(AlertMessage {
            alert: alert(&message.alert, level),
            signals: message.signals.iter().take(level.signals).map(|signal| self::signal(signal, level)).collect(),
            ..(**message).clone()
        })),
        Message::Digest(digest) => Message::Digest(Digest {
            alerts: digest
                .alerts
                .iter()
                .take(level.digest_alerts)
                .map(|entry| {
                    let mut entry = entry.clone();
                    entry.alert = alert(&entry.alert, level);
                    entry
                })
                .collect(),
            ..digest.clone()
        }),
        Message::Notice(notice) => Message::Notice(Notice {
            subject: text(&notice.subject, level),
            text: cut(&notice.text, level.chars * 4),
            data: Value::Null,
            ..notice.clone()
        }),
    }
}

fn alert(alert: &Alert, level: Level) -> Alert {
    let mut small = alert.clone();
    small.title = text(&small.title, level);
    small.summary = text(&small.summary, level);
    small.assignee = small.assignee.map(|who| Text::from(text(&who, level)));
    small.entities.truncate(level.items);
    for entity in &mut small.entities {
        entity.key = Text::from(text(&entity.key, level));
    }
    small.findings.truncate(level.items);
    // The newest steps tell most.
    let old = small.timeline.len().saturating_sub(level.items);
    small.timeline.drain(..old);
    for entry in &mut small.timeline {
        entry.text = text(&entry.text, level);
        entry.actor = entry.actor.take().map(|who| Text::from(text(&who, level)));
    }
    if let Some(reason) = small.resolution.as_mut().and_then(|resolution| resolution.reason.as_mut()) {
        *reason = text(reason, level);
    }
    if let Some(mute) = small.muted.as_mut() {
        mute.reason = text(&mute.reason, level);
    }
    small.detectors.truncate(level.items);
    small.path.truncate(level.items);
    small.techniques.truncate(level.items.max(4));
    for technique in &mut small.techniques {
        *technique = Text::from(one_line(technique, 20));
    }
    small.recommendations.truncate(level.items);
    for advice in &mut small.recommendations {
        *advice = text(advice, level);
    }
    small
}

fn signal(signal: &Signal, level: Level) -> Signal {
    let mut small = signal.clone();
    small.title = text(&small.title, level);
    small.entities.truncate(level.items);
    small.reasons.truncate(level.items);
    for reason in &mut small.reasons {
        reason.text = text(&reason.text, level);
        reason.observed = reason.observed.take().map(|seen| text(&seen, level));
        reason.expected = reason.expected.take().map(|seen| text(&seen, level));
    }
    small.advice.truncate(level.items);
    small.evidence = Value::Null;
    small
}

fn text(given: &str, level: Level) -> String {
    cut(given, level.chars)
}

/// The text in at most so many characters; lines stay.
pub(crate) fn cut(given: &str, chars_max: usize) -> String {
    match given.char_indices().nth(chars_max) {
        None => given.to_owned(),
        Some(_) => {
            let mut short: String = given.chars().take(chars_max.saturating_sub(1)).collect();
            short.push('…');
            short
        }
    }
}
