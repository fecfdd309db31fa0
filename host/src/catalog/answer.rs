//! What comes back from a tool, before anybody reads it.

use crate::capabilities::{Identity, errors, problem};
use crate::problem::Problem;
use crate::runtime::bindings::errors::Error;

/// Deepest nesting of lists and objects in a result. What readers in most languages take by default.
const DEPTH_MAX: usize = 100;
/// Longest text of a tool's own error, bytes.
const ERROR_SIZE_MAX: usize = 4 * 1024;

/// What the code of a tool's own error begins with.
pub const OWN_CODE: &str = "tool.said.";

/// Checks a result: one JSON value, not nested too deep.
///
/// # Errors
/// `failed` with what is wrong with it.
pub(super) fn checked(identity: &Identity, answer: String) -> Result<String, Error> {
    let failed =
        |what: String| Err(errors::failed("tool.answer", format!("{} answered {what}", identity.component), ""));
    // Only reads through it: whoever wants the value parses it. This reader keeps no stack, so depth comes apart.
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&answer) {
        return failed(format!("what is not JSON: {error}"));
    }
    if depth(&answer) > DEPTH_MAX {
        return failed(format!("JSON that is nested over {DEPTH_MAX} deep"));
    }
    Ok(answer)
}

/// A tool's own error, as its own: it can't pass for a decision of the host, flood a log or steer a terminal.
pub(super) fn own_error(identity: &Identity, error: &Error) -> Error {
    let said = problem(error);
    let code = format!("{OWN_CODE}{}", plain(&said.code, 64));
    let message = format!("{} says: {}", identity.component, plain(&said.message, ERROR_SIZE_MAX));
    // Advice from a tool must not read like advice from the host.
    let next = plain(&said.next, ERROR_SIZE_MAX);
    let next = if next.is_empty() { next } else { format!("{} suggests: {next}", identity.component) };
    match error {
        Error::Invalid(_) => errors::invalid(&code, message, next),
        Error::NotFound(_) => errors::not_found(&code, message, next),
        Error::Unavailable(_) => errors::unavailable(&code, message, next),
        // Only the host denies, and only the host sets limits.
        Error::Denied(_) | Error::Limit(_) | Error::Failed(_) => errors::failed(&code, message, next),
    }
}

/// An agent's own problem: bounded, and unable to steer a terminal.
pub(crate) fn own_problem(said: &Problem) -> Problem {
    let text = |text: &str| plain(text, ERROR_SIZE_MAX);
    let problem = Problem::new(said.kind, &plain(&said.code, 64), text(&said.message), text(&said.next));
    problem.with_retry_after_ms(said.retry_after_ms)
}

/// Text without control characters, cut to so many bytes.
pub(crate) fn plain(text: &str, size_max: usize) -> String {
    let cut = &text[..text.floor_char_boundary(size_max)];
    let printable: String = cut.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if cut.len() < text.len() { format!("{printable}…") } else { printable }
}

/// Deepest nesting of valid JSON.
pub(super) fn depth(json: &str) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_counts_brackets_and_not_text() {
        for (json, expected) in [("1", 0), ("[]", 1), (r#"{"a":[{}]}"#, 3), (r#""[[[\"[[""#, 0), (r#"["\\",[]]"#, 2)] {
            assert_eq!(depth(json), expected, "{json}");
        }
    }

    #[test]
    fn text_is_cut_between_characters_and_cannot_steer_a_terminal() {
        assert_eq!(plain("a\u{1b}[2J\r\nb", 100), "a [2J  b");
        assert_eq!(plain("äöü", 3), "ä…");
    }
}
