//! Deliveries: what is told to whom, how each channel does, and what it has told of each alert.

use sea_orm_migration::prelude::*;

use crate::tables::Holds::{Big, Bytes, Small, Text};
use crate::tables::Layout::{Clustered, Heap};
use crate::tables::{NewTable, index};

#[derive(Debug)]
pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "state_0004_delivery"
    }
}

/// The first two serve the dispatcher, the third the counts of a channel, the rest the lists, newest first.
const INDEXES: &[(&str, &[&str])] = &[
    ("delivery", &["channel_id", "open", "due_at", "place"]),
    ("delivery", &["channel_id", "lane", "open", "place"]),
    ("delivery", &["channel_id", "state"]),
    ("delivery", &["created_at", "id"]),
    ("delivery", &["channel_id", "created_at", "id"]),
    ("delivery", &["alert_id", "created_at", "id"]),
    ("delivery", &["state", "created_at", "id"]),
    ("delivery_told", &["channel_id", "repeats", "told_at"]),
];

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables() {
            table.create(manager).await?;
        }
        for (table, columns) in INDEXES {
            index(manager, table, columns).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn tables() -> [NewTable; 3] {
    [
        NewTable {
            name: "delivery",
            key: &["id"],
            required: &[
                ("id", Bytes),
                ("channel_id", Bytes),
                // Counts the deliveries of the channel: the order they were made in.
                ("place", Big),
                // What is delivered in order: the alert, or what stands for it.
                ("lane", Bytes),
                ("sequence", Big),
                ("state", Text),
                // 1 until it is delivered or dead.
                ("open", Small),
                ("created_at", Big),
                // The largest number while an earlier delivery of the lane is open.
                ("due_at", Big),
                ("delay_ms", Big),
                ("wait_until", Big),
                ("n_failed", Big),
                // 1 once it was given out: nothing is folded into it any more.
                ("closed", Small),
                ("tries", Small),
                ("subject", Text),
                ("changes", Text),
                ("attempts", Text),
                ("n_bytes", Big),
                ("body", Bytes),
            ],
            optional: &[("alert_id", Bytes), ("delivered_at", Big)],
            layout: Heap,
        },
        NewTable {
            name: "delivery_channel",
            key: &["channel_id"],
            required: &[
                ("channel_id", Bytes),
                ("cursor", Big),
                ("next_place", Big),
                ("digest_at", Big),
                ("failing_ms", Big),
            ],
            optional: &[
                ("last_failure_at", Big),
                ("last_delivered_at", Big),
                ("disabled_at", Big),
                ("disabled_reason", Text),
            ],
            layout: Heap,
        },
        NewTable {
            name: "delivery_told",
            key: &["channel_id", "alert_id"],
            required: &[
                ("channel_id", Bytes),
                ("alert_id", Bytes),
                ("sequence", Big),
                ("told_at", Big),
                ("repeats", Small),
                ("n_repeats", Big),
            ],
            optional: &[],
            layout: Clustered,
        },
    ]
}
