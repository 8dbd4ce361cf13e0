//! Queries for the audit log.

use async_graphql::{Context, Object};
use riskgraph_domain::audit::AuditFilter;
use riskgraph_domain::error::Fault;

use crate::graphql::audit::{AuditEntryConnection, AuditVerification};
use crate::graphql::page::page_request;
use crate::graphql::query::graph::bounded_text;
use crate::graphql::words::DateTime;
use crate::surface::query as may;

#[derive(Default)]
pub(crate) struct AuditQueries;

#[Object]
impl AuditQueries {
    /// The audit log, newest first. For admins.
    async fn audit(
        &self,
        ctx: &Context<'_>,
        actor: Option<String>,
        action: Option<String>,
        since: Option<DateTime>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<AuditEntryConnection, Fault> {
        let administrator = may::audit(ctx)?;
        let page = page_request(first, after)?;
        let filter = AuditFilter {
            actor: bounded_text(actor)?.map(Into::into),
            action: bounded_text(action)?.map(Into::into),
            since: since.map(|since| since.0),
            until: None,
        };
        let found = administrator.audit(filter, page.clone()).await?;
        Ok(AuditEntryConnection::new(found, page.after.as_deref()))
    }

    /// Whether the audit log is whole. A long log is looked at in parts: ask again while `reason` says so. For admins.
    async fn audit_verification(&self, ctx: &Context<'_>) -> Result<AuditVerification, Fault> {
        let administrator = may::audit_verification(ctx)?;
        administrator.verify_audit().await.map(Into::into)
    }
}
