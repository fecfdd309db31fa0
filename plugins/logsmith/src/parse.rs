//! Calls of a parser tool, a batch of lines per call.

use serde_json::json;
use wasmill_sdk::{Error, tools};

/// Most lines of one call.
const LINES_MAX: usize = 1_024;
/// Bytes of lines of one call, unless a single line is longer.
const BYTES_MAX: usize = 512 * 1024;

/// What came of a call.
#[derive(Debug)]
pub enum Parsed {
    /// The answer, JSON text.
    Rows(String),
    /// There is no such tool to call.
    Gone,
}

/// Cuts lines into what one call takes.
pub fn pieces<'a, 'l>(lines: &'a [&'l str]) -> Vec<&'a [&'l str]> {
    let mut pieces = Vec::new();
    let (mut first, mut bytes) = (0, 0);
    for (at, line) in lines.iter().enumerate() {
        if at > first && (at - first == LINES_MAX || bytes + line.len() > BYTES_MAX) {
            pieces.push(&lines[first..at]);
            (first, bytes) = (at, 0);
        }
        bytes += line.len();
    }
    if first < lines.len() {
        pieces.push(&lines[first..]);
    }
    pieces
}

/// Calls `parse`. A tool that fails gets the lines in ever smaller parts; a line that it fails on alone gets a row without a
/// template.
pub fn call(tool: &str, lines: &[&str]) -> Result<Parsed, Error> {
    match tools::call(tool, "parse", &json!({ "lines": lines }).to_string()) {
        Ok(answer) => Ok(Parsed::Rows(answer)),
        Err(Error::Denied(_) | Error::NotFound(_)) => Ok(Parsed::Gone),
        Err(error @ Error::Unavailable(_)) => Err(error),
        Err(_) if lines.len() <= 1 => Ok(Parsed::Rows(json!({ "rows": [[null, "", "", [], []]] }).to_string())),
        Err(_) => {
            let (one, two) = lines.split_at(lines.len() / 2);
            match (call(tool, one)?, call(tool, two)?) {
                (Parsed::Rows(one), Parsed::Rows(two)) => Ok(Parsed::Rows(joined(&one, &two))),
                _ => Ok(Parsed::Gone),
            }
        }
    }
}

/// Two answers as one.
fn joined(one: &str, two: &str) -> String {
    let rows = |text: &str| match serde_json::from_str::<serde_json::Value>(text) {
        Ok(mut answer) => answer["rows"].as_array_mut().map(std::mem::take).unwrap_or_default(),
        Err(_) => Vec::new(),
    };
    let mut all = rows(one);
    all.extend(rows(two));
    json!({ "rows": all }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_lost_between_calls() {
        let long = "x".repeat(BYTES_MAX + 1);
        let mut lines = vec!["a"; 3_000];
        lines.insert(1_500, &long);
        let pieces = pieces(&lines);
        assert!(pieces.iter().all(|piece| !piece.is_empty() && piece.len() <= LINES_MAX));
        assert_eq!(pieces.concat(), lines);
        assert!(super::pieces(&[]).is_empty());
    }

    #[test]
    fn halves_of_a_batch_are_put_together_in_order() {
        assert_eq!(joined(r#"{"rows":[[1],[2]]}"#, r#"{"rows":[[3]]}"#), r#"{"rows":[[1],[2],[3]]}"#);
    }
}
