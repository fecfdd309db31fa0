//! The known word that somebody probably meant.

/// Similarity (Jaro-Winkler, 0 to 1) from which a word is worth suggesting. Unrelated short words reach 0.6.
const SIMILARITY_MIN: f64 = 0.75;

/// The most similar of the known words, if one is similar at all.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(similarity, _)| *similarity >= SIMILARITY_MIN)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// The end of a sentence: `; did you mean ...?`, or nothing.
pub(super) fn hint(word: Option<&str>) -> String {
    word.map(|word| format!("; did you mean `{word}`?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_word_and_nonsense_finds_none() {
        let known = ["principal", "topics", "tools", "http"];
        assert_eq!(nearest("topcis", known), Some("topics"));
        assert_eq!(nearest("topic", known), Some("topics"));
        assert_eq!(nearest("principle", known), Some("principal"));
        assert_eq!(nearest("xyz", known), None);
    }
}
