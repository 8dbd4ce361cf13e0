//! Queries for reports and for what changed.

use async_graphql::{Context, ID, Object};
use riskgraph_domain::error::Fault;

use crate::graphql::node::parse_id;
use crate::graphql::page::page_request;
use crate::graphql::report::{ChangeConnection, Report, ReportCheck, ReportConnection};
use crate::graphql::report_schedule::ReportScheduleConnection;
use crate::graphql::words::{DateTime, ReportKind};
use crate::surface::query as may;

#[derive(Default)]
pub(crate) struct ReportQueries;

#[Object]
impl ReportQueries {
    /// Reports that were made, newest first.
    async fn reports(
        &self,
        ctx: &Context<'_>,
        kind: Option<ReportKind>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<ReportConnection, Fault> {
        let reader = may::reports(ctx)?;
        let page = page_request(first, after)?;
        let found = reader.spend(reader.reports().reports(kind.map(Into::into), page.clone()).await?)?;
        Ok(ReportConnection::new(found, page.after.as_deref()))
    }

    async fn report(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Report>, Fault> {
        let reader = may::report(ctx)?;
        Ok(reader.reports().report(parse_id(&id)?).await?.map(Report))
    }

    async fn report_schedules(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<ReportScheduleConnection, Fault> {
        let reader = may::report_schedules(ctx)?;
        let page = page_request(first, after)?;
        let found = reader.spend(reader.reports().schedules(page.clone()).await?)?;
        Ok(ReportScheduleConnection::new(found, page.after.as_deref()))
    }

    /// Checks the kept files of a report against its signature.
    async fn verify_report(&self, ctx: &Context<'_>, id: ID) -> Result<ReportCheck, Fault> {
        let reader = may::verify_report(ctx)?;
        Ok(reader.reports().verify(parse_id(&id)?).await?.into())
    }

    /// What changed in the portfolio, newest first.
    async fn changes(
        &self,
        ctx: &Context<'_>,
        since: DateTime,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<ChangeConnection, Fault> {
        let reader = may::changes(ctx)?;
        let page = page_request(first, after)?;
        let found = reader.spend(reader.reports().changes(since.0, page.clone()).await?)?;
        Ok(ChangeConnection::new(found, page.after.as_deref()))
    }
}
