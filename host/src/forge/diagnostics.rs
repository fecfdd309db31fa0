//! Compiler messages as data that an agent or a model can act on.

use serde::{Deserialize, Serialize};

/// Most messages of one refusal.
pub const DIAGNOSTICS_MAX: usize = 64;

/// Longest text of one message, characters; what is longer is cut.
const TEXT_CHARS_MAX: usize = 4096;

/// How bad a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The build fails because of it.
    Error,
    /// The build goes on.
    Warning,
    /// Explains another one.
    Note,
}

/// One message of the compiler or of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// Code where there is one, for example `E0425`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The message, without colours.
    pub message: String,
    /// Line in the source, from 1; 0 where the message has no place.
    pub line: u32,
    /// Column in the source, from 1, in characters; 0 where the message has no place.
    pub column: u32,
    /// The message as the compiler would print it, with the lines of source around it.
    pub rendered: String,
}

impl Diagnostic {
    /// An error of a check of ours at a place in the source; line 0 where it has none.
    pub fn at(line: u32, column: u32, message: impl Into<String>) -> Self {
        let message = message.into();
        let rendered = match line {
            0 => format!("error: {message}"),
            _ => format!("error: {message}\n --> source:{line}:{column}"),
        };
        Self { severity: Severity::Error, code: None, message, line, column, rendered }
    }
}

/// A line of `cargo --message-format=json`, as far as it matters here.
#[derive(Deserialize)]
struct Line {
    reason: String,
    message: Option<Message>,
}

/// A message of rustc: <https://doc.rust-lang.org/rustc/json.html>
#[derive(Deserialize)]
struct Message {
    message: String,
    level: String,
    #[serde(default)]
    code: Option<Code>,
    #[serde(default)]
    spans: Vec<Span>,
    #[serde(default)]
    rendered: Option<String>,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    is_primary: bool,
    line_start: u32,
    column_start: u32,
    #[serde(default)]
    expansion: Option<Box<Expansion>>,
}

/// Where the macro was used that the span lies in.
#[derive(Deserialize)]
struct Expansion {
    span: Span,
}

/// Reads cargo's output: errors first, then warnings, in the compiler's order, at most [`DIAGNOSTICS_MAX`].
///
/// Lines that are no messages are read over; a line that was cut off is, too.
pub fn read(stdout: &[u8]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for line in stdout.split(|&byte| byte == b'\n').filter(|line| line.starts_with(b"{")) {
        let Ok(Line { reason, message: Some(message) }) = serde_json::from_slice(line) else { continue };
        // A flood of warnings must not hide an error behind it, nor fill memory.
        let error = message.level.starts_with("error");
        if reason == "compiler-message" && (error || found.len() < DIAGNOSTICS_MAX) {
            found.push(diagnostic(message));
        }
        if found.len() > 2 * DIAGNOSTICS_MAX {
            found.sort_by_key(|d: &Diagnostic| d.severity);
            found.truncate(DIAGNOSTICS_MAX);
        }
    }
    // The last words of a failed build ("aborting due to 2 previous errors") say nothing that the others don't.
    if found.iter().any(|d| d.line > 0) {
        found.retain(|d| !d.message.starts_with("aborting due to") && !d.message.starts_with("For more information"));
    }
    found.sort_by_key(|d| d.severity);
    found.truncate(DIAGNOSTICS_MAX);
    found
}

fn diagnostic(message: Message) -> Diagnostic {
    let severity = match message.level.as_str() {
        "warning" => Severity::Warning,
        level if level.starts_with("error") => Severity::Error,
        _ => Severity::Note,
    };
    let place = message.spans.iter().find(|span| span.is_primary).and_then(in_source);
    let (line, column) = place.unwrap_or((0, 0));
    let text = cut(message.message);
    Diagnostic {
        severity,
        code: message.code.map(|code| cut(code.code)),
        line,
        column,
        rendered: message.rendered.map_or_else(|| text.clone(), cut),
        message: text,
    }
}

/// The place in the generated source: that of the span, or where the macro was used that it comes from.
fn in_source(span: &Span) -> Option<(u32, u32)> {
    let mut span = span;
    // Bounded: the nesting comes from a program's output.
    for _ in 0..64 {
        if span.file_name == "src/lib.rs" {
            return Some((span.line_start, span.column_start));
        }
        span = &span.expansion.as_ref()?.span;
    }
    None
}

fn cut(text: String) -> String {
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ERROR: &str = r#"{"reason":"compiler-message","package_id":"x","message":{"message":"cannot find value `y`","level":"error","code":{"code":"E0425","explanation":null},"spans":[{"file_name":"src/lib.rs","is_primary":true,"line_start":7,"line_end":7,"column_start":5,"column_end":6,"expansion":null}],"rendered":"error[E0425]: …"}}"#;
    const IN_MACRO: &str = r#"{"reason":"compiler-message","message":{"message":"m","level":"warning","spans":[{"file_name":"/sdk/src/tool.rs","is_primary":true,"line_start":40,"column_start":9,"expansion":{"span":{"file_name":"src/lib.rs","is_primary":false,"line_start":3,"column_start":1,"expansion":null}}}]}}"#;
    const LAST: &str = r#"{"reason":"compiler-message","message":{"message":"aborting due to 1 previous error","level":"error","spans":[]}}"#;

    #[test]
    fn a_message_becomes_data() {
        let found = read(format!("   Compiling x\n{ERROR}\n{LAST}\n{{\"reason\":\"build-fini").as_bytes());
        let expected = Diagnostic {
            severity: Severity::Error,
            code: Some("E0425".into()),
            message: "cannot find value `y`".into(),
            line: 7,
            column: 5,
            rendered: "error[E0425]: …".into(),
        };
        assert_eq!(found, [expected]);
    }

    #[test]
    fn what_happens_inside_a_macro_is_placed_where_the_macro_is_used() {
        let found = read(IN_MACRO.as_bytes());
        assert_eq!((found[0].line, found[0].column, found[0].severity), (3, 1, Severity::Warning));
    }

    #[test]
    fn an_error_is_found_behind_any_number_of_warnings() {
        let flood = format!("{IN_MACRO}\n").repeat(1000) + ERROR;
        let found = read(flood.as_bytes());
        assert_eq!(found.len(), DIAGNOSTICS_MAX);
        assert_eq!(found[0].code.as_deref(), Some("E0425"));
    }

    #[test]
    fn very_long_messages_are_cut_between_characters() {
        let long = ERROR.replace("error[E0425]: …", &"ü".repeat(10_000));
        assert_eq!(read(long.as_bytes())[0].rendered.chars().count(), TEXT_CHARS_MAX + 1);
    }
}
