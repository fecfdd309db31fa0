//! Reading TOML files that people write, with the line in every error.

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A TOML file that cannot be used, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct DocumentError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong, as one sentence without a full stop.
    pub message: String,
}

/// Reads a TOML text into `T`.
///
/// # Errors
/// With the line where the text stops being TOML, or stops being a `T`: unknown keys (where `T` denies them), missing
/// keys, wrong types.
pub fn parse_document<T: DeserializeOwned>(text: &str) -> Result<T, DocumentError> {
    toml::from_str(text).map_err(|error| DocumentError {
        line: error.span().map_or(1, |span| line_at(text, span.start)),
        message: error.message().trim().replace('\n', ", "),
    })
}

/// Line of the value that `path` leads to (`["agent", "reads", "2"]`: numbers count rows of an array, from 0).
///
/// Where the text doesn't go so deep, the line of the last step that exists; 1 where nothing does. For checks that come
/// after parsing and know the field but not the place.
pub fn line_of(text: &str, path: &[&str]) -> usize {
    let Ok(root) = DeTable::parse(text) else { return 1 };
    let mut line = 1;
    let mut table = Some(root.get_ref());
    let mut array = None;
    for step in path {
        let value: Option<&Spanned<DeValue<'_>>> = match (table, array) {
            (Some(table), _) => {
                let found = table.get_key_value(*step);
                if let Some((key, _)) = found {
                    line = line_at(text, key.span().start);
                }
                found.map(|(_, value)| value)
            }
            (None, Some(rows)) => {
                let rows: &toml::de::DeArray<'_> = rows;
                let found = step.parse().ok().and_then(|i: usize| rows.get(i));
                if let Some(value) = found {
                    line = line_at(text, value.span().start);
                }
                found
            }
            (None, None) => None,
        };
        let Some(value) = value else { break };
        table = value.get_ref().as_table();
        array = value.get_ref().as_array();
    }
    line
}

/// Line of a byte offset, from 1.
fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|&b| b == b'\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        #[serde(rename = "inner")]
        _inner: Inner,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[serde(rename = "size")]
        _size: u32,
    }

    fn line(text: &str) -> usize {
        parse_document::<Outer>(text).unwrap_err().line
    }

    #[test]
    fn an_error_names_the_line_it_is_on() {
        assert_eq!(line("# first\n\n[inner]\nsize = 1\nsise = 2\n"), 5);
        assert_eq!(line("[inner]\nsize = -1\n"), 2);
        assert_eq!(line("\n\n[inner\nsize = 1"), 3);
    }

    #[test]
    fn an_unknown_key_is_named_with_the_known_ones() {
        let error = parse_document::<Outer>("[inner]\nsise = 2\n").unwrap_err();
        assert!(error.message.contains("sise") && error.message.contains("size"), "{}", error.message);
    }

    #[test]
    fn a_path_leads_to_its_line() {
        let text = "a = 1\n[b]\nc = [\n  'x',\n  'y',\n]\n[[d]]\ne = 1\n[[d]]\ne = 2\n";
        assert_eq!(line_of(text, &["b", "c", "1"]), 5);
        assert_eq!(line_of(text, &["d", "1", "e"]), 10);
        assert_eq!(line_of(text, &["b", "missing"]), 2);
        assert_eq!(line_of("not toml =", &["b"]), 1);
    }
}
