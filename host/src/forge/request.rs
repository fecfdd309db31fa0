//! What is asked of the forge.

use serde::{Deserialize, Serialize};
use wasmill_registry::Digest;

/// Largest source, bytes.
pub const SOURCE_BYTES_MAX: usize = wasmill_registry::SOURCE_SIZE_MAX;

/// Longest name of a tool, characters.
pub const NAME_CHARS_MAX: usize = 64;

/// Longest description, characters.
pub const DESCRIPTION_CHARS_MAX: usize = 1000;

/// Most examples.
pub const EXAMPLES_MAX: usize = 64;

/// Functions, arguments and expected results of all examples together, bytes. They go into the statement, escaped and
/// encoded, which has a limit of its own.
pub const EXAMPLES_BYTES_MAX: usize = 256 * 1024;

/// Longest text of wanted permissions, bytes.
pub const PERMISSIONS_BYTES_MAX: usize = 16 * 1024;

/// Language of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Rust, one file, against the Wasmill SDK.
    Rust,
    /// JavaScript, one module, run by an engine.
    JavaScript,
}

impl Language {
    /// All languages.
    pub const ALL: [Self; 2] = [Self::Rust, Self::JavaScript];

    /// The word in the matrix's `forge` column.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::JavaScript => "javascript",
        }
    }
}

/// A call that the finished tool must answer as given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Function to call.
    pub function: String,
    /// Arguments as JSON text.
    pub arguments: String,
    /// Expected result as JSON text, compared as JSON values. None: any answer that is not an error will do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
}

/// What is to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Name of the tool, without its maker's.
    pub name: String,
    /// One sentence on what the tool is for.
    #[serde(default)]
    pub description: String,
    /// Language of the source.
    pub language: Language,
    /// The source.
    pub source: String,
    /// Crates that the source uses, out of the allowed set, by name.
    #[serde(default)]
    pub dependencies: Vec<String>,
    /// Calls to try before the tool is accepted.
    #[serde(default)]
    pub examples: Vec<Example>,
    /// Wanted permissions as TOML text, in the words of a permission row without its principal.
    #[serde(default)]
    pub permissions: String,
}

impl Request {
    /// What makes two requests of one maker the same: everything that decides what the tool does and may do. The
    /// description is not part of it.
    pub fn digest(&self, maker: &str) -> Digest {
        let mut dependencies: Vec<&String> = self.dependencies.iter().collect();
        dependencies.sort();
        dependencies.dedup();
        let examples: Vec<_> = self.examples.iter().map(|e| (&e.function, &e.arguments, &e.expected)).collect();
        let parts = serde_json::json!([
            maker,
            self.name,
            self.language,
            self.source,
            dependencies,
            examples,
            self.permissions.trim(),
        ]);
        Digest::of(parts.to_string().as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> Request {
        Request {
            name: "a".into(),
            description: String::new(),
            language: Language::Rust,
            source: "x".into(),
            dependencies: vec!["serde".into(), "regex-lite".into()],
            examples: vec![],
            permissions: String::new(),
        }
    }

    #[test]
    fn order_of_crates_and_description_make_no_other_request() {
        let mut other = request();
        other.dependencies.reverse();
        other.description = "different".into();
        assert_eq!(request().digest("agent:m"), other.digest("agent:m"));
    }

    #[test]
    fn source_examples_permissions_and_maker_do() {
        let base = request().digest("agent:m");
        let example = Example { function: "f".into(), arguments: "{}".into(), expected: None };
        let changed = [
            Request { source: "y".into(), ..request() },
            Request { examples: vec![example], ..request() },
            Request { permissions: "tools = ['x']".into(), ..request() },
            Request { name: "b".into(), ..request() },
        ];
        assert!(changed.iter().all(|r| r.digest("agent:m") != base));
        assert_ne!(request().digest("agent:n"), base);
    }
}
