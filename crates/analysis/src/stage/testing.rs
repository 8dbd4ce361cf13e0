//! A store of maps, and short ways to make events, signals and commands.

use std::collections::BTreeMap;

use riskgraph_domain::alert::{Alert, AlertCause, AlertChange, AlertEvent, AlertStatus};
use riskgraph_domain::command::{Change, Command};
use riskgraph_domain::event::Event;
use riskgraph_domain::graph::{Entity, Relation};
use riskgraph_domain::journal::Position;
use riskgraph_domain::ports::Delta;
use riskgraph_domain::posture::{Finding, FindingStatus};
use riskgraph_domain::signal::{Reason, Severity, Signal, TouchRole, Touched};
use riskgraph_domain::triage::{Case, Silence, SilenceState};
use riskgraph_domain::vendor::{Integration, Vendor, VendorInput, VendorTier};
use riskgraph_domain::{
    AlertId, CaseId, EntityId, EntityKey, EntityKind, FindingId, IntegrationId, RelationId, SignalId, SilenceId, Text,
    Timestamp, VendorId, error::Fault,
};

use super::{Stage, StageRows};
use crate::detect::Context;
use crate::policy::PolicyConfig;
use crate::spread::RiskConfig;

pub(crate) const START: i64 = 1_772_438_400_000;
pub(crate) const SECOND: i64 = 1_000;
pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOUR: i64 = 3_600_000;

/// One record of a journal, with what detectors would say.
#[derive(Debug, Clone)]
pub(crate) enum Input {
    Event(Box<Event>, Vec<Signal>),
    Command(Command),
}

/// Rows by id, as a store keeps them.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Rows {
    pub(crate) entities: BTreeMap<EntityId, Entity>,
    pub(crate) relations: BTreeMap<RelationId, Relation>,
    pub(crate) signals: BTreeMap<SignalId, Signal>,
    pub(crate) alerts: BTreeMap<AlertId, Alert>,
    pub(crate) sequence: Vec<AlertEvent>,
    pub(crate) vendors: BTreeMap<VendorId, Vendor>,
    pub(crate) integrations: BTreeMap<IntegrationId, Integration>,
    pub(crate) findings: BTreeMap<FindingId, Finding>,
    pub(crate) silences: BTreeMap<SilenceId, Silence>,
    pub(crate) cases: BTreeMap<CaseId, Case>,
    pub(crate) blobs: BTreeMap<Text, Vec<u8>>,
}

impl Rows {
    pub(crate) fn apply(&mut self, delta: Delta) {
        self.entities.extend(delta.entities.into_iter().map(|row| (row.id, row)));
        self.relations.extend(delta.relations.into_iter().map(|row| (row.id, row)));
        self.signals.extend(delta.signals.into_iter().map(|row| (row.id, row)));
        for event in delta.alert_events {
            assert_eq!(event.sequence, self.sequence.len() as u64 + 1, "the sequence has no gaps");
            self.alerts.insert(event.alert.id, event.alert.clone());
            self.sequence.push(event);
        }
        self.vendors.extend(delta.vendors.into_iter().map(|row| (row.id, row)));
        for id in delta.removed_vendors {
            self.vendors.remove(&id);
        }
        self.integrations.extend(delta.integrations.into_iter().map(|row| (row.id, row)));
        self.findings.extend(delta.findings.into_iter().map(|row| (row.id, row)));
        self.silences.extend(delta.silences.into_iter().map(|row| (row.id, row)));
        self.cases.extend(delta.cases.into_iter().map(|row| (row.id, row)));
        self.blobs.extend(delta.blobs);
        self.blobs.retain(|_, blob| !blob.is_empty());
    }

    pub(crate) fn load(&self) -> Stage {
        let config = RiskConfig::defaults().expect("the defaults parse");
        let mut loader = Stage::begin_load(&config, &policy());
        // As a store would: in pages, by id, and through JSON where it keeps JSON.
        for row in self.entities.values() {
            let attributes = serde_json::from_str(&row.attributes.to_string()).expect("JSON");
            loader.add_entities(vec![Entity { attributes, ..row.clone() }]);
        }
        let relations: Vec<Relation> = self.relations.values().cloned().collect();
        relations.chunks(100).for_each(|page| loader.add_relations(page));
        let open_alerts: Vec<Alert> =
            self.alerts.values().filter(|alert| alert.status != AlertStatus::Resolved).cloned().collect();
        let names = Stage::blob_names(&open_alerts);
        loader.finish(StageRows {
            vendors: self.vendors.values().cloned().collect(),
            integrations: self.integrations.values().cloned().collect(),
            findings: self.findings.values().filter(|row| row.status != FindingStatus::Resolved).cloned().collect(),
            open_alerts,
            last_alert_sequence: self.sequence.len() as u64,
            silences: self.silences.values().filter(|row| row.state != SilenceState::Over).cloned().collect(),
            cases: self.cases.values().filter(|row| !row.archived).cloned().collect(),
            blobs: names.into_iter().filter_map(|name| Some((name.clone(), self.blobs.get(&name)?.clone()))).collect(),
        })
    }
}

/// The policy of all tests: the shipped one, but a storm is ten alerts.
fn policy() -> PolicyConfig {
    let mut policy = PolicyConfig::shipped().expect("the defaults parse");
    policy.storm.per_detector_max = 10;
    policy.storm.total_max = 40;
    policy
}

/// A stage and the store behind it.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) stage: Stage,
    pub(crate) rows: Rows,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            stage: Stage::new(&RiskConfig::defaults().expect("the defaults parse"), &policy()),
            rows: Rows::default(),
        }
    }

    /// Runs one stretch of the journal.
    pub(crate) fn run(&mut self, inputs: &[Input]) {
        let mut delta = Delta::default();
        for input in inputs {
            match input {
                Input::Event(event, signals) => {
                    self.stage.on_event(event, signals.clone(), &context(event.time.0), &mut delta);
                }
                Input::Command(command) => {
                    self.stage.on_command(command, &context(command.at.0), &mut delta).expect("it fits");
                }
            }
        }
        self.stage.flush(&mut delta);
        self.rows.apply(delta);
    }

    /// Makes one change as the service does: with the rows of alerts that are over.
    pub(crate) fn change(&mut self, offset: i64, change: Change) -> Result<(), Fault> {
        let mut ids = change.alerts();
        let members = change.cases().into_iter().filter_map(|id| self.rows.cases.get(&id));
        ids.extend(members.flat_map(|case| case.members.iter().map(|member| member.alert)));
        let alerts: Vec<Alert> = ids
            .iter()
            .filter_map(|id| self.rows.alerts.get(id))
            .filter(|alert| alert.status == AlertStatus::Resolved)
            .cloned()
            .collect();
        let as_of = self.rows.sequence.len() as u64;
        let change =
            if alerts.is_empty() { change } else { Change::Recalled { alerts, as_of, change: Box::new(change) } };
        let command = Command { at: at(offset), by: Text::from("ana"), change };
        let mut delta = Delta::default();
        let result = self.stage.on_command(&command, &context(command.at.0), &mut delta);
        self.stage.flush(&mut delta);
        self.rows.apply(delta);
        result
    }

    /// The same stage as a restart makes it.
    pub(crate) fn restarted(self) -> Self {
        Self { stage: self.rows.load(), rows: self.rows }
    }

    /// Change, cause and title of the entries of the sequence after a number.
    pub(crate) fn told_after(&self, sequence: usize) -> Vec<(AlertChange, AlertCause, &str)> {
        let events = self.rows.sequence.iter().skip(sequence);
        events.map(|event| (event.change, event.cause, event.alert.title.as_str())).collect()
    }

    /// The row of the alert of this title.
    pub(crate) fn alert(&self, title: &str) -> &Alert {
        let mut found = self.rows.alerts.values().filter(|alert| alert.title == title);
        found.next().unwrap_or_else(|| panic!("no alert '{title}'"))
    }

    /// Alerts that are not resolved, oldest first.
    pub(crate) fn open(&self) -> Vec<&Alert> {
        let mut open: Vec<&Alert> = self.stage.alerts().collect();
        open.sort_by_key(|alert| alert.opened_at);
        open
    }

    /// The relations of an alert's path as `KIND from > to`.
    pub(crate) fn path(&self, alert: &Alert) -> Vec<String> {
        let graph = self.stage.graph();
        let told = |id: EntityId| graph.entity(id).map(|entity| entity.key.to_string()).unwrap_or_default();
        alert
            .path
            .iter()
            .filter_map(|id| graph.relation(*id))
            .map(|row| format!("{} {} > {}", row.kind.as_str(), told(row.from), told(row.to)))
            .collect()
    }
}

pub(crate) fn context(at: i64) -> Context {
    Context { position: Position(1), accepted_at: Timestamp(at), now: Timestamp(at + 40) }
}

pub(crate) fn event(json: &str) -> Event {
    serde_json::from_str(json).expect("an event")
}

pub(crate) fn at(offset: i64) -> Timestamp {
    Timestamp(START + offset)
}

/// Detector, score and touched entities of each signal.
pub(crate) type Judged<'a> = &'a [(&'a str, f64, &'a [(EntityKind, &'a str, TouchRole)])];

/// An event of this JSON (without id and time), judged as said.
pub(crate) fn input(id: &str, offset: i64, json: &str, signals: Judged<'_>) -> Input {
    let json = json.trim_start().trim_start_matches('{');
    let event = event(&format!("{{\"id\":\"{id}\",\"time\":{},{json}", START + offset));
    let signals = signals.iter().map(|(detector, score, touched)| signal(detector, *score, &event, touched)).collect();
    Input::Event(Box::new(event), signals)
}

pub(crate) fn signal(detector: &str, score: f64, event: &Event, touched: &[(EntityKind, &str, TouchRole)]) -> Signal {
    let subject = touched.first().map_or("", |touched| touched.1);
    Signal {
        id: SignalId::of(&[detector, subject, &event.id]),
        detector: Text::from(detector),
        title: format!("{detector} at {subject}"),
        score,
        severity: Severity::of_score(score),
        occurred_at: event.time,
        accepted_at: event.time,
        detected_at: event.time,
        entities: touched
            .iter()
            .map(|&(kind, key, role)| Touched { entity: EntityKey::new(kind, key), role })
            .collect(),
        reasons: vec![Reason { text: "seen".to_owned(), weight: score, observed: None, expected: None }],
        techniques: vec![Text::from("T1078")],
        advice: vec![format!("Look at {subject}.")],
        evidence: serde_json::json!({ "event": event.id }),
        campaign: None,
    }
}

pub(crate) fn vendor(name: &str, domains: &[&str], integrations: &[&str]) -> Change {
    let domains: Vec<Text> = domains.iter().map(|&domain| Text::from(domain)).collect();
    Change::AddVendor {
        id: VendorId::of(&[&riskgraph_domain::vendor::vendor_key(name, &domains)]),
        input: VendorInput {
            name: Text::from(name),
            domains,
            tier: Some(VendorTier::Critical),
            owner: None,
            integrations: Some(integrations.iter().map(|&name| Text::from(name)).collect()),
        },
    }
}

pub(crate) fn command(offset: i64, change: Change) -> Input {
    Input::Command(Command { at: at(offset), by: Text::from("ana"), change })
}
