//! What can go wrong in a conversation.

use crate::problem::{Problem, ProblemKind};

/// Errors of conversations. Each has a stable code, see [`ConversationError::code`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConversationError {
    /// host.toml has none.
    #[error("this host has no conversations")]
    Off,
    /// The topics can't be used yet.
    #[error("conversations wait: {0}")]
    Waiting(String),
    /// No name of a session.
    #[error("a session's name has 1 to 128 of the characters a-z, A-Z, 0-9, `.`, `_` and `-`")]
    Session,
    /// A field is empty, or over its limit.
    #[error("`{field}` has {size} bytes, not 1 to {limit}")]
    Length {
        /// The field.
        field: &'static str,
        /// Its bytes.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// No place.
    #[error("what comes after cannot be told: that is no place in the conversation")]
    Place,
    /// Too much has come since the place.
    #[error("{behind} records have come since then, over the limit of {limit}")]
    Gone {
        /// Records of all sessions since then.
        behind: u64,
        /// The limit in records.
        limit: u64,
    },
    /// A listener does not keep up.
    #[error("more was waiting to be told than a listener may be behind")]
    Slow,
    /// The host stops.
    #[error("the host stops")]
    Stopping,
    /// Not a message of a client, over WebSocket.
    #[error("this is no message: {0}")]
    Message(String),
}

impl ConversationError {
    /// A stable identifier.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Off => "conversation.off",
            Self::Waiting(_) => "conversation.waiting",
            Self::Session => "conversation.session",
            Self::Length { .. } => "conversation.length",
            Self::Place => "conversation.place",
            Self::Gone { .. } => "conversation.gone",
            Self::Slow => "conversation.slow",
            Self::Stopping => "conversation.stopping",
            Self::Message(_) => "conversation.message",
        }
    }

    fn kind(&self) -> ProblemKind {
        match self {
            Self::Off => ProblemKind::NotFound,
            Self::Waiting(_) | Self::Stopping => ProblemKind::Unavailable,
            Self::Session | Self::Length { .. } | Self::Place | Self::Gone { .. } | Self::Message(_) => {
                ProblemKind::Invalid
            }
            Self::Slow => ProblemKind::Limit,
        }
    }

    fn next(&self) -> &'static str {
        match self {
            Self::Off => "Whoever runs it adds `[conversations]` to host.toml.",
            Self::Waiting(_) => "Try again; `wasmill status` says more.",
            Self::Session => "Choose another name.",
            Self::Length { .. } | Self::Message(_) => "Send what docs/conversations.md says.",
            Self::Place => "Send an id that an event had, or none to listen from now on.",
            Self::Gone { .. } => "Listen from now on; older records are in the topic.",
            Self::Slow => "Listen again with the last id that you have, and take events faster.",
            Self::Stopping => "Listen again with the last id that you have.",
        }
    }
}

impl From<ConversationError> for Problem {
    fn from(error: ConversationError) -> Self {
        Self::new(error.kind(), error.code(), &error, error.next())
    }
}
