//! Sign-in sessions and one-time codes.

use sea_orm_migration::prelude::*;

use crate::tables::Holds::{Big, Bytes};
use crate::tables::Layout::Heap;
use crate::tables::{NewTable, index};

#[derive(Debug)]
pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "state_0007_sessions"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        NewTable {
            name: "session",
            key: &["key"],
            required: &[
                ("key", Bytes),
                ("token_id", Bytes),
                ("created_at", Big),
                ("last_used_at", Big),
                ("expires_at", Big),
            ],
            optional: &[],
            layout: Heap,
        }
        .create(manager)
        .await?;
        index(manager, "session", &["token_id"]).await?;
        NewTable {
            name: "sign_in_code",
            key: &["key"],
            required: &[("key", Bytes), ("token_id", Bytes), ("created_at", Big), ("expires_at", Big)],
            optional: &[],
            layout: Heap,
        }
        .create(manager)
        .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
