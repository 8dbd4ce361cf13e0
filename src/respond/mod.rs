//! Responses: playbooks are run against alerts, through responders.
//!
//! The pure part, what a run does next and what rules forbid, is in `riskgraph_analysis::decide`. Here it is fed and done:
//! one engine follows the alert sequence, one task a run stores and executes. It must *not* know any particular system that
//! is acted on.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::playbook::{Impact, Notifier, RunStore, Runs};
use riskgraph_domain::respond::Responder;
use tokio::sync::{Notify, broadcast};
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

mod act;
pub mod config;
mod core;
mod desk;
mod engine;
pub mod impact;
mod knowledge;
pub mod library;
mod planner;
mod runner;
mod switches;
pub mod tell;

pub use self::core::Core;
pub use desk::Responses;

use crate::ground::Ground;

/// Changes of runs a subscriber may be behind.
const CHANGES_MAX: usize = 1_024;

/// What the engine is made of.
pub struct Parts {
    pub ground: Ground,
    pub responders: Arc<dyn Responder>,
    pub store: Arc<dyn RunStore>,
    pub runs: Arc<dyn Runs>,
    pub impact: Arc<dyn Impact>,
    /// How people are told through a channel; without it only the alert is written on.
    pub notifier: Option<Arc<dyn Notifier>>,
}

/// Reads playbooks and switches, resumes what was under way, and starts the engine.
///
/// # Errors
/// When a playbook file is wrong or the store cannot be read.
pub async fn start(parts: Parts) -> Result<(Responses, JoinHandle<()>), Fault> {
    let Parts { ground, responders, store, runs, impact, notifier } = parts;
    let config = &ground.config.respond;
    let rules = config.rules();
    let rules = rules.map_err(|problem| Fault::new(FaultCode::Configuration, format!("respond: {problem}")))?;
    let (documents, clock) = (Arc::clone(&ground.documents), Arc::clone(&ground.clock));
    let library = library::Library::open(Arc::clone(&documents), Arc::clone(&clock), &config.playbooks_dir).await?;
    let switches = switches::Switches::open(documents, clock, config.stopped.clone()).await?;
    let knowledge = knowledge::Knowledge { records: Arc::clone(&ground.records), graph: Arc::clone(&ground.graph) };
    let core = Arc::new(Core {
        ground,
        responders,
        store,
        runs,
        impact,
        notifier,
        knowledge,
        library,
        switches,
        rules,
        ledger: core::Ledger::default(),
        turnstile: core::Turnstile::default(),
        open: Mutex::new(BTreeMap::new()),
        changes: broadcast::channel(CHANGES_MAX).0,
        wake: Notify::new(),
        tasks: TaskTracker::new(),
    });
    core.ledger.load(core.store.as_ref(), core.ground.clock.now()).await?;
    engine::first_cursor(&core).await?;
    engine::resume(&core).await?;
    let task = tokio::spawn(engine::run(Arc::clone(&core)));
    Ok((Responses(core), task))
}
