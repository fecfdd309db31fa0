//! Errors as guests see them.

use crate::permissions::Denial;
use crate::runtime::bindings::errors::{Error, Problem as WitProblem};
use crate::streams::StreamError;

/// An error in the words that guests, the CLI and the API share: a code, a sentence, what to do next.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Problem {
    /// Stable, dotted identifier.
    pub code: String,
    /// One sentence.
    pub message: String,
    /// What to do next; may be empty.
    pub next: String,
}

impl Problem {
    /// Makes one.
    pub fn new(code: &str, message: impl Into<String>, next: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), next: next.into() }
    }

    fn wit(self) -> WitProblem {
        WitProblem { code: self.code, message: self.message, next: self.next }
    }
}

/// `error.denied`
pub fn denied(denial: &Denial) -> Error {
    Error::Denied(Problem::new("permission.denied", denial.message(), denial.next()).wit())
}

/// `error.invalid`
pub fn invalid(code: &str, message: impl Into<String>, next: impl Into<String>) -> Error {
    Error::Invalid(Problem::new(code, message, next).wit())
}

/// `error.not-found`
pub fn not_found(code: &str, message: impl Into<String>, next: impl Into<String>) -> Error {
    Error::NotFound(Problem::new(code, message, next).wit())
}

/// `error.limit`
pub fn limit(code: &str, message: impl Into<String>, next: impl Into<String>) -> Error {
    Error::Limit(Problem::new(code, message, next).wit())
}

/// `error.unavailable`
pub fn unavailable(code: &str, message: impl Into<String>, next: impl Into<String>) -> Error {
    Error::Unavailable(Problem::new(code, message, next).wit())
}

/// `error.failed`
pub fn failed(code: &str, message: impl Into<String>, next: impl Into<String>) -> Error {
    Error::Failed(Problem::new(code, message, next).wit())
}

/// What the log says, as a guest sees it.
pub fn stream(error: &StreamError) -> Error {
    let (code, message) = (error.code(), error.to_string());
    match error {
        StreamError::UnknownTopic(_) | StreamError::UnknownPartition { .. } => not_found(code, message, ""),
        StreamError::InvalidTopic { .. } | StreamError::RecordTooLarge { .. } | StreamError::TopicExists(_) => {
            invalid(code, message, "")
        }
        _ if error.is_transient() => unavailable(code, message, "try again later"),
        _ => failed(code, message, ""),
    }
}

/// The problem inside an error, whatever its case.
pub fn problem(error: &Error) -> Problem {
    let (Error::Denied(p)
    | Error::Invalid(p)
    | Error::NotFound(p)
    | Error::Limit(p)
    | Error::Unavailable(p)
    | Error::Failed(p)) = error;
    Problem { code: p.code.clone(), message: p.message.clone(), next: p.next.clone() }
}
