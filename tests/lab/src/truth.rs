//! What really happened, against what was alerted: the demo's and the scenario tests' score sheet.

use std::collections::{BTreeMap, BTreeSet};

use riskgraph_domain::alert::{Alert, AlertChange, AlertEvent};
use riskgraph_domain::event::Event;
use riskgraph_domain::time::HOUR_MS;
use riskgraph_domain::{AlertId, EntityKey, EntityKind, Severity, Timestamp};

use crate::label::{Label, Role, ScenarioId};

/// An alert may come this long after the last event of what it is about.
const AFTERMATH_MS: i64 = 6 * HOUR_MS;

/// One attack or twin that was played.
#[derive(Debug, Clone)]
pub struct Happening {
    pub scenario: ScenarioId,
    pub role: Role,
    pub starts: Timestamp,
    pub ends: Timestamp,
    /// Who and what took part.
    entities: BTreeSet<EntityKey>,
}

/// Everything that was played.
#[derive(Debug, Clone, Default)]
pub struct Truth {
    pub happenings: Vec<Happening>,
}

/// How one happening fared.
#[derive(Debug, Clone)]
pub struct Verdict {
    pub happening: Happening,
    /// Worst severity of an alert about it, and the event time at which it first reached MEDIUM.
    pub worst: Option<Severity>,
    pub caught_at: Option<Timestamp>,
    pub alerts: Vec<AlertId>,
}

/// The score sheet.
#[derive(Debug, Clone, Default)]
pub struct Sheet {
    pub verdicts: Vec<Verdict>,
    /// Alerts above LOW that are about no attack.
    pub false_alerts: Vec<Alert>,
}

impl Truth {
    /// Notes an event of a scenario; everyday events are passed over.
    pub fn note(&mut self, event: &Event, label: Label) {
        let Some(scenario) = label.scenario else { return };
        let known = self.happenings.iter_mut().find(|known| known.scenario == scenario && known.role == label.role);
        let happening = match known {
            Some(happening) => happening,
            None => {
                self.happenings.push(Happening {
                    scenario,
                    role: label.role,
                    starts: event.time,
                    ends: event.time,
                    entities: BTreeSet::new(),
                });
                let last = self.happenings.len() - 1;
                &mut self.happenings[last]
            }
        };
        happening.starts = happening.starts.min(event.time);
        happening.ends = happening.ends.max(event.time);
        happening.entities.extend(entities_of(event));
    }

    /// Compares with what was alerted. Each change of an alert counts for what happened around its time: an alert that
    /// an attack raises days after a benign day is no false alarm of that day.
    #[must_use]
    pub fn compare<'a>(&self, events: impl IntoIterator<Item = &'a AlertEvent>) -> Sheet {
        let mut verdicts: Vec<Verdict> = self
            .happenings
            .iter()
            .map(|happening| Verdict { happening: happening.clone(), worst: None, caught_at: None, alerts: Vec::new() })
            .collect();
        // What no attack explains, as it was when it first rose above LOW.
        let mut unexplained: BTreeMap<AlertId, Alert> = BTreeMap::new();
        for event in events.into_iter().filter(|event| event.change != AlertChange::Retracted) {
            let mut explained = false;
            for verdict in verdicts.iter_mut().filter(|verdict| verdict.happening.is_about(&event.alert)) {
                explained |= verdict.happening.role == Role::Attack;
                verdict.enter(&event.alert);
            }
            if !explained && event.alert.severity > Severity::Low {
                unexplained.entry(event.alert.id).or_insert_with(|| event.alert.clone());
            }
        }
        Sheet { verdicts, false_alerts: unexplained.into_values().collect() }
    }
}

impl Verdict {
    fn enter(&mut self, alert: &Alert) {
        if self.alerts.last() != Some(&alert.id) && !self.alerts.contains(&alert.id) {
            self.alerts.push(alert.id);
        }
        self.worst = self.worst.max(Some(alert.severity));
        if self.caught_at.is_none() && alert.severity > Severity::Low {
            self.caught_at = Some(alert.updated_at);
        }
    }
}

impl Happening {
    fn is_about(&self, alert: &Alert) -> bool {
        let in_time = |time: Timestamp| time >= self.starts && time <= self.ends + AFTERMATH_MS;
        // What people and playbooks write on it has the time of day, not that of the story.
        let last_signal = alert.timeline.iter().filter(|entry| entry.signal.is_some()).map(|entry| entry.time).max();
        (in_time(alert.updated_at) || last_signal.is_some_and(in_time))
            && alert.entities.iter().any(|entity| self.entities.contains(entity))
    }
}

/// The entities an event is about, by their natural keys.
fn entities_of(event: &Event) -> Vec<EntityKey> {
    let actor = &event.actor;
    let keys = [
        (EntityKind::User, actor.user.as_ref()),
        (EntityKind::Staff, actor.staff.as_ref()),
        (EntityKind::ApiKey, actor.key.as_ref()),
        (EntityKind::Integration, actor.integration.as_ref()),
        (EntityKind::Session, actor.session.as_ref()),
        (EntityKind::Address, event.client.ip.as_ref()),
        (EntityKind::Card, event.card.as_ref().and_then(|card| card.fingerprint.as_ref())),
    ];
    let mut entities: Vec<EntityKey> =
        keys.into_iter().filter_map(|(kind, key)| key.map(|key| EntityKey::new(kind, key.clone()))).collect();
    if let Some(domain) = event.label("domain") {
        entities.push(EntityKey::new(EntityKind::Vendor, domain));
    }
    entities
}
