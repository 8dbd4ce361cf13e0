//! The runner: takes assessment jobs, crawls, judges, and journals the outcome.

use std::sync::Arc;
use std::time::Duration;

use riskgraph_analysis::posture::{self, AssetProfile, PostureConfig, Profiles};
use riskgraph_domain::command::{AssessmentRecord, Change};
use riskgraph_domain::error::Fault;
use riskgraph_domain::observation::DomainObservations;
use riskgraph_domain::ports::{AssessmentProgress, Crawler, JobStore, Records};
use riskgraph_domain::time::{Clock, MINUTE_MS};
use riskgraph_domain::vendor::Vendor;
use riskgraph_domain::{Timestamp, VendorId};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use super::{Queue, vendor_of};
use crate::commands::Desk;

/// A runner that takes longer is taken for dead: a domain has 30 s, a vendor has few domains.
const LEASE_MS: i64 = 10 * MINUTE_MS;
/// Pause before a failed job is tried again.
const RETRY_MS: i64 = 5 * MINUTE_MS;
/// Domains of one vendor that are crawled.
const DOMAINS_MAX: usize = 16;
/// How long a runner sleeps when the queue is empty and nobody wakes it.
const IDLE: Duration = Duration::from_secs(5);
/// Name under which outcomes are journalled.
const ACTOR: &str = "assessment";

/// Takes jobs until stopped. Several may run at once.
#[derive(Clone)]
pub struct Runner {
    pub store: Arc<dyn JobStore>,
    pub queue: Queue,
    pub records: Arc<dyn Records>,
    pub crawler: Arc<dyn Crawler>,
    pub desk: Arc<Desk>,
    pub config: Arc<PostureConfig>,
    pub clock: Arc<dyn Clock>,
    pub progress: broadcast::Sender<AssessmentProgress>,
    pub stop: CancellationToken,
}

impl Runner {
    /// Runs jobs until stopped.
    pub async fn run(self) {
        while !self.stop.is_cancelled() {
            let woken = self.queue.wake.notified();
            let now = self.clock.now();
            match self.store.lease(now, now + LEASE_MS).await {
                Ok(Some(key)) => self.run_job(&key).await,
                Ok(None) => {
                    tokio::select! {
                        () = woken => {}
                        () = tokio::time::sleep(IDLE) => {}
                        () = self.stop.cancelled() => {}
                    }
                }
                Err(fault) => {
                    tracing::warn!(%fault, "no job could be taken; the runner tries again");
                    tokio::time::sleep(IDLE).await;
                }
            }
        }
    }

    async fn run_job(&self, key: &str) {
        let outcome = match vendor_of(key) {
            Some(vendor) => tokio::select! {
                outcome = self.assess(vendor) => outcome,
                // The lease stays behind and runs out: the job is done after the next start.
                () = self.stop.cancelled() => return,
            },
            None => Ok(()),
        };
        let now = self.clock.now();
        let noted = match outcome {
            Ok(()) => self.store.finish(key, now).await,
            Err(fault) => {
                tracing::warn!(job = key, %fault, "an assessment failed and will be tried again");
                self.store.retry(key, now + RETRY_MS).await
            }
        };
        if let Err(fault) = noted {
            tracing::warn!(job = key, %fault, "the job's end was not noted; it will run once more");
        }
    }

    /// Assesses one vendor and journals the outcome. Running it twice only makes the newer outcome the current one.
    async fn assess(&self, id: VendorId) -> Result<(), Fault> {
        let Some(vendor) = self.records.vendor(id).await? else { return Ok(()) };
        let domains = &vendor.domains[..vendor.domains.len().min(DOMAINS_MAX)];
        let total = domains.len() as u32 + 1;
        let tell = |done: u32| {
            let _ = self.progress.send(AssessmentProgress { vendor: id, done, total, finished: done == total });
        };
        tell(0);
        let mut seen = Vec::with_capacity(domains.len());
        for (number, domain) in domains.iter().enumerate() {
            seen.push(self.crawler.observe(domain, self.clock.now()).await);
            tell(number as u32 + 1);
        }
        let config = Arc::clone(&self.config);
        let now = self.clock.now();
        let for_judge = vendor.clone();
        let record = tokio::task::spawn_blocking(move || judge(&for_judge, &seen, &config, now)).await;
        let record = record
            .map_err(|_| Fault::new(riskgraph_domain::FaultCode::Internal, "the assessment could not be judged"))?;
        self.desk.change(ACTOR, Change::RecordAssessment(Box::new(record))).await?;
        tell(total);
        Ok(())
    }
}

/// Judges everything that was seen of a vendor's domains.
#[must_use]
pub fn judge(vendor: &Vendor, seen: &[DomainObservations], config: &PostureConfig, now: Timestamp) -> AssessmentRecord {
    let key = vendor.entity();
    let mut outcomes = Vec::new();
    let mut relations = Vec::new();
    // A vendor that runs integrations calls us: its hosts count as an API's.
    let profile = AssetProfile { api: !vendor.integrations.is_empty(), ..AssetProfile::default() };
    for observations in seen {
        outcomes.extend(posture::judge(observations, &profile, config));
        relations.extend(posture::relations_among(&key, observations, &vendor.domains));
    }
    let mut posture = posture::score(&outcomes, &Profiles::from(profile), &[], config, now);
    posture.compat = seen.first().map_or(serde_json::Value::Null, posture::compat);
    AssessmentRecord { vendor: vendor.id, outcomes, posture, relations }
}
