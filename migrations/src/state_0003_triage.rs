//! Silences, cases, and what alerts are found by when people work on them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::tables::Holds::{Big, Bytes, Small, Text};
use crate::tables::Layout::{Clustered, Heap};
use crate::tables::{NewTable, index};

#[derive(Debug)]
pub(crate) struct Step;

impl MigrationName for Step {
    fn name(&self) -> &str {
        "state_0003_triage"
    }
}

/// Few alerts are muted or overdue at a time: the indexes hold only those.
const FLAGS: [&str; 2] = [
    "CREATE INDEX alert_triage_muted ON alert_triage (alert_id) WHERE muted = 1",
    "CREATE INDEX alert_triage_overdue ON alert_triage (alert_id) WHERE overdue = 1",
];
/// Alerts of before are found by their texts too.
const FILL_SQLITE: &str = "INSERT INTO alert_triage (alert_id, muted, overdue, search, assignee, verdict) \
    SELECT id, 0, 0, lower(substr(json_extract(body, '$.title') || char(10) || json_extract(body, '$.summary'), 1, 1024)), \
    lower(json_extract(body, '$.assignee')), json_extract(body, '$.verdict') FROM alert";
const FILL_POSTGRES: &str = "INSERT INTO alert_triage (alert_id, muted, overdue, search, assignee, verdict) \
    SELECT id, 0, 0, lower(substr((body::json->>'title') || chr(10) || (body::json->>'summary'), 1, 1024)), \
    lower(body::json->>'assignee'), body::json->>'verdict' FROM alert WHERE position('\\u0000' in body) = 0";

#[async_trait::async_trait]
impl MigrationTrait for Step {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables() {
            table.create(manager).await?;
        }
        for (table, columns) in INDEXES {
            index(manager, table, columns).await?;
        }
        let db = manager.get_connection();
        for sql in FLAGS {
            db.execute_unprepared(sql).await?;
        }
        let is_postgres = manager.get_database_backend() == DbBackend::Postgres;
        db.execute_unprepared(if is_postgres { FILL_POSTGRES } else { FILL_SQLITE }).await?;
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

const INDEXES: &[(&str, &[&str])] = &[
    ("silence", &["ends_at", "id"]),
    ("case_file", &["updated_at", "id"]),
    ("case_file", &["status", "updated_at", "id"]),
    ("alert_triage", &["assignee"]),
    ("alert_triage", &["verdict"]),
];

fn tables() -> Vec<NewTable> {
    vec![
        NewTable {
            name: "silence",
            key: &["id"],
            required: &[("id", Bytes), ("state", Text), ("ends_at", Big), ("body", Text)],
            optional: &[],
            layout: Heap,
        },
        NewTable {
            name: "case_file",
            key: &["id"],
            required: &[
                ("id", Bytes),
                ("status", Text),
                ("archived", Small),
                ("updated_at", Big),
                ("search", Text),
                ("body", Text),
            ],
            optional: &[],
            layout: Heap,
        },
        NewTable {
            name: "case_alert",
            key: &["case_id", "alert_id"],
            required: &[("case_id", Bytes), ("alert_id", Bytes)],
            optional: &[],
            layout: Clustered,
        },
        NewTable {
            name: "alert_triage",
            key: &["alert_id"],
            required: &[("alert_id", Bytes), ("muted", Small), ("overdue", Small), ("search", Text)],
            optional: &[("assignee", Text), ("verdict", Text)],
            layout: Clustered,
        },
    ]
}
