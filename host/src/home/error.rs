//! What can go wrong with a home directory.

use std::io;
use std::path::{Path, PathBuf};

use wasmill_registry::DocumentError;

use crate::problem::{Problem, ProblemKind};

/// Errors of the home directory. Each has a stable code, see [`HomeError::code`].
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// There is none.
    #[error("there is no Wasmill home at `{0}`")]
    Missing(PathBuf),
    /// There is one already.
    #[error("there is a Wasmill home at `{0}` already")]
    Exists(PathBuf),
    /// A file says something wrong.
    #[error("`{path}`, {error}")]
    Document {
        /// The file.
        path: PathBuf,
        /// Line and reason.
        error: DocumentError,
    },
    /// A file is larger than it may be, or is not text.
    #[error("`{path}` can't be read: {reason}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Others than the owner may use a file with secrets.
    #[error("`{path}` has mode {mode:o}: others than its owner may read or change it")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Reading or writing failed.
    #[error("`{path}`: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}

impl HomeError {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }

    /// A stable identifier, the same in CLI, API and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "home.missing",
            Self::Exists(_) => "home.exists",
            Self::Document { .. } => "home.document",
            Self::Unreadable { .. } => "home.unreadable",
            Self::Exposed { .. } => "home.exposed",
            Self::Io { .. } => "home.io",
        }
    }

    /// What to do about it.
    pub fn next(&self) -> String {
        match self {
            Self::Missing(_) => "Make one with `wasmill init`, or name another with `--home`.".into(),
            Self::Exists(_) => "Use it, or name another place with `--home`.".into(),
            Self::Document { .. } => "Correct that line.".into(),
            Self::Unreadable { .. } => "Restore the file.".into(),
            Self::Exposed { path, .. } => {
                format!("`chmod 600 {}`; if somebody else may have read it, change the secrets.", path.display())
            }
            Self::Io { .. } => "See what the system says: free space, permissions of the folder.".into(),
        }
    }
}

impl From<HomeError> for Problem {
    fn from(error: HomeError) -> Self {
        let kind = match &error {
            HomeError::Missing(_) => ProblemKind::NotFound,
            HomeError::Exists(_) => ProblemKind::Conflict,
            HomeError::Document { .. } | HomeError::Unreadable { .. } => ProblemKind::Invalid,
            HomeError::Exposed { .. } => ProblemKind::Denied,
            HomeError::Io { .. } => ProblemKind::Failed,
        };
        Self::new(kind, error.code(), error.to_string(), error.next())
    }
}
