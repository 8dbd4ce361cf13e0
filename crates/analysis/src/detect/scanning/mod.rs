//! Vulnerability scanners and path probing: one client asking for what is not there, or sending attack shapes.
//!
//! **Method.** For each client address and hour: distinct paths that do not exist (refused, missing, malformed), their
//! share of its requests, requests that carry known attack shapes (one Aho-Corasick automaton over the path and query,
//! raw and percent-decoded), distinct shape classes, names of well-known weak spots that were not there, odd methods.
//! A scanner's own user agent is weak evidence: it costs nothing to change. The score is the sum of the weights; one
//! signal for each client and window, and again only when the severity rises.
//!
//! **Sources.** OWASP Automated Threats OAT-014; MITRE T1595.002 and .003; Aho and Corasick, *Efficient String Matching* (1975).
//!
//! **Memory.** 400 bytes a client, 1.3 kB at most; capacity in the configuration.
//!
//! Must *not* know log formats, nor decide what is blocked.

use std::hash::Hasher as _;

use riskgraph_domain::event::{Event, Http};
use riskgraph_domain::signal::{Signal, TouchRole};
use riskgraph_domain::time::{MINUTE_MS, SECOND_MS};
use riskgraph_domain::{EntityKind, Severity, Text, Timestamp};
use rustc_hash::FxHasher;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::draft::{Draft, log_ramp};
use super::keys::mix;
use super::telling::{SCORE_MIN, score_of};
use super::{Context, Detector};
use crate::baseline::Counted;
use crate::baseline::quick_key;
use crate::keyed::Keyed;

mod config;
mod shapes;
pub use config::{ScanningConfig, ShapeConfig};
use shapes::Shapes;

/// The detector's name in signals.
pub const NAME: &str = "scanning";

/// Sample paths kept of one client, and their length in bytes.
const SAMPLES_MAX: usize = 5;
const SAMPLE_BYTES: usize = 120;
const TECHNIQUES: &[&str] = &["T1595.002", "T1595.003"];
const EXPLOIT_TECHNIQUES: &[&str] = &["T1595.002", "T1190"];
const ADVICE: &[&str] = &[
    "check whether any of the sampled requests was answered as if it worked",
    "slow down or block the address for some hours; scanners come back from others",
];

/// What one address did in its window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Client {
    start: Timestamp,
    last: Timestamp,
    requests: u32,
    errors: u32,
    server_errors: u32,
    missing: Counted,
    /// Distinct requests with attack shapes.
    shaped: Counted,
    /// One bit for each class of shapes seen.
    classes: u32,
    /// Distinct well-known weak spots asked for and not found.
    probes: Counted,
    odd_methods: u32,
    scanner_agent: bool,
    samples: Vec<Text>,
    told: f64,
}

/// Addresses and what they asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Scanning {
    config: ScanningConfig,
    clients: Keyed<Client>,
    /// Built from the configuration; a checkpoint carries the patterns, not the automaton.
    #[serde(skip)]
    shapes: Option<Shapes>,
}

impl Scanning {
    #[must_use]
    pub fn new(config: &ScanningConfig) -> Self {
        Self { clients: Keyed::new(config.clients_max), shapes: None, config: config.clone() }
    }
}

impl Detector for Scanning {
    fn name(&self) -> &'static str {
        NAME
    }

    fn observe(&mut self, event: &Event, context: &Context, signals: &mut Vec<Signal>) {
        let (Some(ip), Some(http)) = (event.client.ip.as_deref(), event.http.as_deref()) else { return };
        let Some(path) = http.path.as_deref() else { return };
        // Partners with a key are judged by the integration baseline.
        if event.actor.integration.is_some() {
            return;
        }
        let config = &self.config;
        let shapes = self.shapes.get_or_insert_with(|| Shapes::new(config));
        let hits = shapes.find(path, event.client.user_agent.as_deref(), event.label("referer"));
        let client = self.clients.touch(mix(quick_key(ip)), event.time);
        if client.requests == 0 || (event.time - client.start).abs() > config.window_min * MINUTE_MS {
            *client = Client { start: event.time, last: event.time, ..Client::default() };
        }
        // What is neither refused nor odd cannot raise the score.
        if !client.add(event.time, http, path, hits, config) {
            return;
        }
        let score = score_of(client.weights(config).iter().sum());
        if score >= SCORE_MIN
            && (client.told < SCORE_MIN || Severity::of_score(score) > Severity::of_score(client.told))
        {
            client.told = score;
            signals.push(report(client, ip, config, event, context));
        }
    }

    fn n_keys(&self) -> usize {
        self.clients.len()
    }
}

/// What the automaton found in one request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Hits {
    /// One bit for each class of attack shapes.
    classes: u32,
    /// Which probe name, by its place in the configuration.
    probe: Option<usize>,
    scanner_agent: bool,
}

impl Client {
    /// Takes a request in; says whether it was evidence.
    fn add(&mut self, time: Timestamp, http: &Http, path: &str, hits: Hits, config: &ScanningConfig) -> bool {
        self.start = self.start.min(time);
        self.last = self.last.max(time);
        self.requests = self.requests.saturating_add(1);
        let status = http.status.unwrap_or(0);
        let error = (400..=499).contains(&status) && status != 429;
        if error {
            self.errors += 1;
            self.missing.insert(mix(quick_key(super::paths::bare(path))));
        }
        self.server_errors += u32::from(status >= 500);
        if hits.classes != 0 {
            self.classes |= hits.classes;
            // A request repeated is one: the path, the query and the method together.
            let mut hasher = FxHasher::default();
            hasher.write(path.as_bytes());
            self.shaped.insert(mix(hasher.finish()));
        }
        if let Some(probe) = hits.probe.filter(|_| error) {
            self.probes.insert(mix(probe as u64));
        }
        let odd = |method: &str| config.odd_methods.iter().any(|odd| odd.eq_ignore_ascii_case(method));
        let odd = http.method.as_deref().is_some_and(odd);
        self.odd_methods += u32::from(odd);
        self.scanner_agent |= hits.scanner_agent;
        let telling = hits.classes != 0 || (error && hits.probe.is_some());
        if self.samples.len() < SAMPLES_MAX && (telling || error && self.samples.len() < SAMPLES_MAX / 2) {
            self.sample(path, status);
        }
        error || status >= 500 || odd || hits.classes != 0 || hits.scanner_agent
    }

    fn sample(&mut self, path: &str, status: u16) {
        let mut end = path.len().min(SAMPLE_BYTES);
        while !path.is_char_boundary(end) {
            end -= 1;
        }
        let text = Text::from(format!("{status} {}", &path[..end]));
        if !self.samples.contains(&text) {
            self.samples.push(text);
        }
    }

    /// Shares of the score: missing paths, attack shapes, classes, probes, methods, agent, pace.
    fn weights(&self, config: &ScanningConfig) -> [f64; 7] {
        let weights = &config.weights;
        let n_missing = self.missing.count() as f64;
        let share = f64::from(self.errors) / f64::from(self.requests.max(1));
        let missing = if n_missing >= config.missing_min && share >= config.missing_share {
            weights.missing * (0.6 + 0.4 * log_ramp(n_missing, config.missing_min, 10.0 * config.missing_min))
        } else {
            0.0
        };
        let n_shaped = self.shaped.count() as f64;
        let shaped = if n_shaped < 1.0 { 0.0 } else { weights.shapes * (0.3 + 0.7 * log_ramp(n_shaped, 1.0, 20.0)) };
        let classes = weights.class * f64::from(self.classes.count_ones().saturating_sub(1).min(3));
        let probes = (weights.probe * self.probes.count() as f64).min(weights.probes_max);
        let methods = if self.odd_methods >= 2 { weights.methods } else { 0.0 };
        let agent = if self.scanner_agent { weights.agent } else { 0.0 };
        let seconds = ((self.last - self.start) / SECOND_MS).max(1) as f64;
        let fast = self.errors + self.server_errors >= 50 && f64::from(self.requests) / seconds >= config.fast_per_s;
        [missing, shaped, classes, probes, methods, agent, if fast { weights.pace } else { 0.0 }]
    }
}

fn report(client: &Client, ip: &str, config: &ScanningConfig, event: &Event, context: &Context) -> Signal {
    let [missing, shaped, classes, probes, methods, agent, pace] = client.weights(config);
    let names: Vec<&str> = config
        .shapes
        .iter()
        .enumerate()
        .filter(|(place, _)| client.classes & (1 << place) != 0)
        .map(|(_, shape)| shape.name.as_str())
        .collect();
    let title = if shaped > 0.0 {
        format!("{ip} sends attack patterns ({})", names.join(", "))
    } else {
        format!("{ip} probes for paths that do not exist")
    };
    let asked =
        format!("{} distinct, {} errors in {} requests", client.missing.count(), client.errors, client.requests);
    let seconds = (client.last - client.start) / SECOND_MS;
    let mut draft = Draft::new(NAME, ip, title);
    draft
        .reason(missing, "paths that do not exist", asked)
        .reason(shaped, "requests that carry attack patterns", client.shaped.count().to_string())
        .reason(classes, "several kinds of attack", names.join(", "))
        .reason(probes, "well-known weak spots asked for and not found", client.probes.count().to_string())
        .reason(methods, "unusual request methods", client.odd_methods.to_string())
        .reason(agent, "user agent of a scanning tool", event.client.user_agent.as_deref().unwrap_or("-"))
        .reason(pace, "many errors at machine pace", format!("{} requests in {seconds} s", client.requests))
        .cap(super::telling::SCORE_MAX)
        .touch(TouchRole::Subject, EntityKind::Address, ip)
        .techniques(if shaped > 0.0 { EXPLOIT_TECHNIQUES } else { TECHNIQUES })
        .advice(ADVICE)
        .evidence("since", json!(client.start))
        .evidence("requests", client.requests)
        .evidence("errors", client.errors)
        .evidence("server_errors", client.server_errors)
        .evidence("missing_paths", client.missing.count())
        .evidence("classes", json!(names))
        .evidence("samples", json!(client.samples));
    draft.finish(event, context)
}

#[cfg(test)]
mod tests;
