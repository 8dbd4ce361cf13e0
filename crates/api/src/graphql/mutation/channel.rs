//! Changes to channels and deliveries.

use async_graphql::{Context, ID, Object};
use riskgraph_domain::error::Fault;

use crate::graphql::delivery::{Channel, ChannelCreated, ChannelInput, Delivery};
use crate::graphql::node::parse_id;
use crate::graphql::words::{DateTime, int};
use crate::surface::mutation as may;

#[derive(Default)]
pub(crate) struct ChannelMutations;

#[Object]
impl ChannelMutations {
    /// Makes a channel that is told of everything from now on. A webhook's secret is in this answer only. For admins.
    async fn create_channel(&self, ctx: &Context<'_>, input: ChannelInput) -> Result<ChannelCreated, Fault> {
        let administrator = may::create_channel(ctx)?;
        let (channel, secret) = administrator.create_channel(input.checked()?).await?;
        Ok(ChannelCreated { channel: Channel(channel), secret: secret.map(|secret| secret.expose().to_owned()) })
    }

    /// Changes everything but the kind. A target given as it is shown, and a token left out, stay. For admins.
    async fn update_channel(&self, ctx: &Context<'_>, id: ID, input: ChannelInput) -> Result<Channel, Fault> {
        let administrator = may::update_channel(ctx)?;
        administrator.update_channel(parse_id(&id)?, input.checked()?).await.map(Channel)
    }

    /// Removes a channel with its deliveries; false when there was none. For admins.
    async fn remove_channel(&self, ctx: &Context<'_>, id: ID) -> Result<bool, Fault> {
        let administrator = may::remove_channel(ctx)?;
        administrator.remove_channel(parse_id(&id)?).await
    }

    /// Goes on where it stopped. For admins.
    async fn enable_channel(&self, ctx: &Context<'_>, id: ID) -> Result<Channel, Fault> {
        let administrator = may::enable_channel(ctx)?;
        administrator.enable_channel(parse_id(&id)?).await.map(Channel)
    }

    /// Tells it nothing until it is enabled; nothing is lost meanwhile. For admins.
    async fn disable_channel(&self, ctx: &Context<'_>, id: ID, reason: String) -> Result<Channel, Fault> {
        let administrator = may::disable_channel(ctx)?;
        administrator.disable_channel(parse_id(&id)?, super::reason(reason)?).await.map(Channel)
    }

    /// Gives a webhook a new secret, in this answer only; the old one signs along for 24 hours. For admins.
    async fn rotate_channel_secret(&self, ctx: &Context<'_>, id: ID) -> Result<ChannelCreated, Fault> {
        let administrator = may::rotate_channel_secret(ctx)?;
        let (channel, secret) = administrator.rotate_channel_secret(parse_id(&id)?).await?;
        Ok(ChannelCreated { channel: Channel(channel), secret: secret.map(|secret| secret.expose().to_owned()) })
    }

    /// Sends a test message once and waits a moment for the answer.
    async fn test_channel(&self, ctx: &Context<'_>, id: ID) -> Result<Delivery, Fault> {
        let triager = may::test_channel(ctx)?;
        triager.test_channel(parse_id(&id)?).await.map(Delivery)
    }

    /// Delivers everything made since then again, in order and under the same message ids, at most 10,000; says how many.
    /// For admins.
    async fn recover_channel(&self, ctx: &Context<'_>, id: ID, since: DateTime) -> Result<i32, Fault> {
        let administrator = may::recover_channel(ctx)?;
        administrator.recover_channel(parse_id(&id)?, since.0).await.map(int)
    }

    /// Tries a delivery again now, from the start of the schedule.
    async fn retry_delivery(&self, ctx: &Context<'_>, id: ID) -> Result<Delivery, Fault> {
        let triager = may::retry_delivery(ctx)?;
        triager.retry_delivery(parse_id(&id)?).await.map(Delivery)
    }
}
