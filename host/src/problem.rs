//! The one shape of an error towards people and programs: a code, a sentence, and what to do next.

use std::fmt;

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use wasmill_registry::{
    DocumentError, KeyError, LayoutError, LoadError, LockError, ManifestError, NameError, SignatureError,
};

use crate::approvals::ApprovalError;
use crate::catalog::CatalogError;
use crate::permissions::{MatrixError, NoPrincipal};
use crate::runtime::RuntimeError;
use crate::runtime::bindings::errors::Error;
use crate::store::StoreError;
use crate::streams::StreamError;
use crate::tool_topics::RequestError;

/// How whoever asked should react. The same cases as the guests' `errors.error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// No permission or no trust allows it.
    Denied,
    /// The request itself is wrong.
    Invalid,
    /// What it names does not exist.
    NotFound,
    /// It contradicts what is there.
    Conflict,
    /// A limit was reached.
    Limit,
    /// Something outside does not answer now.
    Unavailable,
    /// It was tried and failed.
    Failed,
}

impl ProblemKind {
    /// All kinds.
    pub const ALL: [Self; 7] =
        [Self::Denied, Self::Invalid, Self::NotFound, Self::Conflict, Self::Limit, Self::Unavailable, Self::Failed];

    /// One word, the same in the contract and in metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Invalid => "invalid",
            Self::NotFound => "not-found",
            Self::Conflict => "conflict",
            Self::Limit => "limit",
            Self::Unavailable => "unavailable",
            Self::Failed => "failed",
        }
    }

    /// The status that says the same over HTTP.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Denied => StatusCode::FORBIDDEN,
            Self::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Conflict => StatusCode::CONFLICT,
            Self::Limit => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The kind that a status stands for.
    pub fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => Self::Denied,
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::CONFLICT => Self::Conflict,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::PAYLOAD_TOO_LARGE => Self::Limit,
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => Self::Unavailable,
            status if status.is_client_error() => Self::Invalid,
            _ => Self::Failed,
        }
    }
}

/// An error as it leaves the product. As JSON it is `{"code", "message", "next"}`, and `"retry_after_ms"` where
/// that is known; the kind travels as exit code. Over HTTP it is an RFC 9457 problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error, schemars::JsonSchema)]
#[error("{message}")]
pub struct Problem {
    /// How to react.
    #[serde(skip, default = "failed")]
    pub kind: ProblemKind,
    /// A stable, dotted identifier.
    pub code: String,
    /// One sentence for a person.
    pub message: String,
    /// What to do next; empty where nothing sensible can be said.
    #[serde(default)]
    pub next: String,
    /// When the same may succeed, milliseconds from now, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

fn failed() -> ProblemKind {
    ProblemKind::Failed
}

impl Problem {
    /// A problem out of its parts.
    pub fn new(kind: ProblemKind, code: &str, message: impl fmt::Display, next: impl fmt::Display) -> Self {
        let (code, message, next) = (code.to_owned(), message.to_string(), next.to_string());
        Self { kind, code, message, next, retry_after_ms: None }
    }

    /// The same problem, which may have passed after so many milliseconds.
    pub fn with_retry_after_ms(self, retry_after_ms: Option<u64>) -> Self {
        Self { retry_after_ms, ..self }
    }

    /// The request itself is wrong.
    pub fn invalid(code: &str, message: impl fmt::Display, next: impl fmt::Display) -> Self {
        Self::new(ProblemKind::Invalid, code, message, next)
    }

    /// The same problem with a few words in front that say where it happened.
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// A file that can't be read or written.
    pub fn io(path: &std::path::Path, error: &std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::NotFound => ProblemKind::NotFound,
            std::io::ErrorKind::PermissionDenied => ProblemKind::Denied,
            _ => ProblemKind::Failed,
        };
        Self::new(kind, "file.io", format!("`{}`: {error}", path.display()), "Check the path and its permissions.")
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        let kind = match &error {
            KeyError::Missing(_) => ProblemKind::NotFound,
            KeyError::Exists(_) => ProblemKind::Conflict,
            KeyError::Exposed { .. } => ProblemKind::Denied,
            KeyError::Malformed { .. } | KeyError::MalformedPublic(_) | KeyError::MalformedId(_) => {
                ProblemKind::Invalid
            }
            KeyError::NoRandomness(_) | KeyError::Io { .. } => ProblemKind::Failed,
        };
        Self::new(kind, error.code(), error.to_string(), error.next())
    }
}

impl From<SignatureError> for Problem {
    fn from(error: SignatureError) -> Self {
        let kind = match &error {
            SignatureError::UnknownKey(_)
            | SignatureError::RevokedKey { .. }
            | SignatureError::ExpiredKey { .. }
            | SignatureError::WrongRole { .. }
            | SignatureError::BadSignature { .. }
            | SignatureError::Mismatch { .. }
            | SignatureError::ExpiredApproval(_) => ProblemKind::Denied,
            SignatureError::TooLarge { .. } => ProblemKind::Limit,
            SignatureError::Envelope(_)
            | SignatureError::Statement(_)
            | SignatureError::NameOfOther { .. }
            | SignatureError::Manifest(_) => ProblemKind::Invalid,
        };
        Self::new(kind, error.code(), error.to_string(), error.next())
    }
}

impl From<LayoutError> for Problem {
    fn from(error: LayoutError) -> Self {
        let kind = match &error {
            LayoutError::Missing(_) | LayoutError::NotFound(_) => ProblemKind::NotFound,
            LayoutError::VersionTaken { .. } => ProblemKind::Conflict,
            LayoutError::Mislabelled { .. } | LayoutError::Changed { .. } => ProblemKind::Denied,
            LayoutError::Damaged { .. } | LayoutError::Io { .. } => ProblemKind::Failed,
        };
        Self::new(kind, error.code(), error.to_string(), error.next())
    }
}

impl From<LockError> for Problem {
    fn from(error: LockError) -> Self {
        let kind = match &error {
            LockError::Changed { .. } | LockError::Older { .. } => ProblemKind::Denied,
            LockError::Full => ProblemKind::Limit,
        };
        Self::new(kind, error.code(), error.to_string(), error.next())
    }
}

impl From<LoadError> for Problem {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Layout(error) => error.into(),
            LoadError::Signature(error) => error.into(),
        }
    }
}

impl From<ManifestError> for Problem {
    fn from(error: ManifestError) -> Self {
        Self::invalid(error.code(), error.to_string(), error.next())
    }
}

impl From<NameError> for Problem {
    fn from(error: NameError) -> Self {
        Self::invalid("name.invalid", error.to_string(), "Choose another name.")
    }
}

impl From<DocumentError> for Problem {
    fn from(error: DocumentError) -> Self {
        Self::invalid("document.invalid", error.to_string(), "Correct that line.")
    }
}

impl From<RuntimeError> for Problem {
    fn from(error: RuntimeError) -> Self {
        let kind = match &error {
            RuntimeError::NotAComponent(_) | RuntimeError::WrongWorld { .. } => ProblemKind::Invalid,
            RuntimeError::Import { .. } => ProblemKind::Denied,
            RuntimeError::Limit(_) => ProblemKind::Limit,
            RuntimeError::Busy(_) => ProblemKind::Unavailable,
            _ => ProblemKind::Failed,
        };
        Self::new(kind, error.code(), error.to_string(), "")
    }
}

impl From<MatrixError> for Problem {
    fn from(error: MatrixError) -> Self {
        match &error {
            MatrixError::Read { path, source } => Self::io(path, source),
            MatrixError::TooLarge { .. } => Self::new(ProblemKind::Limit, error.code(), error.to_string(), ""),
            _ => {
                let next =
                    "Correct that line; `wasmill permission check` reads it. A running host keeps the last good file.";
                Self::invalid(error.code(), error.to_string(), next)
            }
        }
    }
}

impl From<NoPrincipal> for Problem {
    fn from(error: NoPrincipal) -> Self {
        Self::invalid(error.code(), error.to_string(), "")
    }
}

impl From<ApprovalError> for Problem {
    fn from(error: ApprovalError) -> Self {
        let kind = match error {
            ApprovalError::Signature(error) => return error.into(),
            ApprovalError::Layout(error) => return error.into(),
            ApprovalError::Matrix(error) => return error.into(),
            ApprovalError::Store(error) => return error.into(),
            ApprovalError::Unknown(_) | ApprovalError::NotHere { .. } => ProblemKind::NotFound,
            ApprovalError::Ambiguous { .. } => ProblemKind::Invalid,
            ApprovalError::Stale { .. } | ApprovalError::Own { .. } => ProblemKind::Conflict,
        };
        Self::new(kind, error.code(), error.to_string(), error.next())
    }
}

impl From<StreamError> for Problem {
    fn from(error: StreamError) -> Self {
        let (kind, next) = match &error {
            StreamError::UnknownTopic(topic) => {
                (ProblemKind::NotFound, format!("Create it with `wasmill topic create {topic}`."))
            }
            StreamError::UnknownPartition { .. } => {
                (ProblemKind::NotFound, "See the partitions with `wasmill topic list`.".into())
            }
            StreamError::TopicExists(_) => (ProblemKind::Conflict, "Use it as it is, or choose another name.".into()),
            StreamError::Refused(_) => (ProblemKind::Denied, String::new()),
            StreamError::Forbidden(_) => {
                (ProblemKind::Denied, "See `wasmill permission export --kafka` for all that this host needs.".into())
            }
            StreamError::InvalidTopic { .. } | StreamError::InvalidRecord { .. } | StreamError::Config(_) => {
                (ProblemKind::Invalid, String::new())
            }
            StreamError::RecordTooLarge { .. } => (ProblemKind::Limit, String::new()),
            StreamError::InUse(_) => {
                (ProblemKind::Unavailable, "If a host runs on this home, wait a moment and try again.".into())
            }
            StreamError::Unavailable(_) | StreamError::Fenced(_) | StreamError::DiskFull(_) => {
                (ProblemKind::Unavailable, "Try again when it is back.".into())
            }
            StreamError::Damaged(_) | StreamError::Failed(_) => (ProblemKind::Failed, String::new()),
        };
        Self::new(kind, error.code(), error.to_string(), next)
    }
}

impl From<CatalogError> for Problem {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::Layout(error) => error.into(),
            CatalogError::Runtime(error) => error.into(),
            CatalogError::Store(error) => error.into(),
            CatalogError::Gone { .. } => Self::new(ProblemKind::NotFound, error.code(), error.to_string(), ""),
            CatalogError::Advisories(error) => error.into(),
            CatalogError::Quarantined { .. } => Self::new(ProblemKind::Denied, error.code(), error.to_string(), ""),
            CatalogError::Taken(_) => Self::new(ProblemKind::Conflict, error.code(), error.to_string(), ""),
            CatalogError::Trust { .. }
            | CatalogError::Maker(_)
            | CatalogError::Started { .. }
            | CatalogError::Engine { .. }
            | CatalogError::Source { .. }
            | CatalogError::Describe { .. } => Self::new(ProblemKind::Failed, error.code(), error.to_string(), ""),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let kind = match &error {
            StoreError::Url { .. } => ProblemKind::Invalid,
            _ if error.is_transient() => ProblemKind::Unavailable,
            _ => ProblemKind::Failed,
        };
        Self::new(kind, error.code(), error.to_string(), "See `store.url` in host.toml, and `wasmill doctor`.")
    }
}

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        Self::invalid(error.code(), error.to_string(), "Send it again as docs/tool-topics.md says.")
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        crate::capabilities::problem(&error)
    }
}
