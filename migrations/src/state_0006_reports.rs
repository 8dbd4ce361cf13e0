//! What was known when, and the reports made of it: versions of vendors and findings, cuts, reports, their files and links.

use sea_orm_migration::prelude::*;

use crate::tables::Holds::{Big, Bytes, Small, Text};
use crate::tables::Layout::{Clustered, Heap};
use crate::tables::{NewTable, index};

#[derive(Debug)]
pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "state_0006_reports"
    }
}

/// What is there already was always known, as far as anybody can tell now.
const KNOWN_SO_FAR: &[&str] = &[
    "ALTER TABLE posture ADD COLUMN position BIGINT NULL",
    "INSERT INTO vendor_history (vendor_id, position, body) SELECT id, 0, body FROM vendor",
    "INSERT INTO finding_history (finding_id, position, vendor_id, body) \
     SELECT id, 0, vendor_id, body FROM finding WHERE status <> 'RESOLVED' AND vendor_id IS NOT NULL",
    "INSERT INTO fourth_party (relation_id, position, kind, from_id, to_id, first_seen) \
     SELECT id, 0, kind, from_id, to_id, first_seen FROM relation \
     WHERE source = 'crawl' AND kind IN ('DEPENDS_ON', 'RUNS', 'LOADS')",
];

const INDEXES: &[(&str, &[&str])] = &[
    ("finding_history", &["position"]),
    ("finding_history", &["vendor_id"]),
    // The last change of each alert before a place in the sequence.
    ("alert_event", &["alert_id", "sequence"]),
    ("report", &["created_at", "id"]),
    ("report", &["kind", "created_at", "id"]),
    ("report", &["schedule_id", "as_of"]),
    ("report_share", &["secret_hash"]),
    ("report_share", &["report_id"]),
];

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in history().into_iter().chain(reports()) {
            table.create(manager).await?;
        }
        for (table, columns) in INDEXES {
            index(manager, table, columns).await?;
        }
        let db = manager.get_connection();
        for sql in KNOWN_SO_FAR {
            db.execute_unprepared(sql).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

fn history() -> Vec<NewTable> {
    vec![
        NewTable {
            name: "vendor_history",
            key: &["vendor_id", "position"],
            required: &[("vendor_id", Bytes), ("position", Big), ("body", Text)],
            optional: &[],
            layout: Heap,
        },
        NewTable {
            name: "finding_history",
            key: &["finding_id", "position"],
            required: &[("finding_id", Bytes), ("position", Big), ("vendor_id", Bytes), ("body", Text)],
            optional: &[],
            layout: Heap,
        },
        NewTable {
            name: "fourth_party",
            key: &["relation_id"],
            required: &[
                ("relation_id", Bytes),
                ("position", Big),
                ("kind", Text),
                ("from_id", Bytes),
                ("to_id", Bytes),
                ("first_seen", Big),
            ],
            optional: &[],
            layout: Heap,
        },
        NewTable {
            name: "report_cut",
            key: &["at"],
            required: &[("at", Big), ("position", Big), ("sequence", Big), ("n_events", Big)],
            optional: &[],
            layout: Clustered,
        },
    ]
}

fn reports() -> Vec<NewTable> {
    vec![
        NewTable {
            name: "report",
            key: &["id"],
            required: &[
                ("id", Bytes),
                ("kind", Text),
                ("as_of", Big),
                ("created_at", Big),
                ("body", Text),
                ("sent", Small),
            ],
            optional: &[("schedule_id", Bytes)],
            layout: Heap,
        },
        NewTable {
            name: "report_file",
            key: &["report_id", "format"],
            required: &[("report_id", Bytes), ("format", Text), ("n_bytes", Big), ("data", Bytes)],
            optional: &[],
            layout: Heap,
        },
        NewTable {
            name: "report_share",
            key: &["id"],
            required: &[
                ("id", Bytes),
                ("report_id", Bytes),
                ("secret_hash", Text),
                ("created_at", Big),
                ("expires_at", Big),
                ("body", Text),
                ("opened", Big),
                ("revoked", Small),
            ],
            optional: &[],
            layout: Heap,
        },
    ]
}
