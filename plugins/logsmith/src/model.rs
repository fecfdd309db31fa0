//! Lets a language model write the parser, where one is configured and wanted. What it writes goes through the same forge
//! and has to answer like any other parser.

use serde_json::json;
use wasmill_sdk::forge::{self, Outcome, Refusal};
use wasmill_sdk::model::{Message, Request, Role, available, complete};
use wasmill_sdk::{Error, log};

use crate::output::templates;
use crate::parse::{Parsed, call};

/// Lines of the sample that the model sees.
const LINES_SHOWN: usize = 60;
/// Longest line that it sees, in characters.
const LINE_SHOWN: usize = 400;
/// Attempts: the first, and one with the compiler's messages.
const ATTEMPTS: usize = 2;
/// Compiler's messages that go back, in characters.
const MESSAGES_SHOWN: usize = 6_000;

/// What the model has to write.
const TASK: &str = include_str!("task.md");

/// Asks the model for a parser and forges it. None where no model answers or what it writes does not do.
pub fn forge(name: &str, about: &str, lines: &[&str]) -> Result<Option<String>, Error> {
    if !available() {
        return Ok(None);
    }
    let shown = shown(lines);
    let question = format!(
        "{TASK}\n\nSample, one JSON text per line:\n{}",
        shown.iter().map(|l| json!(l).to_string() + "\n").collect::<String>()
    );
    let mut messages = vec![message(Role::User, question)];
    for _ in 0..ATTEMPTS {
        let request = Request { model: None, messages: messages.clone(), max_tokens: None, temperature_milli: Some(0) };
        let answer = match complete(&request) {
            Ok(answer) => answer.content,
            Err(error) => {
                log::warn("the model does not answer", &[("why", &error.to_string())]);
                return Ok(None);
            }
        };
        let request = forge::rust(name, about, code(&answer))
            .with_dependency("serde")
            .with_dependency("serde_json")
            .with_example("parse", json!({ "lines": shown }).to_string(), None)
            .with_example("templates", "{}", None);
        match forge::build(&request) {
            Ok(Outcome::Callable(product)) => {
                let tool = format!("{}@{}", product.tool, product.version);
                return Ok(answers(&tool, &shown)?.then_some(tool));
            }
            Ok(Outcome::Refused(refusal)) => {
                let why = format!(
                    "It was refused: {}\n{}\nSend the whole corrected file.",
                    refusal.reason,
                    diagnostics(&refusal)
                );
                messages.push(message(Role::Assistant, answer));
                messages.push(message(Role::User, why));
            }
            // A parser has no reason to ask for anything that must be approved.
            Ok(Outcome::Waiting(_)) => return Ok(None),
            Err(error) => {
                log::warn("the forge does not answer", &[("why", &error.to_string())]);
                return Ok(None);
            }
        }
    }
    log::warn("the model's parser is not used", &[("name", name)]);
    Ok(None)
}

/// Everything that the compiler or a check had to say, as text.
pub fn diagnostics(refusal: &Refusal) -> String {
    let all: String = refusal
        .diagnostics
        .iter()
        .map(|d| format!("{}\n", if d.rendered.is_empty() { &d.message } else { &d.rendered }))
        .collect();
    all.chars().take(MESSAGES_SHOWN).collect()
}

/// True where the tool answers in the right shape.
fn answers(tool: &str, lines: &[String]) -> Result<bool, Error> {
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let listed = wasmill_sdk::tools::call(tool, "templates", "{}").is_ok_and(|answer| templates(&answer).is_ok());
    Ok(listed && matches!(call(tool, &lines)?, Parsed::Rows(answer) if is_answer(&answer, lines.len())))
}

/// True for a list of as many rows as there are lines, each with a template or null, time, level, fields and variables.
fn is_answer(answer: &str, lines: usize) -> bool {
    let Ok(answer) = serde_json::from_str::<serde_json::Value>(answer) else { return false };
    let texts =
        |value: &serde_json::Value| value.as_array().is_some_and(|all| all.iter().all(serde_json::Value::is_string));
    let row = |row: &serde_json::Value| {
        row.as_array().is_some_and(|row| {
            row.len() == 5
                && (row[0].is_null() || row[0].as_u64().is_some_and(|number| u32::try_from(number).is_ok()))
                && row[1].is_string()
                && row[2].is_string()
                && texts(&row[3])
                && texts(&row[4])
        })
    };
    answer["rows"].as_array().is_some_and(|rows| rows.len() == lines && rows.iter().all(row))
}

/// Lines from all over the sample, clipped.
fn shown(lines: &[&str]) -> Vec<String> {
    let step = lines.len().div_ceil(LINES_SHOWN).max(1);
    lines.iter().step_by(step).map(|line| line.chars().take(LINE_SHOWN).collect()).collect()
}

/// The code of an answer: its first fenced block, or all of it.
fn code(answer: &str) -> &str {
    let Some((_, after)) = answer.split_once("```") else { return answer };
    let after = after.split_once('\n').map_or(after, |(_, code)| code);
    after.split_once("```").map_or(after, |(code, _)| code)
}

fn message(role: Role, content: String) -> Message {
    Message { role, content }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_found_with_and_without_a_fence() {
        assert_eq!(code("Here:\n```rust\nfn a() {}\n```\nDone."), "fn a() {}\n");
        assert_eq!(code("fn a() {}"), "fn a() {}");
        assert_eq!(code("```rust\nfn a() {}"), "fn a() {}");
    }

    #[test]
    fn an_answer_of_another_shape_is_noticed() {
        assert!(is_answer(r#"{"rows":[[1,"","INFO",[],["a"]],[null,"","",[],[]]]}"#, 2));
        for wrong in [
            r#"{"rows":[]}"#,
            r#"{"rows":[[1,"","",[],[]]]}"#,
            "[]",
            "x",
            r#"{"rows":[[1,"","",[],[1]],[null,"","",[],[]]]}"#,
        ] {
            assert!(!is_answer(wrong, 2), "{wrong}");
        }
    }
}
