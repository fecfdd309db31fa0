//! Why another server's tools are not there.

use std::time::Duration;

use crate::problem::{Problem, ProblemKind};
use crate::sandbox::SandboxError;

/// Errors of reaching a server. Each has a stable code, see [`ServerError::code`].
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// There is no sandbox for its program.
    #[error("its program can't be started: {0}")]
    Sandbox(#[from] SandboxError),
    /// A secret is missing.
    #[error("there is no secret `{0}`")]
    Secret(String),
    /// A secret can't be in that place.
    #[error("the secret for `{0}` has characters that can't be sent there")]
    Value(String),
    /// This machine can't make connections.
    #[error("no connection can be made: {0}")]
    Client(String),
    /// It can't be reached, or doesn't speak MCP.
    #[error("it can't be reached: {0}")]
    Reach(String),
    /// It takes too long.
    #[error("it gave no answer to {what} within {} s", .within.as_secs())]
    Silent {
        /// What was asked.
        what: &'static str,
        /// How long was waited.
        within: Duration,
    },
    /// It doesn't say what tools it has.
    #[error("it does not list its tools: {0}")]
    List(String),
    /// It has too many tools.
    #[error("it has over {0} tools, or lists them in too many pages")]
    TooMany(usize),
    /// The connection ended.
    #[error("the connection ended: {0}")]
    Ended(String),
}

impl ServerError {
    /// A stable identifier, the same in CLI, API and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Sandbox(error) => error.code(),
            Self::Secret(_) | Self::Value(_) => "mcp.secret",
            Self::TooMany(_) => "mcp.tools",
            Self::Client(_) | Self::Reach(_) | Self::Silent { .. } | Self::List(_) | Self::Ended(_) => "mcp.away",
        }
    }

    /// What to do about it.
    pub fn next(&self) -> &'static str {
        match self {
            Self::Sandbox(error) => error.next(),
            Self::Secret(_) | Self::Value(_) => {
                "Enter it with `wasmill secret set`, or correct secrets.toml and start the host again."
            }
            Self::TooMany(_) => "Raise `tools_max` of this server in host.toml, or have it offer fewer.",
            _ => "It is tried again every few seconds.",
        }
    }

    /// True where what it has offered before is to be taken back, and not only waited for.
    pub(super) fn takes_back(&self) -> bool {
        matches!(self, Self::TooMany(_))
    }
}

impl From<ServerError> for Problem {
    fn from(error: ServerError) -> Self {
        Self::new(ProblemKind::Unavailable, error.code(), &error, error.next())
    }
}
