//! Changes to silences.

use async_graphql::{Context, ID, Object};
use riskgraph_domain::error::Fault;

use crate::graphql::node::parse_id;
use crate::graphql::triage::{Silence, SilenceInput};
use crate::surface::mutation as may;

#[derive(Default)]
pub(crate) struct SilenceMutations;

#[Object]
impl SilenceMutations {
    /// Mutes the alerts that meet all matchers until a time. They are recorded, scored and found all the same.
    async fn create_silence(&self, ctx: &Context<'_>, input: SilenceInput) -> Result<Silence, Fault> {
        may::create_silence(ctx)?.silence(input.into()).await.map(Silence)
    }

    /// Ends a silence before its time.
    async fn expire_silence(&self, ctx: &Context<'_>, id: ID) -> Result<Silence, Fault> {
        may::expire_silence(ctx)?.expire(parse_id(&id)?).await.map(Silence)
    }
}
