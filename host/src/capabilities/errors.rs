//! Errors as guests see them.

use crate::permissions::Denial;
use crate::problem::{Problem, ProblemKind};
use crate::runtime::bindings::errors::{Error, Problem as WitProblem};
use crate::streams::StreamError;

/// `error.denied`
pub fn denied(denial: &Denial) -> Error {
    Error::Denied(wit(denial.code(), denial.message(), denial.next()))
}

/// `error.invalid`
pub fn invalid(code: &str, message: impl Into<String>, next: impl Into<String>) -> Error {
    Error::Invalid(wit(code, message, next))
}

/// `error.not-found`
pub fn not_found(code: &str, message: impl Into<String>, next: impl Into<String>) -> Error {
    Error::NotFound(wit(code, message, next))
}

/// `error.limit`
pub fn limit(code: &str, message: impl Into<String>, next: impl Into<String>) -> Error {
    Error::Limit(wit(code, message, next))
}

/// `error.unavailable`
pub fn unavailable(code: &str, message: impl Into<String>, next: impl Into<String>) -> Error {
    Error::Unavailable(wit(code, message, next))
}

/// `error.failed`
pub fn failed(code: &str, message: impl Into<String>, next: impl Into<String>) -> Error {
    Error::Failed(wit(code, message, next))
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

/// An error as everybody outside of guests sees it.
pub fn problem(error: &Error) -> Problem {
    let (kind, p) = match error {
        Error::Denied(p) => (ProblemKind::Denied, p),
        Error::Invalid(p) => (ProblemKind::Invalid, p),
        Error::NotFound(p) => (ProblemKind::NotFound, p),
        Error::Limit(p) => (ProblemKind::Limit, p),
        Error::Unavailable(p) => (ProblemKind::Unavailable, p),
        Error::Failed(p) => (ProblemKind::Failed, p),
    };
    Problem::new(kind, &p.code, p.message.clone(), p.next.clone())
}

fn wit(code: &str, message: impl Into<String>, next: impl Into<String>) -> WitProblem {
    WitProblem { code: code.to_owned(), message: message.into(), next: next.into() }
}
