//! Runs of playbooks, their steps at their targets, and the approvals they wait for.

use sea_orm_migration::prelude::*;

use crate::tables::Holds::{Big, Bytes, Small, Text};
use crate::tables::Layout::{Clustered, Heap};
use crate::tables::{NewTable, index};

#[derive(Debug)]
pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "state_0005_runs"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let run = NewTable {
            name: "run",
            key: &["id"],
            required: &[
                ("id", Bytes),
                ("ordinal", Big),
                ("playbook_id", Bytes),
                ("alert_id", Bytes),
                ("state", Text),
                ("active", Small),
                ("started_at", Big),
                ("body", Text),
                ("plan", Text),
            ],
            optional: &[("contained_ms", Big)],
            layout: Heap,
        };
        run.create(manager).await?;
        index(manager, "run", &["started_at", "id"]).await?;
        index(manager, "run", &["alert_id", "started_at"]).await?;
        index(manager, "run", &["playbook_id", "started_at"]).await?;
        index(manager, "run", &["active", "ordinal"]).await?;
        index(manager, "run", &["ordinal"]).await?;
        let step = NewTable {
            name: "run_step",
            key: &["run_id", "place"],
            required: &[("run_id", Bytes), ("place", Big), ("state", Text), ("body", Text)],
            optional: &[("began_at", Big), ("ends_at", Big)],
            layout: Clustered,
        };
        step.create(manager).await?;
        index(manager, "run_step", &["ends_at"]).await?;
        index(manager, "run_step", &["began_at"]).await?;
        let approval = NewTable {
            name: "approval",
            key: &["id"],
            required: &[("id", Bytes), ("run_id", Bytes), ("state", Text), ("created_at", Big), ("body", Text)],
            optional: &[],
            layout: Heap,
        };
        approval.create(manager).await?;
        index(manager, "approval", &["run_id"]).await?;
        index(manager, "approval", &["created_at", "id"]).await?;
        let cursor = NewTable {
            name: "run_cursor",
            key: &["consumer"],
            required: &[("consumer", Text), ("sequence", Big)],
            optional: &[],
            layout: Heap,
        };
        cursor.create(manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
