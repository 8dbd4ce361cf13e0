//! Keeps one worker for each channel, so that a slow channel never holds up another.

use std::collections::HashMap;
use std::sync::Arc;

use riskgraph_domain::ChannelId;
use riskgraph_domain::delivery::{Deliveries, Sender};
use riskgraph_domain::secret::Vault;
use riskgraph_domain::time::Clock;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::book::Book;
use super::worker::{Rules, Worker};

/// Starts and ends workers.
pub(super) struct Dispatcher {
    pub(super) book: Book,
    pub(super) store: Arc<dyn Deliveries>,
    pub(super) vault: Arc<dyn Vault>,
    pub(super) sender: Arc<dyn Sender>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) rules: Arc<Rules>,
    pub(super) stop: CancellationToken,
}

impl Dispatcher {
    /// Runs until stopped.
    pub(super) async fn run(self) {
        let mut channels = self.book.watch();
        let mut workers: HashMap<ChannelId, (CancellationToken, JoinHandle<()>)> = HashMap::new();
        loop {
            let wanted: Vec<ChannelId> = channels.borrow_and_update().iter().map(|channel| channel.id).collect();
            workers.retain(|id, (stop, task)| {
                if !wanted.contains(id) {
                    stop.cancel();
                }
                !stop.is_cancelled() && !task.is_finished()
            });
            for id in wanted {
                workers.entry(id).or_insert_with(|| self.start(id));
            }
            tokio::select! {
                () = self.stop.cancelled() => break,
                changed = channels.changed() => if changed.is_err() { break },
            }
        }
        for (_, (stop, task)) in workers {
            stop.cancel();
            let _ = task.await;
        }
    }

    fn start(&self, id: ChannelId) -> (CancellationToken, JoinHandle<()>) {
        let stop = self.stop.child_token();
        let worker = Worker {
            id,
            book: self.book.clone(),
            store: Arc::clone(&self.store),
            vault: Arc::clone(&self.vault),
            sender: Arc::clone(&self.sender),
            clock: Arc::clone(&self.clock),
            rules: Arc::clone(&self.rules),
            stop: stop.clone(),
        };
        (stop, tokio::spawn(worker.run()))
    }
}
