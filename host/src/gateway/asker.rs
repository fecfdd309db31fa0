//! Who asks.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header;
use axum::http::request::Parts;

use crate::problem::{Problem, ProblemKind};

/// The client that a request is of: `client:NAME` of the matrix. Put into the request by the door that it came in by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asker(pub String);

impl Asker {
    /// Whoever comes in by the home's socket: its owner.
    pub fn owner() -> Self {
        Self("cli".to_owned())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Asker {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            Problem::new(ProblemKind::Denied, "request.asker", "nobody said who asks", "See the host's log.")
        })
    }
}

/// The bearer token of a request.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
