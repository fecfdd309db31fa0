//! What one pass over a sample tells the next one about words.

use std::collections::{BTreeMap, BTreeSet};

/// Words that were seen to vary.
#[derive(Debug, Default)]
pub struct Hints {
    /// Words of places that turned out to be variables.
    varied: BTreeSet<u32>,
    /// By the word before a place: the sets of words that parted templates there.
    parted: BTreeMap<u32, Vec<BTreeSet<u32>>>,
    /// Words that vary after a given word.
    after: BTreeSet<(u32, u32)>,
}

/// As many words must part templates in two places after the same word, to be values rather than parts of templates.
const RECURRING: usize = 3;

impl Hints {
    /// Notes the words of a place that is a variable.
    pub fn varied(&mut self, words: impl Iterator<Item = u32>) {
        self.varied.extend(words);
    }

    /// Notes the words of a place that parted templates.
    pub fn parted(&mut self, before: Option<u32>, words: impl Iterator<Item = u32>) {
        if let Some(before) = before {
            self.parted.entry(before).or_default().push(words.collect());
        }
    }

    /// Draws the conclusions from a whole pass.
    pub fn settle(mut self) -> Self {
        for (before, sets) in &self.parted {
            for (at, one) in sets.iter().enumerate() {
                for other in &sets[at + 1..] {
                    let both: Vec<u32> = one.intersection(other).copied().collect();
                    if both.len() >= RECURRING {
                        self.after.extend(both.iter().map(|word| (*before, *word)));
                    }
                }
            }
        }
        self
    }

    /// True where words in a place, after the word `before`, are known to vary.
    pub fn vary(&self, before: Option<u32>, mut words: impl Iterator<Item = u32>) -> bool {
        words.any(|word| self.varied.contains(&word) || before.is_some_and(|before| self.after.contains(&(before, word))))
    }
}
