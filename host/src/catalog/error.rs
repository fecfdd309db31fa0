//! Why a component can't be loaded.

use crate::runtime::RuntimeError;
use crate::store::StoreError;

/// Errors of loading. Each has a stable code, see [`CatalogError::code`].
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The registry can't be read.
    #[error(transparent)]
    Layout(#[from] wasmill_registry::LayoutError),
    /// The trust roots can't be read.
    #[error("the trust roots at `{path}` can't be used: {reason}")]
    Trust {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// It was forged for somebody who can't be found out.
    #[error("nobody can say for whom it was made: {0}")]
    Maker(String),
    /// An agent that another one has started can't work now.
    #[error("agent `{name}` can't work: {reason}")]
    Started {
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
    /// The runtime refuses it.
    #[error(transparent)]
    Runtime(#[from] RuntimeError),
    /// It doesn't describe itself as a tool must.
    #[error("{component} does not describe itself as a tool must: {reason}")]
    Describe {
        /// `name@version`.
        component: String,
        /// What is wrong.
        reason: String,
    },
    /// A version that somebody asks for is not there any more.
    #[error("version {digest} of {name} can't run: {reason}; install and allow it again, or go on without it")]
    Gone {
        /// Name.
        name: String,
        /// SHA-256 of the component.
        digest: String,
        /// Why.
        reason: String,
    },
    /// The approvals can't be read.
    #[error("the approvals can't be read: {0}")]
    Store(#[from] StoreError),
}

impl CatalogError {
    /// A stable identifier, the same in CLI, API and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Layout(error) => error.code(),
            Self::Trust { .. } => "trust.invalid",
            Self::Maker(_) => "component.maker",
            Self::Started { .. } => "agent.started",
            Self::Runtime(error) => error.code(),
            Self::Describe { .. } => "component.describe",
            Self::Gone { .. } => "component.gone",
            Self::Store(error) => error.code(),
        }
    }
}
