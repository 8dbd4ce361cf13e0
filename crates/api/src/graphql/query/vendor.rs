//! Queries for vendors and findings.

use async_graphql::{Context, ID, Object};
use riskgraph_domain::error::{Fault, FaultCode};
use riskgraph_domain::ports::{FindingFilter, VendorFilter};
use riskgraph_domain::text::Text;

use crate::graphql::node::{Node, node, parse_id};
use crate::graphql::page::page_request;
use crate::graphql::posture::{Finding, FindingConnection};
use crate::graphql::query::graph::bounded_text;
use crate::graphql::vendor::{Vendor, VendorConnection};
use crate::graphql::words::{FindingStatus, Grade, Severity, VendorTier, words};
use crate::surface::query as may;

#[derive(Default)]
pub(crate) struct VendorQueries;

#[Object]
impl VendorQueries {
    /// The node of a global id.
    async fn node(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Node>, Fault> {
        let reader = may::node(ctx)?;
        node(&reader, &id).await
    }

    /// Vendors by part of a name or domain, tier, and grade (`maxGrade` or worse).
    async fn vendors(
        &self,
        ctx: &Context<'_>,
        query: Option<String>,
        tiers: Option<Vec<VendorTier>>,
        max_grade: Option<Grade>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<VendorConnection, Fault> {
        let reader = may::vendors(ctx)?;
        let page = page_request(first, after)?;
        let filter =
            VendorFilter { query: bounded_text(query)?, tiers: words(tiers), max_grade: max_grade.map(Into::into) };
        let found = reader.spend(reader.records().vendors(filter, page.clone()).await?)?;
        Ok(VendorConnection::new(found, page.after.as_deref()))
    }

    /// One vendor, by exactly one of id, name and domain.
    async fn vendor(
        &self,
        ctx: &Context<'_>,
        id: Option<ID>,
        name: Option<String>,
        domain: Option<String>,
    ) -> Result<Option<Vendor>, Fault> {
        let records = may::vendor(ctx)?;
        let records = records.records();
        let found = match (id, name, domain) {
            (Some(id), None, None) => records.vendor(parse_id(&id)?).await?,
            (None, Some(name), None) => records.vendor_by_name(&name).await?,
            (None, None, Some(domain)) => records.vendor_by_domain(&domain.trim().to_lowercase()).await?,
            _ => return Err(Fault::new(FaultCode::BadInput, "vendor: give exactly one of id, name and domain")),
        };
        Ok(found.map(Vendor))
    }

    /// Findings over all vendors.
    async fn findings(
        &self,
        ctx: &Context<'_>,
        check: Option<String>,
        status: Option<Vec<FindingStatus>>,
        min_severity: Option<Severity>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<FindingConnection, Fault> {
        may::findings(ctx)?;
        let filter = FindingFilter {
            vendor: None,
            check: check.map(Text::from),
            status: words(status),
            min_severity: min_severity.map(Into::into),
        };
        Finding::page(ctx, filter, first, after).await
    }
}
