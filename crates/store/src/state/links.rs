//! Links of alerts that need a look at other rows first. It must not know what an alert is.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect};

use super::apply::IDS_A_STATEMENT;
use crate::error::StoreError;
use crate::insert::{Clash, insert_all, last_of_each};
use crate::rows;

type Result<T> = std::result::Result<T, StoreError>;

/// Links alerts to what the relations of their paths join, so that an alert is found by a node it only passes. A
/// relation that is not there is left out.
pub(super) async fn paths(tx: &DatabaseTransaction, links: &[(Vec<u8>, Vec<u8>)]) -> Result<()> {
    use rows::relation::Column;
    for links in links.chunks(IDS_A_STATEMENT) {
        let ids = links.iter().map(|(_, relation)| relation.clone());
        let ends: HashMap<Vec<u8>, [Vec<u8>; 2]> = rows::relation::Entity::find()
            .select_only()
            .columns([Column::Id, Column::FromId, Column::ToId])
            .filter(Column::Id.is_in(ids))
            .into_tuple::<(Vec<u8>, Vec<u8>, Vec<u8>)>()
            .all(tx)
            .await?
            .into_iter()
            .map(|(id, from, to)| (id, [from, to]))
            .collect();
        let rows = links
            .iter()
            .filter_map(|(alert_id, relation)| Some((alert_id, ends.get(relation)?)))
            .flat_map(|(alert_id, ends)| {
                ends.iter().map(|entity_id| rows::alert_path::Model {
                    entity_id: entity_id.clone(),
                    alert_id: alert_id.clone(),
                })
            })
            .collect();
        let rows = last_of_each(rows, |row: &rows::alert_path::Model| (row.entity_id.clone(), row.alert_id.clone()));
        insert_all::<rows::alert_path::Entity>(tx, rows, Clash::Keep).await?;
    }
    Ok(())
}

/// Links signals to alerts, with when they occurred, so that the list of an alert's signals is one walk of the key. A
/// link to a signal that is not there is left out: there is nothing it could show.
pub(super) async fn signals(tx: &DatabaseTransaction, links: &[(Vec<u8>, Vec<u8>)]) -> Result<()> {
    for links in links.chunks(IDS_A_STATEMENT) {
        let ids = links.iter().map(|(_, signal)| signal.clone());
        let times: HashMap<Vec<u8>, i64> = rows::signal::Entity::find()
            .select_only()
            .columns([rows::signal::Column::Id, rows::signal::Column::OccurredAt])
            .filter(rows::signal::Column::Id.is_in(ids))
            .into_tuple::<(Vec<u8>, i64)>()
            .all(tx)
            .await?
            .into_iter()
            .collect();
        let rows = links
            .iter()
            .filter_map(|(alert_id, signal_id)| {
                times.get(signal_id).map(|&occurred_at| rows::alert_signal::Model {
                    alert_id: alert_id.clone(),
                    occurred_at,
                    signal_id: signal_id.clone(),
                })
            })
            .collect();
        insert_all::<rows::alert_signal::Entity>(tx, rows, Clash::Keep).await?;
    }
    Ok(())
}
