//! Everything that `Store` promises, tried on both databases.
//!
//! Each rule is one function over a [`place::Place`], a fresh ledger without entries; `suite!` makes a test of it for each
//! database. What only one database can do wrong stands in `only_sqlite` and `only_postgres`, what they must agree on in
//! `both`.
#![expect(clippy::unwrap_used, reason = "these are tests")]
#![expect(clippy::print_stderr, reason = "a test that cannot run says so")]

mod append_only;
mod both;
mod bridge;
mod commit;
mod lease;
mod make;
mod only_postgres;
mod only_sqlite;
mod outcomes;
mod place;
mod proxy;
mod questions;
mod read_models;
mod server;
mod tree;

/// A test for each rule on each database.
macro_rules! suite {
    ($($module:ident::$rule:ident),* $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $rule() {
                let place = crate::place::Place::sqlite().await;
                crate::$module::$rule(&place).await;
                place.end().await;
            })*
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $rule() {
                if let Some(place) = crate::place::Place::postgres(stringify!($rule)).await {
                    crate::$module::$rule(&place).await;
                    place.end().await;
                }
            })*
        }
    };
}

suite![
    append_only::rows_of_insert_only_tables_stay_as_they_are,
    append_only::erasable_words_can_only_go,
    append_only::numbers_leave_no_hole,
    append_only::the_head_never_goes_back,
    append_only::erased_is_told_from_never_supplied,
    bridge::an_envelope_is_kept_once_under_its_dedupe_key,
    bridge::what_is_done_is_not_sent_again_and_its_words_go,
    bridge::bodies_of_other_types_are_counted,
    bridge::a_user_of_a_host_has_one_account,
    commit::what_was_committed_is_read_back,
    commit::a_batch_that_leaves_a_hole_is_refused,
    commit::the_head_moves_only_from_where_it_was_expected,
    commit::of_many_writers_one_wins_each_round,
    commit::an_event_or_a_payload_is_recorded_once,
    commit::a_failed_batch_leaves_nothing_behind,
    commit::the_cursor_moves_with_the_head,
    commit::late_texts_are_kept_only_where_missing,
    commit::a_reader_never_sees_half_a_batch,
    commit::strange_words_come_back_as_they_were,
    lease::one_holder_at_a_time_has_the_lease,
    lease::a_new_holder_fences_the_old_one_off,
    lease::the_first_lease_comes_before_the_first_entry,
    outcomes::a_refused_event_is_kept_once_and_counted,
    outcomes::both_versions_of_an_event_are_kept,
    outcomes::the_latest_refusal_of_a_payload_is_found,
    outcomes::junk_is_counted_by_hour_subject_and_reason,
    outcomes::what_was_not_recorded_is_tallied_as_accounted_and_as_kept,
    outcomes::a_row_that_the_head_does_not_count_is_found,
    outcomes::consumed_rows_sum_to_their_range,
    outcomes::words_with_a_nul_are_kept_without_it,
    questions::find_answers_in_the_order_asked,
    questions::entries_are_found_by_kind_and_by_payload,
    questions::log_pages_hold_each_entry_once,
    questions::log_obeys_each_member_of_the_filter,
    questions::members_of_a_filter_hold_together,
    questions::log_of_a_time_looks_at_the_event_itself,
    read_models::an_aggregate_is_the_one_of_its_fold_written_last,
    read_models::rows_of_a_batch_are_done_in_order,
    read_models::slots_are_seen_as_of_any_size,
    read_models::changes_are_found_by_name_else_by_beginning,
    read_models::pages_of_changes_never_end_inside_an_entry,
    read_models::the_digest_does_not_depend_on_batches,
    read_models::a_rebuild_stands_beside_and_is_adopted_at_the_head,
    tree::tiles_and_hashes_are_read_back,
    tree::a_missing_row_is_never_skipped_over,
    tree::a_checkpoint_of_a_size_is_written_once,
    tree::checkpoints_are_found_by_what_they_cover,
];
