//! A desk without channels.

use async_trait::async_trait;
use riskgraph_domain::access::Viewer;
use riskgraph_domain::delivery::{ChannelInput, ChannelView, Delivery, DeliveryDesk, DeliveryFilter, Notice};
use riskgraph_domain::error::Fault;
use riskgraph_domain::id::{ChannelId, DeliveryId};
use riskgraph_domain::page::{Page, PageRequest};
use riskgraph_domain::secret::Secret;
use riskgraph_domain::text::Text;
use riskgraph_domain::time::Timestamp;

use super::World;

type Result<T> = std::result::Result<T, Fault>;

fn none<T>() -> Result<T> {
    Err(Fault::not_found("channel"))
}

#[async_trait]
impl DeliveryDesk for World {
    async fn channels(&self, _: PageRequest) -> Result<Page<ChannelView>> {
        Ok(Page::default())
    }
    async fn channel(&self, _: ChannelId) -> Result<Option<ChannelView>> {
        Ok(None)
    }
    async fn create(&self, _: &Viewer, _: ChannelInput) -> Result<(ChannelView, Option<Secret>)> {
        none()
    }
    async fn update(&self, _: &Viewer, _: ChannelId, _: ChannelInput) -> Result<ChannelView> {
        none()
    }
    async fn remove(&self, _: ChannelId) -> Result<bool> {
        Ok(false)
    }
    async fn enable(&self, _: ChannelId) -> Result<ChannelView> {
        none()
    }
    async fn disable(&self, _: ChannelId, _: String) -> Result<ChannelView> {
        none()
    }
    async fn rotate(&self, _: &Viewer, _: ChannelId) -> Result<(ChannelView, Option<Secret>)> {
        none()
    }
    async fn test(&self, _: &Viewer, _: ChannelId) -> Result<Delivery> {
        none()
    }
    async fn recover(&self, _: ChannelId, _: Timestamp) -> Result<u64> {
        none()
    }
    async fn retry(&self, _: DeliveryId) -> Result<Delivery> {
        none()
    }
    async fn delivery(&self, _: DeliveryId) -> Result<Option<Delivery>> {
        Ok(None)
    }
    async fn deliveries(&self, _: DeliveryFilter, _: PageRequest) -> Result<Page<Delivery>> {
        Ok(Page::default())
    }
    async fn tell(&self, _: ChannelId, _: Text, _: Notice) -> Result<DeliveryId> {
        none()
    }
}
