//! Deliveries and how channels do. It must not know what a message says or how it is sent.
//!
//! Deliveries of one lane (of one channel: an alert's) go in order: only the first open one has a time it is due at, the
//! others are blocked until it is done. Everything is written by the one writer, so that planning, settling and asking again
//! never cross.

mod again;
mod channels;
pub(crate) mod convert;
mod plan;
mod send;

use async_trait::async_trait;
use riskgraph_domain::delivery::{
    Census, ChannelPlan, ChannelState, Deliveries, Delivery, DeliveryFilter, Disabled, Due, Settled, Told,
};
use riskgraph_domain::error::Fault;
use riskgraph_domain::id::{AlertId, ChannelId, DeliveryId};
use riskgraph_domain::page::{Page, PageRequest};
use riskgraph_domain::time::Timestamp;
use sea_orm::EntityTrait;

use crate::error::StoreError;
use crate::records;
use crate::rows::delivery;
use crate::state::SqlState;

type Result<T> = std::result::Result<T, Fault>;

/// The time a blocked delivery is due at.
const BLOCKED: i64 = i64::MAX;

#[async_trait]
impl Deliveries for SqlState {
    async fn open_channel(&self, channel: ChannelId, cursor: u64, now: Timestamp) -> Result<()> {
        Ok(channels::open(&self.db, channel, cursor, now).await?)
    }

    async fn close_channel(&self, channel: ChannelId) -> Result<()> {
        Ok(channels::close(&self.db, channel).await?)
    }

    async fn channel_states(&self) -> Result<Vec<ChannelState>> {
        Ok(channels::states(&self.db, None).await?)
    }

    async fn channel_state(&self, channel: ChannelId) -> Result<Option<ChannelState>> {
        Ok(channels::states(&self.db, Some(channel)).await?.into_iter().next())
    }

    async fn set_disabled(&self, channel: ChannelId, disabled: Option<Disabled>) -> Result<()> {
        Ok(channels::set_disabled(&self.db, channel, disabled).await?)
    }

    async fn plan(&self, plans: Vec<ChannelPlan>) -> Result<()> {
        Ok(plan::write(&self.db, plans).await?)
    }

    async fn told(&self, channel: ChannelId, alerts: &[AlertId]) -> Result<Vec<Told>> {
        Ok(plan::told(&self.db, channel, alerts).await?)
    }

    async fn repeats_due(
        &self,
        channel: ChannelId,
        before: Timestamp,
        now: Timestamp,
        max: usize,
    ) -> Result<Vec<Told>> {
        Ok(plan::repeats_due(&self.db, channel, (before, now), max).await?)
    }

    async fn due(&self, channel: ChannelId, now: Timestamp, max: usize) -> Result<Vec<Due>> {
        Ok(send::due(&self.db, channel, now, max).await?)
    }

    async fn next_due(&self, channel: ChannelId) -> Result<Option<Timestamp>> {
        Ok(send::next_due(&self.db, channel).await?)
    }

    async fn settle(&self, settled: Settled) -> Result<i64> {
        Ok(send::settle(&self.db, settled).await?)
    }

    async fn delivery(&self, id: DeliveryId) -> Result<Option<Delivery>> {
        let row = delivery::Entity::find_by_id(id.to_bytes().to_vec()).one(self.db.reader()).await;
        let row = row.map_err(StoreError::Database)?;
        Ok(row.as_ref().map(convert::delivery).transpose()?)
    }

    async fn deliveries(&self, filter: DeliveryFilter, page: PageRequest) -> Result<Page<Delivery>> {
        Ok(records::deliveries::list(&self.db, filter, page).await?)
    }

    async fn retry(&self, id: DeliveryId, now: Timestamp) -> Result<bool> {
        Ok(again::retry(&self.db, id, now).await?)
    }

    async fn recover(&self, channel: ChannelId, since: Timestamp, now: Timestamp, max: usize) -> Result<u64> {
        Ok(again::recover(&self.db, channel, (since, now), max).await?)
    }

    async fn census(&self) -> Result<Census> {
        Ok(channels::census(&self.db).await?)
    }
}
