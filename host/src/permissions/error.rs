//! What can be wrong with the matrix.

use std::path::PathBuf;

use super::matrix::FILE_BYTES_MAX;

/// Errors of `permissions.toml`. Each has a stable code, see [`MatrixError::code`].
#[derive(Debug, thiserror::Error)]
pub enum MatrixError {
    /// The file can't be read.
    #[error("{path} can't be read: {source}; every host needs one, `wasmill up` writes a first one into a new home")]
    Read {
        /// Where it should be.
        path: PathBuf,
        /// The system's word.
        source: std::io::Error,
    },
    /// The file is larger than any matrix.
    #[error("{path} has {size} bytes, over the limit of {FILE_BYTES_MAX}; is it the right file?")]
    TooLarge {
        /// Where it is.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
    },
    /// No TOML.
    #[error("{file} line {line}: {message}")]
    Syntax {
        /// Name of the file.
        file: String,
        /// Line, from 1.
        line: u32,
        /// The parser's word.
        message: String,
    },
    /// A key that nobody knows.
    #[error("{file} line {line}: unknown key `{key}` in {table}{hint}")]
    UnknownKey {
        /// Name of the file.
        file: String,
        /// Line, from 1.
        line: u32,
        /// The key.
        key: String,
        /// What it stands in.
        table: &'static str,
        /// `; did you mean ...?`, or nothing.
        hint: String,
    },
    /// A value that can't be.
    #[error("{file} line {line}: {message}")]
    Value {
        /// Name of the file.
        file: String,
        /// Line, from 1.
        line: u32,
        /// What is wrong and what would be right.
        message: String,
    },
}

impl MatrixError {
    /// A stable identifier, the same in CLI, API and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "matrix.unreadable",
            Self::TooLarge { .. } => "matrix.too-large",
            Self::Syntax { .. } => "matrix.syntax",
            Self::UnknownKey { .. } => "matrix.unknown-key",
            Self::Value { .. } => "matrix.value",
        }
    }

    /// Line in the file, from 1, where the trouble has a place.
    pub fn line(&self) -> Option<u32> {
        match self {
            Self::Syntax { line, .. } | Self::UnknownKey { line, .. } | Self::Value { line, .. } => Some(*line),
            Self::Read { .. } | Self::TooLarge { .. } => None,
        }
    }
}
