//! Changes to findings.

use async_graphql::{Context, ID, Object};
use riskgraph_domain::error::Fault;

use super::reason as checked;
use crate::graphql::node::parse_id;
use crate::graphql::posture::Finding;
use crate::graphql::words::{DateTime, DisputeKind};
use crate::surface::mutation as may;

#[derive(Default)]
pub(crate) struct FindingMutations;

#[Object]
impl FindingMutations {
    /// Accepts the risk of a finding until a day; then it opens again.
    async fn accept_finding(
        &self,
        ctx: &Context<'_>,
        id: ID,
        reason: String,
        until: DateTime,
    ) -> Result<Finding, Fault> {
        let triager = may::accept_finding(ctx)?;
        triager.accept(parse_id(&id)?, checked(reason)?, until.0).await.map(Finding)
    }

    /// Says that a finding is wrong, and in which way. What is said to be FIXED is assessed again at once: it closes, or
    /// opens again.
    async fn dispute_finding(
        &self,
        ctx: &Context<'_>,
        id: ID,
        reason: String,
        kind: Option<DisputeKind>,
    ) -> Result<Finding, Fault> {
        let triager = may::dispute_finding(ctx)?;
        triager.dispute(parse_id(&id)?, checked(reason)?, kind.map(Into::into)).await.map(Finding)
    }
}
