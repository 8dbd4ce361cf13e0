//! Findings. It must not know what checks mean.

use riskgraph_domain::id::FindingId;
use riskgraph_domain::page::{Page, PageRequest};
use riskgraph_domain::ports::FindingFilter;
use riskgraph_domain::posture::Finding;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::place::{List, Place, Way, page, rows_wanted};
use crate::codec::index_text;
use crate::db::Db;
use crate::error::StoreError;
use crate::rows::finding::{Column, Entity};
use crate::state::convert;

type Result<T> = std::result::Result<T, StoreError>;

pub(super) async fn list(db: &Db, filter: FindingFilter, request: PageRequest) -> Result<Page<Finding>> {
    let mut query = Entity::find();
    if let Some(vendor) = filter.vendor {
        query = query.filter(Column::VendorId.eq(vendor.to_bytes().to_vec()));
    }
    if let Some(check) = filter.check {
        query = query.filter(Column::CheckId.eq(index_text(&check)));
    }
    if !filter.status.is_empty() {
        query = query.filter(Column::Status.is_in(filter.status.iter().map(|status| status.as_str())));
    }
    if let Some(severity) = filter.min_severity {
        query = query.filter(Column::Severity.gte(convert::severity(severity)));
    }
    if let Some(place) = Place::<i16>::open(List::Findings, &request)? {
        query = query.filter(place.beyond(Column::Severity, Column::Id, Way::Down));
    }
    let found = query
        .order_by_desc(Column::Severity)
        .order_by_desc(Column::Id)
        .limit(rows_wanted(&request))
        .all(db.reader())
        .await?;
    page(&request, found, |row| {
        let place = Place { key: row.severity, id: row.id.clone() };
        Ok((place.seal(List::Findings), convert::finding(row)?))
    })
}

pub(super) async fn by_id(db: &Db, id: FindingId) -> Result<Option<Finding>> {
    let row = Entity::find_by_id(id.to_bytes().to_vec()).one(db.reader()).await?;
    row.as_ref().map(convert::finding).transpose()
}
