//! The tasks behind reports: the pulse, the schedules, and the sending.
//!
//! Nothing is remembered between two looks: a report is due when the schedule's last instant has none, and unsent until
//! its row says otherwise. So a crash at any point repeats a step that changes nothing, and a missed instant is caught up
//! once: only the last one counts.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use riskgraph_domain::error::Fault;
use riskgraph_domain::report::{Report, ReportSender, ScheduleSpec};
use riskgraph_domain::{ReportScheduleId, Timestamp};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::desk::{Order, ReportDesk};
use super::gather::Ask;
use super::schedules::{Rhythm, read};

/// How often it is looked whether something is due.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Looks between two cuts: one a minute.
const LOOKS_A_CUT: u32 = 12;
/// Looks that a schedule or report whose turn failed has to wait: five minutes.
const LOOKS_AFTER_FAILURE: u64 = 60;
/// Reports sent in one look.
const SENT_A_LOOK: usize = 10;

/// Starts the tasks; they end when `stop` is cancelled.
pub fn start(desk: Arc<ReportDesk>, sender: Arc<dyn ReportSender>, stop: CancellationToken) -> JoinHandle<()> {
    let clock = Ticker { desk, sender, failed: HashMap::new(), looks: 0 };
    tokio::spawn(clock.run(stop))
}

struct Ticker {
    desk: Arc<ReportDesk>,
    sender: Arc<dyn ReportSender>,
    /// What failed, and at which look it has another turn.
    failed: HashMap<String, u64>,
    looks: u64,
}

impl Ticker {
    async fn run(mut self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.look() => {}
            }
        }
    }

    async fn look(&mut self) {
        let now = self.desk.clock.now();
        if self.looks.is_multiple_of(u64::from(LOOKS_A_CUT))
            && let Err(fault) = self.desk.pulse.cut(now).await
        {
            tracing::warn!(%fault, "what is known now was not fixed; the next minute will");
        }
        self.looks += 1;
        self.failed.retain(|_, turn| *turn > self.looks);
        if let Err(fault) = self.make_due(now).await {
            tracing::warn!(%fault, "the schedules of reports could not be looked at");
        }
        if let Err(fault) = self.send_made().await {
            tracing::warn!(%fault, "reports that were not sent yet could not be looked at");
        }
    }

    /// Makes the report of every schedule whose last instant has none.
    async fn make_due(&mut self, now: Timestamp) -> Result<(), Fault> {
        for document in self.desk.schedule_documents().await? {
            let Some((id, spec)) = read(&document) else { continue };
            let key = document.id.to_string();
            if !spec.enabled || self.failed.contains_key(&key) {
                continue;
            }
            let Some(order) = order(id, &spec, (document.at, now)) else { continue };
            if let Err(fault) = self.desk.order(order).await {
                tracing::warn!(schedule = %id, %fault, "a scheduled report was not made; it is tried again");
                self.failed.insert(key, self.looks + LOOKS_AFTER_FAILURE);
            }
        }
        Ok(())
    }

    /// Hands made reports to the channels of their schedules.
    async fn send_made(&mut self) -> Result<(), Fault> {
        for report in self.desk.store.unsent(SENT_A_LOOK).await? {
            let key = report.id.to_string();
            if self.failed.contains_key(&key) {
                continue;
            }
            match self.send(&report).await {
                Ok(()) => self.desk.store.mark_sent(report.id).await?,
                Err(fault) => {
                    tracing::warn!(report = %report.id, %fault, "a report was not handed to its channels; it is tried again");
                    self.failed.insert(key, self.looks + LOOKS_AFTER_FAILURE);
                }
            }
        }
        Ok(())
    }

    async fn send(&self, report: &Report) -> Result<(), Fault> {
        let Some(schedule) = report.schedule else { return Ok(()) };
        // A schedule that was removed meanwhile has nobody to send to.
        let Some(schedule) = self.desk.find_schedule(schedule).await? else { return Ok(()) };
        if schedule.spec.channels.is_empty() {
            return Ok(());
        }
        let mut files = Vec::with_capacity(schedule.spec.formats.len());
        for format in &schedule.spec.formats {
            files.push((*format, self.desk.bytes(report, *format).await?));
        }
        self.sender.send(report, files, &schedule.spec.channels).await
    }
}

/// What the schedule's last instant asks for; nothing when it was before the schedule.
fn order(id: ReportScheduleId, spec: &ScheduleSpec, (changed_at, now): (Timestamp, Timestamp)) -> Option<Order> {
    let rhythm = Rhythm::of(spec).ok()?;
    let due = rhythm.last(now).filter(|due| *due > changed_at)?;
    let since = rhythm.before(due)?;
    let ask = Ask { kind: spec.kind, vendor: spec.vendor, since, as_of: due };
    let by = format!("schedule: {}", spec.name);
    Some(Order { ask, by: by.as_str().into(), schedule: Some(id) })
}

#[cfg(test)]
mod tests {
    use riskgraph_domain::report::ReportKind;

    use super::*;

    #[test]
    fn only_the_last_instant_after_the_schedule_counts() {
        let at = |text: &str| Timestamp::parse_rfc3339(text).expect("a time");
        let spec = ScheduleSpec {
            name: "Mondays".to_owned(),
            kind: ReportKind::RiskLead,
            cron: "0 8 * * 1".to_owned(),
            time_zone: "UTC".to_owned(),
            formats: Vec::new(),
            channels: Vec::new(),
            vendor: None,
            enabled: true,
        };
        let id = ReportScheduleId(1);
        let due = |changed: &str, now: &str| order(id, &spec, (at(changed), at(now))).map(|order| order.ask.as_of);
        assert_eq!(due("2026-03-03T00:00:00Z", "2026-03-09T07:59:59Z"), None, "not before its first instant");
        let first = Some(at("2026-03-09T08:00:00Z"));
        assert_eq!(due("2026-03-03T00:00:00Z", "2026-03-09T08:00:00Z"), first);
        assert_eq!(due("2026-03-03T00:00:00Z", "2026-03-16T07:59:00Z"), first, "the same report until the next");
        // Three weeks away: one report, of the last instant.
        assert_eq!(due("2026-03-03T00:00:00Z", "2026-03-30T12:00:00Z"), Some(at("2026-03-30T08:00:00Z")));
        let one = order(id, &spec, (at("2026-03-03T00:00:00Z"), at("2026-03-09T08:00:00Z"))).expect("due");
        let again = order(id, &spec, (at("2026-03-03T00:00:00Z"), at("2026-03-11T19:00:00Z"))).expect("due");
        assert_eq!(one.id(), again.id());
        assert_eq!(one.ask.since, at("2026-03-02T08:00:00Z"), "since the report before");
    }
}
