//! One suite for every engine: what holds on SQLite holds on PostgreSQL.
//!
//! PostgreSQL runs when `RISKGRAPH_TEST_POSTGRES` holds a URL whose user may make schemas; each case has its own.

#![expect(clippy::expect_used, clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod alerts;
mod audit;
mod deliveries;
mod documents;
mod ground;
mod journal;
mod lists;
mod many;
mod operation;
mod paging;
mod samples;
mod sessions;
mod state;
mod triage;

macro_rules! contract {
    ($($module:ident: $($case:ident)*;)*) => {
        mod sqlite {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let ground = crate::ground::Ground::sqlite();
                    crate::$module::$case(&ground).await;
                }
            )*)*
        }
        mod postgres {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let Some(ground) = crate::ground::Ground::postgres(stringify!($case)).await else { return };
                    crate::$module::$case(&ground).await;
                    ground.clear().await;
                }
            )*)*
        }
    };
}

contract! {
    journal:
        keeps_batches_in_order
        concurrent_appends_get_gapless_disjoint_places
        callers_that_go_away_leave_whole_batches
        reopening_keeps_what_was_acknowledged
        reads_within_bounds
        knows_recent_identities
        forgets_whole_batches_and_goes_on_counting
        refuses_bad_batches_and_a_closed_store;
    documents:
        keeps_versions_in_order
        one_of_two_writers_wins
        lists_the_newest_in_pages;
    state:
        applies_and_loads_back_exactly
        repeats_and_old_deltas_change_nothing
        alert_events_continue_the_sequence
        a_delta_is_all_or_nothing
        the_last_of_equal_ids_wins
        large_deltas_load_in_pages
        removed_vendors_take_their_findings_along
        checkpoints_and_blobs_read_back;
    lists:
        vendors_by_name_domain_tier_and_grade
        integrations_and_postures
        findings_by_filter
        signals_by_filter
        alerts_by_filter
        hostile_texts_are_kept_and_found
        wrong_cursors_are_refused;
    alerts:
        a_vendors_alerts_pass_its_nodes_or_keys
        a_technique_has_its_sub_techniques
        the_oldest_alert_events_go;
    deliveries:
        plans_once_and_moves_the_cursor
        gives_out_one_delivery_of_an_alert_at_a_time
        folds_until_it_is_given_out
        lists_and_counts;
    triage:
        silences_and_cases_read_back
        alerts_by_what_people_did;
    many:
        many_at_once_by_id
        current_postures_are_the_newest;
    sessions:
        sessions_live_and_end
        a_code_goes_to_exactly_one;
    audit:
        two_writers_make_one_chain
        entries_by_actor_action_and_time
        a_log_is_cut_only_at_an_anchor
        what_is_changed_in_the_database_is_found;
    paging:
        pages_joined_are_the_list;
    operation:
        jobs_are_deduplicated_leased_and_repeated
        a_job_goes_to_one_of_many
        tokens_live_and_end
        a_newer_schema_is_refused;
}
