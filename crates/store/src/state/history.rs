//! Versions of what is otherwise only kept as it is now, in the transaction that changes it. It must not know what is told
//! of them.
//!
//! A version carries the journal position of the delta that brought it, so what was known at a position is exact, whatever
//! clocks said. A finding that is only seen again is no new version; one that never was bad has none.

use std::collections::HashMap;

use riskgraph_domain::journal::Position;
use riskgraph_domain::posture::{Finding, FindingStatus};
use riskgraph_domain::time::Timestamp;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};

use super::apply::IDS_A_STATEMENT;
use super::convert;
use crate::codec::big;
use crate::error::StoreError;
use crate::insert::{Clash, insert_all};
use crate::rows;

type Result<T> = std::result::Result<T, StoreError>;

/// Who says what a crawl saw, and the kinds of edges that say on whom somebody depends.
const CRAWL: &str = "crawl";
const DEPENDS: [&str; 3] = ["DEPENDS_ON", "RUNS", "LOADS"];

/// Keeps the vendors as they become.
pub(super) async fn vendors(tx: &DatabaseTransaction, vendors: &[rows::vendor::Model], at: Position) -> Result<()> {
    let rows = vendors
        .iter()
        .map(|row| rows::vendor_history::Model {
            vendor_id: row.id.clone(),
            position: big(at.0),
            body: row.body.clone(),
        })
        .collect();
    insert_all::<rows::vendor_history::Entity>(tx, rows, Clash::Replace).await?;
    Ok(())
}

/// Keeps the findings that become something else than they are. Called before their rows are replaced.
pub(super) async fn findings(tx: &DatabaseTransaction, findings: &[rows::finding::Model], at: Position) -> Result<()> {
    let mut kept = Vec::new();
    for findings in findings.chunks(IDS_A_STATEMENT) {
        let ids = findings.iter().map(|row| row.id.clone());
        let known: HashMap<Vec<u8>, rows::finding::Model> = rows::finding::Entity::find()
            .filter(rows::finding::Column::Id.is_in(ids))
            .all(tx)
            .await?
            .into_iter()
            .map(|row| (row.id.clone(), row))
            .collect();
        for row in findings {
            let Some(vendor_id) = row.vendor_id.clone() else { continue };
            if !is_news(known.get(&row.id), row)? {
                continue;
            }
            kept.push(rows::finding_history::Model {
                finding_id: row.id.clone(),
                position: big(at.0),
                vendor_id,
                body: row.body.clone(),
            });
        }
    }
    insert_all::<rows::finding_history::Entity>(tx, kept, Clash::Replace).await?;
    Ok(())
}

/// Whether a finding becomes something else than it is.
fn is_news(known: Option<&rows::finding::Model>, row: &rows::finding::Model) -> Result<bool> {
    let is_resolved = row.status == FindingStatus::Resolved.as_str();
    let Some(known) = known else { return Ok(!is_resolved) };
    if is_resolved && known.status == row.status {
        return Ok(false);
    }
    let timeless = |row: &rows::finding::Model| -> Result<Finding> {
        Ok(Finding { last_seen: Timestamp(0), ..convert::finding(row)? })
    };
    Ok(known.body != row.body && timeless(known)? != timeless(row)?)
}

/// Keeps since when somebody is known to depend on somebody. An edge seen again stays as it is.
pub(super) async fn fourth_parties(
    tx: &DatabaseTransaction,
    relations: &[rows::relation::Model],
    at: Position,
) -> Result<()> {
    let rows = relations
        .iter()
        .filter(|row| row.source == CRAWL && DEPENDS.contains(&row.kind.as_str()))
        .map(|row| rows::fourth_party::Model {
            relation_id: row.id.clone(),
            position: big(at.0),
            kind: row.kind.clone(),
            from_id: row.from_id.clone(),
            to_id: row.to_id.clone(),
            first_seen: row.first_seen,
        })
        .collect();
    insert_all::<rows::fourth_party::Entity>(tx, rows, Clash::Keep).await?;
    Ok(())
}

/// A removed vendor leaves no past behind.
pub(super) async fn forget(tx: &DatabaseTransaction, vendors: Vec<Vec<u8>>) -> Result<()> {
    rows::vendor_history::Entity::delete_many()
        .filter(rows::vendor_history::Column::VendorId.is_in(vendors.clone()))
        .exec(tx)
        .await?;
    rows::finding_history::Entity::delete_many()
        .filter(rows::finding_history::Column::VendorId.is_in(vendors))
        .exec(tx)
        .await?;
    Ok(())
}
