//! Why an approval can't be given.

use wasmill_registry::{LayoutError, SignatureError};

use crate::permissions::MatrixError;
use crate::store::StoreError;

/// Errors of approvals. Each has a stable code, see [`ApprovalError::code`].
#[derive(Debug, thiserror::Error)]
pub enum ApprovalError {
    /// No component that needs an approval is called so.
    #[error("no component `{0}` needs an approval")]
    Unknown(String),
    /// The name means several versions.
    #[error("`{name}` is there in {count} versions that need an approval")]
    Ambiguous {
        /// The name.
        name: String,
        /// How many.
        count: usize,
    },
    /// The envelope approves something that is not installed here.
    #[error("this approves component {component}, and no component here with that content needs an approval")]
    NotHere {
        /// SHA-256 of the component that it is for.
        component: String,
    },
    /// The envelope approves other permissions than the component would have now.
    #[error(
        "this approves other permissions than {component} would have now: the matrix or its maker changed meanwhile"
    )]
    Stale {
        /// `name@version`.
        component: String,
    },
    /// Whoever signed this has signed the component too.
    #[error("{component} is signed with this key, and nobody approves what they made")]
    Own {
        /// `name@version`.
        component: String,
    },
    /// The signature doesn't count.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The registry can't be read.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The matrix can't be read.
    #[error(transparent)]
    Matrix(#[from] MatrixError),
    /// The database doesn't take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ApprovalError {
    /// A stable identifier, the same in CLI, API and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "approval.unknown",
            Self::Ambiguous { .. } => "approval.ambiguous",
            Self::NotHere { .. } => "approval.not-here",
            Self::Stale { .. } => "approval.stale",
            Self::Own { .. } => "approval.own",
            Self::Signature(error) => error.code(),
            Self::Layout(error) => error.code(),
            Self::Matrix(error) => error.code(),
            Self::Store(error) => error.code(),
        }
    }

    /// What to do about it.
    pub fn next(&self) -> String {
        match self {
            Self::Unknown(_) | Self::NotHere { .. } => "See `wasmill approval list`.".into(),
            Self::Ambiguous { name, .. } => format!("Say which one, like `{name}@1.0.0`: see `wasmill approval list`."),
            Self::Stale { component } => format!("Look again: `wasmill approval show {component}`, and sign that."),
            Self::Own { .. } => "Let another admin look at it.".into(),
            Self::Signature(error) => error.next(),
            Self::Layout(error) => error.next(),
            Self::Matrix(_) | Self::Store(_) => String::new(),
        }
    }
}
