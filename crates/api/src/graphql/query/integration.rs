//! Queries for partner integrations.

use async_graphql::{Context, ID, Object};
use riskgraph_domain::error::{Fault, FaultCode};

use crate::graphql::integration::{Integration, IntegrationConnection};
use crate::graphql::node::parse_id;
use crate::graphql::page::page_request;
use crate::surface::query as may;

#[derive(Default)]
pub(crate) struct IntegrationQueries;

#[Object]
impl IntegrationQueries {
    async fn integrations(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<IntegrationConnection, Fault> {
        let reader = may::integrations(ctx)?;
        let page = page_request(first, after)?;
        let found = reader.spend(reader.records().integrations(None, page.clone()).await?)?;
        Ok(IntegrationConnection::new(found, page.after.as_deref()))
    }

    /// One integration, by exactly one of id and name.
    async fn integration(
        &self,
        ctx: &Context<'_>,
        id: Option<ID>,
        name: Option<String>,
    ) -> Result<Option<Integration>, Fault> {
        let reader = may::integration(ctx)?;
        let found = match (id, name) {
            (Some(id), None) => reader.records().integration(parse_id(&id)?).await?,
            (None, Some(name)) => reader.records().integration_by_name(&name).await?,
            _ => return Err(Fault::new(FaultCode::BadInput, "integration: give exactly one of id and name")),
        };
        Ok(found.map(Integration))
    }
}
