//! What one pass over a sample tells the next one about words.

use std::collections::{BTreeMap, BTreeSet};

use super::columns::Column;

/// Words that were seen to vary.
#[derive(Debug, Default)]
pub struct Hints {
    /// Words of places that turned out to be variables.
    varied: BTreeSet<u32>,
    /// By the word before a place: the sets of words that parted templates there.
    parted: BTreeMap<u32, Vec<Parting>>,
    /// Words that vary after a given word.
    after: BTreeSet<(u32, u32)>,
}

/// Words that parted templates, and what the rows there have in common: nothing where a place differs.
#[derive(Debug)]
struct Parting {
    common: Vec<Option<u32>>,
    words: BTreeSet<u32>,
}

impl Parting {
    /// True for partings of messages that are surely different, not of one group that is parted step by step.
    fn elsewhere(&self, other: &Self) -> bool {
        self.common.len() != other.common.len()
            || self.common.iter().zip(&other.common).any(|(one, two)| one.is_some() && two.is_some() && one != two)
    }
}

/// As many words must part templates in two places after the same word, to be values rather than parts of templates.
const RECURRING: usize = 3;

impl Hints {
    /// Notes the words of a place that is a variable.
    pub fn varied(&mut self, words: impl Iterator<Item = u32>) {
        self.varied.extend(words);
    }

    /// Notes the words of a place that parted templates.
    pub fn parted(&mut self, before: Option<u32>, columns: &[Column], words: impl Iterator<Item = u32>) {
        if let Some(before) = before {
            let common = columns.iter().map(Column::only).collect();
            self.parted.entry(before).or_default().push(Parting { common, words: words.collect() });
        }
    }

    /// Draws the conclusions from a whole pass.
    pub fn settle(mut self) -> Self {
        for (before, partings) in &self.parted {
            for (at, one) in partings.iter().enumerate() {
                for other in partings[at + 1..].iter().filter(|other| one.elsewhere(other)) {
                    let both: Vec<u32> = one.words.intersection(&other.words).copied().collect();
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
        words.any(|word| {
            self.varied.contains(&word) || before.is_some_and(|before| self.after.contains(&(before, word)))
        })
    }
}
