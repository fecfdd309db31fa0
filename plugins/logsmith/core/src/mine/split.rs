//! Parts the rows of one length into templates.

use std::collections::BTreeMap;

use super::columns::{Column, columns};
use super::hints::Hints;
use super::words::{VALUE, Words};
use super::{VARIETY, VARIETY_FIRST};
use crate::runtime::token::HIDDEN;

/// One message with its variable parts hidden, and how often it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Numbers of its words.
    pub words: Vec<u32>,
    /// For places that are variable by their looks, number of the punctuation around the value in the first such message.
    pub frames: Vec<u32>,
    /// Messages that look like this.
    pub count: usize,
}

/// How much work one pass may still do, in places of rows looked at. Lines that have nothing in common would otherwise cost
/// the square of their number.
#[derive(Debug)]
pub struct Effort(pub usize);

impl Effort {
    fn spend(&mut self, places: usize) -> bool {
        let enough = self.0 >= places;
        self.0 = self.0.saturating_sub(places);
        enough
    }
}

/// Rows that belong to one template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// Indices of the rows.
    pub members: Vec<usize>,
    /// Places that are variable although they look like words.
    pub any: Vec<bool>,
}

/// Words of several places that are in exactly the same rows.
struct Bundle {
    at: Vec<(usize, u32)>,
    lines: usize,
}

/// Parts `rows`, which are of one length. What is learned about words on the way goes into `seen`.
pub fn split(rows: &[Row], words: &Words, hints: &Hints, seen: &mut Hints, effort: &mut Effort) -> Vec<Leaf> {
    let width = rows.first().map_or(0, |row| row.words.len());
    let mut work = vec![Leaf { members: (0..rows.len()).collect(), any: vec![false; width] }];
    let mut leaves = Vec::new();
    while let Some(mut leaf) = work.pop() {
        let columns = columns(rows, &leaf.members);
        let open: Vec<usize> = (0..width).filter(|at| !leaf.any[*at] && columns[*at].features.len() > 1).collect();
        if open.is_empty() {
            leaves.push(leaf);
            continue;
        }
        let scene = Scene { columns: &columns, open: &open, words, hints };
        let bundle = if effort.spend(leaf.members.len() * width) { scene.best() } else { None };
        match bundle {
            Some(bundle) => {
                if let [(at, _)] = bundle.at[..] {
                    seen.parted(words, &columns, at);
                }
                let (at, word) = bundle.at[0];
                let (with, without) = leaf.members.iter().partition(|row| rows[**row].words[at] == word);
                work.push(Leaf { members: without, any: leaf.any.clone() });
                work.push(Leaf { members: with, any: leaf.any });
            }
            None => {
                for at in open {
                    leaf.any[at] = true;
                    seen.varied(words, &columns[at]);
                }
                leaves.push(leaf);
            }
        }
    }
    leaves
}

/// One group of rows, with what decides whether to part it.
struct Scene<'a> {
    columns: &'a [Column],
    open: &'a [usize],
    words: &'a Words,
    hints: &'a Hints,
}

impl Scene<'_> {
    /// The bundle to part the rows by: the widest that tells templates apart, then the most frequent.
    fn best(&self) -> Option<Bundle> {
        let common = self.columns.iter().filter(|column| self.is_common(column)).count();
        let mut best: Option<Bundle> = None;
        for bundle in self.bundles() {
            let wider = best.as_ref().is_none_or(|b| (bundle.at.len(), bundle.lines) > (b.at.len(), b.lines));
            if wider && self.parts(&bundle, common) {
                best = Some(bundle);
            }
        }
        best
    }

    /// True for a column with the same word in all rows.
    fn is_common(&self, column: &Column) -> bool {
        column.only().is_some_and(|word| self.words.is_wordy(word))
    }

    fn bundles(&self) -> Vec<Bundle> {
        let mut by_support: BTreeMap<u64, Bundle> = BTreeMap::new();
        for &at in self.open {
            for (word, feature) in &self.columns[at].features {
                let bundle =
                    by_support.entry(feature.support).or_insert(Bundle { at: Vec::new(), lines: feature.lines });
                bundle.at.push((at, *word));
            }
        }
        by_support.into_values().collect()
    }

    /// Whether a bundle tells templates apart, rather than being values that happen to come together.
    fn parts(&self, bundle: &Bundle, common: usize) -> bool {
        let wordy = bundle.at.iter().filter(|(_, word)| *word != VALUE).count();
        // Rows that have less in common than sets them apart are not of one template.
        wordy > common || (wordy > 0 && bundle.at.iter().any(|(at, _)| self.few(*at)))
    }

    /// True where a place has so few different words that they can be parts of templates.
    fn few(&self, at: usize) -> bool {
        let features = &self.columns[at].features;
        let limit = if at == 0 { VARIETY_FIRST } else { VARIETY };
        features.len() < limit
            && !self.hides(at)
            && !features.keys().all(|word| is_literal(self.words.text(*word)))
            && !self.hints.vary(self.words, &self.columns[at])
    }

    /// True where some rows have a value in this place that is variable by its looks: then the words of the others, which
    /// begin alike, are values too.
    fn hides(&self, at: usize) -> bool {
        let features = &self.columns[at].features;
        features.keys().any(|word| {
            let text = self.words.text(*word);
            match text.find(HIDDEN) {
                Some(hidden) if text[..hidden].ends_with(['=', ':', '(', '[', '"', '\'']) => {
                    features.keys().filter(|other| self.words.text(**other).starts_with(&text[..hidden])).count() > 1
                }
                Some(_) => false,
                None => *word == VALUE,
            }
        })
    }
}

/// True where a word, or what follows its key, is a value in itself.
fn is_literal(word: &str) -> bool {
    let value = word.rsplit(['=', ':']).find(|part| !part.is_empty()).unwrap_or(word);
    let value = value.trim_matches(|c: char| !c.is_alphanumeric());
    ["true", "false", "yes", "no", "on", "off", "null", "none", "nil"]
        .iter()
        .any(|literal| literal.eq_ignore_ascii_case(value))
}
