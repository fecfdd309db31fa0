//! Why a record is no request.

/// Errors of requests: their records are set aside. Each has a stable code, see [`RequestError::code`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The record has no value.
    #[error("the record has no value")]
    Empty,
    /// It is over the limit.
    #[error("the request has {size} bytes, over the limit of {limit}")]
    TooLarge {
        /// Bytes of the value.
        size: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// It is not JSON in UTF-8, or nested too deep.
    #[error("the request is not JSON: {0}")]
    Json(String),
    /// A field is missing, unknown, or of another type.
    #[error("the request has other fields than a request has: {0}")]
    Fields(String),
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
    /// The time that it leaves is not a number of milliseconds.
    #[error("`metadata.deadline_ms` is not a whole number of milliseconds")]
    Deadline,
}

impl RequestError {
    /// A stable identifier, the same in dead letters and logs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "request.empty",
            Self::TooLarge { .. } => "request.too-large",
            Self::Json(_) => "request.json",
            Self::Fields(_) => "request.fields",
            Self::Length { .. } => "request.length",
            Self::Deadline => "request.deadline",
        }
    }
}
