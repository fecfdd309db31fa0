//! `state`: an agent's durable keys and values for the partition that it works on.

use std::sync::Arc;

use super::errors;
use super::guest::Guest;
use crate::permissions::Action;
use crate::runs::Blob;
use crate::runtime::bindings::errors::Error;
use crate::runtime::bindings::state::{Entry, Host};
use crate::streams::{Changes, StateChange, StateEntry, StateReader, StreamError, scan_over};

/// Longest key, bytes.
const KEY_SIZE_MAX: usize = 1024;
/// Longest value, bytes.
const VALUE_SIZE_MAX: usize = 1024 * 1024;
/// Most entries of one answer.
const ENTRIES_MAX: usize = 1024;
/// Guests' keys are kept with this byte in front, apart from the host's own.
const GUEST: u8 = 1;
/// Key under which the host keeps the state's size: bytes of all guests' keys and values, as a little-endian u64.
const SIZE_KEY: &[u8] = &[0];
/// What a journal calls a change.
const CHANGE: &str = "state.change";

/// The state of one partition: what is committed, and what the batch at hand changes.
pub struct StateView {
    reader: Arc<dyn StateReader>,
    partition: u32,
    size_max: u64,
    limit: String,
    changes: Changes,
}

/// Changes of a state at one moment.
pub struct StateSnapshot(Changes);

impl StateView {
    /// State of `partition`, at most `size_max` bytes of keys and values; `limit` says who set that.
    pub fn new(reader: Arc<dyn StateReader>, partition: u32, size_max: u64, limit: String) -> Self {
        Self { reader, partition, size_max, limit, changes: Changes::new() }
    }

    /// Takes the changes out, for the transaction of the batch that made them.
    pub fn take_changes(&mut self) -> Vec<StateChange> {
        let partition = self.partition;
        std::mem::take(&mut self.changes)
            .into_iter()
            .map(|(key, value)| StateChange { partition, key, value })
            .collect()
    }

    /// What is changed so far, to come back to with [`StateView::restore`].
    pub fn snapshot(&self) -> StateSnapshot {
        StateSnapshot(self.changes.clone())
    }

    /// Drops what was changed since the snapshot.
    pub fn restore(&mut self, snapshot: StateSnapshot) {
        self.changes = snapshot.0;
    }

    /// Reads any key, the host's own too.
    pub(super) fn get_raw(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        match self.changes.get(key) {
            Some(value) => Ok(value.clone()),
            None => self.reader.get(self.partition, key).map_err(|e| errors::stream(&e)),
        }
    }

    fn size(&self) -> Result<u64, Error> {
        let bytes = self.get_raw(SIZE_KEY)?.and_then(|v| v.try_into().ok());
        Ok(bytes.map_or(0, u64::from_le_bytes))
    }

    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.get_raw(&guest_key(key)?)
    }

    fn put(&mut self, key: &[u8], value: Option<Vec<u8>>) -> Result<(), Error> {
        let stored = guest_key(key)?;
        let weight = |v: &Option<Vec<u8>>| v.as_ref().map_or(0, |v| (key.len() + v.len()) as u64);
        let before = weight(&self.get_raw(&stored)?);
        let after = weight(&value);
        if before == 0 && value.is_none() {
            return Ok(());
        }
        self.resize(before, after)?;
        self.put_raw(stored, value);
        Ok(())
    }

    /// Sets or removes any key, uncounted.
    pub(super) fn put_raw(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.changes.insert(key, value);
    }

    /// Counts something of `before` bytes that has `after` bytes now.
    pub(super) fn resize(&mut self, before: u64, after: u64) -> Result<(), Error> {
        let size = self.size()?.saturating_sub(before).saturating_add(after);
        if after > before && size > self.size_max {
            return Err(errors::limit(
                "state.full",
                format!(
                    "the state of partition {} would reach {size} bytes, over its limit {}",
                    self.partition, self.limit
                ),
                "delete what is not needed, or raise state_mib where it is set",
            ));
        }
        self.put_raw(SIZE_KEY.to_vec(), Some(size.to_le_bytes().to_vec()));
        Ok(())
    }

    fn scan(&self, prefix: &[u8], after: Option<&[u8]>, limit: usize) -> Result<Vec<Entry>, Error> {
        let after = after.map(|after| [&[GUEST], after].concat());
        let found = self.scan_raw(&[&[GUEST], prefix].concat(), after, limit)?;
        Ok(found.into_iter().map(|(key, value)| Entry { key: key[1..].to_vec(), value }).collect())
    }

    /// Lists entries, the host's own too: those whose key begins with `prefix`, after the key `after`, at most `limit`.
    pub(super) fn scan_raw(
        &self,
        prefix: &[u8],
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<Vec<StateEntry>, Error> {
        let found = scan_over(&*self.reader, &self.changes, self.partition, prefix, after.as_deref(), limit);
        found.map_err(|e| errors::stream(&e))
    }
}

/// A guest's own keys and values.
///
/// # Errors
/// Those of the reader.
pub fn guest_state(state: &dyn StateReader, partition: u32) -> Result<Vec<StateEntry>, StreamError> {
    let found = state.scan(partition, &[GUEST], None, usize::MAX)?;
    Ok(found.into_iter().filter_map(|(key, value)| Some((key.get(1..)?.to_vec(), value))).collect())
}

/// Changes of several pieces of work, one after the other, as one transaction commits them: each was decided without
/// knowing how large the others make the state.
///
/// # Errors
/// Where committed state can't be read.
pub fn settled<'a>(
    reader: &Arc<dyn StateReader>,
    partition: u32,
    changes: impl Iterator<Item = &'a StateChange>,
) -> Result<Vec<StateChange>, Error> {
    let mut view = StateView::new(reader.clone(), partition, u64::MAX, String::new());
    for change in changes {
        if let Some((&GUEST, key)) = change.key.split_first() {
            view.put(key, change.value.clone())?;
        }
    }
    Ok(view.take_changes())
}

fn guest_key(key: &[u8]) -> Result<Vec<u8>, Error> {
    if key.is_empty() || key.len() > KEY_SIZE_MAX {
        return Err(errors::invalid(
            "state.key",
            format!("a key has 1 to {KEY_SIZE_MAX} bytes, this one has {}", key.len()),
            "use a shorter key, for example a digest of the long one",
        ));
    }
    Ok([&[GUEST], key].concat())
}

impl Guest {
    fn state(&mut self) -> Result<&mut StateView, Error> {
        self.check(Action::State)?;
        self.agent_side().map(|side| &mut side.state).ok_or_else(no_state)
    }
}

fn no_state() -> Error {
    errors::invalid("state.none", "only agents have state", "keep the data in the agent that calls this tool")
}

impl Guest {
    /// Changes one value. Work that can be repeated notes whether it could, and notes a removal also of what isn't there:
    /// repeated elsewhere, it must do the same without the state of then.
    fn change(&mut self, key: &[u8], value: Option<Vec<u8>>) -> Result<(), Error> {
        let Some(journal) = self.journal().cloned() else { return self.state()?.put(key, value) };
        let done = match journal.recorded(CHANGE) {
            Some(known) => known,
            None => {
                let done = self.state().and_then(|state| state.put(key, value.clone()));
                journal.note(CHANGE, &done);
                done
            }
        };
        done?;
        let stored = guest_key(key)?;
        self.state()?.put_raw(stored, value);
        Ok(())
    }
}

impl Host for Guest {
    fn get(&mut self, key: Vec<u8>) -> Result<Option<Vec<u8>>, Error> {
        let value = self.reading("state.get", |guest| Ok(guest.state()?.get(&key)?.map(Blob)));
        value.map(|value| value.map(|value| value.0))
    }

    fn get_many(&mut self, keys: Vec<Vec<u8>>) -> Result<Vec<Option<Vec<u8>>>, Error> {
        if keys.len() > ENTRIES_MAX {
            return Err(errors::invalid("state.keys", format!("at most {ENTRIES_MAX} keys at once"), "ask in parts"));
        }
        let values = self.reading("state.get-many", |guest| {
            let state = guest.state()?;
            keys.iter().map(|key| Ok(state.get(key)?.map(Blob))).collect::<Result<Vec<_>, Error>>()
        });
        Ok(values?.into_iter().map(|value| value.map(|value| value.0)).collect())
    }

    fn set(&mut self, key: Vec<u8>, value: Vec<u8>) -> Result<(), Error> {
        if value.len() > VALUE_SIZE_MAX {
            return Err(errors::invalid(
                "state.value",
                format!("a value has at most {VALUE_SIZE_MAX} bytes, this one has {}", value.len()),
                "split it over several keys",
            ));
        }
        self.change(&key, Some(value))
    }

    fn delete(&mut self, key: Vec<u8>) -> Result<(), Error> {
        self.change(&key, None)
    }

    fn scan(&mut self, prefix: Vec<u8>, after: Option<Vec<u8>>, limit: u32) -> Result<Vec<Entry>, Error> {
        if limit == 0 {
            return Ok(Vec::new());
        }
        let limit = (limit as usize).min(ENTRIES_MAX);
        let entries = self.reading("state.scan", |guest| {
            let entries = guest.state()?.scan(&prefix, after.as_deref(), limit)?;
            Ok::<_, Error>(entries.into_iter().map(|entry| (Blob(entry.key), Blob(entry.value))).collect::<Vec<_>>())
        });
        Ok(entries?.into_iter().map(|(key, value)| Entry { key: key.0, value: value.0 }).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Committed state that a test fills by hand.
    struct Committed(BTreeMap<Vec<u8>, Vec<u8>>);

    impl StateReader for Committed {
        fn get(&self, _: u32, key: &[u8]) -> Result<Option<Vec<u8>>, StreamError> {
            Ok(self.0.get(key).cloned())
        }

        fn scan(
            &self,
            _: u32,
            prefix: &[u8],
            after: Option<&[u8]>,
            limit: usize,
        ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StreamError> {
            let hits = self.0.iter().filter(|(k, _)| k.starts_with(prefix) && after.is_none_or(|a| k.as_slice() > a));
            Ok(hits.take(limit).map(|(k, v)| (k.clone(), v.clone())).collect())
        }
    }

    fn view(keys: &[&str]) -> StateView {
        let map = keys.iter().map(|k| ([&[GUEST], k.as_bytes()].concat(), b"old".to_vec())).collect();
        StateView::new(Arc::new(Committed(map)), 0, 100, "100 bytes".into())
    }

    fn keys(entries: Vec<Entry>) -> Vec<String> {
        entries.into_iter().map(|e| String::from_utf8(e.key).unwrap()).collect()
    }

    #[test]
    fn a_scan_sees_the_changes_of_the_same_batch_in_order() {
        let mut state = view(&["a1", "a3", "a5", "b1"]);
        state.put(b"a2", Some(b"new".to_vec())).unwrap();
        state.put(b"a3", None).unwrap();
        state.put(b"a9", Some(b"new".to_vec())).unwrap();
        assert_eq!(keys(state.scan(b"a", None, 10).unwrap()), ["a1", "a2", "a5", "a9"]);
        assert_eq!(keys(state.scan(b"a", None, 2).unwrap()), ["a1", "a2"]);
        assert_eq!(keys(state.scan(b"a", Some(b"a2"), 1).unwrap()), ["a5"]);
        assert_eq!(keys(state.scan(b"a", Some(b"a5"), 5).unwrap()), ["a9"]);
    }

    #[test]
    fn a_scan_goes_on_when_a_whole_page_was_deleted() {
        let mut state = view(&["a1", "a2", "a3"]);
        state.put(b"a1", None).unwrap();
        state.put(b"a2", None).unwrap();
        assert_eq!(keys(state.scan(b"a", None, 2).unwrap()), ["a3"]);
    }

    #[test]
    fn the_size_limit_counts_what_is_kept_and_not_what_was_written() {
        let mut state = view(&[]);
        state.put(b"k", Some(vec![0; 99])).unwrap();
        state.put(b"k", Some(vec![1; 99])).unwrap();
        assert!(matches!(state.put(b"j", Some(vec![])), Err(Error::Limit(_))));
        state.put(b"k", None).unwrap();
        state.put(b"j", Some(vec![0; 99])).unwrap();
    }

    #[test]
    fn the_size_is_counted_once_over_all_that_is_committed_together() {
        let reader: Arc<dyn StateReader> = Arc::new(Committed(BTreeMap::new()));
        let change =
            |key: &[u8], value: &[u8]| StateChange { partition: 0, key: key.to_vec(), value: Some(value.to_vec()) };
        let both = [change(b"\x01a", b"xy"), change(b"\x00", &3u64.to_le_bytes()), change(b"\x01b", b"z")];
        let all = settled(&reader, 0, both.iter()).unwrap();
        let size = all.iter().find(|change| change.key == SIZE_KEY).unwrap();
        assert_eq!(size.value.as_deref(), Some(&5u64.to_le_bytes()[..]));
    }

    #[test]
    fn a_guest_cannot_reach_the_hosts_own_key() {
        let mut state = view(&[]);
        state.put(&[0], Some(b"x".to_vec())).unwrap();
        assert_eq!(state.size().unwrap(), 2, "the guest's key 0 is another key than the host's");
        assert!(state.get(b"").is_err());
    }
}
