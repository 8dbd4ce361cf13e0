//! Schedules: documents that say when which report is made. What is due is computed from the cron expression in its time
//! zone and from the reports there are, never from a clock that ticked.

use std::str::FromStr as _;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use croner::Cron;
use riskgraph_domain::access::Viewer;
use riskgraph_domain::document::Document;
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::page::{Page, PageRequest};
use riskgraph_domain::report::{ReportKind, ReportSchedule, ScheduleSpec};
use riskgraph_domain::time::{MINUTE_MS, SECOND_MS};
use riskgraph_domain::{ReportScheduleId, Text, Timestamp};

use super::desk::ReportDesk;
use crate::gatekeeper::random;

/// Kind of the documents.
pub(super) const KIND: &str = "report_schedule";
/// Schedules there may be.
pub(super) const SCHEDULES_MAX: usize = 200;
/// Reports of one schedule come no faster than this.
const EVERY_MIN_MS: i64 = 15 * MINUTE_MS;
/// Occurrences looked at to see how fast they come.
const LOOKED_AT: usize = 50;
const NAME_CHARS_MAX: usize = 120;
const CRON_CHARS_MAX: usize = 120;
const CHANNELS_MAX: usize = 20;

/// When a schedule's reports are due.
pub(super) struct Rhythm {
    cron: Cron,
    zone: Tz,
}

impl Rhythm {
    /// # Errors
    /// `BadInput` when the expression or the zone is none.
    pub(super) fn of(spec: &ScheduleSpec) -> Result<Self, Fault> {
        let bad = |message: String| Fault::new(FaultCode::BadInput, message);
        let short: String = spec.cron.chars().take(40).collect();
        if spec.cron.chars().count() > CRON_CHARS_MAX {
            return Err(bad(format!("cron: at most {CRON_CHARS_MAX} characters")));
        }
        let cron = Cron::from_str(&spec.cron).map_err(|_| {
            bad(format!("cron: '{short}' is no cron expression; write it like '0 8 * * 1' for Mondays at eight"))
        })?;
        let zone: String = spec.time_zone.chars().take(40).collect();
        let zone = spec
            .time_zone
            .parse()
            .map_err(|_| bad(format!("timeZone: '{zone}' is no IANA time zone such as Europe/Berlin")))?;
        Ok(Self { cron, zone })
    }

    fn local(&self, at: Timestamp) -> Option<DateTime<Tz>> {
        Some(DateTime::<Utc>::from_timestamp_millis(at.0)?.with_timezone(&self.zone))
    }

    /// The last instant at or before this one.
    pub(super) fn last(&self, now: Timestamp) -> Option<Timestamp> {
        let found = self.cron.find_previous_occurrence(&self.local(now)?, true).ok()?;
        self.as_forward(Timestamp(found.timestamp_millis()), now)
    }

    /// The last instant before this one.
    pub(super) fn before(&self, at: Timestamp) -> Option<Timestamp> {
        let found = self.cron.find_previous_occurrence(&self.local(at)?, false).ok()?;
        self.as_forward(Timestamp(found.timestamp_millis()), at - 1)
    }

    /// Where the clock is set forward the search backwards ends on the other side of the gap than the one forwards: an
    /// instant is the one that was announced as next.
    fn as_forward(&self, found: Timestamp, until: Timestamp) -> Option<Timestamp> {
        Some(self.next(found - 1).filter(|next| *next <= until).unwrap_or(found))
    }

    /// The next instant after this one.
    pub(super) fn next(&self, at: Timestamp) -> Option<Timestamp> {
        // The search keeps fractions of a second of where it began.
        let found = self.cron.find_next_occurrence(&self.local(at.floor(SECOND_MS))?, false).ok()?;
        Some(Timestamp(found.timestamp_millis()))
    }

    /// Whether two instants lie closer together than reports may.
    fn is_too_fast(&self, from: Timestamp) -> bool {
        let mut at = from;
        let mut last = None;
        for _ in 0..LOOKED_AT {
            let Some(next) = self.next(at) else { return false };
            if last.is_some_and(|last: Timestamp| next - last < EVERY_MIN_MS) {
                return true;
            }
            (at, last) = (next, Some(next));
        }
        false
    }
}

/// A document as the schedule it is.
pub(super) fn read(document: &Document) -> Option<(ReportScheduleId, ScheduleSpec)> {
    Some((document.id.parse().ok()?, serde_json::from_value(document.body.clone()).ok()?))
}

impl ReportDesk {
    /// The documents of all schedules.
    pub(super) async fn schedule_documents(&self) -> Result<Vec<Document>, Fault> {
        self.documents.list(KIND, None, SCHEDULES_MAX).await
    }

    pub(super) async fn list_schedules(&self, page: PageRequest) -> Result<Page<ReportSchedule>, Fault> {
        let mut documents = self.documents.list(KIND, page.after.as_deref(), page.first + 1).await?;
        let has_next = documents.len() > page.first;
        documents.truncate(page.first);
        let mut items = Vec::with_capacity(documents.len());
        for document in &documents {
            if let Some(schedule) = self.schedule_of(document).await? {
                items.push((document.id.to_string(), schedule));
            }
        }
        Ok(Page { items, has_next, total: None })
    }

    pub(super) async fn find_schedule(&self, id: ReportScheduleId) -> Result<Option<ReportSchedule>, Fault> {
        match self.documents.get(KIND, &id.to_string()).await? {
            Some(document) => self.schedule_of(&document).await,
            None => Ok(None),
        }
    }

    async fn schedule_of(&self, document: &Document) -> Result<Option<ReportSchedule>, Fault> {
        let Some((id, spec)) = read(document) else { return Ok(None) };
        let rhythm = Rhythm::of(&spec).ok().filter(|_| spec.enabled);
        let next_at = rhythm.and_then(|rhythm| rhythm.next(self.clock.now()));
        let last = self.store.last_of(id).await?;
        Ok(Some(ReportSchedule { id, spec, changed_at: document.at, next_at, last }))
    }

    /// Makes a schedule, or a new version of one.
    pub(super) async fn put_schedule(
        &self,
        viewer: &Viewer,
        id: Option<ReportScheduleId>,
        spec: ScheduleSpec,
    ) -> Result<ReportSchedule, Fault> {
        let now = self.clock.now();
        check(&spec, now)?;
        if let Some(vendor) = spec.vendor
            && self.gatherer.knows(vendor).await?.is_none()
        {
            return Err(Fault::not_found("vendor"));
        }
        let (id, version) = match id {
            Some(id) => {
                let newest = self.documents.get(KIND, &id.to_string()).await?;
                (id, newest.ok_or_else(|| Fault::not_found("report schedule"))?.version + 1)
            }
            None => {
                if self.schedule_documents().await?.len() >= SCHEDULES_MAX {
                    let message = format!("there are {SCHEDULES_MAX} schedules already; remove one first");
                    return Err(Fault::new(FaultCode::BadInput, message));
                }
                (ReportScheduleId(u128::from_be_bytes(random()?)), 1)
            }
        };
        let body =
            serde_json::to_value(&spec).map_err(|_| Fault::new(FaultCode::Internal, "a schedule cannot be written"))?;
        let document = Document {
            kind: KIND.into(),
            id: Text::from(id.to_string().as_str()),
            version,
            body,
            by: viewer.name.clone(),
            at: now,
            note: None,
        };
        self.documents.put(document).await?;
        self.find_schedule(id).await?.ok_or_else(|| Fault::not_found("report schedule"))
    }
}

fn check(spec: &ScheduleSpec, now: Timestamp) -> Result<(), Fault> {
    let bad = |message: String| Err(Fault::new(FaultCode::BadInput, message));
    let n_chars = spec.name.trim().chars().count();
    if n_chars == 0 || n_chars > NAME_CHARS_MAX || spec.name.chars().any(char::is_control) {
        return bad(format!("name: give 1 to {NAME_CHARS_MAX} characters on one line"));
    }
    if spec.channels.len() > CHANNELS_MAX {
        return bad(format!("channels: at most {CHANNELS_MAX}"));
    }
    match (spec.kind, spec.vendor) {
        (ReportKind::Vendor, None) => return bad("vendor: say which vendor the report is about".to_owned()),
        (ReportKind::Vendor, Some(_)) | (_, None) => {}
        (_, Some(_)) => return bad("vendor: only a report of the kind VENDOR is about one vendor".to_owned()),
    }
    let rhythm = Rhythm::of(spec)?;
    if rhythm.next(now).is_none() {
        return bad("cron: that instant never comes".to_owned());
    }
    if rhythm.is_too_fast(now) {
        return bad("cron: reports come every 15 minutes at most".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use riskgraph_domain::report::ReportFormat;

    use super::*;

    fn spec(cron: &str, time_zone: &str) -> ScheduleSpec {
        ScheduleSpec {
            name: "Monday".to_owned(),
            kind: ReportKind::Board,
            cron: cron.to_owned(),
            time_zone: time_zone.to_owned(),
            formats: vec![ReportFormat::Pdf],
            channels: Vec::new(),
            vendor: None,
            enabled: true,
        }
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).expect("a time")
    }

    #[test]
    fn instants_follow_the_clock_on_the_wall() {
        let check = |cron: &str, now: &str, last: &str, next: &str| {
            let rhythm = Rhythm::of(&spec(cron, "Europe/Berlin")).expect("a rhythm");
            assert_eq!(rhythm.last(at(now)), Some(at(last)), "{cron} last at {now}");
            assert_eq!(rhythm.next(at(now)), Some(at(next)), "{cron} next at {now}");
        };
        // Mondays at eight, in winter and in summer.
        check("0 8 * * 1", "2026-03-25T12:00:00Z", "2026-03-23T07:00:00Z", "2026-03-30T06:00:00Z");
        check("0 8 * * 1", "2026-03-30T06:00:00Z", "2026-03-30T06:00:00Z", "2026-04-06T06:00:00Z");
        // Half past two does not exist on the night of the change: it is made up for, once.
        check("30 2 * * *", "2026-03-29T12:00:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z");
    }

    #[test]
    fn an_hour_that_comes_twice_has_one_report() {
        let rhythm = Rhythm::of(&spec("30 2 * * *", "Europe/Berlin")).expect("a rhythm");
        let mut now = at("2026-10-24T12:00:00Z");
        let mut found = Vec::new();
        while let Some(next) = rhythm.next(now).filter(|next| *next < at("2026-10-26T12:00:00Z")) {
            found.push(next.to_rfc3339());
            now = next;
        }
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn wrong_schedules_are_refused_with_a_reason() {
        let check = |spec: ScheduleSpec, part: &str| {
            let fault = super::check(&spec, at("2026-03-25T12:00:00Z")).expect_err(part);
            assert!(fault.message.contains(part), "{}", fault.message);
        };
        check(spec("every monday", "UTC"), "cron");
        check(spec("0 8 * * 1", "Mars"), "timeZone");
        check(spec("* * * * *", "UTC"), "15 minutes");
        check(spec("*/10 * * * * *", "UTC"), "15 minutes");
        check(spec("0,5 8 * * *", "UTC"), "15 minutes");
        check(spec("0 0 30 2 *", "UTC"), "never");
        check(ScheduleSpec { name: " ".to_owned(), ..spec("0 8 * * 1", "UTC") }, "name");
        check(ScheduleSpec { kind: ReportKind::Vendor, ..spec("0 8 * * 1", "UTC") }, "vendor");
        assert!(super::check(&spec("0 8 * * 1", "Asia/Kathmandu"), at("2026-03-25T12:00:00Z")).is_ok());
    }
}
