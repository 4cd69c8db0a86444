//! The list of all clauses, and the macro that makes a test of each.

/// Makes a `#[test]` of every clause that a backend has to keep.
///
/// The first argument is a [`Fixture`](crate::testing::Fixture), evaluated anew for every test: a
/// closure that makes an empty store, or a value of your own type. After it comes what that fixture
/// can do beyond making stores:
///
/// - `reopen`: a store opened after a close has what was stored before it;
/// - `crash`: [`Fixture::crash`](crate::testing::Fixture::crash) works;
/// - `damage`: [`Fixture::damage`](crate::testing::Fixture::damage) works;
/// - `damage_snapshot`: [`Fixture::damage_snapshot`](crate::testing::Fixture::damage_snapshot) works;
/// - `fail`: [`Fixture::fail`](crate::testing::Fixture::fail) works.
///
/// A backend that promises durability names the first two. Put a second suite into a module of its
/// own: tests are named after the clauses.
///
/// ```
/// use statefn_store::Memory;
///
/// statefn_store::conformance!(|| async { Memory::new() });
/// ```
#[macro_export]
macro_rules! conformance {
    ($fixture:expr $(, $ability:ident)* $(,)?) => {
        $crate::__clauses!(always, $crate::__clause_tests, ($fixture));
        $($crate::__clauses!($ability, $crate::__clause_tests, ($fixture));)*
    };
}

/// Writes the tests of [`conformance!`].
#[doc(hidden)]
#[macro_export]
macro_rules! __clause_tests {
    (($fixture:expr) $($module:ident: $($name:ident)+;)+) => {
        $($(
            #[test]
            fn $name() {
                $crate::testing::check(stringify!($name), &$fixture);
            }
        )+)+
    };
}

/// Hands the clauses of one ability to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __clauses {
    (always, $then:path, $with:tt) => {
        $crate::__clauses!(asynchronous, $then, $with);
        $crate::__clauses!(threaded, $then, $with);
    };
    (asynchronous, $then:path, $with:tt) => {
        $then! { $with
            whole:
                b2_member_of_every_shape_alone
                b2_members_of_every_shape_in_one_batch
                b2_refused_member_leaves_nothing
                b2_empty_member_writes_nothing
                b2_empty_batch_has_no_outcomes
                b2_batch_of_1024_members
                b2_member_of_1000_events;
            random:
                b2_random_batches_match_the_model;
            checked:
                b3_stale_member_is_refused_alone
                b3_member_ahead_is_refused_alone
                b3_refusals_at_both_ends
                b3_one_conflict_among_a_hundred_costs_one
                b3_members_of_one_entity_are_judged_in_order
                b3_members_after_a_refused_one_are_refused
                b3_members_without_events_are_checked_too
                b3_batch_sent_twice_is_applied_once
                b3_only_events_advance_the_sequence_number
                b3_same_id_under_two_types_is_two_entities;
            fenced:
                b4_claims_rise_by_one
                b4_older_epoch_is_refused_whole
                b4_epoch_never_claimed_is_refused
                b4_fenced_comes_before_stale
                b4_readers_are_not_fenced;
            ordered:
                b6_offsets_rise_by_one_from_one
                b6_journal_keeps_the_order_of_members
                b6_journal_keeps_the_order_within_a_member
                b6_pages_together_are_the_journal
                b6_order_does_not_follow_the_clock
                b6_empty_pages
                b6_pages_beyond_the_end_are_empty;
            stored:
                b8_every_field_comes_back
                b8_awkward_ids_are_kept_apart
                b8_awkward_types_are_kept_apart
                b8_awkward_names_keys_and_reasons
                b8_empty_bytes_come_back
                b8_a_mebibyte_comes_back
                b8_sizes_around_the_limits_come_back;
            replayed:
                load_of_an_unknown_entity_is_silent
                load_streams_records_snapshot_events
                load_after_a_refused_snapshot_has_all_events
                load_stops_where_the_replay_breaks
                load_offers_the_newest_snapshot
                load_answers_the_head
                load_names_skipped_events_in_their_place
                load_passes_skips_that_the_snapshot_covers;
            recorded:
                records_are_found_along_a_long_chain
                records_under_a_reused_key_are_found_newest_first
                records_that_are_missing_are_not_found
                records_belong_to_their_entity
                records_ride_on_the_last_event;
            listed:
                entities_page_in_order
                entities_page_after_an_absent_one
                entities_without_entries_are_not_listed
                entity_types_are_sorted;
            states:
                b10_state_replaces_what_was_before
                b10_deletion_begins_anew
                b10_snapshots_go_with_the_state_before
                b10_skipped_state_gives_way_to_the_one_before
                b10_replay_may_end_at_the_state
                b10_states_advance_the_sequence_number;
            erased:
                b11_erased_entries_say_nothing
                b11_erasure_ends_at_the_deletion
                b11_records_are_kept_as_asked
                b11_nothing_is_erased_without_a_deletion
                b11_erasure_is_fenced;
            deferred:
                b12_effects_come_back_in_order
                b12_what_only_sends_gets_an_entry
                b12_effect_is_settled_once
                b12_answer_to_what_is_gone_is_refused_alone
                b12_refused_member_sends_nothing
                b12_timers_come_by_their_time
                b12_firing_is_named_by_its_time
                b12_dead_letters_wait_for_an_operator
                b12_timers_are_tended
                b12_tending_is_fenced;
            projected:
                b13_advance_changes_rows_and_offset
                b13_advance_from_elsewhere_is_refused
                b13_pages_follow_keys
                b13_pages_follow_indexes
                b13_one_version_serves
                b13_dropped_version_is_gone
                b13_what_is_passed_over_is_kept
                b13_projecting_is_fenced
                b13_random_changes_match_the_model;
            closed:
                close_may_be_repeated
                close_refuses_later_commits
                close_leaves_reads_right_or_refused
                dropped_commit_is_whole_or_absent
                dropped_reads_change_nothing
                verify_of_a_clean_store_finds_no_fault;
        }
    };
    (threaded, $then:path, $with:tt) => {
        $then! { $with
            concurrent:
                b3_one_of_many_racing_writers_wins
                b4_concurrent_claims_get_different_epochs
                b6_concurrent_commits_are_all_kept
                b6_follower_never_sees_a_gap
                b7_load_sees_whole_members_only
                close_decides_commits_under_way;
        }
    };
    (reopen, $then:path, $with:tt) => {
        $crate::__clauses!(reopen_asynchronous, $then, $with);
        $crate::__clauses!(reopen_threaded, $then, $with);
    };
    (reopen_threaded, $then:path, $with:tt) => {
        $then! { $with
            concurrent:
                b1_close_keeps_what_was_acknowledged;
        }
    };
    (reopen_asynchronous, $then:path, $with:tt) => {
        $then! { $with
            reopened:
                b1_reopened_store_has_everything
                b1_empty_store_may_be_reopened
                b1_random_batches_over_reopenings
                b4_epochs_rise_over_reopening
                b6_numbers_go_on_after_reopening;
            deferred:
                b12_stored_calls_survive_a_close;
            projected:
                b13_projections_survive_a_close;
        }
    };
    (crash, $then:path, $with:tt) => {
        $then! { $with
            reopened:
                b1_crashed_store_has_everything
                b1_random_batches_over_crashes
                b2_crash_leaves_a_commit_whole_or_absent
                b4_epochs_rise_over_a_crash;
            deferred:
                b12_stored_calls_survive_a_crash;
            projected:
                b13_projections_survive_a_crash;
        }
    };
    (damage, $then:path, $with:tt) => {
        $then! { $with
            damaged:
                b7_damage_stops_its_own_entity_only
                b8_page_ends_before_damage
                b8_search_fails_at_damage
                load_passes_over_skipped_damage
                verify_names_damage;
        }
    };
    (damage_snapshot, $then:path, $with:tt) => {
        $then! { $with
            damaged:
                b8_damaged_snapshot_is_not_offered;
        }
    };
    (fail, $then:path, $with:tt) => {
        $then! { $with
            failed:
                b5_failed_commit_says_what_is_known
                b9_failed_store_serves_what_is_stored
                b9_batch_sent_again_is_applied_once;
        }
    };
    ($other:ident, $then:path, $with:tt) => {
        compile_error!(concat!(
            "a fixture has no ability `",
            stringify!($other),
            "`: expected `reopen`, `crash`, `damage`, `damage_snapshot` or `fail`",
        ));
    };
}
