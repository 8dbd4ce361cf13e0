//! Queries for signals and alerts.

use async_graphql::{Context, ID, Object};
use riskgraph_domain::error::Fault;
use riskgraph_domain::ports::SignalFilter;
use riskgraph_domain::text::Text;

use crate::graphql::alert::{Alert, AlertConnection, AlertFilter};
use crate::graphql::node::parse_id;
use crate::graphql::signal::{Signal, SignalConnection};
use crate::graphql::words::{DateTime, Severity};
use crate::surface::query as may;

#[derive(Default)]
pub(crate) struct AlertQueries;

#[Object]
impl AlertQueries {
    /// Signals, newest first.
    async fn signals(
        &self,
        ctx: &Context<'_>,
        detector: Option<String>,
        min_severity: Option<Severity>,
        since: Option<DateTime>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<SignalConnection, Fault> {
        may::signals(ctx)?;
        let filter = SignalFilter {
            detector: detector.map(Text::from),
            min_severity: min_severity.map(Into::into),
            since: since.map(|since| since.0),
            ..SignalFilter::default()
        };
        Signal::page(ctx, filter, first, after).await
    }

    /// Alerts, last changed first.
    async fn alerts(
        &self,
        ctx: &Context<'_>,
        filter: Option<AlertFilter>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<AlertConnection, Fault> {
        may::alerts(ctx)?;
        Alert::page(ctx, filter.unwrap_or_default().checked()?, first, after).await
    }

    async fn alert(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Alert>, Fault> {
        let reader = may::alert(ctx)?;
        Ok(reader.records().alert(parse_id(&id)?).await?.map(Alert))
    }
}
