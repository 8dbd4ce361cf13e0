//! Vendors, their integrations and postures. It must not know what a posture is made of.

use riskgraph_domain::id::{IntegrationId, VendorId};
use riskgraph_domain::page::{Page, PageRequest};
use riskgraph_domain::ports::VendorFilter;
use riskgraph_domain::posture::{Grade, Posture};
use riskgraph_domain::time::Timestamp;
use riskgraph_domain::vendor::{Integration, Vendor};
use sea_orm::sea_query::{Expr, ExprTrait, LikeExpr};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select};

use super::place::{List, Place, Way, page, rows_wanted};
use crate::codec::index_text;
use crate::db::Db;
use crate::error::StoreError;
use crate::rows::{integration as integration_rows, posture as posture_rows, vendor as rows, vendor_domain};
use crate::state::convert;

type Result<T> = std::result::Result<T, StoreError>;

/// Characters of a search text; `LIKE` walks every vendor with it.
const QUERY_MAX_CHARS: usize = 128;
/// Postures of a vendor that are listed: nearly three years of daily ones.
const POSTURES_MAX: u64 = 1_000;

pub(super) async fn list(db: &Db, filter: VendorFilter, request: PageRequest) -> Result<Page<Vendor>> {
    let query = filtered(filter);
    let total = query.clone().count(db.reader()).await?;
    let mut query = query;
    if let Some(place) = Place::<String>::open(List::Vendors, &request)? {
        query = query.filter(place.beyond(rows::Column::NameKey, rows::Column::Id, Way::Up));
    }
    let found = query
        .order_by_asc(rows::Column::NameKey)
        .order_by_asc(rows::Column::Id)
        .limit(rows_wanted(&request))
        .all(db.reader())
        .await?;
    let page = page(&request, found, |row| {
        let place = Place { key: row.name_key.clone(), id: row.id.clone() };
        Ok((place.seal(List::Vendors), convert::vendor(row)?))
    })?;
    Ok(Page { total: Some(total), ..page })
}

fn filtered(filter: VendorFilter) -> Select<rows::Entity> {
    let mut query = rows::Entity::find();
    if let Some(text) = filter.query.filter(|text| !text.is_empty()) {
        query = query.filter(Expr::col(rows::Column::Search).like(contains(&text)));
    }
    if !filter.tiers.is_empty() {
        query = query.filter(rows::Column::Tier.is_in(filter.tiers.into_iter().map(convert::tier)));
    }
    match filter.max_grade {
        None => query,
        Some(Grade::NR) => {
            query.filter(rows::Column::Grade.is_null().or(rows::Column::Grade.eq(convert::grade(Grade::NR))))
        }
        Some(grade) => query
            .filter(rows::Column::Grade.gte(convert::grade(grade)))
            .filter(rows::Column::Grade.lt(convert::grade(Grade::NR))),
    }
}

/// A pattern for texts that contain this one, literally and without case.
pub(super) fn contains(text: &str) -> LikeExpr {
    let mut pattern = String::from("%");
    for c in text.chars().take(QUERY_MAX_CHARS).flat_map(char::to_lowercase) {
        match c {
            '%' | '_' | '\\' => pattern.extend(['\\', c]),
            '\0' => pattern.push('\u{fffd}'),
            c => pattern.push(c),
        }
    }
    pattern.push('%');
    LikeExpr::new(pattern).escape('\\')
}

pub(super) async fn by_id(db: &Db, id: VendorId) -> Result<Option<Vendor>> {
    let row = rows::Entity::find_by_id(id.to_bytes().to_vec()).one(db.reader()).await?;
    row.as_ref().map(convert::vendor).transpose()
}

pub(super) async fn by_name(db: &Db, name: &str) -> Result<Option<Vendor>> {
    let row = rows::Entity::find()
        .filter(rows::Column::NameKey.eq(convert::fold(name)))
        .order_by_asc(rows::Column::Id)
        .one(db.reader())
        .await?;
    row.as_ref().map(convert::vendor).transpose()
}

pub(super) async fn by_domain(db: &Db, domain: &str) -> Result<Option<Vendor>> {
    let owner = vendor_domain::Entity::find()
        .filter(vendor_domain::Column::Domain.eq(convert::fold(domain)))
        .order_by_asc(vendor_domain::Column::VendorId)
        .one(db.reader())
        .await?;
    let Some(owner) = owner else { return Ok(None) };
    let row = rows::Entity::find_by_id(owner.vendor_id).one(db.reader()).await?;
    row.as_ref().map(convert::vendor).transpose()
}

pub(super) async fn integrations(db: &Db, vendor: Option<VendorId>, request: PageRequest) -> Result<Page<Integration>> {
    use integration_rows::{Column, Entity};
    let mut query = Entity::find();
    if let Some(vendor) = vendor {
        query = query.filter(Column::VendorId.eq(vendor.to_bytes().to_vec()));
    }
    let total = query.clone().count(db.reader()).await?;
    if let Some(place) = Place::<String>::open(List::Integrations, &request)? {
        query = query.filter(place.beyond(Column::Name, Column::Id, Way::Up));
    }
    let found =
        query.order_by_asc(Column::Name).order_by_asc(Column::Id).limit(rows_wanted(&request)).all(db.reader()).await?;
    let page = page(&request, found, |row| {
        let place = Place { key: row.name.clone(), id: row.id.clone() };
        Ok((place.seal(List::Integrations), convert::integration(row)?))
    })?;
    Ok(Page { total: Some(total), ..page })
}

pub(super) async fn integration(db: &Db, id: IntegrationId) -> Result<Option<Integration>> {
    let row = integration_rows::Entity::find_by_id(id.to_bytes().to_vec()).one(db.reader()).await?;
    row.as_ref().map(convert::integration).transpose()
}

pub(super) async fn integration_by_name(db: &Db, name: &str) -> Result<Option<Integration>> {
    let row = integration_rows::Entity::find()
        .filter(integration_rows::Column::Name.eq(index_text(name)))
        .order_by_asc(integration_rows::Column::Id)
        .one(db.reader())
        .await?;
    row.as_ref().map(convert::integration).transpose()
}

pub(super) async fn postures(db: &Db, vendor: VendorId, since: Option<Timestamp>) -> Result<Vec<Posture>> {
    use posture_rows::{Column, Entity};
    let mut query = Entity::find().filter(Column::VendorId.eq(vendor.to_bytes().to_vec()));
    if let Some(since) = since {
        query = query.filter(Column::AssessedAt.gte(since.millis()));
    }
    let found = query.order_by_desc(Column::AssessedAt).limit(POSTURES_MAX).all(db.reader()).await?;
    found.iter().map(convert::posture).collect()
}
