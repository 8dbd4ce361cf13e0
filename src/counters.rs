//! What the service counts, and its Prometheus text.
//!
//! One registry per running service, not a global one: tests run several services in one process.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// Which kind of state a gauge counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct StateKind {
    pub kind: String,
}

/// Which deliveries a gauge counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct DeliveryLabel {
    pub state: String,
}

/// Everything that is counted; `docs/operations.md` explains each.
pub struct Counters {
    registry: Mutex<Registry>,
    /// New events made durable.
    pub accepted: Counter,
    /// Events whose id was known.
    pub duplicates: Counter,
    /// Lines that could not be used.
    pub rejected: Counter,
    /// Batches refused because the pipeline was behind.
    pub refused: Counter,
    /// Fields in which a card number or secret was masked.
    pub masked: Counter,
    /// Events the pipeline has judged and the store has applied.
    pub judged: Counter,
    pub signals: Counter,
    pub alert_events: Counter,
    /// Seconds from accepting an event to its alert change being published.
    pub alert_delay_s: Histogram,
    lag: Gauge,
    pub alerts_open: Gauge,
    pub journal_bytes: Gauge,
    pub state_entries: Family<StateKind, Gauge>,
    pub deliveries: Family<DeliveryLabel, Gauge>,
    /// Seconds the oldest delivery that is not done has been waiting.
    pub delivery_oldest_s: Gauge,
    pub channels_disabled: Gauge,
    /// Journal records appended by this process, plus the position at its start.
    pub appended_until: AtomicU64,
    /// Position up to which everything is judged and applied.
    pub judged_until: AtomicU64,
}

impl Default for Counters {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("riskgraph");
        let counters = Self {
            accepted: Counter::default(),
            duplicates: Counter::default(),
            rejected: Counter::default(),
            refused: Counter::default(),
            masked: Counter::default(),
            judged: Counter::default(),
            signals: Counter::default(),
            alert_events: Counter::default(),
            alert_delay_s: Histogram::new(exponential_buckets(0.001, 2.0, 16)),
            lag: Gauge::default(),
            alerts_open: Gauge::default(),
            journal_bytes: Gauge::default(),
            state_entries: Family::default(),
            deliveries: Family::default(),
            delivery_oldest_s: Gauge::default(),
            channels_disabled: Gauge::default(),
            appended_until: AtomicU64::new(0),
            judged_until: AtomicU64::new(0),
            registry: Mutex::new(Registry::default()),
        };
        registry.register("events_accepted", "New events made durable", counters.accepted.clone());
        registry.register("events_duplicate", "Events whose id was known already", counters.duplicates.clone());
        registry.register("events_rejected", "Lines that could not be used", counters.rejected.clone());
        registry.register(
            "batches_refused",
            "Batches refused with 429 because judging was behind",
            counters.refused.clone(),
        );
        registry.register(
            "fields_masked",
            "Fields in which a card number or secret was masked",
            counters.masked.clone(),
        );
        registry.register("events_judged", "Events judged and applied", counters.judged.clone());
        registry.register("events_lag", "Events accepted but not yet judged", counters.lag.clone());
        registry.register("signals", "Signals raised", counters.signals.clone());
        registry.register("alert_changes", "Changes of alerts published", counters.alert_events.clone());
        registry.register(
            "alert_delay_seconds",
            "From accepting an event to publishing its alert change",
            counters.alert_delay_s.clone(),
        );
        registry.register("alerts_open", "Alerts that are not resolved", counters.alerts_open.clone());
        registry.register("journal_bytes", "Size of the journal", counters.journal_bytes.clone());
        registry.register("state_entries", "Live keys of bounded state", counters.state_entries.clone());
        registry.register("deliveries", "Deliveries kept, by state", counters.deliveries.clone());
        registry.register(
            "delivery_oldest_waiting_seconds",
            "Age of the oldest delivery that is not done; 0 when none waits",
            counters.delivery_oldest_s.clone(),
        );
        registry.register("channels_disabled", "Channels that are told nothing", counters.channels_disabled.clone());
        *counters.registry.lock() = registry;
        counters
    }
}

impl Counters {
    /// Both ends of the pipeline start here.
    pub fn start_at(&self, appended: u64, judged: u64) {
        self.appended_until.store(appended, Ordering::Release);
        self.judged_until.store(judged, Ordering::Release);
    }

    /// The journal took this many more records.
    pub fn appended(&self, n: u64) {
        self.appended_until.fetch_add(n, Ordering::AcqRel);
    }

    /// Records accepted but not yet judged.
    #[must_use]
    pub fn lag(&self) -> u64 {
        self.appended_until.load(Ordering::Acquire).saturating_sub(self.judged_until.load(Ordering::Acquire))
    }

    /// The Prometheus text.
    #[must_use]
    pub fn render(&self) -> String {
        self.lag.set(self.lag() as i64);
        let mut text = String::new();
        // Writing to a string cannot fail; an empty text would show in the scrape.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry.lock());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renders_the_names_of_the_contract() {
        let counters = Counters::default();
        counters.accepted.inc_by(3);
        counters.start_at(10, 4);
        let _ = counters.state_entries.get_or_create(&StateKind { kind: "users".into() });
        let text = counters.render();
        for name in [
            "riskgraph_events_accepted_total 3",
            "riskgraph_events_judged_total",
            "riskgraph_events_rejected_total",
            "riskgraph_events_lag 6",
            "riskgraph_alerts_open",
            "riskgraph_state_entries{kind=\"users\"}",
            "riskgraph_journal_bytes",
        ] {
            assert!(text.contains(name), "{name} is missing in\n{text}");
        }
    }
}
