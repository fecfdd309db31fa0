//! Answers to the maker's examples, held against what was expected.

use serde_json::Value;

use super::super::diagnostics::{DIAGNOSTICS_MAX, Diagnostic, Severity};
use super::super::outcome::{Problem, ProblemKind};
use super::super::request::Example;
use super::subject::{Answer, Unanswered};
use super::{Misfit, cut};

/// Compares answers with what was expected. Returns how many examples named an answer.
///
/// # Errors
/// With one diagnostic for each example that was answered otherwise.
pub(super) fn compare(examples: &[Example], answers: &[Answer]) -> Result<usize, Misfit> {
    let mut wrong = Vec::new();
    for (number, example) in examples.iter().enumerate() {
        let result = answers.get(number).map(|answer| &answer.result);
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
    Ok(examples.iter().filter(|example| example.expected.is_some()).count())
}

/// What is wrong with an answer; none: nothing.
fn mismatch(example: &Example, result: Option<&Result<String, Unanswered>>) -> Option<String> {
    let text = match result {
        None => return Some("it was not answered".into()),
        Some(Err(error)) => return Some(format!("it failed: {}", cut(error.message()))),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn example(expected: Option<&str>) -> Example {
        Example { function: "f".into(), arguments: "{}".into(), expected: expected.map(Into::into) }
    }

    fn seen(results: &[Result<&str, &str>]) -> Vec<Answer> {
        let answer = |result: &Result<&str, &str>| Answer {
            result: result.map(Into::into).map_err(|message| Unanswered::Ended(message.into())),
            micros: 7,
            cpu_micros: 5,
            memory_bytes: 1,
        };
        results.iter().map(answer).collect()
    }

    #[test]
    fn answers_are_compared_as_values_and_not_as_text() {
        let examples = [example(Some(r#"{"a": 1, "b": [true]}"#)), example(None)];
        assert_eq!(compare(&examples, &seen(&[Ok(r#"{"b":[true],"a":1}"#), Ok("null")])).unwrap(), 1);
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
