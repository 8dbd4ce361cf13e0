//! Telling others of alerts: plans what each channel is told, sends it, and keeps at it until it arrived.
//!
//! The planner follows the alert sequence and makes deliveries; a dispatcher a channel sends them. Both can be killed at any
//! moment: what is planned is on disk with the cursor, and a message sent twice carries the same id.

mod book;
mod desk;
mod dispatch;
mod input;
mod options;
mod pick;
mod planner;
mod worker;

use std::sync::Arc;

use riskgraph_connectors::net::SystemResolver;
use riskgraph_connectors::notify::Notifier;
use riskgraph_domain::delivery::{Deliveries, DeliveryDesk, Sender};
use riskgraph_domain::error::Fault;
use tokio::task::JoinHandle;

use crate::ground::Ground;
use book::Book;
use desk::Channels;
use dispatch::Dispatcher;
use planner::Planner;

/// The running part.
pub struct Notifying {
    pub desk: Arc<dyn DeliveryDesk>,
    pub tasks: Vec<JoinHandle<()>>,
}

/// Starts planning and sending.
///
/// # Errors
/// When the configuration cannot be used or the store cannot be read.
pub async fn start(ground: &Ground, store: Arc<dyn Deliveries>) -> Result<Notifying, Fault> {
    let sender: Arc<dyn Sender> = Arc::new(notifier(&ground.config)?);
    let rules = options::rules(&ground.config.delivery);
    let book = Book::open(Arc::clone(&ground.documents), Arc::clone(&store)).await?;
    let desk = Channels {
        book: book.clone(),
        store: Arc::clone(&store),
        records: Arc::clone(&ground.records),
        documents: Arc::clone(&ground.documents),
        vault: Arc::clone(&ground.vault),
        sender: Arc::clone(&sender),
        clock: Arc::clone(&ground.clock),
        test_patience: rules.test_patience,
    };
    let planner = Planner::new(ground, book.clone(), Arc::clone(&store));
    let dispatcher = Dispatcher {
        book,
        store,
        vault: Arc::clone(&ground.vault),
        sender,
        clock: Arc::clone(&ground.clock),
        rules: Arc::new(rules),
        stop: ground.stop.clone(),
    };
    let tasks = vec![tokio::spawn(planner.run()), tokio::spawn(dispatcher.run())];
    Ok(Notifying { desk: Arc::new(desk), tasks })
}

/// The senders as configured.
///
/// # Errors
/// When a network, file or address of the configuration is wrong; the message names the key.
pub fn notifier(config: &crate::config::Config) -> Result<Notifier, Fault> {
    Notifier::new(options::notify(config)?, Arc::new(SystemResolver))
}
