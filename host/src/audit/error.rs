//! What can go wrong with signing and verifying the trail.

use std::io;
use std::path::PathBuf;

use wasmill_registry::SignatureError;

use crate::problem::{Problem, ProblemKind};
use crate::store::StoreError;
use crate::streams::StreamError;

/// Errors of the audit trail. Each has a stable code, see [`AuditError::code`].
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// A checkpoint can't be written.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// A record for the topic can't be written.
    #[error("a record for the topic can't be written: {0}")]
    Record(String),
    /// The file of checkpoints can't be read or written.
    #[error("`{path}`: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
    /// There is no such chain.
    #[error("neither the database, nor the home's file, nor the topic knows a chain `{0}`")]
    Unknown(String),
    /// A chain has fewer rows than were signed or sent.
    #[error("chain `{chain}` has rows up to {found}, but had rows up to {known}: rows were taken away")]
    Truncated {
        /// The chain.
        chain: String,
        /// Number of its last row.
        found: i64,
        /// Number of a row that it had.
        known: i64,
    },
}

impl AuditError {
    /// A stable identifier, the same in CLI, API and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Store(error) => error.code(),
            Self::Stream(error) => error.code(),
            Self::Signature(error) => error.code(),
            Self::Record(_) => "audit.record",
            Self::File { .. } => "audit.file",
            Self::Unknown(_) => "audit.unknown",
            Self::Truncated { .. } => "audit.truncated",
        }
    }
}

impl From<AuditError> for Problem {
    fn from(error: AuditError) -> Self {
        let code = error.code();
        match error {
            AuditError::Store(error) => error.into(),
            AuditError::Stream(error) => error.into(),
            AuditError::Signature(error) => error.into(),
            AuditError::Record(_) => Self::new(ProblemKind::Failed, code, error, ""),
            AuditError::File { .. } => {
                Self::new(ProblemKind::Failed, code, error, "See what the system says: space, permissions of the file.")
            }
            AuditError::Unknown(_) => Self::new(ProblemKind::NotFound, code, error, "See `wasmill audit verify`."),
            AuditError::Truncated { .. } => Self::new(ProblemKind::Failed, code, error, "See `wasmill audit verify`."),
        }
    }
}
