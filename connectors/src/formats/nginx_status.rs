//! nginx Plus status snapshots (`/status`, one JSON object a line): each becomes several `metric.sample` events.
//!
//! Source: nginx `ngx_http_status_module`, data set versions 5 to 8. Counters are passed on as they are (they fall back to
//! 0 when nginx restarts); rates are the business of whoever reads them.

use riskgraph_domain::error::FaultCode;
use riskgraph_domain::event::{Event, EventKind};
use riskgraph_domain::id::hash128;
use riskgraph_domain::{Text, Timestamp};
use serde_json::{Map, Value};

use super::{Refusal, request};

/// Metrics of one snapshot. The largest proxies have some hundred peers of ten metrics each; beyond that the snapshot is
/// refused, because half a snapshot would look like vanished peers.
const METRICS_MAX: usize = 20_000;

/// Top-level parts and their counters.
const TOTALS: [(&str, &[&str]); 4] = [
    ("requests", &["total", "current"]),
    ("connections", &["accepted", "dropped", "active", "idle"]),
    ("ssl", &["handshakes", "handshakes_failed", "session_reuses"]),
    ("processes", &["respawned"]),
];
const ZONE: &[&str] = &["requests", "connections", "processing", "discarded", "received", "sent"];
const PEER: &[&str] =
    &["requests", "connections", "active", "fails", "unavail", "downtime", "response_time", "received", "sent"];
const RESPONSES: &[&str] = &["4xx", "5xx"];
const CACHE: &[&str] = &["hit", "miss", "expired", "bypass", "stale"];

pub(super) fn is_snapshot(fields: &Map<String, Value>) -> bool {
    fields.get("connections").is_some_and(Value::is_object)
        && (fields.contains_key("server_zones") || fields.contains_key("requests"))
}

pub(super) fn decode(line: &[u8], fields: &Map<String, Value>, events: &mut Vec<Event>) -> Result<(), Refusal> {
    let Some(time) = fields.get("timestamp").and_then(Value::as_i64).filter(|ms| *ms > 0) else {
        let reason = "the status snapshot has no timestamp in milliseconds: log the answer of /status unchanged";
        return Err((FaultCode::Missing, reason.to_owned()));
    };
    let server = fields.get("address").and_then(Value::as_str).map(Text::from);
    let content = format!("{:032x}", hash128(&[&String::from_utf8_lossy(line)]));
    let n_before = events.len();
    let mut samples = Samples { time: Timestamp(time), server, content, events, n_before };
    for (part, names) in TOTALS {
        samples.counters(part, fields.get(part), names, &[]);
    }
    samples.side("http", Some(fields));
    samples.side("stream", fields.get("stream").and_then(Value::as_object));
    samples.caches(fields.get("caches"));
    let n_samples = samples.events.len() - n_before;
    if n_samples > METRICS_MAX {
        events.truncate(n_before);
        let reason = format!("the status snapshot has more than {METRICS_MAX} metrics: split it by zone");
        return Err((FaultCode::Field, reason));
    }
    if n_samples == 0 {
        return Err((FaultCode::Missing, "the status snapshot has no counter that is known here".to_owned()));
    }
    Ok(())
}

struct Samples<'a> {
    time: Timestamp,
    server: Option<Text>,
    /// Hash of the line: part of every id, so that the same snapshot twice makes the same ids.
    content: String,
    events: &'a mut Vec<Event>,
    n_before: usize,
}

impl Samples<'_> {
    /// Zones and upstream peers of HTTP or stream (TCP) proxying.
    fn side(&mut self, protocol: &str, part: Option<&Map<String, Value>>) {
        let Some(part) = part else { return };
        for (zone, counters) in objects(part.get("server_zones")) {
            let labels = [("protocol", protocol), ("zone", zone)];
            self.counters("zone", Some(counters), ZONE, &labels);
            self.counters("zone.responses", counters.get("responses"), RESPONSES, &labels);
        }
        for (upstream, counters) in objects(part.get("upstreams")) {
            // Up to data set version 5 an upstream was the list of its peers itself.
            let peers = counters.get("peers").unwrap_or(counters).as_array();
            for peer in peers.into_iter().flatten() {
                let address = peer.get("server").and_then(Value::as_str).unwrap_or("unknown");
                let id = peer.get("id").map(ToString::to_string).unwrap_or_default();
                let labels = [("protocol", protocol), ("upstream", upstream), ("peer", address), ("peer_id", &id)];
                self.counters("peer", Some(peer), PEER, &labels);
                self.counters("peer.responses", peer.get("responses"), RESPONSES, &labels);
                self.counters("peer.health", peer.get("health_checks"), &["checks", "fails", "unhealthy"], &labels);
                if let Some(state) = peer.get("state").and_then(Value::as_str) {
                    // 1 when it takes traffic; the word itself is a label.
                    let up = if state.eq_ignore_ascii_case("up") { 1.0 } else { 0.0 };
                    self.push("peer.up", up, &[&labels[..], &[("state", state)]].concat());
                }
            }
        }
    }

    fn caches(&mut self, caches: Option<&Value>) {
        for (cache, counters) in objects(caches) {
            let labels = [("cache", cache)];
            self.counters("cache", Some(counters), &["size", "max_size"], &labels);
            for name in CACHE {
                if let Some(value) = counters.get(name).and_then(|c| c.get("responses")).and_then(Value::as_f64) {
                    self.push(&format!("cache.{name}"), value, &labels);
                }
            }
        }
    }

    fn counters(&mut self, part: &str, counters: Option<&Value>, names: &[&str], labels: &[(&str, &str)]) {
        for name in names {
            if let Some(value) = counters.and_then(|c| c.get(name)).and_then(Value::as_f64) {
                self.push(&format!("{part}.{name}"), value, labels);
            }
        }
    }

    fn push(&mut self, name: &str, value: f64, labels: &[(&str, &str)]) {
        // One more than allowed is enough to know that there are too many.
        if self.events.len() - self.n_before > METRICS_MAX {
            return;
        }
        let name = format!("nginx.{name}");
        let mut key = vec![self.content.as_str(), name.as_str()];
        key.extend(labels.iter().flat_map(|(label, value)| [*label, *value]));
        let id = format!("b3:{:032x}", hash128(&key));
        let mut event = Event::new(id, self.time, EventKind::MetricSample);
        event.name = Some(Text::from(name.as_str()));
        event.value = Some(value);
        if let Some(server) = &self.server {
            request::label(&mut event, "server", server.clone());
        }
        for (label, value) in labels {
            request::label(&mut event, label, *value);
        }
        self.events.push(event);
    }
}

fn objects(value: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}
