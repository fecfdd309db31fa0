//! The contract's error, made pleasant to write and to read.

use crate::bindings::agent::wasmill::plugin::errors::{Error, Problem};

impl Error {
    /// The request itself is wrong. `code` is dotted and stable, for example `text.empty`.
    pub fn invalid(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(Problem::new(code, message))
    }

    /// What the request names does not exist.
    pub fn not_found(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::NotFound(Problem::new(code, message))
    }

    /// The thing was tried and failed.
    pub fn failed(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Failed(Problem::new(code, message))
    }

    /// Something outside does not answer now; the same request may succeed later.
    pub fn unavailable(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Unavailable(Problem::new(code, message))
    }

    /// A tool has no such function.
    pub fn no_function(name: &str) -> Self {
        Self::not_found("tool.function", format!("there is no function {name:?}"))
    }

    /// Says what to do next, in one sentence.
    #[must_use]
    pub fn with_next(mut self, next: impl Into<String>) -> Self {
        self.problem_mut().next = next.into();
        self
    }

    /// When the same may succeed, where the host said so.
    pub fn retry_after(&self) -> Option<std::time::Duration> {
        self.problem().retry_after_ms.map(std::time::Duration::from_millis)
    }

    /// What went wrong, whatever the case.
    pub fn problem(&self) -> &Problem {
        match self {
            Self::Denied(problem)
            | Self::Invalid(problem)
            | Self::NotFound(problem)
            | Self::Limit(problem)
            | Self::Unavailable(problem)
            | Self::Failed(problem) => problem,
        }
    }

    /// The stable code, for example `permission.denied`.
    pub fn code(&self) -> &str {
        &self.problem().code
    }

    /// The sentence for a person.
    pub fn message(&self) -> &str {
        &self.problem().message
    }

    fn problem_mut(&mut self) -> &mut Problem {
        match self {
            Self::Denied(problem)
            | Self::Invalid(problem)
            | Self::NotFound(problem)
            | Self::Limit(problem)
            | Self::Unavailable(problem)
            | Self::Failed(problem) => problem,
        }
    }
}

impl Problem {
    /// A problem of which nothing can be said on what to do next.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), next: String::new(), retry_after_ms: None }
    }
}

/// A sentence alone is a failure with the code `plugin.failed`.
impl From<String> for Error {
    fn from(message: String) -> Self {
        Self::failed("plugin.failed", message)
    }
}

/// A sentence alone is a failure with the code `plugin.failed`.
impl From<&str> for Error {
    fn from(message: &str) -> Self {
        Self::from(message.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_alone_is_a_failure_with_a_code() {
        let error = Error::from("no luck");
        assert!(matches!(&error, Error::Failed(_)));
        assert_eq!((error.code(), error.message()), ("plugin.failed", "no luck"));
    }

    #[test]
    fn what_to_do_next_can_be_added_to_any_case() {
        let error = Error::no_function("x").with_next("Ask for the list.");
        assert_eq!(error.problem().next, "Ask for the list.");
    }
}
