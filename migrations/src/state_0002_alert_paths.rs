//! What an alert's path touches, and how an integration finds its keys: for the alerts of a vendor. And room for
//! changes of the graph's rows on PostgreSQL.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::tables::Holds::Bytes;
use crate::tables::Layout::Clustered;
use crate::tables::{NewTable, index};

#[derive(Debug)]
pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "state_0002_alert_paths"
    }
}

/// Only the few relations of this kind are in the index: the many others do not pay for it.
const KEYS_INDEX: &str = "CREATE INDEX relation_uses_by_from_id ON relation (from_id) WHERE kind = 'USES'";
/// Room in a page for a new version of each of its rows: a change of a row then touches no index, and takes half the
/// time. After the first changes the tables are not larger for it, for the room is used again.
const ROOM: [&str; 2] = ["ALTER TABLE entity SET (fillfactor = 50)", "ALTER TABLE relation SET (fillfactor = 50)"];

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        NewTable {
            name: "alert_path",
            key: &["entity_id", "alert_id"],
            required: &[("entity_id", Bytes), ("alert_id", Bytes)],
            optional: &[],
            layout: Clustered,
        }
        .create(manager)
        .await?;
        index(manager, "alert_path", &["alert_id"]).await?;
        let db = manager.get_connection();
        db.execute_unprepared(KEYS_INDEX).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            for sql in ROOM {
                db.execute_unprepared(sql).await?;
            }
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
