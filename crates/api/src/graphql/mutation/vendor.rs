//! Changes to vendors.

use async_graphql::{Context, ID, Object};
use riskgraph_domain::error::Fault;

use crate::graphql::import::VendorImport;
use crate::graphql::node::parse_id;
use crate::graphql::vendor::{Vendor, VendorInput};
use crate::graphql::words::int;
use crate::surface::mutation as may;

#[derive(Default)]
pub(crate) struct VendorMutations;

#[Object]
impl VendorMutations {
    /// Adds a vendor and queues its first assessment.
    async fn add_vendor(&self, ctx: &Context<'_>, input: VendorInput) -> Result<Vendor, Fault> {
        let administrator = may::add_vendor(ctx)?;
        administrator.add_vendor(input.checked()?).await.map(Vendor)
    }

    /// Replaces what is known of a vendor; its id stays.
    async fn update_vendor(&self, ctx: &Context<'_>, id: ID, input: VendorInput) -> Result<Vendor, Fault> {
        let administrator = may::update_vendor(ctx)?;
        administrator.update_vendor(parse_id(&id)?, input.checked()?).await.map(Vendor)
    }

    /// Removes a vendor; says whether there was one.
    async fn remove_vendor(&self, ctx: &Context<'_>, id: ID) -> Result<bool, Fault> {
        let administrator = may::remove_vendor(ctx)?;
        administrator.remove_vendor(parse_id(&id)?).await
    }

    /// Adds the vendors of a CSV text with the header `name,domains,tier,owner,integrations` (lists separated by `;`) and
    /// updates those that are there. Bad lines are rejected, the others go on; at most 1,000 lines. For admins.
    async fn import_vendors(&self, ctx: &Context<'_>, csv: String) -> Result<VendorImport, Fault> {
        let administrator = may::import_vendors(ctx)?;
        let imported = administrator.import_vendors(&csv).await?;
        Ok(VendorImport {
            added: int(imported.added),
            updated: int(imported.updated),
            unchanged: int(imported.unchanged),
            rejected: imported.rejected.into_iter().map(Into::into).collect(),
        })
    }

    /// Queues an assessment now; false when one already waits or runs.
    async fn assess_vendor(&self, ctx: &Context<'_>, id: ID) -> Result<bool, Fault> {
        let triager = may::assess_vendor(ctx)?;
        triager.assess(parse_id(&id)?).await
    }
}
