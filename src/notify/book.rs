//! The channels as set up, in memory for those that need them all the time, and the bell that wakes them.

use std::sync::Arc;

use riskgraph_domain::ChannelId;
use riskgraph_domain::delivery::{Channel, Deliveries};
use riskgraph_domain::document::DocumentStore;
use riskgraph_domain::error::Fault;
use tokio::sync::watch;

/// Kind of the documents.
pub(super) const KIND: &str = "channel";
/// Channels there may be: each has a worker and its own connections.
pub(super) const CHANNELS_MAX: usize = 100;

/// All channels; cheap to clone.
#[derive(Clone)]
pub(super) struct Book {
    documents: Arc<dyn DocumentStore>,
    channels: watch::Sender<Arc<Vec<Arc<Channel>>>>,
    bell: watch::Sender<u64>,
}

impl Book {
    /// Reads the channels, and removes what is left of channels that are gone.
    pub(super) async fn open(documents: Arc<dyn DocumentStore>, store: Arc<dyn Deliveries>) -> Result<Self, Fault> {
        let book = Self { documents, channels: watch::channel(Arc::default()).0, bell: watch::channel(0).0 };
        book.reload().await?;
        for state in store.channel_states().await? {
            if book.documents.get(KIND, &state.channel.to_string()).await?.is_none() {
                store.close_channel(state.channel).await?;
            }
        }
        Ok(book)
    }

    /// Reads the channels again, and wakes everybody.
    pub(super) async fn reload(&self) -> Result<(), Fault> {
        let found = self.documents.list(KIND, None, CHANNELS_MAX).await?;
        let mut channels = Vec::with_capacity(found.len());
        for document in found {
            match serde_json::from_value::<Channel>(document.body) {
                Ok(channel) => channels.push(Arc::new(channel)),
                // The others must not be silent because of it.
                Err(error) => {
                    tracing::error!(channel.id = %document.id, %error, "a channel cannot be read; remove it and make it anew");
                }
            }
        }
        channels.sort_by(|a, b| (&a.name, a.id).cmp(&(&b.name, b.id)));
        self.channels.send_replace(Arc::new(channels));
        self.ring();
        Ok(())
    }

    /// By name.
    pub(super) fn all(&self) -> Arc<Vec<Arc<Channel>>> {
        Arc::clone(&self.channels.borrow())
    }

    pub(super) fn get(&self, id: ChannelId) -> Option<Arc<Channel>> {
        self.channels.borrow().iter().find(|channel| channel.id == id).cloned()
    }

    /// Wakes everybody: there may be something to do.
    pub(super) fn ring(&self) {
        self.bell.send_modify(|rings| *rings = rings.wrapping_add(1));
    }

    /// Hears the bell.
    pub(super) fn listen(&self) -> watch::Receiver<u64> {
        self.bell.subscribe()
    }

    /// Hears changes of the channels.
    pub(super) fn watch(&self) -> watch::Receiver<Arc<Vec<Arc<Channel>>>> {
        self.channels.subscribe()
    }
}
