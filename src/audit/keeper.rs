//! Keeps the audit log while the service runs: notes its head every hour and at the end, and cuts off what is older than
//! it shall be kept, at a noted head.

use std::sync::Arc;
use std::time::Duration;

use riskgraph_domain::audit::{AuditLog, CUT, Head};
use riskgraph_domain::error::Fault;
use riskgraph_domain::time::{Clock, DAY_MS};
use serde_json::json;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::heads::Heads;
use super::ledger::Ledger;

/// How often the head is noted: what is cut from the tail within this time leaves no trace outside the database.
const NOTE_EVERY: Duration = Duration::from_secs(3_600);

/// The task's parts.
pub struct Keeper {
    pub log: Arc<dyn AuditLog>,
    pub ledger: Arc<Ledger>,
    pub heads: Heads,
    pub clock: Arc<dyn Clock>,
    /// Days entries are kept; 0 keeps them for ever.
    pub keep_days: u32,
}

impl Keeper {
    /// Says so, loudly, when the last noted head is no longer in the log. The service starts all the same: an attacker
    /// must not be able to stop it that way.
    pub(super) async fn look_for_missing_tail(&self) -> Result<(), Fault> {
        let noted = self.heads.all().unwrap_or_default().into_iter().max_by_key(|noted| noted.sequence);
        let Some(noted) = noted else { return Ok(()) };
        let before = noted.sequence.saturating_sub(1);
        let found = self.log.links_after(before, 1).await?.into_iter().next();
        let is_there = found.is_some_and(|link| link.sequence == noted.sequence && link.hash == noted.hash);
        let is_cut = self.log.anchor_at(noted.sequence).await?.is_some_and(|anchor| anchor.hash == noted.hash);
        if !is_there && !is_cut {
            tracing::error!(
                sequence = noted.sequence,
                hash = %noted.hash,
                "the audit log lacks a head that was noted: entries were taken away; see `riskgraph audit verify`"
            );
        }
        Ok(())
    }

    /// Runs until `stop`.
    pub(super) async fn run(self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(NOTE_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut noted = None;
        loop {
            let is_last = tokio::select! {
                _ = ticks.tick() => false,
                () = stop.cancelled() => true,
            };
            if let Err(fault) = self.keep(&mut noted).await {
                tracing::error!(%fault, "the audit log's head could not be noted");
            }
            if is_last {
                return;
            }
        }
    }

    async fn keep(&self, noted: &mut Option<Head>) -> Result<(), Fault> {
        let head = self.log.anchor().await?;
        if let Some(head) = head.filter(|head| *noted != Some(*head)) {
            tracing::info!(sequence = head.sequence, hash = %head.hash, "audit log head");
            match self.heads.note(head, self.clock.now()) {
                Ok(()) => *noted = Some(head),
                Err(error) => tracing::error!(%error, "the audit log's head could not be written beside the database"),
            }
        }
        if self.keep_days > 0 {
            self.cut().await?;
        }
        Ok(())
    }

    /// Tells of the cut first: a crash in between leaves entries that were to go, never a gap nobody told of.
    async fn cut(&self) -> Result<(), Fault> {
        let before = self.clock.now() - i64::from(self.keep_days) * DAY_MS;
        let Some(anchor) = self.log.last_anchor(before).await? else { return Ok(()) };
        let oldest = self.log.links_after(0, 1).await?.into_iter().next();
        if oldest.is_none_or(|oldest| oldest.sequence > anchor.sequence) {
            return Ok(());
        }
        let detail = json!({ "until": anchor.sequence, "hash": anchor.hash, "keepDays": self.keep_days });
        self.ledger.by_system("audit keeper", CUT, None, detail).await?;
        let n_cut = self.log.cut(anchor).await?;
        tracing::info!(n_cut, until = anchor.sequence, "old audit entries were cut off");
        Ok(())
    }
}
