//! The audit log: one row per entry, and the places where it may be cut.

use sea_orm_migration::prelude::*;

use crate::tables::Holds::{Big, Bytes, Text};
use crate::tables::Layout::Heap;
use crate::tables::{NewTable, index};

#[derive(Debug)]
pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "audit_0001_entries"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        NewTable {
            name: "audit_entry",
            key: &["sequence"],
            required: &[
                ("sequence", Big),
                ("at", Big),
                ("actor", Text),
                ("action", Text),
                ("previous", Bytes),
                ("hash", Bytes),
                ("body", Text),
            ],
            optional: &[],
            layout: Heap,
        }
        .create(manager)
        .await?;
        index(manager, "audit_entry", &["actor", "sequence"]).await?;
        index(manager, "audit_entry", &["action", "sequence"]).await?;
        NewTable {
            name: "audit_anchor",
            key: &["sequence"],
            required: &[("sequence", Big), ("at", Big), ("hash", Bytes)],
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
