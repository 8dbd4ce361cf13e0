//! Judges events in memory, without journal and store: the same detectors, graph and correlation as the service.
//!
//! For scenario tests, benches and backtests. Deterministic: wall time is what the caller says it is.

use riskgraph_domain::Timestamp;
use riskgraph_domain::alert::AlertEvent;
use riskgraph_domain::command::{Change, Command};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::event::Event;
use riskgraph_domain::journal::Position;
use riskgraph_domain::ports::Delta;
use riskgraph_domain::signal::Signal;
use riskgraph_domain::vendor::VendorInput;

use crate::detect::{Context, DetectConfig, Detectors};
use crate::policy::PolicyConfig;
use crate::spread::RiskConfig;
use crate::stage::Stage;

/// Both layers of state and what came out of them so far.
pub struct Replay {
    pub detectors: Detectors,
    pub stage: Stage,
    pub signals: Vec<Signal>,
    pub alert_events: Vec<AlertEvent>,
    position: u64,
}

impl Replay {
    /// Fresh state with the shipped quantities.
    ///
    /// # Errors
    /// When a shipped configuration does not parse.
    pub fn new() -> Result<Self, Fault> {
        let wrong = |error: &dyn std::fmt::Display| Fault::new(FaultCode::Configuration, error.to_string());
        let detect = DetectConfig::shipped().map_err(|error| wrong(&error))?;
        let risk = RiskConfig::defaults().map_err(|error| wrong(&error))?;
        Ok(Self {
            detectors: Detectors::new(&detect),
            stage: Stage::new(&risk, &PolicyConfig::shipped()?),
            signals: Vec::new(),
            alert_events: Vec::new(),
            position: 0,
        })
    }

    fn context(&mut self, at: Timestamp) -> Context {
        self.position += 1;
        Context { position: Position(self.position), accepted_at: at, now: at }
    }

    fn keep(&mut self, delta: Delta) {
        self.signals.extend(delta.signals);
        self.alert_events.extend(delta.alert_events);
    }

    /// Judges one event, accepted at its own time.
    pub fn event(&mut self, event: &Event) {
        let context = self.context(event.time);
        let mut signals = Vec::new();
        let mut delta = Delta::default();
        self.detectors.observe(event, &context, &mut signals);
        self.stage.on_event(event, signals, &context, &mut delta);
        self.keep(delta);
    }

    /// Adds a vendor.
    ///
    /// # Errors
    /// When the vendor is there already or its input is wrong.
    pub fn add_vendor(&mut self, input: VendorInput, at: Timestamp) -> Result<(), Fault> {
        let context = self.context(at);
        let change = Change::AddVendor { id: input.vendor_id(), input };
        let mut delta = Delta::default();
        let result = self.stage.on_command(&Command { at, by: "replay".into(), change }, &context, &mut delta);
        self.keep(delta);
        result
    }
}
