//! What can go wrong with entered credentials. No error has a value in it.

use crate::home::HomeError;
use crate::problem::{Problem, ProblemKind};
use crate::store::StoreError;

/// Errors of the vault. Each has a stable code, see [`VaultError::code`].
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The name can't be one.
    #[error("a secret's name has 1 to {0} of a-z, A-Z, 0-9, `_`, `-` and `.`")]
    Name(usize),
    /// The value can't be one. It is not repeated.
    #[error("a secret's value is one line of 1 to {0} bytes without control characters")]
    Value(usize),
    /// It is the file's.
    #[error("the secret `{0}` is in secrets.toml of this home, which counts")]
    OfFile(String),
    /// There is no room.
    #[error("there are {0} secrets already, the most")]
    TooMany(usize),
    /// Somebody encrypted it with another key, or it was changed since.
    #[error("this host's secrets.key does not open the secret `{0}`")]
    OtherKey(String),
    /// The key file can't be used.
    #[error("`secrets.key` is no key: {0}")]
    Key(&'static str),
    /// The key file can't be read or written.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl VaultError {
    /// A stable identifier, the same in CLI, API and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Name(_) => "secret.name",
            Self::Value(_) => "secret.value",
            Self::OfFile(_) => "secret.file",
            Self::TooMany(_) => "secret.limit",
            Self::OtherKey(_) => "secret.other-key",
            Self::Key(_) => "secret.key",
            Self::Home(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }
}

impl From<VaultError> for Problem {
    fn from(error: VaultError) -> Self {
        let (kind, next) = match &error {
            VaultError::Home(_) | VaultError::Store(_) => (ProblemKind::Failed, ""),
            VaultError::Name(_) | VaultError::Value(_) => (ProblemKind::Invalid, "Enter another one."),
            VaultError::OfFile(_) => (ProblemKind::Conflict, "Change it in that file and start the host again."),
            VaultError::TooMany(_) => (ProblemKind::Limit, "Remove one that nobody needs."),
            VaultError::OtherKey(_) => (
                ProblemKind::Conflict,
                "Copy secrets.key from the host where it was entered, mode 0600; or remove the secret and enter it again.",
            ),
            VaultError::Key(_) => (ProblemKind::Failed, "Restore secrets.key from a backup."),
        };
        match error {
            VaultError::Home(error) => error.into(),
            VaultError::Store(error) => error.into(),
            error => Self::new(kind, error.code(), error.to_string(), next),
        }
    }
}
