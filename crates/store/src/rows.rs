//! One type per table, for sea-orm. They never leave this crate; the tables themselves are made by the migrations.

#![expect(unreachable_pub, reason = "the derives make public items inside these private modules")]

macro_rules! row {
    ($(#[$doc:meta])* $module:ident, $table:tt { $($(#[$attr:meta])* $field:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        pub(crate) mod $module {
            use sea_orm::entity::prelude::*;

            #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
            #[sea_orm(table_name = $table)]
            pub struct Model {
                $($(#[$attr])* pub $field: $type,)*
            }

            #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
            pub enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}
        }
    };
}

row!(journal, "journal" {
    #[sea_orm(primary_key, auto_increment = false)]
    first: i64,
    n_records: i64,
    accepted_at: i64,
    n_bytes: i64,
    identities: Vec<u8>,
    lines: Vec<u8>,
});
row!(journal_mark, "journal_mark" {
    #[sea_orm(primary_key, auto_increment = false)]
    name: String,
    value: i64,
});
row!(entity, "entity" {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Vec<u8>,
    kind: String,
    key: String,
    name: String,
    attributes: String,
    first_seen: i64,
    last_seen: i64,
});
row!(relation, "relation" {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Vec<u8>,
    kind: String,
    from_id: Vec<u8>,
    to_id: Vec<u8>,
    first_seen: i64,
    last_seen: i64,
    confidence: f64,
    source: String,
});
row!(signal, "signal" {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Vec<u8>,
    detector: String,
    severity: i16,
    occurred_at: i64,
    body: String,
});
row!(signal_entity, "signal_entity" {
    #[sea_orm(primary_key, auto_increment = false)]
    entity_id: Vec<u8>,
    #[sea_orm(primary_key, auto_increment = false)]
    occurred_at: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    signal_id: Vec<u8>,
});
row!(alert_signal, "alert_signal" {
    #[sea_orm(primary_key, auto_increment = false)]
    alert_id: Vec<u8>,
    #[sea_orm(primary_key, auto_increment = false)]
    occurred_at: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    signal_id: Vec<u8>,
});
row!(alert, "alert" {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Vec<u8>,
    status: String,
    severity: i16,
    updated_at: i64,
    body: String,
});
row!(alert_entity, "alert_entity" {
    #[sea_orm(primary_key, auto_increment = false)]
    entity_id: Vec<u8>,
    #[sea_orm(primary_key, auto_increment = false)]
    alert_id: Vec<u8>,
});
row!(alert_path, "alert_path" {
    #[sea_orm(primary_key, auto_increment = false)]
    entity_id: Vec<u8>,
    #[sea_orm(primary_key, auto_increment = false)]
    alert_id: Vec<u8>,
});
row!(alert_technique, "alert_technique" {
    #[sea_orm(primary_key, auto_increment = false)]
    technique: String,
    #[sea_orm(primary_key, auto_increment = false)]
    alert_id: Vec<u8>,
});
row!(alert_event, "alert_event" {
    #[sea_orm(primary_key, auto_increment = false)]
    sequence: i64,
    alert_id: Vec<u8>,
    change: String,
    n_bytes: i64,
    body: Vec<u8>,
});
row!(alert_triage, "alert_triage" {
    #[sea_orm(primary_key, auto_increment = false)]
    alert_id: Vec<u8>,
    muted: i16,
    overdue: i16,
    search: String,
    assignee: Option<String>,
    verdict: Option<String>,
});
row!(silence, "silence" {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Vec<u8>,
    state: String,
    ends_at: i64,
    body: String,
});
row!(case_file, "case_file" {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Vec<u8>,
    status: String,
    archived: i16,
    updated_at: i64,
    search: String,
    body: String,
});
row!(case_alert, "case_alert" {
    #[sea_orm(primary_key, auto_increment = false)]
    case_id: Vec<u8>,
    #[sea_orm(primary_key, auto_increment = false)]
    alert_id: Vec<u8>,
});
row!(vendor, "vendor" {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Vec<u8>,
    name_key: String,
    search: String,
    tier: i16,
    body: String,
    grade: Option<i16>,
});
row!(vendor_domain, "vendor_domain" {
    #[sea_orm(primary_key, auto_increment = false)]
    domain: String,
    #[sea_orm(primary_key, auto_increment = false)]
    vendor_id: Vec<u8>,
});
row!(integration, "integration" {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Vec<u8>,
    name: String,
    entity_id: Vec<u8>,
    body: String,
    vendor_id: Option<Vec<u8>>,
});
row!(posture, "posture" {
    #[sea_orm(primary_key, auto_increment = false)]
    vendor_id: Vec<u8>,
    #[sea_orm(primary_key, auto_increment = false)]
    assessed_at: i64,
    grade: i16,
    body: String,
    position: Option<i64>,
});
row!(finding, "finding" {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Vec<u8>,
    check_id: String,
    status: String,
    severity: i16,
    body: String,
    vendor_id: Option<Vec<u8>>,
});
row!(mark, "mark" {
    #[sea_orm(primary_key, auto_increment = false)]
    name: String,
    value: i64,
});
row!(state_blob, "state_blob" {
    #[sea_orm(primary_key, auto_increment = false)]
    name: String,
    n_bytes: i64,
    data: Vec<u8>,
});
row!(checkpoint, "checkpoint" {
    #[sea_orm(primary_key, auto_increment = false)]
    position: i64,
    n_bytes: i64,
    n_parts: i64,
});
row!(checkpoint_part, "checkpoint_part" {
    #[sea_orm(primary_key, auto_increment = false)]
    position: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    part: i64,
    data: Vec<u8>,
});
row!(job, "job" {
    #[sea_orm(primary_key, auto_increment = false)]
    key: String,
    due_at: i64,
    attempts: i64,
    lease_until: Option<i64>,
});
row!(job_run, "job_run" {
    #[sea_orm(primary_key, auto_increment = false)]
    key: String,
    finished_at: i64,
});
row!(token, "token" {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Vec<u8>,
    created_at: i64,
    body: String,
    last_used_at: Option<i64>,
    revoked_at: Option<i64>,
});
row!(document, "document" {
    #[sea_orm(primary_key, auto_increment = false)]
    kind: String,
    #[sea_orm(primary_key, auto_increment = false)]
    id: String,
    #[sea_orm(primary_key, auto_increment = false)]
    version: i64,
    body: String,
    by: String,
    at: i64,
    note: Option<String>,
});
row!(session, "session" {
    #[sea_orm(primary_key, auto_increment = false)]
    key: Vec<u8>,
    token_id: Vec<u8>,
    created_at: i64,
    last_used_at: i64,
    expires_at: i64,
});
row!(sign_in_code, "sign_in_code" {
    #[sea_orm(primary_key, auto_increment = false)]
    key: Vec<u8>,
    token_id: Vec<u8>,
    created_at: i64,
    expires_at: i64,
});
row!(vendor_history, "vendor_history" {
    #[sea_orm(primary_key, auto_increment = false)]
    vendor_id: Vec<u8>,
    #[sea_orm(primary_key, auto_increment = false)]
    position: i64,
    body: String,
});
row!(finding_history, "finding_history" {
    #[sea_orm(primary_key, auto_increment = false)]
    finding_id: Vec<u8>,
    #[sea_orm(primary_key, auto_increment = false)]
    position: i64,
    vendor_id: Vec<u8>,
    body: String,
});
row!(fourth_party, "fourth_party" {
    #[sea_orm(primary_key, auto_increment = false)]
    relation_id: Vec<u8>,
    position: i64,
    kind: String,
    from_id: Vec<u8>,
    to_id: Vec<u8>,
    first_seen: i64,
});
row!(report_cut, "report_cut" {
    #[sea_orm(primary_key, auto_increment = false)]
    at: i64,
    position: i64,
    sequence: i64,
    n_events: i64,
});
row!(report, "report" {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Vec<u8>,
    kind: String,
    as_of: i64,
    created_at: i64,
    body: String,
    sent: i16,
    schedule_id: Option<Vec<u8>>,
});
row!(report_file, "report_file" {
    #[sea_orm(primary_key, auto_increment = false)]
    report_id: Vec<u8>,
    #[sea_orm(primary_key, auto_increment = false)]
    format: String,
    n_bytes: i64,
    data: Vec<u8>,
});
row!(report_share, "report_share" {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Vec<u8>,
    report_id: Vec<u8>,
    secret_hash: String,
    created_at: i64,
    expires_at: i64,
    body: String,
    opened: i64,
    revoked: i16,
});
row!(delivery, "delivery" {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Vec<u8>,
    channel_id: Vec<u8>,
    place: i64,
    lane: Vec<u8>,
    sequence: i64,
    state: String,
    open: i16,
    created_at: i64,
    due_at: i64,
    delay_ms: i64,
    wait_until: i64,
    n_failed: i64,
    closed: i16,
    tries: i16,
    subject: String,
    changes: String,
    attempts: String,
    n_bytes: i64,
    body: Vec<u8>,
    alert_id: Option<Vec<u8>>,
    delivered_at: Option<i64>,
});
row!(delivery_channel, "delivery_channel" {
    #[sea_orm(primary_key, auto_increment = false)]
    channel_id: Vec<u8>,
    cursor: i64,
    next_place: i64,
    digest_at: i64,
    failing_ms: i64,
    last_failure_at: Option<i64>,
    last_delivered_at: Option<i64>,
    disabled_at: Option<i64>,
    disabled_reason: Option<String>,
});
row!(delivery_told, "delivery_told" {
    #[sea_orm(primary_key, auto_increment = false)]
    channel_id: Vec<u8>,
    #[sea_orm(primary_key, auto_increment = false)]
    alert_id: Vec<u8>,
    sequence: i64,
    told_at: i64,
    repeats: i16,
    n_repeats: i64,
});
row!(run, "run" {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Vec<u8>,
    ordinal: i64,
    playbook_id: Vec<u8>,
    alert_id: Vec<u8>,
    state: String,
    active: i16,
    started_at: i64,
    body: String,
    plan: String,
    contained_ms: Option<i64>,
});
row!(run_step, "run_step" {
    #[sea_orm(primary_key, auto_increment = false)]
    run_id: Vec<u8>,
    #[sea_orm(primary_key, auto_increment = false)]
    place: i64,
    state: String,
    body: String,
    began_at: Option<i64>,
    ends_at: Option<i64>,
});
row!(approval, "approval" {
    #[sea_orm(primary_key, auto_increment = false)]
    id: Vec<u8>,
    run_id: Vec<u8>,
    state: String,
    created_at: i64,
    body: String,
});
row!(run_cursor, "run_cursor" {
    #[sea_orm(primary_key, auto_increment = false)]
    consumer: String,
    sequence: i64,
});
row!(audit_entry, "audit_entry" {
    #[sea_orm(primary_key, auto_increment = false)]
    sequence: i64,
    at: i64,
    actor: String,
    action: String,
    previous: Vec<u8>,
    hash: Vec<u8>,
    body: String,
});
row!(audit_anchor, "audit_anchor" {
    #[sea_orm(primary_key, auto_increment = false)]
    sequence: i64,
    at: i64,
    hash: Vec<u8>,
});
