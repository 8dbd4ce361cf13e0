//! The list of deliveries. It must not know how one is sent.

use riskgraph_domain::delivery::{Delivery, DeliveryFilter};
use riskgraph_domain::page::{Page, PageRequest};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::place::{List, Place, Way, page, rows_wanted};
use crate::db::Db;
use crate::deliveries::convert;
use crate::error::StoreError;
use crate::rows::delivery as rows;

/// Newest first.
pub(crate) async fn list(db: &Db, filter: DeliveryFilter, request: PageRequest) -> Result<Page<Delivery>, StoreError> {
    use rows::Column;
    let mut query = rows::Entity::find();
    if let Some(channel) = filter.channel {
        query = query.filter(Column::ChannelId.eq(channel.to_bytes().to_vec()));
    }
    if let Some(alert) = filter.alert {
        query = query.filter(Column::AlertId.eq(alert.to_bytes().to_vec()));
    }
    if !filter.states.is_empty() {
        query = query.filter(Column::State.is_in(filter.states.iter().map(|state| state.as_str())));
    }
    if let Some(place) = Place::<i64>::open(List::Deliveries, &request)? {
        query = query.filter(place.beyond(Column::CreatedAt, Column::Id, Way::Down));
    }
    let found = query
        .order_by_desc(Column::CreatedAt)
        .order_by_desc(Column::Id)
        .limit(rows_wanted(&request))
        .all(db.reader())
        .await?;
    page(&request, found, |row| {
        let place = Place { key: row.created_at, id: row.id.clone() };
        Ok((place.seal(List::Deliveries), convert::delivery(row)?))
    })
}
