//! The source as tokens: an early no to what a tool has no business with.
//!
//! It is read as tokens and not as a syntax tree: tokens inside macro calls and macro definitions look like all others,
//! so nothing can hide in there, and reading tokens needs no deep stack, however deeply a source is nested.
//!
//! This only spares the author a wait and an admin a second look. Whatever passes here meets the sandbox, which does
//! not rely on it.

use std::str::FromStr;

use proc_macro2::token_stream::IntoIter;
use proc_macro2::{Delimiter, LineColumn, TokenStream, TokenTree};

use super::diagnostics::{DIAGNOSTICS_MAX, Diagnostic};

/// Deepest nesting of brackets. Code that people read stays under ten.
pub const NESTING_MAX: usize = 64;

/// Words that must not occur, in code or in macros, with the reason. A word could be renamed by `use … as`, or handed
/// to a macro, so it doesn't matter where it stands.
const REFUSED_WORDS: [(&[&str], &str); 5] = [
    (
        &["include", "include_str", "include_bytes"],
        "a tool is one file and can't include others; put the text into the source",
    ),
    (&["env", "option_env"], "there is no environment, neither while a tool is built nor while it runs"),
    (&["asm", "global_asm", "naked_asm"], "assembly is not allowed"),
    (&["unsafe"], "unsafe code is not allowed: a tool must be readable by the admin who may have to approve it"),
    (&["extern"], "a tool links with nothing but the crates that it names"),
];

/// Attributes that may be used. Others change how code is found, linked or exported, or belong to macros that are not
/// there.
const ALLOWED_ATTRIBUTES: [&str; 24] = [
    "allow",
    "cfg",
    "cold",
    "default",
    "deny",
    "deprecated",
    "derive",
    "doc",
    "expect",
    "forbid",
    "inline",
    "macro_export",
    "macro_use",
    "must_use",
    "non_exhaustive",
    "repr",
    "rustfmt",
    "schemars",
    "serde",
    "should_panic",
    "test",
    "track_caller",
    "validate",
    "warn",
];

/// Finds everything that the forge doesn't build. Empty: nothing.
pub fn scan(source: &str) -> Vec<Diagnostic> {
    if let Some(refused) = scan_characters(source) {
        return vec![refused];
    }
    let tokens = match TokenStream::from_str(source) {
        Ok(tokens) => tokens,
        Err(error) => {
            return vec![at(source, error.span().start(), "this is not Rust: a bracket or a quote is not closed here")];
        }
    };
    let mut found = Vec::new();
    let mut levels = vec![Level::new(tokens)];
    while let Some(level) = levels.last_mut() {
        let Some(token) = level.tokens.next() else {
            levels.pop();
            continue;
        };
        if let Some(message) = level.refuses(&token) {
            found.push(at(source, token.span().start(), &message));
        }
        level.remember(&token);
        if found.len() == DIAGNOSTICS_MAX {
            break;
        }
        if let TokenTree::Group(group) = token {
            if levels.len() > NESTING_MAX {
                found.push(at(source, group.span().start(), &format!("brackets are nested deeper than {NESTING_MAX}")));
                break;
            }
            levels.push(Level::new(group.stream()));
        }
    }
    found
}

/// Characters that make a source look different from what it is.
fn scan_characters(source: &str) -> Option<Diagnostic> {
    let hidden = |c: char| {
        matches!(c, '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
            || (c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
    };
    let (offset, character) = source.char_indices().find(|&(_, c)| hidden(c))?;
    let before = &source[..offset];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |text| text.chars().count());
    let message = format!(
        "U+{:04X} can't be seen, or changes the order in which text is shown; write it as `\\u{{{:x}}}` in a string",
        character as u32, character as u32
    );
    Some(at(source, LineColumn { line, column }, &message))
}

/// One level of brackets, and as much of what came before as the rules need.
struct Level {
    tokens: IntoIter,
    before: [Option<String>; 2],
    in_module_head: bool,
}

impl Level {
    fn new(tokens: TokenStream) -> Self {
        Self { tokens: tokens.into_iter(), before: [None, None], in_module_head: false }
    }

    fn refuses(&self, token: &TokenTree) -> Option<String> {
        match token {
            TokenTree::Ident(word) => {
                let word = word.to_string();
                let plain = word.strip_prefix("r#").unwrap_or(&word);
                let (_, reason) = REFUSED_WORDS.iter().find(|(words, _)| words.contains(&plain))?;
                Some(format!("`{plain}`: {reason}"))
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket && self.is_after_hash() => {
                let first = group.stream().into_iter().next().map(|t| t.to_string()).unwrap_or_default();
                let allowed = ALLOWED_ATTRIBUTES.contains(&first.as_str());
                (!allowed).then(|| format!("the attribute `{first}` is not allowed"))
            }
            TokenTree::Punct(punct) if punct.as_char() == ';' && self.in_module_head => {
                Some("a module in another file: a tool is one file; write `mod name { … }`".to_owned())
            }
            _ => None,
        }
    }

    /// After `#` or `#!`.
    fn is_after_hash(&self) -> bool {
        let [last, second] = self.before.each_ref().map(Option::as_deref);
        last == Some("#") || (last == Some("!") && second == Some("#"))
    }

    fn remember(&mut self, token: &TokenTree) {
        let text = match token {
            // Groups can be long, and no rule looks at what is in one that came before.
            TokenTree::Group(_) => None,
            other => Some(other.to_string()),
        };
        let is_name = matches!(token, TokenTree::Ident(_)) || text.as_deref() == Some("$");
        self.in_module_head = text.as_deref() == Some("mod") || (self.in_module_head && is_name);
        self.before = [text, self.before[0].take()];
    }
}

fn at(source: &str, place: LineColumn, message: &str) -> Diagnostic {
    let (line, column) = (place.line, place.column + 1);
    let mut diagnostic =
        Diagnostic::at(u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX), message);
    let text: String = source.lines().nth(line.saturating_sub(1)).unwrap_or_default().chars().take(200).collect();
    diagnostic.rendered += &format!("\n  |\n  | {text}\n");
    diagnostic
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(source: &str) -> String {
        scan(source).into_iter().map(|d| format!("{}:{} {}\n", d.line, d.column, d.message)).collect()
    }

    #[test]
    fn ordinary_code_passes() {
        let source = r##"
            //! A parser. It does not include_str! anything.
            #![allow(dead_code)]
            use std::collections::BTreeMap;
            /// env!("HOME") in a comment
            #[derive(Debug, Clone, serde::Serialize)]
            #[serde(rename_all = "kebab-case")]
            pub struct Line<'a> { #[serde(default)] text: &'a str, modules: [u8; 4] }
            mod inner { pub fn f() -> &'static str { "unsafe extern \"C\" include_str!(\"/etc/passwd\")" } }
            macro_rules! pick { ($($x:expr),*) => { [$($x),*] }; }
            fn g() { let _ = pick![1, 2]; let s = r#"[[[[((("#; println!("{s}"); }
        "##;
        assert_eq!(refused(source), "");
    }

    #[test]
    fn words_are_found_wherever_they_stand() {
        for source in [
            "const X: &str = include_str!(\"/etc/passwd\");",
            "use core::include_bytes as harmless;",
            "macro_rules! m { ($x:ident) => { $x!(\"/etc/passwd\") } } const X: &str = m!(include_str);",
            "const X: &str = std::r#include_str!(\"/etc/passwd\");",
            "vec![vec![vec![include!(\"x\")]]]",
            "#[doc = include_str!(\"/etc/passwd\")] struct A;",
            "const X: &str = env!(\"PATH\");",
            "use std::env as e; const X: Option<&str> = option_env!(\"HOME\");",
            "fn f() { unsafe { *(0 as *const u8) }; }",
            "extern crate proc_macro;",
            "core::arch::global_asm!(\"nop\");",
        ] {
            assert_ne!(refused(source), "", "{source}");
        }
    }

    #[test]
    fn attributes_are_refused_unless_they_are_known() {
        for source in [
            "#[path = \"/etc/passwd\"] mod x {}",
            "#![feature(proc_macro_hygiene)]",
            "#![crate_type = \"proc-macro\"]",
            "#[link(name = \"c\")] struct A;",
            "#[cfg_attr(all(), path = \"/etc/passwd\")] mod x {}",
            "#[no_mangle] fn f() {}",
            "#![recursion_limit = \"100000\"]",
            "macro_rules! m { ($($a:meta)*) => { $(#[$a])* struct A; } }",
            "#[] struct A;",
        ] {
            assert!(refused(source).contains("attribute"), "{source}");
        }
    }

    #[test]
    fn modules_in_other_files_are_refused() {
        for source in ["mod x;", "pub(crate) mod r#x ;", "macro_rules! m { ($n:ident) => { mod $n; } }"] {
            assert!(refused(source).contains("one file"), "{source}");
        }
        assert_eq!(refused("mod x { mod y {} } fn f() { let model = 1; }"), "");
    }

    #[test]
    fn the_place_is_named() {
        let found = scan("fn f() {}\n  const X: &str = env!(\"A\");\n");
        assert_eq!((found[0].line, found[0].column), (2, 19));
        assert!(found[0].rendered.contains("const X"));
    }

    #[test]
    fn any_depth_is_answered_and_not_crashed_on() {
        for open in ["(", "[", "{", "vec![", "f(&["] {
            let close: String = open
                .chars()
                .rev()
                .filter_map(|c| match c {
                    '(' => Some(')'),
                    '[' => Some(']'),
                    '{' => Some('}'),
                    _ => None,
                })
                .collect();
            let source = format!("fn f() {{ {}{} }}", open.repeat(20_000), close.repeat(20_000));
            assert!(refused(&source).contains("nested"), "{open}");
            assert!(refused(&open.repeat(20_000)).contains("not closed"), "{open}");
        }
        assert_eq!(refused(&format!("fn f() {{ {} true }}", "!".repeat(100_000))), "");
    }

    #[test]
    fn characters_that_deceive_are_refused() {
        for character in ['\u{202e}', '\u{2066}', '\u{200b}', '\u{feff}', '\0', '\u{1b}'] {
            let found = scan(&format!("fn f() {{}}\n// a{character}b"));
            assert_eq!((found[0].line, found[0].column), (2, 5), "{character:?}");
        }
    }

    #[test]
    fn a_source_full_of_it_is_not_answered_without_end() {
        assert_eq!(scan(&"unsafe ".repeat(10_000)).len(), DIAGNOSTICS_MAX);
    }
}
