//! Documents: what people set up, as versions.

use sea_orm_migration::prelude::*;

use crate::tables::Holds::{Big, Text};
use crate::tables::Layout::Heap;
use crate::tables::NewTable;

#[derive(Debug)]
pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "state_0008_documents"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        NewTable {
            name: "document",
            key: &["kind", "id", "version"],
            required: &[("kind", Text), ("id", Text), ("version", Big), ("body", Text), ("by", Text), ("at", Big)],
            optional: &[("note", Text)],
            layout: Heap,
        }
        .create(manager)
        .await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
