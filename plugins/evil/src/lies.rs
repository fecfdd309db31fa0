//! A description that does not tell the truth. Which lie is told, the setting `describe` says.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use wasmill_sdk::{Function, config};

/// What the tool says of itself.
///
/// | setting | what it says | what must happen |
/// |---|---|---|
/// | none | the truth | |
/// | `garbage` | schemas that are no JSON | refused when it is loaded |
/// | `no-schema` | schemas that are JSON and no schemas | refused when it is loaded |
/// | `not-an-object` | an input schema that takes no object | refused when it is loaded |
/// | `remote` | a schema that refers to an address | refused, and nothing is fetched |
/// | `names` | names with control characters, empty, too long | refused when it is loaded |
/// | `twice` | two functions of one name | refused when it is loaded |
/// | `nothing` | no function | refused when it is loaded |
/// | `many` | 100,000 functions | refused, naming the limit |
/// | `huge` | a description of 64 MiB | refused, naming the limit |
/// | `differs` | something else each time | the first answer counts |
/// | `never` | nothing, for ever | stopped by `compute_ms` |
/// | `trap` | nothing, as it traps | refused when it is loaded |
#[allow(clippy::panic)]
pub fn about(honest: Vec<Function>) -> Vec<Function> {
    let one = |name: &str, input: &str| vec![Function::new(name, "A lie.", input, "{}")];
    match config::get("describe").as_deref() {
        Some("garbage") => one("echo", "{{{"),
        Some("no-schema") => one("echo", r#"{"type": 17}"#),
        Some("not-an-object") => one("echo", r#"{"type": "string"}"#),
        Some("remote") => one("echo", r#"{"$ref": "http://127.0.0.1:9/schema.json"}"#),
        Some("names") => ["", "a\nb", "\u{1b}[2J", &"x".repeat(65)]
            .iter()
            .flat_map(|name| one(name, r#"{"type":"object"}"#))
            .collect(),
        Some("twice") => [&honest[..1], &honest[..1]].concat(),
        Some("nothing") => Vec::new(),
        Some("many") => (0..100_000).flat_map(|i| one(&format!("f{i}"), r#"{"type":"object"}"#)).collect(),
        Some("huge") => vec![Function::new("echo", &"x".repeat(64 * 1024 * 1024), r#"{"type":"object"}"#, "{}")],
        Some("differs") => one(&format!("f{}", RandomState::new().hash_one(0)), r#"{"type":"object"}"#),
        Some("never") => loop {
            std::hint::black_box(());
        },
        Some("trap") => panic!("evil does not describe itself"),
        _ => honest,
    }
}
