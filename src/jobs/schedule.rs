//! The clock that puts due assessments into the queue.
//!
//! tokio-cron-scheduler only ticks: its own schedules lose runs over a process pause and shift over daylight saving. What
//! is due is computed on each tick from the cron expression (croner, in its time zone) and the last finished run.

use std::str::FromStr as _;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::Cron;
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::page::{PAGE_MAX, PageRequest};
use riskgraph_domain::ports::{JobStore, Records, VendorFilter};
use riskgraph_domain::time::Clock;
use riskgraph_domain::{Timestamp, VendorId};
use tokio_cron_scheduler::{Job, JobScheduler};

use super::{Queue, key_of};
use crate::config::AssessmentConfig;

/// Every ten seconds: assessments are due to the minute at best.
const TICK: &str = "*/10 * * * * *";

/// Decides what is due.
pub struct Schedule {
    cron: Cron,
    zone: Tz,
    records: Arc<dyn Records>,
    store: Arc<dyn JobStore>,
    queue: Queue,
    clock: Arc<dyn Clock>,
}

impl Schedule {
    /// # Errors
    /// When the cron expression or the zone is wrong.
    pub fn new(
        config: &AssessmentConfig,
        records: Arc<dyn Records>,
        store: Arc<dyn JobStore>,
        queue: Queue,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Fault> {
        let wrong = |what: &str| Fault::new(FaultCode::Configuration, format!("assessment.{what} is wrong"));
        let cron = Cron::from_str(&config.cron).map_err(|_| wrong("cron"))?;
        let zone = config.time_zone.parse().map_err(|_| wrong("time_zone"))?;
        Ok(Self { cron, zone, records, store, queue, clock })
    }

    /// Starts ticking; the returned scheduler ticks until it is shut down.
    ///
    /// # Errors
    /// When the ticking job cannot be made.
    pub async fn start(self) -> Result<JobScheduler, Fault> {
        let fault = |error: tokio_cron_scheduler::JobSchedulerError| {
            Fault::new(FaultCode::Internal, format!("the schedule cannot run: {error}"))
        };
        let schedule = Arc::new(self);
        let scheduler = JobScheduler::new().await.map_err(fault)?;
        let tick = Job::new_async(TICK, move |_, _| {
            let schedule = Arc::clone(&schedule);
            Box::pin(async move {
                if let Err(fault) = schedule.tick().await {
                    tracing::warn!(%fault, "the schedule could not be looked at; the next tick will");
                }
            })
        });
        scheduler.add(tick.map_err(fault)?).await.map_err(fault)?;
        scheduler.start().await.map_err(fault)?;
        Ok(scheduler)
    }

    /// Puts every vendor into the queue whose last run is older than the schedule's last instant.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn tick(&self) -> Result<(), Fault> {
        let now = self.clock.now();
        let Some(due_since) = last_instant(&self.cron, self.zone, now) else { return Ok(()) };
        let mut page = PageRequest::first(PAGE_MAX);
        loop {
            let vendors = self.records.vendors(VendorFilter::default(), page).await?;
            for (_, vendor) in &vendors.items {
                self.enqueue_when_due(vendor.id, vendor.added_at, due_since).await?;
            }
            match vendors.items.last() {
                Some((cursor, _)) if vendors.has_next => {
                    page = PageRequest { first: PAGE_MAX, after: Some(cursor.clone()) }
                }
                _ => return Ok(()),
            }
        }
    }

    async fn enqueue_when_due(&self, vendor: VendorId, added_at: Timestamp, due_since: Timestamp) -> Result<(), Fault> {
        let last_run = self.store.last_run(&key_of(vendor)).await?;
        // A vendor never assessed is due from the moment it was added, whatever the schedule says.
        let is_due = last_run.is_none_or(|at| at < due_since && added_at <= due_since);
        if is_due {
            self.queue.enqueue(vendor).await?;
        }
        Ok(())
    }
}

/// The last instant of the schedule at or before `now`. Daylight saving is croner's care.
fn last_instant(cron: &Cron, zone: Tz, now: Timestamp) -> Option<Timestamp> {
    let local = DateTime::<Utc>::from_timestamp_millis(now.0)?.with_timezone(&zone);
    let previous = cron.find_previous_occurrence(&local, true).ok()?;
    Some(Timestamp(previous.timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_last_instant_across_daylight_saving() {
        let check = |now: &str, want: &str| {
            let cron = Cron::from_str("0 0 3 * * *").expect("cron");
            let now = Timestamp::parse_rfc3339(now).expect("now");
            let got = last_instant(&cron, chrono_tz::Europe::Berlin, now).map(Timestamp::to_rfc3339);
            assert_eq!(got.as_deref(), Some(want));
        };
        check("2026-01-10T10:00:00Z", "2026-01-10T02:00:00.000Z");
        check("2026-07-10T10:00:00Z", "2026-07-10T01:00:00.000Z");
        check("2026-07-10T00:30:00Z", "2026-07-09T01:00:00.000Z");
        check("2026-03-29T12:00:00Z", "2026-03-29T01:00:00.000Z"); // 03:00 summer time, right after the jump
    }
}
