//! Committed state of the partitions that a worker owns: all of it in memory, restored from the compacted topic.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::topic_id::TopicId;
use crate::streams::{StateChange, StateReader, StreamError};

/// Values by key.
pub(super) type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

/// State of one partition: everything that the state topic has before one offset, and what was committed since by the
/// one worker that owns it. Whoever reads the topic on from there has the state.
#[derive(Debug, Default)]
pub(super) struct Store {
    entries: Entries,
    /// Bytes of keys and values.
    size: usize,
    /// The topic that it is from.
    pub(super) topic_id: TopicId,
    /// Offset of the state topic that restoring goes on from.
    pub(super) restored_to: u64,
    /// When it was last known that the topic had nothing else before that offset, ms since the epoch.
    pub(super) as_of_ms: u64,
    /// Bytes that were read or written since the checkpoint on disk.
    unsaved: usize,
    /// What `as_of_ms` is of that checkpoint, 0 without one.
    saved_ms: u64,
}

impl Store {
    /// A store without entries.
    pub(super) fn known_to(topic_id: TopicId, restored_to: u64, as_of_ms: u64) -> Self {
        Self { topic_id, restored_to, as_of_ms, ..Self::default() }
    }

    /// A store as it lies on disk.
    pub(super) fn saved(topic_id: TopicId, restored_to: u64, as_of_ms: u64, entries: Entries) -> Self {
        let size = entries.iter().map(|(key, value)| key.len() + value.len()).sum();
        Self { entries, size, topic_id, restored_to, as_of_ms, unsaved: 0, saved_ms: as_of_ms }
    }

    /// Sets or removes a key.
    pub(super) fn apply(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        let (key_size, value_size) = (key.len(), value.as_ref().map_or(0, Vec::len));
        let old = match value {
            Some(value) => {
                self.size += key_size + value_size;
                self.entries.insert(key, value)
            }
            None => self.entries.remove(&key),
        };
        if let Some(old) = old {
            self.size -= key_size + old.len();
        }
        self.unsaved += key_size + value_size + RECORD_OVERHEAD;
    }

    /// All entries.
    pub(super) fn entries(&self) -> &Entries {
        &self.entries
    }

    /// Bytes of keys and values.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Bytes that were read or written since the checkpoint on disk: what restoring would have to read.
    pub(super) fn unsaved(&self) -> usize {
        self.unsaved
    }

    /// Takes note of a checkpoint.
    pub(super) fn set_saved(&mut self) {
        self.unsaved = 0;
        self.saved_ms = self.as_of_ms;
    }

    /// When the checkpoint on disk is of, ms since the epoch; 0 without one.
    pub(super) fn saved_ms(&self) -> u64 {
        self.saved_ms
    }
}

/// Bytes that a record of the state topic has beside key and value, about.
const RECORD_OVERHEAD: usize = 16;

/// State of all partitions that a worker owns.
#[derive(Debug, Default)]
pub(super) struct Stores {
    partitions: RwLock<HashMap<u32, Store>>,
}

impl Stores {
    /// Applies what a transaction has committed.
    pub(super) fn apply(&self, changes: Vec<StateChange>) {
        let mut partitions = self.write();
        for change in changes {
            if let Some(store) = partitions.get_mut(&change.partition) {
                store.apply(change.key, change.value);
            }
        }
    }

    /// Makes the state of a partition readable.
    pub(super) fn insert(&self, partition: u32, store: Store) {
        self.write().insert(partition, store);
    }

    /// Takes a partition's state away: what was restored, to go on from there.
    pub(super) fn take(&self, partition: u32) -> Option<Store> {
        self.write().remove(&partition)
    }

    /// Looks at a partition's state. Nothing is committed meanwhile.
    pub(super) fn look<T>(&self, partition: u32, look: impl FnOnce(&Store) -> T) -> Option<T> {
        self.read().get(&partition).map(look)
    }

    /// Changes what is known of a partition's state.
    pub(super) fn note(&self, partition: u32, note: impl FnOnce(&mut Store)) {
        if let Some(store) = self.write().get_mut(&partition) {
            note(store);
        }
    }

    fn write(&self) -> RwLockWriteGuard<'_, HashMap<u32, Store>> {
        self.partitions.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> RwLockReadGuard<'_, HashMap<u32, Store>> {
        self.partitions.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StateReader for Stores {
    fn get(&self, partition: u32, key: &[u8]) -> Result<Option<Vec<u8>>, StreamError> {
        let partitions = self.read();
        let store = partitions.get(&partition).ok_or_else(|| not_owned(partition))?;
        Ok(store.entries.get(key).cloned())
    }

    fn scan(
        &self,
        partition: u32,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StreamError> {
        let partitions = self.read();
        let store = partitions.get(&partition).ok_or_else(|| not_owned(partition))?;
        let begin = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let entries = store.entries.range::<[u8], _>((begin, Bound::Unbounded));
        let entries = entries.take_while(|(key, _)| key.starts_with(prefix)).take(limit);
        Ok(entries.map(|(key, value)| (key.clone(), value.clone())).collect())
    }
}

fn not_owned(partition: u32) -> StreamError {
    StreamError::Fenced(format!("partition {partition} and its state are not this worker's"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_knows_its_size_and_what_is_not_saved() {
        let mut store = Store::default();
        for (key, value) in [("a", Some("12345")), ("b", Some("1")), ("a", Some("1")), ("b", None), ("never", None)] {
            store.apply(key.into(), value.map(Into::into));
        }
        assert_eq!((store.size(), store.entries().len()), (2, 1));
        assert_eq!(store.unsaved(), 5 * RECORD_OVERHEAD + 16);
        store.set_saved();
        assert_eq!(store.unsaved(), 0);
    }
}
