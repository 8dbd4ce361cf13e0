//! The state: graph, signals, alerts, vendors, findings, checkpoints, jobs, tokens.

use sea_orm_migration::prelude::*;

use crate::tables::Holds::{Big, Bytes, Double, Small, Text};
use crate::tables::Layout::{Clustered, Heap};
use crate::tables::{NewTable, index};

#[derive(Debug)]
pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "state_0001_tables"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in graph().into_iter().chain(signals()).chain(alerts()).chain(vendors()).chain(operation()) {
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

/// Every index serves one list; the graph has none, because it is read whole, by id, at start.
const INDEXES: &[(&str, &[&str])] = &[
    ("signal", &["occurred_at", "id"]),
    ("signal", &["detector", "occurred_at", "id"]),
    ("alert", &["updated_at", "id"]),
    ("alert", &["status", "updated_at", "id"]),
    ("alert_entity", &["alert_id"]),
    ("alert_technique", &["alert_id"]),
    ("vendor", &["name_key", "id"]),
    ("vendor_domain", &["vendor_id"]),
    ("integration", &["name", "id"]),
    ("integration", &["vendor_id"]),
    ("finding", &["severity", "id"]),
    ("finding", &["vendor_id", "severity", "id"]),
    ("finding", &["check_id", "severity", "id"]),
    ("job", &["due_at", "key"]),
];

fn graph() -> Vec<NewTable> {
    vec![
        NewTable {
            name: "entity",
            key: &["id"],
            required: &[
                ("id", Bytes),
                ("kind", Text),
                ("key", Text),
                ("name", Text),
                ("attributes", Text),
                ("first_seen", Big),
                ("last_seen", Big),
            ],
            optional: &[],
            layout: Heap,
        },
        NewTable {
            name: "relation",
            key: &["id"],
            required: &[
                ("id", Bytes),
                ("kind", Text),
                ("from_id", Bytes),
                ("to_id", Bytes),
                ("first_seen", Big),
                ("last_seen", Big),
                ("confidence", Double),
                ("source", Text),
            ],
            optional: &[],
            layout: Heap,
        },
    ]
}

fn signals() -> Vec<NewTable> {
    vec![
        NewTable {
            name: "signal",
            key: &["id"],
            required: &[("id", Bytes), ("detector", Text), ("severity", Small), ("occurred_at", Big), ("body", Text)],
            optional: &[],
            layout: Heap,
        },
        NewTable {
            name: "signal_entity",
            key: &["entity_id", "occurred_at", "signal_id"],
            required: &[("entity_id", Bytes), ("occurred_at", Big), ("signal_id", Bytes)],
            optional: &[],
            layout: Clustered,
        },
        NewTable {
            name: "alert_signal",
            key: &["alert_id", "occurred_at", "signal_id"],
            required: &[("alert_id", Bytes), ("occurred_at", Big), ("signal_id", Bytes)],
            optional: &[],
            layout: Clustered,
        },
    ]
}

fn alerts() -> Vec<NewTable> {
    vec![
        NewTable {
            name: "alert",
            key: &["id"],
            required: &[("id", Bytes), ("status", Text), ("severity", Small), ("updated_at", Big), ("body", Text)],
            optional: &[],
            layout: Heap,
        },
        NewTable {
            name: "alert_entity",
            key: &["entity_id", "alert_id"],
            required: &[("entity_id", Bytes), ("alert_id", Bytes)],
            optional: &[],
            layout: Clustered,
        },
        NewTable {
            name: "alert_technique",
            key: &["technique", "alert_id"],
            required: &[("technique", Text), ("alert_id", Bytes)],
            optional: &[],
            layout: Clustered,
        },
        NewTable {
            name: "alert_event",
            key: &["sequence"],
            required: &[("sequence", Big), ("alert_id", Bytes), ("change", Text), ("n_bytes", Big), ("body", Bytes)],
            optional: &[],
            layout: Heap,
        },
    ]
}

fn vendors() -> Vec<NewTable> {
    vec![
        NewTable {
            name: "vendor",
            key: &["id"],
            required: &[("id", Bytes), ("name_key", Text), ("search", Text), ("tier", Small), ("body", Text)],
            optional: &[("grade", Small)],
            layout: Heap,
        },
        NewTable {
            name: "vendor_domain",
            key: &["domain", "vendor_id"],
            required: &[("domain", Text), ("vendor_id", Bytes)],
            optional: &[],
            layout: Clustered,
        },
        NewTable {
            name: "integration",
            key: &["id"],
            required: &[("id", Bytes), ("name", Text), ("entity_id", Bytes), ("body", Text)],
            optional: &[("vendor_id", Bytes)],
            layout: Heap,
        },
        NewTable {
            name: "posture",
            key: &["vendor_id", "assessed_at"],
            required: &[("vendor_id", Bytes), ("assessed_at", Big), ("grade", Small), ("body", Text)],
            optional: &[],
            layout: Heap,
        },
        NewTable {
            name: "finding",
            key: &["id"],
            required: &[("id", Bytes), ("check_id", Text), ("status", Text), ("severity", Small), ("body", Text)],
            optional: &[("vendor_id", Bytes)],
            layout: Heap,
        },
    ]
}

fn operation() -> Vec<NewTable> {
    vec![
        NewTable {
            name: "mark",
            key: &["name"],
            required: &[("name", Text), ("value", Big)],
            optional: &[],
            layout: Heap,
        },
        NewTable {
            name: "state_blob",
            key: &["name"],
            required: &[("name", Text), ("n_bytes", Big), ("data", Bytes)],
            optional: &[],
            layout: Heap,
        },
        NewTable {
            name: "checkpoint",
            key: &["position"],
            required: &[("position", Big), ("n_bytes", Big), ("n_parts", Big)],
            optional: &[],
            layout: Heap,
        },
        NewTable {
            name: "checkpoint_part",
            key: &["position", "part"],
            required: &[("position", Big), ("part", Big), ("data", Bytes)],
            optional: &[],
            layout: Heap,
        },
        NewTable {
            name: "job",
            key: &["key"],
            required: &[("key", Text), ("due_at", Big), ("attempts", Big)],
            optional: &[("lease_until", Big)],
            layout: Heap,
        },
        NewTable {
            name: "job_run",
            key: &["key"],
            required: &[("key", Text), ("finished_at", Big)],
            optional: &[],
            layout: Heap,
        },
        NewTable {
            name: "token",
            key: &["id"],
            required: &[("id", Bytes), ("created_at", Big), ("body", Text)],
            optional: &[("last_used_at", Big), ("revoked_at", Big)],
            layout: Heap,
        },
    ]
}
