//! Queries for silences and cases.

use async_graphql::{Context, ID, Object};
use riskgraph_domain::error::Fault;
use riskgraph_domain::triage::CaseFilter;

use crate::graphql::alert::search_text;
use crate::graphql::node::parse_id;
use crate::graphql::triage::{Case, CaseConnection, Silence, SilenceConnection};
use crate::graphql::words::CaseStatus;
use crate::surface::query as may;

#[derive(Default)]
pub(crate) struct TriageQueries;

#[Object]
impl TriageQueries {
    /// Silences, last ending first; with `active` those in force, or the others.
    async fn silences(
        &self,
        ctx: &Context<'_>,
        active: Option<bool>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<SilenceConnection, Fault> {
        may::silences(ctx)?;
        Silence::page(ctx, active, first, after).await
    }

    /// Cases, last changed first; `query` is part of the title.
    async fn cases(
        &self,
        ctx: &Context<'_>,
        status: Option<CaseStatus>,
        query: Option<String>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<CaseConnection, Fault> {
        may::cases(ctx)?;
        let filter = CaseFilter { status: status.map(Into::into), query: search_text(query)? };
        Case::page(ctx, filter, first, after).await
    }

    async fn case(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Case>, Fault> {
        let reader = may::case(ctx)?;
        Ok(reader.triage().case(parse_id(&id)?).await?.map(Case))
    }
}
