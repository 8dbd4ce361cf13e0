//! Changes to alerts.

use async_graphql::{Context, ID, Object};
use riskgraph_domain::error::Fault;

use super::{comment, note};
use crate::graphql::alert::Alert;
use crate::graphql::node::parse_id;
use crate::graphql::vendor::label;
use crate::graphql::words::{DateTime, Verdict};
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

    /// Adds a comment, also to an alert that is resolved.
    async fn comment_alert(&self, ctx: &Context<'_>, id: ID, text: String) -> Result<Alert, Fault> {
        let triager = may::comment_alert(ctx)?;
        triager.comment(parse_id(&id)?, comment(text)?).await.map(Alert)
    }

    /// Opens a resolved alert again.
    async fn reopen_alert(&self, ctx: &Context<'_>, id: ID, note: Option<String>) -> Result<Alert, Fault> {
        let triager = may::reopen_alert(ctx)?;
        let text = note.map(|text| self::note("note", text)).transpose()?;
        triager.reopen(parse_id(&id)?, text).await.map(Alert)
    }

    /// Says by when it is to be resolved: a time to come, at most a year ahead.
    async fn set_alert_due(&self, ctx: &Context<'_>, id: ID, due_at: DateTime) -> Result<Alert, Fault> {
        let triager = may::set_alert_due(ctx)?;
        triager.set_due(parse_id(&id)?, due_at.0).await.map(Alert)
    }

    /// Closes it with what it really was; one that is resolved gets another verdict. The alerts of a storm are closed with
    /// the one that stands for them.
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
