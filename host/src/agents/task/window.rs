//! The records of one partition that an agent in task mode has in hand: which may begin, which of them are done.
//!
//! Records of one key begin one after the other, those without a key and those of other keys together. Offsets are committed
//! in order, so what is done waits for what came before it. Decides only.

use std::collections::{BTreeMap, HashSet};
use std::time::Instant;

/// Where a record stands.
#[derive(Debug)]
pub enum Stage<O> {
    /// It waits for its turn; a smaller number is earlier.
    Ready(u64),
    /// It is at work.
    Running,
    /// It begins again from then on.
    Later(Instant),
    /// It stands still until an admin says so.
    Held,
    /// It has an outcome.
    Settled(O),
}

/// A record in hand.
#[derive(Debug)]
pub struct Entry<R, O> {
    /// The record.
    pub record: R,
    /// Where it stands.
    pub stage: Stage<O>,
    key: Option<Vec<u8>>,
    size: usize,
}

/// The records of one partition.
#[derive(Debug)]
pub struct Window<R, O> {
    entries: BTreeMap<u64, Entry<R, O>>,
}

impl<R, O> Default for Window<R, O> {
    fn default() -> Self {
        Self { entries: BTreeMap::new() }
    }
}

impl<R, O> Window<R, O> {
    /// Takes a record of so many bytes in hand. One that is in hand already stays as it is.
    pub fn take(&mut self, offset: u64, key: Option<Vec<u8>>, size: usize, order: u64, record: R) {
        self.entries.entry(offset).or_insert(Entry { record, stage: Stage::Ready(order), key, size });
    }

    /// Number of records in hand.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Bytes of the records in hand.
    pub fn size(&self) -> usize {
        self.entries.values().map(|entry| entry.size).sum()
    }

    /// A record in hand.
    pub fn get_mut(&mut self, offset: u64) -> Option<&mut Entry<R, O>> {
        self.entries.get_mut(&offset)
    }

    /// A record has its outcome, which takes so many bytes more.
    pub fn settle(&mut self, offset: u64, outcome: O, size: usize) {
        if let Some(entry) = self.entries.get_mut(&offset) {
            entry.size = entry.size.saturating_add(size);
            entry.stage = Stage::Settled(outcome);
        }
    }

    /// All records in hand, by offset.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (u64, &mut Entry<R, O>)> {
        self.entries.iter_mut().map(|(offset, entry)| (*offset, entry))
    }

    /// Those that wait until a moment and don't any more get this place in the order.
    pub fn wake(&mut self, now: Instant, order: u64) {
        for entry in self.entries.values_mut() {
            if matches!(entry.stage, Stage::Later(at) if at <= now) {
                entry.stage = Stage::Ready(order);
            }
        }
    }

    /// When the next one that waits until a moment begins again.
    pub fn next_wake(&self) -> Option<Instant> {
        let later = |entry: &Entry<R, O>| if let Stage::Later(at) = entry.stage { Some(at) } else { None };
        self.entries.values().filter_map(later).min()
    }

    /// Those that may begin, as (place in the order, offset): ready, and nothing of the same key unsettled before them.
    pub fn startable(&self) -> Vec<(u64, u64)> {
        let mut busy: HashSet<&[u8]> = HashSet::new();
        let mut startable = Vec::new();
        for (offset, entry) in &self.entries {
            if matches!(entry.stage, Stage::Settled(_)) {
                continue;
            }
            let is_first = entry.key.as_deref().is_none_or(|key| busy.insert(key));
            if let (true, Stage::Ready(order)) = (is_first, &entry.stage) {
                startable.push((*order, *offset));
            }
        }
        startable
    }

    /// The settled records before the first that is not, in order.
    pub fn prefix(&self) -> impl Iterator<Item = (u64, &R, &O)> {
        self.entries.iter().map_while(|(offset, entry)| match &entry.stage {
            Stage::Settled(outcome) => Some((*offset, &entry.record, outcome)),
            _ => None,
        })
    }

    /// What is settled before an offset, in order.
    pub fn settled_before(&self, offset: u64) -> impl Iterator<Item = &O> {
        self.entries.range(..offset).filter_map(|(_, entry)| match &entry.stage {
            Stage::Settled(outcome) => Some(outcome),
            _ => None,
        })
    }

    /// Lets go of everything up to and with an offset.
    pub fn committed(&mut self, last: u64) {
        self.entries = self.entries.split_off(&last.saturating_add(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Records = Window<(), u32>;

    fn window(keys: &[&str]) -> Records {
        let mut window = Records::default();
        for (offset, key) in (0..).zip(keys) {
            window.take(offset, (*key != "-").then(|| key.as_bytes().to_vec()), 10, offset, ());
        }
        window
    }

    fn set(window: &mut Records, offset: u64, stage: Stage<u32>) {
        window.get_mut(offset).unwrap().stage = stage;
    }

    fn offsets(window: &Records) -> Vec<u64> {
        window.startable().into_iter().map(|(_, offset)| offset).collect()
    }

    #[test]
    fn one_key_one_at_a_time_and_others_together() {
        let mut window = window(&["a", "b", "a", "-", "-", "b"]);
        assert_eq!(offsets(&window), [0, 1, 3, 4]);
        set(&mut window, 0, Stage::Running);
        set(&mut window, 1, Stage::Settled(7));
        assert_eq!(offsets(&window), [3, 4, 5], "`a` is at work, `b` is done");
        for stage in [Stage::Held, Stage::Later(Instant::now())] {
            set(&mut window, 0, stage);
            assert_eq!(offsets(&window), [3, 4, 5], "whoever waits keeps its key's order");
        }
        set(&mut window, 0, Stage::Settled(1));
        assert_eq!(offsets(&window), [2, 3, 4, 5]);
    }

    #[test]
    fn only_what_has_nothing_unsettled_before_it_is_committed() {
        let mut window = window(&["a", "b", "c", "d"]);
        set(&mut window, 1, Stage::Settled(1));
        set(&mut window, 2, Stage::Settled(2));
        assert_eq!(window.prefix().count(), 0);
        set(&mut window, 0, Stage::Settled(0));
        let settled: Vec<(u64, u32)> = window.prefix().map(|(offset, (), outcome)| (offset, *outcome)).collect();
        assert_eq!(settled, [(0, 0), (1, 1), (2, 2)]);
        assert_eq!(window.settled_before(2).copied().collect::<Vec<_>>(), [0, 1]);
        window.committed(1);
        assert_eq!((window.len(), window.size(), window.prefix().count()), (2, 20, 1));
    }

    #[test]
    fn a_record_that_comes_again_stays_as_it_is() {
        let mut window = window(&["a"]);
        set(&mut window, 0, Stage::Running);
        window.take(0, None, 99, 9, ());
        assert!(matches!(window.get_mut(0).unwrap().stage, Stage::Running));
        assert_eq!(window.size(), 10);
    }

    #[test]
    fn whoever_waits_until_a_moment_is_ready_then() {
        let mut window = window(&["a"]);
        let now = Instant::now();
        set(&mut window, 0, Stage::Later(now));
        assert_eq!(window.next_wake(), Some(now));
        window.wake(now - std::time::Duration::from_millis(1), 5);
        assert!(window.startable().is_empty());
        window.wake(now, 5);
        assert_eq!(window.startable(), [(5, 0)]);
    }
}
