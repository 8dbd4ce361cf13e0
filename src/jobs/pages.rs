//! The watch over declared payment pages: looks at each on time, keeps its ledger, and tells changes as events.
//!
//! A ledger is a document of kind `page_ledger`, so every state it had is kept. Changes enter as `script.seen` events like
//! any other sighting, are journalled and make signals; a repeat after a crash has the same ids and tells nothing twice.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use riskgraph_connectors::crawl::HttpCrawler;
use riskgraph_domain::document::{Document, DocumentStore};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::observation::{DomainObservations, PageStanding};
use riskgraph_domain::ports::{Crawler, Intake, RawBatch};
use riskgraph_domain::time::{Clock, HOUR_MS};
use riskgraph_domain::{Text, Timestamp};
use riskgraph_pages::ledger::Ledger;
use riskgraph_pages::{churn, events, html};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// Kind of the documents.
pub const KIND: &str = "page_ledger";
/// How often it looks which page is due.
const EVERY: Duration = Duration::from_secs(60);
/// Changes and versions kept so that a ledger fits a document; older ones are in the document's earlier versions.
const CHANGES_MAX: usize = 200;
const VERSIONS_MAX: usize = 4;
/// Name under which documents and events are written.
const ACTOR: &str = "pages";

/// The watch.
pub struct PageWatch {
    pub urls: Vec<String>,
    pub every_h: u32,
    pub crawler: Arc<HttpCrawler>,
    pub documents: Arc<dyn DocumentStore>,
    pub intake: Arc<dyn Intake>,
    pub clock: Arc<dyn Clock>,
    pub stop: CancellationToken,
}

impl PageWatch {
    /// Watches until stopped.
    pub async fn run(self) {
        if self.urls.is_empty() {
            return;
        }
        let mut ticks = tokio::time::interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.stop.cancelled() => return,
            }
            for url in &self.urls {
                if let Err(fault) = self.look(url).await {
                    tracing::warn!(%fault, page = url, "a payment page was not looked at; the next look will");
                }
            }
        }
    }

    /// Looks at a page when it is due.
    async fn look(&self, url: &str) -> Result<(), Fault> {
        let id = id_of(url);
        let kept = self.documents.get(KIND, &id).await?;
        let now = self.clock.now();
        if kept.as_ref().is_some_and(|document| now - document.at < i64::from(self.every_h) * HOUR_MS) {
            return Ok(());
        }
        let version = kept.as_ref().map_or(0, |document| document.version);
        let mut ledger = ledger_of(kept, url);
        let look = self.crawler.visit(url, now).await;
        let changes = ledger.observe(&look);
        let lines = events::lines(changes.iter().map(|change| (ledger.page.as_str(), change)));
        // First told, then kept: what was told twice has one id, what was never told is lost.
        if !lines.is_empty() {
            let batch = RawBatch { format: Text::from("native"), body: lines.into(), sender: Text::from(ACTOR) };
            self.intake.accept(batch).await?;
        }
        self.keep(&id, version + 1, &mut ledger, now).await
    }

    async fn keep(&self, id: &str, version: u64, ledger: &mut Ledger, now: Timestamp) -> Result<(), Fault> {
        ledger.trim(CHANGES_MAX, VERSIONS_MAX);
        let body = serde_json::to_value(&*ledger)
            .map_err(|error| Fault::new(FaultCode::Internal, format!("the ledger cannot be written: {error}")))?;
        let document = Document {
            kind: Text::from(KIND),
            id: Text::from(id),
            version,
            body,
            by: Text::from(ACTOR),
            at: now,
            note: None,
        };
        self.documents.put(document).await
    }
}

/// A crawler whose observations say how the declared pages of a domain stand against their ledgers.
pub struct WithStandings {
    pub crawler: Arc<dyn Crawler>,
    pub documents: Arc<dyn DocumentStore>,
    pub urls: Vec<String>,
}

impl WithStandings {
    /// The standing of the first declared page on this host.
    async fn of(&self, domain: &str, now: Timestamp) -> Option<PageStanding> {
        let on_host = |url: &&String| {
            let host = riskgraph_pages::snapshot::host(url);
            host.is_some_and(|host| host == domain || host.strip_prefix("www.") == Some(domain))
        };
        let url = self.urls.iter().find(on_host)?;
        let document = self.documents.get(KIND, &id_of(url)).await.ok().flatten()?;
        let ledger: Ledger = serde_json::from_value(document.body).ok()?;
        Some(ledger.standing(now))
    }
}

#[async_trait]
impl Crawler for WithStandings {
    async fn observe(&self, domain: &str, now: Timestamp) -> DomainObservations {
        let mut seen = self.crawler.observe(domain, now).await;
        let standing = self.of(seen.domain.as_str(), now).await;
        if let Some(page) = seen.https.as_mut().and_then(|web| web.page.as_mut()) {
            page.standing = standing;
        }
        seen
    }
}

/// The document of a page: its name is too long for an id.
fn id_of(url: &str) -> String {
    html::sha256(churn::page(url).as_bytes()).chars().take(32).collect()
}

fn ledger_of(kept: Option<Document>, url: &str) -> Ledger {
    let known = kept.and_then(|document| serde_json::from_value(document.body).ok());
    known.unwrap_or_else(|| Ledger::new(churn::page(url)))
}
