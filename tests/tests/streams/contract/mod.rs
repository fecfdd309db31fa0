//! The contract of `wasmill::streams`: each behaviour a function over a store, whichever it is.
//!
//! A behaviour creates topics and groups of its own, because some stores outlive a test and serve many at once.

pub mod dead_letters;
pub mod groups;
pub mod records;
pub mod shapes;
pub mod sharing;
pub mod state;
pub mod subject;
pub mod topics;
pub mod transactions;

/// Makes a test of every behaviour, for one kind of store. The path names an `async fn() -> Option<Subject>`; none
/// skips, after it was said why.
macro_rules! hold {
    ($name:ident, $subject:path) => {
        mod $name {
            $crate::contract::tests! { $subject:
                topics {
                    created_topics_are_listed,
                    a_topic_is_created_only_once,
                    names_and_partition_counts_follow_kafkas_rules,
                    what_does_not_exist_is_named,
                    a_compacted_topic_keeps_the_newest_record_of_each_key,
                }
                shapes {
                    shapes_tell_what_topics_do,
                    what_a_topic_keeps_changes_and_the_rest_stays,
                    a_grown_topic_keeps_its_records_and_takes_new_ones,
                    partitions_are_never_taken_away,
                }
                records {
                    records_come_back_in_order_with_keys_headers_and_tombstones,
                    empty_and_large_records_come_back,
                    a_record_over_the_limit_is_refused_and_nothing_is_appended,
                    keys_go_where_kafkas_hash_says,
                    records_without_a_key_take_turns,
                    a_waiting_reader_returns_when_a_record_arrives,
                    reading_begins_anywhere_and_ends_where_asked,
                }
                groups {
                    a_new_group_reads_from_the_beginning,
                    what_was_not_committed_comes_again_after_a_rewind,
                    partitions_that_a_commit_does_not_list_come_again,
                    what_a_part_does_not_list_stays_with_the_worker,
                    a_held_partition_gives_nothing_until_it_is_let_go,
                    a_group_goes_on_where_it_committed,
                    groups_do_not_disturb_each_other,
                    a_poll_keeps_to_its_limits,
                    a_waiting_poll_returns_when_a_record_arrives,
                }
                sharing {
                    one_partition_number_of_all_topics_has_one_owner,
                    a_leaving_member_hands_over_what_it_committed,
                    work_for_a_lost_partition_is_refused,
                    members_together_read_everything_once,
                }
                transactions {
                    outputs_are_invisible_until_they_are_committed,
                    outputs_offsets_and_state_appear_together,
                    a_failed_commit_leaves_nothing,
                    outputs_carry_common_headers_and_numbers,
                    contradicting_columns_are_refused,
                    a_record_without_a_key_is_refused_by_a_compacted_topic_alone,
                    a_copy_keeps_the_order_of_each_key,
                }
                dead_letters {
                    dead_letters_go_back_once_and_wait_no_more,
                    of_many_dead_letters_the_oldest_go_first,
                    a_topic_without_dead_letters_has_none,
                }
                state {
                    state_is_read_back_and_scanned_in_order,
                    state_belongs_to_its_partition,
                    state_survives_a_restart,
                    state_follows_its_partition_to_another_member,
                }
            }
        }
    };
}

/// The tests themselves; see [`hold`].
macro_rules! tests {
    ($subject:path: $($topic:ident { $($behaviour:ident,)+ })+) => {
        $(mod $topic {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $behaviour() {
                    if let Some(subject) = $subject().await {
                        $crate::contract::$topic::$behaviour(subject).await;
                    }
                }
            )+
        })+
    };
}

pub(crate) use hold;
pub(crate) use tests;
