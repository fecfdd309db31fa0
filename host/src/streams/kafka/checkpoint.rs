//! State of a partition on this host's disk, as it was a while ago: what the state topic holds after it is all that must
//! be read when the partition is gained. It may be missing, damaged or useless at any time; then the topic is read whole.
//!
//! One danger is not in the file: a key that was removed after it was written leaves a tombstone in the topic, and
//! Kafka drops tombstones some time later. Whoever uses an older file would bring the key back. So a file only counts
//! for a fraction of the time that the topic keeps tombstones, see [`Log::fits`].

mod file;
mod format;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::state::Store;
use super::topic_id::TopicId;

pub(super) use file::Checkpoints;

/// How long a checkpoint counts at most.
const AGE_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// How long the topics that the host creates keep tombstones: so much longer that no clock is that wrong.
pub(super) const TOMBSTONES_KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Fewer bytes than these are read sooner than a file is written.
pub(super) const WORTH_SIZE: usize = 1024 * 1024;

/// Age from which on a checkpoint doesn't count, where its topic keeps tombstones for so long. None: not known how long.
pub(super) fn age_max(tombstones_kept: Option<Duration>) -> Duration {
    tombstones_kept.map_or(Duration::ZERO, |kept| (kept / 2).min(AGE_MAX))
}

/// Milliseconds since the epoch.
pub(super) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0))
}

/// The partition of a state topic that a store must fit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Log {
    /// The topic.
    pub(super) id: TopicId,
    /// Offset of its first record.
    pub(super) first: u64,
    /// Offset behind everything that was written.
    pub(super) end: u64,
    /// When that was asked.
    pub(super) asked_ms: u64,
    /// Age from which on a store doesn't count.
    pub(super) age_max: Duration,
}

impl Log {
    /// Why reading on from a store would not give the state; none where it would.
    pub(super) fn refuses(&self, store: &Store) -> Option<&'static str> {
        let is_within_age =
            self.asked_ms.checked_sub(store.as_of_ms).is_some_and(|age| u128::from(age) < self.age_max.as_millis());
        if store.topic_id != self.id {
            Some("the topic is another one than it was")
        } else if store.restored_to > self.end {
            Some("the topic ends before it")
        } else if store.restored_to < self.first {
            Some("the topic begins after it")
        } else if !is_within_age {
            Some("it is too old, or the clock was changed")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log() -> Log {
        Log { id: TopicId([7; 16]), first: 10, end: 100, asked_ms: 1_000_000, age_max: Duration::from_millis(500) }
    }

    fn refused(id: u8, restored_to: u64, as_of_ms: u64) -> Option<&'static str> {
        log().refuses(&Store::known_to(TopicId([id; 16]), restored_to, as_of_ms))
    }

    #[test]
    fn a_store_within_the_log_is_read_on_from() {
        for restored_to in [10, 50, 100] {
            assert_eq!(refused(7, restored_to, 999_900), None);
        }
    }

    #[test]
    fn a_store_that_does_not_fit_is_refused_with_the_reason() {
        for (id, restored_to, as_of_ms, reason) in [
            (8, 50, 999_900, "another"),
            (7, 101, 999_900, "ends before"),
            (7, 9, 999_900, "begins after"),
            (7, 50, 999_500, "too old"),
            (7, 50, 1_000_001, "clock"),
        ] {
            let refused = refused(id, restored_to, as_of_ms).unwrap_or("accepted");
            assert!(refused.contains(reason), "{refused}: not {reason}");
        }
    }

    #[test]
    fn tombstones_outlive_every_checkpoint() {
        assert_eq!(age_max(Some(TOMBSTONES_KEPT)), AGE_MAX);
        assert_eq!(age_max(Some(Duration::from_secs(60))), Duration::from_secs(30));
        assert_eq!(age_max(None), Duration::ZERO);
    }
}
