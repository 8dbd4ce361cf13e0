//! Changes to reports, their schedules and links.

use async_graphql::{Context, ID, Object};
use riskgraph_domain::error::Fault;

use crate::graphql::node::parse_id;
use crate::graphql::report::{Report, ReportInput, ReportShare};
use crate::graphql::report_schedule::{ReportSchedule, ReportScheduleInput};
use crate::graphql::words::DateTime;
use crate::surface::mutation as may;

#[derive(Default)]
pub(crate) struct ReportMutations;

#[Object]
impl ReportMutations {
    /// Makes a report, or gives the one that was made for the same instant and period.
    async fn make_report(&self, ctx: &Context<'_>, input: ReportInput) -> Result<Report, Fault> {
        let triager = may::make_report(ctx)?;
        triager.make_report(input.checked()?).await.map(Report)
    }

    /// For admins.
    async fn create_report_schedule(
        &self,
        ctx: &Context<'_>,
        input: ReportScheduleInput,
    ) -> Result<ReportSchedule, Fault> {
        let administrator = may::create_report_schedule(ctx)?;
        administrator.create_report_schedule(input.checked()?).await.map(ReportSchedule)
    }

    /// Instants before the change are not due any more. For admins.
    async fn update_report_schedule(
        &self,
        ctx: &Context<'_>,
        id: ID,
        input: ReportScheduleInput,
    ) -> Result<ReportSchedule, Fault> {
        let administrator = may::update_report_schedule(ctx)?;
        administrator.update_report_schedule(parse_id(&id)?, input.checked()?).await.map(ReportSchedule)
    }

    /// Its reports stay; false when there was no such schedule. For admins.
    async fn remove_report_schedule(&self, ctx: &Context<'_>, id: ID) -> Result<bool, Fault> {
        let administrator = may::remove_report_schedule(ctx)?;
        administrator.remove_report_schedule(parse_id(&id)?).await
    }

    /// Makes a link that opens a report of the kind VENDOR without an account, until it expires or is revoked.
    async fn share_report(&self, ctx: &Context<'_>, id: ID, expires_at: DateTime) -> Result<ReportShare, Fault> {
        let triager = may::share_report(ctx)?;
        let (share, url) = triager.share_report(parse_id(&id)?, expires_at.0).await?;
        Ok(ReportShare::of(share, Some(url)))
    }

    /// The link opens nothing any more; false when it did not before.
    async fn revoke_share(&self, ctx: &Context<'_>, id: ID) -> Result<bool, Fault> {
        let triager = may::revoke_share(ctx)?;
        triager.revoke_share(parse_id(&id)?).await
    }
}
