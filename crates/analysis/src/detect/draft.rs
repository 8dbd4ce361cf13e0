//! How a detector writes a signal: reasons first, the score is their sum.

use riskgraph_domain::event::Event;
use riskgraph_domain::signal::{Reason, Signal, TouchRole, Touched};
use riskgraph_domain::{EntityKey, EntityKind, Severity, Text};

use super::{Context, signal_id};

/// Entities named in one signal; more would tell a reader nothing and cost the graph.
const ENTITIES_MAX: usize = 24;

/// A signal being written.
#[derive(Debug, Clone)]
pub struct Draft {
    detector: &'static str,
    subject: String,
    title: String,
    reasons: Vec<Reason>,
    entities: Vec<Touched>,
    techniques: &'static [&'static str],
    advice: &'static [&'static str],
    evidence: serde_json::Map<String, serde_json::Value>,
    campaign: Option<Text>,
}

impl Draft {
    /// A signal of this detector about this subject; the subject and the deciding event make its id.
    #[must_use]
    pub fn new(detector: &'static str, subject: impl Into<String>, title: impl Into<String>) -> Self {
        Self {
            detector,
            subject: subject.into(),
            title: title.into(),
            reasons: Vec::new(),
            entities: Vec::new(),
            techniques: &[],
            advice: &[],
            evidence: serde_json::Map::new(),
            campaign: None,
        }
    }

    /// Adds a reason with what was seen; a weight of nothing is left out.
    pub fn reason(&mut self, weight: f64, text: impl Into<String>, observed: impl Into<String>) -> &mut Self {
        if weight > 0.0 {
            self.reasons.push(Reason { text: text.into(), weight, observed: Some(observed.into()), expected: None });
        }
        self
    }

    /// Says what the last reason should have shown.
    pub fn expected(&mut self, expected: impl Into<String>) -> &mut Self {
        if let Some(reason) = self.reasons.last_mut() {
            reason.expected = Some(expected.into());
        }
        self
    }

    /// Names an entity once; later roles of the same entity are ignored.
    pub fn touch(&mut self, role: TouchRole, kind: EntityKind, key: &str) -> &mut Self {
        let entity = EntityKey::new(kind, key);
        if !key.is_empty() && self.entities.len() < ENTITIES_MAX && self.entities.iter().all(|t| t.entity != entity) {
            self.entities.push(Touched { entity, role });
        }
        self
    }

    /// Names the person who acted, and the address and device it was done from.
    pub fn touch_actor(&mut self, event: &Event, person: TouchRole, client: TouchRole) -> &mut Self {
        if let Some(user) = &event.actor.user {
            self.touch(person, EntityKind::User, user);
        } else if let Some(staff) = &event.actor.staff {
            self.touch(person, EntityKind::Staff, staff);
        }
        if let Some(ip) = &event.client.ip {
            self.touch(client, EntityKind::Address, ip);
        }
        if let Some(device) = &event.client.device {
            self.touch(client, EntityKind::Device, device);
        }
        self
    }

    pub fn techniques(&mut self, techniques: &'static [&'static str]) -> &mut Self {
        self.techniques = techniques;
        self
    }

    pub fn advice(&mut self, advice: &'static [&'static str]) -> &mut Self {
        self.advice = advice;
        self
    }

    pub fn evidence(&mut self, name: &str, value: impl Into<serde_json::Value>) -> &mut Self {
        self.evidence.insert(name.to_owned(), value.into());
        self
    }

    pub fn campaign(&mut self, campaign: Option<Text>) -> &mut Self {
        self.campaign = campaign;
        self
    }

    /// The sum of the weights so far.
    #[must_use]
    pub fn score(&self) -> f64 {
        self.reasons.iter().map(|reason| reason.weight).sum()
    }

    /// Scales every weight by the same factor.
    pub fn scale(&mut self, factor: f64) -> &mut Self {
        self.reasons.iter_mut().for_each(|reason| reason.weight *= factor);
        self
    }

    /// Scales the weights down so that they add up to at most this.
    pub fn cap(&mut self, score_max: f64) -> &mut Self {
        let score = self.score();
        if score > score_max { self.scale(score_max / score) } else { self }
    }

    /// The finished signal, decided by this event.
    #[must_use]
    pub fn finish(mut self, event: &Event, context: &Context) -> Signal {
        self.cap(1.0);
        let score = self.score();
        self.evidence.insert("event".to_owned(), event.id.as_str().into());
        Signal {
            id: signal_id(self.detector, &self.subject, event),
            detector: self.detector.into(),
            title: self.title,
            score,
            severity: Severity::of_score(score),
            occurred_at: event.time,
            accepted_at: context.accepted_at,
            detected_at: context.now,
            entities: self.entities,
            reasons: self.reasons,
            techniques: self.techniques.iter().map(|&id| id.into()).collect(),
            advice: self.advice.iter().map(|&text| text.to_owned()).collect(),
            evidence: serde_json::Value::Object(self.evidence),
            campaign: self.campaign,
        }
    }
}

/// Grows from 0 at `low` to 1 at `high`, straight.
#[must_use]
pub fn ramp(value: f64, low: f64, high: f64) -> f64 {
    if high <= low { f64::from(u8::from(value >= high)) } else { ((value - low) / (high - low)).clamp(0.0, 1.0) }
}

/// Grows from 0 at `low` to 1 at `high` by orders of magnitude.
#[must_use]
pub fn log_ramp(value: f64, low: f64, high: f64) -> f64 {
    ramp(value.max(1e-9).ln(), low.max(1e-9).ln(), high.max(1e-9).ln())
}
