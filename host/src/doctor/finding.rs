//! One line of what was found.

use serde::Serialize;

use crate::problem::Problem;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// A host starts, and something will not work.
    Warn,
    /// A host does not start or does not work.
    Fail,
}

/// What was found of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, a stable name like `trust.toml`.
    pub check: String,
    /// How bad it is.
    pub level: Level,
    /// What was found.
    pub says: String,
    /// What to do; empty where nothing has to be done.
    pub next: String,
}

impl Finding {
    /// As it should be.
    pub(super) fn ok(check: &str, says: impl Into<String>) -> Self {
        Self { check: check.to_owned(), level: Level::Ok, says: says.into(), next: String::new() }
    }

    /// Something will not work.
    pub(super) fn warn(check: &str, problem: impl Into<Problem>) -> Self {
        Self::of(check, Level::Warn, problem.into())
    }

    /// No host works like this.
    pub(super) fn fail(check: &str, problem: impl Into<Problem>) -> Self {
        Self::of(check, Level::Fail, problem.into())
    }

    /// Something will not work, in words.
    pub(super) fn advise(check: &str, level: Level, says: impl Into<String>, next: impl Into<String>) -> Self {
        Self { check: check.to_owned(), level, says: says.into(), next: next.into() }
    }

    fn of(check: &str, level: Level, problem: Problem) -> Self {
        Self { check: check.to_owned(), level, says: problem.message, next: problem.next }
    }
}
