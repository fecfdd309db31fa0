//! Counts and measures texts.

use schemars::JsonSchema;
use serde::Serialize;

/// What can be counted in a text.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// UTF-8 bytes.
    bytes: usize,
    /// Unicode scalar values.
    characters: usize,
    /// What white space separates.
    words: usize,
    /// Lines, the last one with or without its end.
    lines: usize,
    /// Words of the longest line.
    longest_line_words: usize,
}

/// A word and how often it occurs.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Frequency {
    /// The word in small letters, without the punctuation around it.
    word: String,
    /// How often it occurs.
    count: u64,
}

wasmill_sdk::tool! {
    /// Counts bytes, characters, words and lines of a text.
    pub fn count(
        /// Any text.
        text: String,
    ) -> Result<Counts, String> {
        let words = |part: &str| part.split_whitespace().count();
        Ok(Counts {
            bytes: text.len(),
            characters: text.chars().count(),
            words: words(&text),
            lines: text.lines().count(),
            longest_line_words: text.lines().map(words).max().unwrap_or_default(),
        })
    }

    /// Lists the most frequent words of a text, the most frequent one first, equally frequent ones in alphabetical order.
    pub fn frequent_words(
        /// Any text.
        text: String,
        /// How many words; 10 where it is left out.
        limit: Option<usize>,
    ) -> Result<Vec<Frequency>, String> {
        let mut counts = std::collections::BTreeMap::<String, u64>::new();
        for word in text.split_whitespace() {
            let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
            if !word.is_empty() {
                *counts.entry(word).or_default() += 1;
            }
        }
        let mut found: Vec<_> = counts.into_iter().map(|(word, count)| Frequency { word, count }).collect();
        found.sort_by_key(|frequency| std::cmp::Reverse(frequency.count));
        found.truncate(limit.unwrap_or(10));
        Ok(found)
    }

    /// Measures how alike two texts are: 1 for the same, 0 where no character can stay (Levenshtein distance over the
    /// longer one's length). At most 10,000 characters each.
    pub fn similarity(a: String, b: String) -> Result<f64, String> {
        const CHARACTERS_MAX: usize = 10_000;
        let (a, b): (Vec<_>, Vec<_>) = (a.chars().collect(), b.chars().collect());
        let longer = a.len().max(b.len());
        if longer > CHARACTERS_MAX {
            return Err(format!("a text has {longer} characters, {CHARACTERS_MAX} is the most"));
        }
        if longer == 0 {
            return Ok(1.0);
        }
        Ok(1.0 - distance(&a, &b) as f64 / longer as f64)
    }
}

/// Levenshtein distance, one row of the table at a time.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let changed = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_what_white_space_separates() {
        let counts = count("Grüß Gott,\n  alle miteinander".into()).unwrap();
        assert_eq!(counts, Counts { bytes: 31, characters: 29, words: 4, lines: 2, longest_line_words: 2 });
    }

    #[test]
    fn case_and_punctuation_make_no_other_word() {
        let found = frequent_words("Mill, mill. The mill!".into(), Some(1)).unwrap();
        assert_eq!(found, [Frequency { word: "mill".into(), count: 3 }]);
    }

    #[test]
    fn similarity_goes_from_nothing_to_everything() {
        let alike = |a: &str, b: &str| similarity(a.into(), b.into()).unwrap();
        assert_eq!((alike("mill", "mill"), alike("", ""), alike("ab", "xy")), (1.0, 1.0, 0.0));
        assert_eq!(alike("kitten", "sitting"), 1.0 - 3.0 / 7.0);
    }
}
