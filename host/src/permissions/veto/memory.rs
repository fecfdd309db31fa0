//! What a policy has said before. Bounded, and forgotten with the policy.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use super::super::column::Column;

/// Most answers; when there are more, all are forgotten and asked for again.
const ANSWERS_MAX: usize = 20_000;
/// Longest name that is remembered, bytes: twice that of the longest topic and host.
const THING_BYTES_MAX: usize = 512;
/// How long is believed that a question has no answer: a machine may have been busy.
const UNKNOWN_FOR: Duration = Duration::from_secs(5);

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// It has nothing against it.
    Nothing,
    /// It has, for these reasons.
    Against(Arc<[String]>),
    /// It can't say, for this reason.
    Unknown(Arc<str>),
}

#[derive(Default)]
pub(super) struct Memory(RwLock<Known>);

#[derive(Default)]
struct Known {
    count: usize,
    of: FxHashMap<([u8; 32], Column), FxHashMap<Box<str>, Kept>>,
}

struct Kept {
    answer: Answer,
    until: Option<Instant>,
}

impl Memory {
    /// What was said about a thing.
    pub fn get(&self, holder: &[u8; 32], column: Column, thing: &str) -> Option<Answer> {
        // One insertion can't be half-done: a poisoned lock is as good as any.
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let kept = known.of.get(&(*holder, column))?.get(thing)?;
        kept.until.is_none_or(|until| Instant::now() < until).then(|| kept.answer.clone())
    }

    /// Remembers what was said.
    pub fn keep(&self, holder: &[u8; 32], column: Column, thing: &str, answer: Answer) {
        if thing.len() > THING_BYTES_MAX {
            return;
        }
        let until = matches!(answer, Answer::Unknown(_)).then(|| Instant::now() + UNKNOWN_FOR);
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.count >= ANSWERS_MAX {
            *known = Known::default();
        }
        let before = known.of.entry((*holder, column)).or_default().insert(thing.into(), Kept { answer, until });
        known.count += usize::from(before.is_none());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_belongs_to_its_holder_column_and_thing() {
        let memory = Memory::default();
        memory.keep(&[1; 32], Column::Tools, "t", Answer::Nothing);
        assert_eq!(memory.get(&[1; 32], Column::Tools, "t"), Some(Answer::Nothing));
        assert_eq!(memory.get(&[2; 32], Column::Tools, "t"), None);
        assert_eq!(memory.get(&[1; 32], Column::Model, "t"), None);
        assert_eq!(memory.get(&[1; 32], Column::Tools, "u"), None);
    }

    #[test]
    fn it_never_holds_more_than_it_may() {
        let memory = Memory::default();
        for i in 0..=ANSWERS_MAX {
            memory.keep(&[0; 32], Column::Tools, &i.to_string(), Answer::Nothing);
        }
        assert_eq!(memory.0.read().unwrap().count, 1);
        memory.keep(&[0; 32], Column::Tools, &"x".repeat(THING_BYTES_MAX + 1), Answer::Nothing);
        assert_eq!(memory.0.read().unwrap().count, 1);
    }
}
