//! Telling others of alerts: plans what each channel is told, sends it, and keeps at it until it arrived.
//!
//! The planner follows the alert sequence and makes deliveries; a dispatcher a channel sends them. Both can be killed at any
//! moment: what is planned is on disk with the cursor, and a message sent twice carries the same id.

mod book;
mod desk;
mod disabled;
mod dispatch;
mod input;
mod options;
mod pick;
mod planner;
mod worker;

use std::sync::Arc;

use riskgraph_connectors::net::SystemResolver;
use riskgraph_connectors::notify::Notifier;
use riskgraph_domain::delivery::{Channel, ChannelKind, Deliveries, DeliveryDesk, Sender};
use riskgraph_domain::document::DocumentStore;
use riskgraph_domain::error::Fault;
use riskgraph_domain::secret::Vault as _;
use tokio::task::JoinHandle;

use crate::ground::Ground;
use crate::vault::FileVault;
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

/// What is wrong with the channels as they are set up, each in a sentence that names the channel.
///
/// # Errors
/// When the store cannot be read or the configuration cannot be used.
pub async fn problems(
    config: &crate::config::Config,
    documents: &dyn DocumentStore,
    store: &dyn Deliveries,
) -> Result<Vec<String>, Fault> {
    let found = documents.list(book::KIND, None, book::CHANNELS_MAX).await?;
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let sender = notifier(config)?;
    let vault = FileVault::open(&config.store.data_dir)?;
    let mut problems = Vec::new();
    for document in found {
        let Ok(channel) = serde_json::from_value::<Channel>(document.body) else {
            problems.push(format!("channel {} cannot be read", document.id));
            continue;
        };
        let mut tell = |what: &str| problems.push(format!("channel '{}': {what}", channel.name));
        let checked = vault
            .open(&input::purpose(channel.id, input::TARGET), &channel.target)
            .and_then(|target| sender.check_target(channel.kind, &target));
        if let Err(fault) = checked {
            tell(&fault.message);
        }
        if channel.kind == ChannelKind::Email && config.delivery.smtp.host.is_empty() {
            tell("no mail server is configured; set delivery.smtp.host");
        }
        if let Some(disabled) = store.channel_state(channel.id).await?.and_then(|state| state.disabled) {
            tell(&format!("disabled since {} ({})", disabled.at, disabled.reason));
        }
    }
    Ok(problems)
}

/// The senders as configured.
///
/// # Errors
/// When a network, file or address of the configuration is wrong; the message names the key.
pub fn notifier(config: &crate::config::Config) -> Result<Notifier, Fault> {
    Notifier::new(options::notify(config)?, Arc::new(SystemResolver))
}

#[cfg(test)]
mod tests;
