//! Errors as guests see them.

use std::time::Duration;

use crate::permissions::{Denial, RateReached};
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

/// `error.limit` that passes by itself after a while; none: it never does.
pub fn passing_limit(
    code: &str,
    message: impl Into<String>,
    next: impl Into<String>,
    retry_after: Option<Duration>,
) -> Error {
    // Rounded up: who comes back then must not be too early.
    let ms = |after: Duration| u64::try_from(after.as_micros().div_ceil(1000)).unwrap_or(u64::MAX);
    Error::Limit(WitProblem { retry_after_ms: retry_after.map(ms), ..wit(code, message, next) })
}

/// `error.limit` of what is counted by the minute.
pub fn rate(reached: &RateReached) -> Error {
    let next = match reached.retry_after {
        Some(after) => format!("try again in {} s, or raise {} where it is set", seconds(after), reached.limit.name),
        None => format!("ask for less at once, or raise {} where it is set", reached.limit.name),
    };
    passing_limit("limit.rate", reached.to_string(), next, reached.retry_after)
}

/// Whole seconds, never too few.
pub(super) fn seconds(after: Duration) -> u64 {
    after.as_secs() + u64::from(after.subsec_nanos() > 0)
}

/// True where an error passes by itself: what is asked again may be answered otherwise.
pub fn is_passing(error: &Error) -> bool {
    match error {
        Error::Unavailable(_) => true,
        Error::Limit(problem) => problem.retry_after_ms.is_some(),
        _ => false,
    }
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
    Problem::new(kind, &p.code, p.message.clone(), p.next.clone()).with_retry_after_ms(p.retry_after_ms)
}

fn wit(code: &str, message: impl Into<String>, next: impl Into<String>) -> WitProblem {
    WitProblem { code: code.to_owned(), message: message.into(), next: next.into(), retry_after_ms: None }
}
