//! Reports: what was known at an instant is gathered from history, composed, written down, signed, kept, shared and sent.
//!
//! Only instants go in and only history is read, so the same instant gives the same report. How it looks is
//! `riskgraph_report`'s; what is stored how, the store's.

pub mod changes;
pub mod clock;
pub mod deliver;
pub mod desk;
pub mod gather;
mod gather_alerts;
pub mod keys;
pub mod options;
pub mod pulse;
mod schedules;
mod share;

use std::sync::Arc;

use riskgraph_domain::delivery::DeliveryDesk;
use riskgraph_domain::ports::Journal;
use riskgraph_domain::report::{History, ReportStore};
use riskgraph_domain::time::MINUTE_MS;
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::counters::Counters;
use crate::ground::Ground;
use clock::start as start_clock;
use deliver::ToChannels;
use desk::{DeskParts, ReportDesk};
use gather::Gatherer;
use pulse::Pulse;

/// What reports need beyond the common ground.
pub struct ReportingParts {
    pub history: Arc<dyn History>,
    pub store: Arc<dyn ReportStore>,
    pub journal: Arc<dyn Journal>,
    pub counters: Arc<Counters>,
    pub delivery: Arc<dyn DeliveryDesk>,
}

/// The running part.
pub struct Reporting {
    pub desk: Arc<ReportDesk>,
    pub task: JoinHandle<()>,
}

/// Reads history as configured.
#[must_use]
pub fn gatherer(config: &Config, history: Arc<dyn History>) -> Gatherer {
    Gatherer {
        history,
        quantities: config.reports.quantities(),
        silent_after_ms: i64::from(config.reports.silent_after_min) * MINUTE_MS,
        public_url: config.public_url(),
    }
}

/// Starts the pulse and the schedules.
#[must_use]
pub fn start(ground: &Ground, parts: ReportingParts) -> Reporting {
    let applied = ground.announcements.applied.clone();
    let desk = Arc::new(ReportDesk::new(DeskParts {
        gatherer: gatherer(&ground.config, Arc::clone(&parts.history)),
        store: parts.store,
        documents: Arc::clone(&ground.documents),
        vault: Arc::clone(&ground.vault),
        clock: Arc::clone(&ground.clock),
        config: ground.config.reports.clone(),
        pulse: Pulse::new(parts.history, parts.journal, parts.counters, applied),
    }));
    let sender = ToChannels { delivery: parts.delivery, public_url: ground.config.public_url() };
    let task = start_clock(Arc::clone(&desk), Arc::new(sender), ground.stop.clone());
    Reporting { desk, task }
}
