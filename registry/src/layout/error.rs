//! What can go wrong with the registry on disk.

use std::io;
use std::path::PathBuf;

use semver::Version;

use crate::digest::Digest;

/// Errors of the registry on disk.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// There is no registry.
    #[error("there is no registry at `{0}`")]
    Missing(PathBuf),
    /// No such component.
    #[error("no component `{0}` is installed")]
    NotFound(String),
    /// The version exists with other content.
    #[error("{name}@{version} is installed already, with other content")]
    VersionTaken {
        /// Name.
        name: String,
        /// Version.
        version: Version,
    },
    /// A file has other bytes than its name says.
    #[error("blob {expected} of the registry has digest {found}: the file was changed")]
    Changed {
        /// Digest that the file should have.
        expected: Digest,
        /// Digest that it has.
        found: Digest,
    },
    /// A file cannot be understood.
    #[error("`{path}` of the registry is damaged: {reason}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The index leads to another component than it says.
    #[error("the registry's index says {expected}, but the component there is {found}")]
    Mislabelled {
        /// `name@version` in the index.
        expected: String,
        /// `name@version` in the manifest.
        found: String,
    },
    /// Reading or writing failed.
    #[error("`{path}` of the registry: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: io::Error,
    },
}

impl LayoutError {
    /// A stable identifier, the same in CLI, API and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) => "registry.missing",
            Self::NotFound(_) => "component.unknown",
            Self::VersionTaken { .. } => "component.exists",
            Self::Changed { .. } => "registry.changed",
            Self::Damaged { .. } => "registry.damaged",
            Self::Mislabelled { .. } => "registry.mislabelled",
            Self::Io { .. } => "registry.io",
        }
    }

    /// What to do about it.
    pub fn next(&self) -> String {
        match self {
            Self::Missing(_) => "Make a home with `wasmill init`.".into(),
            Self::NotFound(_) => "See what is there with `wasmill plugin list`.".into(),
            Self::VersionTaken { .. } => {
                "Raise the version in wasmill.toml and sign again, or remove the installed one first.".into()
            }
            Self::Changed { .. } | Self::Damaged { .. } | Self::Mislabelled { .. } => {
                "Find out who changed the registry; then remove the component and install it again from its publisher."
                    .into()
            }
            Self::Io { .. } => "See what the system says: free space, permissions of the folder.".into(),
        }
    }
}
