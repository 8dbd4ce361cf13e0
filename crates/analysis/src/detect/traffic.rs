//! The detectors of traffic: calls, requests and reads.

use riskgraph_domain::event::{Event, EventKind};
use riskgraph_domain::signal::Signal;
use serde::{Deserialize, Serialize};

use super::config::DetectConfig;
use super::enumeration::Enumeration;
use super::integration::Integration;
use super::scanning::Scanning;
use super::scraping::Scraping;
use super::{Context, Detector};

/// Traffic detectors and their state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Traffic {
    pub(super) integration: Integration,
    enumeration: Enumeration,
    scanning: Scanning,
    scraping: Scraping,
}

impl Traffic {
    pub(super) fn new(config: &DetectConfig) -> Self {
        Self {
            integration: Integration::new(&config.integration),
            enumeration: Enumeration::new(&config.enumeration),
            scanning: Scanning::new(&config.scanning),
            scraping: Scraping::new(&config.scraping),
        }
    }

    /// Shows the event to those who look at its kind.
    pub(super) fn observe(&mut self, event: &Event, context: &Context, signals: &mut Vec<Signal>) {
        match event.kind {
            EventKind::HttpRequest => {
                self.integration.observe(event, context, signals);
                self.enumeration.observe(event, context, signals);
                self.scanning.observe(event, context, signals);
                self.scraping.observe(event, context, signals);
            }
            EventKind::ApiCall => {
                self.integration.observe(event, context, signals);
                self.enumeration.observe(event, context, signals);
            }
            EventKind::DataAccess | EventKind::AuthLogin | EventKind::OrderCreated => {
                self.enumeration.observe(event, context, signals);
            }
            _ => {}
        }
    }

    /// Live keys of each detector's state.
    pub(super) fn entries(&self) -> Vec<(&'static str, usize)> {
        let detectors: [&dyn Detector; 4] = [&self.integration, &self.enumeration, &self.scanning, &self.scraping];
        detectors.iter().map(|detector| (detector.name(), detector.n_keys())).collect()
    }
}
