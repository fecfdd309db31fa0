//! What can go wrong with keys.

use std::io;
use std::path::PathBuf;

/// Why a key cannot be made or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// There is no such file.
    #[error("there is no key file `{0}`")]
    Missing(PathBuf),
    /// There is one already, and it is not replaced.
    #[error("key file `{0}` exists already")]
    Exists(PathBuf),
    /// Others than the owner may read or write it.
    #[error("key file `{path}` has mode {mode:o}: others than its owner may use it")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file holds something else.
    #[error("`{path}` is not an Ed25519 key in PKCS#8 PEM form: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The text is not a public key.
    #[error("`{0}` is not an Ed25519 public key: base64 of 32 bytes that are a point of the curve")]
    MalformedPublic(String),
    /// The text is not a key id.
    #[error("`{0}` is not a key id of 16 lower-case hexadecimal digits")]
    MalformedId(String),
    /// The system gave no random numbers.
    #[error("the system gives no random numbers: {0}")]
    NoRandomness(String),
    /// Reading or writing failed.
    #[error("key file `{path}`: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}

impl KeyError {
    /// A stable identifier, the same in CLI, API and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "key.missing",
            Self::Exists(_) => "key.exists",
            Self::Exposed { .. } => "key.exposed",
            Self::Malformed { .. } | Self::MalformedPublic(_) | Self::MalformedId(_) => "key.malformed",
            Self::NoRandomness(_) => "key.no-randomness",
            Self::Io { .. } => "key.io",
        }
    }

    /// What to do about it.
    pub fn next(&self) -> String {
        match self {
            Self::Missing(_) => "Make one with `wasmill key new`, or name another with `--key`.".into(),
            Self::Exists(_) => "Choose another name, or move the old file away first.".into(),
            Self::Exposed { path, .. } => {
                format!(
                    "If nobody else has read it: `chmod 600 {}`. Otherwise revoke it and make a new one.",
                    path.display()
                )
            }
            Self::Malformed { .. } | Self::MalformedPublic(_) | Self::MalformedId(_) => {
                "Compare with what `wasmill key list` prints, or make a new key with `wasmill key new`.".into()
            }
            Self::NoRandomness(_) | Self::Io { .. } => "See what the system says, then try again.".into(),
        }
    }
}
