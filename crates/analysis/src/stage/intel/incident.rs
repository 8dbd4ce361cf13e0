//! Incidents at companies: ours to care about when the company is a vendor.

use riskgraph_domain::event::{Event, Outcome};
use riskgraph_domain::graph::RiskCause;
use riskgraph_domain::ports::Delta;
use riskgraph_domain::{EntityKind, RelationKind, Text, Timestamp, VendorId};
use serde_json::Value;

use super::{Report, Said, cut, id_of, signal_of};
use crate::detect::Context;
use crate::graph::{Direction, NodeIx, Observed, RiskGraph};
use crate::resolve;
use crate::stage::{RESOLVED, Stage, VENDOR_INCIDENT};

/// What the natural key of an incident's indicator begins with; the reporting event's id follows.
pub(in crate::stage) const PREFIX: &str = "incident/";
/// Incidents at unknown companies that a new vendor is compared with, newest first.
const SETTLED_MAX: usize = 1_000;
/// Attributes of an incident's indicator.
const COMPANY: &str = "company";
const DOMAIN: &str = "domain";
const MESSAGE: &str = "message";
const SOURCE: &str = "source";
const RETRACTED: &str = "retracted";

impl Stage {
    /// Keeps the incident, and makes a signal when the company is a vendor; or takes an earlier one back.
    pub(in crate::stage) fn incident(&mut self, event: &Event, context: &Context, delta: &mut Delta) {
        let report = Report::of(event);
        let company = event.label("vendor").or_else(|| event.object_id().map(Text::as_str));
        let domain = event.label("domain");
        let vendor = company.and_then(|company| self.company(company, domain));
        if event.outcome == Outcome::Denied || event.label("retracts").is_some() {
            self.retract_incidents(event, vendor.map(|(id, _)| id), delta);
            return;
        }
        let Some(company) = company else { return };
        let key = format!("{PREFIX}{}", event.id);
        let Some((indicator, _)) = self.graph.see(EntityKind::Indicator, &key, event.time) else { return };
        self.index.incidents.insert(indicator);
        let message = event.message.as_deref().unwrap_or("incident reported");
        let facts = [(COMPANY, Some(company)), (DOMAIN, domain), (MESSAGE, Some(message)), (SOURCE, report.source)];
        self.graph.arena.note(indicator, |notes| {
            notes.name = Some(Text::from(format!("Incident: {}", cut(company))));
            for (name, value) in facts {
                if let Some(value) = value {
                    notes.attributes.insert(name.to_owned(), Value::from(cut(value)));
                }
            }
        });
        if let Some(vendor) = vendor {
            self.incident_at(vendor, (indicator, message), report, (context, delta));
        }
    }

    pub(super) fn company(&self, name: &str, domain: Option<&str>) -> Option<(VendorId, f64)> {
        resolve::company(self.vendors.values(), name, domain, &self.graph.config.resolve)
            .map(|guess| (guess.vendor.id, guess.confidence))
    }

    fn incident_at(
        &mut self,
        (vendor, confidence): (VendorId, f64),
        (indicator, message): (NodeIx, &str),
        report: Report<'_>,
        (context, delta): (&Context, &mut Delta),
    ) {
        let Some(node) = self.vendor_node(vendor) else { return };
        self.link(node, RelationKind::MentionedIn, indicator, (report.time, confidence as f32, RESOLVED));
        let name = self.graph.arena.name(node).clone();
        let said = Said {
            detector: VENDOR_INCIDENT,
            title: format!("Incident at vendor {name}: {}", cut(message)),
            score: self.graph.config.intel.incident_score,
            subject: self.graph.arena.key(node),
            involved: vec![self.graph.arena.key(indicator)],
            reason: format!("a source reports an incident at a company that is vendor {name} ({confidence:.2} sure)"),
            techniques: &["T1199"],
            advice: &[
                "Ask the vendor what of ours is affected.",
                "Watch its keys, scripts and logins; be ready to rotate and suspend them.",
            ],
            campaign: None,
        };
        self.judge(signal_of(said, report, context), context, delta);
    }

    /// A vendor just registered may have been in the news before: what is still fresh counts.
    pub(in crate::stage) fn settle_incidents(&mut self, vendor: VendorId, context: &Context, delta: &mut Delta) {
        let window_ms = self.graph.config.correlate.window_h.hours_ms(VENDOR_INCIDENT);
        let oldest = self.graph.now() - window_ms;
        let mut open: Vec<(Timestamp, NodeIx)> = self
            .index
            .incidents
            .iter()
            .map(|&ix| (self.graph.arena.node(ix).first_seen, ix))
            .filter(|&(time, ix)| time >= oldest && is_open(&self.graph, ix))
            .collect();
        open.sort_by_key(|&(time, ix)| (std::cmp::Reverse(time), self.graph.arena.id(ix)));
        for (time, ix) in open.into_iter().take(SETTLED_MAX) {
            let text = |name: &str| self.graph.arena.attribute(ix, name);
            let (Some(company), domain, message) = (text(COMPANY), text(DOMAIN), text(MESSAGE).unwrap_or_default())
            else {
                continue;
            };
            let Some(guess) = self.company(&company, domain.as_deref()).filter(|guess| guess.0 == vendor) else {
                continue;
            };
            let (key, source) = (self.graph.arena.node(ix).key.clone(), text(SOURCE));
            let report = Report { id: key.trim_start_matches(PREFIX), time, source: source.as_deref() };
            self.incident_at(guess, (ix, &message), report, (context, delta));
        }
    }

    /// A source takes back one report (`labels.retracts`), or all about a vendor (`outcome: denied` alone).
    fn retract_incidents(&mut self, event: &Event, vendor: Option<VendorId>, delta: &mut Delta) {
        let why =
            format!("Retracted by the source: {}", cut(event.message.as_deref().unwrap_or("the report was wrong")));
        let mut wrong: Vec<(NodeIx, NodeIx)> = Vec::new();
        if let Some(id) = event.label("retracts") {
            if let Some(indicator) = self.graph.arena.find_key(EntityKind::Indicator, &format!("{PREFIX}{id}")) {
                let mentions = self.graph.arena.edges_at(indicator, Observed::Observed, Direction::In);
                wrong.extend(mentions.map(|(_, edge)| (edge.from, indicator)));
                self.graph.arena.note(indicator, |notes| {
                    notes.attributes.insert(RETRACTED.to_owned(), Value::from(cut(&event.id)));
                });
            }
        } else if let Some(node) = vendor.and_then(|id| self.vendor_node(id)) {
            let mentions = self.graph.arena.edges_at(node, Observed::Observed, Direction::Out);
            wrong.extend(mentions.map(|(_, edge)| (node, edge.to)).filter(|(_, to)| self.index.incidents.contains(to)));
        }
        for (node, indicator) in wrong {
            if let Some(edge) = self.graph.arena.find_edge(RelationKind::MentionedIn, node, indicator) {
                self.graph.arena.set_confidence(edge, 0.0);
            }
            let report = self.graph.arena.node(indicator).key.clone();
            let signal = id_of(VENDOR_INCIDENT, &self.graph.arena.key(node), report.trim_start_matches(PREFIX));
            for ix in [node, indicator] {
                if self.graph.own.remove_at(ix, |cause| cause.source == RiskCause::Signal(signal)) {
                    self.graph.arena.mark(ix);
                }
            }
            self.correlator.retract(signal, VENDOR_INCIDENT, (event.time, &why), &self.graph, delta);
        }
    }
}

/// Whether an incident is neither known to be a vendor's nor taken back.
fn is_open(graph: &RiskGraph, ix: NodeIx) -> bool {
    graph.arena.edges_at(ix, Observed::Observed, Direction::In).next().is_none()
        && graph.arena.attribute(ix, RETRACTED).is_none()
}
