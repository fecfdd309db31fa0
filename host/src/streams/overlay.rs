//! Changes that are not committed yet, laid over committed state.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use super::{StateChange, StateEntry, StateReader, StreamError};

/// New values by key, of one partition; none: removed.
pub type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Lists entries in byte order as if the changes were committed: keys that begin with `prefix`, after `after`, at most
/// `limit`.
///
/// # Errors
/// Those of the reader.
pub fn scan_over(
    committed: &dyn StateReader,
    changes: &Changes,
    partition: u32,
    prefix: &[u8],
    after: Option<&[u8]>,
    limit: usize,
) -> Result<Vec<StateEntry>, StreamError> {
    let mut position = after.map(<[u8]>::to_vec);
    let mut entries: Vec<StateEntry> = Vec::new();
    // Committed entries come in pages; the changes are laid over each page.
    loop {
        let page = committed.scan(partition, prefix, position.as_deref(), limit)?;
        if changes.is_empty() && entries.is_empty() {
            return Ok(page);
        }
        let whole = page.len() < limit;
        let end = page.last().map(|(key, _)| key.clone());
        let mut merged: Changes = page.into_iter().map(|(key, value)| (key, Some(value))).collect();
        for (key, value) in changes {
            let in_page = key.starts_with(prefix)
                && position.as_ref().is_none_or(|p| key > p)
                && (whole || end.as_ref().is_some_and(|e| key <= e));
            if in_page {
                merged.insert(key.clone(), value.clone());
            }
        }
        entries.extend(merged.into_iter().filter_map(|(key, value)| Some((key, value?))));
        if whole || entries.len() >= limit {
            entries.truncate(limit);
            return Ok(entries);
        }
        position = end;
    }
}

/// One partition's state as work sees it that will be committed together with earlier work: over what is committed, what
/// that earlier work has changed.
pub struct Overlay {
    committed: Arc<dyn StateReader>,
    changes: RwLock<Changes>,
}

impl Overlay {
    /// What is committed, without any change.
    pub fn new(committed: Arc<dyn StateReader>) -> Self {
        Self { committed, changes: RwLock::default() }
    }

    /// Lays changes over what is there. All are of the one partition.
    pub fn add(&self, changes: &[StateChange]) {
        let mut all = self.changes.write().unwrap_or_else(PoisonError::into_inner);
        all.extend(changes.iter().map(|change| (change.key.clone(), change.value.clone())));
    }

    /// Forgets the changes: they are committed, or never will be.
    pub fn clear(&self) {
        self.changes.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// The changes are single inserts: a poisoned lock is as good as any.
    fn read(&self) -> RwLockReadGuard<'_, Changes> {
        self.changes.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StateReader for Overlay {
    fn get(&self, partition: u32, key: &[u8]) -> Result<Option<Vec<u8>>, StreamError> {
        match self.read().get(key) {
            Some(value) => Ok(value.clone()),
            None => self.committed.get(partition, key),
        }
    }

    fn scan(
        &self,
        partition: u32,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<StateEntry>, StreamError> {
        scan_over(&*self.committed, &self.read(), partition, prefix, after, limit)
    }
}
