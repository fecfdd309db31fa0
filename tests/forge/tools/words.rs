//! Finds words: the comfortable way, with typed functions and all allowed crates.

use wasmill_sdk::schemars::{self, JsonSchema};

/// A word with its number.
#[derive(serde::Serialize, JsonSchema)]
struct Found {
    /// The word.
    word: String,
    /// How often it occurs.
    times: usize,
}

wasmill_sdk::tool! {
    /// Counts the words of a text that a pattern matches.
    fn find(
        /// The text.
        text: String,
        /// A regular expression.
        pattern: String,
    ) -> Result<Vec<Found>, String> {
        let pattern = regex_lite::Regex::new(&pattern).map_err(|e| e.to_string())?;
        let mut found = std::collections::BTreeMap::<String, usize>::new();
        for word in pattern.find_iter(&text) {
            *found.entry(word.as_str().to_owned()).or_default() += 1;
        }
        Ok(found.into_iter().map(|(word, times)| Found { word, times }).collect())
    }
}
