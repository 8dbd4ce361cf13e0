//! Changes to alerts.

use async_graphql::{Context, ID, Object};
use riskgraph_domain::error::Fault;

use super::note;
use crate::graphql::alert::Alert;
use crate::graphql::node::parse_id;
use crate::graphql::vendor::label;
use crate::graphql::words::Verdict;
use crate::surface::mutation as may;

#[derive(Default)]
pub(crate) struct AlertMutations;

#[Object]
impl AlertMutations {
    /// Says that somebody looks at it.
    async fn acknowledge_alert(&self, ctx: &Context<'_>, id: ID, note: Option<String>) -> Result<Alert, Fault> {
        let triager = may::acknowledge_alert(ctx)?;
        let text = note.map(|text| self::note("note", text)).transpose()?;
        triager.acknowledge(parse_id(&id)?, text).await.map(Alert)
    }

    /// Says who looks at it.
    async fn assign_alert(&self, ctx: &Context<'_>, id: ID, assignee: String) -> Result<Alert, Fault> {
        let triager = may::assign_alert(ctx)?;
        triager.assign(parse_id(&id)?, label("assignee", &assignee)?).await.map(Alert)
    }

    /// Closes it with what it really was.
    async fn resolve_alert(
        &self,
        ctx: &Context<'_>,
        id: ID,
        verdict: Verdict,
        note: Option<String>,
    ) -> Result<Alert, Fault> {
        let triager = may::resolve_alert(ctx)?;
        let text = note.map(|text| self::note("note", text)).transpose()?;
        triager.resolve(parse_id(&id)?, verdict.into(), text).await.map(Alert)
    }
}
