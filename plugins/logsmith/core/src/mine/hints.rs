//! What one pass over a sample tells the next one about words.

use std::collections::BTreeSet;

use super::columns::Column;
use super::words::Words;

/// Words that were seen to vary. A word counts by its value: `user=root` as `root`.
#[derive(Debug, Default)]
pub struct Hints {
    /// Values of places that turned out to be variables.
    varied: BTreeSet<String>,
    /// What parted templates.
    parted: Vec<Parting>,
}

/// Values that parted templates in one place, and what the rows there have in common: nothing where a place differs.
#[derive(Debug)]
struct Parting {
    common: Vec<Option<u32>>,
    values: BTreeSet<String>,
}

impl Parting {
    /// True for partings of messages that are surely different, not of one group that is parted step by step.
    fn elsewhere(&self, other: &Self) -> bool {
        self.common.len() != other.common.len()
            || self.common.iter().zip(&other.common).any(|(one, two)| one.is_some() && two.is_some() && one != two)
    }
}

/// As many values must part templates in two places, to be values rather than parts of templates.
const RECURRING: usize = 3;
/// Most partings that are compared: more of them are no sign of a log.
const PARTINGS_MAX: usize = 500;

impl Hints {
    /// Notes the words of a place that is a variable.
    pub fn varied(&mut self, words: &Words, column: &Column) {
        self.varied.extend(values(words, column));
    }

    /// Notes the words of a place that parted templates.
    pub fn parted(&mut self, words: &Words, columns: &[Column], at: usize) {
        if self.parted.len() < PARTINGS_MAX {
            let common = columns.iter().map(Column::only).collect();
            self.parted.push(Parting { common, values: values(words, &columns[at]).collect() });
        }
    }

    /// Draws the conclusions from a whole pass.
    pub fn settle(mut self) -> Self {
        for (at, one) in self.parted.iter().enumerate() {
            for other in self.parted[at + 1..].iter().filter(|other| one.elsewhere(other)) {
                let both: Vec<&String> = one.values.intersection(&other.values).collect();
                if both.len() >= RECURRING {
                    self.varied.extend(both.into_iter().cloned());
                }
            }
        }
        self
    }

    /// True where at least two thirds of a place's words are known to vary.
    pub fn vary(&self, words: &Words, column: &Column) -> bool {
        let known = values(words, column).filter(|value| self.varied.contains(value)).count();
        known * 3 >= column.features.len() * 2
    }
}

/// The values of a place's words.
fn values(words: &Words, column: &Column) -> impl Iterator<Item = String> {
    column.features.keys().map(|word| value(words.text(*word)).to_owned()).filter(|value| !value.is_empty())
}

/// What follows a word's key; a word without one is its own value.
fn value(word: &str) -> &str {
    word.rsplit_once('=').map_or(word, |(_, value)| value).trim_matches(|c: char| !c.is_alphanumeric())
}
