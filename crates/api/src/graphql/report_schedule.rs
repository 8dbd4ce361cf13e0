//! Schedules of reports as GraphQL shows them. Must not know how they run.

use async_graphql::{Context, ID, InputObject, Object};
use riskgraph_domain::error::Fault;
use riskgraph_domain::report as model;

use super::delivery::Channel;
use super::node::parse_id;
use super::page::connection;
use super::report::Report;
use super::vendor::{Vendor, label};
use super::words::{DateTime, ReportFormat, ReportKind, words};
use crate::access::{Reader, grant};

/// When which report is made, and who gets it.
pub(crate) struct ReportSchedule(pub(crate) model::ReportSchedule);

connection!(ReportScheduleConnection, ReportScheduleEdge, ReportSchedule, model::ReportSchedule);

#[Object]
impl ReportSchedule {
    pub(crate) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    async fn name(&self) -> &str {
        &self.0.spec.name
    }

    async fn kind(&self) -> ReportKind {
        self.0.spec.kind.into()
    }

    /// Cron expression in `timeZone`, such as `0 8 * * 1` for Mondays at eight.
    async fn cron(&self) -> &str {
        &self.0.spec.cron
    }

    async fn time_zone(&self) -> &str {
        &self.0.spec.time_zone
    }

    /// What is sent to the channels; all formats can be downloaded.
    async fn formats(&self) -> Vec<ReportFormat> {
        self.0.spec.formats.iter().map(|format| (*format).into()).collect()
    }

    /// Those that are still there.
    async fn channels(&self, ctx: &Context<'_>) -> Result<Vec<Channel>, Fault> {
        let reader = grant::<Reader>(ctx)?;
        let mut found = Vec::with_capacity(self.0.spec.channels.len());
        for id in &self.0.spec.channels {
            found.extend(reader.channel(*id).await?.map(Channel));
        }
        Ok(found)
    }

    async fn vendor(&self, ctx: &Context<'_>) -> Result<Option<Vendor>, Fault> {
        let Some(id) = self.0.spec.vendor else { return Ok(None) };
        Ok(grant::<Reader>(ctx)?.vendor(id).await?.map(Vendor))
    }

    async fn enabled(&self) -> bool {
        self.0.spec.enabled
    }

    /// When its next report is due; null when it is off.
    async fn next_at(&self) -> Option<DateTime> {
        self.0.next_at.map(DateTime)
    }

    /// The instant of its last report.
    async fn last_at(&self) -> Option<DateTime> {
        self.0.last.as_ref().map(|report| DateTime(report.as_of))
    }

    async fn last_report(&self) -> Option<Report> {
        self.0.last.clone().map(Report)
    }
}

/// What a person gives when making or changing a schedule.
#[derive(InputObject)]
pub(crate) struct ReportScheduleInput {
    name: String,
    kind: ReportKind,
    /// Five or six fields, in `timeZone`; at most every 15 minutes.
    cron: String,
    /// IANA name, such as Europe/Berlin.
    time_zone: String,
    /// What is sent to the channels; HTML and PDF when not given.
    formats: Option<Vec<ReportFormat>>,
    channels: Option<Vec<ID>>,
    /// For VENDOR, and only for it.
    vendor: Option<ID>,
    /// True when not given.
    enabled: Option<bool>,
}

impl ReportScheduleInput {
    pub(crate) fn checked(self) -> Result<model::ScheduleSpec, Fault> {
        let mut formats: Vec<model::ReportFormat> = match self.formats {
            Some(formats) => words(Some(formats)),
            None => vec![model::ReportFormat::Html, model::ReportFormat::Pdf],
        };
        formats.sort_unstable();
        formats.dedup();
        let mut channels = Vec::new();
        for id in self.channels.unwrap_or_default() {
            let id = parse_id(&id)?;
            if !channels.contains(&id) {
                channels.push(id);
            }
        }
        Ok(model::ScheduleSpec {
            name: label("name", &self.name)?.to_string(),
            kind: self.kind.into(),
            cron: self.cron.trim().to_owned(),
            time_zone: self.time_zone.trim().to_owned(),
            formats,
            channels,
            vendor: self.vendor.as_ref().map(parse_id).transpose()?,
            enabled: self.enabled.unwrap_or(true),
        })
    }
}
