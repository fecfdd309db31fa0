//! Errors over HTTP: RFC 9457 problem details, `application/problem+json`, for every error that a port or the socket
//! answers.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::problem::{Problem, ProblemKind};

/// Type of the body of every error.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// An error (RFC 9457), with a stable code and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct ProblemDetails {
    /// Names the kind of problem: `urn:wasmill:problem:` and its code.
    pub r#type: String,
    /// The same for every problem of this status.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// One sentence on what went wrong here. It may change; the code does not.
    pub detail: String,
    /// A stable, dotted identifier.
    pub code: String,
    /// What to do next; empty where nothing sensible can be said.
    pub next: String,
    /// When the same may succeed, milliseconds from now, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl ProblemDetails {
    fn new(status: StatusCode, problem: Problem) -> Self {
        Self {
            r#type: format!("urn:wasmill:problem:{}", problem.code),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: problem.message,
            code: problem.code,
            next: problem.next,
            retry_after_ms: problem.retry_after_ms,
        }
    }

    /// The problem that was answered with a status.
    pub fn into_problem(self, status: StatusCode) -> Problem {
        Problem::new(ProblemKind::of_status(status), &self.code, self.detail, self.next)
            .with_retry_after_ms(self.retry_after_ms)
    }
}

/// A problem with the status that it is answered with, where that says more than its kind, and headers that belong to it.
#[derive(Debug, Clone)]
pub(crate) struct Refusal(Box<Parts>);

#[derive(Debug, Clone)]
struct Parts {
    status: StatusCode,
    headers: HeaderMap,
    problem: Problem,
}

impl Refusal {
    /// A refusal out of its parts.
    pub fn new(status: StatusCode, code: &str, message: impl std::fmt::Display, next: impl std::fmt::Display) -> Self {
        let problem = Problem::new(ProblemKind::of_status(status), code, message, next);
        Self(Box::new(Parts { status, headers: HeaderMap::new(), problem }))
    }

    /// The status that it is answered with.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// What is wrong.
    pub fn problem(&self) -> &Problem {
        &self.0.problem
    }

    /// The same with a header.
    pub fn with(mut self, name: header::HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// The same, which may have passed after so many milliseconds.
    pub fn after_ms(mut self, retry_after_ms: u64) -> Self {
        self.0.problem.retry_after_ms = Some(retry_after_ms);
        self
    }

    /// The same with another sentence.
    pub fn saying(mut self, message: &str) -> Self {
        self.0.problem.message = message.to_owned();
        self
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(Box::new(Parts { status: problem.kind.status(), headers: HeaderMap::new(), problem }))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Parts { status, mut headers, problem } = *self.0;
        if let Some(ms) = problem.retry_after_ms {
            // The header knows whole seconds only: never too early.
            headers.insert(header::RETRY_AFTER, HeaderValue::from(ms.div_ceil(1000)));
        }
        let details = ProblemDetails::new(status, problem);
        // Strings and a number always have a JSON form.
        let body = serde_json::to_vec(&details).unwrap_or_default();
        let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON))];
        (status, headers, kind, body).into_response()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        Refusal::from(self).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_answered_is_read_again_as_the_same_problem() {
        for kind in ProblemKind::ALL {
            let problem = Problem::new(kind, "a.code", "it went wrong", "do this").with_retry_after_ms(Some(1500));
            let details = ProblemDetails::new(kind.status(), problem.clone());
            assert_eq!(
                (details.r#type.as_str(), details.status),
                ("urn:wasmill:problem:a.code", kind.status().as_u16())
            );
            let read: ProblemDetails = serde_json::from_slice(&serde_json::to_vec(&details).unwrap()).unwrap();
            assert_eq!(read.into_problem(kind.status()), problem);
        }
    }
}
