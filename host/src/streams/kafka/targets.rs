//! What is known of the topics that are written to.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long what was asked counts: partitions are added and policies changed by others.
const FRESH_MAX: Duration = Duration::from_secs(60);

/// A topic that is written to.
#[derive(Debug)]
pub(super) struct Target {
    partitions: u32,
    is_compacted: bool,
    next: AtomicU32,
    asked: Instant,
}

impl Target {
    /// Number of partitions.
    pub(super) fn partitions(&self) -> u32 {
        self.partitions
    }

    /// True where the topic is known to want a key in every record.
    pub(super) fn is_compacted(&self) -> bool {
        self.is_compacted
    }

    /// The partition whose turn it is: records without a key go to the partitions one after the other.
    pub(super) fn next_partition(&self) -> u32 {
        self.next.fetch_add(1, Ordering::Relaxed) % self.partitions
    }
}

/// All topics that were written to. One that is deleted shows when it is written to again, within a minute.
#[derive(Debug, Default)]
pub(super) struct Targets(Mutex<HashMap<String, Arc<Target>>>);

impl Targets {
    /// What is known of a topic, however old.
    pub(super) fn get(&self, topic: &str) -> Option<Arc<Target>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(topic).cloned()
    }

    /// What is known of a topic and still counts.
    pub(super) fn fresh(&self, topic: &str) -> Option<Arc<Target>> {
        self.get(topic).filter(|target| target.asked.elapsed() < FRESH_MAX)
    }

    /// Takes note of what was asked. Turns go on where they were.
    pub(super) fn remember(&self, topic: &str, partitions: u32, is_compacted: bool) -> Arc<Target> {
        let mut targets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let next = targets.get(topic).map_or(0, |old| old.next.load(Ordering::Relaxed));
        let partitions = partitions.max(1);
        let new = Arc::new(Target { partitions, is_compacted, next: AtomicU32::new(next), asked: Instant::now() });
        targets.insert(topic.to_owned(), new.clone());
        new
    }

    /// Forgets a topic, so that it is asked about again.
    pub(super) fn forget(&self, topic: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(topic);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_go_on_when_partitions_are_added() {
        let targets = Targets::default();
        let two = targets.remember("t", 2, false);
        assert_eq!([two.next_partition(), two.next_partition(), two.next_partition()], [0, 1, 0]);
        let four = targets.remember("t", 4, true);
        assert_eq!((four.next_partition(), four.is_compacted()), (3, true));
        targets.forget("t");
        assert!(targets.fresh("t").is_none());
    }
}
