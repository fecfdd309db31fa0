//! The one way by which text gets into a source.

/// A Rust string literal with exactly this text. It holds nothing but printable ASCII, and neither a quote nor a backslash
/// that the text brought along can end it: what is written is what the compiler reads, and what a person sees.
pub fn literal(text: &str) -> String {
    format!("\"{}\"", text.escape_default())
}
