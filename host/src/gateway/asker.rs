//! Who asks.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header;
use axum::http::request::Parts;

use crate::host::Host;
use crate::permissions::{Action, Duty};
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

/// By what a client may what it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It came in by the home's socket.
    Owner,
    /// Its rows.
    Rows,
}

impl Standing {
    /// Whether a client still has a duty, by its rows as they are now.
    pub fn may(self, host: &Host, client: &str, duty: Duty) -> Result<(), Problem> {
        if self == Self::Owner {
            return Ok(());
        }
        let checked = host.client(client).identity.grant.check(Action::Host(duty.word())).ok();
        checked.map_err(|denial| Problem::new(ProblemKind::Denied, denial.code(), denial.message(), denial.next()))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Standing {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        // Whoever came in by another door says nothing of it.
        Ok(parts.extensions.get().copied().unwrap_or(Self::Rows))
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
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
