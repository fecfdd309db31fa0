//! What can go wrong with registries.

use wasmill_registry::Digest;

use crate::problem::{Problem, ProblemKind};

/// Errors of registries. Each has a stable code, see [`RegistryError::code`].
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Text that is no address.
    #[error("`{text}` is no address of a component: {reason}")]
    Location {
        /// The text, cut where it is very long.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Without encryption, to another machine.
    #[error("{0} would be asked without encryption")]
    PlainHttp(String),
    /// Nobody answers, or stops in the middle.
    #[error("{place} does not answer: {reason}")]
    Unreachable {
        /// Who was asked.
        place: String,
        /// The words of whoever noticed.
        reason: String,
    },
    /// It wants to know who asks, or knows and refuses.
    #[error("{place} refuses: {reason}")]
    Refused {
        /// Who was asked.
        place: String,
        /// Why, as far as it is known.
        reason: String,
    },
    /// It isn't there.
    #[error("{0} is not there")]
    NotFound(String),
    /// More bytes than there may be.
    #[error("{place} has more than {limit} bytes")]
    TooLarge {
        /// What was asked for.
        place: String,
        /// The limit, bytes.
        limit: usize,
    },
    /// Other bytes than their digest says.
    #[error("{place} gave bytes of digest {found} for {expected}: they were changed, there or on the way")]
    Changed {
        /// What was asked for.
        place: String,
        /// Digest that was asked for.
        expected: Digest,
        /// Digest of what came.
        found: Digest,
    },
    /// An answer that makes no sense.
    #[error("the answer of {place} can't be used: {reason}")]
    Answer {
        /// Who answered.
        place: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The version is there with other content.
    #[error("{place} has digest {there}, and this one has {here}")]
    TagTaken {
        /// Repository and tag.
        place: String,
        /// Digest that is there.
        there: Digest,
        /// Digest of what was to be pushed.
        here: Digest,
    },
}

impl RegistryError {
    /// A stable identifier, the same in CLI, API and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Location { .. } => "registry.location",
            Self::PlainHttp(_) => "registry.plain-http",
            Self::Unreachable { .. } => "registry.unreachable",
            Self::Refused { .. } => "registry.refused",
            Self::NotFound(_) => "registry.not-found",
            Self::TooLarge { .. } => "registry.too-large",
            Self::Changed { .. } => "registry.changed",
            Self::Answer { .. } => "registry.answer",
            Self::TagTaken { .. } => "registry.tag-taken",
        }
    }

    /// What to do about it.
    pub fn next(&self) -> &'static str {
        match self {
            Self::Location { .. } => {
                "Write oci://HOST/REPOSITORY:VERSION, https://HOST/FOLDER/#NAME@VERSION, or the name of a component in a [[registry]] of host.toml."
            }
            Self::PlainHttp(_) => {
                "Use https. If whoever is in between may see and change everything but what is signed, say `--plain-http`."
            }
            Self::Unreachable { .. } => "See whether it runs and this machine reaches it; then try again.",
            Self::Refused { .. } => {
                "Name user and password_secret in its [[registry]] of host.toml, or log in with `docker login` without a credential helper."
            }
            Self::NotFound(_) => "See what is there with `wasmill plugin search`.",
            Self::TooLarge { .. } => "Don't install it: nothing of ours is so large.",
            Self::Changed { .. } => "Don't install it; tell whoever runs that registry.",
            Self::Answer { .. } => "See whether the address is that of a registry, or of a folder with an index.json.",
            Self::TagTaken { .. } => "A version never changes: raise it in wasmill.toml, sign again, and push that.",
        }
    }
}

impl From<RegistryError> for Problem {
    fn from(error: RegistryError) -> Self {
        let kind = match &error {
            RegistryError::Location { .. } => ProblemKind::Invalid,
            RegistryError::PlainHttp(_) | RegistryError::Refused { .. } | RegistryError::Changed { .. } => {
                ProblemKind::Denied
            }
            RegistryError::Unreachable { .. } => ProblemKind::Unavailable,
            RegistryError::NotFound(_) => ProblemKind::NotFound,
            RegistryError::TooLarge { .. } => ProblemKind::Limit,
            RegistryError::Answer { .. } => ProblemKind::Failed,
            RegistryError::TagTaken { .. } => ProblemKind::Conflict,
        };
        Self::new(kind, error.code(), error.to_string(), error.next())
    }
}
