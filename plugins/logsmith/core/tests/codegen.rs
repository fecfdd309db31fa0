//! The source of a parser: the same for the same sample, and no line can write into it.

#![allow(clippy::expect_used, reason = "a test may stop where it stands")]

mod support;

use std::sync::LazyLock;

use logsmith_core::codegen::{SOURCE_MAX, source};
use logsmith_core::{Learned, examples, learn};
use support::Chance;

/// Names of the items of a Rust file, in order.
fn items(text: &str) -> Vec<String> {
    let file = syn::parse_file(text).expect("Rust");
    file.items
        .iter()
        .map(|item| match item {
            syn::Item::Const(item) => format!("const {}", item.ident),
            syn::Item::Mod(item) => format!("mod {}", item.ident),
            syn::Item::Struct(item) => format!("struct {}", item.ident),
            syn::Item::Impl(_) => "impl".to_owned(),
            syn::Item::Use(_) => "use".to_owned(),
            syn::Item::Macro(_) => "macro".to_owned(),
            _ => "other".to_owned(),
        })
        .collect()
}

/// All string literals of the constants that hold what came from lines.
fn literals(text: &str) -> Vec<String> {
    use syn::visit::Visit;
    struct Strings(Vec<String>);
    impl<'ast> Visit<'ast> for Strings {
        fn visit_lit_str(&mut self, literal: &'ast syn::LitStr) {
            self.0.push(literal.value());
        }
    }
    let mut strings = Strings(Vec::new());
    for item in &syn::parse_file(text).expect("Rust").items {
        if let syn::Item::Const(item) = item
            && item.ident == "TEMPLATES"
        {
            strings.visit_expr(&item.expr);
        }
    }
    strings.0
}

/// What the literals must be, from what was learned.
fn expected(learned: &Learned, count: usize) -> Vec<String> {
    use logsmith_core::model::Place;
    let places = learned.templates.iter().take(count).flat_map(|pattern| &pattern.places);
    places
        .flat_map(|place| match place {
            Place::Word(word) => vec![word.clone()],
            Place::Value(a, b) | Place::Any(a, b) => vec![a.clone(), b.clone()],
        })
        .collect()
}

fn check(name: &str, lines: &[String]) {
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let learned = learn(&lines);
    let made = source(name, &learned);
    assert!(made.text.len() <= SOURCE_MAX);
    static HARMLESS: LazyLock<Vec<String>> = LazyLock::new(|| items(&source("x", &Learned::default()).text));
    assert_eq!(items(&made.text), *HARMLESS, "{lines:?}");
    assert_eq!(literals(&made.text), expected(&learned, made.templates), "{lines:?}");
    assert!(made.text.is_ascii(), "{lines:?}");
}

#[test]
fn the_same_sample_gives_the_same_bytes() {
    let log = support::log("tests/styles/hadoop.txt".as_ref(), 500);
    let lines: Vec<&str> = log.lines.iter().map(String::as_str).collect();
    assert_eq!(source("x", &learn(&lines)), source("x", &learn(&lines)));
}

#[test]
fn lines_that_try_to_end_their_literal_stay_inside() {
    let hostile = [
        "\"## ]; fn evil() {} const X: &[&str] = &[",
        "\"### evil\"#",
        "*/ fn evil() {} /*",
        "// */ evil",
        "{{ }} {} {0} {evil:?}",
        r#"\" evil \\" \\\" \u{41} \n \x41"#,
        "right\u{202e}to\u{2066}left \u{200b} \u{feff}",
        "nul\u{0} bell\u{7} escape\u{1b}[31m delete\u{7f}",
        "'a' 'static b'x' r#\"raw\"# \"",
        "include_str!(\"/etc/passwd\") env!(\"HOME\")",
        "<*> <*>=<*> user=<*>",
        "${evil} `evil` %s #![feature]",
    ];
    let lines: Vec<String> = hostile.iter().map(|line| (*line).to_owned()).collect();
    check("x", &lines);
    let headed: Vec<String> = lines.iter().map(|line| format!("2025-01-02 03:04:05 INFO {line}")).collect();
    check("x", &headed);
    for line in hostile {
        check(line, &lines);
    }
}

#[test]
fn lines_made_of_random_pieces_stay_inside() {
    let pieces = [
        "\"",
        "\\",
        "#",
        "##",
        "'",
        "\n",
        "\r",
        "\t",
        "*/",
        "/*",
        "//",
        "{",
        "}",
        "{{",
        "]",
        "[",
        "(",
        ")",
        ";",
        "=",
        "<*>",
        " ",
        "  ",
        "|",
        ":",
        "fn",
        "mod",
        "const",
        "r#\"",
        "b\"",
        "\u{202e}",
        "\u{0}",
        "\u{e000}",
        "é",
        "日本",
        "🦀",
        "1",
        "10.0.0.1",
        "0x1f",
        "2025-01-02",
        "03:04:05",
        "INFO",
        "a=",
        "macro_rules!",
        "\u{2028}",
        "\u{85}",
        "-",
    ];
    let mut chance = Chance(42);
    for _ in 0..100 {
        let lines: Vec<String> = (0..1 + chance.below(8))
            .map(|_| (0..chance.below(20)).map(|_| pieces[chance.below(pieces.len() as u64) as usize]).collect())
            .collect();
        check(&lines[0], &lines);
    }
}

#[test]
fn field_names_of_json_lines_stay_inside() {
    let key = r###"\"## */ evil \u202e"###;
    let lines: Vec<String> =
        (0..20).map(|n| format!("{{\"{key}\": \"some message number {n}\", \"level\": \"INFO\"}}")).collect();
    check("x", &lines);
}

#[test]
fn a_source_is_never_larger_than_the_forge_takes() {
    let mut chance = Chance(1);
    let lines: Vec<String> = (0..800)
        .map(|_| {
            (0..40).map(|_| format!("{} ", char::from(b'a' + chance.below(26) as u8).to_string().repeat(9))).collect()
        })
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let learned = learn(&lines);
    let made = source("x", &learned);
    assert!(made.text.len() <= SOURCE_MAX && made.templates > 0);
}

#[test]
fn examples_cover_the_templates_and_are_json() {
    let log = support::log("tests/styles/dpkg.txt".as_ref(), 500);
    let lines: Vec<&str> = log.lines.iter().map(String::as_str).collect();
    let learned = learn(&lines);
    let examples = examples(&learned, &lines);
    assert_eq!(examples.len(), 2);
    let rows: serde_json::Value = serde_json::from_str(&examples[0].expected).expect("JSON");
    assert_eq!(rows["rows"].as_array().expect("rows").len(), learned.templates.len());
    assert_eq!(examples[1].expected, r#"{"rows":[]}"#);
}
