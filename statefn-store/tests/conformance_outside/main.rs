//! The suite as a stranger uses it: on a backend of their own, by the public API alone; and proof
//! that it can fail: each planted mistake is caught by the clause that forbids it.
#![cfg(feature = "testing")]
#![expect(
    clippy::indexing_slicing,
    reason = "a fixture fails by panicking, as tests do"
)]

mod bug;
mod desk;
mod erasing;
mod notebook;
mod paper;
mod projecting;
mod streaming;
mod writing;

use bug::Bug;
use desk::Desk;

mod without_mistakes {
    use crate::bug::Bug;
    use crate::desk::Desk;

    statefn_store::conformance!(
        Desk::with(Bug::None),
        reopen,
        crash,
        damage,
        damage_snapshot,
        fail
    );
}

/// Fails unless the clause fails on a notebook with this mistake.
fn assert_caught(bug: Bug, clause: &str) {
    let desk = Desk::with(bug);
    let check = std::panic::AssertUnwindSafe(|| statefn_store::testing::check(clause, &desk));
    let Err(panic) = std::panic::catch_unwind(check) else {
        panic!("`{clause}` lets {bug:?} pass");
    };
    let said = panic.downcast_ref::<String>().map_or("", String::as_str);
    assert!(!said.contains("the suite has no clause"), "{said}");
}

macro_rules! caught {
    ($($bug:ident by $($clause:ident),+;)+) => {
        /// Every clause that is shown to fail.
        const CAUGHT_BY: &[&str] = &[$($(stringify!($clause)),+),+];

        #[expect(non_snake_case, reason = "a test is named after the mistake that it plants")]
        mod mistakes {
            $(
                #[test]
                fn $bug() {
                    $(super::assert_caught(super::Bug::$bug, stringify!($clause));)+
                }
            )+
        }
    };
}

#[test]
fn every_clause_is_shown_to_fail() {
    let clauses = statefn_store::testing::clauses();
    let names = clauses.iter().map(statefn_store::testing::Clause::name);
    let never: Vec<&str> = names.filter(|name| !CAUGHT_BY.contains(name)).collect();
    assert_eq!(never, [""; 0], "clauses that no planted mistake breaks");
}

caught! {
    AnswersBeforeSyncing by b1_crashed_store_has_everything, b1_random_batches_over_crashes;
    AnswersInAnotherOrder by b3_stale_member_is_refused_alone, b2_members_of_every_shape_in_one_batch;
    AppliesBeforeFencing by b4_older_epoch_is_refused_whole;
    AppliesWhatItRefuses by close_decides_commits_under_way, b1_close_keeps_what_was_acknowledged;
    BreaksOffInTheMiddle by b2_crash_leaves_a_commit_whole_or_absent, dropped_commit_is_whole_or_absent;
    CallsFailuresUnavailable by b5_failed_commit_says_what_is_known;
    ChecksAgainstTheBatchStart by b3_members_of_one_entity_are_judged_in_order;
    ChecksBeforeTheLock by b3_one_of_many_racing_writers_wins;
    ChecksMembersWithEventsOnly by b3_members_without_events_are_checked_too;
    ChecksNothing by verify_names_damage;
    ClaimsByTwo by b4_claims_rise_by_one;
    ClaimsTheSameEpochTwice by b4_concurrent_claims_get_different_epochs;
    CommitsAfterClose by close_refuses_later_commits;
    CountsRecordsAsEvents by b3_only_events_advance_the_sequence_number, b2_member_of_every_shape_alone, b2_random_batches_match_the_model, b6_journal_keeps_the_order_within_a_member;
    CountsWrong by verify_of_a_clean_store_finds_no_fault;
    CutsFingerprints by b8_every_field_comes_back;
    CutsIdsAtZeroBytes by b8_awkward_ids_are_kept_apart;
    CutsMembers by b2_member_of_1000_events;
    CutsPayloads by b8_a_mebibyte_comes_back, b8_sizes_around_the_limits_come_back;
    CutsShapes by b8_every_field_comes_back;
    CutsTextsAtZeroBytes by b8_awkward_names_keys_and_reasons;
    CutsTimes by b8_every_field_comes_back;
    DeliversSkippedEvents by load_names_skipped_events_in_their_place;
    DeliversSkippedStates by b10_skipped_state_gives_way_to_the_one_before;
    DropsEmptySnapshots by b8_empty_bytes_come_back;
    ErasesNothing by b11_erased_entries_say_nothing;
    ErasesRecords by b11_records_are_kept_as_asked;
    ErasesTheDeletion by b11_erasure_ends_at_the_deletion;
    ErasesUnderOlderEpochs by b11_erasure_is_fenced;
    ErasesWithoutDeletion by b11_nothing_is_erased_without_a_deletion;
    FailsBeyondTheEnd by b6_pages_beyond_the_end_are_empty;
    FailsOnEmptyBatches by b2_empty_batch_has_no_outcomes;
    FailsOnUnknownEntities by load_of_an_unknown_entity_is_silent;
    FailsToCloseTwice by close_may_be_repeated;
    FailsWhenEmpty by b6_empty_pages;
    FencesAfterChecking by b4_fenced_comes_before_stale;
    FencesReaders by b4_readers_are_not_fenced;
    FillsGapsLater by b6_follower_never_sees_a_gap;
    FindsKeysByTheirStart by records_that_are_missing_are_not_found;
    FindsNewerRecords by records_under_a_reused_key_are_found_newest_first;
    FindsNothingInDamage by b8_search_fails_at_damage;
    FindsOtherEntitiesRecords by records_belong_to_their_entity;
    FindsTheOldestRecord by records_under_a_reused_key_are_found_newest_first;
    FoldsCase by b8_awkward_ids_are_kept_apart;
    FoldsTypes by b8_awkward_types_are_kept_apart;
    ForgetsDeletions by b10_deletion_begins_anew;
    EndsBuriedTimers by b12_timers_are_tended;
    ForgetsCallsAtClose by b12_stored_calls_survive_a_close, b12_stored_calls_survive_a_crash;
    IgnoresDueTimes by b12_firing_is_named_by_its_time;
    IgnoresWhatIsGone by b12_answer_to_what_is_gone_is_refused_alone, b12_effect_is_settled_once;
    KeepsSettledEffects by b12_effect_is_settled_once;
    ListsNewestEffectsFirst by b12_effects_come_back_in_order;
    SendsForRefusedMembers by b12_refused_member_sends_nothing;
    SendsWithoutAnEntry by b12_what_only_sends_gets_an_entry;
    SettlesDeadLetters by b12_dead_letters_wait_for_an_operator;
    SortsTimersByNumber by b12_timers_come_by_their_time;
    AdvancesFromAnywhere by b13_advance_from_elsewhere_is_refused;
    DropsWhatServes by b13_dropped_version_is_gone;
    ForgetsViewsAtClose by b13_projections_survive_a_close, b13_projections_survive_a_crash;
    ForgetsWhatWasPassedOver by b13_what_is_passed_over_is_kept;
    KeepsRemovedRows by b13_random_changes_match_the_model;
    MovesOffsetsWithoutRows by b13_advance_changes_rows_and_offset;
    PagesByKeyFromTheBoundOn by b13_pages_follow_keys;
    PagesIndexesByKey by b13_pages_follow_indexes;
    ProjectsForAnybody by b13_projecting_is_fenced;
    ServesTheNewestVersion by b13_one_version_serves;
    TendsForAnybody by b12_tending_is_fenced;
    ForgetsWhatAFailureWrote by b9_failed_store_serves_what_is_stored, b9_batch_sent_again_is_applied_once;
    ForgetsSkipsInTheHead by load_answers_the_head;
    ForgetsTheEpochAtClose by b4_epochs_rise_over_reopening, b4_epochs_rise_over_a_crash;
    GivesUpAtTheFirstRefusal by b3_stale_member_is_refused_alone, b2_batch_of_1024_members, b3_refusals_at_both_ends;
    HandsOutDamage by b8_page_ends_before_damage, b7_damage_stops_its_own_entity_only, b8_search_fails_at_damage;
    HidesSkippedEvents by load_names_skipped_events_in_their_place;
    IgnoresEventBreaks by load_stops_where_the_replay_breaks;
    IgnoresExpected by b3_stale_member_is_refused_alone, b3_batch_sent_twice_is_applied_once;
    IgnoresLimits by b6_pages_together_are_the_journal;
    IgnoresMembersAhead by b3_member_ahead_is_refused_alone;
    IgnoresNewerEpochs by b4_epoch_never_claimed_is_refused;
    IgnoresOlderEpochs by b4_older_epoch_is_refused_whole;
    IgnoresRecordBreaks by load_stops_where_the_replay_breaks;
    IgnoresStateBreaks by b10_replay_may_end_at_the_state;
    IsEmptyAfterClose by close_leaves_reads_right_or_refused;
    JoinsTypeAndId by b3_same_id_under_two_types_is_two_entities;
    JudgesWhatFollowsARefusal by b3_members_after_a_refused_one_are_refused;
    KeepsSnapshotsOfRefusedMembers by b2_refused_member_leaves_nothing;
    KeepsSnapshotsBehindStates by b10_snapshots_go_with_the_state_before;
    KeepsTheFirstSnapshot by load_offers_the_newest_snapshot;
    LetsDamageStopEverybody by b7_damage_stops_its_own_entity_only;
    ListsEmptyMembers by entities_without_entries_are_not_listed;
    ListsFromAfterInclusive by entities_page_in_order;
    ListsNothingAfterAbsent by entities_page_after_an_absent_one;
    ListsTypesUnsorted by entity_types_are_sorted;
    ListsUnsorted by entities_page_in_order;
    LoadsTheHeadLater by b7_load_sees_whole_members_only;
    LosesMetadata by b8_every_field_comes_back;
    LosesRaces by b6_concurrent_commits_are_all_kept;
    LosesRecordsOfEvents by records_ride_on_the_last_event;
    LosesTheLastCommitAtClose by b1_close_keeps_what_was_acknowledged, b1_reopened_store_has_everything, b1_empty_store_may_be_reopened, b1_random_batches_over_reopenings;
    NamesCoveredSkips by load_passes_skips_that_the_snapshot_covers;
    NumbersFromOneAgain by b6_numbers_go_on_after_reopening;
    NumbersRefusedMembers by b3_stale_member_is_refused_alone;
    NumbersNoStates by b10_states_advance_the_sequence_number;
    OffersDamagedSnapshots by b8_damaged_snapshot_is_not_offered;
    OrdersByTime by b6_order_does_not_follow_the_clock;
    PassesOverDamage by b7_damage_stops_its_own_entity_only, b8_page_ends_before_damage;
    PutsRecordsOnTheFirstEvent by records_ride_on_the_last_event;
    ReadsFromAfter by b6_pages_together_are_the_journal;
    RefusesNeighbours by b3_stale_member_is_refused_alone, b3_one_conflict_among_a_hundred_costs_one;
    ReplaysBehindStates by b10_state_replaces_what_was_before;
    ReplaysAfterARefusedSnapshot by load_after_a_refused_snapshot_has_all_events;
    ReportsZeroForEmptyMembers by b2_empty_member_writes_nothing;
    ReversesMembers by b6_journal_keeps_the_order_of_members;
    SearchesTenRecords by records_are_found_along_a_long_chain;
    ShowsHalves by b7_load_sees_whole_members_only;
    SkipsForEverybody by load_names_skipped_events_in_their_place;
    StartsAtZero by b6_offsets_rise_by_one_from_one;
    StopsAtSkippedDamage by load_passes_over_skipped_damage;
    StreamsRecordsLast by load_streams_records_snapshot_events;
    StreamsRecordsOldestFirst by load_streams_records_snapshot_events;
    WearsOutInReading by dropped_reads_change_nothing;
}
