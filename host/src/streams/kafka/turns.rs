//! Whose turn it is: records without a key go to the partitions one after the other.

use std::sync::atomic::{AtomicU32, Ordering};

/// Turns of one topic.
#[derive(Debug)]
pub(super) struct Turns {
    partitions: u32,
    next: AtomicU32,
}

impl Turns {
    /// Turns among so many partitions.
    pub(super) fn new(partitions: u32) -> Self {
        Self { partitions: partitions.max(1), next: AtomicU32::new(0) }
    }

    /// Number of partitions.
    pub(super) fn partitions(&self) -> u32 {
        self.partitions
    }

    /// The partition that is next.
    pub(super) fn next(&self) -> u32 {
        self.next.fetch_add(1, Ordering::Relaxed) % self.partitions
    }
}
