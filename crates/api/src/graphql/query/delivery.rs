//! Queries for channels and deliveries.

use async_graphql::{Context, ID, Object};
use riskgraph_domain::delivery::DeliveryFilter;
use riskgraph_domain::error::Fault;

use crate::graphql::delivery::{Channel, ChannelConnection, Delivery, DeliveryConnection};
use crate::graphql::node::parse_id;
use crate::graphql::page::page_request;
use crate::graphql::words::{DeliveryState, words};
use crate::surface::query as may;

#[derive(Default)]
pub(crate) struct DeliveryQueries;

#[Object]
impl DeliveryQueries {
    /// Channels, by name.
    async fn channels(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<ChannelConnection, Fault> {
        let reader = may::channels(ctx)?;
        let page = page_request(first, after)?;
        let found = reader.spend(reader.delivery().channels(page.clone()).await?)?;
        Ok(ChannelConnection::new(found, page.after.as_deref()))
    }

    async fn channel(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Channel>, Fault> {
        let reader = may::channel(ctx)?;
        Ok(reader.channel(parse_id(&id)?).await?.map(Channel))
    }

    /// Deliveries to all channels, newest first.
    async fn deliveries(
        &self,
        ctx: &Context<'_>,
        state: Option<Vec<DeliveryState>>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<DeliveryConnection, Fault> {
        may::deliveries(ctx)?;
        let filter = DeliveryFilter { states: words(state), ..DeliveryFilter::default() };
        Delivery::page(ctx, filter, first, after).await
    }
}
