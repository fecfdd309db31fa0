//! `topics.toml`: the topics that shall be.

use std::path::Path;

use serde::{Deserialize, Serialize};
use wasmill_registry::{DocumentError, line_of, parse_document};

use super::amount::{Age, Size};
use crate::home::{Home, HomeError, read_bounded};
use crate::streams::{Bound, PARTITIONS_MAX};

/// Largest file, in bytes.
const FILE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// One declared topic. What is none is left as it is where there is such a topic already.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeclaredTopic {
    /// Name.
    pub name: String,
    /// Partitions; a new topic without this gets one.
    #[serde(default)]
    pub partitions: Option<u32>,
    /// Keep the newest record of each key.
    #[serde(default)]
    pub compacted: bool,
    /// How old a record may become, in milliseconds.
    #[serde(default)]
    pub retention_ms: Option<Bound>,
    /// How large a partition may become, in bytes.
    #[serde(default)]
    pub retention_bytes: Option<Bound>,
    /// Copies of each partition.
    #[serde(default)]
    pub replicas: Option<u16>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    topic: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    partitions: Option<u32>,
    #[serde(default)]
    compacted: bool,
    retention: Option<Age>,
    retention_size: Option<Size>,
    replicas: Option<u16>,
}

/// The topics that a home declares; none where it has no such file.
///
/// # Errors
/// As [`load`].
pub fn of_home(home: &Home) -> Result<Option<Vec<DeclaredTopic>>, HomeError> {
    let path = home.topics_file();
    if path.exists() { load(&path).map(Some) } else { Ok(None) }
}

/// Reads a file.
///
/// # Errors
/// [`HomeError::Document`] with file and line; [`HomeError::Unreadable`]; [`HomeError::Io`].
pub fn load(path: &Path) -> Result<Vec<DeclaredTopic>, HomeError> {
    let bytes = read_bounded(path, FILE_BYTES_MAX)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| HomeError::Unreadable { path: path.to_owned(), reason: "it is not text".to_owned() })?;
    parse(&text).map_err(|error| HomeError::Document { path: path.to_owned(), error })
}

/// Reads a text.
///
/// # Errors
/// With the line: unknown keys, wrong types, names and numbers that no topic can have, a topic declared twice.
pub fn parse(text: &str) -> Result<Vec<DeclaredTopic>, DocumentError> {
    let file: File = parse_document(text)?;
    let mut declared: Vec<DeclaredTopic> = Vec::with_capacity(file.topic.len());
    for (index, row) in file.topic.into_iter().enumerate() {
        let index = index.to_string();
        let at = |key: &str, message: String| DocumentError { line: line_of(text, &["topic", &index, key]), message };
        wasmill_registry::check_topic_name(&row.name).map_err(|error| at("name", error.to_string()))?;
        if declared.iter().any(|other| other.name == row.name) {
            return Err(at("name", format!("`{}` is declared twice", row.name)));
        }
        if row.partitions.is_some_and(|count| count == 0 || count > PARTITIONS_MAX) {
            return Err(at("partitions", format!("a topic has 1 to {PARTITIONS_MAX} partitions")));
        }
        if row.replicas == Some(0) {
            return Err(at("replicas", "a topic has at least 1 replica".to_owned()));
        }
        declared.push(DeclaredTopic {
            name: row.name,
            partitions: row.partitions,
            compacted: row.compacted,
            retention_ms: row.retention.map(|age| age.0),
            retention_bytes: row.retention_size.map(|size| size.0),
            replicas: row.replicas,
        });
    }
    Ok(declared)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_what_shall_be() {
        let text = "[[topic]]\nname = \"logs.raw\"\npartitions = 4\nretention = \"7d\"\nretention_size = \"1GiB\"\n\
                    replicas = 3\n[[topic]]\nname = \"settings\"\ncompacted = true\n";
        let declared = parse(text).unwrap();
        let raw = DeclaredTopic {
            name: "logs.raw".into(),
            partitions: Some(4),
            retention_ms: Some(Bound::AtMost(604_800_000)),
            retention_bytes: Some(Bound::AtMost(1 << 30)),
            replicas: Some(3),
            compacted: false,
        };
        let settings = DeclaredTopic { name: "settings".into(), compacted: true, ..DeclaredTopic::default() };
        assert_eq!(declared, [raw, settings]);
        assert_eq!(parse("").unwrap(), []);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, line, word) in [
            ("[[topics]]\n", 1, "topics"),
            ("[[topic]]\nname = 'a'\npartition = 3\n", 3, "partition"),
            ("[[topic]]\nname = 'a b'\n", 2, "name"),
            ("[[topic]]\nname = 'a'\npartitions = 0\n", 3, "partitions"),
            ("[[topic]]\nname = 'a'\nretention = '7 days'\n", 3, "7d"),
            ("[[topic]]\nname = 'a'\nretention_size = 7\n", 3, "invalid type"),
            ("[[topic]]\nname = 'a'\nreplicas = 0\n", 3, "replica"),
            ("[[topic]]\nname = 'a'\n[[topic]]\nname = 'a'\n", 4, "twice"),
            ("[[topic]]\npartitions = 1\n", 1, "name"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.line == line && error.message.contains(word), "{text}: {error}");
        }
    }
}
