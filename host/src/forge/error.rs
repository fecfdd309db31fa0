//! What can go wrong that has nothing to do with the source.

use super::kit::KitError;
use super::outcome::{Problem, ProblemKind};
use super::toolchain::ToolchainError;
use crate::permissions::LimitName;
use crate::sandbox::SandboxError;
use crate::store::StoreError;

/// What a maker may have only so much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Builds in an hour.
    Builds,
    /// Tools that are installed.
    Tools,
    /// Their components and sources together.
    Bytes,
}

impl Quantity {
    fn words(self) -> &'static str {
        match self {
            Self::Builds => "builds of this hour",
            Self::Tools => "number of tools",
            Self::Bytes => "room for tools",
        }
    }

    /// The limit that says how much.
    pub(super) fn limit(self) -> LimitName {
        match self {
            Self::Builds => LimitName::BuildsPerHour,
            Self::Tools => LimitName::ToolsAlive,
            Self::Bytes => LimitName::ToolBytes,
        }
    }
}

/// Errors of the forge. Each has a stable code, see [`ForgeError::code`]. Everything about a source is an
/// [`Outcome`](super::Outcome).
#[derive(Debug, thiserror::Error)]
pub enum ForgeError {
    /// The maker may not forge.
    #[error("{message}")]
    Denied {
        /// Code of the denial.
        code: &'static str,
        /// Who may not do what.
        message: String,
        /// What would have to change.
        next: String,
    },
    /// There is no sandbox; nothing is ever built without one.
    #[error("the forge builds nothing without a sandbox: {0}")]
    Sandbox(#[from] SandboxError),
    /// There is no compiler.
    #[error("the forge has no compiler: {0}")]
    Toolchain(#[from] ToolchainError),
    /// There is no kit.
    #[error(transparent)]
    Kit(#[from] KitError),
    /// No engine runs sources of this language here.
    #[error("no engine for {0} is installed")]
    NoEngine(&'static str),
    /// The maker has used up what it may have.
    #[error("{maker} has used up its {}: {limit}", .quantity.words())]
    Quota {
        /// Who.
        maker: String,
        /// Of what.
        quantity: Quantity,
        /// The limit, its value and who set it.
        limit: String,
    },
    /// Too many builds wait already.
    #[error("the forge is busy: {0} requests are being built or wait already")]
    Busy(usize),
    /// The whole took too long.
    #[error("the request was not done after {0} ms")]
    Deadline(u64),
    /// The forge's own signature is not believed here.
    #[error("this host does not trust its own forge: {reason}")]
    Untrusted {
        /// Why.
        reason: String,
        /// What to do.
        next: String,
    },
    /// The registry or the trust roots can't be used.
    #[error("the registry can't be used: {reason}")]
    Registry {
        /// Why.
        reason: String,
        /// Code of the registry's own error.
        code: &'static str,
        /// What to do.
        next: String,
    },
    /// The database can't be used.
    #[error("the forge can't write down what it does: {0}")]
    Store(#[from] StoreError),
    /// The tool is on the shelf and this host could not load it.
    #[error("the tool was made and could not be loaded: {}", .0.message)]
    Load(Problem),
    /// Something of this program failed.
    #[error("the forge failed: {0}")]
    Internal(String),
}

impl ForgeError {
    pub(super) fn registry(error: &dyn std::fmt::Display, code: &'static str, next: String) -> Self {
        Self::Registry { reason: error.to_string(), code, next }
    }

    /// A stable identifier, the same in CLI, API and logs.
    pub fn code(&self) -> &str {
        match self {
            Self::Denied { code, .. } | Self::Registry { code, .. } => code,
            Self::Sandbox(error) => error.code(),
            Self::Toolchain(error) => error.code(),
            Self::Kit(error) => error.code(),
            Self::NoEngine(_) => "forge.engine",
            Self::Quota { quantity: Quantity::Builds, .. } => "forge.quota",
            Self::Quota { quantity: Quantity::Tools, .. } => "forge.tools-alive",
            Self::Quota { quantity: Quantity::Bytes, .. } => "forge.tool-bytes",
            Self::Busy(_) => "forge.busy",
            Self::Deadline(_) => "forge.deadline",
            Self::Untrusted { .. } => "forge.untrusted",
            Self::Load(problem) => &problem.code,
            Self::Store(error) => error.code(),
            Self::Internal(_) => "forge.failed",
        }
    }

    /// What to do about it.
    pub fn next(&self) -> String {
        match self {
            Self::Denied { next, .. } | Self::Untrusted { next, .. } | Self::Registry { next, .. } => next.clone(),
            Self::Sandbox(error) => error.next().into(),
            Self::Toolchain(error) => error.next().into(),
            Self::Kit(error) => error.next().into(),
            Self::NoEngine(language) => {
                format!("Install one, for example plugins/{language}; see \"Scripts\" in docs/forge.md.")
            }
            Self::Quota { quantity: Quantity::Builds, .. } => {
                "Try again later, or raise `limits.builds_per_hour` in its row.".into()
            }
            Self::Quota { quantity, .. } => {
                let limit = quantity.limit();
                format!("Remove what is not needed with `wasmill plugin remove`, or raise `limits.{limit}` in its row.")
            }
            Self::Store(_) => "See `wasmill doctor`.".into(),
            Self::Busy(_) => "Try again in some seconds.".into(),
            Self::Deadline(_) => "Try again when the machine has less to do, or raise `forge.deadline_ms`.".into(),
            Self::Load(problem) => problem.next.clone(),
            Self::Internal(_) => "See the host's log.".into(),
        }
    }

    /// The error in the contract's words.
    pub fn problem(&self) -> Problem {
        let kind = match self {
            Self::Denied { .. } => ProblemKind::Denied,
            Self::Quota { .. } | Self::Busy(_) | Self::Deadline(_) => ProblemKind::Limit,
            Self::Load(problem) => problem.kind,
            Self::Internal(_) => ProblemKind::Failed,
            _ => ProblemKind::Unavailable,
        };
        Problem::new(kind, self.code(), self, self.next())
    }
}
