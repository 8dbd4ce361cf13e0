//! What others say: incidents at vendors, leaked credentials and keys. Matched with what we know, it becomes a signal.

mod incident;
mod leak;

use riskgraph_domain::event::Event;
use riskgraph_domain::signal::{Reason, Severity, Signal, TouchRole, Touched};
use riskgraph_domain::{EntityKey, SignalId, Text, Timestamp};
use serde_json::json;

pub(super) use incident::PREFIX as INCIDENT;
pub(super) use leak::login_hash;

use crate::detect::Context;

/// Characters of a source's text that are kept.
const MESSAGE_CHARS_MAX: usize = 200;

fn cut(text: &str) -> String {
    text.chars().take(MESSAGE_CHARS_MAX).collect()
}

/// Where it was said.
#[derive(Debug, Clone, Copy)]
struct Report<'a> {
    /// The event, or what stands for one that is long past.
    id: &'a str,
    time: Timestamp,
    source: Option<&'a str>,
}

impl<'a> Report<'a> {
    fn of(event: &'a Event) -> Self {
        Self { id: &event.id, time: event.time, source: event.label("source").or(event.source.as_deref()) }
    }
}

/// What the stage's own signals are made of.
struct Said<'a> {
    detector: &'static str,
    title: String,
    score: f64,
    subject: EntityKey,
    involved: Vec<EntityKey>,
    reason: String,
    techniques: &'a [&'a str],
    advice: &'a [&'a str],
    campaign: Option<Text>,
}

/// The id of a signal of the stage, from what it is about and who reported it.
fn id_of(detector: &str, subject: &EntityKey, report: &str) -> SignalId {
    SignalId::of(&[detector, &format!("{}:{}", subject.kind.as_str(), subject.key), report])
}

fn signal_of(said: Said<'_>, report: Report<'_>, context: &Context) -> Signal {
    let mut entities = vec![Touched { entity: said.subject.clone(), role: TouchRole::Subject }];
    entities.extend(said.involved.into_iter().map(|entity| Touched { entity, role: TouchRole::Involved }));
    Signal {
        id: id_of(said.detector, &said.subject, report.id),
        detector: Text::from(said.detector),
        title: said.title,
        score: said.score,
        severity: Severity::of_score(said.score),
        occurred_at: report.time,
        accepted_at: context.accepted_at,
        detected_at: context.now,
        entities,
        reasons: vec![Reason { text: said.reason, weight: said.score, observed: None, expected: None }],
        techniques: said.techniques.iter().map(|&id| Text::from(id)).collect(),
        advice: said.advice.iter().map(|&text| text.to_owned()).collect(),
        evidence: json!({ "event": report.id, "source": report.source }),
        campaign: said.campaign,
    }
}
