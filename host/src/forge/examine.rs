//! The fourth stage: the maker's examples, called in the ordinary runtime.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wasmill_registry::{Digest, Manifest};

use super::bench::EngineFacts;
use super::diagnostics::{DIAGNOSTICS_MAX, Diagnostic, Severity};
use super::outcome::{Problem, ProblemKind};
use super::request::{Example, Language};
use crate::permissions::Grant;

/// How much of an answer goes into a message, characters.
const ANSWER_CHARS_MAX: usize = 600;

/// A component that was built and inspected, and is not installed yet.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The component.
    pub component: Vec<u8>,
    /// SHA-256 of it.
    pub digest: Digest,
    /// The manifest that it would get.
    pub manifest: Manifest,
    /// What its maker holds.
    pub maker: Grant,
}

/// What a try-out saw.
#[derive(Debug, Clone, Default)]
pub struct TryOut {
    /// The answer to each example, in order.
    pub answers: Vec<Answer>,
    /// Most linear memory that an instance had, bytes.
    pub memory_bytes: u64,
}

/// The answer to one example.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The result as JSON text, or why there is none, as a sentence.
    pub result: Result<String, String>,
    /// How long the call took, microseconds.
    pub micros: u64,
}

/// What is wrong with a source that an engine has looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Code, sentence and what to do next.
    pub problem: Problem,
    /// The same with its place in the source.
    pub diagnostic: Diagnostic,
}

/// Runs candidates. The runtime behind it is that in which the finished tool runs.
#[async_trait]
pub trait Examiner: Send + Sync {
    /// The newest engine that runs sources of a language; none where none may run here.
    fn engine(&self, language: Language) -> Option<EngineFacts>;

    /// Has an engine read and evaluate a source, in an instance that may do nothing, for `tool` of the maker who holds
    /// `maker`.
    ///
    /// # Errors
    /// The first thing that makes it no tool.
    async fn look(&self, engine: &EngineFacts, tool: &str, source: &str, maker: &Grant) -> Result<(), Fault>;

    /// Describes the candidate and makes all calls, each in a fresh instance, with the grant and the limits that the
    /// finished tool would have before any approval.
    ///
    /// # Errors
    /// Where it can't be loaded or described, or a description is not what the contract says. An example that fails is
    /// no error but an [`Answer`].
    async fn try_out(&self, candidate: &Candidate, examples: &[Example]) -> Result<TryOut, Problem>;
}

/// What the try-out comes to. Part of the statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// Number of examples, all of which were answered as expected.
    pub examples: usize,
    /// How many of them named the answer, and not only that there is one.
    pub compared: usize,
    /// Longest call, microseconds.
    pub micros_max: u64,
    /// Most linear memory that an instance had, bytes.
    pub memory_bytes: u64,
}

/// Compares answers with what was expected.
///
/// # Errors
/// With one diagnostic for each example that was answered otherwise.
pub fn compare(examples: &[Example], seen: &TryOut) -> Result<Findings, (Problem, Vec<Diagnostic>)> {
    let mut wrong = Vec::new();
    for (number, example) in examples.iter().enumerate() {
        let result = seen.answers.get(number).map(|answer| &answer.result);
        if let Some(message) = mismatch(example, result) {
            wrong.push(format!("example {} (`{}`): {message}", number + 1, example.function));
        }
    }
    if let Some(first) = wrong.first() {
        let message = format!("{} of {} examples failed; {first}", wrong.len(), examples.len());
        let next = "Correct the source, or the expectation where the answer is right.";
        let diagnostics = wrong.iter().take(DIAGNOSTICS_MAX).map(|message| Diagnostic {
            severity: Severity::Error,
            code: None,
            message: message.clone(),
            line: 0,
            column: 0,
            rendered: message.clone(),
        });
        return Err((Problem::new(ProblemKind::Failed, "forge.example", message, next), diagnostics.collect()));
    }
    Ok(Findings {
        examples: examples.len(),
        compared: examples.iter().filter(|e| e.expected.is_some()).count(),
        micros_max: seen.answers.iter().map(|a| a.micros).max().unwrap_or(0),
        memory_bytes: seen.memory_bytes,
    })
}

/// What is wrong with an answer; none: nothing.
fn mismatch(example: &Example, result: Option<&Result<String, String>>) -> Option<String> {
    let text = match result {
        None => return Some("it was not answered".into()),
        Some(Err(error)) => return Some(format!("it failed: {}", cut(error))),
        Some(Ok(text)) => text,
    };
    let Ok(answer) = serde_json::from_str::<Value>(text) else {
        return Some(format!("the answer is not JSON: {}", cut(text)));
    };
    let expected = example.expected.as_ref()?;
    // Checked to be JSON before anything was built.
    let same = serde_json::from_str::<Value>(expected).is_ok_and(|expected| expected == answer);
    (!same).then(|| format!("expected {}, got {}", cut(expected), cut(text)))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(ANSWER_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(expected: Option<&str>) -> Example {
        Example { function: "f".into(), arguments: "{}".into(), expected: expected.map(Into::into) }
    }

    fn seen(results: &[Result<&str, &str>]) -> TryOut {
        let answer = |r: &Result<&str, &str>| Answer { result: r.map(Into::into).map_err(Into::into), micros: 7 };
        TryOut { answers: results.iter().map(answer).collect(), memory_bytes: 1 }
    }

    #[test]
    fn answers_are_compared_as_values_and_not_as_text() {
        let examples = [example(Some(r#"{"a": 1, "b": [true]}"#)), example(None)];
        let findings = compare(&examples, &seen(&[Ok(r#"{"b":[true],"a":1}"#), Ok("null")])).unwrap();
        assert_eq!(findings, Findings { examples: 2, compared: 1, micros_max: 7, memory_bytes: 1 });
    }

    #[test]
    fn each_wrong_answer_is_said() {
        let examples = [example(Some("1")), example(None), example(None), example(Some("1")), example(None)];
        let answers = seen(&[Ok("2"), Err("it trapped"), Ok("no json"), Ok("1")]);
        let (problem, diagnostics) = compare(&examples, &answers).unwrap_err();
        assert_eq!(problem.code, "forge.example");
        let messages: Vec<_> = diagnostics.iter().map(|d| d.message.as_str()).collect();
        assert_eq!(
            messages,
            [
                "example 1 (`f`): expected 1, got 2",
                "example 2 (`f`): it failed: it trapped",
                "example 3 (`f`): the answer is not JSON: no json",
                "example 5 (`f`): it was not answered",
            ]
        );
    }
}
