//! Committed state of the partitions that a worker owns: all of it in memory, restored from the compacted topic.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::streams::{StateChange, StateReader, StreamError};

/// State of one partition.
#[derive(Debug, Default)]
pub(super) struct Store {
    /// Values by key.
    entries: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Offset of the state topic that restoring goes on from.
    pub(super) restored_to: u64,
}

impl Store {
    /// Sets or removes a key.
    pub(super) fn apply(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        match value {
            Some(value) => self.entries.insert(key, value),
            None => self.entries.remove(&key),
        };
    }
}

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
