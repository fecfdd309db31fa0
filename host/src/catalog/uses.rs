//! On which days forged tools are called: one note a tool and a day, kept until somebody writes it down.

use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};

/// Notes of one host.
#[derive(Default)]
pub struct Uses(RwLock<Notes>);

#[derive(Default)]
struct Notes {
    /// The day at hand, days since 1970, UTC.
    day: i64,
    /// Tools that were called on it.
    called: HashSet<String>,
    /// What nobody has written down yet.
    new: Vec<(String, i64)>,
}

impl Uses {
    /// A tool is called on a day.
    pub(super) fn note(&self, name: &str, day: i64) {
        // A set and a list that only grow: a poisoned lock is as good as any.
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if known.day == day && known.called.contains(name) {
            return;
        }
        drop(known);
        let mut notes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if notes.day != day {
            notes.day = day;
            notes.called.clear();
        }
        if notes.called.insert(name.to_owned()) {
            notes.new.push((name.to_owned(), day));
        }
    }

    /// What is to be written down.
    pub fn take(&self) -> Vec<(String, i64)> {
        std::mem::take(&mut self.0.write().unwrap_or_else(PoisonError::into_inner).new)
    }

    /// What could not be written down, for the next time.
    pub fn put_back(&self, notes: Vec<(String, i64)>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).new.extend(notes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_noted_once_a_day() {
        let uses = Uses::default();
        [("a", 7), ("a", 7), ("b", 7), ("a", 8), ("a", 8)].into_iter().for_each(|(name, day)| uses.note(name, day));
        let all = [("a".to_owned(), 7), ("b".to_owned(), 7), ("a".to_owned(), 8)];
        assert_eq!(uses.take(), all);
        assert_eq!(uses.take(), []);
        uses.put_back(all.to_vec());
        uses.note("a", 8);
        assert_eq!(uses.take(), all);
    }
}
