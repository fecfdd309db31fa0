//! Numbers for words, so that comparing them is cheap.

use std::collections::HashMap;

/// Number of a place that is variable by its looks.
pub const VALUE: u32 = 0;

/// All words of a sample.
#[derive(Debug)]
pub struct Words {
    numbers: HashMap<String, u32>,
    texts: Vec<String>,
}

impl Default for Words {
    fn default() -> Self {
        Words { numbers: HashMap::new(), texts: vec![String::new()] }
    }
}

impl Words {
    /// The number of a word, new or known.
    pub fn number(&mut self, word: &str) -> u32 {
        if let Some(number) = self.numbers.get(word) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.numbers.insert(word.to_owned(), number);
        self.texts.push(word.to_owned());
        number
    }

    /// The word behind a number; empty for `VALUE`.
    pub fn text(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", String::as_str)
    }

    /// True where it says something: it has a letter.
    pub fn is_wordy(&self, number: u32) -> bool {
        self.text(number).contains(char::is_alphabetic)
    }
}
